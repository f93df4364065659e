"""Class names in any script: on paper, in reports and in LaTeX."""

import io

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from physadv.capture import overlay
from physadv.pipeline.print_sheets import print_sheets
from physadv.report.drawing import Figure, blank
from physadv.report.table import to_html, to_latex, to_markdown, words_table
from physadv.runs import Printout
from physadv.sheets.fonts import FONT, can_print, font_file, spelt, text_width
from physadv.sheets.pdf import Ink, new_canvas, save_canvas

LATIN = ("stop", "naïve", "Überholverbot", "50 €", "")
BEYOND = ("стоп", "στοπ", "Đường cấm", "zákaz předjíždění", "კი", "ՄԻ", "≥ 3,5 t")
INDEX = ("停止", "정지", "とまれ", "قف", "עצור", "รถ", "रुको", "🛑")


def drawn(folder, text):
    """What a viewer reads of a page with one text."""
    path = folder / "a.pdf"
    canvas = new_canvas(path, "")
    ink = Ink(canvas, (100, 50))
    ink.text(10, 20, text, 9)
    ink.done()
    save_canvas(canvas, path)
    with pypdfium2.PdfDocument(path) as document:
        return document[0].get_textpage().get_text_range()


def test_signs_that_hide_or_rearrange_are_escaped_on_paper(tmp_path):
    assert drawn(tmp_path, "a\u202eb\x1b") == r"a\u202eb\x1b"


@pytest.mark.parametrize("text", [*LATIN, *BEYOND])
def test_a_text_on_paper_is_the_text(tmp_path, text):
    assert can_print(text)
    assert drawn(tmp_path, text) == text
    assert text_width(text, 9, FONT) > 0 or not text


@pytest.mark.parametrize("text", INDEX)
def test_a_text_that_the_fonts_lack_or_would_spoil_is_known(text):
    assert not can_print(text)


def test_a_page_shows_the_index_of_a_class_that_it_cannot_spell(generated_root, copy_of):
    root = copy_of(generated_root)
    printout = Printout(root, "mine")
    manifest = printout.manifest()
    examples = list(manifest.examples)
    examples[0] = examples[0].model_copy(update={"label_name": "停止", "label": 14})
    seen = examples[0].digital[0].model_copy(update={"name": "стоп"})
    examples[0] = examples[0].model_copy(update={"digital": (seen, *examples[0].digital[1:])})
    manifest.model_copy(update={"examples": tuple(examples)}).write(printout.manifest_path)
    print_sheets(printout)
    first = printout.pdf.read_bytes()
    with pypdfium2.PdfDocument(printout.pdf) as document:
        text = document[0].get_textpage().get_text_range()
    assert "label: class 14" in text
    assert "seen as: стоп" in text
    print_sheets(printout)
    assert printout.pdf.read_bytes() == first


@pytest.mark.parametrize("text", [*LATIN, *BEYOND, *INDEX])
def test_a_page_for_screens_has_every_letter(text):
    assert text in to_html(words_table("", ["class"], [[text]]))


def test_latex_is_escaped_and_says_which_engine_it_needs():
    text = to_latex(words_table("50 % ≥ 3", ["a_b"], [["<x|y>"], ["C:\\#~^{&}$"]]))
    assert r"\caption{50 \% $\ge$ 3}" in text
    assert r"\textless{}x\textbar{}y\textgreater{}" in text
    assert r"C:\textbackslash{}\#\textasciitilde{}\textasciicircum{}\{\&\}\$" in text
    assert not text.startswith("%")
    other = to_latex(words_table("", ["class"], [["停止"]]))
    assert other.startswith("% Has letters that pdfLaTeX lacks: use XeLaTeX or LuaLaTeX")
    assert "停止" in other


def test_a_bar_in_a_cell_ends_no_column_of_markdown():
    assert to_markdown(words_table("", ["a|b"], [["<x|y>"]])).splitlines() == [
        r"| a\|b |",
        "|---|",
        r"| <x\|y> |",
    ]


@pytest.mark.parametrize("made_by", ["停止", "قف", "стоп"])
def test_the_head_of_a_page_spells_the_attack_or_its_letters_numbers(generated_root, copy_of, made_by):
    printout = Printout(copy_of(generated_root), "mine")
    manifest = printout.manifest()
    attack = manifest.attack.model_copy(update={"name": made_by})
    manifest.model_copy(update={"attack": attack}).write(printout.manifest_path)
    print_sheets(printout)
    with pypdfium2.PdfDocument(printout.pdf) as document:
        text = document[0].get_textpage().get_text_range()
    assert f"mine {spelt(made_by)}, eps" in text
    assert (spelt(made_by) == made_by) == (made_by == "стоп")


def test_an_overlay_is_written_in_a_font_that_has_the_letters():
    """The font that Pillow brings draws an empty box for every letter that is not Latin."""
    seen = np.asarray(overlay.draw_overlay(None, (), "стоп 停"))
    wanted = Image.new("RGB", overlay.BLANK, (70, 70, 70))
    draw = ImageDraw.Draw(wanted, "RGBA")
    font = ImageFont.truetype(font_file(), overlay.BANNER_SIZE)
    left, top, right, bottom = draw.multiline_textbbox((8, 8), r"refused: стоп \u505c", font=font)
    draw.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=overlay.SHADE)
    draw.multiline_text((8, 8), r"refused: стоп \u505c", font=font, fill=overlay.RED)
    np.testing.assert_array_equal(seen, np.asarray(wanted))


@pytest.mark.filterwarnings("error:Glyph")
@pytest.mark.parametrize("form", ["png", "pdf", "svg"])
def test_a_figure_s_file_has_every_letter_or_its_number(tmp_path, form):
    with blank(3, 2) as (canvas, axes):
        axes.set_title("стоп 停")
    figure = Figure("a", "", "", "", canvas)
    if form != "svg":
        figure.write(tmp_path / f"a.{form}", form)
    assert "стоп 停" in figure.svg
    if form == "pdf":
        with pypdfium2.PdfDocument(io.BytesIO((tmp_path / "a.pdf").read_bytes())) as document:
            assert r"стоп \u505c" in document[0].get_textpage().get_text_range()
