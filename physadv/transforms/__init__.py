"""Transformations: what may happen to an example on its way to the classifier's input.

Batched tensor functions with one parameter per image, seeded, on the device of their images; sampling is
kept apart from applying, so that a draw can be stored and replayed. This room knows tensors and the files
that compose distributions, and no classifiers.
"""

from physadv.transforms.bending import Deformation
from physadv.transforms.colours import (
    Photometry,
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_tone,
    apply_colour_map,
    colour_map,
    temperature_gain,
)
from physadv.transforms.composing import load_composition
from physadv.transforms.digital import (
    DIGITAL_TRANSFORMS,
    DigitalTransform,
    FixedTransform,
    parse_transform,
)
from physadv.transforms.jpeg import Jpeg, differentiable_jpeg, pillow_jpeg
from physadv.transforms.light import LinearLight, in_linear_light, linear_to_srgb, srgb_to_linear
from physadv.transforms.noise import (
    Sensor,
    draw_seeds,
    gaussian_noise,
    pooled_normal,
    sensor_noise,
    standard_normal,
)
from physadv.transforms.optics import Optics, blur, gaussian_blur
from physadv.transforms.presets import PRESETS, Preset, load_preset
from physadv.transforms.printing import Ink, Printer, print_images
from physadv.transforms.protocol import (
    Composition,
    Identity,
    Parameters,
    Transformation,
    TransformError,
    compose,
    identity,
)
from physadv.transforms.ranges import Range, fixed, plus_minus
from physadv.transforms.resolution import Resolution
from physadv.transforms.surrogates import Rounding, round_to_8_bits
from physadv.transforms.sweeps import SWEEPS, parse_sweep
from physadv.transforms.viewpoint import Viewpoint
from physadv.transforms.views import View
from physadv.transforms.warps import Warp, warp_perspective

__all__ = [
    "DIGITAL_TRANSFORMS",
    "PRESETS",
    "SWEEPS",
    "Composition",
    "Deformation",
    "DigitalTransform",
    "FixedTransform",
    "Identity",
    "Ink",
    "Jpeg",
    "LinearLight",
    "Optics",
    "Parameters",
    "Photometry",
    "Preset",
    "Printer",
    "Range",
    "Resolution",
    "Rounding",
    "Sensor",
    "TransformError",
    "Transformation",
    "View",
    "Viewpoint",
    "Warp",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_tone",
    "apply_colour_map",
    "blur",
    "colour_map",
    "compose",
    "differentiable_jpeg",
    "draw_seeds",
    "fixed",
    "gaussian_blur",
    "gaussian_noise",
    "identity",
    "in_linear_light",
    "linear_to_srgb",
    "load_composition",
    "load_preset",
    "parse_sweep",
    "parse_transform",
    "pillow_jpeg",
    "plus_minus",
    "pooled_normal",
    "print_images",
    "round_to_8_bits",
    "sensor_noise",
    "srgb_to_linear",
    "standard_normal",
    "temperature_gain",
    "warp_perspective",
]
