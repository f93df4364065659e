"""Colours of what is to be printed: the nearest of a palette, the few that tell most of a picture, errors."""

import torch
from torch import Tensor

from physadv.attacks.penalties import non_printability_minimum, non_printability_product, pixels_under

_ROUNDS = 30


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
    centres = _spread(pixels, count)
    for _ in range(_ROUNDS):
        nearest = torch.cdist(pixels, centres).argmin(dim=1)
        own = torch.nn.functional.one_hot(nearest, count).to(pixels)
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


def _spread(pixels: Tensor, count: int) -> Tensor:
    """Return pixels far from one another, the first the farthest from the mean."""
    centres = [pixels[(pixels - pixels.mean(dim=0)).norm(dim=1).argmax()]]
    while len(centres) < count:
        centres.append(pixels[torch.cdist(pixels, torch.stack(centres)).amin(dim=1).argmax()])
    return torch.stack(centres)


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
