"""Targets, and success judged on draws the attack has not seen."""

from pathlib import Path

import numpy as np
import pytest

from physadv.classifiers import load_classifier
from physadv.pipeline import attack_batch as attacking
from physadv.pipeline.attack_batch import HELD_OUT_DRAWS, Checkpoint, attack_batch
from physadv.pipeline.settings import GenerateSettings, SettingsError, resolve
from physadv.runs import Printout
from physadv.signs.drawing.drawing import draw_demo_set
from physadv.transforms import compose, parse_transform

NOISY = compose(parse_transform("noise=30"), parse_transform("blur=1"))


def settings(**changes):
    options = {"attack": "bim", "eps": 24, "transforms": "identity", "samples": 1, "steps": 6}
    return GenerateSettings(images=Path("unread"), **{**options, **changes})


@pytest.fixture(scope="module")
def signs():
    classifier = load_classifier("signs")
    drawn = draw_demo_set(4, size=48, seed=0)
    return classifier, [pixels for _, pixels in drawn], [classifier.label_index(label) for label, _ in drawn]


def test_a_class_named_as_target_is_the_target_of_every_image(signs):
    classifier, pixels, labels = signs
    attacked = attack_batch(settings(target="no vehicles"), classifier, pixels, labels, 0)
    target = classifier.label_index("no vehicles")
    assert attacked.targets == [target] * 4
    clean = classifier.probabilities(attacking.to_tensor(pixels))[:, target]
    after = classifier.probabilities(attacking.to_tensor(list(attacked.pixels)))[:, target]
    assert bool((after > clean).all())


def test_random_targets_repeat_under_a_seed_and_differ_between_batches(signs):
    classifier, pixels, labels = signs
    first, again, other = (
        attack_batch(settings(target="random", steps=1), classifier, pixels, labels, index).targets
        for index in (0, 0, 1)
    )
    assert first == again != other
    assert all(target != label for target, label in zip(first, labels, strict=True))


def test_least_likely_is_a_target_for_any_attack(signs):
    classifier, pixels, labels = signs
    chosen = attack_batch(settings(target="least-likely", steps=1), classifier, pixels, labels, 0).targets
    own = attack_batch(settings(attack="least-likely", steps=1), classifier, pixels, labels, 0).targets
    assert chosen == own == classifier(attacking.to_tensor(pixels)).argmin(dim=1).tolist()


def test_images_without_a_label_get_the_classifiers_answer(signs):
    classifier, pixels, labels = signs
    attacked = attack_batch(settings(steps=1), classifier, pixels, [None, *labels[1:]], 0)
    assert attacked.labels[0] == attacked.before[0][0].label


def test_without_transformations_there_is_nothing_to_hold_out(signs):
    assert attack_batch(settings(), *signs, 0).held_out == [None] * 4


def test_held_out_success_is_counted_on_one_fixed_set_of_draws(signs, monkeypatch):
    classifier, pixels, labels = signs
    monkeypatch.setattr(GenerateSettings, "distribution", lambda settings, image_px: NOISY)
    attacked = attack_batch(settings(transforms="noisy", samples=2), classifier, pixels, labels, 0)
    again = attack_batch(settings(transforms="noisy", samples=2), classifier, pixels, labels, 0)
    assert attacked.held_out == again.held_out
    np.testing.assert_array_equal(attacked.pixels, again.pixels)
    for held_out in attacked.held_out:
        assert held_out is not None
        assert held_out.draws == HELD_OUT_DRAWS
        assert (held_out.success * HELD_OUT_DRAWS).is_integer()


def test_held_out_success_of_an_attack_that_changes_nothing_is_that_of_the_clean_image(signs, monkeypatch):
    """One level in one step does not fool the classifier, and neither do the transformations."""
    classifier, pixels, labels = signs
    monkeypatch.setattr(GenerateSettings, "distribution", lambda settings, image_px: NOISY)
    attacked = attack_batch(settings(transforms="noisy", eps=1, steps=1), classifier, pixels, labels, 0)
    right = [top[0].label == label for top, label in zip(attacked.before, labels, strict=True)]
    assert all(right)
    assert max(held_out.success for held_out in attacked.held_out) < 0.5


def test_the_target_reaches_the_manifest(physadv, signs_csv, tmp_path):
    options = ("--steps", 2, "--target", "yield", "--limit", 2, "--quiet", "--root", tmp_path)
    assert physadv("generate", signs_csv, "--name", "mine", *options).code == 0
    manifest = Printout(tmp_path, "mine").manifest()
    target = load_classifier("signs").label_index("yield")
    assert {example.target for example in manifest.examples} == {target}
    assert manifest.attack.parameters["target"] == "yield"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--target", "no such sign"), "label 'no such sign' is no class"),
        (("--target", "99"), "label 99 is outside the 43 classes"),
        (("--attack", "least-likely", "--target", "random"), "chooses its own"),
    ],
)
def test_impossible_targets_are_one_line(physadv, signs_csv, tmp_path, options, line):
    answer = physadv("generate", signs_csv, "--name", "mine", *options, "--quiet", "--root", tmp_path)
    assert line in answer.error
    assert not (tmp_path / "printouts" / "mine" / "manifest.json").exists()


def test_a_target_that_is_an_images_label_is_named(physadv, signs_csv, tmp_path):
    label = signs_csv.read_text().splitlines()[1].split(",")[1]
    answer = physadv("generate", signs_csv, "--name", "mine", "--target", label, "-q", "--root", tmp_path)
    assert "is the image's own label" in answer.error


def test_an_attack_ends_early_where_its_goal_is_met(signs):
    classifier, pixels, labels = signs
    steps = []
    met = attack_batch(settings(eps=64, steps=60, goal=0.5), classifier, pixels, labels, 0, Counting(steps))
    assert max(steps) < 59
    assert all(top[0].label != label for top, label in zip(met.after, labels, strict=True))


def test_a_goal_out_of_reach_changes_nothing(signs):
    classifier, pixels, labels = signs
    without = attack_batch(settings(eps=1, steps=12, target="no vehicles"), classifier, pixels, labels, 0)
    aimed = attack_batch(
        settings(eps=1, steps=12, target="no vehicles", goal=1.0), classifier, pixels, labels, 0
    )
    assert np.array_equal(aimed.pixels, without.pixels)


@pytest.mark.parametrize("goal", [0.0, -0.5, 1.5, float("nan")])
def test_a_goal_is_a_share(goal):
    with pytest.raises(SettingsError, match=r"goal .*: wanted a share of transformed views"):
        resolve(settings(goal=goal))


def test_an_interrupted_attack_goes_on_from_its_checkpoint(signs, tmp_path, monkeypatch):
    classifier, pixels, labels = signs
    monkeypatch.setattr(GenerateSettings, "distribution", lambda settings, image_px: NOISY)
    noisy = settings(attack="eot", transforms="noisy", samples=2, steps=8)
    whole = attack_batch(noisy, classifier, pixels, labels, 0)

    path = tmp_path / "loop.pt"
    with pytest.raises(KeyboardInterrupt):
        attack_batch(noisy, classifier, pixels, labels, 0, Interrupted(path, seconds=0, at=5))
    seen = []
    resumed = attack_batch(noisy, classifier, pixels, labels, 0, Counting(seen, path))

    assert seen == [5, 6, 7]
    assert np.array_equal(resumed.pixels, whole.pixels)


def test_queries_asked_before_an_interruption_are_counted(signs, tmp_path):
    classifier, pixels, labels = signs
    asking = settings(steps=4, estimate="nes=2")
    whole = attack_batch(asking, classifier, pixels, labels, 0)
    path = tmp_path / "loop.pt"
    with pytest.raises(KeyboardInterrupt):
        attack_batch(asking, classifier, pixels, labels, 0, Interrupted(path, seconds=0, at=2))
    resumed = attack_batch(asking, classifier, pixels, labels, 0, Checkpoint(path, seconds=1e9))

    assert whole.queries == resumed.queries == 4 * 4 * 3
    assert np.array_equal(resumed.pixels, whole.pixels)


class Counting(Checkpoint):
    """Takes up what is kept and notes every step from there."""

    def __init__(self, steps, path=Path("absent.pt")):
        super().__init__(path, seconds=1e9)
        self.steps = steps

    def keep(self, queried, snapshot):
        self.steps.append(snapshot.step)


class Interrupted(Checkpoint):
    """Keeps every step and is interrupted before one of them."""

    def __init__(self, path, seconds, at):
        super().__init__(path, seconds)
        self.at = at

    def keep(self, queried, snapshot):
        super().keep(queried, snapshot)
        if snapshot.step == self.at:
            raise KeyboardInterrupt
