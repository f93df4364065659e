"""Answers in captures/NAME/observations.sqlite: one transaction a part of a test, from which a test goes on.

A view is a photo of the store whose name is TEST//PLACE//…#NUMBER SIGN: slashes keep it apart from the files
in the capture's folder of photos. Its crops are the sign's treatments, observations the classifier's answers.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from physadv.runs import CropRow, ObservationRow, ObservationStore, PhotoRow
from physadv.signs.stop_sign.views import Answer, Judge

NOT_FOUND = "no sign found"
Seen = tuple[CropRow, ObservationRow | None]
"""One treatment in one view; no observation where no sign was found."""


class KeptAnswers:
    """Keeps the answers on each part of a test in a store, and returns those that are kept; see `views.Keep`.

    Answers of other runs of the capture are removed: their stickers or their views were others.

    Args:
        made_with: all that the answers depend on besides, as JSON can say it.
    """

    def __init__(self, store: ObservationStore, judge: Judge, seed: int, made_with: Any) -> None:
        self._store, self._judge, self._seed = store, judge, seed
        text = json.dumps([made_with, judge.label, judge.target], sort_keys=True)
        self._run = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._kept: dict[str, list[Answer]] = defaultdict(list)
        views = store.photos(views=True)
        for file in {view.file for view in views if view.run != self._run}:
            store.add_file(file, [])
        files = {view.name: view.file for view in views if view.run == self._run}
        observed = {
            (row.photo, row.example): row
            for channel in {_channel(file) for file in files.values()}
            for row in store.observations(self._run, judge.classifier.spec, channel, seed)
        }
        for crop in sorted(store.crops(views=True), key=lambda crop: (crop.photo, crop.cell)):
            if crop.photo in files:
                row = observed.get((crop.photo, crop.example))
                self._kept[files[crop.photo]].append(self._answer(files[crop.photo], crop, row))

    def __call__(self, part: str, make: Callable[[], list[Answer]]) -> list[Answer]:
        """Return the answers on one part, made and kept where they were not before."""
        if part not in self._kept:
            views = list(self._rows(part, make()))
            crops = [(photo, [crop for crop, _ in seen]) for photo, seen in views]
            rows = [row for _, seen in views for _, row in seen if row is not None]
            self._store.add_file(part, crops, rows)
            self._kept[part] = [self._answer(part, *each) for _, seen in views for each in seen]
        return self._kept[part]

    def _rows(self, part: str, answers: Iterable[Answer]) -> Iterator[tuple[PhotoRow, list[Seen]]]:
        for number, ((sign, _), own) in enumerate(_by_view(answers).items()):
            view = f"{number:04d} {sign}"
            photo = PhotoRow(
                f"{part}#{view}",
                sha256="",
                run=self._run,
                status="used",
                reason=None,
                width=None,
                height=None,
                camera=None,
                simulated="simulated" in _channel(part),
                view=view,
            )
            yield photo, [self._seen(part, photo.name, *each) for each in own]

    def _seen(self, part: str, photo: str, treatment: int, answer: Answer) -> Seen:
        crop = CropRow(
            photo=photo,
            example=answer.treatment,
            sheet=0,
            cell=treatment,
            path=None,
            reason=None if answer.labels else NOT_FOUND,
            angle_deg=None if math.isnan(answer.angle_deg) else answer.angle_deg,
            distance_mm=None if math.isnan(answer.distance_m) else 1000 * answer.distance_m,
        )
        if not answer.labels:
            return crop, None
        asked = (self._run, self._judge.classifier.spec, _channel(part), self._seed)
        return crop, ObservationRow(*asked, answer.treatment, photo, answer.labels, answer.probabilities)

    def _answer(self, part: str, crop: CropRow, row: ObservationRow | None) -> Answer:
        return Answer(
            treatment=crop.example,
            sign=crop.photo.removeprefix(f"{part}#").partition(" ")[2],
            place=part.split("//")[1],
            distance_m=math.nan if crop.distance_mm is None else crop.distance_mm / 1000,
            angle_deg=math.nan if crop.angle_deg is None else crop.angle_deg,
            label=self._judge.label,
            target=self._judge.target,
            labels=() if row is None else row.labels,
            probabilities=() if row is None else row.probabilities,
        )


def _channel(part: str) -> str:
    """Return the test of a part, "lab test, simulated": the channel of its observations."""
    return part.partition("//")[0]


def _by_view(answers: Iterable[Answer]) -> dict[tuple[str, int], list[tuple[int, Answer]]]:
    """Return (sign, shot) → its treatments, numbered; shots of one sign follow each other in all of them."""
    shots: Counter[tuple[str, str]] = Counter()
    treatments: dict[str, int] = {}
    views: dict[tuple[str, int], list[tuple[int, Answer]]] = defaultdict(list)
    for answer in answers:
        number = treatments.setdefault(answer.treatment, len(treatments))
        shot = shots[answer.treatment, answer.sign]
        shots[answer.treatment, answer.sign] += 1
        views[answer.sign, shot].append((number, answer))
    return views
