from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.classifiers import load_classifier
from physadv.defences import measure
from physadv.keeping import Kept
from physadv.signs.training import harden as hardening
from physadv.signs.training.data import STOP, read_test


@pytest.fixture(autouse=True)
def _few_drawings_and_steps(monkeypatch, tmp_path):
    """Draws few signs and measures by few steps, since more take longer than training, in a new folder."""
    monkeypatch.setattr(hardening, "DRAWN", 8)
    monkeypatch.setattr(hardening, "JUDGE", replace(hardening.JUDGE, steps=2))
    monkeypatch.chdir(tmp_path)


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


@pytest.mark.long
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
    written = sorted(path.suffix for path in tmp_path.iterdir() if path.suffix != ".lock")
    assert written == [".md"] * 3 + [".safetensors"] * 3
    classifier = load_classifier(f"signs@{first}")
    right = measure(classifier, *read_test(small_data)).right
    assert f"{right} of 20" in said
    card = first.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| GTSRB test images | {right} of 20" in card
    assert "`physadv harden --model signs --data DATA --epochs 1" in card
    assert "eps 2" in other.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.long
def test_interrupted_training_goes_on_to_the_same_weights(physadv, small_data, tmp_path, monkeypatch):
    given = ("harden", "--data", small_data, "--epochs", 2, "--steps", 1, "--quiet", "--out")
    physadv(*given, tmp_path / "whole.safetensors")
    save = Kept.save

    def save_and_stop(kept, state):
        save(kept, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(Kept, "save", save_and_stop)
    out = tmp_path / "parts.safetensors"
    assert physadv(*given, out).code == 130
    assert not out.exists()
    monkeypatch.setattr(Kept, "save", save)
    out.with_suffix(".md").write_text("a card of other weights")
    with monkeypatch.context() as before_the_card:
        before_the_card.setattr(hardening, "model_card", save_and_stop)
        before_the_card.setattr(Kept, "forget", None)
        assert physadv(*given, out).code != 0
    assert out.exists()
    assert not out.with_suffix(".md").exists()
    monkeypatch.setattr(Kept, "save", None)  # both epochs are done
    assert physadv(*given, out).code == 0

    assert out.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert {path.suffix for path in tmp_path.glob(".*")} == {".lock"}


def test_damaged_checkpoint_is_named(physadv, small_data, tmp_path, monkeypatch):
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no checkpoint")
    monkeypatch.setattr(hardening, "Kept", lambda path, fingerprint: Kept(damaged))
    line = physadv("harden", "--data", small_data, "--quiet", "--out", tmp_path / "a.safetensors").error
    assert str(damaged) in line
    assert "delete it" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--epochs", 0), "epochs 0: wanted 1 or more"),
        (("--steps", 0), "steps 0: wanted 1 or more"),
        (("--eps", 300), "eps 300: wanted 8-bit levels, 0 to 255"),
        (("--stickered", 0, "--shared", 0), "stickered 0: wanted more than 0 where no stickers are shared"),
        (("--stickered", 0.9), "stickered 0.9: wanted a share of the batch, 0 to 0.5"),
        (("--stickered", 0.5, "--eps", 4), "stickered 0.5: wanted a share of the batch, 0 to 0.2"),
        (("--shared", 0.8), "shared 0.8: wanted a share of the batch, 0 to 0.7"),
        (("--protect", "stopp"), "stop"),
        (("--focus", 2), "focus 2: wanted a share, 0 to 1"),
        (("--drawn", -1), "drawn -1: wanted a share, 0 to 1"),
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
        few = {name: array[:20].copy() for name, array in arrays.items()}
    victims = tmp_path / "traffic" / "rp2" / "victims"
    victims.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(victims / "a.png")
    given = ("harden", "--data", tmp_path, "--quiet", "--out", tmp_path / "a.safetensors")
    few["train_labels"][few["train_labels"] == STOP] = 0
    np.savez(tmp_path / "traffic" / "gtsrb32.npz", **few)
    assert physadv(*given).error == f"error: class 'stop' has no training images in {tmp_path}"
    few["train_labels"][0] = STOP
    np.savez(tmp_path / "traffic" / "gtsrb32.npz", **few)
    line = physadv(*given).error
    assert line == "error: 20 images to learn from; wanted 128 or more"
