"""The stop-sign study: stickers for a sign, printed, seen from where a driver would see them, and scored.

After Eykholt et al. 2018, "Robust Physical-World Attacks on Deep Learning Visual Classification" (RP2).
A face is a square canvas that the sign just fills. Masks, stickers and faces are drawn in its pixels; a
homography ties it to a photo, its size in millimetres to paper.
"""

from physadv.errors import PhysadvError

FACE_SIDE = 256
"""Pixels a side of the canvas that faces, masks and stickers are drawn in."""
FACE_MM = 750.0
"""Side of that canvas on a sign of true size, the plate's height."""


class StopSignError(PhysadvError):
    """A setting, a photo of a sign, a mask, a palette or a view cannot be used."""
