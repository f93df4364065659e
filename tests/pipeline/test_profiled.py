"""A measured printer and phone where a preset may stand: attacks through it, examples judged through it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_profile import made_profile

from physadv.pipeline.measured_phone import MeasuredSensor
from physadv.pipeline.settings import GenerateSettings, SettingsError, resolve
from physadv.profiles import ProfileError, write_profile
from physadv.report.provenance import generate_command
from physadv.runs import Capture, Printout
from physadv.sheets import page_pixels
from physadv.study.file import StudyError, read_study


@pytest.fixture(scope="session")
def profile(made_once):
    folder = made_once("profile", lambda folder: write_profile(folder / "made.json", made_profile()))
    return folder / "made.json"


@pytest.fixture
def edited(tmp_path, profile):
    path = tmp_path / "edited.json"
    path.write_text(profile.read_text().replace('"sigma_px": 1.2', '"sigma_px": 0.6'))
    return path


def test_an_attack_through_a_profile_is_recorded_with_what_the_profile_rests_on(
    physadv, tmp_path, signs_csv, profile
):
    command = ["generate", signs_csv, "--attack", "bim", "--steps", 2, "--samples", 2, "--limit", 2]
    where = ["--name", "mine", "--root", tmp_path, "--quiet"]
    assert physadv(*command, "--profile", profile, *where).code == 0
    manifest = Printout(tmp_path, "mine").manifest()
    recorded = manifest.attack.parameters
    assert recorded["profile_checksum"] == made_profile().checksum
    assert (recorded["profile_name"], recorded["profile_photos"]) == ("made", "1")
    assert recorded["transforms"] is None
    assert all(adversarial.held_out.draws == 32 for _, adversarial in manifest.pairs())
    assert f"--profile {profile}" in generate_command(manifest)
    assert "--transforms" not in generate_command(manifest)
    # The run is one of the profile: with its preset it would be another.
    assert "holds a run with other settings" in physadv(*command, *where).error


def test_a_profile_stands_in_place_of_a_preset_and_not_beside_one(signs_csv, profile):
    settings = GenerateSettings(signs_csv, attack="eot", profile=profile)
    assert resolve(settings).distribution(224) == made_profile().distribution(image_px=224)
    with pytest.raises(SettingsError, match="wanted one of them"):
        resolve(GenerateSettings(signs_csv, transforms="print-photo", profile=profile))


@pytest.mark.parametrize(
    "command",
    [
        ("generate", "photos/", "--name", "mine", "--profile"),
        ("destruction-rate", "mine", "--profile"),
        ("report", "mine", "--profile"),
    ],
)
def test_a_profile_that_was_edited_is_refused_before_anything_is_loaded(
    physadv, generated_root, edited, command, monkeypatch
):
    monkeypatch.setattr("physadv.classifiers.load_classifier", lambda *a, **k: pytest.fail("loaded"))
    error = physadv(*command, edited, "--root", generated_root).error
    assert "edited.json: changed since it was measured" in error


def test_examples_are_judged_through_a_profile_beside_other_digital_channels(
    physadv, generated_root, copy_of, profile
):
    root = copy_of(generated_root)
    answer = physadv(
        *("destruction-rate", "mine", "--transform", "blur=1", "--profile", profile, "--seed", 3),
        *("--json", "--quiet", "--root", root),
    )
    measured = json.loads(answer.out)
    name = f"profile made#{made_profile().checksum[:6]}, 1 photo, 36 mm"
    assert measured["channels"].keys() == {"blur=1", name}
    with Capture(root, "mine").store() as store:
        seen = list(store.all_observations(Printout(root, "mine").manifest().code))
    assert sum(row.channel == name and row.seed == 3 for row in seen) == 10
    report = physadv("report", "mine", "--profile", profile, "--seed", 3, "--quiet", "--root", root)
    assert report.code == 0
    page = (root / "captures" / "mine" / "report.html").read_text()
    assert name in page
    assert f"--profile {profile}" in page


STUDY = """\
name = "small"
[images]
path = "labels.csv"
[models.bundled]
spec = "signs"
[[runs]]
models = ["bundled"]
attacks = ["eot"]
profile = "made.json"
transforms = ["blur=1"]
"""


def test_a_study_takes_a_profile_relative_to_its_data(tmp_path, profile):
    (tmp_path / "labels.csv").write_text("path,label\n")
    (tmp_path / "study.toml").write_text(STUDY)
    with pytest.raises(StudyError, match=r"runs 1, profile: 'made.json': not found"):
        read_study(tmp_path / "study.toml")
    (tmp_path / "made.json").write_bytes(profile.read_bytes())
    (run,) = read_study(tmp_path / "study.toml").runs
    assert run.settings.profile == tmp_path / "made.json"
    (tmp_path / "made.json").write_text("{}")
    with pytest.raises(StudyError, match=r"made.json: not a profile"):
        read_study(tmp_path / "study.toml")


def test_a_file_that_is_no_profile_is_named(signs_csv, tmp_path):
    with pytest.raises(ProfileError, match=r"gone\.json: No such file"):
        resolve(GenerateSettings(signs_csv, profile=tmp_path / "gone.json"))


def test_precompensation_changes_the_ink_and_neither_files_nor_manifest_nor_bars(
    physadv, generated_root, copy_of, profile
):
    root = copy_of(generated_root)
    printout = Printout(root, "mine")
    pictures, before = {}, printout.manifest()
    for options in ([], ["--precompensate", profile]):
        answer = physadv("print", "mine", *options, "--quiet", "--root", root)
        assert answer.code == 0
        page = page_pixels(printout.pdf, 0)
        (sheet,) = printout.manifest().sheets
        boxes = {cell.example: cell.box_mm for cell in sheet.cells} | {"bar": sheet.patches[-1].box_mm}
        pictures[bool(options)] = {
            name: page[
                round(10 * y + 5) : round(10 * (y + h) - 5), round(10 * x + 5) : round(10 * (x + w) - 5)
            ]
            for name, (x, y, w, h) in boxes.items()
        }
        assert ("ΔE2000" in answer.out) == bool(options)
    after = printout.manifest()
    assert after.examples == before.examples
    assert after.printed_code != before.printed_code
    record = after.precompensation
    assert record.profile_checksum == made_profile().checksum
    assert record.delta_e < record.delta_e_before / 2
    looks = made_profile().looks()
    for example in after.examples:
        plain, inverse = (pictures[which][example.id] for which in (False, True))
        seen = looks.apply(torch.from_numpy(inverse).permute(2, 0, 1)[None] / 255, {})[0].permute(1, 2, 0)
        within = (plain > 30).all(axis=2) & (plain < 225).all(axis=2)
        assert np.abs(255 * seen.numpy() - plain)[within].mean() < 3
    np.testing.assert_array_equal(pictures[False]["bar"], pictures[True]["bar"])
    refused = physadv("calibrate", "compare", "mine", "--profile", profile, "--root", root).error
    assert "was printed in other colours than its files have" in refused
    page = physadv("report", "mine", "--transform", "blur=1", "--quiet", "--root", root)
    assert page.code == 0
    text = (root / "captures" / "mine" / "report.html").read_text()
    assert f"--precompensate {profile}" in text
    assert "precompensated by" in text


def test_photos_of_a_print_are_not_taken_for_those_of_one_in_other_colours(
    physadv, printed_root, copy_of, profile
):
    root = copy_of(printed_root)
    photos = root / "captures" / "mine" / "photos"
    photos.mkdir(parents=True)
    (photos / "IMG_1.jpg").write_bytes(b"a photo")
    error = physadv("print", "mine", "--precompensate", profile, "--quiet", "--root", root).error
    assert "keep page, size and colours" in error


def test_what_a_profile_predicted_stands_beside_what_the_photos_showed(
    physadv, cropped_root, copy_of, profile
):
    root = copy_of(cropped_root)
    command = ("calibrate", "compare", "mine", "--profile", profile, "--draws", 4, "--quiet", "--root", root)
    found = json.loads(physadv(*command, "--json").out)
    assert (found["profile_name"], found["draws"], found["photos"], found["simulated_photos"]) == (
        *("made", 4),
        *(1, 1),
    )
    printout = Printout(root, "mine")
    manifest = printout.manifest()
    with Capture(root, "mine").store() as store:
        rows = list(store.all_observations(manifest.code))
    drawn = [row for row in rows if row.channel.startswith("profile made#")]
    assert len(drawn) == 4 * len(manifest.examples)
    pairs = [pair for pair in manifest.pairs() if pair[0].digital[0].label == pair[0].label]
    clean = found["predictions"]["clean stays right"]
    right = [row.labels[0] == pair[0].label for pair in pairs for row in drawn if row.example == pair[0].id]
    assert clean["brier"]["n"] == len(pairs)
    assert clean["reliability"]["confidence"]["value"] == pytest.approx(np.mean(right))
    assert found["predictions"].keys() == {"clean stays right", "adversarial stays wrong"}
    said = physadv(*command)
    assert said.code == 0
    assert "photo (simulated)" in " ".join(said.out.split())
    assert "Brier score" in said.out
    with Capture(root, "mine").store() as store:
        assert list(store.all_observations(manifest.code)) == rows


def test_comparing_asks_for_photos_and_refuses_what_it_cannot_use(
    physadv, printed_root, copy_of, profile, edited
):
    root = copy_of(printed_root)
    command = ("calibrate", "compare", "mine", "--quiet", "--root", root, "--profile")
    assert "no crops to compare with; run 'physadv crop mine'" in physadv(*command, profile).error
    assert "draws 0: wanted 1 or more" in physadv(*command, profile, "--draws", 0).error
    assert "edited.json: changed since" in physadv(*command, edited).error


def test_simulated_photos_have_the_colours_and_the_noise_of_a_profile(
    physadv, printed_root, copy_of, profile
):
    root = copy_of(printed_root)
    shoot = ("photograph", "mine", "--simulate", "--shots", 1, "--workers", 1, "--quiet", "--root", root)
    assert physadv(*shoot, "--profile", profile).code == 0
    assert physadv("crop", "mine", "--workers", 1, "--quiet", "--root", root).code == 0
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    with capture.store() as store:
        ((photo,), crops) = store.photos(), store.crops()
    assert photo.simulated
    assert photo.preset == f"office with made.json#{made_profile().checksum[:6]}"
    looks, manifest = made_profile().looks(), printout.manifest()
    away = []
    for crop in crops:
        meant = torch.from_numpy(printout.pixels(manifest.example(crop.example))).permute(2, 0, 1)[None] / 255
        seen = torch.from_numpy(capture.pixels(crop)).permute(2, 0, 1)[None] / 255
        away.append((looks.apply(meant, {}).mean(dim=(2, 3)) - seen.mean(dim=(2, 3))).abs().max())
    # The preset's lamp still falls off over the page.
    assert max(away) < 0.12
    (truth,) = (capture.folder / "truth").glob("*.json")
    assert json.loads(truth.read_text())["profile"]["checksum"] == made_profile().checksum
    taken = (capture.folder / "photos" / photo.name).read_bytes()
    assert physadv(*shoot, "--profile", profile).code == 0
    assert (capture.folder / "photos" / photo.name).read_bytes() == taken
    assert physadv("report", "mine", "--quiet", "--root", root).code == 0
    page = (root / "captures" / "mine" / "report.html").read_text()
    assert "--simulate --profile made.json" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--phone", "like-jolla"), "stands for printer and phone"),
        (("--printer", "offset-coated"), "stands for printer and phone"),
    ],
)
def test_a_profile_goes_with_no_phone_and_no_printer(physadv, printed_root, profile, options, said):
    command = ("photograph", "mine", "--root", printed_root, "--profile", profile)
    assert said in physadv(*command, "--simulate", *options).error
    assert "wanted --simulate with it" in physadv(*command).error


def test_the_measured_sensor_keeps_light_and_adds_the_noise_that_was_measured():
    curve = [2.0 + 0.25 * node for node in range(17)]
    profile = made_profile(noise={"curve": curve, "length_px": 1.0}, blur={"amount": 0.0})
    shot = SimpleNamespace(camera=SimpleNamespace(width=320, height=512), seed=3)
    sensor = MeasuredSensor(shot, profile)
    for top in (0, 256):
        sensor.expose(top, torch.full((3, 256, 320), 0.2159))
    levels = sensor.read_out().astype(float)
    # 0.2159 of white's light is level 128, the ninth of 17 nodes.
    assert levels.mean() == pytest.approx(128, abs=0.1)
    assert levels.std() == pytest.approx(4.0, rel=0.05)
    beside = np.corrcoef(levels[:, :-1].ravel(), levels[:, 1:].ravel())[0, 1]
    # White noise spread over a gaussian of one pixel: exp(-1/4).
    assert beside == pytest.approx(np.exp(-0.25), abs=0.03)
