"""A measured printer and phone in one file: what a printed colour, edge and grey field look like in a photo.

The file is JSON that a person can read, with a checksum over all of it: numbers that nobody measured are not
taken for measured ones. Reading and checking one needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from physadv.files import read_text, replacing
from physadv.profiles.channel import FULL, ColourTable, channel
from physadv.profiles.errors import ProfileError
from physadv.transforms.presses import NODES
from physadv.transforms.protocol import Transformation

FORMAT_VERSION = 1
Kind = Literal["thin-plate spline", "affine"]
Node = Annotated[int, Field(ge=0, le=FULL)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourcePhoto(_Record):
    """A photo that a profile rests on.

    Attributes:
        file: name of the file.
        sha256: hash of the file.
        taken: date and time by its EXIF, empty if it has none.
        camera: maker and model by its EXIF, empty if it has none.
        simulated: whether the virtual phone took it.
        pixels_per_mm: resolution on the paper.
        exposure: light in this photo over that in all of them.
        lens: coefficients k1 and k2 of radial distortion.
    """

    file: str
    sha256: str
    taken: str
    camera: str
    simulated: bool
    pixels_per_mm: float = Field(gt=0)
    exposure: float = Field(gt=0)
    lens: tuple[float, float]


class Colour(_Record):
    """What a printed colour looks like in the middle one of the photos.

    Attributes:
        kind: which fit predicted held-out patches best.
        smoothing: of the spline, chosen by cross-validation; 0 for an affine map.
        table: R, G and B as photographed of 17³ printed colours, sRGB in 16 bits; of these R changes fastest,
            then G, then B.
    """

    kind: Kind
    smoothing: float = Field(ge=0)
    table: Annotated[tuple[tuple[Node, Node, Node], ...], Field(min_length=NODES**3, max_length=NODES**3)]


class ColourSpread(_Record):
    """How the photos differ in light and colour.

    Attributes:
        exposure: standard deviation of the light over photos, as a fraction.
        red: standard deviation of red over green, as a fraction.
        blue: standard deviation of blue over green, as a fraction.
        shading: standard deviation of the light over the page, as a fraction.
    """

    exposure: float = Field(ge=0)
    red: float = Field(ge=0)
    blue: float = Field(ge=0)
    shading: float = Field(ge=0)


class Blur(_Record):
    """The blur of ink, lens, focus and hand together, as that of a gaussian, and the phone's sharpening.

    Attributes:
        sigma_px: standard deviation in linear light, pixels of the photo, the pixel's own aperture included.
        sigma_mm: the same on the paper, mm.
        spread: standard deviation of sigma over photos, as a fraction.
        amount: strength of the unsharp mask, 0 for none.
        radius_px: gaussian sigma of the unsharp mask, pixels of the photo.
        tone: strength of an S-shaped tone curve that the edges show; the colour table contains it.
        edges: number of edges that were fitted.
    """

    sigma_px: float = Field(gt=0)
    sigma_mm: float = Field(gt=0)
    spread: float = Field(ge=0)
    amount: float = Field(ge=0)
    radius_px: float = Field(gt=0)
    tone: float
    edges: int = Field(gt=0)


class Noise(_Record):
    """The noise of the photos' pixels.

    Attributes:
        shot: variance per unit of decoded light, where shot · light + read² is nearest to the variance.
        read: standard deviation without light in that model, which a tone curve makes a rough one.
        curve: standard deviation at 17 evenly spaced levels from 0 to 255, 8-bit levels; this is drawn.
        length_px: gaussian sigma over which white noise was spread to be correlated as this is, pixels.
        pairs: pairs of photos from one place of which it is the difference; 0 where it was measured in single
            photos, which takes the texture of print and paper for noise.
        levels: mean and standard deviation of every grey field, 8-bit levels.
    """

    shot: float = Field(ge=0)
    read: float = Field(ge=0)
    curve: Annotated[tuple[float, ...], Field(min_length=NODES, max_length=NODES)]
    length_px: float = Field(gt=0)
    pairs: int = Field(ge=0)
    levels: tuple[tuple[float, float], ...]


class Jpeg(_Record):
    """The photos' files; None where they are no JPEG.

    Attributes:
        quality: of the nearest tables on libjpeg's scale, the lowest of all photos.
        subsampling: of the colours: 4:4:4, 4:2:2 or 4:2:0.
    """

    quality: int | None
    subsampling: str | None


class HeldOut(_Record):
    """How far colours are from those photographed, on patches that a fit did not see, CIEDE2000.

    Attributes:
        mean: mean of the differences.
        p95: 95th percentile of the differences.
        patches: number of patches.
        affine_mean: mean of the differences by an affine map instead.
        affine_p95: 95th percentile of the differences by an affine map instead.
    """

    mean: float
    p95: float
    patches: int
    affine_mean: float
    affine_p95: float


class Profile(_Record):
    """A printer and a phone, measured together from photos of a target.

    Attributes:
        format_version: of this file.
        name: of the target that was printed.
        made_from: the photos.
        pixels_per_mm: resolution of the photos on the paper, their median.
        colour: what printed colours look like.
        colour_spread: how the photos differ in light and colour.
        blur: what became of sharp edges.
        noise: what became of flat fields.
        jpeg: the photos' files.
        held_out: how well colours are predicted.
    """

    format_version: Literal[1]
    name: str
    made_from: Annotated[tuple[SourcePhoto, ...], Field(min_length=1)]
    pixels_per_mm: float = Field(gt=0)
    colour: Colour
    colour_spread: ColourSpread
    blur: Blur
    noise: Noise
    jpeg: Jpeg
    held_out: HeldOut

    @property
    def simulated(self) -> bool:
        """Return whether the virtual phone took any of the photos."""
        return any(photo.simulated for photo in self.made_from)

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of all that the profile says, hexadecimal."""
        return _checksum(self.model_dump(mode="json"))

    def looks(self) -> ColourTable:
        """Return what a printed colour looks like in the middle photo, as a transformation without draws."""
        return ColourTable(self.colour.table)

    def distribution(self, *, image_px: int = 224, image_mm: float = 36.0) -> Transformation:
        """Return the distribution over what becomes of an image between its print and its crop.

        Colours, light, blur, sharpening and noise are those measured, on the image's own pixels; light and
        white balance vary as they did over the photos and the page, uniformly. A crop averages the photo's
        noise and adds the blur of its own pixels. The losses of the file are not drawn: they are on the
        photo's finer grid, and in the noise.

        Args:
            image_px: longer side of the images, pixels.
            image_mm: the same side on paper, mm.

        Raises:
            ProfileError: a side that is not above 0.
        """
        if not (image_px > 0 and 0 < image_mm < math.inf):
            raise ProfileError(f"an image of {image_px} pixels on {image_mm:g} mm; wanted both above 0")
        return channel(self, image_px, self.pixels_per_mm * image_mm / image_px)


def in_words(profile: Profile) -> list[str]:
    """Return what was measured and how well, a line each."""
    spread, blur, noise, held = profile.colour_spread, profile.blur, profile.noise, profile.held_out
    affine = profile.colour.kind == "affine"
    kind = "an affine map, which a spline is no better than" if affine else "a thin-plate spline"
    of_what = (
        f"from the difference of {noise.pairs} pairs of photos from one place"
        if noise.pairs
        else "from single photos, no two of them from one place: the print's texture is taken for noise"
    )
    return [
        f"{len(profile.made_from)} photos{' (simulated)' if profile.simulated else ''}, "
        f"{profile.pixels_per_mm:.1f} pixels a mm",
        f"colours by {kind}: ΔE2000 of {held.patches} held-out patches {held.mean:.2f} mean, "
        f"{held.p95:.2f} "
        f"95th percentile (affine {held.affine_mean:.2f}, {held.affine_p95:.2f})",
        f"over the photos: light {spread.exposure:.1%}, red {spread.red:.1%}, blue {spread.blue:.1%}; "
        f"over the page: light {spread.shading:.1%}",
        f"blur {blur.sigma_px:.2f} pixels, {blur.sigma_mm:.3f} mm, from {blur.edges} edges; sharpening "
        f"{blur.amount:.2f}",
        f"noise: shot {noise.shot:.2e}, read {noise.read:.2e}, over {noise.length_px:.2f} pixels, {of_what}",
    ]


def read_profile(path: Path) -> Profile:
    """Return the profile in a file that `write_profile` wrote.

    Raises:
        ProfileError: one line: the file is missing, is no profile, is of another version, or was changed.
    """
    again = "make it again with 'physadv calibrate fit'"
    try:
        fields: Any = json.loads(read_text(path))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: not a profile, which is JSON in UTF-8; {again}") from error
    if not isinstance(fields, dict) or "format_version" not in fields:
        raise ProfileError(f"{path}: not a profile: it has no format_version; {again}")
    version, checksum = fields["format_version"], fields.pop("checksum", None)
    if version != FORMAT_VERSION:
        raise ProfileError(
            f"{path}: a profile of format {version!r}; this program reads format {FORMAT_VERSION}; {again}"
        )
    if checksum != _checksum(fields):
        raise ProfileError(f"{path}: changed since it was measured (its checksum does not fit); {again}")
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ProfileError(f"{path}: {where}: {first['msg'].lower()}; {again}") from error


def write_profile(path: Path, profile: Profile) -> None:
    """Write a profile whole or not at all; the same profile gives the same bytes."""
    fields = profile.model_dump(mode="json")
    text = json.dumps(fields | {"checksum": _checksum(fields)}, indent=1)
    # The numbers of one node or one level belong on one line.
    text = re.sub(r"\[[-\d\s.,e+]+\]", lambda found: " ".join(found[0].split()), text)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _checksum(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
