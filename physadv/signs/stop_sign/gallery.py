"""Pictures for the page: every treatment's face, and the same sights of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.report.page import Picture, data_uri
from physadv.signs.stop_sign import approach, lab
from physadv.signs.stop_sign.approach import DriveConditions, Moment, draw_approach, drive
from physadv.signs.stop_sign.crops import MARGIN, Frame, cut_out
from physadv.signs.stop_sign.lab import Cell, LabConditions, photograph
from physadv.signs.stop_sign.rendering import classify, drawn_backgrounds
from physadv.signs.stop_sign.road import START_M

CELLS_SHOWN = (Cell(5, 0), Cell(5, 45), Cell(10, 30), Cell(40, 0))
DISTANCES_SHOWN = (30.0, 15.0)
_FRAME_SHARE = 0.25
"""Of a frame that is shown about the sign, so that it can be seen on a page."""


@dataclass(frozen=True)
class SightRow:
    """One sight of one sign, a picture a treatment."""

    name: str
    note: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Exhibit:
    """What the pictures show: the arguments of the tests, and who judges.

    Attributes:
        classifier: whose answer stands under every picture.
        faces: treatment → (V, 3, S, S); the first victim is shown.
        alpha: (S, S).
        victims: their V names.
        label: the true class.
        seed: of the tests.
        margin: around the sign when it is cropped in a frame.
    """

    classifier: Classifier
    faces: Mapping[str, Tensor]
    alpha: Tensor
    victims: Sequence[str]
    label: int
    seed: int = 0
    margin: float = MARGIN


def sticker_pictures(exhibit: Exhibit) -> tuple[Picture, ...]:
    """Return the first victim's face under every treatment, before mid-grey."""
    shown = {
        name: each[0] * exhibit.alpha + 0.5 * (1 - exhibit.alpha) for name, each in exhibit.faces.items()
    }
    return _pictures(exhibit, "face", {name: _levels(each) for name, each in shown.items()}, shown)


def sight_rows(
    exhibit: Exhibit,
    lab_conditions: LabConditions = lab.USUAL,
    drive_conditions: DriveConditions = approach.USUAL,
    backgrounds: Tensor | None = None,
) -> tuple[SightRow, ...]:
    """Return near, oblique and far sights of the lab test and frames of the drive-by test, all simulated."""
    behind = drawn_backgrounds(exhibit.seed) if backgrounds is None else backgrounds
    rows = [_lab_row(exhibit, cell, lab_conditions, behind) for cell in CELLS_SHOWN]
    return (*rows, *_drive_rows(exhibit, drive_conditions))


def _lab_row(exhibit: Exhibit, cell: Cell, conditions: LabConditions, backgrounds: Tensor) -> SightRow:
    victim = exhibit.victims[0]
    photos = {
        name: photograph(
            each[0],
            exhibit.alpha,
            cell,
            victim,
            seed=exhibit.seed,
            backgrounds=backgrounds,
            conditions=conditions,
        )
        for name, each in exhibit.faces.items()
    }
    pictures = {name: _levels(shots.pictures[0]) for name, shots in photos.items()}
    crops = {name: shots.crops[0] for name, shots in photos.items()}
    return SightRow(cell.name, "lab test, simulated photo", _pictures(exhibit, cell.name, pictures, crops))


def _drive_rows(exhibit: Exhibit, conditions: DriveConditions) -> list[SightRow]:
    victim = exhibit.victims[0]
    drawn = draw_approach(victim, 0, exhibit.seed, conditions)
    times = [3.6 * (START_M - distance) / drawn.speed_kmh for distance in DISTANCES_SHOWN]
    rows = []
    for moment in drive(drawn, {name: each[0] for name, each in exhibit.faces.items()}, exhibit.alpha, times):
        name = f"{moment.distance_m:.0f} m"
        shown = {treatment: _about(frame, moment) for treatment, frame in moment.frames.items()}
        crops = {
            treatment: cut_out(frame, moment.box, exhibit.margin)
            for treatment, frame in moment.frames.items()
        }
        note = f"drive-by test, simulated frame at {drawn.speed_kmh:.0f} km/h; a sixteenth of it"
        rows.append(SightRow(name, note, _pictures(exhibit, name, shown, crops)))
    return rows


def _about(frame: Frame, moment: Moment) -> Frame:
    """Return a part of a frame with the sign in its middle, as far as the frame goes."""
    height, width = (round(_FRAME_SHARE * side) for side in frame.shape[:2])
    left = round((moment.box[0] + moment.box[2] - width) / 2)
    top = round((moment.box[1] + moment.box[3] - height) / 2)
    left, top = (
        max(0, min(left, frame.shape[1] - width)),
        max(0, min(top, frame.shape[0] - height)),
    )
    return frame[top : top + height, left : left + width]


def _pictures(
    exhibit: Exhibit, sight: str, shown: Mapping[str, Frame], asked: Mapping[str, Tensor]
) -> tuple[Picture, ...]:
    """Return a picture a treatment under the classifier's answer on its crop."""
    answers = classify(exhibit.classifier, torch.stack(list(asked.values())))
    pictures = []
    for (treatment, pixels), (answer, confidence) in zip(shown.items(), answers, strict=True):
        src, size = data_uri(Image.fromarray(pixels))
        said = exhibit.classifier.labels[answer]
        pictures.append(
            Picture(
                title=treatment,
                src=src,
                size_px=size,
                alt=f"{sight}, {treatment}: classified as {said}",
                answer=said,
                probability=f"{confidence:.2f}",
                right=answer == exhibit.label,
            )
        )
    return tuple(pictures)


def _levels(picture: Tensor) -> Frame:
    pixels: Frame = (picture.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return pixels
