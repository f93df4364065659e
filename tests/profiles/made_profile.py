"""A tiny profile with round numbers: colours darkened by a known map, nothing else measured."""

import itertools

from physadv.profiles import Profile
from physadv.profiles.channel import FULL
from physadv.transforms.presses import NODES


def made_profile(**changes) -> Profile:
    """A profile at 10 pixels a mm that shows every level x as 0.1 + 0.8 x, with red and blue swapped."""
    levels = [0.1 + 0.8 * node / (NODES - 1) for node in range(NODES)]
    cube = itertools.product(levels, levels, levels)  # blue, green, red: the last changes fastest
    fields = {
        "format_version": 1,
        "name": "made",
        "made_from": [
            {
                "file": "IMG_1.jpg",
                "sha256": "0" * 64,
                "taken": "2026:11:28 10:00:00",
                "camera": "Made Phone",
                "simulated": False,
                "pixels_per_mm": 10.0,
                "exposure": 1.0,
                "lens": [0.01, 0.0],
            }
        ],
        "pixels_per_mm": 10.0,
        "colour": {
            "kind": "affine",
            "smoothing": 0.0,
            "table": [[round(level * FULL) for level in (b, g, r)] for b, g, r in cube],
        },
        "colour_spread": {"exposure": 0.05, "red": 0.02, "blue": 0.02, "shading": 0.0},
        "blur": {
            "sigma_px": 1.2,
            "sigma_mm": 0.12,
            "spread": 0.1,
            "amount": 0.0,
            "radius_px": 1.0,
            "tone": 0.0,
            "edges": 8,
        },
        "noise": {
            "shot": 1e-4,
            "read": 2e-3,
            "curve": [2.0] * NODES,
            "length_px": 0.5,
            "pairs": 1,
            "levels": [[40.0, 1.5], [200.0, 2.5]],
        },
        "jpeg": {"quality": 95, "subsampling": "4:2:0"},
        "held_out": {"mean": 0.9, "p95": 2.0, "patches": 160, "affine_mean": 0.9, "affine_p95": 2.0},
    }
    for key, value in changes.items():
        fields[key] = {**fields[key], **value} if isinstance(value, dict) else value
    return Profile.model_validate(fields)
