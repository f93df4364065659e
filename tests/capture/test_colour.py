"""A page as it is printed, seen straight from above in light and through a camera known to the last digit."""

import cv2
import numpy as np
import pytest
from capture_scene import Pixels, Scene, picture
from numpy.typing import NDArray

from physadv.capture.colour import Correction, fit_correction, read_bars
from physadv.capture.crop_photo import crop_photo
from physadv.capture.light import fit_flat_field, to_linear, to_srgb
from physadv.capture.reading import CaptureError
from physadv.sheets import Sheet, page_pixels
from physadv.sheets.layout import PATCH_COLOURS

Points = NDArray[np.float64]
DPMM = 6
MIX = np.array([(0.86, 0.1, 0.04), (0.06, 0.88, 0.06), (0.02, 0.12, 0.86)])


def to_photo(places_mm: Points) -> Points:
    return places_mm * DPMM - 0.5


@pytest.fixture(scope="module")
def page(sheet_pdf) -> Points:
    """The printed page in linear light (H, W, 3)."""
    _, pdf = sheet_pdf
    return to_linear(page_pixels(pdf, 0, DPMM) / 255)


@pytest.fixture(scope="module")
def sheet(sheet_pdf) -> Sheet:
    return sheet_pdf[0]


def expose(light: Points) -> Pixels:
    """What a camera with an sRGB curve makes of linear light."""
    return np.round(to_srgb(light) * 255).astype(np.uint8)


def correction_of(photo: Pixels, sheet: Sheet, top: int = 0) -> Correction:
    """Of a photo whose upper edge is so many pixels below the page's."""

    def seen_at(places_mm: Points) -> Points:
        return to_photo(places_mm) - (0, top)

    return fit_correction(read_bars(photo, sheet, seen_at), fit_flat_field(photo, sheet, seen_at))


def with_patches_apart(page: Points, sheet: Sheet, dpmm: int) -> Points:
    """The page with every colour of its bars printed up to 30 levels away, in both bars alike."""
    page, rng = page.copy(), np.random.default_rng(0)
    away = {colour: rng.integers(-30, 31, 3) for colour in PATCH_COLOURS}
    for patch in sheet.patches:
        x, y, w, h = (round(value * dpmm) for value in patch.box_mm)
        page[y : y + h, x : x + w] = to_linear(np.clip(np.array(patch.rgb) + away[patch.rgb], 0, 255) / 255)
    return page


def lamp(page: Points, gains: tuple[float, float, float] = (0.9, 0.8, 0.55), falloff: float = 0.3) -> Points:
    """Coloured light that falls off across the page, exponentially so that the flat field can be exact."""
    height, width = page.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return page * np.exp(-falloff * (0.7 * x + y + 0.4 * x * y))[..., None] * gains * np.exp(-falloff)


def test_srgb_levels_and_linear_light_are_each_others_inverse() -> None:
    levels = np.arange(256) / 255
    np.testing.assert_allclose(to_srgb(to_linear(levels)), levels, atol=1e-12)
    # IEC 61966-2-1: level 188 is half of the light of white, to the nearest level.
    assert round(255 * float(to_srgb(np.array(0.5)))) == 188


def test_exposure_and_white_balance_are_read_in_stops_and_ratios(page: Points, sheet: Sheet) -> None:
    gains = np.array([0.6, 0.5, 0.4])
    bars = read_bars(expose(page * gains), sheet, to_photo)
    assert len(bars.true) == 2 * len(PATCH_COLOURS)
    seen = bars.exposure()
    assert seen is not None
    assert seen.stops == pytest.approx(-1.0, abs=0.02)
    assert seen.red == pytest.approx(1.2, rel=0.02)
    assert seen.blue == pytest.approx(0.8, rel=0.02)


def test_burnt_patches_and_those_outside_the_photo_are_not_read(page: Points, sheet: Sheet) -> None:
    burnt = read_bars(expose(3 * page), sheet, to_photo)
    greys = {round(255 * float(level)) for level in to_srgb(burnt.true[np.ptp(burnt.true, axis=1) == 0, 0])}
    # Three times the light of level 146 is within white, of level 182 beyond it.
    assert greys == {0, 36, 73, 109, 146}
    seen = burnt.exposure()
    assert seen is not None
    assert seen.stops == pytest.approx(np.log2(3), abs=0.02)
    top_half = expose(0.9 * page[: len(page) // 2])
    assert len(read_bars(top_half, sheet, to_photo).true) == len(PATCH_COLOURS)
    nothing = read_bars(top_half[400:500], sheet, to_photo)
    assert len(nothing.true) == 0
    assert nothing.exposure() is None


def test_the_flat_field_is_the_light_on_the_paper(page: Points, sheet: Sheet) -> None:
    gains = (0.9, 0.8, 0.55)
    field = fit_flat_field(expose(lamp(page, gains)), sheet, to_photo)
    places = np.array([(105.0, 148.5), (20.0, 20.0), (190.0, 280.0), (20.0, 280.0)])
    truth = lamp(np.ones_like(page), gains)
    rows, columns = np.round(to_photo(places)).astype(int).T[::-1]
    np.testing.assert_allclose(field(places), truth[rows, columns], rtol=0.01)


def test_a_thumb_on_the_paper_is_left_out_of_the_flat_field(page: Points, sheet: Sheet) -> None:
    light = lamp(page)
    straight = fit_flat_field(expose(light), sheet, to_photo)
    cv2.circle(light, (0, 900), 250, (0.4, 0.2, 0.15), -1)
    covered = fit_flat_field(expose(light), sheet, to_photo)
    places = np.array([(105.0, 148.5), (60.0, 100.0), (190.0, 280.0)])
    np.testing.assert_allclose(covered(places), straight(places), rtol=0.02)


def test_what_is_known_to_have_been_done_is_undone(page: Points, sheet: Sheet) -> None:
    """Coloured uneven light, channels that mix, and a raised black level, all at once."""
    photo = expose(lamp(0.97 * page @ MIX.T + 0.03))
    correction = correction_of(photo, sheet)
    assert len(correction.delta_e) == len(correction.delta_e_before) == 2 * len(PATCH_COLOURS)
    assert correction.delta_e_before.mean() > 8
    assert correction.delta_e.mean() < 1.5
    np.testing.assert_allclose(correction.matrix, np.linalg.inv(MIX), atol=0.03)
    for cell in sheet.cells[::5]:
        x, y, w, h = (round(value * DPMM) for value in cell.box_mm)
        crop, truth = photo[y : y + h, x : x + w], expose(page[y : y + h, x : x + w])
        corrected = correction.apply(crop, cell.box_mm)
        assert corrected.dtype == np.uint8
        before = np.abs(crop.astype(int) - truth).mean()
        assert np.abs(corrected.astype(int) - truth).mean() < min(2.5, before / 10)


def test_a_perfect_photo_is_left_as_it_is(page: Points, sheet: Sheet) -> None:
    photo = expose(0.98 * page)
    correction = correction_of(photo, sheet)
    np.testing.assert_allclose(correction.matrix, np.eye(3), atol=0.01)
    assert correction.delta_e.max() < 2
    ramp = np.repeat(np.arange(0, 240, 10, dtype=np.uint8), 3).reshape(1, -1, 3)
    moved = correction.apply(ramp, sheet.cells[0].box_mm).astype(int) - expose(to_linear(ramp / 255) / 0.98)
    assert np.abs(moved).max() <= 2


def test_held_out_means_that_no_patch_helps_to_guess_itself(page: Points, sheet: Sheet) -> None:
    """One colour printed wrong in both bars is as wrong after the correction: nothing else knows of it."""
    wrong = page.copy()
    for patch in sheet.patches:
        if patch.rgb == (214, 126, 44):
            x, y, w, h = (round(value * DPMM) for value in patch.box_mm)
            wrong[y : y + h, x : x + w] = to_linear(np.array([44, 126, 214]) / 255)
    correction = correction_of(expose(0.98 * wrong), sheet)
    assert np.sort(correction.delta_e)[-2:].min() > 40
    assert np.median(correction.delta_e) < 5


def test_a_covered_bar_costs_its_patches_and_not_the_correction(page: Points, sheet: Sheet) -> None:
    light = lamp(page @ MIX.T)
    cv2.rectangle(light, (0, 80), (300, 140), (0.05, 0.03, 0.02), -1)
    correction = correction_of(expose(light), sheet)
    assert 24 <= len(correction.delta_e) < 36
    np.testing.assert_allclose(correction.matrix, np.linalg.inv(MIX), atol=0.05)


@pytest.mark.parametrize(
    ("gain", "rows", "reason"),
    [
        (4.0, slice(None), "burnt out"),
        (0.0, slice(None), "too little bare paper"),
        (0.9, slice(0, 20), "too little bare paper"),
        (0.9, slice(300, 1500), "0 greys and 0 colours of its bars can be read"),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    page: Points, sheet: Sheet, gain: float, rows: slice, reason: str
) -> None:
    with pytest.raises(CaptureError, match=reason) as refused:
        correction_of(expose(gain * page[rows]), sheet, rows.start or 0)
    assert len(str(refused.value).splitlines()) == 1


def test_simulated_photos_come_out_closer_to_what_was_printed(scene: Scene, sheet: Sheet) -> None:
    (found,) = crop_photo(scene.photo, [sheet], picture=picture, correct_colours=True).sheets
    correction = found.correction
    assert correction is not None
    # A press prints greys as asked, full colours as far as its inks go: no light explains what is missing.
    grey = np.array([len(set(patch.rgb)) == 1 for patch in scene.sheet.patches])
    before, after = correction.delta_e_before, correction.delta_e
    assert after[grey].mean() < 2 < 5 < before[grey].mean()
    assert after.mean() < 6 < 8 < before.mean()


@pytest.mark.parametrize(
    ("gains", "off"),
    [
        ((0.8, 0.8, 0.8), False),
        ((0.75, 0.65, 0.6), False),
        ((0.4, 0.4, 0.4), True),
        ((0.9, 0.7, 0.6), True),
        ((0.5, 0.55, 0.75), True),
    ],
)
def test_a_photo_is_off_by_more_than_a_stop_or_a_quarter_of_cast(
    page: Points, sheet: Sheet, gains: tuple[float, float, float], off: bool
) -> None:
    seen = read_bars(expose(page * gains), sheet, to_photo).exposure()
    assert seen is not None
    assert seen.is_off == off


def test_chroma_is_what_the_colours_keep_whatever_the_light(page: Points, sheet: Sheet) -> None:
    grey = page.mean(axis=2, keepdims=True)
    for light in (0.9, (0.3, 0.2, 0.1)):
        for kept in (1.0, 0.5, 0.0):
            faded = (kept * page + (1 - kept) * grey) * light
            assert read_bars(expose(faded), sheet, to_photo).chroma() == pytest.approx(kept, abs=0.02)
    covered = read_bars(expose(0.9 * page[400:500]), sheet, to_photo)
    assert covered.chroma() is None


def test_a_correction_helps_a_cast_and_does_harm_where_the_bars_are_not_of_a_piece(
    page: Points, sheet: Sheet
) -> None:
    """Patches that each err in a way of their own tell nothing of one another."""
    assert correction_of(expose(lamp(page @ MIX.T)), sheet).helps
    assert not correction_of(expose(0.98 * with_patches_apart(page, sheet, DPMM)), sheet).helps
