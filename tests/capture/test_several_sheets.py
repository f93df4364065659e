"""Photos of more than one sheet, of sheets upon sheets, mirrored ones, strangers and damaged codes."""

import cv2
import numpy as np
import pytest
from capture_scene import Pixels, picture
from drawn_pages import Laid, codes_of, cover_box, lay, page_image, photo_of

from physadv.capture import codes
from physadv.capture.codes import read_with_pyzbar
from physadv.capture.crop_photo import crop_photo
from physadv.capture.papers import FoundSheet
from physadv.capture.reading import CaptureError, Photo
from physadv.sheets import PrintItem, Sheet, plan_sheets, write_pdf
from physadv.sheets.layout import box_corners

Print = tuple[list[Sheet], list[Pixels]]


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Print:
    """Two full sheets."""
    folder = tmp_path_factory.mktemp("printed")
    pairs = [(PrintItem(f"{n}-clean", 64, 64), PrintItem(f"{n}-adversarial", 64, 64)) for n in range(16)]
    sheets = plan_sheets(pairs, run="RUN000")
    write_pdf(folder / "sheets.pdf", sheets, picture=picture)
    return sheets, [page_image(folder / "sheets.pdf", index) for index in range(len(sheets))]


def look(photo: Photo, sheets: list[Sheet]) -> list[FoundSheet]:
    return list(crop_photo(photo, sheets, picture=picture).sheets)


def worst_error(found: FoundSheet, sheet: Sheet, laid: Laid) -> float:
    """Return the largest corner error of the cells that were cut, pixels."""
    return max(
        float(np.abs(cell.corners_px - laid.to_photo(box_corners(sheet.cells[cell.number].box_mm))).max())
        for cell in found.cells
        if cell.crop is not None
    )


def cut(found: FoundSheet) -> list[int]:
    return [cell.number for cell in found.cells if cell.crop is not None]


def test_two_copies_of_one_sheet_are_two_sheets(printed: Print) -> None:
    sheets, pages = printed
    left, right = lay(pages[0], (850, 1200), 7.5, 4), lay(pages[0], (2500, 1150), 7.2, 171, tilt=0.2)
    found = look(photo_of([left, right], 3400, 2400), sheets)
    assert [sheet.index for sheet in found] == [0, 0]
    found.sort(key=lambda sheet: sheet.cells[0].corners_px[0, 0])
    for one, laid in zip(found, (left, right), strict=True):
        assert cut(one) == list(range(len(sheets[0].cells)))
        assert len(one.marks_px) >= len(sheets[0].marks) - 2
        assert worst_error(one, sheets[0], laid) < 0.1


def test_copies_that_show_no_code_in_common_are_still_told_apart(printed: Print) -> None:
    sheets, (page, *_) = printed
    first, second = page, page
    for code in codes_of(sheets[0]):
        x, y, w, h = code.box_mm
        if code.cell < 8:
            second = cover_box(second, (x, y, w, h))
        else:
            first = cover_box(first, (x, y, w, h))
    left, right = lay(first, (850, 1200), 7.5, 0), lay(second, (2500, 1200), 7.5, 0)
    found = look(photo_of([left, right], 3400, 2400), sheets)
    assert [len(cut(sheet)) for sheet in found] == [len(sheets[0].cells)] * 2
    found.sort(key=lambda sheet: sheet.cells[0].corners_px[0, 0])
    assert worst_error(found[0], sheets[0], left) < 0.1
    assert worst_error(found[1], sheets[0], right) < 0.1


def test_different_sheets_at_any_angle_are_each_found(printed: Print) -> None:
    sheets, pages = printed
    laid = [lay(pages[0], (1000, 1200), 6.5, 97), lay(pages[1], (3000, 1200), 6.5, -140)]
    found = look(photo_of(laid, 4200, 2400), sheets)
    assert [sheet.index for sheet in found] == [0, 1]
    for one in found:
        assert cut(one) == list(range(len(sheets[one.index].cells)))
        assert worst_error(one, sheets[one.index], laid[one.index]) < 0.1


def test_a_sheet_upon_another_costs_only_what_it_covers(printed: Print) -> None:
    sheets, pages = printed
    below, above = lay(pages[0], (1000, 1300), 8, 0), lay(pages[1], (1900, 1300), 8, 0)
    photo = photo_of([below, above], 2800, 2600)
    by_index = {sheet.index: sheet for sheet in look(photo, sheets)}
    edge = above.to_photo(np.array([[0.0, 0.0]]))[0, 0]
    in_view = [
        number
        for number, cell in enumerate(sheets[0].cells)
        if below.to_photo(box_corners(cell.box_mm))[:, 0].max() < edge - 50
    ]
    assert cut(by_index[0]) == in_view
    assert cut(by_index[1]) == list(range(len(sheets[1].cells)))


def test_a_sheet_laid_edge_on_edge_upon_another_does_not_take_its_names(printed: Print) -> None:
    """Every mark of both is where both have one; only the codes tell them apart."""
    sheets, pages = printed
    both = pages[0].copy()
    both[len(both) // 2 :] = pages[1][len(both) // 2 :]
    upper, lower = look(photo_of([lay(both, (1000, 1300), 8, 0)], 2000, 2600), sheets)
    assert cut(upper) == list(range(8))
    assert cut(lower) == list(range(8, 16))
    assert all("another code" in (cell.reason or "") for cell in (*upper.cells[8:], *lower.cells[:8]))


def test_a_mirrored_sheet_beside_a_good_one_is_refused_with_the_reason(printed: Print) -> None:
    sheets, pages = printed
    mirrored = np.ascontiguousarray(pages[0][:, ::-1])
    photo = photo_of([lay(mirrored, (850, 1200), 7.5, 10), lay(pages[1], (2500, 1200), 7.5, 0)], 3400, 2400)
    bad, good = look(photo, sheets)
    assert bad.reason == "mirrored; turn the camera's mirroring off"
    assert {cell.reason for cell in bad.cells} == {f"the sheet is {bad.reason}"}
    assert not cut(bad)
    assert len(cut(good)) == len(sheets[1].cells)


def test_strangers_in_a_photo_are_remarked_upon_and_cost_nothing(printed: Print) -> None:
    sheets, pages = printed
    photo = photo_of([lay(pages[0], (850, 1200), 7.5, 0), lay(pages[1], (2500, 1200), 7.5, 0)], 3400, 2400)
    seen = crop_photo(photo, sheets[:1], picture=picture)
    (found,) = seen.sheets
    assert len(cut(found)) == len(sheets[0].cells)
    assert seen.remarks == ("also shows a sheet of this run that its manifest does not list; print again",)


def qr_photo(text: str) -> Photo:
    image = cv2.QRCodeEncoder.create().encode(text)
    gray = cv2.resize(
        np.pad(image, 6, constant_values=255), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST
    )
    return Photo(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), gray, "drawn")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("P1-RUN000-00001-XXXX", r"code of this program that is damaged \('P1-RUN000-00001-XXXX'\)"),
        ("P1-", r"code of this program that is damaged \('P1-'\)"),
        ("HTTPS://EXAMPLE.ORG", "1 QR code not of this program"),
    ],
)
def test_a_code_that_says_something_else_is_named_not_guessed(printed: Print, text: str, reason: str) -> None:
    with pytest.raises(CaptureError, match=reason):
        look(qr_photo(text), printed[0])


def test_codes_that_only_pyzbar_reads_are_as_good(printed: Print, monkeypatch: pytest.MonkeyPatch) -> None:
    sheets, pages = printed
    laid = lay(pages[0], (1000, 1300), 8, 100)
    photo = photo_of([laid], 2600, 2600)
    if not read_with_pyzbar(photo.gray):
        pytest.skip("needs the zbar library")
    monkeypatch.setattr(codes, "CASCADE", (read_with_pyzbar,))
    (found,) = look(photo, sheets)
    assert len(cut(found)) == len(sheets[0].cells)
    assert worst_error(found, sheets[0], laid) < 0.1
    with pytest.raises(CaptureError, match="mirrored"):
        look(Photo(photo.rgb[:, ::-1].copy(), photo.gray[:, ::-1].copy(), ""), sheets)


def test_the_same_photo_gives_the_same_crops(printed: Print) -> None:
    sheets, pages = printed
    photo = photo_of([lay(pages[0], (1000, 1300), 8, 30)], 2400, 2600)
    (one,), (other,) = look(photo, sheets), look(photo, sheets)
    for cell, again in zip(one.cells, other.cells, strict=True):
        np.testing.assert_array_equal(cell.crop, again.crop)
