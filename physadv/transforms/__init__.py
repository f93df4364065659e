"""Transformations: what may happen to an example on its way to the classifier's input.

`load_preset` gives an EOT distribution, by name or from a TOML file; `compose` and `in_linear_light` make
one of `Warp`, `Press`, `Photometry`, `Optics`, `Sensor`, `Resolution` and `Jpeg`. `sample(n,
generator)` draws parameters, `apply(images, parameters)` transforms: a draw can be stored and replayed, and
gives the same images again. `parse_transform("jpeg=50")` is one transformation at a fixed strength,
`parse_sweep` gives several.

Everything is batched, with one parameter per image, and stays on the device of its images. This room knows
tensors and the files that compose distributions, and no classifiers.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.transforms.colours import round_to_8_bits
    from physadv.transforms.digital import DIGITAL_TRANSFORMS
    from physadv.transforms.distributions import Jpeg, Optics, Photometry, Press, Resolution, Sensor
    from physadv.transforms.presets import PRESETS, load_preset
    from physadv.transforms.protocol import (
        Range,
        Rounding,
        Transformation,
        TransformError,
        compose,
        fixed,
        identity,
        in_linear_light,
        plus_minus,
    )
    from physadv.transforms.sweeps import SWEEPS, parse_sweep, parse_transform
    from physadv.transforms.warps import Deformation, Warp

# fmt: off
__all__ = [
    "DIGITAL_TRANSFORMS", "PRESETS", "SWEEPS", "Deformation", "Jpeg", "Optics", "Photometry", "Press",
    "Range", "Resolution", "Rounding", "Sensor", "TransformError", "Transformation", "Warp", "compose",
    "fixed", "identity", "in_linear_light", "load_preset", "parse_sweep", "parse_transform", "plus_minus",
    "round_to_8_bits",
]
# fmt: on

__getattr__, __dir__ = lazy_names(__name__)
