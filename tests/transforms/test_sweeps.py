"""What the text of a sweep means, and every way in which it can be bad."""

import numpy as np
import pytest
import torch

from physadv.transforms import SWEEPS, TransformError, parse_sweep, parse_transform
from physadv.transforms.digital import CORRUPTIONS

CORRUPTIONS_HERE = pytest.mark.extras("imagecorruptions")


def texts(sweep: str) -> list[str]:
    return [str(transform) for transform in parse_sweep(sweep)]


def test_both_ends_are_included() -> None:
    assert texts("blur=0:4:9") == [f"blur={value:g}" for value in (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4)]
    assert texts("contrast=1.5:0.5:3") == ["contrast=1.5", "contrast=1", "contrast=0.5"]
    assert texts("blur=1:1:1") == ["blur=1"]
    assert texts(" noise = 0 : 0.3 : 4 ") == ["noise=0", "noise=0.1", "noise=0.2", "noise=0.3"]


def test_whole_numbers_are_rounded_and_each_comes_once() -> None:
    assert texts("jpeg=10:95:10") == [f"jpeg={q}" for q in (10, 19, 29, 38, 48, 57, 67, 76, 86, 95)]
    assert texts("jpeg=50:51:5") == ["jpeg=50", "jpeg=51"]


def test_viewpoints_are_a_grid() -> None:
    grid = texts("viewpoint=yaw:-60:60:3,distance:1:6:2")
    assert grid == [f"viewpoint=yaw:{yaw},distance:{far}" for yaw in (-60, 0, 60) for far in (1, 6)]
    assert texts("viewpoint=pitch:-10:10:2,distance:2") == [
        "viewpoint=yaw:0,distance:2,pitch:-10",
        "viewpoint=yaw:0,distance:2,pitch:10",
    ]


@CORRUPTIONS_HERE
def test_sets_by_name() -> None:
    kurakin = texts("kurakin")
    kinds = [text.partition("=")[0] for text in kurakin]
    assert list(dict.fromkeys(kinds)) == ["brightness", "contrast", "blur", "noise", "jpeg"]
    assert all(kinds.count(kind) >= 5 for kind in kinds)
    assert len(texts("viewpoint")) == 9 * 6
    assert texts("corruptions")[:5] == [f"imagenet-c/gaussian_noise={severity}" for severity in range(1, 6)]
    assert len(texts("corruptions")) == 15 * 5
    assert texts("all") == [*kurakin, *texts("viewpoint"), *texts("corruptions")]


@CORRUPTIONS_HERE
@pytest.mark.parametrize("name", SWEEPS)
def test_every_text_of_a_set_makes_the_same_transformation_again(name: str) -> None:
    for transform in parse_sweep(name):
        assert parse_transform(str(transform)) == transform


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "unknown sweep ''"),
        ("kurakn", "nearest: kurakin"),
        ("blurr=0:4:9", "nearest: blur"),
        ("blurr", "nearest: blur"),
        ("imagenet-c/fogg=1:5:5", "imagenet-c/fog"),
        ("kurakin=1:2:3", "unknown sweep 'kurakin'"),
        ("blur", "1 parts where three belong; wanted blur=START:STOP:COUNT"),
        ("blur=", "wanted blur=START:STOP:COUNT, gaussian sigma in pixels, 0 to 50"),
        ("blur=1", "1 parts"),
        ("blur=0:4", "2 parts"),
        ("blur=0:4:9:1", "4 parts"),
        ("blur=a:4:9", "'a' is no number"),
        ("blur=0::9", "'' is no number"),
        ("blur=nan:4:9", "'nan' is not finite"),
        ("blur=0:inf:9", "'inf' is not finite"),
        ("blur=0:4:0", "count '0'; wanted a whole number from 1 to 1000"),
        ("blur=0:4:-3", "count '-3'"),
        ("blur=0:4:2.5", "count '2.5'"),
        ("blur=0:4:many", "count 'many'"),
        ("blur=0:4:²", "count '²'"),
        ("blur=0:4:1000000000", "count '1000000000'"),
        ("blur=0:4:1", "one step from 0 to 4"),
        ("blur=-1:4:9", "out of range; wanted blur=NUMBER, gaussian sigma in pixels, 0 to 50"),
        ("jpeg=0:95:10", "1 to 100"),
        ("viewpoint=", "names no axis"),
        ("viewpoint=yaw", "0 parts where three belong"),
        ("viewpoint=yaw:", "'' is no number"),
        ("viewpoint=yaw:-60:60", "2 parts"),
        ("viewpoint=jaw:-60:60:9", "unknown axis of viewpoint 'jaw'; nearest: yaw"),
        ("viewpoint=yaw:-60:60:9,yaw:1:2:3", "names yaw twice"),
        ("viewpoint=yaw:-60:60:9,", "names no axis"),
        ("viewpoint=yaw:-89:89:3", "yaw is out of range; wanted -80 to 80, degrees"),
        ("viewpoint=distance:0:6:6", "distance is out of range; wanted 0.5 to 100"),
        ("viewpoint=yaw:-60:60:100,distance:1:6:100", "more than 1000 viewpoints"),
    ],
)
def test_a_bad_sweep_is_one_line_that_says_how(text: str, named: str) -> None:
    with pytest.raises(TransformError) as raised:
        parse_sweep(text)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("viewpoint", "names no axis; wanted viewpoint=AXIS:NUMBER"),
        ("viewpoint=yaw", "'' is no number; wanted viewpoint=AXIS:NUMBER"),
        ("viewpoint=30", "unknown axis of viewpoint '30'"),
        ("viewpoint=yaw:x", "'x' is no number"),
        ("viewpoint=yaw:1,yaw:2", "names yaw twice"),
        ("viewpoint=pich:1", "nearest: pitch"),
        ("viewpoint=yaw:nan", "'nan' is not finite"),
        ("imagenet-c/fog=6", "1 to 5"),
        ("imagenet-c/fog=1.5", "not whole"),
        ("imagenet-c/smog=1", "imagenet-c/fog"),
    ],
)
@CORRUPTIONS_HERE
def test_a_bad_transform_is_one_line_that_says_how(text: str, named: str) -> None:
    with pytest.raises(TransformError, match=named):
        parse_transform(text)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("physadv.transforms.digital.find_spec", lambda name: None)
    for asked in ("corruptions", "all", "imagenet-c/fog=1:5:5"):
        with pytest.raises(TransformError, match=r"pip install 'physadv\[corruptions\]'"):
            parse_sweep(asked)


@CORRUPTIONS_HERE
@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "glass_blur"])
def test_corruptions_are_8_bit_and_hang_on_their_seed_alone(name: str) -> None:
    images = torch.nn.functional.interpolate(
        torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)), (48, 40), mode="bilinear"
    )
    transform = parse_transform(f"imagenet-c/{name}=3")
    draw = transform.sample(2, torch.Generator().manual_seed(1))
    seen = transform.apply(images, draw)
    assert seen.shape == images.shape
    assert torch.equal((seen * 255).round() / 255, seen)
    assert not torch.equal(seen, images)
    torch.rand(3)
    assert torch.equal(transform.apply(images, draw), seen)
    alone = transform.apply(images[1:], {key: values[1:] for key, values in draw.items()})
    assert torch.equal(alone[0], seen[1])


@CORRUPTIONS_HERE
@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("name", ["zoom_blur", "brightness"])
def test_corruptions_computed_here_are_the_librarys(name: str, severity: int) -> None:
    from imagecorruptions import corrupt

    levels = torch.randint(256, (2, 3, 64, 97), generator=torch.Generator().manual_seed(severity))
    levels[0, :, :9, :9] = 0
    transform = parse_transform(f"imagenet-c/{name}={severity}")
    seen = transform.apply(levels / 255, transform.sample(2, torch.Generator())).mul(255).round()
    for image, found in zip(levels, seen, strict=True):
        pixels = image.permute(1, 2, 0).numpy().astype(np.uint8)
        wanted = torch.from_numpy(corrupt(pixels, severity, name)).permute(2, 0, 1)
        assert (found - wanted).abs().max() <= 1  # a whole level that came out just below itself is cut off
        assert (found != wanted).float().mean() < 0.3
        assert (found - wanted).mean() >= 0


@CORRUPTIONS_HERE
def test_a_corruption_leaves_numpys_generator_alone_and_refuses_tiny_images() -> None:
    transform = parse_transform("imagenet-c/gaussian_noise=1")
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.rand()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    transform.apply(torch.rand(1, 3, 32, 32), transform.sample(1, torch.Generator()))
    assert np.random.rand() == expected  # noqa: NPY002
    with pytest.raises(TransformError, match="wanted sides of 32 or more"):
        transform.apply(torch.rand(1, 3, 31, 64), transform.sample(1, torch.Generator()))


def test_viewpoints_at_known_places() -> None:
    """At distance 1 the picture fills the frame as it came; at 2 it is half as large, before grey."""
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    still, far = parse_transform("viewpoint=yaw:0,distance:1"), parse_transform("viewpoint=distance:2")
    draw = still.sample(1, torch.Generator())
    assert torch.allclose(still.apply(images, draw), images, atol=1e-5)
    seen = far.apply(torch.ones(1, 3, 64, 64), far.sample(1, torch.Generator()))
    assert torch.allclose(seen[..., 20:44, 20:44], torch.ones(()), atol=1e-5)
    assert torch.allclose(seen[..., :14, :], torch.tensor(0.5), atol=1e-5)
    assert torch.allclose(seen[..., 50:], torch.tensor(0.5), atol=1e-5)
    turned = parse_transform("viewpoint=yaw:60,distance:3")
    beside = turned.apply(torch.ones(1, 3, 64, 64), turned.sample(1, torch.Generator()))[0, 0] > 0.75
    assert beside[32].sum() == pytest.approx(beside[:, 32].sum() * 0.5, abs=2)
