"""Photos whose grey and colour bars tell of a cast, of darkness, of no colour, or contradict themselves."""

import json

import numpy as np
import pytest
from PIL import Image

from physadv.capture.light import to_linear, to_srgb
from physadv.runs import Capture, Printout
from physadv.runs.rows import CORRECTED_CROPS
from physadv.sheets import page_pixels

DPMM = 6
CROP = ("crop", "mine", "--workers", 1, "--quiet", "--root")


@pytest.fixture(scope="module")
def page(printed_root):
    """The one sheet of the run in linear light, seen from straight above."""
    return to_linear(page_pixels(Printout(printed_root, "mine").pdf, 0, DPMM) / 255)


@pytest.fixture
def root(printed_root, copy_of):
    return copy_of(printed_root)


def add_photo(root, name, light):
    photos = root / "captures" / "mine" / "photos"
    photos.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(to_srgb(light) * 255).astype(np.uint8)).save(photos / name)


def cropped(physadv, root, *options):
    answer = physadv(*CROP, root, *options)
    assert answer.code == 0
    with Capture(root, "mine").store() as store:
        return answer.out, store.photos(), store.crops()


def copies(root):
    return {path.name: path.read_bytes() for path in (root / "captures" / "mine" / CORRECTED_CROPS).glob("*")}


DARK, CAST = 0.03, np.array((0.8, 0.2, 0.03))


def test_both_rates_are_shown_of_photos_whose_bars_are_off_and_of_those_alone(physadv, root, page):
    for name, light in (("dark.png", DARK), ("cast.png", CAST), ("fine.png", 0.9)):
        add_photo(root, name, light * page)
    _, photos, crops = cropped(physadv, root)
    assert [(photo.name, photo.corrected) for photo in photos] == [
        ("cast.png", False),
        ("dark.png", False),
        ("fine.png", False),
    ]
    assert {crop.photo for crop in crops if crop.copy} == {"cast.png", "dark.png"}
    assert copies(root).keys() == {crop.path.rpartition("/")[2] for crop in crops if crop.copy}
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    for crop in crops:
        if crop.copy:
            source = printout.pixels(printout.manifest().example(crop.example)).astype(int)
            away, corrected = (np.abs(capture.pixels(row) - source).mean() for row in (crop, crop.copy))
            assert corrected < 0.5 * away

    measured = json.loads(physadv("destruction-rate", "mine", "--json", "--quiet", "--root", root).out)
    both = {
        channel: next(row for row in rows if (row["case"], row["top"]) == ("average", 1))
        for channel, rows in measured["by_bars"].items()
    }
    assert both.keys() == {"photo", "photo corrected"}
    assert {row["clean_after"]["n"] for row in both.values()} == {10}
    assert measured["channels"].keys() == {"photo"}
    sure = {channel: row["clean_confidence_after"]["value"] for channel, row in both.items()}
    assert sure["photo"] != sure["photo corrected"]
    said = physadv("destruction-rate", "mine", "--quiet", "--root", root).out
    assert "The bars of 2 of 3 photos are off" in " ".join(said.split())
    assert physadv("report", "mine", "--quiet", "--root", root).code == 0
    text = (root / "captures" / "mine" / "report.html").read_text()
    assert "The bars of 2 of 3 photos are off" in text
    assert "with colours corrected by the bars: clean images right" in text


def test_a_corrected_copy_that_was_lost_is_made_again_and_one_that_was_changed_is_not_judged(
    physadv, root, page
):
    add_photo(root, "dark.png", DARK * page)
    cropped(physadv, root)
    made = copies(root)
    name = min(made)
    (root / "captures" / "mine" / CORRECTED_CROPS / name).unlink()
    cropped(physadv, root)
    assert copies(root) == made
    (root / "captures" / "mine" / CORRECTED_CROPS / name).write_bytes(made[max(made)])
    error = physadv("destruction-rate", "mine", "--quiet", "--root", root).error
    assert f"{name}: not the crop that was cut" in error
    cropped(physadv, root, "--colour", "corrected")
    assert copies(root) == {}


def test_a_print_without_colour_is_said_at_crop_and_in_the_report(physadv, root, page):
    add_photo(root, "grey.png", 0.9 * np.repeat(page.mean(axis=2, keepdims=True), 3, axis=2))
    out, (photo,), _ = cropped(physadv, root)
    assert photo.chroma < 0.02
    assert "grey.png: sheet 1 has no colour (its bars keep" in out
    assert physadv("report", "mine", "--quiet", "--root", root).code == 0
    assert "1 of 1 photo have no colour" in (root / "captures" / "mine" / "report.html").read_text()


def test_a_correction_that_makes_held_out_patches_worse_is_not_applied(physadv, root, page, contents):
    """Every colour of the bars is printed up to 30 levels away, each in a way of its own."""
    (sheet,) = Printout(root, "mine").manifest().sheets
    page, rng = 0.98 * page, np.random.default_rng(0)
    away = {patch.rgb: rng.integers(-30, 31, 3) for patch in sheet.patches}
    for patch in sheet.patches:
        x, y, w, h = (round(value * DPMM) for value in patch.box_mm)
        page[y : y + h, x : x + w] = to_linear(np.clip(np.array(patch.rgb) + away[patch.rgb], 0, 250) / 255)
    add_photo(root, "apart.png", page)
    cropped(physadv, root)
    crops = root / "captures" / "mine" / "crops"
    photographed = contents(crops)
    out, (photo,), _ = cropped(physadv, root, "--colour", "corrected")
    assert (
        "apart.png: sheet 1 has its colours as photographed: by correction held-out patches get worse" in out
    )
    assert not photo.corrected
    assert contents(crops) == photographed
    assert not copies(root)
