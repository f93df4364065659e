"""Runs side by side: paired on the images they share, tested by pencil and paper, refused when not alike."""

import json
import shutil

import numpy as np
import pytest
from scipy.stats import binomtest

from physadv.classifiers import load_classifier
from physadv.evaluation.comparisons import Comparison, corrected
from physadv.evaluation.intervals import Estimate, proportion
from physadv.pipeline.generate import generate
from physadv.pipeline.settings import GenerateSettings
from physadv.report import compare
from physadv.report.compare import DESTRUCTION, SUCCESS, compare_runs
from physadv.runs import Capture, ObservationRow, Printout

BLUR = "blur=2"


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory, generated_root, signs_csv):
    """A root in which `mine` (bim) and `fast` were made of the same five images, `part` of three of them."""
    root = shutil.copytree(generated_root, tmp_path_factory.mktemp("two"), dirs_exist_ok=True)
    generate(Printout(root, "fast"), GenerateSettings(images=signs_csv, attack="fast"))
    generate(Printout(root, "part"), GenerateSettings(images=signs_csv, attack="fast", limit=3))
    return root


@pytest.fixture
def root(two_runs, copy_of):
    return copy_of(two_runs)


@pytest.fixture
def judged(root, monkeypatch):
    """Writes down what was said, in place of asking: run → (before, after) of its five adversarial images."""

    def write(run, before, after):
        manifest = Printout(root, run).manifest()
        identity = load_classifier("signs").identity
        rows = []
        for place, (clean, adversarial) in enumerate(manifest.pairs()):
            other = (clean.label + 1) % 43
            said = [
                ("none", clean, True),
                (BLUR, clean, True),
                ("none", adversarial, before[place]),
                (BLUR, adversarial, after[place]),
            ]
            rows += [
                ObservationRow(
                    manifest.code, identity, channel, 0, e.id, "", (e.label if right else other,), (0.9,)
                )
                for channel, e, right in said
            ]
        with Capture(root, run).store() as store:
            store.add_observations(rows)

    return write


def lines(found):
    return {(line.channel, line.measure): line for line in found.lines}


def test_counts_are_those_of_pencil_and_paper(root, judged):
    # mine fools four of five and blur undoes one of these; fast fools all and blur undoes all but the first.
    judged("mine", [False, False, False, False, True], [True, False, False, False, True])
    judged("fast", [False] * 5, [False, True, True, True, True])
    found = lines(compare_runs(root, ["mine", "fast"], transforms=[BLUR]))
    destroyed = found[BLUR, DESTRUCTION]
    assert destroyed.rates["mine"].value == 1 / 4
    assert destroyed.rates["fast"].value == 4 / 5
    once = proportion([1, 0, 0, 0], [1] * 4)
    assert (destroyed.rates["mine"].low, destroyed.rates["mine"].high) == (once.low, once.high)
    (test,) = destroyed.tests
    # The fifth pair counts in one run only; of the four others the first went one way, three the other.
    assert (test.difference.pairs, test.difference.value) == (4, (1 - 3) / 4)
    assert test.p == pytest.approx(binomtest(1, 4).pvalue)
    (success,) = found["none", SUCCESS].tests
    assert (success.difference.pairs, success.difference.value) == (5, -1 / 5)


def test_runs_together_are_the_union_of_what_they_broke(root, judged):
    judged("mine", [False, False, True, True, True], [True] * 5)
    judged("fast", [True, False, False, True, True], [True] * 5)
    found = lines(compare_runs(root, ["mine", "fast"], transforms=[BLUR]))
    worst = found["none", SUCCESS].worst
    assert (worst.alone.value, worst.union.value, worst.notes) == (2 / 5, 3 / 5, ())
    assert found[BLUR, SUCCESS].worst.union.value == 0
    assert found[BLUR, DESTRUCTION].worst is None


def test_the_smallest_difference_is_asked_for_and_said(physadv, root, tmp_path):
    page = tmp_path / "compared.html"
    asked = ("compare", "mine", "fast", "--transform", BLUR, "--root", root)
    found = json.loads(physadv(*asked, "--smallest", 7.5, "--json", "--html", page).out)
    assert found["smallest_difference"] == 0.075
    assert {test["smallest"] for line in found["lines"] for test in line["tests"]} == {0.075}
    html = page.read_text(encoding="utf-8")
    assert "lies beyond 7.5 points, the smallest difference of interest, settled beforehand" in html
    assert "3 points" not in html
    assert "--smallest 7.5" in html
    assert "of interest from 3 points on" in physadv(*asked, "--quiet").out
    for wrong in (-1, 100):
        assert f"smallest difference {wrong} points" in physadv(*asked, "--smallest", wrong).error


def test_holm_covers_the_whole_comparison(root):
    found = compare_runs(root, ["mine", "fast"], sweeps=["blur=1:3:3"])
    tests = [test for line in found.lines for test in line.tests]
    # The files' success, and success and destruction through three strengths.
    assert len(tests) == 1 + 2 * 3
    assert [test.holm for test in corrected(tests)] == [test.holm for test in tests]
    defined = sorted((test.p, test.holm) for test in tests if test.p is not None)
    assert defined[0][1] == pytest.approx(min(1.0, defined[0][0] * len(defined)))


def test_several_photos_of_a_pair_are_its_share():
    from physadv.evaluation.outcomes import Judgement, PairOutcome, tally

    cat, far = Judgement((0,), 0.9), Judgement((1,), 0.9)
    counted = tally(
        [
            PairOutcome(str(k), 0, cat, far, (), after)
            for k, after in enumerate([(cat, cat, far), (cat, far), (far, far), ()])
        ]
    )
    everything = np.ones(4, bool)
    assert compare._by_pair(counted, everything, right=True) == {0: (2, 3), 1: (1, 2), 2: (0, 2)}
    assert compare._by_pair(counted, everything, right=False) == {0: (1, 3), 1: (1, 2), 2: (2, 2)}


def test_only_shared_images_are_compared(physadv, root):
    answer = physadv("compare", "mine", "part", "--transform", BLUR, "--quiet", "--root", root)
    assert answer.code == 0
    assert "3 shared pairs" in answer.out
    assert "mine: 2 pairs of 5 not shared, left out" in answer.out


def test_json_and_page_say_the_same(physadv, root, tmp_path):
    page = tmp_path / "compared.html"
    asked = ("--transform", BLUR, "--json", "--html", page, "--root", root)
    answer = physadv("compare", "mine", "fast", *asked)
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    assert found["shared_pairs"] == 5
    assert [run["attack"] for run in found["runs"]] == ["bim", "fast"]
    html = page.read_text(encoding="utf-8")
    for line in found["lines"]:
        for rate in line["rates"].values():
            assert rate["value"] is None or f"{100 * rate['value']:.1f}" in html
    assert "physadv compare mine fast --model signs --transform blur=2" in html
    assert "http" not in html


def test_a_difference_stands_only_after_correction():
    def test(p):
        return Comparison("a", "b", Estimate(0.5, 0.4, 0.6, 9, 9), p, None)

    small, large, none = corrected([test(0.03), test(0.8), test(None)])
    assert (small.holm, large.holm, none.holm) == (pytest.approx(0.06), pytest.approx(0.8), None)
    assert small.verdict == "no difference of interest shown"


def test_runs_against_different_classifiers_are_refused_unless_one_judges_all(
    physadv, root, signs_csv, tmp_path, monkeypatch
):
    (tmp_path / "another_judge.py").write_text(
        "from physadv.classifiers import load_classifier\ndef again():\n    return load_classifier('signs')\n"
    )
    monkeypatch.chdir(tmp_path)
    spec = "python:another_judge:again"
    generate(Printout(root, "other"), GenerateSettings(images=signs_csv, model=spec, attack="fast"))
    asked = ("compare", "mine", "other", "--transform", BLUR, "--quiet", "--root", root)
    error = physadv(*asked).error
    assert "different classifiers cannot be compared as if alike" in error
    assert f"(mine against signs, other against {spec})" in error
    assert "--model SPEC" in error
    assert physadv(*asked, "--model", "signs").code == 0


def test_runs_without_a_common_image_are_refused(physadv, root, signs_csv):
    generate(Printout(root, "small"), GenerateSettings(images=signs_csv, attack="fast", size=48))
    error = physadv("compare", "mine", "small", "--transform", BLUR, "--root", root).error
    assert "no source image is in all of mine, small" in error


def test_a_run_never_photographed_is_named(physadv, cropped_root, two_runs, copy_of):
    root = copy_of(cropped_root)
    shutil.copytree(two_runs / "printouts" / "fast", root / "printouts" / "fast")
    error = physadv("compare", "mine", "fast", "--root", root).error
    assert "run 'fast' was never photographed and cropped" in error
    assert "--transform or --sweep" in error
    assert not (root / "captures" / "fast").exists()
    answer = physadv("compare", "mine", "fast", "--transform", BLUR, "--quiet", "--root", root)
    assert "photos are left out: fast never photographed" in answer.out


@pytest.mark.parametrize("names", [("mine",), ("mine", "mine")])
def test_fewer_than_two_runs_are_refused(physadv, root, names):
    assert "wanted two runs or more, each once" in physadv("compare", *names, "--root", root).error


def test_one_run_against_the_others_is_fewer_tests(root):
    found = compare_runs(root, ["fast", "mine", "part"], transforms=[BLUR], against="mine")
    assert found.against == "mine"
    pairs = [[(test.first, test.second) for test in line.tests] for line in found.lines]
    assert pairs == [[("fast", "mine"), ("part", "mine")]] * 3 + [[]]


def test_a_run_to_test_against_must_be_one_of_those_compared(physadv, root):
    asked = ("compare", "mine", "fast", "--transform", BLUR, "--root", root)
    error = physadv(*asked, "--against", "mien").error
    assert "unknown run to compare with 'mien'; nearest: mine" in error


def test_the_image_shown_fools_in_every_run(root, judged):
    judged("mine", [True, False, False, False, False], [True] * 5)
    judged("fast", [False, True, False, False, False], [True] * 5)
    found = compare_runs(root, ["mine", "fast"], transforms=[BLUR])
    assert found.example == ("0003", "0003")
    judged_never = compare_runs(root, ["mine", "part"], transforms=[BLUR])
    assert len(judged_never.example) == 2
