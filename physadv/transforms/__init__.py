"""Transformations: what may happen to an example on its way to the classifier's input.

`load_preset` gives an EOT distribution, by name or from a TOML file; `compose` and `in_linear_light` make
one of `Warp`, `Ink`, `Photometry`, `Optics`, `Sensor`, `Resolution` and `Jpeg`. `sample(n, generator)` draws
parameters, `apply(images, parameters)` transforms: a draw can be stored and replayed, and gives the same
images again. `parse_transform("jpeg=50")` is one transformation at a fixed strength, `parse_sweep` gives
several.

Everything is batched, with one parameter per image, and stays on the device of its images. This room knows
tensors and the files that compose distributions, and no classifiers.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.transforms.camera import develop
    from physadv.transforms.colours import (
        adjust_brightness,
        adjust_contrast,
        adjust_gamma,
        adjust_tone,
    )
    from physadv.transforms.digital import (
        DIGITAL_TRANSFORMS,
        FixedTransform,
        parse_transform,
    )
    from physadv.transforms.distributions import (
        Ink,
        Jpeg,
        Optics,
        Photometry,
        Resolution,
        Sensor,
    )
    from physadv.transforms.jpeg import differentiable_jpeg, pillow_jpeg
    from physadv.transforms.light import linear_to_srgb, srgb_to_linear
    from physadv.transforms.noise import (
        draw_seeds,
        gaussian_noise,
        pooled_normal,
        sensor_noise,
        standard_normal,
    )
    from physadv.transforms.optics import blur, gaussian_blur
    from physadv.transforms.presets import PRESETS, Preset, load_preset
    from physadv.transforms.protocol import (
        Composition,
        Identity,
        LinearLight,
        Parameters,
        Rounding,
        Transformation,
        TransformError,
        compose,
        identity,
        in_linear_light,
    )
    from physadv.transforms.ranges import Range, fixed, plus_minus
    from physadv.transforms.resampling import warp_perspective
    from physadv.transforms.surrogates import round_to_8_bits
    from physadv.transforms.sweeps import SWEEPS, parse_sweep
    from physadv.transforms.viewpoint import Viewpoint
    from physadv.transforms.warps import Deformation, Warp

__all__ = [
    "DIGITAL_TRANSFORMS",
    "PRESETS",
    "SWEEPS",
    "Composition",
    "Deformation",
    "FixedTransform",
    "Identity",
    "Ink",
    "Jpeg",
    "LinearLight",
    "Optics",
    "Parameters",
    "Photometry",
    "Preset",
    "Range",
    "Resolution",
    "Rounding",
    "Sensor",
    "TransformError",
    "Transformation",
    "Viewpoint",
    "Warp",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_tone",
    "blur",
    "compose",
    "develop",
    "differentiable_jpeg",
    "draw_seeds",
    "fixed",
    "gaussian_blur",
    "gaussian_noise",
    "identity",
    "in_linear_light",
    "linear_to_srgb",
    "load_preset",
    "parse_sweep",
    "parse_transform",
    "pillow_jpeg",
    "plus_minus",
    "pooled_normal",
    "round_to_8_bits",
    "sensor_noise",
    "srgb_to_linear",
    "standard_normal",
    "warp_perspective",
]

__getattr__, __dir__ = lazy_names(__name__)
