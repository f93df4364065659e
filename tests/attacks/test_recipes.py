import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from physadv.attacks import (
    RECIPES,
    AttackError,
    bim,
    eot,
    fast,
    find_recipe,
    least_likely,
    least_likely_class,
    pgd,
)
from physadv.attacks.recipes import kurakin_iterations
from physadv.classifiers import Classifier
from physadv.transforms import identity, load_preset, parse_transform

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
RECIPE_NAMES = pytest.mark.parametrize("name", [r.name for r in RECIPES.values() if r.norm == "L∞"])


def logistic_regression(seed: int) -> Classifier:
    linear = nn.Linear(3 * 4 * 4, 2, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    nn.init.normal_(linear.weight, generator=generator)
    nn.init.normal_(linear.bias, generator=generator)
    return Classifier(nn.Sequential(nn.Flatten(), linear), ["no", "yes"], "logistic")


def levels_of(images: torch.Tensor) -> torch.Tensor:
    return (images.double() * 255).round().int()


@given(seed=st.integers(0, 10_000), eps=st.integers(1, 60))
@settings(max_examples=40)
def test_fast_is_the_exact_worst_case_of_logistic_regression(seed, eps):
    classifier = logistic_regression(seed)
    generator = torch.Generator().manual_seed(seed)
    levels = torch.randint(0, 256, (5, 3, 4, 4), generator=generator)
    labels = torch.randint(0, 2, (5,), generator=generator)

    adversarial = fast(classifier, levels.double() / 255, labels, eps=eps / 255)

    weight = classifier.network[1].weight
    away = (weight[1 - labels] - weight[labels]).reshape(5, 3, 4, 4)
    worst = torch.where(away > 0, (levels + eps).clamp_max(255), (levels - eps).clamp_min(0))
    assert torch.equal(levels_of(adversarial), worst.int())


@RECIPE_NAMES
@given(data=st.data())
@settings(max_examples=25)
def test_budget_holds_in_exact_integers(name, data):
    eps = data.draw(st.integers(1, 255), label="eps")
    steps = data.draw(st.sampled_from([None, 1] if name == "fast" else [None, 1, 3]), label="steps")
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]), label="dtype")
    values = data.draw(
        st.lists(st.sampled_from([0, 1, 2, 127, 128, 254, 255]), min_size=24, max_size=24), label="levels"
    )
    levels = torch.tensor(values).reshape(2, 3, 2, 2)
    classifier = Classifier(
        nn.Sequential(nn.Flatten(), nn.Linear(12, 3, dtype=dtype), nn.Tanh()), ["a", "b", "c"], "small"
    )

    adversarial = RECIPES[name].run(
        classifier,
        levels.to(dtype) / 255,
        torch.tensor([0, 2]),
        eps=eps / 255,
        steps=steps,
        distribution=identity,
        samples=1,
    )

    assert adversarial.dtype == dtype
    assert torch.equal(adversarial, levels_of(adversarial).to(dtype) / 255)
    assert (levels_of(adversarial) - levels).abs().max() <= eps
    assert adversarial.min() >= 0
    assert adversarial.max() <= 1


@pytest.mark.parametrize(
    ("eps", "iterations"), [(1, 2), (2, 3), (4, 5), (8, 10), (15, 19), (16, 20), (32, 36)]
)
def test_iterations_are_kurakins(eps, iterations, tiny_classifier, tiny_images):
    steps = []
    bim(
        tiny_classifier,
        tiny_images,
        LABELS,
        eps=eps / 255,
        callback=lambda step, _: steps.append(step),
    )

    assert kurakin_iterations(eps) == iterations
    assert len(steps) == iterations


def test_bim_first_step_is_one_level_of_fast(tiny_classifier, tiny_images):
    one_level = fast(tiny_classifier, tiny_images, LABELS, eps=1 / 255)

    assert torch.equal(bim(tiny_classifier, tiny_images, LABELS, eps=16 / 255, steps=1), one_level)


def test_attacks_raise_the_true_labels_loss_in_the_known_order(tiny_classifier, tiny_images):
    def loss(images):
        return cross_entropy(tiny_classifier(images), LABELS).item()

    clean, fast_loss, bim_loss = (
        loss(images)
        for images in (
            tiny_images,
            fast(tiny_classifier, tiny_images, LABELS, eps=24 / 255),
            bim(tiny_classifier, tiny_images, LABELS, eps=24 / 255),
        )
    )

    assert clean < fast_loss <= bim_loss


def test_least_likely_lowers_the_loss_of_the_clean_images_least_likely_class(tiny_classifier, tiny_images):
    targets = least_likely_class(tiny_classifier, tiny_images)

    adversarial = least_likely(tiny_classifier, tiny_images, LABELS, eps=16 / 255)

    before = cross_entropy(tiny_classifier(tiny_images), targets, reduction="none")
    after = cross_entropy(tiny_classifier(adversarial), targets, reduction="none")
    assert torch.equal(targets, tiny_classifier.probabilities(tiny_images).argmin(dim=1))
    assert torch.equal(RECIPES["least-likely"].target(tiny_classifier, tiny_images), targets)
    assert (after < before).all()


def test_pgd_starts_anywhere_in_the_box(tiny_classifier, tiny_images):
    def attack(seed):
        return pgd(
            tiny_classifier,
            tiny_images,
            LABELS,
            eps=8 / 255,
            steps=1,
            generator=torch.Generator().manual_seed(seed),
        )

    assert torch.equal(attack(0), attack(0))
    assert not torch.equal(attack(0), attack(1))
    assert len(levels_of(attack(0) - tiny_images).unique()) > 8


@RECIPE_NAMES
def test_same_seed_same_bytes_over_a_distribution(name, tiny_classifier, tiny_images):
    def attack(seed):
        return RECIPES[name].run(
            tiny_classifier,
            tiny_images,
            LABELS,
            eps=8 / 255,
            distribution=parse_transform("noise=80"),
            samples=3,
            generator=torch.Generator().manual_seed(seed),
        )

    assert torch.equal(attack(0), attack(0))
    assert not torch.equal(attack(0), attack(1))


def test_expectation_over_noise_is_surer_under_that_noise(tiny_classifier, tiny_images):
    distribution = parse_transform("noise=60")
    options = {"eps": 16 / 255, "distribution": distribution, "steps": 20}

    few = bim(tiny_classifier, tiny_images, LABELS, samples=1, **options)
    many = bim(tiny_classifier, tiny_images, LABELS, samples=32, **options)

    draw = distribution.sample(6 * 256, torch.Generator().manual_seed(9))

    def held_out_loss(images):
        seen = distribution.apply(images.repeat(256, 1, 1, 1), draw)
        return cross_entropy(tiny_classifier(seen), LABELS.repeat(256)).item()

    assert held_out_loss(tiny_images) < held_out_loss(few) < held_out_loss(many)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"eps": 0.0}, "eps is 0; wanted a fraction of the pixel range such as 16/255"),
        ({"eps": 16}, "eps is 16; wanted a fraction"),
        ({"eps": float("nan")}, "eps is nan"),
        ({"eps": 1.5 / 255}, "eps is 1.5 8-bit levels; wanted a whole number"),
        ({"images": torch.zeros(6, 1, 8, 8)}, "images have shape (6, 1, 8, 8); wanted (B, 3, H, W)"),
        ({"images": torch.zeros(6, 3, 8, 8, dtype=torch.uint8)}, "images are torch.uint8"),
        ({"images": torch.full((6, 3, 8, 8), 2.0)}, "images range from 2 to 2; wanted [0, 1]"),
        ({"images": torch.full((6, 3, 8, 8), float("nan"))}, "images range from nan"),
        ({"images": torch.full((6, 3, 8, 8), 0.1234)}, "images are not 8-bit"),
        ({"labels": torch.tensor([0, 1])}, "labels are torch.int64 (2,); wanted torch.int64 (6,)"),
        ({"labels": LABELS.float()}, "labels are torch.float32 (6,)"),
        ({"labels": LABELS + 1}, "label 4 is outside the 4 classes"),
        ({"steps": 0}, "steps is 0; wanted at least 1"),
        ({"samples": 0}, "samples is 0; wanted at least 1"),
        ({"chunk": -1}, "chunk is -1; wanted at least 1"),
    ],
)
def test_bad_arguments_are_one_clear_line(change, line, tiny_classifier, tiny_images):
    arguments = {"images": tiny_images, "labels": LABELS, "eps": 8 / 255, **change}

    with pytest.raises(AttackError) as caught:
        bim(tiny_classifier, **arguments)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fast_has_one_step(tiny_classifier, tiny_images):
    with pytest.raises(AttackError, match="fast takes one step, not 5"):
        fast(tiny_classifier, tiny_images, LABELS, eps=8 / 255, steps=5)


def test_every_recipe_says_what_its_budget_is():
    for recipe in RECIPES.values():
        assert (recipe.eps is not None) == (
            recipe.norm in ("L∞", "L2") and "nearest" not in recipe.description
        )
        assert recipe.paper
        assert recipe.defaults


@pytest.mark.parametrize(
    ("name", "eps", "area", "budget"),
    [
        ("bim", None, None, {"eps": 16 / 255}),
        ("bim", 3, None, {"eps": 3 / 255}),
        ("pgd-l2", None, None, {"eps": 3.0}),
        ("pgd-l2", 510, None, {"eps": 2.0}),
        ("cw-l2", None, None, {}),
        ("patch", None, None, {"area": 0.1}),
        ("patch", None, 0.05, {"area": 0.05}),
    ],
)
def test_budgets_are_in_8_bit_levels_or_shares_of_the_picture(name, eps, area, budget):
    assert find_recipe(name).budget(eps, area) == budget


@pytest.mark.parametrize(
    ("name", "eps", "area", "line"),
    [
        ("bim", 0, None, "eps 0: wanted a whole number of 8-bit levels from 1 to 255"),
        ("bim", 256, None, "eps 256: wanted"),
        ("pgd-l2", 0, None, "eps 0: wanted a whole number of 8-bit levels, 1 or more, in L2"),
        ("cw-l2", 8, None, "eps 8: cw-l2 takes no eps; leave it out"),
        ("deepfool", 8, None, "eps 8: deepfool takes no eps; leave it out"),
        ("bim", None, 0.1, "area 0.1: bim takes no area; leave it out"),
    ],
)
def test_a_budget_that_an_attack_does_not_take_is_refused(name, eps, area, line):
    with pytest.raises(AttackError, match=line):
        find_recipe(name).budget(eps, area)


def test_the_guide_has_every_recipe_with_its_numbers():
    guide = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text(encoding="utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("| `") and "arXiv" in line]
    assert rows == [
        f"| `{r.name}` | {r.norm} | {r.usual_budget} | {r.defaults} | {r.paper} |" for r in RECIPES.values()
    ]


def test_eot_with_nothing_else_is_eot_over_its_preset(tiny_classifier, tiny_images):
    """The functions take preset, samples and steps from their recipes."""
    recipe = RECIPES["eot"]
    said = {"distribution": load_preset("print-photo"), "samples": 8, "steps": 100}
    plain = eot(tiny_classifier, tiny_images[2:3], LABELS[2:3], eps=16 / 255)
    assert recipe.defaults == "100 steps of eps/40, decay 0.9, 8 samples of print-photo"
    assert torch.equal(plain, eot(tiny_classifier, tiny_images[2:3], LABELS[2:3], eps=16 / 255, **said))


def test_numbers_of_attacks_are_read_without_torch():
    code = "import sys; from physadv.attacks import RECIPES, find_recipe; find_recipe('eot').budget(8, None)"
    check = "; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], check=True, cwd=Path(__file__).parents[2])


def test_unknown_attack_names_the_nearest():
    with pytest.raises(AttackError, match="unknown attack 'pdg'; nearest: pgd"):
        find_recipe("pdg")
    assert find_recipe("bim").run is bim
