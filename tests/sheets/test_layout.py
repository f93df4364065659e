from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from physadv.sheets import PAGES, PrintItem, SheetError, plan_sheets
from physadv.sheets.codes import parse_code
from physadv.sheets.layout import BoxMm

PRINTER_MARGIN = 6.0


def pairs(count: int, width: int = 224, height: int = 224) -> list[tuple[PrintItem, PrintItem]]:
    return [
        (PrintItem(f"{n:04d}-clean", width, height), PrintItem(f"{n:04d}-adversarial", width, height))
        for n in range(count)
    ]


def overlap(a: BoxMm, b: BoxMm) -> bool:
    return all(a[i] < b[i] + b[i + 2] - 1e-9 and b[i] < a[i] + a[i + 2] - 1e-9 for i in (0, 1))


def test_an_a4_page_holds_eight_pairs_and_letter_six() -> None:
    assert [len(sheet.cells) for sheet in plan_sheets(pairs(9), run="RUN000", page="a4")] == [16, 2]
    assert [len(sheet.cells) for sheet in plan_sheets(pairs(7), run="RUN000", page="letter")] == [12, 2]


@given(
    st.integers(1, 20),
    st.sampled_from(sorted(PAGES)),
    st.integers(10, 80),
    st.integers(1, 600),
    st.integers(1, 600),
)
def test_nothing_overlaps_or_leaves_the_printable_page(
    count: int, page: str, image_mm: int, width: int, height: int
) -> None:
    sheets = plan_sheets(pairs(count, width, height), run="RUN000", page=page, image_mm=image_mm)
    assert [cell.example for sheet in sheets for cell in sheet.cells] == [
        item.example for pair in pairs(count) for item in pair
    ]
    for sheet in sheets:
        page_width, page_height = sheet.page_mm
        boxes = [part.box_mm for part in (*sheet.cells, *sheet.marks, *sheet.patches)]
        for x, y, w, h in boxes:
            assert min(x, y) >= PRINTER_MARGIN
            assert x + w <= page_width - PRINTER_MARGIN
            assert y + h <= page_height - PRINTER_MARGIN
            assert all(abs(20 * v - round(20 * v)) < 1e-6 for v in (x, y, w, h))
        assert not any(overlap(a, b) for a, b in combinations(boxes, 2))


def test_every_cell_has_four_saddles_around_it_and_a_code_that_names_it() -> None:
    (sheet,) = plan_sheets(pairs(3), run="RUN000")
    for number, cell in enumerate(sheet.cells):
        own = [mark for mark in sheet.marks if mark.cell == number]
        assert sorted(mark.kind for mark in own) == ["code", "saddle", "saddle", "saddle", "saddle"]
        x, y, w, h = cell.box_mm
        middles = [mark.centre_mm for mark in own if mark.kind == "saddle"]
        assert sum(mx for mx, _ in middles) / 4 == pytest.approx(x + w / 2)
        assert sum(my for _, my in middles) / 4 == pytest.approx(y + h / 2)
        (code,) = (parse_code(mark.payload or "") for mark in own if mark.kind == "code")
        assert code is not None
        assert (code.run, code.sheet, code.cell) == ("RUN000", sheet.index, number)


def test_a_picture_keeps_its_shape() -> None:
    (sheet,) = plan_sheets(pairs(1, 300, 150), run="RUN000")
    assert sheet.cells[0].box_mm[2:] == (36.0, 18.0)


def test_a_pair_too_wide_for_the_page_stands_one_above_the_other() -> None:
    sheets = plan_sheets(pairs(3), run="RUN000", image_mm=90)
    assert [len(sheet.cells) for sheet in sheets] == [2, 2, 2]
    upper, lower = (cell.box_mm for cell in sheets[1].cells)
    assert upper[0] == lower[0] == pytest.approx(60)
    assert upper[1] + 90 < lower[1] < 297 - 90


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"page": "a5"}, "unknown page 'a5'"),
        ({"image_mm": 5}, "10 mm or more"),
        ({"image_mm": float("nan")}, "10 mm or more"),
        ({"image_mm": float("inf")}, "10 mm or more"),
        ({"image_mm": 120}, "does not fit"),
    ],
)
def test_an_impossible_page_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SheetError, match=message):
        plan_sheets(pairs(1), run="RUN000", **arguments)  # type: ignore[arg-type]
