"""The Kurakin study's pages: what they say is what was measured."""

import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from physadv.classifiers import load_classifier
from physadv.evaluation import Judgement, PairOutcome, destruction_clean_survives, destruction_rate, tally
from physadv.evaluation.outcomes import TOPS
from physadv.study.file import read_study
from physadv.study.runner import measurements, run_study
from reproductions.kurakin import ATTACKS, EPS
from reproductions.kurakin.digital import KINDS, write_digital
from reproductions.kurakin.old import OLD_FAILED
from reproductions.kurakin.photographed import PAPER, PAPER_FILES, Shown, _statements, write_photographed
from reproductions.kurakin.rows import (
    EQUAL_ACCURACY,
    EQUAL_CHANGE,
    EQUAL_EPS,
    EQUAL_SMALLER,
    SMALLER_EPS,
    Made,
    Rows,
    Settings,
    mixed,
    nearest_eps,
)
from reproductions.kurakin.statements import HOLDS, OPEN, REVERSED, UNKNOWN, Statement, claim, no_longer
from reproductions.together import Pictured

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


@pytest.fixture(scope="module")
def swept(tmp_path_factory, signs_csv):
    """A study of five signs, its root, and the folder of its pages."""
    root = tmp_path_factory.mktemp("kurakin")
    (root / "study.toml").write_text(SWEPT)
    study = read_study(root / "study.toml", signs_csv.parent)
    found = measurements(study, root, run_study(study, root))
    return study, found, write_digital(root / "pages", study, root, found)


def row(terms, attack, destroyed, images=40, seeds=(0, 1, 2)):
    """A row of the page: the first `destroyed` images are right again in every photo, two images a sheet."""
    right, wrong = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 5), 0.9)
    pictured = [
        Pictured(
            PairOutcome(
                pair=f"{place:04d}",
                label=3,
                clean=right,
                adversarial=wrong,
                clean_after=(right,) * (len(seeds) - 1) + (wrong,),
                adversarial_after=(right if place < destroyed else wrong,) * len(seeds),
            ),
            place // 2,
            seeds,
        )
        for place in range(images)
    ]
    made = Made(f"{attack}-{terms}", attack, 0.25 if terms == EQUAL_ACCURACY else 16, None, 3.0, 2.0)
    return Shown(terms, made, pictured, seeds)


def shown(images=40):
    """Every row of the page: fast loses none, bim half of its examples, least-likely all."""
    rows = [
        row(terms, attack, images * place // 2, images, (0,) if terms == EQUAL_SMALLER else (0, 1, 2))
        for terms in (EQUAL_EPS, EQUAL_ACCURACY, EQUAL_SMALLER)
        for attack, place in zip(ATTACKS, (0, 1, 2), strict=True)
    ]
    return [*rows, row(EQUAL_CHANGE, "fast", 0, images)]


SETTINGS = Settings(images=Path("labels.csv"), root=Path(), model="file:net.pt2", size=64)


def one_a_pair(k, n):
    """Counted outcomes of n pairs of which the first k were destroyed, each seen four times."""
    return {pair: (4 * (pair < k), 4) for pair in range(n)}


def test_a_statement_holds_where_the_whole_interval_of_every_difference_lies_beyond_three_points():
    low, middle, high = (one_a_pair(k, 100) for k in (1, 3, 60))
    statement = Statement(
        "mild is below hard",
        [
            claim("here", {"hard": high}, {"mild": low, "milder": middle}),
            claim("there", {"hard": middle}, {"mild": low}),
            claim("nowhere", {"hard": low}, {"mild": high}),
            claim("unseen", {"hard": {}}, {"mild": low}),
        ],
        "So it is.",
    )
    assert [each.outcome for each in statement.claims] == [HOLDS, OPEN, REVERSED, UNKNOWN]
    first, *others = statement.lines()
    assert first == (
        "- **mild is below hard**: of 4 places holds in 1, reversed in 1, not shown in 1, "
        "cannot be told in 1 (family of 4 tests). So it is."
    )
    assert others[0].startswith("  - not shown: there: hard minus mild +2.0 points (")
    assert others[2] == "  - cannot be told: unseen: hard minus mild: no pairs left"


def test_all_tests_of_a_statement_are_one_family():
    pair = {"hard": one_a_pair(10, 20)}, {"mild": one_a_pair(0, 20)}
    (alone,) = Statement("so", [claim("here", *pair)]).claims[0].tests
    (of_three, *_) = Statement("so", [claim(str(k), *pair) for k in range(3)]).claims[0].tests
    assert of_three.holm == pytest.approx(3 * alone.p)


def test_what_no_longer_holds_is_told_from_the_places_in_which_it_held():
    low, middle, high = (one_a_pair(k, 100) for k in (1, 3, 60))
    claims = [claim("a", {"y": high}, {"x": low}), claim("b", {"y": middle}, {"x": low})]
    said = no_longer([Statement("x is below y", claims)], {"x is below y": ()})
    assert said == ["- *x is below y* held in 1 place where it is now not shown: b."]
    assert no_longer([Statement("x is below y", claims[:1])], {"x is below y": ()}) == [
        "- Every statement of the page before stands."
    ]
    failed = no_longer([Statement("x is below y", claims)], {"x is below y": ("b",)})
    assert failed == ["- *x is below y* did not hold in 1 place where it is now not shown: b."]


def test_the_places_of_the_page_before_are_places_of_today():
    named = {each.where for statement in _statements(shown()) for each in statement.claims}
    assert {place for places in OLD_FAILED.values() for place in places} <= named
    assert OLD_FAILED.keys() == {statement.text for statement in _statements(shown())}


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
    assert (
        len(re.findall(r"^- \*\*.*\*\*: of \d+ places? .*\(family of \d+ tests?\)", text, re.MULTILINE)) == 5
    )
    assert "paper at hand" not in text
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


def test_the_photographed_page_has_both_cases_of_the_same_photos(tmp_path):
    page, numbers = write_photographed(tmp_path, SETTINGS, shown())
    text = page.read_text()
    assert "**All photos are simulated**" in text
    assert "paper at hand" not in text
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| eps 16 | bim | 50.0 %")]
    assert len(lines) == 2 * len(TOPS)
    rate, spread, counted, survived, views, paper = lines[0][2:]
    assert (spread, counted) == ("50.0–50.0 %", "60 of 120, 40 pairs")
    assert (views, paper) == ("80", "40.4 % |")
    assert rate.startswith("50.0 % (")
    assert survived.startswith("50.0 % (")
    assert "**fast is destroyed less than bim**: of 16 places holds in 16 (family of 16 tests)" in text
    assert "| eps 16 | 1 | fast | 100.0 % (" in text
    records = json.loads(numbers.read_text())
    assert [record["sheets"] for record in records] == [20] * 10
    assert records[1]["rates"][0]["by_seed"] == [0.5, 0.5, 0.5]


def test_rows_of_few_pairs_are_marked(tmp_path):
    page, _ = write_photographed(tmp_path, SETTINGS, shown(images=28))
    assert "42 of 84, 28 pairs †" in page.read_text()


def test_the_rates_of_views_are_those_of_the_evaluation():
    (one,) = (each for each in shown() if each.made.name == f"bim-{EQUAL_EPS}")
    counted = tally([each.outcome for each in one.pictured])
    assert one.rate(1, "average").value == destruction_rate(counted, 1).value
    survived = one.rate(1, "prefiltered", clean_survives=True)
    assert survived.value == destruction_clean_survives(counted, 1, "prefiltered").value
    assert (survived.n, survived.pairs) == (80, 40)


def test_the_rows_have_the_eps_and_attacks_of_the_papers_tables():
    assert {(attack, eps) for _, attack, eps in PAPER} == {*product(ATTACKS, (EPS, SMALLER_EPS))}
    assert PAPER_FILES.keys() == {(attack, eps) for _, attack, eps in PAPER}


def test_a_file_between_two_levels_has_the_share_of_values_asked_for_and_grows_with_it():
    below, above = np.zeros((50, 50, 3), np.uint8), np.ones((50, 50, 3), np.uint8)
    few, many = (mixed(below, above, chance, seed=1) for chance in (0.25, 0.5))
    assert few.mean() == pytest.approx(0.25, abs=0.02)
    assert many.mean() == pytest.approx(0.5, abs=0.02)
    assert (few <= many).all()
    assert few.dtype == np.uint8


def test_an_eps_is_found_between_the_levels_that_lie_about_it():
    assert nearest_eps(lambda eps: 1 - 0.8 * eps, wanted=0.28) == pytest.approx(0.9, abs=0.02)
    assert nearest_eps(lambda eps: 0.9 - 0.4 * eps, wanted=0.28) == pytest.approx(1.55, abs=0.02)


def test_rows_are_made_once_and_lie_at_the_accuracy_and_the_change_asked_for(signs_csv, tmp_path):
    settings = Settings(images=signs_csv, root=tmp_path, model="signs", size=64, pairs=2)
    maker = Rows(settings, load_classifier("signs"))
    made = {each.name: each for each in maker.headline()}
    assert len(made) == 7
    assert made["bim-eps-16"].delta_e < made["fast-eps-16"].delta_e
    changed = made["fast-delta-e"], made["fast-eps-16"]
    wanted = made["bim-eps-16"].delta_e
    assert abs(changed[0].delta_e - wanted) < abs(changed[1].delta_e - wanted)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    again = Rows(settings, load_classifier("signs")).headline()
    assert [(each.eps, each.delta_e) for each in again] == [(e.eps, e.delta_e) for e in made.values()]
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
