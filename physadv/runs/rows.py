"""The rows of an observation store: photos, crops and classifiers' answers."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Colour = Literal["photographed", "corrected"]
CORRECTED_CROPS = "crops-corrected"
"""A capture's folder of copies of crops, with the colours corrected of photos whose bars are off."""


@dataclass(frozen=True)
class PhotoRow:
    """One photo. A file is one photo, or several where it is a video or shows a sheet twice.

    Attributes:
        name: name of the file, followed by "#" and the view where it holds several photos. A name with a
            slash, TEST//PLACE//…, is no file but a view of a sign in a test: it belongs to no sheet.
        sha256: hash of the file.
        run: run code on the sheets when the photo was cropped.
        status: whether cells were cut from it.
        reason: why it was refused, None if it was used.
        width: width in pixels, None if the file could not be read.
        height: height in pixels, None if the file could not be read.
        camera: camera in its EXIF data, if any.
        simulated: whether the virtual phone made it.
        view: tells photos of one file apart; empty where the file is one photo.
        colour: colours that its crops were asked to have.
        exposure_stops: exposure of the sheet's greys, in stops.
        red_green: ratio of red to green of the sheet's greys, in linear light.
        blue_green: ratio of blue to green of the sheet's greys, in linear light.
        delta_e: CIEDE2000 of each patch after correction, held out of the fit; empty without correction, of
            the crops or of copies beside them.
        delta_e_before: CIEDE2000 of each patch as photographed; empty without correction.
        remark: a print out of shape or without colour, a correction that was not applied, and what else the
            photo shows: a sheet of another run, a damaged code.
        preset: preset of the virtual phone, a file's with a hash of its numbers; "real" for a camera's photo,
            None where it was not recorded.
        seed: seed of a simulated photo.
        shot: which of a simulated photo's shots of its sheet it is, from 0.
        stretch: how much wider its sheet was printed than its height wants; None where the photo cannot tell.
        chroma: share of their chroma that the colours of its bars keep; None where they cannot be read.
    """

    name: str
    sha256: str
    run: str
    status: Literal["used", "refused"]
    reason: str | None
    width: int | None
    height: int | None
    camera: str | None
    simulated: bool
    view: str = ""
    colour: Colour = "photographed"
    exposure_stops: float | None = None
    red_green: float | None = None
    blue_green: float | None = None
    delta_e: tuple[float, ...] = ()
    delta_e_before: tuple[float, ...] = ()
    remark: str | None = None
    preset: str | None = None
    seed: int | None = None
    shot: int | None = None
    stretch: float | None = None
    chroma: float | None = None

    @property
    def corrected(self) -> bool:
        """Return whether its crops have corrected colours; correction that would do harm is not applied."""
        return self.colour == "corrected" and bool(self.delta_e)

    @property
    def condition(self) -> str:
        """Return how it was taken: with which preset, or by which camera."""
        if self.simulated:
            return self.preset or "preset not recorded"
        return self.camera or "a camera that left no name"

    @property
    def file(self) -> str:
        """Return the name of its file in the photos' folder."""
        return self.name.removesuffix(f"#{self.view}") if self.view else self.name


@dataclass(frozen=True)
class CropRow:
    """One cell in one photo.

    Attributes:
        photo: name of the photo.
        example: id of the example in the cell.
        sheet: index of the sheet.
        cell: index of the cell on its sheet.
        path: file of the crop, relative to the capture's folder; None if it was refused.
        reason: why it was refused, None if it was cropped.
        residual_px: RMS distance of the cell's marks from the fitted sheet, photo pixels, if measured.
        marks: marks of the cell that were found.
        sharpness_px: blur of the photo at the cell, sigma in photo pixels.
        pixels_per_mm: photo pixels per millimetre of paper.
        paper_level: 8-bit level of the bare paper around the picture.
        clipped: share of clipped pixels, 0 to 1.
        correlation: correlation of the crop with what was printed, -1 to 1.
        corners_px: corners of the picture in the photo, clockwise from the top-left one.
        angle_deg: angle between the viewing direction and the paper's normal; 0 is frontal.
        distance_mm: distance of the camera; None where EXIF gave no focal length.
        margin: by how many standard errors it is nearer to its source than to the most alike other picture of
            its sheet; below 4 they cannot be told apart. None where no other is alike.
        sha256: hash of the crop's file, None if there is none or an earlier version cut it.
        corrected_sha256: hash of its copy with corrected colours; None where there is no copy.
    """

    photo: str
    example: str
    sheet: int
    cell: int
    path: str | None
    reason: str | None
    residual_px: float | None = None
    marks: int = 0
    sharpness_px: float | None = None
    pixels_per_mm: float | None = None
    paper_level: float | None = None
    clipped: float | None = None
    correlation: float | None = None
    corners_px: tuple[tuple[float, float], ...] = ()
    angle_deg: float | None = None
    distance_mm: float | None = None
    margin: float | None = None
    sha256: str | None = None
    corrected_sha256: str | None = None

    @property
    def copy(self) -> "CropRow | None":
        """Return the row of its copy with corrected colours, a file of the same name; None without one."""
        if self.path is None or self.corrected_sha256 is None:
            return None
        path = f"{CORRECTED_CROPS}/{self.path.rpartition('/')[2]}"
        return replace(self, path=path, sha256=self.corrected_sha256, corrected_sha256=None)


@dataclass(frozen=True)
class ObservationRow:
    """One classifier's top five on one crop or on one digitally transformed example.

    Attributes:
        run: code in the run's manifest: a run made anew under an old name shares nothing with it.
        classifier: identity of the classifier, see `Classifier.identity`.
        channel: "photo", "photo corrected" for copies of crops with corrected colours, "none" for the
            untouched example, or a transformation's text.
        seed: seed of a random transformation, else 0.
        example: id of the example.
        photo: name of the photo; empty for a digital channel.
        labels: indices of the top five classes, most probable first.
        probabilities: their probabilities.
    """

    run: str
    classifier: str
    channel: str
    seed: int
    example: str
    photo: str
    labels: tuple[int, ...]
    probabilities: tuple[float, ...]


Row = PhotoRow | CropRow | ObservationRow
R = TypeVar("R", PhotoRow, CropRow, ObservationRow)
_LISTS = ("delta_e", "delta_e_before", "corners_px", "labels", "probabilities")
"""Fields that the store holds as JSON."""


def names_of(kind: type[Row]) -> list[str]:
    """Return the columns of a kind of rows, which are its fields."""
    return [field.name for field in fields(kind)]


def to_columns(row: Row) -> list[object]:
    """Return a row's values as the store holds them, in the order of `names_of`."""
    return [json.dumps(value) if name in _LISTS else value for name, value in vars(row).items()]


def from_columns(kind: type[R], values: Iterable[object]) -> R:
    """Return the row that the store holds as these values.

    Raises:
        ValueError: they are not what a row of that kind has; whoever sent the store may have edited it.
    """
    read: dict[str, Any] = dict(zip(names_of(kind), values, strict=True))
    try:
        for name in read.keys() & set(_LISTS):
            read[name] = json.loads(read[name])
    except (TypeError, RecursionError) as error:
        raise ValueError(f"{name} is no list") from error
    row: R = _checks()[kind].validate_python(read)
    return row


@cache
def _checks() -> "dict[type[Row], TypeAdapter[Any]]":
    from pydantic import TypeAdapter  # most commands name the types of this file and read no store

    return {kind: TypeAdapter(kind) for kind in (PhotoRow, CropRow, ObservationRow)}
