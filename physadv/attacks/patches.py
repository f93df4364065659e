"""Adversarial patches: one picture that makes any image be taken for a target (Brown et al. 2017)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Unpack

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks import running
from physadv.attacks.errors import AttackError, check_count
from physadv.attacks.objectives import Penalty, targeted_cross_entropy
from physadv.attacks.optimisers import Optimiser, TorchOptimiser
from physadv.attacks.recipes import RECIPES
from physadv.attacks.variables import LInfBall, mid_grey_noise
from physadv.classifiers import Classifier
from physadv.transforms import round_to_8_bits
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.protocol import Parameters
from physadv.transforms.resampling import ANTIALIAS

_RECIPE = RECIPES["patch"]
_AREA = _RECIPE.budget(None, None)["area"]
_adam = partial(TorchOptimiser, partial(torch.optim.Adam, lr=_RECIPE.step_size()))


def circle(size: int) -> Tensor:
    """Return the alpha mask (size, size) of a disc, its edge one pixel soft; a size below 1: AttackError."""
    check_count("size", size)
    axis = torch.arange(size) + 0.5 - size / 2
    radius = (axis[:, None].square() + axis[None, :].square()).sqrt()
    return (size / 2 - radius + 0.5).clamp(0, 1)


def square(size: int) -> Tensor:
    """Return the alpha mask (size, size) of a whole square; a size below 1 raises AttackError."""
    check_count("size", size)
    return torch.ones(size, size)


def shown_side(shape: Callable[[int], Tensor], area: float, height: int, width: int) -> int:
    """Return the side, in whole pixels, of the square around a mask that covers a share of an image."""
    covered = float(shape(256).mean())
    if covered <= 0:
        raise AttackError("patch mask is empty")
    return math.ceil(math.sqrt(area * height * width / covered))


@dataclass(frozen=True)
class Placement:
    """Random places of a patch: anywhere wholly inside the image, rotated and scaled.

    Attributes:
        area: the least and the largest share of the image's area that the mask covers.
        rotation: largest rotation either way, in degrees; by default that of Brown et al. 2017.
    """

    area: tuple[float, float]
    rotation: float = _RECIPE.parameters["rotation"]

    def __post_init__(self) -> None:
        if not isinstance(self.area, tuple | list) or len(self.area) != 2:
            raise AttackError(f"patch area {self.area!r}: wanted two shares of the image, least and largest")
        low, high = self.area
        if not 0 < low <= high <= 1:
            raise AttackError(f"patch area {low:g} to {high:g}: wanted shares of the image, 0 to 1")
        if not 0 <= self.rotation <= 180:
            raise AttackError(f"patch rotation {self.rotation:g}: wanted 0 to 180 degrees")

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw area, angle in radians and place (0 to 1 of the room there is, x and y) for n images."""
        uniform = torch.rand((n, 4), generator=generator, device=generator.device)
        low, high = self.area
        angle = math.radians(self.rotation) * (2 * uniform[:, 1] - 1)
        return {"area": low + (high - low) * uniform[:, 0], "angle": angle, "place": uniform[:, 2:]}


@dataclass(frozen=True)
class Patch:
    """One patch, shown at every step on other backgrounds and at other places.

    Values are levels from 0 to 255, (1, 3, h, w).

    Attributes:
        backgrounds: images it may be put on, (N, 3, H, W) in [0, 1].
        alpha: shape of the patch, (h, w) in [0, 1].
        placement: places it may be put at.
        batch: number of backgrounds that a step draws.
        in_order: whether every step shows all backgrounds, each in its own row, instead of drawing some.
        disguise: ball around a picture (1, 3, h, w) that the values stay in.

    Raises:
        AttackError: `batch` is not the number of backgrounds in order, or the disguise has another size.
    """

    backgrounds: Tensor
    alpha: Tensor
    placement: Placement
    batch: int
    in_order: bool = False
    disguise: LInfBall | None = None

    def __post_init__(self) -> None:
        if self.in_order and self.batch != len(self.backgrounds):
            raise AttackError(f"batch {self.batch}: wanted all {len(self.backgrounds)} backgrounds in order")
        wanted = (1, 3, *self.alpha.shape)
        if self.disguise is not None and self.disguise.levels.shape != wanted:
            shape = tuple(self.disguise.levels.shape)
            raise AttackError(f"disguise of shape {shape}; wanted the mask's, {wanted}")

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the disguise, or uniform noise about mid-grey."""
        if self.disguise is not None:
            return self.disguise.start(generator)
        return mid_grey_noise((1, 3, *self.alpha.shape), generator).to(self.backgrounds)

    def images(self, values: Tensor) -> Tensor:
        """Return the rounded patch (1, 3, h, w) in [0, 1]; the gradient passes the rounding."""
        return (values + (values.round() - values).detach()) / 255

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw n places and n backgrounds."""
        count = len(self.backgrounds)
        chosen = torch.arange(n) % count
        if not self.in_order:
            chosen = torch.randint(count, (n,), generator=generator, device=generator.device)
        return {**self.placement.draw(n, generator), "background": chosen}

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        """Return the drawn backgrounds with the patch on them, (samples·B, 3, H, W)."""
        backgrounds = self.backgrounds[drawn["background"].to(self.backgrounds.device)]
        return paste(self.images(values), self.alpha, backgrounds, drawn)

    def project(self, values: Tensor) -> Tensor:
        """Return the values clipped to [0, 255], or to the disguise's ball."""
        return values.clamp(0, 255) if self.disguise is None else self.disguise.project(values)


def paste(patch: Tensor, alpha: Tensor, images: Tensor, drawn: Parameters) -> Tensor:
    """Return images (N, 3, H, W) with a patch (1, 3, h, w) of shape `alpha` (h, w) put on as drawn.

    A patch finer than the images' pixels is smoothed first, so that it does not alias.

    Raises:
        AttackError: the mask is empty or its size is not the patch's.
    """
    if alpha.shape != patch.shape[-2:] or float(alpha.sum()) <= 0:
        size = tuple(patch.shape[-2:])
        raise AttackError(f"patch mask {tuple(alpha.shape)} is empty or not of the patch's size {size}")
    n, _, height, width = images.shape
    covered = float(alpha.mean())
    # Half the side of the square that holds the mask, in pixels of the image.
    half = (drawn["area"].to(images) * height * width / covered).sqrt() / 2
    cosine, sine = drawn["angle"].to(images).cos(), drawn["angle"].to(images).sin()
    reach = half * (cosine.abs() + sine.abs())
    frame = images.new_tensor([width / 2, height / 2])
    room = (frame - reach[:, None]).clamp_min(0)
    centre = frame + (2 * drawn["place"].to(images) - 1) * room
    x, y = torch.arange(width).to(images) + 0.5, torch.arange(height).to(images)[:, None] + 0.5
    dx = (x - centre[:, 0, None, None]) / half[:, None, None]
    dy = (y - centre[:, 1, None, None]) / half[:, None, None]
    cosine, sine = cosine[:, None, None], sine[:, None, None]
    grid = torch.stack([cosine * dx + sine * dy, cosine * dy - sine * dx], dim=-1)
    shaped = torch.cat([patch * alpha.to(patch), alpha.to(patch).expand(1, 1, -1, -1)], dim=1)
    finer = (patch.shape[-1] / (2 * half) - 1).clamp_min(0)
    shaped = gaussian_blur(shaped.expand(n, -1, -1, -1), ANTIALIAS * finer)
    shown = F.grid_sample(shaped, grid, align_corners=False)
    return shown[:, :3] + (1 - shown[:, 3:]) * images


def patch(
    classifier: Callable[[Tensor], Tensor],
    backgrounds: Tensor,
    target: int,
    *,
    area: float | tuple[float, float] = _AREA,
    size: int | None = None,
    shape: Callable[[int], Tensor] = circle,
    rotation: float = _RECIPE.parameters["rotation"],
    batch: int = 16,
    optimiser: Optimiser | None = None,
    penalties: Sequence[Penalty] = (),
    disguise: LInfBall | None = None,
    **options: Unpack[running.Options],
) -> Tensor:
    """Return a patch (3, size, size) that makes images be taken for `target` (Brown et al. 2017).

    It minimises the target's cross-entropy expected over backgrounds, places and a distribution, by Adam.

    Args:
        classifier: images (N, 3, H, W) in [0, 1] → logits (N, K).
        backgrounds: (B, 3, H, W) in [0, 1]; a random `batch` of them is taken at every step.
        target: the class to reach.
        area: share of the image that the mask covers, or the least and the largest, above 0 and at most 1.
        size: side of the patch in pixels; by default the side at which the largest patch is shown.
        shape: size → alpha mask, such as `circle` or `square`.
        rotation: largest rotation either way, in degrees.
        batch: number of backgrounds per step.
        optimiser: step rule on levels from 0 to 255; by default the recipe's Adam.
        penalties: further losses of the patch's levels, such as total variation.
        disguise: ball around a picture (1, 3, size, size) that the patch stays in.
        **options: see `Options`; `samples` are places and transformations per background and step. There are
            no targets and no goal.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> backgrounds = torch.full((2, 3, 32, 32), 0.5)
        >>> patch(load_classifier("signs"), backgrounds, target=14, steps=2, batch=2).shape
        torch.Size([3, 12, 12])
    """
    running.refuse_goal("patch", options)
    if options.get("targets") is not None:
        raise AttackError("a patch has one target, a class; wanted no targets")
    running.check_options(options)
    if not callable(classifier):
        raise AttackError(f"classifier is a {type(classifier).__name__}; wanted a function of images")
    classes = len(getattr(classifier, "labels", ())) or math.inf
    if not isinstance(target, Integral) or not 0 <= target < classes:
        raise AttackError(f"target {target!r}: wanted a class index of the classifier")
    placement = Placement((area, area) if isinstance(area, Real) else area, rotation)
    side = shown_side(shape, placement.area[1], *backgrounds.shape[-2:]) if size is None else size
    alpha = shape(check_count("size", side)).to(backgrounds)
    variable = Patch(backgrounds, alpha, placement, check_count("batch", batch), disguise=disguise)
    targets = torch.full((variable.batch,), target, device=backgrounds.device)
    penalty = (lambda values: torch.stack([p(values).sum() for p in penalties])) if penalties else None
    objective, adam = targeted_cross_entropy(targets), optimiser or _adam()
    values = running.run_recipe(_RECIPE, classifier, objective, variable, adam, options, penalty=penalty)
    return variable.images(values)[0]


def universal_patch(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    area: float = _AREA,
    **options: Unpack[running.Options],
) -> Tensor:
    """Return images with one round patch on all of them, each at a random place (Brown et al. 2017).

    The patch is trained on these images, over places, turns and the distribution, by Adam.
    Arguments, result and errors as `fast`, but for the budget: `area` is the share of the image that the
    patch covers. Targets must all be one class, and there can be no goal.
    """
    running.refuse_goal("patch", options)
    running.checked_levels(classifier, images, labels, options)
    objective = running.objective_for(classifier, labels, options)
    targets = options.get("targets")
    if targets is not None and bool((targets != targets[0]).any()):
        raise AttackError("one patch can reach one class only; wanted the same target for all images")
    placement = Placement((area, area))
    alpha = circle(shown_side(circle, area, *images.shape[-2:])).to(images)
    variable = Patch(images, alpha, placement, batch=len(images), in_order=True)
    random = running.generator_of(options)
    options = {**options, "generator": random}
    values = running.run_recipe(_RECIPE, classifier, objective, variable, _adam(), options)
    places = placement.draw(len(images), random)
    return round_to_8_bits(paste(variable.images(values), alpha, images, places))
