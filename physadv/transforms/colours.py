"""Light, colour, tone, colour tables and rounding: pointwise changes of images, given with their gradients.

Lenses and sensors add linear light; files hold its sRGB code (IEC 61966-2-1).
"""

from itertools import product
from typing import Any

import torch
from torch import Tensor

from physadv.transforms.distributions import DAYLIGHT
from physadv.transforms.protocol import Parameters

LUMA = (0.299, 0.587, 0.114)
_DARKEST = 2.0**-10
"""Signal below which a gamma goes on as a straight line: a quarter of an 8-bit level; keeps slopes finite."""
_SLOPE, _KNEE = 12.9232102, 0.0392857
"""sRGB's slope at black and where the straight part ends; the standard's rounded pair has a kink there."""
_XYZ_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)


def srgb_to_linear(images: Tensor) -> Tensor:
    """Return sRGB in [0, 1] of any shape as linear light (IEC 61966-2-1), in a third of kornia's time."""
    with torch.no_grad():
        base = images.clamp_min(_KNEE).add_(0.055)
        light = base.div(1.055).pow_(2.4)
        slope = light.div(base).mul_(2.4) if images.requires_grad else light
        # Below the knee this is the tangent there.
        light.add_(images, alpha=1 / _SLOPE).sub_(base, alpha=1 / _SLOPE).add_(0.055 / _SLOPE)
    return with_slope(images, light, slope)


def linear_to_srgb(light: Tensor) -> Tensor:
    """Return linear light in [0, 1] of any shape as sRGB (IEC 61966-2-1)."""
    with torch.no_grad():
        base = light.clamp_min(_KNEE / _SLOPE)
        images = base.pow(1 / 2.4).mul_(1.055)
        slope = images.div(base).mul_(1 / 2.4) if light.requires_grad else images
        images.add_(light, alpha=_SLOPE).sub_(base, alpha=_SLOPE).sub_(0.055)
    return with_slope(light, images, slope)


def adjust_brightness(images: Tensor, shift: Tensor) -> Tensor:
    """Return images (B, C, H, W) with `shift` (B,) added, clipped to [0, 1] (Kurakin et al. 2017)."""
    return (images + per_image(shift, images)).clamp(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Return images (B, C, H, W) stretched about each channel's mean: (x − mean)·factor + mean, in [0, 1].

    Kurakin et al. 2017 give no formula; this is `tf.image.adjust_contrast`, which keeps brightness and
    contrast two separate things. `factor` is (B,): 1 changes nothing, 0 leaves the mean.
    """
    mean = images.mean(dim=(2, 3), keepdim=True)
    return ((images - mean) * per_image(factor, images) + mean).clamp(0, 1)


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """Return values (B,) as (B, 1, 1, 1) of the images' dtype and device."""
    return values.to(images).reshape(-1, 1, 1, 1)


def colour_maps(drawn: Parameters, mean: Tensor | None, like: Tensor) -> Tensor:
    """Return affine maps (B, 3, 4) of `Photometry`'s draws: contrast, saturation, gain, then offsets.

    `mean` (B, 3) is each channel's, None where contrast is 1; `like` gives dtype and device.
    """
    red, blue = (1 + drawn["white_balance"]).unbind(dim=1)
    gain = torch.stack([red, torch.ones_like(red), blue], dim=1) * drawn["channel_gain"]
    gain = (gain * drawn["gain"][:, None] * temperature_gain(drawn["temperature"])).to(like)
    offset = (drawn["channel_offset"] + drawn["brightness"][:, None]).to(like)
    contrast, saturation = drawn["contrast"].to(like), drawn["saturation"].to(like)
    luma = gain.new_tensor(LUMA).expand(3, 3)
    mix = luma + saturation[:, None, None] * (torch.eye(3).to(gain) - luma)
    linear = gain[:, :, None] * mix
    if mean is not None:
        pivot = (1 - contrast)[:, None] * mean
        offset = offset + (linear @ pivot[:, :, None])[:, :, 0]
    return torch.cat([linear * contrast[:, None, None], offset[:, :, None]], dim=2)


def apply_colour_maps(images: Tensor, maps: Tensor) -> Tensor:
    """Return images (B, 3, H, W) through affine maps (B, 3, 4), clipped to [0, 1]; differentiable in both."""
    flat = torch.baddbmm(maps[:, :, 3:], maps[:, :, :3], images.flatten(2))
    return flat.clamp(0, 1).reshape(images.shape)


def adjust_gamma(images: Tensor, gamma: Tensor) -> Tensor:
    """Return images in [0, 1] to the power of `gamma` (B,), above 0; differentiable in the images.

    A straight line continues the curve below 2⁻¹⁰, where its slope or that of its inverse has no bound.
    """
    with torch.no_grad():
        exponent = per_image(gamma, images)
        base = images.clamp_min(_DARKEST)
        value = base.pow(exponent)
        slope = torch.div(value, base, out=base).mul_(exponent)
        value.addcmul_(slope, (images - _DARKEST).clamp_max_(0)).clamp_(0, 1)
    return with_slope(images, value, slope)


def adjust_tone(images: Tensor, strength: Tensor) -> Tensor:
    """Return images in [0, 1] with contrast added by an S-shaped curve, x + strength · x(1 − x)(2x − 1).

    `strength` is (B,) in [0, 1]; 0 changes nothing, 1 is 3x² − 2x³.
    """
    with torch.no_grad():
        amount = per_image(strength, images)
        hump = torch.addcmul(images, images, images, value=-1)
        value = slope = torch.addcmul(images, images.mul(2).sub_(1).mul_(hump), amount)
        if images.requires_grad:
            slope = torch.addcmul(1 - amount, hump, 6 * amount)
    return with_slope(images, value, slope)


def tetrahedra(tables: Tensor) -> Tensor:
    """Return colour tables (P, 3, D, D, D) as `look_up` takes them: the affine map of every tetrahedron.

    The axes of a table after the channel are blue, green and red. Each cell of eight nodes is split along its
    grey diagonal into six tetrahedra, one for each order of red, green and blue. Returns
    (4, 3, P, D − 1, D − 1, D − 1, 8): value at the cell's dark corner and slopes along red, green and blue.
    """

    def corner(steps: dict[str, int]) -> Tensor:
        return tables[:, :, *(slice(steps[axis], tables.shape[2] - 1 + steps[axis]) for axis in "bgr")]

    maps = []
    # What `look_up` makes of three comparisons; those that contradict each other occur in no colour.
    for red_green, green_blue, red_blue in product((0, 1), repeat=3):
        places = {"r": red_green + red_blue, "g": 1 - red_green + green_blue, "b": 2 - green_blue - red_blue}
        steps = dict.fromkeys("rgb", 0)
        values, slopes = corner(steps), {}
        for axis in sorted("rgb", key=lambda axis: -places[axis]):
            before = corner(steps)
            steps[axis] = 1
            slopes[axis] = (corner(steps) - before) * (tables.shape[2] - 1)
        maps.append(torch.stack([values, slopes["r"], slopes["g"], slopes["b"]]))
    return torch.stack(maps, dim=-1).transpose(1, 2).contiguous()


def look_up(images: Tensor, tables: Tensor, which: Tensor | None = None) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] through colour tables, differentiable in the images.

    Args:
        images: they and the result are in any colour space; tables are made for it.
        tables: of `tetrahedra`; between nodes they are interpolated in tetrahedra, as littlecms does, in half
            the time of a trilinear `grid_sample`.
        which: number (B,) of each image's table; by default all take the first.

    >>> levels = torch.linspace(0, 1, 3)
    >>> blue, green, red = torch.meshgrid(levels, levels, levels, indexing="ij")
    >>> swapped = tetrahedra(torch.stack([green, red, blue])[None])
    >>> look_up(torch.tensor([0.1, 0.7, 0.3]).reshape(1, 3, 1, 1), swapped).flatten().tolist()
    [0.7, 0.1, 0.3]
    """
    with torch.no_grad():
        cells = tables.shape[3]
        colours = images.flatten(2)
        corners = (colours * cells).floor_().clamp_(0, cells - 1)
        along = (colours - corners / cells).unbind(dim=1)
        place = images.new_zeros(len(images), 1) if which is None else which[:, None].to(images)
        place = place * cells + corners[:, 2]
        for inner in (corners[:, 1], corners[:, 0]):
            place.mul_(cells).add_(inner)
        order, (red, green, blue) = torch.empty_like(place), along
        for above, below in ((red, green), (green, blue), (red, blue)):
            place.mul_(2).add_(torch.ge(above, below, out=order))
        flat = tables.to(images).flatten(2).flatten(0, 1)
        # NaN is in no tetrahedron; it stays NaN by the sum below.
        chosen = place.long().clamp_(0, flat.shape[1] - 1).flatten()
        seen, *slopes = flat.index_select(1, chosen).reshape(4, 3, *place.shape).unbind()
        for slope, share in zip(slopes, along, strict=True):
            seen.addcmul_(slope, share)
        value = seen.transpose(0, 1).reshape(images.shape)
    return _WithJacobian.apply(images, value, *slopes)  # type: ignore[no-any-return]


def temperature_gain(kelvin: Tensor) -> Tensor:
    """Return the gains (B, 3), of sRGB values, of white light at a colour temperature (B,) left uncorrected.

    The Planckian locus by the cubics of Kim et al. 2002 (1667 to 25000 K), made linear sRGB, relative to
    6504 K and to green, to the power of 1/2.2 as the gain goes to encoded values.
    """
    return (_planckian(kelvin) / _planckian(torch.full_like(kelvin, DAYLIGHT))).pow(1 / 2.2)


def _planckian(kelvin: Tensor) -> Tensor:
    """Return linear sRGB (B, 3), green 1, of black bodies."""
    t = 1000 / kelvin
    x = torch.where(
        kelvin < 4000,
        ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910,
        ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390,
    )
    y = torch.where(
        kelvin < 2222,
        ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683,
        torch.where(
            kelvin < 4000,
            ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867,
            ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483,
        ),
    )
    xyz = torch.stack([x / y, torch.ones_like(x), (1 - x - y) / y], dim=-1)
    rgb = xyz @ xyz.new_tensor(_XYZ_TO_RGB).T
    # Below 1900 K a black body is redder than sRGB's gamut.
    return (rgb / rgb[:, 1:2]).clamp_min(1e-3)


def straight_through(images: Tensor, value: Tensor) -> Tensor:
    """Return `value`, a stepwise function of `images`, with the identity's gradient (Bengio et al. 2013)."""
    return with_slope(images, value, None)


def with_slope(images: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
    """Return `value`, a pointwise function of images, with its derivative `slope` as gradient, None for 1."""
    return _WithSlope.apply(images, value, slope)  # type: ignore[no-any-return]


def round_to_8_bits(images: Tensor) -> Tensor:
    """Return float images of any shape, clipped and rounded to k/255; the gradient passes straight through.

    It passes out of range too: what an attack pushed past black or white can come back.
    """
    with torch.no_grad():
        rounded = images.clamp(0, 1).mul_(255).round_().div_(255)
    return straight_through(images, rounded)


class _WithSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
        ctx.save_for_backward(slope)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] if slope is None else gradients[0] * slope, None, None


class _WithJacobian(torch.autograd.Function):
    """`value` (B, 3, H, W) with its derivatives along each channel of the images, each (3, B, H · W)."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, value: Tensor, *slopes: Tensor) -> Tensor:
        ctx.save_for_backward(*slopes)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        red, green, blue = gradients[0].flatten(2).unbind(dim=1)
        along = torch.stack([slope[0] * red for slope in ctx.saved_tensors], dim=1)
        for slope, sums in zip(ctx.saved_tensors, along.unbind(dim=1), strict=True):
            sums.addcmul_(slope[1], green).addcmul_(slope[2], blue)
        return along.reshape(gradients[0].shape), None, None, None, None
