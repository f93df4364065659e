"""What a phone, the hand that holds it and the place a sheet lies in vary between, and presets of it by name.

No phone was measured: every range is this project's, round numbers within what is published or what anyone
can check with a phone, and `Preset.assumptions` says which.
"""

from dataclasses import dataclass, replace

from physadv.errors import unknown_name
from physadv.phone.errors import PhoneError

Range = tuple[float, float]
NEVER: Range = (0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """What is around and on the sheet, and how it lies there; chances are shares of the photos.

    Attributes:
        bow: of the paper, mm, either sign; see `Bend`.
        waves: greatest amplitude of the waves added to the bend's arc, which is then in any direction;
            0 = an arc across the long or the short side.
        neighbour: chance that the next sheet lies beside it, in the same photo.
        partial: chance that the photo's border cuts the sheet, by `cut` of its width or height.
        thumb: chance of a thumb on the sheet, and how far it reaches over the page's edge, mm.
        pen: chance of a pen lying on the sheet.
        shadow: chance of a hard shadow over the sheet, and the share of light it takes.
        glare: chance of a lamp's reflection in the paper, and the light it adds; 1 clips.
    """

    bow: Range = NEVER
    waves: float = 0.0
    neighbour: float = 0.0
    partial: float = 0.0
    cut: Range = NEVER
    thumb: float = 0.0
    thumb_reach: Range = NEVER
    pen: float = 0.0
    shadow: float = 0.0
    shadow_depth: Range = NEVER
    glare: float = 0.0
    glare_light: Range = NEVER


@dataclass(frozen=True)
class Phone:
    """What a phone and the hand that holds it vary between; each range is drawn uniformly.

    Attributes:
        width: of the upright photo, pixels; likewise `height` (12.2 megapixels together).
        focal: focal length in pixels (26 mm full-frame equivalent).
        tilt: |yaw| and |pitch| up to this, degrees; likewise `roll`.
        turns: quarter turns of the sheet in the upright photo, one is drawn.
        fill: how much of the frame the page takes, 1 = it touches the edge.
        lens: radial coefficients a1 and a2 up to this, either sign.
        falloff: how much darker the far side of the page is lit, fraction.
        elevation: of the light over the table, degrees: the lower, the more a bent page shades itself.
        vignette: light lost in the photo's corners, fraction.
        white_balance: gain error of red and blue, either sign, fraction.
        warmth: coloured light left after white balance: red up and blue down by this fraction.
        exposure: light on the middle of the page, 1 = a white surface just clips.
        blur: gaussian sigma of the optics, pixels, at least 0.5; `defocus` radius and `motion` length
            likewise, from 0.
        read_noise: standard deviation in linear light; `shot_noise` is variance per unit of light.
        grain: gaussian sigma over which demosaicking and denoising spread the noise, pixels.
        contrast: strength of the S-shaped tone curve, 0 = plain sRGB.
        sharpening: strength of the phone's unsharp mask.
        quality: JPEG quality.
        orientations: EXIF orientations, one is drawn.
        messenger: chance that the photo went through a messenger.
        scene: what is photographed.
    """

    width: int = 3024
    height: int = 4032
    focal: float = 3028.0
    tilt: float = 10.0
    roll: float = 6.0
    turns: tuple[int, ...] = (0,)
    fill: Range = (0.86, 0.96)
    lens: float = 0.02
    falloff: Range = (0.05, 0.25)
    elevation: Range = (50.0, 80.0)
    vignette: Range = (0.05, 0.25)
    white_balance: float = 0.08
    warmth: Range = NEVER
    exposure: Range = (0.85, 1.1)
    blur: Range = (0.7, 1.2)
    defocus: Range = (0.0, 1.2)
    motion: Range = (0.0, 2.5)
    read_noise: Range = (0.001, 0.004)
    shot_noise: Range = (2e-5, 2e-4)
    grain: Range = (0.4, 0.6)
    contrast: Range = (0.0, 0.3)
    sharpening: Range = NEVER
    quality: Range = (88, 96)
    orientations: tuple[int, ...] = (1, 3, 6, 8)
    messenger: float = 0.0
    scene: Scene = Scene()


@dataclass(frozen=True)
class Preset:
    """A named way to photograph.

    Attributes:
        name: as `--preset` takes it.
        description: what a person does.
        assumptions: where the ranges come from.
        phone: the ranges.
    """

    name: str
    description: str
    assumptions: str
    phone: Phone


OFFICE = Phone(sharpening=(0.0, 0.3), quality=(93, 97), scene=Scene(bow=(0.0, 1.0)))

HAND_HELD = replace(
    OFFICE,
    tilt=18.0,
    roll=12.0,
    turns=(0, 0, 90, 180, 270),
    fill=(0.7, 0.97),
    falloff=(0.05, 0.35),
    exposure=(0.7, 1.15),
    defocus=(0.0, 1.8),
    motion=(0.0, 5.0),
    read_noise=(0.002, 0.006),
    shot_noise=(5e-5, 4e-4),
    sharpening=(0.2, 0.8),
    scene=Scene(bow=(0.0, 8.0), waves=0.3, thumb=0.4, thumb_reach=(4.0, 8.0)),
)

WINDOW = replace(
    OFFICE,
    tilt=15.0,
    turns=(0, 90, 180, 270),
    fill=(0.75, 0.96),
    falloff=(0.3, 0.6),
    elevation=(20.0, 45.0),
    warmth=(-0.15, 0.05),
    exposure=(0.9, 1.3),
    motion=(0.0, 1.5),
    contrast=(0.1, 0.5),
    sharpening=(0.2, 0.8),
    scene=Scene(
        bow=(0.0, 6.0), waves=0.3, shadow=0.8, shadow_depth=(0.5, 0.8), glare=0.4, glare_light=(0.2, 0.9)
    ),
)

NIGHT = replace(
    OFFICE,
    tilt=15.0,
    turns=(0, 90, 180, 270),
    fill=(0.75, 0.96),
    falloff=(0.25, 0.6),
    elevation=(35.0, 70.0),
    warmth=(0.1, 0.35),
    exposure=(0.25, 0.6),
    blur=(0.9, 1.5),
    defocus=(0.0, 2.0),
    motion=(0.0, 6.0),
    read_noise=(0.005, 0.015),
    shot_noise=(5e-4, 2e-3),
    grain=(0.6, 1.1),
    sharpening=(0.2, 0.8),
    quality=(88, 95),
    scene=Scene(bow=(0.0, 5.0), waves=0.3, glare=0.3, glare_light=(0.2, 0.8)),
)

HOSTILE = replace(
    OFFICE,
    tilt=25.0,
    roll=20.0,
    turns=(0, 90, 180, 270),
    fill=(0.7, 0.97),
    lens=0.04,
    falloff=(0.1, 0.6),
    elevation=(20.0, 70.0),
    warmth=(-0.2, 0.35),
    exposure=(0.35, 1.3),
    blur=(0.7, 1.5),
    defocus=(0.0, 2.2),
    motion=(0.0, 6.0),
    read_noise=(0.001, 0.01),
    shot_noise=(5e-5, 1e-3),
    grain=(0.4, 1.0),
    contrast=(0.0, 0.5),
    sharpening=(0.0, 1.0),
    quality=(60, 92),
    orientations=(1, 2, 3, 4, 5, 6, 7, 8),
    messenger=0.15,
    scene=Scene(
        bow=(0.0, 25.0),
        waves=0.5,
        neighbour=0.2,
        partial=0.3,
        cut=(0.05, 0.35),
        thumb=0.5,
        thumb_reach=(8.0, 40.0),
        pen=0.25,
        shadow=0.4,
        shadow_depth=(0.4, 0.8),
        glare=0.4,
        glare_light=(0.4, 1.5),
    ),
)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "office",
            "the sheet lies on a desk under office light; the phone is held over it with care",
            "1/50 s or faster, ISO 50 to 200, nearly flat paper; JPEG quality 93 to 97, 2 to 3.5 MB a photo",
            OFFICE,
        ),
        Preset(
            "hand-held",
            "a quick snapshot any way round: tilted, shaken, a thumb on the margin, the paper a little bent",
            "hand shake of up to 5 pixels at about 1/30 s, ISO 100 to 800, bow up to 8 mm",
            HAND_HELD,
        ),
        Preset(
            "window",
            "beside a sunny window: hard shadows, light from one side, overexposure, reflections",
            "sun 20 to 45 degrees high; skylight keeps 20 to 50 % of the light in a shadow",
            WINDOW,
        ),
        Preset(
            "night",
            "one warm lamp in a dark room: underexposed, noisy, smeared, shaken",
            "ISO 1600 to 6400 at about 1/15 s; a 2700 to 3500 K lamp half corrected by white balance",
            NIGHT,
        ),
        Preset(
            "hostile",
            "all of it at once: bent paper, thumbs, pens, cut and neighbouring sheets, glare, messengers",
            "no one photographs so; what is still wholly visible should be found",
            HOSTILE,
        ),
    )
}


def load_phone(name: str) -> Phone:
    """Return the phone of the preset called `name`.

    Raises:
        PhoneError: there is none; the line names the nearest.
    """
    if name not in PRESETS:
        raise PhoneError(unknown_name("preset", name, PRESETS))
    return PRESETS[name].phone
