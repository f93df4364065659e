"""What signs wear when they are judged: nothing, the stickers, and random stickers nobody optimised."""

from collections.abc import Sequence

import torch
from torch import Tensor

from physadv.randomness import generator
from physadv.signs.stop_sign.plate import SignPhoto, outline
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from physadv.signs.stop_sign.sign_photos import rectified
from physadv.signs.stop_sign.stickers import metered, stickered, white_light
from physadv.signs.stop_sign.views import Exhibit, Judge

_PIECES = (16, 8, 4, 2, 1)
"""Sides, pixels of the face, of the pieces of random stickers: the largest of which there are enough."""
_LEAST_PIECES = 8


def treat(
    judge: Judge,
    photos: Sequence[SignPhoto],
    stickers: Tensor,
    mask: Tensor,
    *,
    seed: int,
    random_seed: int,
) -> Exhibit:
    """Return signs clean, with random stickers, one draw a sign, and with the optimised ones.

    Args:
        judge: who will be asked about them.
        photos: of the signs.
        stickers: (1, 3, FACE_SIDE, FACE_SIDE) in [0, 1].
        mask: (FACE_SIDE, FACE_SIDE) in [0, 1], where they are.
        seed: of the views.
        random_seed: of the random stickers.
    """
    faces, plate = rectified(photos), outline()
    faces, light = metered(faces, white_light(faces, plate))
    shuffled = torch.cat([random_stickers(stickers, mask, random_seed, draw) for draw in range(len(faces))])
    worn = {
        CLEAN: faces,
        RANDOM: stickered(faces, shuffled, mask, light),
        OPTIMISED: stickered(faces, stickers, mask, light),
    }
    return Exhibit(judge, [photo.name for photo in photos], worn, plate, seed)


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
