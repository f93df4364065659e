"""Paired tests by pencil and paper."""

import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar

from physadv.evaluation.comparisons import compare_paired, holm, mcnemar_exact


def test_mcnemar_is_a_fair_coin_on_the_pairs_that_differ() -> None:
    """1 against 7: p = 2·(C(8,0) + C(8,1))/2⁸ = 18/256."""
    assert mcnemar_exact(1, 7) == pytest.approx(18 / 256)
    assert mcnemar_exact(7, 1) == pytest.approx(binomtest(1, 8).pvalue)
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(4, 4) == 1.0


def test_holm_by_hand() -> None:
    """Three p sorted: 0.01·3, max(0.03, 0.02·2), max(0.04, 0.04·1), back in their own order."""
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_attacks_are_compared_on_the_pairs_they_share() -> None:
    fast = {f"{k}": k < 2 for k in range(12)}
    bim = {f"{k}": k < 11 for k in range(12)}
    other = {f"{k}": True for k in range(50, 60)}
    fast_bim, fast_other, bim_other = compare_paired({"fast": fast, "bim": bim, "other": other})
    assert (fast_bim.only_first, fast_bim.only_second, fast_bim.pairs) == (0, 9, 12)
    assert fast_bim.p == pytest.approx(2 / 2**9)
    assert fast_bim.p == pytest.approx(mcnemar([[2, 0], [9, 1]], exact=True).pvalue)
    # The two that share no pair are no tests, and are not corrected for.
    assert fast_bim.holm == fast_bim.p
    assert fast_bim.differs
    for nothing in (fast_other, bim_other):
        assert (nothing.p, nothing.holm, nothing.undefined) == (None, None, "no pairs left")
        assert not nothing.differs


def test_a_table_of_tests_is_corrected_as_one() -> None:
    first = {str(k): False for k in range(6)}
    tests = compare_paired({"a": first, "b": {str(k): True for k in range(6)}, "c": dict(first)})
    assert [test.p for test in tests] == pytest.approx([2 / 2**6, 1.0, 2 / 2**6])
    assert [test.holm for test in tests] == pytest.approx([3 * 2 / 2**6, 1.0, 3 * 2 / 2**6])
    assert not any(test.differs for test in tests)
