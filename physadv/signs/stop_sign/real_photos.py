"""Signs judged where a camera really was: photos sorted by cell, and videos of an approach.

What a sign wore in them, its treatment, only whoever took them can say.
"""

import math
from functools import partial
from pathlib import Path

from torch import Tensor

from physadv.capture.reading import CaptureError, read_photo
from physadv.capture.video import read_frames
from physadv.errors import MachineError, machine_fault
from physadv.files import file_sha256
from physadv.progress import Reporter, silent
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.camera import FOCAL_PX, LEAST_PX, apparent_px
from physadv.signs.stop_sign.cells import Cell, photos_by_cell
from physadv.signs.stop_sign.outline import find_signs
from physadv.signs.stop_sign.plate import Frame
from physadv.signs.stop_sign.road import WIDTH
from physadv.signs.stop_sign.views import MARGIN, Answer, Judge, Keep, View, afresh, boxes_in, cut_out

CHANNEL = "photographed"
SIGN = "the sign"
"""Name of the one sign that real pictures show."""
_WANTED = f"wanted a red octagon at least {LEAST_PX:.0f} pixels high"


def photo_test(
    judge: Judge, folder: Path, treatment: str, *, keep: Keep = afresh, reporter: Reporter = silent
) -> list[Answer]:
    """Return a classifier's answers on the sign in every photo below a folder.

    A photo's own name or its folder's tells the cell: `5ft_15deg/IMG_1.jpg`, `10ft-30.jpg`.

    Returns:
        One answer a photo, cell by cell; without a class where no sign was found.

    Raises:
        StopSignError: the folder has no photo, one cannot be read or tells no cell, or none shows a sign.
    """
    cells = photos_by_cell(folder)
    answers: list[Answer] = []
    for path, cell in reporter.track(cells.items(), len(cells), f"photos of {treatment}"):
        part = f"lab test, {CHANNEL}//{cell.name}//{treatment}//{path.relative_to(folder)}"
        answers += keep(f"{part}@{_digest(path)}", partial(_photo_answers, judge, path, cell, treatment))
    if all(answer.answer is None for answer in answers):
        raise StopSignError(f"{folder}: no sign in any of {len(cells)} photos; {_WANTED}")
    return answers


def video_test(
    judge: Judge, path: Path, treatment: str, *, every: int = 10, keep: Keep = afresh
) -> list[Answer]:
    """Return a classifier's answers on the sign in every n-th frame of a video.

    Distances are those of a camera that sees 63° across: they stand for apparent sizes.

    Returns:
        One answer a frame; where no sign was found, without a class and with a distance that is nan. The
        angle is nan everywhere.

    Raises:
        StopSignError: no frame of the video can be decoded, or none shows a sign.
    """
    make = partial(_video_answers, judge, path, treatment, every)
    part = f"drive-by test, {CHANNEL}//video {path.name}//{treatment}, every {every}"
    answers = list(keep(f"{part}@{_digest(path)}", make))
    if all(answer.answer is None for answer in answers):
        raise StopSignError(f"{path}: no sign in any of the {len(answers)} frames looked at; {_WANTED}")
    return answers


def _photo_answers(judge: Judge, path: Path, cell: Cell, treatment: str) -> list[Answer]:
    try:
        frame = read_photo(path).rgb
    except (CaptureError, MachineError, OSError, MemoryError) as error:
        raise StopSignError(f"{path}: {machine_fault(error) or error}") from error
    _, cut = _seen(frame)
    return judge.answers([View(treatment, SIGN, cell.name, cell.distance_m, cell.angle, cut)])


def _video_answers(judge: Judge, path: Path, treatment: str, every: int) -> list[Answer]:
    views = []
    try:
        for _, frame in read_frames(path, every):
            height, cut = _seen(frame)
            distance = apparent_px(height, FOCAL_PX * frame.shape[1] / WIDTH)
            views.append(View(treatment, SIGN, f"video {path.name}", distance, math.nan, cut))
    except (CaptureError, MachineError, OSError, MemoryError) as error:
        raise StopSignError(f"{path}: {machine_fault(error) or error}") from error
    return judge.answers(views)


def _seen(frame: Frame) -> tuple[float, Tensor | None]:
    """Return the height of the largest sign in a frame, pixels, and its crop; nan and None without one."""
    for box in boxes_in(frame, find_signs):
        return box[3] - box[1], cut_out(frame, box, MARGIN)
    return math.nan, None


def _digest(path: Path) -> str:
    """Return the start of a file's SHA-256, so that another file of the same name is another part."""
    try:
        return file_sha256(path)[:12]
    except OSError as error:
        raise StopSignError(f"{path}: {error.strerror}") from error
