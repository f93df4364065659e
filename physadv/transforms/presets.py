"""EOT distributions by name, each with the source of its ranges."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from physadv.errors import unknown_name
from physadv.transforms.colours import Photometry
from physadv.transforms.composing import load_composition
from physadv.transforms.jpeg import Jpeg
from physadv.transforms.light import in_linear_light
from physadv.transforms.noise import Sensor
from physadv.transforms.optics import Optics
from physadv.transforms.printing import Ink
from physadv.transforms.protocol import Composition, Transformation, TransformError, compose, identity
from physadv.transforms.ranges import Range, fixed, plus_minus
from physadv.transforms.resolution import Resolution
from physadv.transforms.warps import Warp


@dataclass(frozen=True)
class Preset:
    """A named EOT distribution.

    Attributes:
        name: as `--transforms` takes it.
        source: the paper or measurement its ranges come from.
        build: makes the distribution.
    """

    name: str
    source: str
    build: Callable[[], Transformation]


def _kurakin_digital() -> Transformation:
    return compose(
        Photometry(contrast=Range(0.7, 1.3)),
        Photometry(brightness=plus_minus(30 / 255)),
        Optics(sigma=Range(0, 2)),
        Sensor(read=Range(0, 20 / 255)),
        Jpeg(quality=Range(30, 95)),
    )


def _athalye_warp() -> Warp:
    return Warp(scale=Range(0.9, 1.4), rotation=plus_minus(22.5), in_bounds=True, background=0.0)


def _athalye_2d() -> Transformation:
    return compose(_athalye_warp(), Photometry(brightness=plus_minus(0.05)), Sensor(read=Range(0, 0.1)))


def _athalye_physical() -> Transformation:
    light = Photometry(
        brightness=plus_minus(0.15),
        gain=Range(0.5, 2.0),
        channel_offset=plus_minus(0.15),
        channel_gain=Range(0.7, 1.3),
    )
    return compose(_athalye_warp(), light, Sensor(read=Range(0, 0.1)))


def _brown_patch() -> Transformation:
    return Warp(rotation=plus_minus(22.5), scale=Range(0.3, 1.5), in_bounds=True, background="random")


_PLATE = tuple(
    (math.cos(angle) / math.cos(math.pi / 8) / 1.2, math.sin(angle) / math.cos(math.pi / 8) / 1.2)
    for angle in (math.pi / 8 + k * math.pi / 4 for k in range(8))
)
"""An octagon in the middle five sixths of the picture: signs are cropped with a tenth of them around."""


def _rp2_sign() -> Transformation:
    return compose(
        Warp(
            yaw=plus_minus(60),
            pitch=plus_minus(10),
            roll=plus_minus(5),
            focal=Range(2.0, 16.0, "log"),
            crop=Range(0, 0.2),
            subject=_PLATE,
        ),
        in_linear_light(Photometry(gain=Range(0.5, 1.2, "log"), white_balance=plus_minus(0.1))),
        # A plate of 750 mm before a phone's main camera at 5 feet, down to half of the 16 pixels that are the
        # least to be judged: what motion blur and compression leave of those.
        Resolution(height=Range(8, 512, "log")),
        Optics(sigma=Range(0, 1)),
        Photometry(brightness=plus_minus(0.1), contrast=Range(0.8, 1.2)),
        Sensor(read=Range(0, 0.02)),
    )


_GRAPHITE_CROP = plus_minus(0.03125)


def _graphite() -> Transformation:
    return compose(
        Optics(sigma=Range(0, 1.4)),
        Warp(
            yaw=plus_minus(50), focal=Range(3 / 2.5, 15 / 2.5), shift_x=_GRAPHITE_CROP, shift_y=_GRAPHITE_CROP
        ),
        Photometry(gamma=Range(1, 3.5, "reciprocal")),
    )


def _print_photo() -> Composition:
    return compose(
        # At a corner of 224 pixels these add up to 0.3 pixels at most, the residual of a good crop.
        Warp(
            shift_x=plus_minus(0.1 / 224),
            shift_y=plus_minus(0.1 / 224),
            rotation=plus_minus(0.03),
            scale=Range(0.9995, 1.0005),
        ),
        in_linear_light(
            Ink(
                white=fixed(0.86),
                black=Range(0.02, 0.05),
                dot_gain=Range(0.03, 0.07),
                crosstalk=Range(0.02, 0.04),
                yellowing=fixed(0.02 / 0.86),
            ),
            Photometry(gain=Range(0.7, 1.1), white_balance=plus_minus(0.08)),
            Optics(sigma=Range(0.4, 1.2)),
            Sensor(read=Range(0.001, 0.004), shot=Range(2e-5, 2e-4)),
        ),
        Photometry(tone=Range(0, 0.3)),
    )


def _print_photo_jpeg() -> Transformation:
    return compose(*_print_photo().parts, Jpeg(quality=Range(88, 96)))


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("identity", "no transformation, as in Kurakin et al. 2017", lambda: identity),
        Preset(
            "kurakin-digital",
            "the five artificial changes of Kurakin et al. 2017, all at once, each at random strength",
            _kurakin_digital,
        ),
        Preset(
            "athalye-2d", "Athalye et al. 2018, table of the 2D case; black beside the image", _athalye_2d
        ),
        Preset(
            "athalye-physical",
            "Athalye et al. 2018: the 2D case with the light and colour of its physical case",
            _athalye_physical,
        ),
        Preset(
            "brown-patch",
            "Brown et al. 2017, scales of the authors' notebook; random colour beside the image",
            _brown_patch,
        ),
        Preset(
            "rp2-sign",
            "Eykholt et al. 2018: a 30-inch sign at 5 to 40 feet, ±60°, cropped; the rest is ours",
            _rp2_sign,
        ),
        Preset(
            "graphite",
            "Feng et al. 2022: a 30-inch sign, cropped, at 3 to 15 feet and ±50°; meant for evaluation",
            _graphite,
        ),
        Preset(
            "print-photo",
            "this project: an office print photographed by hand and cropped, as the virtual phone does",
            _print_photo,
        ),
        Preset("print-photo-jpeg", "print-photo, then the phone's JPEG", _print_photo_jpeg),
    )
}


def load_preset(name: str) -> Transformation:
    """Return the EOT distribution called `name`, or the one that a file `NAME.toml` composes.

    Raises:
        TransformError: there is none, the line names the nearest; or the file has a fault.
    """
    if name.lower().endswith(".toml"):
        return load_composition(name)
    if name not in PRESETS:
        raise TransformError(unknown_name("preset", name, PRESETS))
    return PRESETS[name].build()
