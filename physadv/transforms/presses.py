"""Printing presses that were measured: ICC profiles of the package, through which littlecms prints.

A profile says which inks a press puts down for a colour, and what these inks look like on its paper. Names
and descriptions need no torch and no Pillow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from physadv.errors import MachineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageCms import ImageCmsTransform
    from torch import Tensor

_FOLDER = Path(__file__).with_name("profiles")
NODES = 17


@dataclass(frozen=True)
class PrintingCondition:
    """A measured press and paper, and how its driver maps the colours that it cannot print.

    Attributes:
        file: the ICC profile.
        compensated: whether black-point compensation stretches the greys down to the press's own black;
            otherwise every colour darker than that prints as it.
        description: press and paper, and how colours are mapped.
    """

    file: str
    compensated: bool
    description: str


_RELATIVE = "relative colorimetric"
_BPC = f"{_RELATIVE}, black-point compensation"
_COATED, _UNCOATED = "FOGRA39L_coated.icc", "FOGRA47L_uncoated.icc"
PRESSES: dict[str, PrintingCondition] = {
    "offset-coated": PrintingCondition(_COATED, False, f"FOGRA39L, offset on coated paper; {_RELATIVE}"),
    "offset-coated-bpc": PrintingCondition(_COATED, True, f"FOGRA39L, offset on coated paper; {_BPC}"),
    "offset-uncoated": PrintingCondition(
        _UNCOATED, False, f"FOGRA47L, offset on uncoated paper; {_RELATIVE}"
    ),
    "offset-uncoated-bpc": PrintingCondition(_UNCOATED, True, f"FOGRA47L, offset on uncoated paper; {_BPC}"),
}
"""By name. None is perceptual: that table of the profiles is their relative colorimetric one."""


def printed_srgb(pixels: NDArray[np.uint8], press: str) -> NDArray[np.uint8]:
    """Return what sRGB pixels (H, W, 3), uint8, look like on paper, in sRGB: the press's white is not 255.

    sRGB becomes 8-bit CMYK as `PRESSES` says, and that sRGB again by absolute colorimetry: a perfect diffuser
    would be 255, and a print that sRGB cannot show is clipped to it.

    Raises:
        MachineError: Pillow was built without littlecms.

    >>> import numpy as np
    >>> printed_srgb(np.full((1, 1, 3), 255, np.uint8), "offset-coated").tolist()
    [[[239, 241, 245]]]
    """
    import numpy as np
    from PIL import Image

    inks, paper = _transforms(press)
    return np.array(paper.apply(inks.apply(Image.fromarray(np.ascontiguousarray(pixels)))))


def printed_light(pixels: NDArray[np.uint8], press: str) -> NDArray[np.float32]:
    """Return the linear light of `printed_srgb`: that of a perfect diffuser would be 1."""
    light: NDArray[np.float32] = light_of_levels()[printed_srgb(pixels, press)]
    return light


@lru_cache
def light_of_levels() -> NDArray[np.float32]:
    """Return the linear light (256,) of each 8-bit level of sRGB."""
    import torch

    from physadv.transforms.colours import srgb_to_linear

    return srgb_to_linear(torch.arange(256) / 255).clamp_min(0).numpy()


@lru_cache
def _transforms(name: str) -> tuple[ImageCmsTransform, ImageCmsTransform]:
    """Return littlecms's transforms from sRGB to ink, and from ink to sRGB."""
    from PIL import ImageCms, features

    if not features.check("littlecms2"):
        raise MachineError(
            f"printer '{name}': Pillow was built without littlecms; pip install --force-reinstall pillow"
        )
    press, srgb = PRESSES[name], ImageCms.createProfile("sRGB")
    profile = ImageCms.getOpenProfile(str(_FOLDER / press.file))
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION if press.compensated else ImageCms.Flags.NONE
    relative, absolute = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Intent.ABSOLUTE_COLORIMETRIC
    return (
        ImageCms.buildTransform(srgb, profile, "RGB", "CMYK", relative, flags),
        ImageCms.buildTransform(profile, srgb, "CMYK", "RGB", absolute),
    )


@lru_cache
def colour_tables(presses: tuple[str, ...]) -> Tensor:
    """Return the square root of `printed_light` through every press as the tables that `look_up` takes.

    Roots are about as far apart as colours look, so that a straight line between two nodes is nearest to what
    lies there. Nodes lie between 8-bit levels and are interpolated.

    >>> colour_tables(("offset-coated", "offset-uncoated")).shape
    torch.Size([4, 3, 2, 16, 16, 16, 8])
    """
    import numpy as np
    import torch

    from physadv.transforms.colours import tetrahedra

    nodes = np.linspace(0, 255, NODES)
    levels = np.unique(np.concatenate([np.floor(nodes), np.ceil(nodes)]))
    weights = np.clip(1 - np.abs(nodes[:, None] - levels), 0, None)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    cube = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    printed = [printed_light(cube.reshape(-1, len(levels), 3), press) for press in presses]
    roots = np.sqrt(np.stack(printed)).reshape(len(presses), *cube.shape)
    tables = np.einsum("pbgrc,ib,jg,kr->pcijk", roots, weights, weights, weights, optimize=True)
    return tetrahedra(torch.from_numpy(tables).float())
