"""The virtual phone: a printed page on a desk, photographed by hand. Simulated, and it says so in its EXIF.

Everything a shot depends on is drawn into a `Shot` first, so that a photo can be taken again; where a page
point landed is known exactly and is for checking only, cropping never sees it.
"""

import io
import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from kornia.color import linear_rgb_to_rgb
from numpy.typing import NDArray
from PIL import ExifTags, Image
from torch import Tensor

from physadv.transforms.geometry import Camera, sample_plane
from physadv.transforms.kernels import combine_kernels, disc_kernel, gaussian_kernel, motion_kernel
from physadv.transforms.printing import Printer, print_images

CAMERA_MAKE, CAMERA_MODEL = "physadv", "virtual phone (simulated)"
KERNEL = 11
Range = tuple[float, float]


@dataclass(frozen=True)
class Phone:
    """What a phone and the hand that holds it vary between; each range is drawn uniformly.

    Attributes:
        width: of the upright photo, pixels; likewise `height` (12.2 megapixels together).
        focal: focal length in pixels (26 mm full-frame equivalent).
        tilt: |yaw| and |pitch| up to this, degrees; likewise `roll`.
        fill: how much of the frame the page takes, 1 = it touches the edge.
        lens: radial coefficients a1 and a2 up to this, either sign.
        falloff: how much darker the far side of the page is lit, fraction.
        vignette: light lost in the photo's corners, fraction.
        white_balance: gain error of red and blue, either sign, fraction.
        exposure: light on the middle of the page, 1 = a white surface just clips.
        blur: gaussian sigma of the optics, pixels; `defocus` radius and `motion` length likewise.
        read_noise: standard deviation in linear light; `shot_noise` is variance per unit of light.
        contrast: strength of the S-shaped tone curve, 0 = plain sRGB.
        quality: JPEG quality.
    """

    width: int = 3024
    height: int = 4032
    focal: float = 3028.0
    tilt: float = 10.0
    roll: float = 6.0
    fill: Range = (0.86, 0.96)
    lens: float = 0.02
    falloff: Range = (0.05, 0.25)
    vignette: Range = (0.05, 0.25)
    white_balance: float = 0.08
    exposure: Range = (0.85, 1.1)
    blur: Range = (0.7, 1.2)
    defocus: Range = (0.0, 1.2)
    motion: Range = (0.0, 2.5)
    read_noise: Range = (0.001, 0.004)
    shot_noise: Range = (2e-5, 2e-4)
    contrast: Range = (0.0, 0.3)
    quality: Range = (88, 96)


@dataclass(frozen=True)
class Shot:
    """One exposure: the camera's pose and everything else a photo depends on."""

    camera: Camera
    light_angle: float
    falloff: float
    vignette: float
    gains: tuple[float, float, float]
    kernel: Tensor
    read_noise: float
    shot_noise: float
    contrast: float
    quality: int
    orientation: int
    desk: tuple[float, float, float]
    seed: int


def draw_shot(phone: Phone, page_mm: tuple[float, float], generator: torch.Generator) -> Shot:
    """Draw one exposure of a page that is wholly in view."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))

    def either(limit: float) -> float:
        return uniform(-limit, limit)

    pose = {"yaw": either(phone.tilt), "pitch": either(phone.tilt), "roll": either(phone.roll)}
    lens = {"a1": either(phone.lens), "a2": either(phone.lens)}
    camera = _frame_page(phone, page_mm, fill=uniform(*phone.fill), **pose, **lens)
    paper = uniform(*phone.exposure)
    return Shot(
        camera=camera,
        light_angle=uniform(0, 2 * math.pi),
        falloff=uniform(*phone.falloff),
        vignette=uniform(*phone.vignette),
        gains=(
            paper * (1 + either(phone.white_balance)),
            paper,
            paper * (1 + either(phone.white_balance)),
        ),
        kernel=combine_kernels(
            gaussian_kernel(uniform(*phone.blur), KERNEL),
            disc_kernel(uniform(*phone.defocus), KERNEL),
            motion_kernel(uniform(*phone.motion), uniform(0, 180), KERNEL),
        ),
        read_noise=uniform(*phone.read_noise),
        shot_noise=uniform(*phone.shot_noise),
        contrast=uniform(*phone.contrast),
        quality=round(uniform(*phone.quality)),
        orientation=(1, 3, 6, 8)[int(torch.randint(4, (), generator=generator))],
        desk=_desk_colour(uniform(0.04, 0.4), uniform(0, 1)),
        seed=int(torch.randint(2**31, (), generator=generator)),
    )


def page_to_photo(shot: Shot, points_mm: NDArray[np.float64], page_mm: tuple[float, float]) -> Tensor:
    """Return where page points (N, 2), mm from the page's top-left, landed in the upright photo, pixels."""
    points = torch.from_numpy(points_mm) - torch.tensor(page_mm, dtype=torch.float64) / 2
    return shot.camera.project(points)[0]


def print_page(
    page: NDArray[np.uint8], page_mm: tuple[float, float], printer: Printer | None = None
) -> Tensor:
    """Return the reflectance (1, 3, H, W), linear light, of a page given as uint8 sRGB pixels (H, W, 3)."""
    pixels = torch.from_numpy(page).permute(2, 0, 1)[None].float() / 255
    return print_images(pixels, printer or Printer(), dots_per_mm=page.shape[1] / page_mm[0])


def take_photo(reflectance: Tensor, page_mm: tuple[float, float], shot: Shot) -> NDArray[np.uint8]:
    """Return the upright photo (H, W, 3), uint8 sRGB, before JPEG, of a page from `print_page`."""
    plane = shot.camera.pixel_map() + torch.tensor(page_mm) / 2
    generator = torch.Generator().manual_seed(shot.seed)
    on_page = _coverage(plane, page_mm, shot.camera)
    light = torch.lerp(_desk(plane, shot, generator), sample_plane(reflectance, plane, page_mm), on_page)
    light = _blur(light * _illumination(plane, page_mm, shot), shot.kernel)
    noise = torch.randn(light.shape, generator=generator)
    light = light + noise * (light.clamp_min(0) * shot.shot_noise + shot.read_noise**2).sqrt()
    image = linear_rgb_to_rgb(light.clamp(0, 1))
    curve = image.square() * (3 - 2 * image)
    image = torch.lerp(image, curve, shot.contrast)
    levels = (image[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous().numpy()


def encode_jpeg(photo: NDArray[np.uint8], shot: Shot) -> bytes:
    """Return the photo as a phone's file, turned as its sensor was; its EXIF says so and 'simulated'."""
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[shot.orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = shot.orientation
    exif[ExifTags.Base.Make] = CAMERA_MAKE
    exif[ExifTags.Base.Model] = CAMERA_MODEL
    exif[ExifTags.Base.ImageDescription] = "simulated photograph, made by physadv"
    diagonal = math.hypot(shot.camera.width, shot.camera.height)
    focal_35mm = round(float(shot.camera.focal[0]) / diagonal * math.hypot(36, 24))
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal_35mm
    buffer = io.BytesIO()
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(photo, turns)))
    stored.save(buffer, "JPEG", quality=shot.quality, subsampling="4:2:0", exif=exif)
    return buffer.getvalue()


def _frame_page(phone: Phone, page_mm: tuple[float, float], *, fill: float, **parameters: float) -> Camera:
    """Return the camera at the distance from which the page takes `fill` of the frame."""
    width, height = page_mm
    corners = torch.tensor([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=torch.float64)
    corners = corners * torch.tensor([width / 2, height / 2], dtype=torch.float64)
    half = torch.tensor([phone.width / 2, phone.height / 2], dtype=torch.float64)

    def at(distance: float) -> Camera:
        values = {"distance": distance, "focal": phone.focal, **parameters}
        tensors = {name: torch.tensor([value], dtype=torch.float64) for name, value in values.items()}
        return Camera(width=phone.width, height=phone.height, **tensors)

    near, far = 0.6 * height, 20 * height
    for _ in range(40):
        middle = (near + far) / 2
        camera = at(middle)
        reach = float(((camera.project(corners)[0] - camera.centre).abs() / half).max())
        near, far = (middle, far) if reach > fill else (near, middle)
    return at(far)


def _desk_colour(lightness: float, warmth: float) -> tuple[float, float, float]:
    """Return a desk in linear light between grey laminate (`warmth` 0) and wood (1)."""
    return (lightness, lightness * (1 - 0.45 * warmth), lightness * (1 - 0.7 * warmth))


def _blur(light: Tensor, kernel: Tensor) -> Tensor:
    """Return light (1, 3, H, W) blurred with a kernel; OpenCV does it 30 times faster than torch at 12 MP."""
    planes = [
        cv2.filter2D(plane.numpy(), -1, kernel.numpy(), borderType=cv2.BORDER_REFLECT) for plane in light[0]
    ]
    return torch.from_numpy(np.stack(planes))[None]


def _coverage(plane: Tensor, page_mm: tuple[float, float], camera: Camera) -> Tensor:
    """Return how much of each pixel is page, (B, 1, H, W): an edge is one pixel wide."""
    size = torch.tensor(page_mm)
    inside = torch.minimum(plane, size - plane).amin(dim=-1)
    pixels_per_mm = float(camera.focal[0] / camera.distance[0])
    return (inside * pixels_per_mm + 0.5).clamp(0, 1)[:, None]


def _desk(plane: Tensor, shot: Shot, generator: torch.Generator) -> Tensor:
    """Return a desk of one colour with a smooth random grain, (B, 3, H, W), fixed to the plane."""
    grain = F.interpolate(
        torch.randn((1, 1, 24, 96), generator=generator), size=(768, 768), mode="bicubic", align_corners=False
    )
    texture = sample_plane(1 + 0.12 * grain, plane + 150, (600.0, 600.0))
    return (texture * torch.tensor(shot.desk)[:, None, None]).clamp(0, 1)


def _illumination(plane: Tensor, page_mm: tuple[float, float], shot: Shot) -> Tensor:
    """Return the light on every pixel and channel: a lamp to one side, the lens's vignette, white balance."""
    direction = torch.tensor([math.cos(shot.light_angle), math.sin(shot.light_angle)])
    side = ((plane - torch.tensor(page_mm) / 2) @ direction) / max(page_mm)
    lamp = 1 - shot.falloff * side.clamp(-0.8, 0.8)
    height, width = plane.shape[1:3]
    y = torch.linspace(-1, 1, height)[:, None] * height
    x = torch.linspace(-1, 1, width)[None, :] * width
    corner = (x.square() + y.square()) / (height**2 + width**2)
    vignette = 1 - shot.vignette * corner
    return (lamp * vignette)[:, None] * torch.tensor(shot.gains)[:, None, None]
