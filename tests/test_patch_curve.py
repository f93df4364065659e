"""The study of patches against area in benchmarks: what is made, that all are judged alike, and its page."""

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from physadv.attacks.patches import circle

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import patch_curve as study
from imagenet_data import kept
from patch_curve import BLACK_BOX, NETS, NOISE, PHOTO, TOASTER, WHITE_BOX, Answers, Result, Unit

ROWS = [{"path": f"{label}.png", "label": str(label), "name": f"class {label}"} for label in range(850, 870)]
TARGETS = (850, 851)


def test_random_targets_each_have_a_photo_and_are_not_toaster() -> None:
    drawn = study.random_targets(ROWS, 10)
    assert len(set(drawn)) == 10
    assert set(drawn) <= set(range(850, 870)) - {TOASTER}
    assert drawn == study.random_targets(list(reversed(ROWS)), 10)


def test_a_black_box_is_judged_by_the_network_that_it_was_not_made_on() -> None:
    found = [unit for unit in study.units(NETS, TARGETS, (0.1,), ()) if unit.kind == BLACK_BOX]
    assert sorted(unit.net for unit in found) == sorted(NETS)
    assert all({unit.net, *unit.made_on} == set(NETS) for unit in found)


def test_every_unit_has_files_of_its_own() -> None:
    todo = study.units(NETS, TARGETS, (0.1,), (3,))
    assert len({(unit.name, unit.net) for unit in todo}) == len(todo)


def test_place_and_turn_do_not_depend_on_the_sticker() -> None:
    places = []

    def seen_by(images: Tensor) -> Tensor:
        places.append(((images - 0.5).abs() > 0.25).any(dim=1))
        return torch.zeros(len(images), 2)

    images, alpha = torch.full((3, 3, 24, 24), 0.5), circle(8)
    for level in (0.0, 1.0):
        study.called(seen_by, torch.full((3, 8, 8), level), alpha, images, 0.1)  # type: ignore[arg-type]
    assert torch.equal(places[0], places[1])
    assert not torch.equal(places[0][0], places[0][1])


def test_images_of_the_target_s_own_class_are_left_out() -> None:
    def toaster(images: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(torch.full((len(images),), TOASTER), 1000)

    held_out = ["a.png", "b.png"], torch.zeros(2, 3, 24, 24), torch.tensor([1, TOASTER])
    unit = Unit(NOISE, NETS[0], TOASTER, (0.1,))
    found = study.answers(toaster, torch.zeros(3, 8, 8), unit, held_out)  # type: ignore[arg-type]
    assert found == {"0.1": {"a.png": 1}}


def test_what_is_kept_is_not_made_again(tmp_path: Path) -> None:
    made = []

    def make() -> Answers:
        made.append(1)
        return {"0.1": {"a.png": 1}}

    assert kept(tmp_path / "one.json", make) == kept(tmp_path / "one.json", make)
    assert len(made) == 1


@pytest.fixture
def result() -> Result:
    """Patches that always work beside photos that never do; the black box works on half of the images."""
    measured = {}
    for unit in study.units(NETS, TARGETS, (0.05, 0.1), (3,)):
        works = {WHITE_BOX: 20, BLACK_BOX: 10}.get(unit.kind, 0)
        hits = {f"{place}.png": int(place < works) for place in range(20)}
        measured[unit] = {f"{area:g}": hits for area in unit.areas}
    return Result(measured, NETS, (0.05, 0.1))


def test_targets_are_pooled_by_image(result: Result) -> None:
    share = study.share_of(result.random(WHITE_BOX, NETS[0], 0.1))
    assert (share.value, share.n, share.pairs) == (1.0, 40, 20)


def test_a_family_is_one_table(result: Result) -> None:
    tests = result.above_photo()
    assert len(tests) == 6
    assert all(test.verdict == "patch higher" for test in tests)
    assert tests[0].p == pytest.approx(2 * 0.5**20)
    assert tests[0].holm == pytest.approx(6 * 2 * 0.5**20)


def test_alike_patches_show_no_difference(result: Result) -> None:
    assert [test.verdict for test in result.one_for_all()] == ["no difference of interest shown"] * 3


def test_the_page_begins_with_what_no_longer_holds(result: Result, tmp_path: Path) -> None:
    text = study.page(result, study.Study(tmp_path, tmp_path, 250, 4), {850: "first", 851: "second"})
    assert text.index("What no longer holds") < text.index("How it was measured") < text.index(PHOTO)
    assert "± 1.5 points" in text
    assert "first, second" in text
    assert study.summary(result)[f"black_box_{NETS[0]}_10"] == 0.5
