"""One exposure: everything that a photo depends on is drawn first, so that it can be taken again.

Where page points land, and what of a page can be seen, is for checking only: cropping never sees that.
Longer than 300 lines: half of them name and draw what one photo depends on, in one order.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from physadv.phone.paper import FLAT, Bend, Paper, Points
from physadv.phone.phones import Phone, PhoneError
from physadv.phone.scene import Desk, Dice, Glare, Rod, Shadow, draw_desk, draw_glare, draw_rods, draw_shadows
from physadv.transforms.geometry import Camera
from physadv.transforms.optics import camera_kernel

MESSENGER_SIDE = 1600
GRID_MM, NEAR_ROD_MM = 0.5, 0.5
FOOTPRINT = 0.5  # gaussian sigma, pixels: the lens's blur through which a print is seen, then sampled
MATRICES = 4  # colour matrices of cameras, of which a phone's is a mixture; see `sensor.py`
READ_SLOPE, READ_LEVEL, READ_SPREAD = 2.18, 1.20, 0.26
"""Log of the read noise's variance on the log of the shot noise, and its scatter (Brooks et al. 2019)."""
BENDS_TRIED = 20  # of the steepest bows that a preset draws, about one in twenty is more than a page can have


@dataclass(frozen=True)
class Shot:
    """One exposure: the camera's pose and everything else a photo depends on.

    Attributes:
        camera: its pose and lens; it looks at the table's origin.
        papers: the sheets on the table, later ones on top.
        rods: thumbs and pens, on top of the sheets.
        shadows: hard shadows on the table and what lies there.
        glare: a lamp's reflection, if there is one.
        desk: the table's surface.
        light_angle: direction in which the table gets darker, radians.
        elevation: of the light over the table, degrees.
        falloff: how much darker it gets over a page, fraction.
        vignette: light lost in the photo's corners, fraction.
        gains: light on the middle of the table in R, G, B.
        kernel: point-spread function, (k, k), k odd, of the blur beyond that of `FOOTPRINT`.
        headroom: share of the sensor's range that a just clipping white surface takes, in green.
        balance: gains of the white balance in R, G, B; green's is 1.
        mixture: weights of the cameras' colour matrices, which sum to 1.
        read_noise: standard deviation of the noise without light, in raw light.
        shot_noise: variance of the noise per unit of raw light.
        denoising: detail of less than so many standard deviations of the noise is averaged away.
        grain: gaussian sigma over which denoising averages brightness, pixels.
        colour_grain: gaussian sigma over which denoising averages colour, pixels at half the size.
        local_tone: exponent of local tone mapping, 0 = none.
        contrast: strength of the tone curve, 0 to 1.
        sharpening: strength of the unsharp mask.
        halo: gaussian sigma of the unsharp mask, pixels.
        quality: of the phone's JPEG file.
        quantisers: JPEG tables of luma and chroma instead of a quality.
        subsampling: of the JPEG file's chroma.
        orientation: EXIF orientation of the file.
        messenger: whether the file went through a messenger.
        seed: of the sensor's noise.
    """

    camera: Camera
    papers: tuple[Paper, ...]
    rods: tuple[Rod, ...]
    shadows: tuple[Shadow, ...]
    glare: Glare | None
    desk: Desk
    light_angle: float
    elevation: float
    falloff: float
    vignette: float
    gains: tuple[float, float, float]
    kernel: Tensor
    headroom: float
    balance: tuple[float, float, float]
    mixture: tuple[float, ...]
    read_noise: float
    shot_noise: float
    denoising: float
    grain: float
    colour_grain: float
    local_tone: float
    contrast: float
    sharpening: float
    halo: float
    quality: int
    quantisers: tuple[tuple[int, ...], ...] | None
    subsampling: str
    orientation: int
    messenger: bool
    seed: int


def draw_shot(
    phone: Phone, page_mm: tuple[float, float], generator: torch.Generator, *, sheets: int = 1
) -> Shot:
    """Draw one exposure of `sheets` of one size (width, height) side by side, the first paper the leftmost.

    Raises:
        PhoneError: sheets < 1, or a bow that a page of this size cannot have.

    >>> from physadv.phone import PHONES
    >>> shot = draw_shot(PHONES["office"].phone, (210.0, 297.0), torch.Generator().manual_seed(0))
    >>> len(shot.papers), shot.camera.width, 93 <= shot.quality <= 97
    (1, 3024, True)
    """
    if sheets < 1:
        raise PhoneError(f"sheets {sheets}: wanted 1 or more")
    dice = Dice(generator)
    papers = _lay_out(phone, page_mm, sheets, dice)
    camera = _frame(phone, papers, dice)
    papers = _cut(phone, papers, camera, dice)
    green, warmth = dice.between(*phone.exposure), dice.between(*phone.warmth)
    shot_noise = dice.ratio(*phone.shot_noise)
    mixture = [dice.between(0, 1) for _ in range(MATRICES)]
    return Shot(
        camera=camera,
        papers=papers,
        rods=draw_rods(phone.scene, papers[-1], dice),
        shadows=draw_shadows(phone.scene, papers[0], dice),
        glare=draw_glare(phone.scene, papers[0], dice),
        desk=draw_desk(dice),
        light_angle=dice.between(0, 2 * math.pi),
        elevation=dice.between(*phone.elevation),
        falloff=dice.between(*phone.falloff),
        vignette=dice.between(*phone.vignette),
        gains=(
            green * (1 + dice.either(phone.white_balance)) * (1 + warmth),
            green,
            green * (1 + dice.either(phone.white_balance)) * (1 - warmth),
        ),
        kernel=_kernel(phone, dice),
        headroom=dice.between(*phone.headroom),
        balance=(dice.between(*phone.red_gain), 1.0, dice.between(*phone.blue_gain)),
        mixture=tuple(weight / sum(mixture) for weight in mixture),
        read_noise=_read_noise(phone, shot_noise, dice),
        shot_noise=shot_noise,
        denoising=dice.between(*phone.denoising),
        grain=dice.between(*phone.grain),
        colour_grain=dice.between(*phone.colour_grain),
        local_tone=dice.between(*phone.local_tone),
        contrast=dice.between(*phone.contrast),
        sharpening=dice.between(*phone.sharpening),
        halo=dice.between(*phone.halo),
        quality=round(dice.between(*phone.quality)),
        quantisers=phone.quantisers,
        subsampling=phone.subsampling,
        orientation=phone.orientations[dice.index(len(phone.orientations))],
        messenger=dice.chance(phone.messenger),
        seed=dice.index(2**31),
    )


def _read_noise(phone: Phone, shot_noise: float, dice: Dice) -> float:
    """Return a standard deviation, drawn from the phone's interval or else jointly with the shot noise."""
    if phone.read_noise:
        return dice.between(*phone.read_noise)
    if not shot_noise:
        return 0.0
    return math.exp((READ_SLOPE * math.log(shot_noise) + READ_LEVEL + READ_SPREAD * dice.normal()) / 2)


def _kernel(phone: Phone, dice: Dice) -> Tensor:
    sigma, radius = dice.between(*phone.blur), dice.between(*phone.defocus)
    length, angle = dice.between(*phone.motion), dice.between(0, 180)
    rest = math.sqrt(max(0.0, sigma**2 - FOOTPRINT**2))
    radii = (math.ceil(4 * sigma), math.ceil(radius), math.ceil(length / 2))
    return camera_kernel(rest, radius, length, angle, radii=radii)


def _lay_out(phone: Phone, page_mm: tuple[float, float], sheets: int, dice: Dice) -> tuple[Paper, ...]:
    """Lay sheets beside each other, left to right before the whole is turned."""
    turn = phone.turns[dice.index(len(phone.turns))]
    if sheets > 1:
        # The phone is turned so that the row lies along its longer side.
        turn = (90, 270)[dice.index(2)]
    angle, loose = math.radians(turn), sheets > 1
    papers = []
    for number in range(sheets):
        x = (number - (sheets - 1) / 2) * (page_mm[0] + dice.between(15, 30))
        y = dice.either(10.0 * loose)
        centre = (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))
        bow = dice.between(*phone.scene.bow)
        bend = draw_bend(page_mm, bow, phone.scene.waves, dice) if bow else FLAT
        papers.append(Paper(page_mm, centre, turn + dice.either(3.0 * loose), bend))
    return tuple(papers)


def draw_bend(page_mm: tuple[float, float], bow_mm: float, waves: float, dice: Dice) -> Bend:
    """Draw a bend of a page, up or down: an arc along or across it or, with waves, in any direction.

    A bow that the page can hardly have raises PhoneError.
    """
    for _ in range(BENDS_TRIED - 1):
        with suppress(PhoneError):
            return Paper(page_mm, bend=_any_bend(bow_mm, waves, dice)).bend
    return Paper(page_mm, bend=_any_bend(bow_mm, waves, dice)).bend


def _any_bend(bow_mm: float, waves: float, dice: Dice) -> Bend:
    bow = bow_mm if dice.chance(0.5) else -bow_mm
    if not waves:
        return Bend(bow, direction=(90.0, 0.0)[dice.index(2)])
    # Each wave of half the length slopes twice as much for its height.
    drawn = tuple((dice.between(0, waves) / k, dice.between(0, 2 * math.pi)) for k in (1, 2))
    return Bend(bow, direction=dice.between(0, 180), waves=drawn)


def _frame(phone: Phone, papers: tuple[Paper, ...], dice: Dice) -> Camera:
    """Return the camera at the distance from which the papers take `fill` of the frame."""
    fill = dice.between(*phone.fill)
    drawn = [dice.either(limit) for limit in (phone.tilt, phone.tilt, phone.roll, phone.lens, phone.lens)]
    yaw, pitch, roll, a1, a2, focal = torch.tensor([*drawn, phone.focal], dtype=torch.float64)[:, None]
    outline = torch.from_numpy(np.concatenate([paper.surface(_outline(paper.page_mm)) for paper in papers]))
    half = torch.tensor([phone.width / 2, phone.height / 2], dtype=torch.float64)

    def at(distance: float) -> Camera:
        there = torch.tensor([distance], dtype=torch.float64)
        return Camera(there, yaw, pitch, roll, focal, phone.width, phone.height, a1, a2)

    extent = float(outline.abs().max())
    near, far = 1.2 * extent, 40 * extent
    for _ in range(40):
        middle = (near + far) / 2
        camera = at(middle)
        reach = float(((camera.project(outline)[0] - camera.centre).abs() / half).max())
        near, far = (middle, far) if reach > fill else (near, middle)
    return at(far)


def _outline(page_mm: tuple[float, float]) -> Points:
    steps = np.linspace(0, 1, 9)
    ends = np.concatenate([np.stack([steps, 0 * steps + side], axis=1) for side in (0, 1)])
    return np.concatenate([ends, ends[:, ::-1]]) * page_mm


def _cut(phone: Phone, papers: tuple[Paper, ...], camera: Camera, dice: Dice) -> tuple[Paper, ...]:
    """Move a single sheet so far that one border of the photo cuts it."""
    share, side = dice.between(*phone.scene.cut), dice.index(4)
    if not dice.chance(phone.scene.partial) or len(papers) > 1:
        return papers
    (paper,) = papers
    border = torch.tensor([(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0)], dtype=torch.float64)[side]
    size = torch.tensor([camera.width - 1, camera.height - 1], dtype=torch.float64)
    seen_border = camera.unproject((border * size)[None])[0, 0].numpy()
    outwards = seen_border / np.linalg.norm(seen_border)
    flat = paper.to_table(_outline(paper.page_mm)) @ outwards
    move = np.linalg.norm(seen_border) - flat.max() + share * np.ptp(flat)
    x, y = paper.centre_mm + outwards * move
    return (replace(paper, centre_mm=(float(x), float(y))),)


def sent_size(shot: Shot) -> tuple[int, int]:
    """Return width and height of the upright file, pixels."""
    width, height = shot.camera.width, shot.camera.height
    if not shot.messenger:
        return width, height
    scale = min(1.0, MESSENGER_SIDE / max(width, height))
    return round(width * scale), round(height * scale)


def page_to_photo(shot: Shot, points_mm: Points, sheet: int = 0) -> Points:
    """Return where points (N, 2) of a sheet, mm from its top-left, landed in the upright file, pixels."""
    surface = torch.from_numpy(shot.papers[sheet].surface(points_mm))
    pixels: Points = (shot.camera.project(surface)[0].numpy() + 0.5) * _file_scale(shot) - 0.5
    return pixels


def photo_to_page(shot: Shot, pixels: Points, sheet: int = 0) -> Points:
    """Return the page points (N, 2) in mm seen at pixels (N, 2) of the upright file, or raise PhoneError.

    The error is `Paper.seen_along`'s.
    """
    camera_pixels = (pixels + 0.5) / _file_scale(shot) - 0.5
    origin, directions = shot.camera.rays(torch.from_numpy(camera_pixels))
    return shot.papers[sheet].seen_along(origin[0, 0].numpy(), directions[0].numpy())[0]


def wholly_visible(shot: Shot, box_mm: tuple[float, float, float, float], sheet: int = 0) -> bool:
    """Return whether a box on a page, [x, y, w, h] in mm, is in the photo and nothing lies over any of it."""
    x, y, w, h = box_mm
    columns = np.linspace(x, x + w, round(w / GRID_MM) + 1)
    rows = np.linspace(y, y + h, round(h / GRID_MM) + 1)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    pixels = page_to_photo(shot, points, sheet)
    size = np.array(sent_size(shot))
    if (pixels < 0).any() or (pixels > size - 1).any():
        return False
    camera_pixels = (pixels + 0.5) / _file_scale(shot) - 0.5
    plane = shot.camera.unproject(torch.from_numpy(camera_pixels))[0]
    if any(bool((rod.distance(plane) < NEAR_ROD_MM).any()) for rod in shot.rods):
        return False
    for above in range(sheet + 1, len(shot.papers)):
        met = photo_to_page(shot, pixels, above)
        if np.all((met >= 0) & (met <= shot.papers[above].page_mm), axis=1).any():
            return False
    return True


def _file_scale(shot: Shot) -> Points:
    """Return pixels of the file per pixel of the camera, along x and y."""
    return np.array(sent_size(shot)) / (shot.camera.width, shot.camera.height)
