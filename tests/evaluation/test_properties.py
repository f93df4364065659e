"""What holds of intervals and of attacks taken together whatever was counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physadv.evaluation import proportion, worst_over
from physadv.evaluation.intervals import share

CLUSTERS = st.lists(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1
)
"""(successes, seen) of clusters that were seen unequally often."""
VIEWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.booleans()), min_size=1, max_size=40)
"""(image, photo, right) of views, in any number and order."""


def of_views(views):
    images, photos, right = zip(*views, strict=True)
    return share(right, images, photos)


@settings(max_examples=80, deadline=None)
@given(VIEWS, st.data())
def test_one_failure_more_in_any_photo_never_makes_surer(views, data):
    """Images that share photos, seen unequally often in them."""
    right = [k for k, view in enumerate(views) if view[2]]
    if not right:
        return
    lost = data.draw(st.sampled_from(right))
    worse = of_views([(*view[:2], view[2] and k != lost) for k, view in enumerate(views)])
    better = of_views(views)
    assert worse.low <= better.low + 1e-9
    assert worse.high <= better.high + 1e-9


@settings(max_examples=80, deadline=None)
@given(VIEWS)
def test_photos_that_share_light_never_narrow_an_interval(views):
    images, _, right = zip(*views, strict=True)
    alone, crossed = share(right, images), of_views(views)
    assert (crossed.value, crossed.n, crossed.pairs) == (alone.value, alone.n, alone.pairs)
    assert crossed.low <= alone.low + 1e-9
    assert crossed.high >= alone.high - 1e-9


@settings(max_examples=80, deadline=None)
@given(CLUSTERS)
def test_an_interval_holds_its_share_whatever_the_order_and_is_mirrored(clusters):
    k, n = np.array(clusters).T
    found, mirrored, turned = proportion(k, n), proportion(n - k, n), proportion(k[::-1], n[::-1])
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((turned.low, turned.high), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)
    assert found.low == 0 or k.sum() > 0
    assert found.high == 1 or k.sum() < n.sum()
    assert found.high < 1 or k.sum() > 0
    assert found.low > 0 or k.sum() < n.sum()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.data())
def test_one_cluster_says_no_more_than_its_trials_and_no_less_than_one(n, data):
    k = data.draw(st.integers(0, n))
    one, trials = proportion([k], [n]), proportion([1] * k + [0] * (n - k), [1] * n)
    assert one.pairs == 1
    assert one.low <= trials.low + 1e-9
    assert one.high >= trials.high - 1e-9
    single = proportion([1], [1])
    assert (single.low, single.high) == pytest.approx((0.025, 1))
    if k in (0, n):
        assert one.high - one.low <= single.high - single.low + 1e-9


FAILED = st.integers(1, 12).flatmap(
    lambda images: st.dictionaries(
        st.sampled_from("abcd"), st.lists(st.booleans(), min_size=images, max_size=images), min_size=1
    )
)


@given(FAILED)
def test_the_union_holds_every_attack_and_no_more_than_their_sum(failed):
    found = worst_over(failed)
    counts = {name: sum(own) for name, own in failed.items()}
    assert found.alone.value * found.alone.n == pytest.approx(max(counts.values()))
    assert counts[found.attack] == max(counts.values())
    union = found.union.value * found.union.n
    assert max(counts.values()) <= union + 1e-9
    assert union <= min(sum(counts.values()), found.union.n) + 1e-9


@given(FAILED, st.sampled_from([None, float("nan"), 2, "yes"]), st.data())
def test_an_image_missing_under_one_attack_is_no_failure_of_it(failed, missing, data):
    name = data.draw(st.sampled_from(sorted(failed)))
    own = [*failed[name][1:], missing]
    with pytest.raises(
        ValueError, match=f"{name}.*wanted whether each image failed, and none that is missing"
    ):
        worst_over({**failed, name: own})
