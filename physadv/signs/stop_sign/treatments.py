"""What signs wear when they are judged: nothing, the stickers, and random stickers nobody optimised."""

from collections.abc import Sequence

import torch
from torch import Tensor

from physadv.attacks.lit_stickers import metered, stickered, white_light
from physadv.attacks.stickers import random_stickers
from physadv.randomness import generator
from physadv.signs.stop_sign.plate import SignPhoto, outline
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM
from physadv.signs.stop_sign.sign_photos import rectified
from physadv.signs.stop_sign.views import Exhibit, Judge


def treat(
    judge: Judge, photos: Sequence[SignPhoto], stickers: Tensor, mask: Tensor, *, seed: int, random_seed: int
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
    draws = [generator(random_seed, "random stickers", draw) for draw in range(len(faces))]
    shuffled = torch.cat([random_stickers(stickers, mask, draw) for draw in draws])
    worn = {
        CLEAN: faces,
        RANDOM: stickered(faces, shuffled, mask, light),
        OPTIMISED: stickered(faces, stickers, mask, light),
    }
    return Exhibit(judge, [photo.name for photo in photos], worn, plate, seed)
