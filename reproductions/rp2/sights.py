"""Every answer of the stop-sign study, a line a sight, so that its page can be recounted from them alone."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from physadv.errors import PhysadvError, reading
from physadv.files import replacing
from physadv.signs.stop_sign.views import Answer

AS_FILES, LAB, DRIVE, FOUND, GRAPHITE = "as files", "lab test", "drive-by", "drive-by, found", "graphite"
"""The tests."""


class SightsError(PhysadvError):
    """The stored answers cannot be read."""


@dataclass(frozen=True)
class Sight:
    """One answer of a classifier.

    Attributes:
        part: part of the study: a mask of RP2's, or classifier and mask.
        seed: of the attack and of the camera.
        test: one of the five tests.
        sign: name of the photo.
        place: cell of the lab test, or approach.
        view: number of the view of this sign in this place.
        distance_m: from the camera to the sign, metres.
        treatment: what the sign wears.
        answer: name of the likeliest class; empty where no sign was found.
    """

    part: str
    seed: int
    test: str
    sign: str
    place: str
    view: int
    distance_m: float
    treatment: str
    answer: str

    @property
    def key(self) -> tuple[int, str, str, int]:
        """Return what the sights of all treatments share that show one sign in one pose, light and noise."""
        return self.seed, self.sign, self.place, self.view


COLUMNS = tuple(field.name for field in fields(Sight))


def sights_of(
    part: str, seed: int, test: str, answers: Iterable[Answer], labels: Sequence[str]
) -> list[Sight]:
    """Return answers as lines; those of one treatment on one sign and place follow in the order of views."""
    views: Counter[tuple[str, str, str]] = Counter()
    found = []
    for answer in answers:
        said = "" if answer.answer is None else labels[answer.answer]
        own = (answer.sign, answer.place, answer.treatment)
        where = (answer.sign, answer.place, views[own], round(answer.distance_m, 2))
        found.append(Sight(part, seed, test, *where, answer.treatment, said))
        views[own] += 1
    return found


def write_sights(path: Path, sights: Iterable[Sight]) -> None:
    """Write a compressed CSV file with a line a sight; the same sights give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(astuple, sights))
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def read_sights(path: Path) -> list[Sight]:
    """Return the sights of a file that `write_sights` wrote.

    Raises:
        SightsError: it is not there, or damaged.
    """
    with (
        reading(path, lambda error: SightsError(f"{path}: no stored answers to recount ({error})")),
        gzip.open(path, "rt", encoding="utf-8", newline="") as file,
    ):
        return [_sight(row) for row in csv.DictReader(file)]


def _sight(row: dict[str, Any]) -> Sight:
    numbers = {"seed": int(row["seed"]), "view": int(row["view"]), "distance_m": float(row["distance_m"])}
    return Sight(**{**row, **numbers})
