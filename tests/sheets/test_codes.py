import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from physadv.sheets.codes import Code, base36, format_code, parse_code, qr_matrix, sheet_code

codes = st.builds(
    Code,
    run=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=6, max_size=6),
    sheet=st.integers(0, 36**3 - 1),
    cell=st.integers(0, 36**2 - 1),
)


@given(codes)
def test_a_code_reads_back_from_its_twenty_characters(code: Code) -> None:
    text = format_code(code)
    assert len(text) == 20
    assert text.startswith(sheet_code(code.run, code.sheet))
    assert parse_code(text) == code


@given(codes, st.integers(0, 19), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))
def test_one_wrong_character_is_noticed(code: Code, place: int, wrong: str) -> None:
    text = format_code(code)
    changed = text[:place] + wrong + text[place + 1 :]
    assert changed == text or parse_code(changed) is None


@given(st.text(max_size=30))
def test_other_texts_are_no_codes(text: str) -> None:
    assert parse_code(text) is None


def test_a_number_that_does_not_fit_is_refused() -> None:
    assert base36(36**2 - 1, 2) == "ZZ"
    with pytest.raises(ValueError, match="does not fit"):
        base36(36**2, 2)


def test_the_printed_matrix_is_version_1_and_a_decoder_reads_it() -> None:
    text = format_code(Code("A1B2C3", 7, 11))
    matrix = qr_matrix(text)
    assert matrix.shape == (21, 21)
    picture = np.kron(np.pad(~matrix, 4, constant_values=True), np.ones((6, 6))).astype(np.uint8) * 255
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [text]
