"""Stickers on a flat surface, such as a sign, seen in perspective in every photo of the surface."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Unpack

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks import objectives, running
from physadv.attacks.errors import AttackError, check_count, check_number
from physadv.attacks.optimisers import cooling_adam
from physadv.attacks.recipes import RECIPES, Nps
from physadv.attacks.variables import LInfBall, Variable, mid_grey_noise
from physadv.classifiers import Classifier
from physadv.transforms import round_to_8_bits
from physadv.transforms.geometry import apply_homography
from physadv.transforms.protocol import Parameters
from physadv.transforms.resampling import prefilter

_RECIPE = RECIPES["rp2"]


@dataclass(frozen=True)
class Stickers:
    """Stickers under a mask on a flat surface whose view in every photo is known.

    Values are levels from 0 to 255 of the whole surface, (1, 3, h, w) or (B, 3, h, w).

    Attributes:
        photos: photos of the surface, (B, 3, H, W) in [0, 1].
        alpha: mask of the stickers, (h, w) in [0, 1], in pixels of the surface.
        homography: (B, 3, 3) from pixels of the surface to pixels of each photo, as `cv2.warpPerspective`'s.
        shared: whether all photos show one set of stickers, as photos of one object do, or each its own.
        disguise: ball around a picture of the surface, (1, 3, h, w) or one per set, that the values stay in.

    Raises:
        AttackError: a shape does not fit, or the mask is empty, outside a photo or behind its camera.
    """

    photos: Tensor
    alpha: Tensor
    homography: Tensor
    shared: bool = True
    disguise: LInfBall | None = None

    def __post_init__(self) -> None:
        low, high = float(self.alpha.min()), float(self.alpha.max())
        if self.alpha.ndim != 2 or low < 0 or not 0 < high <= 1:
            mask = f"sticker mask of shape {tuple(self.alpha.shape)} from {low:g} to {high:g}"
            raise AttackError(f"{mask}; wanted (h, w) in [0, 1] and not empty")
        if self.homography.shape != (self.batch, 3, 3) or not bool(self.homography.isfinite().all()):
            given = f"homographies of shape {tuple(self.homography.shape)} for {self.batch} photos"
            raise AttackError(f"{given}; wanted ({self.batch}, 3, 3), finite")
        singular = (torch.linalg.det(self.homography.double()).abs() < 1e-12).nonzero()
        if len(singular):
            raise AttackError(f"the homography of photo {int(singular[0])} cannot be inverted")
        one, wanted = (1, 3, *self.alpha.shape), self._shape
        if self.disguise is not None and self.disguise.levels.shape not in (one, wanted):
            raise AttackError(f"disguise of shape {tuple(self.disguise.levels.shape)}; wanted {wanted}")
        unseen = (self._mask.amax(dim=(1, 2, 3)) == 0).nonzero()
        if len(unseen):
            raise AttackError(f"the sticker mask falls outside photo {int(unseen[0])} of {self.batch}")

    @property
    def batch(self) -> int:
        """Return B."""
        return len(self.photos)

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the disguise, or uniform noise about mid-grey."""
        if self.disguise is not None:
            return self.disguise.start(generator).expand(self._shape)
        return mid_grey_noise(self._shape, generator).to(self.photos)

    def images(self, values: Tensor) -> Tensor:
        """Return the rounded surface (·, 3, h, w) in [0, 1]; the gradient passes the rounding."""
        return round_to_8_bits(values / 255)

    def draw(self, n: int, generator: torch.Generator) -> Parameters:
        """Return the empty draw: every photo's view is known."""
        return {}

    def render(self, values: Tensor, drawn: Parameters, samples: int) -> Tensor:
        """Return the photos with the stickers on them, once for every sample, (samples·B, 3, H, W)."""
        surface = self.images(values) * self.alpha.to(values)
        return (self._warped(surface) + (1 - self._mask) * self.photos).repeat(samples, 1, 1, 1)

    def project(self, values: Tensor) -> Tensor:
        """Return the values clipped to [0, 255], or to the disguise's ball."""
        return values.clamp(0, 255) if self.disguise is None else self.disguise.project(values)

    @property
    def _shape(self) -> tuple[int, ...]:
        return (1 if self.shared else self.batch, 3, *self.alpha.shape)

    def _warped(self, surface: Tensor) -> Tensor:
        """Return pictures of the surface (1 or B, C, h, w) as every photo sees them, black beside them."""
        smooth = prefilter(surface.expand(self.batch, -1, -1, -1), self.homography.double())
        return F.grid_sample(smooth, self._grid, align_corners=False)

    @cached_property
    def _mask(self) -> Tensor:
        """Return how much of the stickers every pixel of every photo shows, (B, 1, H, W)."""
        return self._warped(self.alpha.to(self.photos)[None, None])

    @cached_property
    def _grid(self) -> Tensor:
        """Return where on the surface each photo's pixels look, (B, H, W, 2), as `grid_sample` takes it."""
        height, width = self.photos.shape[-2:]
        homography = self.homography.double()
        columns, rows = (torch.arange(count).to(homography) for count in (width, height))
        pixels = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).reshape(-1, 2)
        places = apply_homography(torch.linalg.inv(homography), pixels)
        size = places.new_tensor(self.alpha.shape[::-1])
        # Beyond the surface's horizon a homography shows what is behind the camera.
        seen = torch.cat([places, ((size - 1) / 2).expand(self.batch, 1, 2)], dim=1)
        depth = (F.pad(seen, (0, 1), value=1.0) @ homography[:, 2, :, None])[..., 0]
        ahead = depth[:, :-1] * depth[:, -1:] > 0
        unit = torch.where(ahead[..., None], (2 * places + 1) / size - 1, torch.full_like(places, 2.0))
        return unit.reshape(self.batch, height, width, 2).to(self.photos)


def bars(height: int, width: int) -> Tensor:
    """Return two bars (height, width), above and below a stop sign's word (Eykholt et al. 2018, figure 1).

    Height and width are in pixels; one below 1 raises AttackError.
    """
    mask = torch.zeros(check_count("height", height), check_count("width", width))
    for top in (0.2, 0.7):
        mask[round(top * height) : round((top + 0.1) * height), width // 4 : width - width // 4] = 1
    return mask


def random_stickers(stickers: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Return the random control, (1, 3, S, S): pieces of stickers put back under their mask in random places.

    Every place takes a piece from somewhere under the mask, rotated by a random multiple of 90°. Pieces are
    16 pixels wide, or narrower if that gives fewer than eight. Area, colours and grain are those of the given
    stickers (1, 3, S, S); the motif is not. Stickers too small to be cut up are returned unchanged.
    """
    for side in (side for side in (16, 8, 4, 2, 1) if side <= min(mask.shape)):
        cells = mask.unfold(0, side, side).unfold(1, side, side)
        sources = (cells.mean(dim=(2, 3)) > 0.9).nonzero()
        if len(sources) >= 8:
            break
    else:
        return stickers
    result = stickers.clone()
    for row, column in (cells.amax(dim=(2, 3)) > 0).nonzero().tolist():
        chosen = int(torch.randint(len(sources), (1,), generator=generator))
        turns = int(torch.randint(4, (1,), generator=generator))
        top, left = (sources[chosen] * side).tolist()
        piece = stickers[..., top : top + side, left : left + side].rot90(turns, (2, 3))
        result[..., row * side : (row + 1) * side, column * side : (column + 1) * side] = piece
    return result


def optimise_rp2(
    classifier: Callable[[Tensor], Tensor],
    objective: objectives.Objective,
    variable: Variable,
    mask: Tensor,
    options: running.Options,
    *,
    printability: float = _RECIPE.parameters["printability"],
    smoothness: float = _RECIPE.parameters["smoothness"],
    nps: Nps = "product",
    printable: Tensor = objectives.PRINTABLE,
    penalty: objectives.Penalty | None = None,
) -> Tensor:
    """Return the levels of stickers found by Robust Physical Perturbations (Eykholt et al. 2018, eq. 3).

    It minimises expected loss + non-printability under the mask + total variation by Adam with a rate that
    falls to zero. The weights are this project's: the paper gives none. The variable's values are levels
    (S, 3, h, w) of a surface, as those of `Stickers` are; the mask (h, w) in [0, 1] says where on it the
    stickers are. `printable` is (C, 3) in [0, 1]. A penalty weighs as much as one image's loss. A count below
    1, a negative weight or a gradient that is not finite raises AttackError.
    """
    running.check_options(options)
    check_number("printability", printability)
    check_number("smoothness", smoothness)

    def cost(values: Tensor) -> Tensor:
        surface = values / 255
        unprintable = objectives.NON_PRINTABILITY[nps](objectives.pixels_under(surface, mask), printable)
        total = printability * unprintable + smoothness * objectives.total_variation(surface)
        # The loop sums the losses of a batch.
        return variable.batch // len(values) * (total if penalty is None else total + penalty(values))

    adam = cooling_adam(_RECIPE.step_size(), running.steps_of(_RECIPE, options))
    return running.run_recipe(_RECIPE, classifier, objective, variable, adam, options, penalty=cost)


def rp2(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    mask: Tensor | None = None,
    homography: Tensor | None = None,
    shared: bool = False,
    disguise: LInfBall | None = None,
    printability: float = _RECIPE.parameters["printability"],
    smoothness: float = _RECIPE.parameters["smoothness"],
    **options: Unpack[running.Options],
) -> Tensor:
    """Return images of a flat surface with printable, smooth stickers on it (Eykholt et al. 2018, eq. 3).

    Adam minimises expected loss + non-printability under the mask + total variation.

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
        labels: int64 (B,), the true classes.
        mask: (h, w) in [0, 1], where on the surface the stickers are; by default `bars`.
        homography: (B, 3, 3) from pixels of the surface to pixels of each image; by default the surface fills
            the image.
        shared: whether all images, as photos of one object, show the same stickers.
        disguise: ball around a picture of the surface that the stickers stay in.
        printability: weight of the non-printability score, 0 or more.
        smoothness: weight of the total variation, 0 or more.
        **options: see `Options`; there can be no goal.

    Returns:
        Images of the shape and dtype of `images`, whole 8-bit levels, unchanged beside the stickers.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.

    Example:
        >>> from physadv.classifiers import load_classifier
        >>> images, labels = torch.full((1, 3, 20, 20), 128 / 255), torch.tensor([14])
        >>> stuck = rp2(load_classifier("signs"), images, labels, steps=2, samples=1)
        >>> round(float((stuck != images).any(dim=1).float().mean()), 2)
        0.1
    """
    running.refuse_goal("rp2", options)
    own = ("mask", "homography", "shared", "disguise", "printability", "smoothness")
    running.checked_levels(classifier, images, labels, options, *own)
    alpha = bars(images.shape[-2], images.shape[-1]) if mask is None else mask
    if homography is None:
        across, down = (images.shape[-1 - axis] / alpha.shape[-1 - axis] for axis in (0, 1))
        filling = [(across, 0, (across - 1) / 2), (0, down, (down - 1) / 2), (0, 0, 1)]
        homography = torch.tensor(filling, dtype=torch.float64).expand(len(images), 3, 3)
    stickers = Stickers(images, alpha, homography, shared, disguise)
    objective = running.objective_for(classifier, labels, options, away=objectives.untargeted_likelihood)
    values = optimise_rp2(
        classifier, objective, stickers, alpha, options, printability=printability, smoothness=smoothness
    )
    return round_to_8_bits(stickers.render(values, {}, 1))
