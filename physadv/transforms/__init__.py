"""Transformations: what may happen to an example on its way to the classifier's input.

Batched tensor functions with one parameter per image, seeded, on the device of their images; sampling is
kept apart from applying, so that a draw can be stored and replayed. This room knows tensors only: no files
and no classifiers.
"""

from physadv.transforms.digital import (
    DIGITAL_TRANSFORMS,
    DigitalTransform,
    FixedTransform,
    parse_transform,
)
from physadv.transforms.jpeg import pillow_jpeg
from physadv.transforms.noise import draw_seeds, gaussian_noise, standard_normal
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.photometry import adjust_brightness, adjust_contrast
from physadv.transforms.presets import PRESETS, Preset, load_preset
from physadv.transforms.protocol import (
    Composition,
    Identity,
    Parameters,
    Transformation,
    TransformError,
    compose,
    identity,
)

__all__ = [
    "DIGITAL_TRANSFORMS",
    "PRESETS",
    "Composition",
    "DigitalTransform",
    "FixedTransform",
    "Identity",
    "Parameters",
    "Preset",
    "TransformError",
    "Transformation",
    "adjust_brightness",
    "adjust_contrast",
    "compose",
    "draw_seeds",
    "gaussian_blur",
    "gaussian_noise",
    "identity",
    "load_preset",
    "parse_transform",
    "pillow_jpeg",
    "standard_normal",
]
