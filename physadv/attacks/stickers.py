"""Stickers on a known flat surface, such as a sign: seen in perspective in every photo of the surface."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Unpack

import torch
import torch.nn.functional as F
from torch import Tensor

from physadv.attacks.checks import check_labels, eight_bit_levels
from physadv.attacks.descent import aim, descend, refuse_goal
from physadv.attacks.errors import AttackError
from physadv.attacks.optimisers import TorchOptimiser
from physadv.attacks.options import Options
from physadv.attacks.penalties import PRINTABLE, non_printability_product, total_variation
from physadv.attacks.variables import LInfBall, mid_grey_noise
from physadv.classifiers import Classifier
from physadv.transforms import round_to_8_bits
from physadv.transforms.geometry import apply_homography
from physadv.transforms.protocol import Parameters
from physadv.transforms.warps import prefilter


@dataclass(frozen=True)
class Stickers:
    """Stickers under a mask on a flat surface of which every photo's view is known.

    Values are levels from 0 to 255 of the whole surface, (1, 3, h, w) or (B, 3, h, w); the mask says where
    they are seen.

    Attributes:
        photos: (B, 3, H, W) in [0, 1].
        alpha: (h, w) in [0, 1], where the stickers are, in pixels of the surface.
        homography: (B, 3, 3) from pixels of the surface to pixels of each photo, as `cv2.warpPerspective`'s.
        shared: one set of stickers in all photos, those of one object, instead of one set a photo.
        disguise: the ball about a picture of the surface, (1, 3, h, w) or one a set, that values stay in.

    Raises:
        AttackError: a shape does not fit, or the mask is empty, outside a photo or behind its camera.
    """

    photos: Tensor
    alpha: Tensor
    homography: Tensor
    shared: bool = True
    disguise: LInfBall | None = None

    def __post_init__(self) -> None:
        if self.alpha.ndim != 2 or not 0 < float(self.alpha.max()) <= 1 or float(self.alpha.min()) < 0:
            raise AttackError(
                f"sticker mask of shape {tuple(self.alpha.shape)} from {float(self.alpha.min()):g} to "
                f"{float(self.alpha.max()):g}; wanted (h, w) in [0, 1] and not empty"
            )
        if self.homography.shape != (self.batch, 3, 3) or not bool(self.homography.isfinite().all()):
            raise AttackError(
                f"homographies of shape {tuple(self.homography.shape)} for {self.batch} photos; "
                f"wanted ({self.batch}, 3, 3), finite"
            )
        singular = (torch.linalg.det(self.homography.double()).abs() < 1e-12).nonzero()
        if len(singular):
            raise AttackError(f"the homography of photo {int(singular[0])} cannot be inverted")
        if self.disguise is not None and self.disguise.levels.shape not in (
            (1, 3, *self.alpha.shape),
            (self.sets, 3, *self.alpha.shape),
        ):
            raise AttackError(
                f"disguise of shape {tuple(self.disguise.levels.shape)}; "
                f"wanted {(self.sets, 3, *self.alpha.shape)}"
            )
        unseen = (self._mask.amax(dim=(1, 2, 3)) == 0).nonzero()
        if len(unseen):
            raise AttackError(f"the sticker mask falls outside photo {int(unseen[0])} of {self.batch}")

    @property
    def batch(self) -> int:
        """Return B."""
        return len(self.photos)

    @property
    def sets(self) -> int:
        """Return how many sets of stickers there are, 1 or B."""
        return 1 if self.shared else self.batch

    def start(self, generator: torch.Generator) -> Tensor:
        """Return the disguise, or uniform noise about mid-grey."""
        if self.disguise is not None:
            return self.disguise.start(generator).expand(self.sets, -1, -1, -1)
        return mid_grey_noise((self.sets, 3, *self.alpha.shape), generator).to(self.photos)

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
        y, x = torch.meshgrid(
            torch.arange(height).to(self.homography.double()),
            torch.arange(width).to(self.homography.double()),
            indexing="ij",
        )
        pixels = torch.stack([x, y], dim=-1).reshape(-1, 2)
        inverse = torch.linalg.inv(self.homography.double())
        places = apply_homography(inverse, pixels)
        size = places.new_tensor(self.alpha.shape[::-1])
        # Beyond the surface's horizon a homography shows what is behind the camera.
        seen = torch.cat([places, ((size - 1) / 2).expand(self.batch, 1, 2)], dim=1)
        depth = (F.pad(seen, (0, 1), value=1.0) @ self.homography.double()[:, 2, :, None])[..., 0]
        ahead = depth[:, :-1] * depth[:, -1:] > 0
        unit = torch.where(ahead[..., None], (2 * places + 1) / size - 1, torch.full_like(places, 2.0))
        return unit.reshape(self.batch, height, width, 2).to(self.photos)


def bars(height: int, width: int) -> Tensor:
    """Return the mask (height, width) of two horizontal bars above and below the middle, 10 % of the area.

    After the stickers above and below the word of a stop sign (Eykholt et al. 2018, figure 1).
    """
    mask = torch.zeros(height, width)
    for top in (0.2, 0.7):
        mask[round(top * height) : round((top + 0.1) * height), width // 4 : width - width // 4] = 1
    return mask


def rp2(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    mask: Tensor | None = None,
    homography: Tensor | None = None,
    shared: bool = False,
    disguise: LInfBall | None = None,
    printability: float = 0.1,
    smoothness: float = 1.0,
    **options: Unpack[Options],
) -> Tensor:
    """Return images with printable, smooth stickers on them: Robust Physical Perturbations.

    Expected loss + non-printability (Eykholt et al. 2018, eq. 3, whose logarithm is taken) + total variation,
    by 300 steps of Adam at 0.05 of the pixel range. The weights of the two are this project's.

    Args:
        classifier: the classifier to fool.
        images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
        labels: int64 (B,), the true classes.
        mask: (h, w) in [0, 1], where on the surface the stickers are; `bars` without it.
        homography: (B, 3, 3) from pixels of the surface to pixels of each image; without it the surface
            fills the image.
        shared: one set of stickers for all images: photos of one object.
        disguise: the ball about a picture of the surface that the stickers stay in.
        printability: weight of the non-printability score.
        smoothness: weight of the total variation.
        **options: see `Options`; there can be no goal.

    Returns:
        Images of the shape and dtype of `images`, whole 8-bit levels, beside the stickers those given.

    Raises:
        AttackError: an argument is out of its range, or a gradient is not finite.
    """
    refuse_goal("rp2", options)
    eight_bit_levels(images)
    check_labels(labels, images, len(classifier.labels))
    height, width = images.shape[-2:]
    alpha = bars(height, width) if mask is None else mask
    if homography is None:
        across, down = width / alpha.shape[-1], height / alpha.shape[-2]
        fill = torch.tensor(
            [(across, 0, (across - 1) / 2), (0, down, (down - 1) / 2), (0, 0, 1)], dtype=torch.float64
        )
        homography = fill.expand(len(images), 3, 3)
    stickers = Stickers(images, alpha, homography, shared, disguise)

    def penalty(values: Tensor) -> Tensor:
        surface = values / 255
        unprintable = non_printability_product(surface, PRINTABLE)
        return printability * unprintable + smoothness * total_variation(surface)

    adam = TorchOptimiser(partial(torch.optim.Adam, lr=255 * 0.05))
    objective = aim(classifier, labels, options)
    values = descend(classifier, objective, stickers, adam, 300, options, penalty=penalty)
    return round_to_8_bits(stickers.render(values, {}, 1))
