from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_signs import PARTS, make_sign, octagon, overlap, random_face, write_sign_pdf

from physadv.sheets import PAGES, SheetError, page_pixels
from physadv.sheets.codes import Code, parse_code
from physadv.sheets.layout import BoxMm
from physadv.signs.posters import TRUE_SIZE_NOTICE
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.pdf import plan_miniature
from physadv.signs.posters.posters import EDGE, PosterPage, check_bar, foot_code
from physadv.signs.posters.sticker_sheets import plan_stickers
from physadv.signs.posters.tiles import plan_poster

DOTS = 10


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[PosterPage]]:
    """A miniature, a poster of two pages with its sketch, and stickers on one page with their template."""
    path = tmp_path_factory.mktemp("posters") / "sign.pdf"
    sign = make_sign(170)
    write_sign_pdf(
        path,
        sign,
        PARTS,
        run="RUN000",
        title="the run's name",
        notice=TRUE_SIZE_NOTICE,
        first_sheet=40,
    )
    pages = [
        plan_miniature(sign, example="sign", page="a4"),
        *plan_poster(sign, "sign", page="a4"),
        *plan_stickers(sign, page="a4"),
    ]
    return path, pages


def texts(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_the_bar_of_every_page_is_100_mm_long(printed: tuple[Path, list[PosterPage]]) -> None:
    path, pages = printed
    for index, page in enumerate(pages):
        x, y, w, h = check_bar(page.page_mm)
        row = page_pixels(path, index, DOTS)[round(DOTS * (y + h / 2)), :, 0]
        ink = 1 - row[round(DOTS * (x - 3)) : round(DOTS * (x + w + 2))] / 255
        assert ink.sum() / DOTS == pytest.approx(100.0, abs=0.1)
        assert np.ptp(np.flatnonzero(ink > 0.5)) / DOTS == pytest.approx(100.0, abs=0.15)


def test_every_page_has_the_code_of_its_own_number(printed: tuple[Path, list[PosterPage]]) -> None:
    path, pages = printed
    for index, page in enumerate(pages):
        read = [parse_code(code.text) for code in zxingcpp.read_barcodes(page_pixels(path, index, 6))]
        wanted = [Code("RUN000", 40 + index, number) for number in range(1 + len(page.codes))]
        assert sorted(code.cell for code in read if code in wanted) == list(range(1 + len(page.codes)))


def test_every_page_says_whose_it_is_and_what_it_is_for(
    printed: tuple[Path, list[PosterPage]], tmp_path: Path
) -> None:
    path, pages = printed
    found = texts(path)
    assert len(found) == len(pages)
    for number, text in enumerate(found, start=1):
        assert TRUE_SIZE_NOTICE in text
        assert "the run's name" in text
        assert f"page {number} of {len(pages)}" in text
        assert "print at 100 %" in text
    write_sign_pdf(tmp_path / "plain.pdf", make_sign(150), ["miniature"], run="RUN000", title="a run")
    assert "road" not in texts(tmp_path / "plain.pdf")[0]


def test_the_face_is_stored_once_pixel_for_pixel(tmp_path: Path) -> None:
    sign = make_sign(400)
    path = tmp_path / "sign.pdf"
    write_sign_pdf(path, sign, ["poster"], run="RUN000", title="")
    with pypdfium2.PdfDocument(path) as document:
        images = [
            image.get_bitmap().to_numpy()[:, :, ::-1]
            for page in document
            for image in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        ]
    assert len(images) == len(plan_poster(sign, "sign", page="a4"))
    for image in images:
        np.testing.assert_array_equal(image, np.asarray(sign.face))
    assert path.read_bytes().count(b"/Subtype /Image") == 1


def test_the_same_sign_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.pdf", "two.pdf"):
        write_sign_pdf(tmp_path / name, make_sign(170), PARTS, run="RUN000", title="a run")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def boxes(page: PosterPage) -> list[BoxMm]:
    pictures = [page.window] if page.window else [cutout.bounds for cutout in page.cutouts]
    return [*pictures, *page.saddles, *page.codes, *(patch.box_mm for patch in page.patches)]


def assert_well_laid_out(page: PosterPage) -> None:
    width, height = page.page_mm
    printed = [*boxes(page), check_bar(page.page_mm), foot_code(page.page_mm)]
    for x, y, w, h in printed:
        assert min(x, y) >= EDGE - 1e-6
        assert x + w <= width - EDGE + 1e-6
        assert y + h <= height - EDGE + 1e-6
    top = foot_code(page.page_mm)[1]
    assert all(y + h <= top for _, y, _, h in boxes(page))
    for k, a in enumerate(printed):
        assert not any(overlap(a, b) for b in printed[:k])


@settings(max_examples=40)
@given(st.floats(10, 5000), st.sampled_from(sorted(PAGES)), st.integers(3, 30))
def test_nothing_covers_anything_on_any_page_of_a_poster(size_mm: float, page: str, corners: int) -> None:
    side = 32
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    outline = side / 2 + 15.9 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sign = PaperSign(random_face(side), outline, size_mm)
    pages = plan_poster(sign, "sign", page=page)
    for each in [*pages[:30], *pages[-30:]]:
        assert_well_laid_out(each)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_nothing_covers_anything_on_miniatures_and_sticker_sheets(page: str) -> None:
    for size_mm in (10, 25, 60, 150, 170):
        assert_well_laid_out(plan_miniature(make_sign(size_mm), example="sign", page=page))
    for size_mm in (10, 150, 400, 750, 3000):
        for each in plan_stickers(make_sign(size_mm), page=page):
            assert_well_laid_out(each)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"page": "a5"}, "unknown page 'a5'"),
        ({"parts": ["miniature"], "page": "a9"}, "unknown page 'a9'"),
        ({"parts": ["miniature"]}, "miniature of 750 mm does not fit on a4, which holds 180 mm"),
    ],
)
def test_impossible_pages_are_refused_in_one_line(
    tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    path = tmp_path / "sign.pdf"
    call = {"parts": ["poster"], "run": "RUN000", "title": "", **arguments}
    with pytest.raises(SheetError, match=message) as caught:
        write_sign_pdf(path, make_sign(750), **call)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not path.exists()


def test_stickers_need_a_mask(tmp_path: Path) -> None:
    sign = PaperSign(random_face(64), octagon(64), 150)
    with pytest.raises(SheetError, match="no mask"):
        write_sign_pdf(tmp_path / "sign.pdf", sign, ["stickers"], run="RUN000", title="")
