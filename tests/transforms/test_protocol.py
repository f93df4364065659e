import pytest
import torch

from physadv.transforms import (
    DIGITAL_TRANSFORMS,
    PRESETS,
    TransformError,
    compose,
    identity,
    load_preset,
    parse_transform,
)

TEXTS = ["brightness=30", "brightness=-12.5", "contrast=1.5", "blur=2", "noise=10", "jpeg=75"]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, 16, 20, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("text", TEXTS)
def test_text_names_the_transform_and_the_transform_gives_the_text(text):
    transform = parse_transform(text)

    assert str(transform) == text
    assert str(parse_transform(f" {text} ")) == text
    assert transform.name in DIGITAL_TRANSFORMS


@pytest.mark.parametrize("text", TEXTS)
def test_result_stays_in_range_and_shape(text, images):
    transform = parse_transform(text)

    result = transform.apply(images, transform.sample(4, torch.Generator().manual_seed(1)))

    assert result.shape == images.shape
    assert result.dtype == images.dtype
    assert result.min() >= 0
    assert result.max() <= 1
    assert not torch.equal(result, images)


@pytest.mark.parametrize("text", TEXTS)
def test_same_seed_same_bytes_and_a_stored_draw_replays(text, images, tmp_path):
    transform = parse_transform(text)
    draw = transform.sample(4, torch.Generator().manual_seed(1))
    torch.save(draw, tmp_path / "draw.pt")

    first = transform.apply(images, draw)
    again = transform.apply(images, transform.sample(4, torch.Generator().manual_seed(1)))
    replayed = transform.apply(images, torch.load(tmp_path / "draw.pt", weights_only=True))
    sliced = transform.apply(images[2:], {name: values[2:] for name, values in draw.items()})

    assert torch.equal(first, again)
    assert torch.equal(first, replayed)
    assert torch.equal(first[2:], sliced)


def test_units_are_8_bit_levels():
    grey = torch.full((1, 3, 2, 2), 100 / 255)
    brighter = parse_transform("brightness=30")

    result = brighter.apply(grey, brighter.sample(1, torch.Generator()))

    torch.testing.assert_close(result * 255, torch.full((1, 3, 2, 2), 130.0))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("brightnes=3", "unknown transform 'brightnes'; nearest: brightness"),
        ("blur", "transform 'blur': '' is no number; wanted blur=NUMBER, gaussian sigma in pixels, 0 to 50"),
        ("blur=", "transform 'blur=': '' is no number"),
        ("noise=ten", "'ten' is no number"),
        ("noise=-1", "transform 'noise=-1' is out of range"),
        ("contrast=nan", "is not finite"),
        ("jpeg=0", "out of range; wanted jpeg=NUMBER, libjpeg quality, 4:2:0, 1 to 100"),
        ("jpeg=75.5", "is not whole"),
    ],
)
def test_bad_text_is_one_clear_line(text, line):
    with pytest.raises(TransformError) as caught:
        parse_transform(text)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_composition_is_one_after_another_and_replays(images):
    brightness, contrast = parse_transform("brightness=40"), parse_transform("contrast=2")
    both = compose(brightness, contrast)
    draw = both.sample(4, torch.Generator().manual_seed(2))

    expected = contrast.apply(
        brightness.apply(images, brightness.sample(4, torch.Generator())),
        contrast.sample(4, torch.Generator()),
    )

    assert torch.equal(both.apply(images, draw), expected)
    assert all(len(values) == 4 for values in draw.values())


def test_composition_draws_its_parts_independently(images):
    twice = compose(parse_transform("noise=20"), parse_transform("noise=20"))
    grey = torch.full((1, 3, 64, 64), 0.5)

    noisy = twice.apply(grey, twice.sample(1, torch.Generator().manual_seed(0)))

    torch.testing.assert_close((noisy - grey).std() * 255, torch.tensor(20 * 2**0.5), rtol=0.03, atol=0)


def test_identity_leaves_images_and_generator_alone(images):
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()

    assert torch.equal(identity.apply(images, identity.sample(4, generator)), images)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_cites_a_source_and_makes_a_distribution(name, images):
    distribution = load_preset(name)

    assert PRESETS[name].source
    assert distribution.apply(images, distribution.sample(4, torch.Generator())).shape[:2] == (4, 3)


def test_unknown_preset_names_the_nearest():
    with pytest.raises(TransformError, match="unknown preset 'identiti'; nearest: identity"):
        load_preset("identiti")
