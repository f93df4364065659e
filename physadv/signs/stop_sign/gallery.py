"""Pictures for the page: every treatment's face, and the same views of each of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from physadv.report.page import Picture, data_uri
from physadv.signs.stop_sign.approach import Moment, draw_approach, drive
from physadv.signs.stop_sign.camera import drawn_backgrounds
from physadv.signs.stop_sign.cells import Cell
from physadv.signs.stop_sign.lab import photograph
from physadv.signs.stop_sign.road import START_M
from physadv.signs.stop_sign.views import Exhibit, Frame, cut_out

CELLS_SHOWN = (Cell(5, 0), Cell(5, 45), Cell(10, 30), Cell(40, 0))
DISTANCES_SHOWN = (30.0, 15.0)
_FRAME_SHARE = 0.25
"""Share of a frame's sides that is shown around the sign, so that it can be seen on a page."""


@dataclass(frozen=True)
class ViewRow:
    """One view of one sign, a picture a treatment.

    Attributes:
        name: from where the sign is seen.
        note: of which test the view is.
        pictures: one a treatment.
    """

    name: str
    note: str
    pictures: tuple[Picture, ...]


def sticker_pictures(exhibit: Exhibit) -> tuple[Picture, ...]:
    """Return the first sign's face under every treatment, before mid-grey."""
    shown = {
        name: each[0] * exhibit.alpha + 0.5 * (1 - exhibit.alpha) for name, each in exhibit.faces.items()
    }
    return _pictures(exhibit, "face", {name: _levels(each) for name, each in shown.items()}, shown)


def view_rows(exhibit: Exhibit, shots: int = 3) -> tuple[ViewRow, ...]:
    """Return near, oblique and far views of the lab test and frames of the drive-by test, all simulated.

    Args:
        exhibit: what is shown, and who is asked.
        shots: photos in each cell; the first is shown.
    """
    backgrounds = drawn_backgrounds(exhibit.seed)
    rows = [_lab_row(exhibit, cell, shots, backgrounds) for cell in CELLS_SHOWN]
    return (*rows, *_drive_rows(exhibit))


def _lab_row(exhibit: Exhibit, cell: Cell, shots: int, backgrounds: Tensor) -> ViewRow:
    photos = {
        name: photograph(
            each[0],
            exhibit.alpha,
            cell,
            exhibit.names[0],
            shots=shots,
            seed=exhibit.seed,
            backgrounds=backgrounds,
        )
        for name, each in exhibit.faces.items()
    }
    pictures = {name: _levels(taken.pictures[0]) for name, taken in photos.items()}
    crops = {name: taken.crops[0] for name, taken in photos.items()}
    return ViewRow(cell.name, "lab test, simulated photo", _pictures(exhibit, cell.name, pictures, crops))


def _drive_rows(exhibit: Exhibit) -> list[ViewRow]:
    drawn = draw_approach(exhibit.names[0], 0, exhibit.seed)
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
        rows.append(ViewRow(name, note, _pictures(exhibit, name, shown, crops)))
    return rows


def _about(frame: Frame, moment: Moment) -> Frame:
    """Return a part of a frame with the sign in its middle, as far as the frame goes."""
    height, width = (round(_FRAME_SHARE * side) for side in frame.shape[:2])
    left = round((moment.box[0] + moment.box[2] - width) / 2)
    top = round((moment.box[1] + moment.box[3] - height) / 2)
    left, top = (max(0, min(left, frame.shape[1] - width)), max(0, min(top, frame.shape[0] - height)))
    return frame[top : top + height, left : left + width]


def _pictures(
    exhibit: Exhibit, view: str, shown: Mapping[str, Frame], crops: Mapping[str, Tensor]
) -> tuple[Picture, ...]:
    """Return a picture a treatment with the classifier's answer on its crop."""
    judge = exhibit.judge
    answers = judge.classify(torch.stack(list(crops.values())))
    pictures = []
    for (treatment, pixels), (labels, probabilities) in zip(shown.items(), answers, strict=True):
        src, size = data_uri(Image.fromarray(pixels))
        answer = judge.classifier.labels[labels[0]]
        pictures.append(
            Picture(
                title=treatment,
                src=src,
                size_px=size,
                alt=f"{view}, {treatment}: classified as {answer}",
                answer=answer,
                probability=f"{probabilities[0]:.2f}",
                right=labels[0] == judge.label,
            )
        )
    return tuple(pictures)


def _levels(picture: Tensor) -> Frame:
    pixels: Frame = (picture.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return pixels
