from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_signs import as_printed, make_sign, overlap, random_face, rectangles, write_sign_pdf
from PIL import Image

from physadv.sheets import SheetError, page_pixels
from physadv.sheets.layout import BoxMm
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.sticker_sheets import plan_stickers

SQUARE = np.array([(10.0, 10), (90, 10), (90, 90), (10, 90)])


def sign_with(mask: np.ndarray, size_mm: float = 1000) -> PaperSign:
    return PaperSign(random_face(100), SQUARE, size_mm, mask)


def areas(edges: tuple[np.ndarray, ...]) -> list[float]:
    """Return the areas of closed lines, by the shoelace formula."""
    return [
        abs(float((edge[:, 0] * np.roll(edge[:, 1], -1) - edge[:, 1] * np.roll(edge[:, 0], -1)).sum())) / 2
        for edge in edges
    ]


def test_a_rectangle_is_cut_out_along_the_edges_of_its_pixels() -> None:
    (sticker,) = sign_with(rectangles(100, [(20, 30, 50, 40)])).stickers()
    assert sorted(map(tuple, sticker.edges[0])) == [(200, 300), (200, 400), (500, 300), (500, 400)]
    assert sticker.bounds == (200, 300, 300, 100)


def test_corners_holes_and_single_pixels_keep_their_edges() -> None:
    angle = rectangles(100, [(20, 20, 60, 30), (20, 20, 30, 60)])
    (corner,) = sign_with(angle).stickers()
    assert sorted(map(tuple, corner.edges[0] / 10)) == [
        (20, 20),
        (20, 60),
        (30, 30),
        (30, 60),
        (60, 20),
        (60, 30),
    ]
    holed = rectangles(100, [(20, 20, 60, 60)])
    holed[30:40, 35:50] = False
    (frame,) = sign_with(holed).stickers()
    assert sorted(areas(frame.edges)) == [150 * 100, 1600 * 100]
    (dot,) = sign_with(rectangles(100, [(50, 50, 51, 51)])).stickers()
    assert areas(dot.edges) == [100]


def test_slanting_edges_become_straight_lines() -> None:
    x, y = np.meshgrid(np.arange(100) + 0.5, np.arange(100) + 0.5)
    slanting = (np.abs(0.9 * (x - 50) + 0.43 * (y - 50)) < 25) & (
        np.abs(0.43 * (x - 50) - 0.9 * (y - 50)) < 12
    )
    (sticker,) = sign_with(slanting).stickers()
    # Of some two hundred corners of pixels: one or two at each corner of the rectangle.
    assert len(sticker.edges[0]) <= 8
    assert areas(sticker.edges)[0] == pytest.approx(slanting.sum() * 100, rel=0.01)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.4))
def test_every_pixel_of_a_mask_belongs_to_one_sticker(seed: int, share: float) -> None:
    coarse = np.random.default_rng(seed).random((10, 10)) < share
    mask = np.zeros((100, 100), bool)
    mask[10:90, 10:90] = coarse.repeat(8, axis=0).repeat(8, axis=1)
    if not mask.any():
        return
    stickers = sign_with(mask).stickers()
    # The outer line of a part surrounds its holes: what is left of it is the part.
    area = sum(2 * max(areas(sticker.edges)) - sum(areas(sticker.edges)) for sticker in stickers)
    assert area == pytest.approx(100 * mask.sum(), rel=0.02)
    assert [sticker.bounds[1] for sticker in stickers] == sorted(sticker.bounds[1] for sticker in stickers)


def test_a_sticker_is_printed_whole_inside_of_its_line(tmp_path: Path) -> None:
    face = np.full((100, 100, 3), (0, 0, 255), np.uint8)
    face[30:40, 20:50] = (255, 200, 0)
    sign = PaperSign(Image.fromarray(face), SQUARE, 200, rectangles(100, [(20, 30, 50, 40)]))
    write_sign_pdf(tmp_path / "sign.pdf", sign, ["stickers"], run="RUN000", title="")
    page = plan_stickers(sign, page="a4")[1]
    x, y, w, h = (round(20 * side) for side in page.cutouts[0].bounds)
    assert (w, h) == (60 * 20, 20 * 20)
    seen = page_pixels(tmp_path / "sign.pdf", 1, 20)
    sticker = seen[y + 1 : y + h - 1, x + 1 : x + w - 1].reshape(-1, 3)
    assert (sticker == (255, 200, 0)).all()
    around = seen[y - 20 : y + h + 20, x - 20 : x + w + 20].astype(int)
    assert not (around[..., 2] > around[..., 0] + 20).any()
    for rim in (seen[y - 2, x : x + w], seen[y + h + 1, x : x + w], seen[y : y + h, x - 2]):
        assert rim.max() < 200


def test_stickers_that_fit_are_packed_on_one_page_and_larger_ones_get_several() -> None:
    template, packed = plan_stickers(make_sign(150), page="a4")
    assert len(packed.cutouts) == 4
    bounds: list[BoxMm] = [cutout.bounds for cutout in packed.cutouts]
    assert not any(overlap(a, b) for k, a in enumerate(bounds) for b in bounds[:k])
    assert [label.text for label in packed.labels] == ["1", "2", "3", "4"]
    assert not template.cutouts
    pages = plan_stickers(make_sign(750), page="a4")
    # Bars of 422 and 375 mm take two pages each on their side; the other two fit on one.
    assert [page.heading for page in pages[1:]] == [
        "stickers 2, 3 of 4",
        "sticker 1 of 4: row 1 of 1, column 1 of 2",
        "sticker 1 of 4: row 1 of 1, column 2 of 2",
        "sticker 4 of 4: row 1 of 1, column 1 of 2",
        "sticker 4 of 4: row 1 of 1, column 2 of 2",
    ]


def test_the_template_says_where_stickers_go_in_mm_of_the_sign(tmp_path: Path) -> None:
    sign = sign_with(rectangles(100, [(20, 30, 50, 40), (60, 62, 64, 85)]))
    write_sign_pdf(tmp_path / "sign.pdf", sign, ["stickers"], run="RUN000", title="")
    with pypdfium2.PdfDocument(tmp_path / "sign.pdf") as document:
        words = document[0].get_textpage().get_text_bounded().split()
    # Number, width, height, then from the left, right, top and bottom edge of a plate from 100 to 900 mm.
    wanted = ("1 300.0 100.0 100.0 400.0 200.0 500.0", "2 40.0 230.0 500.0 260.0 520.0 50.0")
    for row in wanted:
        assert f" {row} " in f" {' '.join(words)} "


def test_the_template_shows_every_sticker_in_its_place(tmp_path: Path) -> None:
    sign = sign_with(rectangles(100, [(20, 30, 50, 40)]))
    template = plan_stickers(sign, page="a4")[0]
    outline, drawn = (stroke.points for stroke in (template.strokes[0], template.strokes[2]))
    scale = np.ptp(outline[:, 0]) / 800
    np.testing.assert_allclose(drawn.min(axis=0) - outline.min(axis=0), np.array((100, 200)) * scale)
    np.testing.assert_allclose(np.ptp(drawn, axis=0), np.array((300, 100)) * scale)


def test_a_long_table_goes_on_over_pages() -> None:
    boxes = [(x, y, x + 2, y + 2) for x in range(12, 88, 6) for y in range(12, 88, 6)]
    pages = plan_stickers(sign_with(rectangles(100, boxes), 200), page="letter")
    templates = [page for page in pages if "template" in page.heading]
    listed = [label.text for page in templates for label in page.labels if label.points == 8]
    assert len(templates) > 1
    assert {str(number + 1) for number in range(len(boxes))} <= set(listed)
    assert sum(len(page.cutouts) for page in pages) == len(boxes)


def test_the_printed_face_is_white_outside_of_the_outline() -> None:
    printed = np.asarray(as_printed(sign_with(rectangles(100, [(20, 30, 50, 40)]))))
    face = np.asarray(random_face(100))
    np.testing.assert_array_equal(printed[10:90, 10:90], face[10:90, 10:90])
    assert (printed[:10] == 255).all()
    assert (printed[:, 90:] == 255).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size_mm": 0}, "a sign of 0 mm cannot be printed; take 10 to 5000 mm"),
        ({"size_mm": -3}, "a sign of -3 mm"),
        ({"size_mm": 5001}, "a sign of 5001 mm"),
        ({"size_mm": float("nan")}, "a sign of nan mm"),
        ({"mask": np.ones((50, 50), bool)}, r"a mask of shape \(50, 50\) for a face of 100 × 100 pixels"),
        ({"mask": np.zeros((100, 100), bool)}, "the mask is empty"),
        ({"mask": np.full((100, 100), 0.4)}, "the mask is empty"),
        ({"mask": np.full((100, 100), 3.0)}, "holds other values"),
        ({"mask": np.full((100, 100), np.nan)}, "holds other values"),
        ({"mask": rectangles(100, [(30, 30, 40, 40), (1, 2, 5, 6)])}, r"off the sign from pixel \(1, 2\) on"),
        ({"face": Image.new("RGB", (100, 90))}, "a face of 100 × 90 pixels, RGB; wanted a square, RGB"),
        ({"face": Image.new("L", (100, 100))}, "100 × 100 pixels, L"),
        ({"outline": SQUARE[:2]}, "wanted .* three corners or more"),
        ({"outline": SQUARE[:, :1]}, r"an outline of shape \(4, 1\)"),
        ({"outline": SQUARE + 20}, "leaves the face of 100 × 100 pixels"),
        ({"outline": SQUARE * np.nan}, "leaves the face"),
        ({"outline": SQUARE[[0, 2, 0]]}, "surrounds nothing"),
    ],
)
def test_nonsense_is_refused_in_one_line(arguments: dict[str, object], message: str) -> None:
    good = {"face": random_face(100), "outline": SQUARE, "size_mm": 150.0, "mask": None}
    with pytest.raises(SheetError, match=message) as caught:
        PaperSign(**{**good, **arguments})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_mask_of_specks_is_refused() -> None:
    specks = np.zeros((100, 100), bool)
    specks[12:88:3, 12:88:3] = True
    with pytest.raises(SheetError, match="the mask has 676 parts to cut out; wanted 200 or fewer"):
        sign_with(specks)
