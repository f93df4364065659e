"""How recipes are called: arguments checked, the options they share, the loop with their numbers."""

from collections.abc import Callable
from typing import TypedDict

import torch
from torch import Tensor

from physadv.attacks.errors import AttackError, check_count, check_number
from physadv.attacks.loop import Callback, Goal, Keep, Snapshot, ViewPenalty, optimise
from physadv.attacks.objectives import Objective, Penalty, targeted_cross_entropy, untargeted_cross_entropy
from physadv.attacks.optimisers import Optimiser
from physadv.attacks.recipes import Recipe
from physadv.attacks.variables import Variable
from physadv.classifiers import Classifier
from physadv.classifiers.classifier import probe_images
from physadv.errors import unknown_name
from physadv.transforms import Transformation, load_preset

_TOLERANCE = 1e-3
"""In 8-bit levels: far above the rounding of k/255 in float32, far below a level."""


class Options(TypedDict, total=False):
    """What every recipe takes besides its classifier, images, labels and budget; all may be left out.

    Attributes:
        generator: source of random starts and transformation draws; by default one with seed 0.
        distribution: transformations to survive; by default the recipe's preset.
        samples: transformations drawn per image and step; by default the recipe's number.
        steps: number of steps; by default the recipe's number.
        targets: classes to reach, int64 (B,); without targets the attack moves away from the labels.
        chunk: samples per image held in memory at once; by default as many as suit the device.
        callback: function called with (step, losses (B,)) before every step.
        goal: function from pictures to bool (B,), true for those that need no more steps.
        keep: function called with a `Snapshot` before every step.
        resume: snapshot of an interrupted loop to go on from.
    """

    generator: torch.Generator
    distribution: Transformation
    samples: int
    steps: int | None
    targets: Tensor | None
    chunk: int | None
    callback: Callback | None
    goal: Goal | None
    keep: Keep | None
    resume: Snapshot | None


_WANTED = dict.fromkeys(("callback", "goal", "keep"), ("a function", "__call__")) | {
    "generator": ("a torch.Generator", "manual_seed"),
    "distribution": ("a transformation, such as load_preset('print-photo')", "sample"),
    "resume": ("a Snapshot", "stream"),
}
"""What an option is to be, in words and by an attribute it has."""


def eight_bit_levels(images: Tensor) -> Tensor:
    """Return float images (B, 3, H, W) in [0, 1] as whole levels from 0 to 255, or raise AttackError."""
    if not isinstance(images, Tensor):
        raise AttackError(f"images are a {type(images).__name__}; wanted a float tensor (B, 3, H, W)")
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[0] == 0:
        raise AttackError(f"images have shape {tuple(images.shape)}; wanted (B, 3, H, W)")
    if images.dtype not in (torch.float32, torch.float64):
        raise AttackError(f"images are {images.dtype}; wanted float32 or float64 in [0, 1]")
    levels = (images * 255).round()
    if not bool(((levels >= 0) & (levels <= 255)).all()):  # NaN fails this too
        low, high = float(images.min()), float(images.max())
        raise AttackError(f"images range from {low:g} to {high:g}; wanted [0, 1]")
    if float((images * 255 - levels).abs().max()) > _TOLERANCE:
        raise AttackError("images are not 8-bit: wanted multiples of 1/255, as read from a file")
    return levels


def checked_levels(
    classifier: Classifier, images: Tensor, labels: Tensor, options: Options, *own: str
) -> Tensor:
    """Return images as `eight_bit_levels` does, or raise AttackError: an argument does not fit.

    It checks the arguments that all attacks share; `own` names the further ones that the attack takes.
    """
    if not callable(classifier) or not hasattr(classifier, "labels"):
        raise AttackError(f"classifier is a {type(classifier).__name__}; wanted one of load_classifier's")
    check_options(options, *own)
    levels = eight_bit_levels(images)
    _check_classes("label", labels, len(images), classifier)
    return levels


def check_targets(classifier: Classifier, targets: Tensor, labels: Tensor) -> None:
    """Raise AttackError if targets are not int64 (B,), from 0 to classes − 1, or one is its image's label."""
    _check_classes("target", targets, len(labels), classifier)
    same = targets[targets == labels]
    if len(same):
        raise AttackError(f"target {int(same[0])} is the image's own label")


def check_options(options: Options, *own: str) -> None:
    """Raise AttackError for an option that is none of `Options`, or whose value is of another type."""
    for name, value in options.items():
        if name in ("eps", "area"):
            raise AttackError(f"this attack takes no {name}; leave it out")
        if name not in Options.__annotations__:
            raise AttackError(unknown_name("option", name, [*Options.__annotations__, *own]))
        if name in ("steps", "samples", "chunk") and (value is not None or name == "samples"):
            check_count(name, value)  # type: ignore[arg-type]
        if name in _WANTED and value is not None:
            wanted, attribute = _WANTED[name]
            if not hasattr(value, attribute):
                raise AttackError(f"{name} is {value!r}; wanted {wanted}")


def _check_classes(kind: str, values: Tensor, batch: int, classifier: Classifier) -> None:
    if not isinstance(values, Tensor):
        raise AttackError(f"{kind}s are a {type(values).__name__}; wanted a tensor, torch.int64 ({batch},)")
    if values.dtype != torch.int64 or tuple(values.shape) != (batch,):
        raise AttackError(f"{kind}s are {values.dtype} {tuple(values.shape)}; wanted torch.int64 ({batch},)")
    classes = len(classifier.labels)
    outside = values[(values < 0) | (values >= classes)]
    if len(outside):
        raise AttackError(f"{kind} {int(outside[0])} is outside the {classes} classes of the classifier")


def whole_eps(eps: float) -> int:
    """Return eps, 1/255, 2/255, … or 255/255, in whole 8-bit levels, or raise AttackError."""
    wanted = "a fraction of the pixel range such as 16/255, at most 1"
    check_number("eps", eps, wanted, lambda eps: 0 < eps <= 1)
    levels = round(eps * 255)
    if levels < 1 or abs(eps * 255 - levels) > _TOLERANCE:
        raise AttackError(f"eps is {eps * 255:g} 8-bit levels; wanted a whole number of them, 1 to 255")
    return levels


@torch.enable_grad()
def check_differentiable(classifier: Classifier) -> None:
    """Raise AttackError if a classifier passes no gradient back, correct or not."""
    try:
        passes = classifier(probe_images(classifier.device).requires_grad_()).requires_grad
    except RuntimeError:  # such as numpy's refusal of a tensor with a gradient
        passes = False
    if not passes:
        raise AttackError(f"model '{classifier.spec}' passes no gradient back; it needs --query-only")


def objective_for(
    classifier: Classifier,
    labels: Tensor,
    options: Options,
    towards: Callable[[Tensor], Objective] = targeted_cross_entropy,
    away: Callable[[Tensor], Objective] = untargeted_cross_entropy,
) -> Objective:
    """Return the objective: towards the targets, checked, where there are any, else away from the labels."""
    targets = options.get("targets")
    if targets is None:
        return away(labels)
    check_targets(classifier, targets, labels)
    return towards(targets)


def generator_of(options: Options) -> torch.Generator:
    """Return the generator of the options, or one of seed 0."""
    return options.get("generator") or torch.Generator().manual_seed(0)


def steps_of(recipe: Recipe, options: Options, eps: float = 0) -> int:
    """Return the number of steps that the options give, or the recipe's own for eps in 8-bit levels."""
    steps = options.get("steps")
    return recipe.steps_for(round(eps)) if steps is None else steps


def refuse_goal(attack: str, options: Options) -> None:
    """Raise AttackError for a goal: the values of the attack are not the pictures themselves."""
    if options.get("goal") is not None:
        raise AttackError(f"{attack} cannot stop image by image at a goal; leave it out")


def run_recipe(
    recipe: Recipe,
    classifier: Callable[[Tensor], Tensor],
    objective: Objective,
    variable: Variable,
    optimiser: Optimiser,
    options: Options,
    *,
    eps: float = 0,
    penalty: Penalty | None = None,
    view_penalty: ViewPenalty | None = None,
) -> Tensor:
    """Return the values that `optimise` finds, with the recipe's numbers and preset by default.

    The options have gone through `check_options`.
    """
    distribution = options.get("distribution")
    return optimise(
        classifier,
        objective,
        variable,
        load_preset(recipe.transforms) if distribution is None else distribution,
        optimiser,
        steps=steps_of(recipe, options, eps),
        samples=options.get("samples", recipe.samples),
        generator=generator_of(options),
        chunk=options.get("chunk"),
        penalty=penalty,
        view_penalty=view_penalty,
        callback=options.get("callback"),
        goal=options.get("goal"),
        keep=options.get("keep"),
        resume=options.get("resume"),
    )
