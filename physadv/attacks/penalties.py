"""Penalties, further losses of the values, for pictures close to their source, smooth or printable.

Also the colours of what is to be printed: the nearest of a palette, the few that tell most of a picture.
"""

from collections.abc import Callable

import torch
from kornia.color import rgb_to_lab
from torch import Tensor
from torch.nn.functional import one_hot

from physadv.attacks.recipes import Nps

Penalty = Callable[[Tensor], Tensor]
"""Values of a variable → losses, one a row or one in all, added to the expected loss."""

PRINTABLE = torch.tensor(
    [
        [0.12, 0.93, 0.52, 0.78, 0.15, 0.17, 0.12, 0.75, 0.93],  # red
        [0.12, 0.93, 0.52, 0.16, 0.55, 0.18, 0.55, 0.18, 0.87],  # green
        [0.12, 0.91, 0.52, 0.16, 0.25, 0.50, 0.75, 0.47, 0.15],  # blue
    ]
).T.contiguous()
"""Eight corners of the cube and mid-grey as office printers make them: an illustration, not a measurement."""


def total_variation(pictures: Tensor) -> Tensor:
    """Return the mean of √(Δx² + Δy²) over pixels and channels, (B,), of pictures (B, C, H, W).

    Smoothness as in Sharif et al. 2016, eq. 4, divided by the number of terms.
    """
    right = pictures[..., :-1, 1:] - pictures[..., :-1, :-1]
    down = pictures[..., 1:, :-1] - pictures[..., :-1, :-1]
    # The root has no gradient at zero, where every flat picture is.
    return (right.square() + down.square() + 1e-8).sqrt().mean(dim=(1, 2, 3))


def non_printability_product(pictures: Tensor, printable: Tensor = PRINTABLE) -> Tensor:
    """Return the mean over pixels of log Π_c ‖p − c‖, (B,): Sharif et al. 2016, eq. 5, as a logarithm.

    The product itself underflows with a few dozen colours, and with it its gradient; the logarithm has the
    same minima. Pictures are (B, 3, H, W) in [0, 1], `printable` is (C, 3).
    """
    return (_distances(pictures, printable) + 1e-4).log().sum(dim=1).mean(dim=(1, 2))


def non_printability_minimum(pictures: Tensor, printable: Tensor = PRINTABLE) -> Tensor:
    """Return the mean over pixels of min_c ‖p − c‖, (B,): Thys et al. 2019, section 3.

    Pictures are (B, 3, H, W) in [0, 1], `printable` is (C, 3).
    """
    return _distances(pictures, printable).amin(dim=1).mean(dim=(1, 2))


NON_PRINTABILITY: dict[Nps, Callable[[Tensor, Tensor], Tensor]] = {
    "product": non_printability_product,
    "minimum": non_printability_minimum,
}


def pixels_under(pictures: Tensor, mask: Tensor) -> Tensor:
    """Return the pixels of pictures (B, 3, H, W) that lie under a mask (H, W) as one row, (B, 3, 1, M)."""
    return pictures[..., mask > 0.5][:, :, None]


def lab_distance(pictures: Tensor, source: Tensor) -> Tensor:
    """Return the root mean square difference of two batches (B, 3, H, W) in CIELAB, (B,).

    The distance of Athalye et al. 2018, section 2.2, per pixel, and of the pictures themselves rather than in
    expectation over their transformed copies.
    """
    difference = (rgb_to_lab(pictures) - rgb_to_lab(source)).square().sum(dim=1)
    return (difference.mean(dim=(1, 2)) + 1e-12).sqrt()


def nearest_colours(pictures: Tensor, palette: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) with every pixel replaced by the nearest of a palette (N, 3)."""
    flat = pictures.movedim(1, -1)
    chosen = torch.cdist(flat.reshape(-1, 3), palette.to(pictures)).argmin(dim=1)
    return palette.to(pictures)[chosen].reshape(flat.shape).movedim(-1, 1)


def flat_colours(picture: Tensor, mask: Tensor, count: int, printable: Tensor | None) -> Tensor:
    """Return the `count` colours (N, 3) that tell most of a picture under a mask: k-means, from its extremes.

    Args:
        picture: (1, 3, S, S) in [0, 1].
        mask: (S, S).
        count: how many.
        printable: (C, 3), the only colours to choose from, if the user gave any.
    """
    pixels = picture[0, :, mask > 0.5].T
    # The extremes lie far from one another, the first the farthest from the mean.
    extremes = [pixels[(pixels - pixels.mean(dim=0)).norm(dim=1).argmax()]]
    while len(extremes) < count:
        extremes.append(pixels[torch.cdist(pixels, torch.stack(extremes)).amin(dim=1).argmax()])
    centres = torch.stack(extremes)
    for _ in range(30):
        nearest = torch.cdist(pixels, centres).argmin(dim=1)
        own = one_hot(nearest, count).to(pixels)
        held = own.sum(dim=0)[:, None]
        centres = torch.where(held > 0, own.T @ pixels / held.clamp_min(1), centres)
    if printable is None:
        return centres
    chosen: list[int] = []
    for centre in centres:
        distance = (printable - centre).norm(dim=1)
        distance[chosen] = torch.inf
        chosen.append(int(distance.argmin()))
    return printable[chosen]


def printing_errors(stickers: Tensor, mask: Tensor, printable: Tensor) -> dict[str, float]:
    """Return how far stickers (1, 3, S, S) under a mask (S, S) are from printable colours (C, 3).

    Returns:
        `nps_product`, the mean over pixels of log Π distances (Sharif et al. 2016, as a logarithm);
        `nps_minimum`, the mean distance to the nearest colour (Thys et al. 2019); and `palette_error`, the
        root mean square of that distance in 8-bit levels a channel.
    """
    pixels = pixels_under(stickers, mask)
    nearest = torch.cdist(pixels[0, :, 0].T, printable.to(pixels)).amin(dim=1)
    return {
        "nps_product": float(non_printability_product(pixels, printable)),
        "nps_minimum": float(non_printability_minimum(pixels, printable)),
        "palette_error": float((nearest.square().mean() / 3).sqrt() * 255),
    }


def _distances(pictures: Tensor, printable: Tensor) -> Tensor:
    """Return ‖p − c‖ of every pixel and colour, (B, C, H, W)."""
    difference = pictures[:, None] - printable.to(pictures)[None, :, :, None, None]
    return (difference.square().sum(dim=2) + 1e-8).sqrt()
