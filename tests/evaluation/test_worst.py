"""Attacks taken together by pencil and paper."""

import pytest

from physadv.evaluation import proportion, worst_over


def test_an_image_has_failed_where_any_attack_made_it_fail():
    found = worst_over({"a": [1, 0, 0, 0, 0], "b": [0, 1, 1, 0, 0], "c": [0, 1, 0, 0, 0]})
    assert (found.attack, found.alone.value, found.union.value, found.union.n) == ("b", 0.4, 0.6, 5)
    assert found.union == proportion([1, 1, 1, 0, 0], [1] * 5)
    assert found.notes == ()


def test_an_untargeted_attack_below_a_targeted_one_is_a_failed_attack():
    failed = {"noise": [0] * 7, "pgd": [1] * 3 + [0] * 4, "to stop": [0] * 5 + [1] * 2}
    found = worst_over(failed, targeted={"to stop"})
    assert found.attack == "pgd"
    assert found.union.value == 5 / 7
    (note,) = found.notes
    assert note.startswith("noise found 0 failures of 7, fewer than the targeted to stop (2)")
    assert "failed attack" in note


def test_attacks_of_unlike_budgets_are_not_held_against_each_other():
    failed = {"patch": [0] * 7, "bim": [1] + [0] * 6, "to stop": [1] * 2 + [0] * 5}
    found = worst_over(failed, {"to stop"}, {"patch": "10 %", "bim": "eps 16", "to stop": "eps 16"})
    assert [note.split()[0] for note in found.notes] == ["bim"]


def test_attacks_on_unlike_numbers_of_images_are_refused():
    for failed in ({}, {"a": [1, 0], "b": [1]}):
        with pytest.raises(ValueError, match="all on the same images"):
            worst_over(failed)
