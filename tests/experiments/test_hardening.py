from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.attacks import Placement, square
from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.sign_training import STOP, Measured, Signs, measure, read_test
from physadv.classifiers.signs import HARDENED_WEIGHTS, WEIGHTS, load_signs
from physadv.evaluation.intervals import proportion
from physadv.experiments.drawn_signs import draw_demo_set
from physadv.experiments.hardening.__main__ import main as study_main
from physadv.experiments.hardening.inner_attacks import SHAPES, TEXELS, Mixture, NoiseAttack, StickerAttack
from physadv.experiments.hardening.page import page
from physadv.experiments.hardening.settings import HardenError
from physadv.experiments.hardening.stop_signs import AIMS, Effort, stop_sign_shares
from physadv.experiments.hardening.study import Extent, Findings, study
from physadv.experiments.hardening.trials import WORST_STICKERS, Trial, stickers
from physadv.stages.masking import MaskingCheck
from physadv.transforms.geometry import apply_homography

TENTH = StickerAttack(Placement((0.1, 0.1), 45.0))


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network():
    return load_signs().network


@pytest.fixture
def images():
    return torch.rand(8, 3, 32, 32, generator=random()), torch.arange(8)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """Data of the layout that `harden` reads: noise with labels, and one "photo"."""
    folder = tmp_path_factory.mktemp("data") / "traffic"
    victims = folder / "rp2" / "victims"
    victims.mkdir(parents=True)
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (160, 32, 32, 3), dtype=np.uint8)
    labels = draws.integers(0, 43, 160)
    np.savez(
        folder / "gtsrb32.npz",
        train_images=pixels,
        train_labels=labels,
        train_tracks=np.zeros((160, 2), dtype=np.int64),
        test_images=pixels[:20],
        test_labels=labels[:20],
    )
    Image.fromarray(pixels[0]).save(victims / "a.png")
    return folder.parent


@pytest.mark.parametrize("shape", SHAPES, ids=["square", "disc", "bars"])
def test_sticker_views_cover_the_share_asked_for_inside_the_frame(shape):
    alpha = shape(TEXELS)
    views = StickerAttack(Placement((0.05, 0.05), 45.0)).views(50, alpha, (32, 32), random())

    # A similarity of determinant s² makes s² pixels of a texel.
    covered = torch.linalg.det(views) * float(alpha.sum())
    torch.testing.assert_close(covered, torch.full_like(covered, 0.05 * 32 * 32))
    places = alpha.nonzero().flip(1).double()
    seen = apply_homography(views, places)
    assert bool(((seen >= -0.5) & (seen <= 31.5)).all())


def test_stickers_raise_the_loss_and_leave_the_rest_of_the_image(network, images):
    pictures, labels = images
    loss = torch.nn.functional.cross_entropy
    worn = TENTH(network, pictures, labels, random(), square)

    changed = ((worn - pictures).abs().amax(dim=1) > 1e-6).float().mean(dim=(1, 2))
    assert bool((changed > 0.08).all())
    assert bool((changed < 0.16).all())  # a tenth and the pixels its edge runs through
    assert float(worn.min()) >= 0
    assert float(worn.max()) <= 1
    assert float(loss(network(worn), labels)) > float(loss(network(pictures), labels)) + 1


def test_the_worst_of_more_places_hurts_more(network, images):
    pictures, labels = images

    def loss(places):
        unmoved = StickerAttack(Placement((0.1, 0.1)), steps=1, places=places, size=0)
        worn = unmoved(network, pictures, labels, random(), square)
        return float(torch.nn.functional.cross_entropy(network(worn), labels))

    assert loss(12) > loss(1)


def test_noise_keeps_to_its_budget_in_whole_levels(network, images):
    pictures, labels = images
    levels = NoiseAttack(4)(network, pictures, labels, random()) * 255
    torch.testing.assert_close(levels, levels.round())
    assert float((levels - (pictures * 255).round()).abs().max()) == pytest.approx(4)


def test_a_batch_is_part_stickers_part_noise_and_the_rest_as_it_is(network, images):
    pictures, labels = images
    before = {name: value.clone() for name, value in network.state_dict().items()}

    mixed = Mixture(TENTH, 0.5, NoiseAttack(2), 0.25)(network, pictures, labels, random())

    assert network.training
    network.eval()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    furthest = (mixed - pictures).abs().amax(dim=(1, 2, 3))
    assert bool((furthest[:4] > 0.1).all())
    assert bool((furthest[4:6] < 2.6 / 255).all())
    assert bool((furthest[4:6] > 1 / 255).all())
    assert bool((furthest[6:] == 0).all())
    assert not mixed.requires_grad


def test_hardened_weights_are_a_classifier_and_the_same_seed_gives_the_same(physadv, small_data, tmp_path):
    def trained(name, *options):
        out = tmp_path / name
        given = ("--epochs", 1, "--steps", 1, "--out", out, "--quiet", *options)
        answer = physadv("harden", "--data", small_data, *given)
        assert answer.code == 0, answer.err
        assert answer.err == ""
        return out, answer.out

    first, said = trained("a.safetensors")
    again, _ = trained("b.safetensors")
    other, _ = trained("c.safetensors", "--seed", 1, "--eps", 2)

    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".md"] * 3 + [".safetensors"] * 3
    classifier = load_classifier(f"signs@{first}")
    right = measure(classifier, read_test(small_data)).right
    assert f"{right} of 20" in said
    card = first.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| GTSRB test images | {right} of 20" in card
    assert "`physadv harden --model signs --data DATA --epochs 1" in card
    assert "eps 2" in other.with_suffix(".md").read_text(encoding="utf-8")


def test_interrupted_training_goes_on_to_the_same_weights(physadv, small_data, tmp_path, monkeypatch):
    from physadv.classifiers import sign_training

    given = ("harden", "--data", small_data, "--epochs", 2, "--steps", 1, "--quiet", "--out")
    physadv(*given, tmp_path / "whole.safetensors")
    keep = sign_training._keep

    def keep_and_stop(*arguments):
        keep(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(sign_training, "_keep", keep_and_stop)
    out = tmp_path / "parts.safetensors"
    assert physadv(*given, out).code == 130
    assert not out.exists()
    monkeypatch.setattr(sign_training, "_keep", keep)
    assert physadv(*given, out).code == 0

    assert out.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_damaged_checkpoint_is_named(physadv, small_data, tmp_path, monkeypatch):
    from physadv.experiments.hardening import harden

    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no checkpoint")
    monkeypatch.setattr(harden, "_checkpoint", lambda settings, out: damaged)
    line = physadv("harden", "--data", small_data, "--quiet", "--out", tmp_path / "a.safetensors").error
    assert str(damaged) in line
    assert "delete it" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--epochs", 0), "epochs 0: wanted 1 or more"),
        (("--steps", 0), "steps 0: wanted 1 or more"),
        (("--eps", 300), "eps 300: wanted 8-bit levels, 0 to 255"),
        (("--stickered", 0), "stickered 0: wanted a share of the batch, 0.01 to 1"),
        (("--stickered", 0.9, "--eps", 4), "stickered 0.9: wanted a share of the batch, 0.01 to 0.7"),
        (("--area", 0.5, 0.2), "patch area 0.5 to 0.2"),
        (("--model", "sings"), "unknown model 'sings'; nearest: signs"),
        (("--model", "signs@absent.safetensors"), "absent.safetensors: no such weights file"),
        (("--out", "weights.pt"), "weights.pt: wanted the name of a .safetensors file"),
    ],
)
def test_bad_settings_are_one_line(physadv, small_data, options, said):
    assert said in physadv("harden", "--data", small_data, "--quiet", *options).error


def test_other_architectures_are_refused(physadv, small_data, tmp_path):
    import torchvision

    path = tmp_path / "own.pt"
    torch.save(torchvision.models.squeezenet1_1(num_classes=43).state_dict(), path)
    line = physadv("harden", "--data", small_data, "--model", f"torchvision/squeezenet1_1@{path}").error
    assert "is not of the bundled architecture; wanted signs" in line


def test_weights_of_another_network_are_refused(physadv, small_data, tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    line = physadv("harden", "--data", small_data, "--model", f"signs@{path}").error
    assert "does not fit the sign classifier" in line


def test_data_that_are_not_there_are_one_line(physadv, small_data, tmp_path):
    assert (
        f"{tmp_path / 'traffic' / 'gtsrb32.npz'}: no such file" in physadv("harden", "--data", tmp_path).error
    )
    traffic = tmp_path / "traffic"
    traffic.mkdir()
    (traffic / "gtsrb32.npz").write_bytes(b"no archive")
    assert "gtsrb32.npz is damaged" in physadv("harden", "--data", tmp_path).error
    np.savez(traffic / "gtsrb32.npz", train_images=np.zeros(3))
    assert "holds no train_images, train_labels" in physadv("harden", "--data", tmp_path).error
    (traffic / "gtsrb32.npz").write_bytes((small_data / "traffic" / "gtsrb32.npz").read_bytes())
    assert "no photos of stop signs" in physadv("harden", "--data", tmp_path).error
    victims = traffic / "rp2" / "victims"
    victims.mkdir(parents=True)
    (victims / "a.png").write_bytes(b"no picture")
    assert "a.png" in physadv("harden", "--data", tmp_path).error
    Image.new("RGB", (32, 32)).save(victims / "a.png")
    Image.new("RGB", (32, 48)).save(victims / "b.png")
    assert "photos of 2 sizes; wanted all of one" in physadv("harden", "--data", tmp_path).error


def test_arrays_that_are_no_signs_are_refused(physadv, small_data, tmp_path):
    with np.load(small_data / "traffic" / "gtsrb32.npz") as arrays:
        signs = dict(arrays)
    (tmp_path / "traffic").mkdir()
    for name, wrong, said in (
        ("train_images", signs["train_images"] / 255, "float64; wanted (N, H, W, 3), uint8"),
        ("train_images", signs["train_images"][..., 0], "images (160, 32, 32), uint8; wanted"),
        ("train_labels", signs["train_labels"][:5], "labels (5,); wanted one of 0 to 42"),
        ("train_labels", signs["train_labels"] + 43, "wanted one of 0 to 42"),
    ):
        np.savez(tmp_path / "traffic" / "gtsrb32.npz", **{**signs, name: wrong})
        assert said in physadv("harden", "--data", tmp_path).error


def test_too_few_signs_are_refused(physadv, small_data, tmp_path):
    with np.load(small_data / "traffic" / "gtsrb32.npz") as arrays:
        few = {name: array[:20] for name, array in arrays.items()}
    victims = tmp_path / "traffic" / "rp2" / "victims"
    victims.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(victims / "a.png")
    np.savez(tmp_path / "traffic" / "gtsrb32.npz", **few)
    line = physadv("harden", "--data", tmp_path, "--quiet", "--out", tmp_path / "a.safetensors").error
    assert line == "error: 20 signs to learn from; wanted 128 or more"


def test_bundled_hardened_classifier_costs_little_and_halves_what_stickers_do(shared_data):
    test = read_test(shared_data)
    some, labels = test.images[::50].float() / 255, test.labels[::50]
    right, fooled = {}, {}
    for spec in ("signs", "signs-hardened"):
        classifier = load_classifier(spec)
        trial = Trial("20 steps at a random place", partial(stickers, steps=20))
        known = classifier(some).argmax(dim=1) == labels
        fooled[spec] = trial.fooled(classifier, some[known], labels[known]).value
        right[spec] = measure(classifier, test).right
    assert right["signs"] - right["signs-hardened"] <= 0.03 * len(test.labels)
    assert fooled["signs-hardened"] <= fooled["signs"] / 2


def test_card_of_the_hardened_weights_is_of_that_file():
    card = HARDENED_WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| file size | {HARDENED_WEIGHTS.stat().st_size:,} bytes |" in card
    assert HARDENED_WEIGHTS.stat().st_size <= 2_500_000
    assert HARDENED_WEIGHTS.read_bytes() != WEIGHTS.read_bytes()


@pytest.fixture(scope="module")
def drawn_stop_signs():
    """Six drawn signs that the bundled classifier calls stop, 64 pixels a side."""
    drawn = [pixels for label, pixels in draw_demo_set(43, size=64, seed=0) if label == "stop"]
    pixels = torch.from_numpy(np.stack([drawn[0]] * 6)).permute(0, 3, 1, 2)
    return Signs(pixels, torch.full((6,), STOP))


def test_shared_stickers_are_judged_on_photos_they_were_not_made_on(drawn_stop_signs):
    effort = Effort(steps=30, samples=2, draws=4)
    shares = stop_sign_shares(load_signs(), drawn_stop_signs, effort)

    assert shares["clean, not called stop"].n == 12  # three held-out photos, four views each
    assert shares["optimised, not called stop"].value > shares["random, not called stop"].value
    assert shares["optimised, called speed limit 50"].n == 12
    assert stop_sign_shares(load_signs(), drawn_stop_signs, effort) == shares


def test_a_trial_counts_what_it_turned_wrong(network, images):
    pictures, _ = images
    classifier = load_signs()
    own = classifier(pictures).argmax(dim=1)

    nothing = Trial("nothing", lambda classifier, images, labels: images)
    shuffled = Trial("other images", lambda classifier, images, labels: images.flip(0), most=4)

    assert nothing.fooled(classifier, pictures, own).value == 0
    found = shuffled.fooled(classifier, pictures, own)
    assert found.n == 4
    assert found.value == float((own[:4].flip(0) != own[:4]).float().mean())


def findings(spec, right, fooled):
    """Findings in which every share is the same."""
    share = proportion([1] * fooled + [0] * (10 - fooled), [1] * 10)
    return Findings(
        spec=spec,
        test=Measured(right, 1000),
        victims=Measured(40, 40),
        fooled={WORST_STICKERS: share, "L2 noise, radius 1": share},
        stop_signs={f"optimised, {aim}": share for aim in AIMS},
        masking=MaskingCheck(
            classifier=spec,
            eps=4,
            attacks={"one step": share},
            iterative={1: share},
            unbounded={1: share},
            wrong_before=0,
            queries=1,
            signs=[],
            verdict="no sign",
        ),
    )


def test_page_says_what_holds():
    text = page(findings("one", 990, 8), findings("other", 970, 4))
    assert "| GTSRB test images right | 990 of 1000 (99.00 %) | 970 of 1000 (97.00 %) |" in text
    assert "- **holds**: clean accuracy: 990 of 1000 (99.00 %) before, 970 of 1000 (97.00 %) after" in text
    assert text.count("- **holds**") == 5
    worse = page(findings("one", 990, 8), findings("other", 950, 9))
    assert "- **does not hold**: clean accuracy" in worse
    assert "- **does not hold**: L2 noise, radius 1: 80.0 % before, 90.0 % after, wanted no more" in worse
    assert worse.count("- **does not hold**") == 5


def test_study_refuses_data_and_classifiers_it_cannot_use(tmp_path, capsys):
    with pytest.raises(SystemExit):
        study_main([str(tmp_path), "--quick"])
    assert "gtsrb32.npz: no such file" in capsys.readouterr().err
    with pytest.raises(HardenError, match="other classes"):
        study(Classifier(load_signs().network, ["a"], "strange"), tmp_path, Extent())
