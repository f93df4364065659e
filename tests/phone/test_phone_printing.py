from dataclasses import asdict

import numpy as np
import pytest
import torch

from physadv.phone import PrintSettings, print_page
from physadv.phone.phones import PhoneError, Printer
from physadv.phone.printers import PRINTERS, named_printer
from physadv.phone.printing import RASTER, print_dots

PAGE_MM = (40.0, 60.0)
DOTS = 10
SHARP = Printer("offset-coated-bpc", spread_mm=0.01)
PAPER = (0.863, 0.880, 0.913)
BLACK = 0.0131  # of the paper, Y


def page_with_square(x: float, y: float, rgb: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    page = np.full((600, 400, 3), 255, np.uint8)
    page[round((y - 2) * DOTS) : round((y + 2) * DOTS), round((x - 2) * DOTS) : round((x + 2) * DOTS)] = rgb
    return page


def printed(page: np.ndarray, settings: PrintSettings) -> np.ndarray:
    return print_page(page, PAGE_MM, settings, SHARP).reflectance().permute(1, 2, 0).numpy()


def centre_of_ink(reflectance: np.ndarray) -> tuple[float, float]:
    ink = PAPER[0] - reflectance[..., 0]
    ink[ink < 0.1] = 0
    y, x = np.indices(ink.shape)
    return (
        float((ink * (x + 0.5)).sum() / ink.sum() / DOTS),
        float((ink * (y + 0.5)).sum() / ink.sum() / DOTS),
    )


@pytest.mark.parametrize("scale", [1.0, 0.97, 0.94])
def test_fit_to_page_moves_a_mark_where_it_says(scale: float) -> None:
    settings = PrintSettings(scale=scale)
    expected = (20 + scale * (10 - 20), 30 + scale * (15 - 30))
    np.testing.assert_allclose(settings.on_paper(np.array([(10.0, 15.0)]), PAGE_MM)[0], expected)
    seen = printed(page_with_square(10, 15), settings)
    assert centre_of_ink(seen) == pytest.approx(expected, abs=0.005)
    assert (seen < 0.4).all(axis=-1).sum() == pytest.approx((4 * DOTS * scale) ** 2, rel=0.05)


def test_a_cropping_printer_leaves_its_margin_white_and_the_rest_alone() -> None:
    black = np.zeros((600, 400, 3), np.uint8)
    seen = printed(black, PrintSettings(margin_mm=5.0))
    np.testing.assert_allclose(seen[:48, :, 0], PAPER[0], atol=0.01)
    np.testing.assert_allclose(seen[:, -48:, 0], PAPER[0], atol=0.01)
    np.testing.assert_allclose(seen[52:-52, 52:-52, 0], PAPER[0] * BLACK, atol=0.01)


def test_a_margin_narrower_than_half_a_dot_takes_nothing_of_the_page() -> None:
    page = page_with_square(10, 15)
    seen = printed(page, PrintSettings(margin_mm=0.4 / DOTS))
    np.testing.assert_array_equal(seen, printed(page, PrintSettings()))


def test_black_and_white_prints_have_the_papers_hue_only() -> None:
    seen = printed(page_with_square(20, 30, (200, 40, 90)), PrintSettings(monochrome=True))
    np.testing.assert_allclose(seen[..., 0], seen[..., 1] * PAPER[0] / PAPER[1], atol=1e-3)
    np.testing.assert_allclose(seen[..., 2] / seen[..., 0], PAPER[2] / PAPER[0], atol=1e-2)


def test_a_draft_has_less_ink_and_fewer_dots_but_keeps_its_place() -> None:
    seen = printed(page_with_square(10, 15), PrintSettings(dpi=150.0, ink=0.75))
    assert seen.min() == pytest.approx(PAPER[0] * (1 - 0.75 * (1 - BLACK)), abs=0.01)
    assert centre_of_ink(seen) == pytest.approx((10, 15), abs=0.01)


@pytest.mark.parametrize(
    "settings",
    [
        PrintSettings(),
        PrintSettings(scale=0.97),
        PrintSettings(scale=0.94),
        PrintSettings(margin_mm=5.0),
        PrintSettings(monochrome=True),
        PrintSettings(dpi=150.0, ink=0.75),
    ],
)
def test_every_way_to_print_gives_a_page(settings: PrintSettings) -> None:
    seen = printed(page_with_square(10, 15), settings)
    assert seen.shape == (600, 400, 3)
    assert 0 < seen.min() < 0.5 < seen.max() <= PAPER[2] + 1e-3


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("scale", 2.0, "scale 2: wanted 0.5 to 1.5"),
        ("scale", float("nan"), "scale nan: wanted 0.5 to 1.5"),
        ("margin_mm", -1.0, "margin_mm -1: wanted 0 or more"),
        ("dpi", 10.0, "dpi 10: wanted 50 or more"),
        ("ink", 0.0, "ink 0: wanted 0.2 to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting: str, value: float, line: str) -> None:
    with pytest.raises(PhoneError, match=line):
        PrintSettings(**{setting: value})


@pytest.mark.parametrize("halftone", ["clustered", "diffused"])
@pytest.mark.parametrize("press", ["offset-coated", "offset-uncoated"])
def test_a_halftone_is_dots_of_full_ink_that_reflect_the_same_light_together(press, halftone) -> None:
    grey = np.full((240, 240, 3), 153, np.uint8)
    plain = print_dots(grey, Printer(press), RASTER).reflectance()
    dots = print_dots(grey, Printer(press, halftone, spread_mm=1e-6), RASTER).reflectance()
    assert [len(channel.unique()) for channel in dots] == [2, 2, 2]
    torch.testing.assert_close(dots.mean(dim=(1, 2)), plain.mean(dim=(1, 2)), atol=0.004, rtol=0)


def test_clustered_dots_are_larger_than_diffused_ones() -> None:
    grey = np.full((240, 240, 3), 178, np.uint8)
    edges = {}
    for halftone in ("clustered", "diffused"):
        printed = print_dots(grey, Printer("offset-coated", halftone, spread_mm=1e-6), RASTER)
        dots = printed.reflectance()[0]
        edges[halftone] = int((dots[:, 1:] != dots[:, :-1]).sum())
    assert edges["clustered"] < 0.6 * edges["diffused"]


def test_a_measured_press_leaves_its_papers_white_and_less_ink_lets_it_through() -> None:
    black, press = np.zeros((60, 40, 3), np.uint8), Printer("offset-coated")
    full, half = (
        print_page(black, PAGE_MM, PrintSettings(ink=ink), press).reflectance().mean() for ink in (1.0, 0.5)
    )
    white = print_page(black + 255, PAGE_MM, printer=press).reflectance().mean(dim=(1, 2))
    np.testing.assert_allclose(white, [0.863, 0.879, 0.914], atol=0.003)
    assert full < 0.02
    assert float(half) == pytest.approx(float((full + white.mean()) / 2), abs=1e-3)


@pytest.mark.parametrize(("name", "density"), [("office-laser", 1.37), ("office-inkjet", 1.21)])
def test_an_office_printers_black_is_as_dense_as_it_says(name: str, density: float) -> None:
    both = print_dots(np.array([[(255,) * 3, (0,) * 3]], np.uint8), named_printer(name), DOTS)
    white, black = np.take_along_axis(both.light, both.dots[0].T.astype(int), axis=1).T
    luminance = (0.2126, 0.7152, 0.0722)
    ratio = (white @ luminance) / (black @ luminance)
    assert np.log10(ratio) == pytest.approx(density, abs=0.03)


@pytest.mark.parametrize("name", PRINTERS)
def test_every_number_of_a_printer_says_where_it_comes_from(name: str) -> None:
    sources = PRINTERS[name].sources
    assert set(sources) == set(asdict(PRINTERS[name].printer))
    assert all(source.startswith(("measured: ", "assumed: ")) for source in sources.values())
    assert name.startswith("offset-") == sources["press"].startswith("measured")


def test_a_part_of_a_page_is_what_the_whole_page_shows_there() -> None:
    page = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    printed = print_page(page, PAGE_MM, printer=Printer("offset-coated", spread_mm=1.0))
    for (top, bottom), (left, right) in (((0, 60), (0, 40)), ((3, 9), (30, 40)), ((55, 60), (0, 1))):
        part = printed.reflectance((top, bottom), (left, right), blur=1.5)
        whole = printed.reflectance(blur=1.5)
        torch.testing.assert_close(part, whole[:, top:bottom, left:right])


def test_rows_that_repeat_print_as_every_row_alone_does() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (5, 40, 3), dtype=np.uint8)
    printer = Printer("offset-uncoated")
    once = print_dots(rows, printer, DOTS).dots
    np.testing.assert_array_equal(
        print_dots(rows.repeat(70, axis=0), printer, DOTS).dots, once.repeat(70, axis=0)
    )
