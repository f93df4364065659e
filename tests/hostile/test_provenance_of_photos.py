"""Every photo says what took it, photos taken in several ways are told apart, and none is orphaned."""

import json
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from physadv.pipeline.made_by import MadeBy, parts_of
from physadv.pipeline.photograph import photograph_simulated
from physadv.runs import Capture, Printout

SHEET = "sheet-001-shot-1"


@pytest.fixture
def root(cropped_root, copy_of):
    """A run with one photo of preset office, cropped."""
    return copy_of(cropped_root)


@pytest.fixture
def several(
    root,
    physadv,
):
    """The same with another photo that counts as one of preset night, and one by a camera."""
    with Capture(root, "mine").store() as store:
        (photo,), crops = store.photos(), store.crops()
        for name, fields in (
            ("night.jpg", {"preset": "night", "seed": 3, "shot": 2}),
            (
                "real.jpg",
                {"preset": "real", "simulated": False, "camera": "Pixel 7", "seed": None, "shot": None},
            ),
        ):
            store.add_file(
                name,
                [(replace(photo, name=name, **fields), [replace(crop, photo=name) for crop in crops])],
            )
    return root


def measured(physadv, root, *options):
    answer = physadv("destruction-rate", "mine", "--json", "--root", root, *options)
    return json.loads(answer.out)


def test_the_store_holds_preset_seed_and_shot(root):
    with Capture(root, "mine").store() as store:
        (photo,) = store.photos()
    assert (photo.preset, photo.seed, photo.shot, photo.condition) == ("office", 0, 0, "office")


def test_a_photo_without_its_record_says_that_its_preset_is_not_known(physadv, root):
    shutil.rmtree(root / "captures" / "mine" / "truth")
    photos = root / "captures" / "mine" / "photos"
    (photos / f"{SHEET}.jpg").rename(photos / "sent.jpg")
    physadv("crop", "mine", "--quiet", "--root", root)
    with Capture(root, "mine").store() as store:
        (photo,) = store.photos()
    assert (photo.preset, photo.condition) == (None, "preset not recorded")


def test_a_store_of_before_is_read_and_completed_by_crop(physadv, root):
    with Capture(root, "mine").store() as store:
        (photo,), crops = store.photos(), store.crops()
        store.add_file(photo.file, [(replace(photo, preset=None, seed=None, shot=None), crops)])
    assert list(measured(physadv, root)["conditions"]) == ["preset not recorded"]
    physadv("crop", "mine", "--quiet", "--root", root)
    assert measured(physadv, root)["conditions"] == {"office": {"photos": 1, "seeds": [0]}}


def test_one_condition_is_one_channel(physadv, root):
    assert list(measured(physadv, root)["channels"]) == ["photo"]


def test_rates_are_given_per_condition_and_pooled_only_when_asked(physadv, several):
    found = measured(physadv, several)
    apart = ["photo: Pixel 7", "photo: night", "photo: office"]
    assert list(found["channels"]) == list(found["calibration"])[1:] == apart
    counts = [found["channels"][key]["rows"][0]["clean_after"]["n"] for key in apart]
    pooled = measured(physadv, several, "--pool")["channels"]
    assert list(pooled) == ["photo"]
    assert pooled["photo"]["rows"][0]["clean_after"]["n"] == sum(counts)
    assert counts == [5, 5, 5]


def test_the_page_names_every_condition_and_how_to_make_it_again(physadv, several):
    for option, how in (((), "are apart"), (("--pool",), "pool both")):
        answer = physadv("report", "mine", "--quiet", "--root", several, *option)
        assert answer.code == 0, answer.err
        page = (several / "captures" / "mine" / "report.html").read_text()
        assert f"the rates below {how}" in page
        for text in (
            "1 photo real; 1 photo with preset night, seed 3; 1 photo with preset office, seed 0",
            "physadv photograph mine --simulate --preset night --shots 3 --seed 3",
            "physadv photograph mine --simulate --shots 1",
        ):
            assert text in page
        assert ("physadv report mine --pool" in page) == bool(option)


def test_headlines_and_pairs_say_which_condition_they_are_of(physadv, several):
    assert physadv("report", "mine", "--quiet", "--root", several).code == 0
    page = (several / "captures" / "mine" / "report.html").read_text()
    for condition in ("Pixel 7", "night", "office"):
        assert page.count(f"Destruction rate, top-1, {condition}</dt>") == 1
        assert f"of 1 photo ({condition})" in page
    assert not [line for line in page.splitlines() if " of 3 photos" in line and "<dt>print</dt>" not in line]
    assert "adversarial photo, night" in page
    assert physadv("report", "mine", "--pool", "--quiet", "--root", several).code == 0
    page = (several / "captures" / "mine" / "report.html").read_text()
    assert page.count("Destruction rate, top-1</dt>") == 1
    assert " of 3 photos" in page


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_an_exported_answer_says_how_its_photo_was_taken(physadv, several, tmp_path, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    measured(physadv, several)
    path = tmp_path / f"answers.{form}"
    assert physadv("export", "mine", "--format", form, "--output", path, "-q", "--root", several).code == 0
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[form]
    rows = read(path).groupby(["condition", "simulated"], dropna=False)["photo_seed"].first().reset_index()
    found = {
        (row.condition, bool(row.simulated)): row.photo_seed
        for row in rows.dropna(subset="condition").itertuples()
    }
    assert found.keys() == {("Pixel 7", False), ("night", True), ("office", True)}
    assert (found["night", True], found["office", True]) == (3, 0)
    assert found["Pixel 7", False] != found["Pixel 7", False]


def test_runs_are_compared_by_the_conditions_that_both_have(physadv, several):
    for folder in ("printouts", "captures"):
        shutil.copytree(several / folder / "mine", several / folder / "other")
    manifest = several / "printouts" / "other" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"name": "mine"', '"name": "other"', 1))
    with Capture(several, "other").store() as store:
        store.add_file("night.jpg", [])
        store.add_file("real.jpg", [])

    def channels(*options):
        answer = physadv("compare", "mine", "other", "--json", "--root", several, *options)
        return list(dict.fromkeys(line["channel"] for line in json.loads(answer.out)["lines"]))

    assert channels() == ["none", "photo: office"]
    assert channels("--pool") == ["none", "photo"]
    said = physadv("compare", "mine", "other", "--quiet", "--root", several).out
    assert "photos made differently: mine photo (partly simulated): Pixel 7, night, office; other" in said
    # One preset each, and another one: as little alike as several.
    with Capture(several, "mine").store() as store:
        store.add_file(f"{SHEET}.jpg", [])
        store.add_file("real.jpg", [])
    assert channels() == ["none"]
    assert channels("--pool") == ["none", "photo"]
    said = physadv("compare", "mine", "other", "--quiet", "--root", several).out
    assert "no preset or camera is common to all; --pool compares them" in said


def test_another_preset_or_seed_is_kept_apart(root):
    capture, preset = Capture(root, "mine"), root / "tiny.toml"
    preset.write_text('base = "office"\n[phone]\nwidth = 378\nheight = 504\nfocal = 378\n')
    before = (capture.photos / f"{SHEET}.jpg").read_bytes()
    for seed, end in ((0, ""), (4, "-seed-4")):
        (photo,) = photograph_simulated(
            Printout(root, "mine"), capture, preset=preset, seed=seed, shots=1, workers=1
        )
        assert re.fullmatch(rf"{SHEET}-tiny.toml-[0-9a-f]{{6}}{end}.jpg", photo.name)
    assert len(list(capture.photos.iterdir())) == 3
    assert (capture.photos / f"{SHEET}.jpg").read_bytes() == before


def test_a_preset_file_is_known_by_its_numbers():
    one, other = ({"phone": {"blur": [low, 1.0]}} for low in (0.4, 0.5))
    names = [MadeBy("a/mine.toml", 0, ranges).condition for ranges in (one, other)]
    assert all(name.startswith("mine.toml#") for name in names)
    assert len(set(names)) == 2


def test_the_condition_of_a_photo_names_its_printer_and_can_be_read_back():
    ranges = {"phone": {"blur": [0.4, 1.0]}}
    for made_by, preset in (
        (MadeBy("office", 0), "office"),
        (MadeBy("a on b.toml", 0, ranges), "a on b.toml"),
        (MadeBy("a with b.toml", 0, ranges), "a with b.toml"),
    ):
        assert parts_of(made_by.condition) == (preset, None, None)
        printed = replace(made_by, printer="offset-uncoated-bpc")
        assert printed.condition != made_by.condition
        assert parts_of(printed.condition) == (preset, None, "offset-uncoated-bpc")
        taken = replace(printed, phone="like-jolla")
        assert parts_of(taken.condition) == (preset, "like-jolla", "offset-uncoated-bpc")
        assert parts_of(replace(made_by, phone="mine.toml").condition) == (preset, "mine.toml", None)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_photo_that_somebody_took_is_not_written_over(physadv, root, recorded):
    capture = Capture(root, "mine")
    photo = capture.photos / f"{SHEET}.jpg"
    photo.write_bytes(b"a photo of the user's own")
    if not recorded:
        (capture.truth / f"{SHEET}.json").unlink()
    error = physadv("photograph", "mine", "--simulate", "--shots", 1, "--root", root).error
    assert f"{photo}: not a photo that the virtual phone took; rename or move it" in error
    assert photo.read_bytes() == b"a photo of the user's own"


@pytest.mark.parametrize("options", [("--page", "letter"), ("--image-mm", "40")])
def test_sheets_that_were_photographed_are_not_printed_in_another_layout(physadv, root, options, contents):
    before = contents(root)
    error = physadv("print", "mine", *options, "--quiet", "--root", root).error
    capture = root / "captures" / "mine"
    assert f"{capture / 'photos'}: holds photos of the sheets as printed before" in error
    assert f"move {capture} away to print again, or keep page, size and colours" in error
    assert contents(root) == before
    assert physadv("print", "mine", "--quiet", "--root", root).code == 0
