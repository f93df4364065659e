import json
import math
from dataclasses import replace

import pytest

from physadv.report.table import show
from physadv.signs.stop_sign.score import Score, longest_run, score_drive_by, score_lab, shares
from physadv.signs.stop_sign.tables import Printability, score_tables
from physadv.signs.stop_sign.views import Answer

STOP, LIMIT, OTHER = 0, 1, 2
PRINTABILITY = {"nps_minimum": 0.0123, "palette_error": 0.02}


def show_score(score: Score, printability: Printability) -> None:
    for table in score_tables(score, printability):
        show(table)


def answer(said: int | None, **changes: object) -> Answer:
    found = ((), ()) if said is None else ((said,), (0.8,))
    plain = Answer("optimised", "a", "5 ft, 0°", 1.5, 0.0, STOP, LIMIT, *found)
    return replace(plain, **changes)


def several(*said: int | None, **changes: object) -> list[Answer]:
    return [answer(each, **changes) for each in said]


def test_shares_count_what_was_found() -> None:
    own = shares(several(*[LIMIT] * 7, OTHER, STOP, STOP, None, None), id)
    assert own.views == 12
    assert own.found.value == pytest.approx(10 / 12)
    assert own.targeted.value == pytest.approx(0.7)
    assert own.untargeted.value == pytest.approx(0.8)
    assert own.accuracy.value == pytest.approx(0.2)
    assert own.confidence == pytest.approx(0.8)
    # Clopper and Pearson 1934 for 7 of 10.
    assert (own.targeted.low, own.targeted.high) == pytest.approx((0.3475, 0.9333), abs=1e-4)


def test_nothing_found_is_undefined_not_zero() -> None:
    own = shares(several(None, None), id)
    assert (own.found.value, own.targeted.value, own.accuracy.value) == (0, None, None)
    assert own.confidence is None


def test_without_a_target_success_is_not_being_read_right() -> None:
    score = score_lab(several(OTHER, STOP, target=None))
    assert score.measure == "untargeted"
    assert score.overall["optimised"].targeted.undefined == "no target"
    assert score.overall["optimised"].untargeted.value == 0.5


def test_clusters_widen_intervals() -> None:
    answers = [
        each for sign, said in (("a", LIMIT), ("b", STOP)) for each in several(*[said] * 9, STOP, sign=sign)
    ]
    alone, clustered = shares(answers, id).targeted, score_lab(answers).overall["optimised"].targeted
    assert alone.value == clustered.value == pytest.approx(0.45)
    assert (alone.pairs, clustered.pairs) == (20, 2)
    assert clustered.high - clustered.low > alone.high - alone.low


def test_treatments_are_compared_sign_by_sign() -> None:
    answers = [
        each
        for sign in "abcdef"
        for treatment, said in (("random", (STOP, STOP, LIMIT)), ("optimised", (LIMIT, STOP, LIMIT)))
        for each in several(*said, sign=sign, treatment=treatment)
    ]
    (test,) = score_lab(answers).tests
    assert (test.difference.value, test.difference.pairs) == (pytest.approx(-1 / 3), 6)
    # Six heads of six tosses, either way; six signs are too few for more than 3 points.
    assert test.p == pytest.approx(2 / 64)
    assert test.verdict == "no difference of interest shown"


def test_views_in_which_only_one_was_found_are_no_pair() -> None:
    answers = several(None, LIMIT, treatment="random") + several(LIMIT, LIMIT)
    (test,) = score_lab(answers).tests
    assert test.difference.n == 1


@pytest.mark.parametrize(("said", "run"), [("", 0), ("s", 1), ("lsslsssls", 3), ("ss-s", 2), ("lll", 0)])
def test_longest_run_of_right_answers(said: str, run: int) -> None:
    meaning = {"s": STOP, "l": LIMIT, "-": None}
    assert longest_run([answer(meaning[each]) for each in said]) == run


def test_drive_by_gathers_distances_and_keeps_approaches_apart() -> None:
    answers = [
        each
        for place in ("approach 1", "approach 2")
        for distance, said in ((31.0, STOP), (12.0, STOP), (11.0, LIMIT), (math.nan, None))
        for each in several(said, place=place, distance_m=distance)
    ]
    score = score_drive_by(answers)
    assert list(score.places) == ["10–15 m", "30–35 m"]
    assert score.distances_m == (12.5, 32.5)
    assert score.places["10–15 m"]["optimised"].targeted.value == 0.5
    assert score.places["10–15 m"]["optimised"].targeted.pairs == 2
    assert score.overall["optimised"].views == 8
    assert score.longest_run == {"optimised": 2}


def test_tables_name_the_channel_and_undefined_shares(capsys) -> None:
    answers = several(LIMIT, LIMIT) + several(None, None, treatment="clean")
    show_score(score_lab(answers), PRINTABILITY)
    shown = capsys.readouterr().out
    assert "lab test, simulated: per cent with 95 % interval over signs" in shown
    assert "100.0 (3.0–100.0)" in shown
    assert "0.0123" in shown
    show_score(score_drive_by(answers, "mine.mp4"), PRINTABILITY)
    assert "drive-by test, mine.mp4" in capsys.readouterr().out


def test_score_is_json() -> None:
    answers = several(LIMIT, None) + several(STOP, treatment="clean", distance_m=math.nan)
    for score in (score_lab(answers), score_drive_by(answers)):
        told = json.loads(json.dumps(score.as_json(), allow_nan=False))
        assert told["overall"]["optimised"]["targeted"]["value"] == 1.0
        assert told["channel"] == "simulated"
