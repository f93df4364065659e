"""Published attacks on the pixels of whole images, as compositions over the one loop.

Images go in and come out as floats in [0, 1] that are whole 8-bit levels (k/255), no further apart than eps:
in exact integers under L∞, after rounding under L2.
"""

from typing import Unpack

from torch import Tensor

from physadv.attacks.checks import check_labels, eight_bit_levels, whole_eps
from physadv.attacks.descent import aim, descend
from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import Objective, least_likely_class, targeted_cross_entropy
from physadv.attacks.optimisers import MomentumSign, NormalisedStep, Optimiser, SignedStep
from physadv.attacks.options import Options
from physadv.attacks.variables import L2Ball, LInfBall
from physadv.classifiers import Classifier


def kurakin_iterations(eps: int) -> int:
    """Return min(eps + 4, ⌈1.25·eps⌉) for eps in 8-bit levels (Kurakin et al. 2017, section 2.2)."""
    return min(eps + 4, -(-5 * eps // 4))


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
    ball = _ball(classifier, images, labels, eps)
    return _descend(classifier, aim(classifier, labels, options), ball, SignedStep(ball.eps), 1, options)


def bim(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take `fast` steps of one level, clipped to the ball after each (Kurakin et al. 2017, section 2.2).

    The number of steps is `kurakin_iterations`. Arguments, result and errors as `fast`.
    """
    ball = _ball(classifier, images, labels, eps)
    steps = kurakin_iterations(ball.eps)
    return _descend(classifier, aim(classifier, labels, options), ball, SignedStep(1), steps, options)


def least_likely(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Step as `bim` does, towards each clean image's least likely class (Kurakin et al. 2017, section 2.3).

    Arguments, result and errors as `fast`; the labels are checked but not used.
    """
    ball = _ball(classifier, images, labels, eps)
    towards = targeted_cross_entropy(least_likely_class(classifier, images))
    return _descend(classifier, towards, ball, SignedStep(1), kurakin_iterations(ball.eps), options)


def pgd(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend from a random start in the ball, projecting after each step (Madry et al. 2018).

    20 steps of round(eps / 4) levels: their evaluation on CIFAR-10, 20 steps of 2 at eps 8, scaled with eps.
    The start is drawn from the ball's whole levels, so that every step is exact. Arguments, result and errors
    as `fast`.
    """
    ball = _ball(classifier, images, labels, eps, random_start=True)
    step = SignedStep(max(1, round(ball.eps / 4)))
    return _descend(classifier, aim(classifier, labels, options), ball, step, 20, options)


def mim(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Take 10 signed steps of eps/10 along an accumulated gradient, decay 1 (Dong et al. 2018).

    Arguments, result and errors as `fast`.
    """
    ball = _ball(classifier, images, labels, eps)
    steps = options.get("steps") or 10
    return _descend(
        classifier, aim(classifier, labels, options), ball, MomentumSign(ball.eps / steps), 10, options
    )


def pgd_l2(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend along the gradient's direction in an L2 ball, 20 steps of eps/8 (Madry et al. 2018).

    Arguments, result and errors as `fast`, but eps is a Euclidean radius over all pixels and channels, in the
    unit of the images, and need not be a whole level.
    """
    if not eps > 0:
        raise AttackError(f"eps is {eps:g}; wanted a positive Euclidean radius")
    ball = L2Ball(eight_bit_levels(images), eps * 255)
    check_labels(labels, images, len(classifier.labels))
    objective = aim(classifier, labels, options)
    return _descend(classifier, objective, ball, NormalisedStep(ball.eps / 8), 20, options)


def eot(
    classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
) -> Tensor:
    """Descend the loss expected over transformations in an L∞ ball (Athalye et al. 2018).

    100 signed steps of an accumulated gradient, 2.5·eps/100 each, so that every pixel can cross the ball more
    than once. With the defaults of `Options` this is one draw a step of nothing at all: give a distribution
    and some 8 samples. Arguments, result and errors as `fast`.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> from physadv.transforms import compose, parse_transform
        >>> images = torch.full((1, 3, 32, 32), 128 / 255)
        >>> noisy = compose(parse_transform("noise=10"), parse_transform("blur=1"))
        >>> options = {"distribution": noisy, "samples": 4, "steps": 3}
        >>> robust = eot(load_classifier("signs"), images, torch.tensor([14]), eps=8 / 255, **options)
        >>> bool(((robust - images).abs() * 255).round().max() <= 8)
        True
    """
    ball = _ball(classifier, images, labels, eps)
    steps = options.get("steps") or 100
    step = MomentumSign(2.5 * ball.eps / steps, decay=0.9)
    return _descend(classifier, aim(classifier, labels, options), ball, step, 100, options)


def _ball(
    classifier: Classifier, images: Tensor, labels: Tensor, eps: float, random_start: bool = False
) -> LInfBall:
    ball = LInfBall(eight_bit_levels(images), whole_eps(eps), random_start)
    check_labels(labels, images, len(classifier.labels))
    return ball


def _descend(
    classifier: Classifier,
    objective: Objective,
    ball: LInfBall | L2Ball,
    optimiser: Optimiser,
    steps: int,
    options: Options,
) -> Tensor:
    return ball.whole(descend(classifier, objective, ball, optimiser, steps, options)) / 255
