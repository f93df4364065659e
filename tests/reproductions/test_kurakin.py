"""The Kurakin study's pages: what they say is what was measured."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from physadv.evaluation.intervals import proportion
from physadv.pipeline.measure import measure
from physadv.runs import Capture, Printout
from physadv.study.file import read_study
from physadv.study.runner import measurements, run_study
from reproductions.kurakin import ATTACKS
from reproductions.kurakin.digital import KINDS, write_digital
from reproductions.kurakin.photographed import write_photographed
from reproductions.kurakin.statements import Claim, verdict

SWEPT = """\
name = "tiny"
images = { path = "labels.csv" }
models.bundled = { spec = "signs", size = 64 }

[[runs]]
models = ["bundled"]
attacks = ["fast", "bim", "least-likely"]
eps = [16]
sweeps = ["brightness=-90:90:3", "contrast=0.5:1.5:2", "blur=1:3:2", "noise=20:60:2", "jpeg=10:80:2"]
"""
PHOTOGRAPHED = """\
name = "tiny"
images = { path = "labels.csv" }
models.bundled = { spec = "signs" }

[[runs]]
models = ["bundled"]
attacks = ["bim"]
eps = [16]
photographs = { source = "simulated" }
"""


def share(k, n):
    return proportion([1] * k + [0] * (n - k), [1] * n)


@pytest.fixture(scope="module")
def swept(tmp_path_factory, signs_csv):
    """A study of five signs, its root, and the folder of its pages."""
    root = tmp_path_factory.mktemp("kurakin")
    (root / "study.toml").write_text(SWEPT)
    study = read_study(root / "study.toml", signs_csv.parent)
    found = measurements(study, root, run_study(study, root))
    return study, found, write_digital(root / "pages", study, root, found)


@pytest.fixture
def photographed(tmp_path, cropped_root, copy_of, signs_csv):
    """A study whose one run is the one that was cropped, under another name, and its root."""
    (tmp_path / "study.toml").write_text(PHOTOGRAPHED)
    return read_study(tmp_path / "study.toml", signs_csv.parent), copy_of(cropped_root)


def test_a_statement_holds_where_every_lower_rate_is_below_every_higher_one():
    low, middle, high = share(1, 100), share(3, 100), share(60, 100)
    claims = [
        Claim("here", {"mild": low}, {"hard": middle}),
        Claim("there", {"mild": low, "milder": middle}, {"hard": high}),
        Claim("nowhere", {"mild": high}, {"hard": low}),
        Claim("unseen", {"mild": share(0, 0)}, {"hard": low}),
    ]
    assert verdict("mild is below hard", claims) == [
        "- **mild is below hard**: holds in part "
        "(2 of 3, in 1 with the 95 % intervals apart; 1 cannot be told).",
        "  - not: nowhere (mild 60.0 % (49.7–69.7), hard 1.0 % (0.0–5.4))",
    ]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ([0], "- **so**: holds (1 of 1, in 0 with the 95 % intervals apart)."),
        ([1], "- **so**: does not hold (0 of 1, in 0 with the 95 % intervals apart)."),
        ([], "- **so**: cannot be told."),
    ],
)
def test_a_statement_is_judged_by_how_often_it_holds(chosen, said):
    one, two = share(1, 10), share(2, 10)
    claims = [Claim("a", {"x": one}, {"y": two}), Claim("b", {"x": one}, {"y": one})]
    assert verdict("so", [claims[k] for k in chosen])[0] == said


def test_rates_of_a_kind_take_its_strengths_together(swept):
    _, found, (_, numbers, _) = swept
    for record in json.loads(numbers.read_text()):
        channels = found[f"tiny-bundled-{record['attack']}-16"].channels
        for kind in KINDS:
            for place, row in enumerate(record["kinds"][kind]):
                names = [name for name in channels if name.startswith(kind) and name != "brightness=0"]
                own = [channels[name][place].destruction_rate for name in names]
                counted = sum(rate.n for rate in own)
                assert row["destruction_rate"]["n"] == counted
                if counted:
                    destroyed = sum(rate.value * rate.n for rate in own)
                    assert row["destruction_rate"]["value"] == pytest.approx(destroyed / counted, abs=1e-4)


def test_the_page_has_a_table_and_a_figure_a_classifier_and_every_statement(swept):
    _, _, (page, numbers, figure) = swept
    text = page.read_text()
    assert (page.name, numbers.name) == ("kurakin-digital.md", "kurakin-digital.json")
    assert f"]({figure.name})" in text
    assert "5 pairs an attack" in text
    assert len(re.findall(r"^\| (fast|bim|least-likely) \|", text, re.MULTILINE)) == 2 * len(ATTACKS)
    assert len(re.findall(r"^- \*\*.*\*\*: (holds|does not hold|cannot)", text, re.MULTILINE)) == 5
    for record in json.loads(numbers.read_text()):
        for kind in KINDS:
            rate = record["kinds"][kind][0]["destruction_rate"]
            shown = "undefined" if rate["value"] is None else f"{100 * rate['value']:.1f} %"
            assert shown in text


def test_the_figure_names_every_attack_and_kind_and_is_the_same_again(swept, tmp_path):
    study, found, (_, _, figure) = swept
    said = {element.text for element in ElementTree.parse(figure).iter() if element.text}
    assert {*ATTACKS, *KINDS, "destroyed %, top-1", "destroyed %, top-5"} <= said
    root = figure.parents[1]
    *_, again = write_digital(tmp_path, study, root, found)
    assert again.read_bytes() == figure.read_bytes()


def test_the_photographed_page_has_both_cases_of_the_same_photos(photographed, tmp_path):
    study, root = photographed
    (found,) = measure(Printout(root, "mine"), Capture(root, "mine"))
    page, numbers = write_photographed(tmp_path, study, {study.runs[0].name: found})
    text = page.read_text()
    assert "**1 of 1 photos are simulated**" in text
    assert "without the paper at hand" in text
    counted = str(found.channels["photo"][0].destruction_rate.n)
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| bim | 16 | ")]
    assert (lines[0][3], lines[0][4]) == (counted, "40.4 %")
    assert "**fast is destroyed less than bim**: cannot be told" in text
    assert json.loads(numbers.read_text())[0]["channels"].keys() == {"photo"}


def test_there_is_no_photographed_page_before_all_are_photographed(photographed, tmp_path):
    study, root = photographed
    (found,) = measure(Printout(root, "mine"), Capture(tmp_path, "mine"), transforms=["blur=1"])
    assert write_photographed(tmp_path, study, {study.runs[0].name: found}) == []
    assert write_photographed(tmp_path, study, {}) == []
