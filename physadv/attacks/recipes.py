"""Every attack by name, with its paper, its norm and its published defaults."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from physadv.attacks.balls import bim, eot, fast, least_likely, mim, pgd
from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import least_likely_class
from physadv.attacks.options import Run
from physadv.classifiers import Classifier
from physadv.errors import unknown_name


@dataclass(frozen=True)
class Recipe:
    """A named attack.

    Attributes:
        name: as `--attack` takes it.
        paper: where it comes from.
        norm: of its budget.
        description: one line.
        defaults: its steps, in words.
        run: (classifier, images, labels, *, eps, **options) → adversarial images.
        target: where it chooses its own, (classifier, clean images) → the classes it steers to, int64 (B,).
        transforms: name of the preset it is made for; `samples` draws of it a step.
    """

    name: str
    paper: str
    norm: str
    description: str
    defaults: str
    run: Run
    target: Callable[[Classifier, Tensor], Tensor] | None = None
    transforms: str = "identity"
    samples: int = 1


_KURAKIN = "Kurakin et al. 2017, arXiv:1607.02533"

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("fast", _KURAKIN, "L∞", "one signed step away from the true label", "1 step of eps", fast),
        Recipe(
            "bim",
            _KURAKIN,
            "L∞",
            "basic iterative method: small signed steps away from the true label",
            "min(eps + 4, ⌈1.25 eps⌉) steps of 1",
            bim,
        ),
        Recipe(
            "least-likely",
            _KURAKIN,
            "L∞",
            "small signed steps towards the clean image's least likely class",
            "min(eps + 4, ⌈1.25 eps⌉) steps of 1",
            least_likely,
            target=least_likely_class,
        ),
        Recipe(
            "pgd",
            "Madry et al. 2018, arXiv:1706.06083",
            "L∞",
            "signed steps away from the true label, from a random start",
            "20 steps of eps/4",
            pgd,
        ),
        Recipe(
            "mim",
            "Dong et al. 2018, arXiv:1710.06081",
            "L∞",
            "momentum: signed steps along an accumulated gradient",
            "10 steps of eps/10, decay 1",
            mim,
        ),
        Recipe(
            "eot",
            "Athalye et al. 2018, arXiv:1707.07397",
            "L∞",
            "descends the loss expected over random transformations",
            "100 steps of eps/40, decay 0.9, 8 samples of print-photo",
            eot,
            transforms="print-photo",
            samples=8,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """Return the attack called `name`.

    Raises:
        AttackError: there is none; the line names the nearest.
    """
    if name not in RECIPES:
        raise AttackError(unknown_name("attack", name, RECIPES))
    return RECIPES[name]
