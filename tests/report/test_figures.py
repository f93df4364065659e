"""Drawings: reproducible, escaped, in the page's colours, and honest about what is undefined."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from physadv.evaluation.calibration import Answers, reliability
from physadv.evaluation.destruction import table
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Judgement, PairOutcome, tally
from physadv.report.drawing import Figure
from physadv.report.figures import Series, accuracy_figure, curve, heat_map, reliability_figure
from physadv.report.run_figures import destruction_figure

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
    assert "photo: top-1 50.0 % (1.3–98.7)" in destruction_figure({"photo": ROWS}, "average").alt
    assert "clean 100.0 % to 50.0 %" in accuracy_figure({"photo": ROWS}, "average", 1).alt


def test_undefined_is_written_where_a_mark_would_be() -> None:
    figure = destruction_figure({"photo": UNCOUNTED}, "average")
    assert figure.svg.count(">undefined<") == 2
    assert figure.alt.count("undefined") == 2
    assert "0.0 %" not in figure.alt


def share(value: float) -> Estimate:
    return Estimate(value, value / 2, (1 + value) / 2, 10, 10)


NOTHING = Estimate(None, None, None, 0, 0, "no pairs left")


def drawing_of(figure: Figure) -> ElementTree.Element:
    return ElementTree.fromstring(figure.svg.replace("xlink:href", "href"))


def words_in(figure: Figure) -> list[str | None]:
    return [text.text for text in drawing_of(figure).iter("text")]


def test_curve_leaves_a_gap_where_a_share_is_undefined() -> None:
    series = [
        Series("top-1", (share(0.1), NOTHING, share(0.3), share(0.4))),
        Series("top-5", (share(0.5),) * 4),
    ]
    figure = curve("blur", "blur", "sigma", [1, 2, 3, 4], series, "destruction rate")
    bands = [each for each in drawing_of(figure).iter("g") if "FillBetween" in each.get("id", "")]
    # Of the first series one strength alone and two together, of the second all four.
    assert len(bands) == 3
    assert "2: top-1 undefined, top-5 50.0 % (25.0–75.0)" in figure.alt
    assert "blur, sigma: destruction rate with 95 % interval. 1: top-1 10.0 % (5.0–55.0)" in figure.alt


def test_curve_without_any_share_says_so() -> None:
    figure = curve("blur", "blur", "sigma", [1, 2, 3], [Series("top-1", (NOTHING,) * 3)], "destruction rate")
    assert "undefined" in words_in(figure)


def test_heat_map_has_every_number_in_its_place() -> None:
    shares = {("near", "-30"): share(0.0), ("near", "30"): share(0.256), ("far", "-30"): NOTHING}
    rows, columns = ("distance", ["near", "far"]), ("yaw, degrees", ["-30", "30"])
    figure = heat_map("view", "Destruction rate", "", rows, columns, shares)
    words = words_in(figure)
    assert [word for word in words if word in ("0", "26", "–")] == ["0", "26", "–", "–"]
    assert (
        "near: -30 0.0 % (0.0–50.0), 30 25.6 % (12.8–62.8); far: -30 undefined, 30 not measured."
        in figure.alt
    )


def test_reliability_diagram_says_error_and_bins() -> None:
    seen, right, confidence = np.zeros((4, 10), int), np.zeros((4, 10), int), np.zeros((4, 10))
    seen[:, 9], right[:3, 9], confidence[:, 9] = 1, 1, 0.95
    found = reliability(Answers(seen, right, confidence))
    figure = reliability_figure("photo", "photo", {"clean": found})
    assert figure.caption == "Expected calibration error: clean 20.0 %."
    assert "clean, confidence 90 to 100 %: right 75.0 % (19.4–99.4), n = 4" in figure.alt
    empty = reliability(Answers(seen[:0], right[:0], confidence[:0]))
    assert "undefined" in reliability_figure("photo", "photo", {"clean": empty}).caption


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figure_as_a_file(tmp_path: Path, form: str, begins: bytes) -> None:
    files = [tmp_path / f"{k}.{form}" for k in range(2)]
    for path in files:
        destruction_figure({"photo": ROWS}, "average").write(path, form)
    first, second = (path.read_bytes() for path in files)
    assert first.startswith(begins)
    assert first == second


def test_long_names_in_legends_keep_their_ends() -> None:
    spec = "python:a_package_of_ours.networks:robust_resnet50"
    figure = curve("a", "blur", "sigma", [1, 2, 3], [Series(spec, (share(0.5),) * 3)], "rate")
    (shown,) = (word for word in words_in(figure) if word and word.endswith("robust_resnet50"))
    assert shown.startswith("…")
    assert spec in figure.alt
