"""Published attacks on the pixels of whole images, as compositions over the one loop.

Images are whole 8-bit levels (k/255) before and after, no further apart than eps, rounding included. Steps,
step sizes, presets and samples are those of `RECIPES` where the options name none.
"""

from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from physadv.attacks.errors import AttackError, check_number
from physadv.attacks.objectives import lab_distance, targeted_cross_entropy, untargeted_likelihood
from physadv.attacks.optimisers import MomentumSign, NormalisedStep, Optimiser, SignedStep, TorchOptimiser
from physadv.attacks.recipes import RECIPES
from physadv.attacks.running import Options, checked_levels, objective_for, run_recipe, steps_of, whole_eps
from physadv.attacks.variables import L2Ball, LInfBall
from physadv.classifiers import Classifier

_LAGRANGIAN = RECIPES["eot-lagrangian"]


def fast(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take one signed step of eps up the true labels' cross-entropy (Kurakin et al. 2017, section 2.1).

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
        labels: int64 (B,), the true classes.
        eps: L∞ budget, a whole number of 8-bit levels over 255, such as 16/255.
        **options: see `Options`; `steps` can only be 1 here.

    Returns:
        Adversarial images of the shape and dtype of `images`, whole 8-bit levels.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> images = torch.full((1, 3, 32, 32), 128 / 255)
        >>> adversarial = fast(load_classifier("signs"), images, torch.tensor([14]), eps=8 / 255)
        >>> round(float((adversarial - images).abs().max() * 255))
        8
    """
    if options.get("steps") not in (None, 1):
        raise AttackError(f"fast takes one step, not {options['steps']}; bim is the same with more")
    return _l_inf("fast", classifier, images, labels, eps, options)


def bim(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take `fast` steps of one level, clipped to the ball after each (Kurakin et al. 2017, section 2.2).

    The number of steps is min(eps + 4, ⌈1.25·eps⌉) for eps in 8-bit levels.
    Arguments, result and errors as `fast`.
    """
    return _l_inf("bim", classifier, images, labels, eps, options)


def least_likely(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Step as `bim` does, towards each clean image's least likely class (Kurakin et al. 2017, section 2.3).

    Arguments, result and errors as `fast`; the labels are checked but not used, nor are targets.
    """
    return _l_inf("least-likely", classifier, images, labels, eps, options)


def pgd(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend from a random start in the ball, projecting after each step (Madry et al. 2018).

    Their evaluation on CIFAR-10, 20 steps of 2 at eps 8, scaled with eps, in steps of whole levels. The start
    is drawn from the ball's whole levels, so every step is exact. Arguments, result and errors as `fast`.
    """
    return _l_inf("pgd", classifier, images, labels, eps, options, random_start=True)


def mim(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take signed steps of eps over their number along an accumulated gradient (Dong et al. 2018).

    Arguments, result and errors as `fast`.
    """
    return _l_inf("mim", classifier, images, labels, eps, options)


def pgd_l2(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend along the gradient's direction in an L2 ball (Madry et al. 2018).

    Arguments, result and errors as `fast`, but eps is a Euclidean radius over all pixels and channels, in the
    unit of the images, and need not be a whole level.
    """
    check_number("eps", eps, "a positive Euclidean radius", lambda eps: eps > 0)
    recipe, ball = RECIPES["pgd-l2"], L2Ball(checked_levels(classifier, images, labels, options), eps * 255)
    objective, step = objective_for(classifier, labels, options), NormalisedStep(recipe.step_size(ball.eps))
    return ball.whole(run_recipe(recipe, classifier, objective, ball, step, options)) / 255


def eot(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend the loss expected over transformations in an L∞ ball (Athalye et al. 2018).

    Without a distribution the transformations are those of `print-photo`, a print photographed by hand. The
    signed steps of an accumulated gradient let every pixel cross the ball more than once.
    Arguments, result and errors as `fast`.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> images, labels = torch.full((1, 3, 32, 32), 128 / 255), torch.tensor([14])
        >>> robust = eot(load_classifier("signs"), images, labels, eps=8 / 255, steps=2)
        >>> bool(((robust - images).abs() * 255).round().max() <= 8)
        True
    """
    return _l_inf("eot", classifier, images, labels, eps, options)


def eot_lagrangian(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    weight: float = _LAGRANGIAN.parameters["weight"],
    **options: Unpack[Options],
) -> Tensor:
    """Minimise expected loss + λ · expected LAB distance over transformations (Athalye et al. 2018, eq. 3).

    Adam in the box [0, 255]. λ is `weight`, the cross-entropy that a distance of 1 ΔE is worth; the paper
    tries several per image. The loss is −log p of the targets or, without any, of all classes but the label.
    The distance is between the transformed adversarial and the clean image under the same transformation,
    root mean square per pixel (`lab_distance`). Other arguments, result and errors as `fast`.
    """
    check_number("weight", weight)
    box = LInfBall(checked_levels(classifier, images, labels, options, "weight"), 255)

    def distance(seen: Tensor, view: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.no_grad():
            clean = view(images.repeat(len(seen) // len(images), 1, 1, 1))
        return weight * lab_distance(seen, clean)

    objective = objective_for(classifier, labels, options, away=untargeted_likelihood)
    adam = TorchOptimiser(partial(torch.optim.Adam, lr=_LAGRANGIAN.step_size()))
    values = run_recipe(_LAGRANGIAN, classifier, objective, box, adam, options, view_penalty=distance)
    return box.whole(values) / 255


def _l_inf(
    name: str,
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    eps: float,
    options: Options,
    random_start: bool = False,
) -> Tensor:
    """Return the images that a recipe finds in an L∞ ball, by steps of whole levels or with momentum."""
    recipe = RECIPES[name]
    ball = LInfBall(checked_levels(classifier, images, labels, options), whole_eps(eps), random_start)
    if recipe.target is None:
        objective = objective_for(classifier, labels, options)
    else:
        objective = targeted_cross_entropy(recipe.target(classifier, images))
    size = recipe.step_size(ball.eps, steps_of(recipe, options, ball.eps))
    step: Optimiser = SignedStep(max(1, round(size)))
    if "decay" in recipe.parameters:
        step = MomentumSign(size, recipe.parameters["decay"])
    return ball.whole(run_recipe(recipe, classifier, objective, ball, step, options, eps=ball.eps)) / 255
