"""The study of EOT's strength in benchmarks: equal numbers of every network, balls kept, and its page."""

import sys
from pathlib import Path

import pytest
import torch

from physadv.classifiers import load_classifier

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import eot_strength as study
from eot_strength import EPS, L_INF, LAGRANGIAN, NETS, WEIGHTS, Result, Row, Unit


def test_any_beginning_has_as_many_images_of_every_network() -> None:
    todo = [unit for unit in study.units(NETS, 4, 0) if unit.seed == 0]
    assert [unit.image for unit in todo[:6]] == [0, 0, 0, 1, 1, 1]
    assert len(set(study.units(NETS, 4, 2))) == len(study.units(NETS, 4, 2))


def test_an_image_counts_once_every_network_has_finished_it() -> None:
    todo = study.units(NETS, 3, 3)
    found: dict[Unit, list[Row]] = {unit: [] for unit in todo[:11]}
    assert {unit.image for unit in study.of_whole_images(found, todo)} == {0}
    assert len(study.of_whole_images(found, todo)) == 6


@pytest.mark.parametrize("attack", [LAGRANGIAN, L_INF])
def test_attempts_go_on_from_one_another_and_keep_the_ball(
    attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "STEPS", 2)
    monkeypatch.setattr(study, "FIRST_STEPS", 2)
    classifier, image = load_classifier("signs"), torch.full((1, 3, 32, 32), 128 / 255)
    made = list(study.attempts(classifier, image, 1, 14, attack, seed=0))
    assert [bound for bound, *_ in made] == list(WEIGHTS if attack == LAGRANGIAN else EPS)
    assert [gradients for _, _, gradients, _ in made] == [8, 16, 24, 32]
    if attack == L_INF:
        for bound, adversarial, *_ in made:
            assert float(((adversarial - image) * 255).abs().max()) <= bound + 1e-3
    first, second = made[0][1], made[1][1]
    assert not torch.equal(first, image)
    assert not torch.equal(first, second)


@pytest.fixture
def result() -> Result:
    """Every image is strong on the first two networks, at ΔE 7 and 11, and never on the third."""
    found = {}
    for unit in study.units(NETS, 20, 4):
        place = NETS.index(unit.net)
        reached: Row = {
            "bound": 0.1,
            "hits": (50, 46, 0)[place],
            "lab": (7.0, 11.0, 3.0)[place],
            "gradients": 80,
        }
        clean: Row = {"bound": 0, "hits": 0, "lab": 0.0, "gradients": 0}
        at_eps: list[Row] = [{**reached, "bound": eps} for eps in EPS]
        found[unit] = [clean, reached] if unit.attack == LAGRANGIAN else at_eps
    return Result(found, NETS)


def test_success_within_a_distance_needs_both(result: Result) -> None:
    assert [
        study.strong(list(result.last(net).values()), limit).split(" (")[0]
        for net, limit in ((NETS[0], 6), (NETS[0], 8), (NETS[1], 12), (NETS[2], 12))
    ] == ["0.0 %", "100.0 %", "100.0 %", "0.0 %"]


def test_the_figures_are_over_images(result: Result) -> None:
    figures = study.summary(result)
    assert figures["images"] == 20
    assert figures[f"mean_{NETS[1]}"] == figures[f"p5_{NETS[1]}"] == figures[f"eps_4_{NETS[1]}"] == 0.92
    assert figures["spread"] == 0


def test_the_page_says_what_no_longer_holds_first_and_compares_in_a_family(result: Result) -> None:
    text = study.page(result, 224, {"ratio_print_photo": 1.05, "measured": "2026-11-21", "rounds": 7})
    assert text.index("What no longer holds") < text.index("## Strength") < text.index("## Cost")
    assert f"| {NETS[0]} − {NETS[2]} | +100.0 points" in text
    assert f"{NETS[0]} higher" in text
    assert "| `print-photo` | 1.050 | ≤ 1.12 |" in text


def test_a_unit_that_is_kept_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(study, "measure", lambda study, unit: asked.append(unit) or [{"hits": 3}])
    one = study.Study(tmp_path, tmp_path, 224)
    assert study.measured_by(one, Unit(NETS[0], 0)) == study.measured_by(one, Unit(NETS[0], 0))
    assert len(asked) == 1
