"""What signs wear when they are judged: nothing, the stickers, and random stickers nobody optimised."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from physadv.randomness import generator
from physadv.signs.stop_sign.plate import outline
from physadv.signs.stop_sign.sign import Victim
from physadv.signs.stop_sign.stickers import metered, stickered, white_light
from physadv.signs.stop_sign.victims import rectified

CLEAN, RANDOM, OPTIMISED, PUBLISHED = "clean", "random", "optimised", "published"
ALONE = "for each alone"
"""A noise of its own for every sign."""
_PIECES = (16, 8, 4, 2, 1)
"""Sides, pixels of the face, of the pieces of random stickers: the largest of which there are enough."""
_LEAST_PIECES = 8


@dataclass(frozen=True)
class Treated:
    """Signs in every treatment, as the lab and the drive-by test take them.

    Attributes:
        names: of the V victims.
        faces: treatment → (V, 3, FACE_SIDE, FACE_SIDE) in [0, 1].
        alpha: (FACE_SIDE, FACE_SIDE), 1 where the plate is.
    """

    names: list[str]
    faces: dict[str, Tensor]
    alpha: Tensor


def treat(victims: Sequence[Victim], stickers: Tensor, mask: Tensor, seed: int) -> Treated:
    """Return signs clean, with random stickers, one draw a sign, and with the optimised ones.

    Args:
        victims: the signs.
        stickers: (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1].
        mask: (FACE_SIDE, FACE_SIDE), where they are.
        seed: of the random ones.
    """
    faces, alpha = rectified(list(victims)), outline()
    faces, light = metered(faces, white_light(faces, alpha))
    shuffled = torch.cat([random_stickers(stickers, mask, seed, draw) for draw in range(len(faces))])
    return Treated(
        [victim.name for victim in victims],
        {
            CLEAN: faces,
            RANDOM: stickered(faces, shuffled, mask, light),
            OPTIMISED: stickered(faces, stickers, mask, light),
        },
        alpha,
    )


def random_stickers(stickers: Tensor, mask: Tensor, seed: int, draw: int) -> Tensor:
    """Return stickers (1, 3, S, S) for the same mask, of the same colours: pieces of them in random places.

    Every place takes a piece of a few pixels a side from somewhere under the mask, turned by quarters at
    random: area, colours and grain are those of the stickers, what they show is not.
    """
    random = generator(seed, "random stickers", draw)
    for side in _PIECES:
        cells = mask.unfold(0, side, side).unfold(1, side, side)
        sources = (cells.mean(dim=(2, 3)) > 0.9).nonzero()
        if len(sources) >= _LEAST_PIECES:
            break
    else:
        return stickers
    result = stickers.clone()
    for row, column in (cells.amax(dim=(2, 3)) > 0).nonzero().tolist():
        chosen = int(torch.randint(len(sources), (1,), generator=random))
        turns = int(torch.randint(4, (1,), generator=random))
        top, left = (sources[chosen] * side).tolist()
        piece = stickers[..., top : top + side, left : left + side].rot90(turns, (2, 3))
        result[..., row * side : (row + 1) * side, column * side : (column + 1) * side] = piece
    return result
