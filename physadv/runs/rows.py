"""The rows of an observation store: photos, crops, and what classifiers said."""

from dataclasses import dataclass
from typing import Literal

Colour = Literal["photographed", "corrected"]


@dataclass(frozen=True)
class PhotoRow:
    """One photo: used, or refused with the reason, when `run` was the code on the sheets.

    A file is one photo, or several where it is a video or shows a sheet twice. `view` then tells them apart,
    and `name` is that of the file, "#", and the view. A name with a slash is not a file of the capture's
    folder of photos but a view of a sign in a test, TEST//PLACE//…: it belongs to no sheet.

    `colour` is that of its crops. The exposure is of the sheet's greys, in stops and in linear light;
    `delta_e` is CIEDE2000 of its bars' patches after the correction, each held out of the fit, and
    `delta_e_before` as photographed; both are empty where nothing was corrected. `remark` names what else the
    photo shows: a sheet of another run, a damaged code.
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

    @property
    def file(self) -> str:
        """Return the name of its file in the photos' folder."""
        return self.name.removesuffix(f"#{self.view}") if self.view else self.name


@dataclass(frozen=True)
class CropRow:
    """One cell in one photo; `path` is relative to the capture's folder and None where it was refused.

    `angle_deg` is between the paper and the line of sight, 0 = frontal, `distance_mm` from the camera; the
    distance is None where EXIF gave no focal length.
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


@dataclass(frozen=True)
class ObservationRow:
    """One classifier's top five on one crop (`channel` "photo") or on one digitally transformed example.

    `channel` is otherwise the transform's text, and `photo` is then empty; "none" is the example untouched.
    `run` is the manifest's code: a run made anew under an old name shares nothing with it. `seed` is that of
    a random transform, else 0.
    """

    run: str
    classifier: str
    channel: str
    seed: int
    example: str
    photo: str
    labels: tuple[int, ...]
    probabilities: tuple[float, ...]
