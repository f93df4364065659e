"""Drawings: reproducible, escaped, in the page's colours, and honest about what is undefined."""

from xml.etree import ElementTree

import pytest

from physadv.evaluation.destruction import table
from physadv.evaluation.figures import accuracy_figure, destruction_figure
from physadv.evaluation.outcomes import Judgement, PairOutcome, tally

RIGHT, WRONG = Judgement((0, 1, 2, 3, 4), 0.9), Judgement((1, 2, 3, 4, 5), 0.9)
HOSTILE = "</svg><script>x</script>"
ROWS = table(
    tally(
        [
            PairOutcome("1", 0, RIGHT, WRONG, (RIGHT,), (RIGHT,)),
            PairOutcome("2", 0, RIGHT, WRONG, (WRONG,), (WRONG,)),
        ]
    )
)
UNCOUNTED = table(tally([PairOutcome("1", 0, WRONG, WRONG, (), ())]))


@pytest.mark.parametrize("name", [HOSTILE, "$a$ = 1", "jpeg=50"])
def test_drawing_holds_a_name_as_text_and_nothing_from_outside(name: str) -> None:
    for figure in (destruction_figure({name: ROWS}, "average"), accuracy_figure({name: ROWS}, "average", 5)):
        # The page's HTML parser knows the one prefix that XML would have declared.
        drawing = ElementTree.fromstring(figure.svg.replace("xlink:href", "href"))
        assert name in [text.text for text in drawing.iter("text")]
        assert not list(drawing.iter("script"))
        assert not list(drawing.iter("style"))
        assert "http" not in figure.svg


def test_colours_are_the_pages() -> None:
    svg = accuracy_figure({"photo": ROWS}, "average", 1).svg
    assert "var(--first, #" in svg
    assert "var(--second, #" in svg
    assert "var(--ink, #" in svg


def test_same_data_same_bytes() -> None:
    first, second = (destruction_figure({"photo": ROWS}, "average") for _ in range(2))
    assert (first.svg, first.alt) == (second.svg, second.alt)


def test_alternative_text_holds_the_numbers() -> None:
    assert "photo: top-1 50.0 % (9.5–90.5)" in destruction_figure({"photo": ROWS}, "average").alt
    assert "clean 100.0 % to 50.0 %" in accuracy_figure({"photo": ROWS}, "average", 1).alt


def test_undefined_is_written_where_a_mark_would_be() -> None:
    figure = destruction_figure({"photo": UNCOUNTED}, "average")
    assert figure.svg.count(">undefined<") == 2
    assert figure.alt.count("undefined") == 2
    assert "0.0 %" not in figure.alt
