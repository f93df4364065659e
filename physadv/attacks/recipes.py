"""Every attack by name, with its paper, its budget and its published defaults."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.attacks.gradient import bim, eot, fast, least_likely, mim, pgd, pgd_l2
from physadv.attacks.lagrangian import eot_lagrangian
from physadv.attacks.libraries import LIBRARIES, Borrowed, jsma
from physadv.attacks.minimum_norm import cw_l2, lbfgs
from physadv.attacks.objectives import least_likely_class
from physadv.attacks.stickers import rp2
from physadv.attacks.universal import universal_patch
from physadv.classifiers import Classifier
from physadv.errors import unknown_name

USUAL_EPS = {"L∞": 16, "L2": 765, "L1": 3060}
"""Budgets in 8-bit levels: Kurakin et al. 2017's, 3.0 and 12.0 of the pixel range."""


@dataclass(frozen=True)
class Recipe:
    """A named attack.

    Attributes:
        name: as `--attack` takes it.
        paper: where it comes from.
        norm: of its budget, or of what it keeps small.
        description: one line.
        defaults: its steps, in words.
        run: (classifier, images, labels, **budget, **options) → adversarial images.
        eps: its usual budget in 8-bit levels; None where it takes none.
        area: the usual share of the picture that it covers; None where it takes none.
        target: where it chooses its own, (classifier, clean images) → the classes it steers to, int64 (B,).
        transforms: name of the preset it is made for; `samples` draws of it a step.
        library: the optional package that it comes from.
    """

    name: str
    paper: str
    norm: str
    description: str
    defaults: str
    run: Callable[..., Tensor]
    eps: int | None = USUAL_EPS["L∞"]
    area: float | None = None
    target: Callable[[Classifier, Tensor], Tensor] | None = None
    transforms: str = "identity"
    samples: int = 1
    library: str | None = None

    def budget(self, eps: int | None, area: float | None) -> dict[str, float]:
        """Return what `run` is to be given of a budget: `eps` as a fraction of the pixel range, or `area`.

        Args:
            eps: in 8-bit levels, the usual one without it.
            area: share of the picture, likewise.

        Raises:
            AttackError: one is out of its range, or the attack has no such budget.
        """
        budget = {}
        for name, given, usual in (("eps", eps, self.eps), ("area", area, self.area)):
            if usual is not None:
                budget[name] = usual if given is None else given
            elif given is not None:
                raise AttackError(f"{name} {given:g}: {self.name} takes no {name}; leave it out")
        if "eps" in budget:
            self._check_eps(budget["eps"])
            budget["eps"] /= 255
        return budget

    def _check_eps(self, eps: float) -> None:
        if self.norm == "L∞" and not 1 <= eps <= 255:
            raise AttackError(f"eps {eps}: wanted a whole number of 8-bit levels from 1 to 255")
        if eps < 1:
            raise AttackError(f"eps {eps}: wanted a whole number of 8-bit levels, 1 or more, in {self.norm}")


_KURAKIN = "Kurakin et al. 2017, arXiv:1607.02533"
_MADRY = "Madry et al. 2018, arXiv:1706.06083"
_ATHALYE = "Athalye et al. 2018, arXiv:1707.07397"

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
            _MADRY,
            "L∞",
            "signed steps away from the true label, from a random start",
            "20 steps of eps/4",
            pgd,
        ),
        Recipe(
            "pgd-l2",
            _MADRY,
            "L2",
            "steps along the gradient's direction in a Euclidean ball",
            "20 steps of eps/8",
            pgd_l2,
            eps=USUAL_EPS["L2"],
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
            "cw-l2",
            "Carlini & Wagner 2017, arXiv:1608.04644",
            "L2",
            "the nearest picture that fools, by Adam on tanh values and the margin f6",
            "9 searches of c from 0.001, 1,000 steps of 0.01 each",
            cw_l2,
            eps=None,
        ),
        Recipe(
            "lbfgs",
            "Szegedy et al. 2014, arXiv:1312.6199",
            "L2",
            "the nearest picture that fools, by L-BFGS in the box",
            "15 searches of c from 0.001, 20 steps each",
            lbfgs,
            eps=None,
        ),
        Recipe(
            "deepfool",
            "Moosavi-Dezfooli et al. 2016, arXiv:1511.04599",
            "L2",
            "the nearest linearised boundary, again and again; needs foolbox",
            "up to 50 steps, overshoot 0.02",
            Borrowed("foolbox", "L2DeepFoolAttack"),
            eps=None,
            library="foolbox",
        ),
        Recipe(
            "jsma",
            "Papernot et al. 2016, arXiv:1511.07528",
            "L0",
            "few values changed to the full, towards a target; small pictures; needs torchattacks",
            "θ 1, up to 10 % of the values",
            jsma,
            eps=None,
            library="torchattacks",
        ),
        Recipe(
            "eot",
            _ATHALYE,
            "L∞",
            "descends the loss expected over random transformations",
            "100 steps of eps/40, decay 0.9, 8 samples of print-photo",
            eot,
            transforms="print-photo",
            samples=8,
        ),
        Recipe(
            "eot-lagrangian",
            _ATHALYE,
            "LAB",
            "expected loss plus the LAB distance expected over the same transformations",
            "100 steps of Adam, λ 0.1 per ΔE, 8 samples of print-photo",
            eot_lagrangian,
            eps=None,
            transforms="print-photo",
            samples=8,
        ),
        Recipe(
            "patch",
            "Brown et al. 2017, arXiv:1712.09665",
            "area",
            "one round patch for the whole batch, put on every image at a random place",
            "500 steps of Adam, 10 % of the picture, 4 places a step",
            universal_patch,
            eps=None,
            area=0.1,
            samples=4,
        ),
        Recipe(
            "rp2",
            "Eykholt et al. 2018, arXiv:1707.08945",
            "mask",
            "two printable, smooth bars stuck on every image, expected over rp2-sign",
            "300 steps of Adam, 8 samples of rp2-sign",
            rp2,
            eps=None,
            transforms="rp2-sign",
            samples=8,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """Return the attack called `name`: one of `RECIPES`, or `foolbox:CLASS` or `torchattacks:CLASS`.

    Raises:
        AttackError: there is none, the line names the nearest; or its library is not installed.
    """
    library, colon, attack = name.partition(":")
    if colon and library in LIBRARIES:
        borrowed = Borrowed(library, attack)
        norm = borrowed.norm()
        return Recipe(
            name,
            f"the {library} library",
            norm or "its own",
            f"{attack} of {library}",
            "the library's own",
            borrowed,
            eps=None if norm is None else USUAL_EPS.get(norm),
            library=library,
        )
    if name not in RECIPES:
        forms = [f"{library}:CLASS" for library in LIBRARIES]
        raise AttackError(unknown_name("attack", name, [*RECIPES, *forms]))
    return RECIPES[name]
