"""Minimum-norm attacks: the nearest picture that fools the classifier.

Both minimise squared distance + c · loss by the one loop and search c per image: it grows until the image
fools the classifier, and is then bisected between the largest that did not and the smallest that did.
"""

from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from physadv.attacks.errors import check_count, check_number
from physadv.attacks.objectives import Objective, runner_up_class, targeted_margin, untargeted_margin
from physadv.attacks.optimisers import EachImage, Optimiser, TorchOptimiser
from physadv.attacks.recipes import RECIPES, Recipe
from physadv.attacks.running import Options, checked_levels, generator_of, objective_for, run_recipe
from physadv.attacks.variables import LInfBall, TanhBox
from physadv.classifiers import Classifier

_CW_L2, _LBFGS = RECIPES["cw-l2"], RECIPES["lbfgs"]
_GROWTH = 10.0
"""Factor by which c grows until something fools, as in Carlini & Wagner's code, like the first c."""
_UNIT = 255**2 / 2
"""From ‖δ‖² + c·loss of pixels in [0, 1] to ½‖δ‖² of levels, of the curvature 1 that L-BFGS begins with."""


def cw_l2(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    confidence: float = 0.0,
    searches: int = int(_CW_L2.parameters["searches"]),
    **options: Unpack[Options],
) -> Tensor:
    """Return the nearest pictures in L2 that fool the classifier (Carlini & Wagner 2017, section VI-A).

    Adam minimises ‖δ‖² + c·f6 over tanh values, for several values of c. The numbers are those of their code,
    except for its 10,000 steps. Pictures are 8-bit throughout, and judged as such. Each image's
    result is the nearest picture that fooled in all draws of a step, or else the last one.

    `confidence` is κ, the margin by which the logit of another class, or of the target, must lead. `searches`
    is the number of values of c that are tried, each in `steps` steps, and the callback is called in each.
    Other arguments, dtypes and errors as `fast`.
    """
    check_number("confidence", confidence)
    box = TanhBox(checked_levels(classifier, images, labels, options, "confidence", "searches"))
    adam = partial(TorchOptimiser, partial(torch.optim.Adam, lr=_CW_L2.step_size()))
    return _search(_CW_L2, classifier, labels, box, adam, options, searches, confidence=confidence)


def lbfgs(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    searches: int = int(_LBFGS.parameters["searches"]),
    **options: Unpack[Options],
) -> Tensor:
    """Return the nearest pictures in L2 that fool the classifier, by L-BFGS in the box (Szegedy et al. 2014).

    ‖δ‖² + c·cross-entropy of the target or, without one, of the likeliest class that is not the label, for
    several values of c. Arguments, result and errors as `cw_l2`.
    """
    box = LInfBall(checked_levels(classifier, images, labels, options, "searches"), 255)
    targets = options.get("targets")
    if targets is None:
        targets = runner_up_class(classifier, images, labels)
    objective = objective_for(classifier, labels, {"targets": targets})
    one = partial(TorchOptimiser, partial(torch.optim.LBFGS, lr=_LBFGS.step_size(), max_iter=1))
    return _search(_LBFGS, classifier, labels, box, partial(EachImage, one), options, searches, objective)


def _search(
    recipe: Recipe,
    classifier: Classifier,
    labels: Tensor,
    box: TanhBox | LInfBall,
    optimiser: Callable[[], Optimiser],
    options: Options,
    searches: int,
    objective: Objective | None = None,
    confidence: float = 0.0,
) -> Tensor:
    """Return the nearest pictures of `searches` runs of the loop; the objective is f6 without another."""
    unbounded = (partial(f6, confidence=torch.inf) for f6 in (targeted_margin, untargeted_margin))
    margin = objective_for(classifier, labels, options, *unbounded)
    loss = objective or (lambda logits: margin(logits).clamp_min(-confidence))
    nearest = _Nearest(box.levels, margin, confidence)
    weight = torch.full_like(nearest.distance, recipe.parameters["first_weight"])
    low, high = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
    # A snapshot says where one loop stands, not in which search.
    options = {**options, "generator": generator_of(options), "keep": None, "resume": None}
    values = box.levels

    def weighted(logits: Tensor) -> Tensor:
        return _UNIT * weight * loss(nearest.judged(logits))

    def distance(values: Tensor) -> Tensor:
        return nearest.squared_distance(box.images(values))

    for _ in range(check_count("searches", searches)):
        nearest.found = torch.zeros_like(nearest.found)
        values = run_recipe(recipe, classifier, weighted, box, optimiser(), options, penalty=distance)
        high = torch.where(nearest.found, weight, high)
        low = torch.where(nearest.found, low, weight)
        weight = torch.where(high.isfinite(), (low + high) / 2, _GROWTH * weight)
    never = nearest.distance.isinf()[:, None, None, None]
    return torch.where(never, box.images(values), nearest.pictures)


class _Nearest:
    """Remembers the nearest picture of every image that fooled the classifier in all draws of a step."""

    def __init__(self, levels: Tensor, margin: Objective, confidence: float) -> None:
        self.pictures = levels / 255
        self.distance = levels.new_full((len(levels),), torch.inf)
        self.found = torch.zeros_like(self.distance, dtype=torch.bool)
        self._in_all_draws = torch.ones_like(self.found)
        self._levels, self._margin, self._confidence = levels, margin, confidence

    def judged(self, logits: Tensor) -> Tensor:
        """Return logits (S, B, K) of some of a step's draws, having noted which images fooled in them."""
        fooled = self._margin(logits.detach()) < -self._confidence
        self._in_all_draws = self._in_all_draws & fooled.all(dim=0)
        return logits

    def squared_distance(self, pictures: Tensor) -> Tensor:
        """Return ½‖δ‖² in squared levels, (B,), having kept the step's pictures that are the best so far."""
        squared = (255 * pictures - self._levels).square().sum(dim=(1, 2, 3)) / 2
        distance, fooled = squared.detach(), self._in_all_draws
        self._in_all_draws = torch.ones_like(fooled)
        self.found = self.found | fooled
        nearer = fooled & (distance < self.distance)
        self.distance = torch.where(nearer, distance, self.distance)
        self.pictures = torch.where(nearer[:, None, None, None], pictures.detach(), self.pictures)
        return squared
