"""Which pairs the report shows, and what it says became of them."""

import pytest

from physadv.evaluation.outcomes import Judgement, PairOutcome
from physadv.report.gallery import difference_gain, fair_shares, fate, spread
from physadv.runs import AttackRecord

CAT, FAR = Judgement((0, 1, 2, 3, 4), 0.9), Judgement((1, 2, 3, 4, 5), 0.95)


@pytest.mark.parametrize(
    ("clean", "adversarial", "after", "expected"),
    [
        (CAT, FAR, (FAR, FAR), "survived"),
        (CAT, FAR, (FAR, CAT), "mixed"),
        (CAT, FAR, (CAT,), "destroyed"),
        (CAT, CAT, (FAR,), "harmless"),
        (FAR, FAR, (CAT,), "clean wrong"),
        (CAT, FAR, (), "not captured"),
    ],
)
def test_fate(clean: Judgement, adversarial: Judgement, after: tuple[Judgement, ...], expected: str) -> None:
    assert fate(PairOutcome("1", 0, clean, adversarial, (), after)) == expected


def test_room_is_shared_fairly() -> None:
    assert fair_shares([2, 40, 100], 24) == [2, 11, 11]
    assert fair_shares([3, 0, 4], 24) == [3, 0, 4]
    outcomes = [PairOutcome(str(index), 0, CAT, FAR, (), ()) for index in range(10)]
    assert [outcome.pair for outcome in spread(outcomes, 4)] == ["0", "2", "5", "7"]


@pytest.mark.parametrize("eps", [1, 8, 16, 127, 255])
def test_amplified_difference_stays_within_8_bits(eps: int) -> None:
    gain = difference_gain(AttackRecord(name="bim", eps=eps))
    assert gain >= 1
    assert eps > 127 or 0 <= 128 - gain * eps < 128 + gain * eps <= 255


def test_small_differences_show_where_nothing_bounds_them() -> None:
    assert difference_gain(AttackRecord(name="cw-l2", eps=None, parameters={"norm": "L2"})) == 8
    assert difference_gain(AttackRecord(name="pgd-l2", eps=765, parameters={"norm": "L2"})) == 8
