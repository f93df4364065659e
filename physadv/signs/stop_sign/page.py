"""The page of a stop-sign study: headlines, heat maps, the drive-by curve, views and parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from physadv.files import replacing
from physadv.report.drawing import Figure
from physadv.report.figures import Series, curve, heat_map
from physadv.report.page import FigureGroup, Headline, Notice, Picture, data_uri, render_page, slug
from physadv.report.table import Table
from physadv.report.wording import interval, percent, plural
from physadv.runs import Capture
from physadv.signs.stop_sign.cells import CELLS, Cell
from physadv.signs.stop_sign.drive_by import draw_approach, drive
from physadv.signs.stop_sign.lab import photograph
from physadv.signs.stop_sign.make import StickerRun
from physadv.signs.stop_sign.plate import Frame, to_pixels
from physadv.signs.stop_sign.road import START_M
from physadv.signs.stop_sign.score import Score
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED
from physadv.signs.stop_sign.tables import comparison_table, overall_table, place_table
from physadv.signs.stop_sign.views import Exhibit, cut_out

CELLS_SHOWN = (Cell(5, 0), Cell(5, 45), Cell(10, 30), Cell(40, 0))
DISTANCES_SHOWN = (30.0, 15.0)
SIMULATED_NOTICE = (
    "No sign was printed and none photographed: every photo and every frame here was computed from the "
    "sign's face by a model of camera, light and road. What real stickers do on a real sign, only real "
    "photos tell."
)
_FRAME_SHARE = 0.25
"""Share of a frame's sides that is shown around the sign, so that it can be seen on a page."""


def write_page(
    capture: Capture, run: StickerRun, exhibit: Exhibit, scores: Sequence[Score], shots: int, command: str
) -> None:
    """Write the page of a run to its capture's `report.html`, one self-contained file.

    Of the `shots` in each cell of the lab test the first is shown; `command` is what remakes the page.
    """
    judge, record = exhibit.judge, run.record
    labels = judge.classifier.labels
    asked = tuple((name, str(value)) for name, value in record["asked"].items() if value is not None)
    printability = record["printability"]
    printed = tuple((name, f"{value:.4g}") for name, value in printability.items())
    signs = tuple((name, ", ".join(record[name])) for name in ("attacked", "judged"))
    versions = tuple(sorted(record["versions"].items()))
    target = None if judge.target is None else labels[judge.target]
    aim = f"to be read as “{target}”" if target else "not to be read as what it is"
    real = f"{'; '.join(f'{score.name}: {score.channel}' for score in scores)}."
    tables: list[Table[Any]] = [overall_table(score, printability) for score in scores]
    tables += [comparison_table(score) for score in scores if score.tests]
    tables += map(place_table, scores)
    page = {
        "title": f"Stickers on a stop sign: {capture.name}",
        "summary": (
            f"classifier {judge.classifier.spec}",
            f"sign “{labels[judge.label]}”, {aim}",
            *(score.title for score in scores),
        ),
        "notice": Notice("Simulated.", SIMULATED_NOTICE)
        if all(score.simulated for score in scores)
        else Notice("Partly simulated.", real),
        "headlines": tuple(_headline(score, target) for score in scores),
        "stickers_note": f"Stickers cover {100 * record['area_of_the_sign']:.1f} % of the sign; the first "
        "sign that was judged, as each treatment leaves it.",
        "stickers": _faces(exhibit),
        "figures": tuple(score_figures(score) for score in scores),
        "tables": tuple(replace(table, title=_capital(table.title)) for table in tables),
        "views": (*_lab_views(exhibit, shots), *_drive_views(exhibit)),
        "parameters": {"Stickers": asked, "Printability": printed, "Signs": signs, "Versions": versions},
        "commands": (command,),
    }
    with replacing(capture.report) as path:
        path.write_text(render_page("stop_sign.html.j2", page), encoding="utf-8")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _headline(score: Score, target: str | None) -> Headline:
    overall = score.overall
    tried = OPTIMISED if OPTIMISED in overall else next(iter(overall))
    share = getattr(overall[tried], score.measure)
    words = [
        f"of the views in which the sign was found ({percent(overall[tried].found)} of "
        f"{overall[tried].views}) are " + (f"read as “{target}”." if target else "not read as what they are.")
    ]
    others = [name for name in overall if name not in (tried, CLEAN)]
    if others:
        rates = (f"{name} {percent(getattr(overall[name], score.measure))}" for name in others)
        words.append(f"In comparison: {', '.join(rates)}.")
    if CLEAN in overall:
        words.append(f"Without stickers {percent(overall[CLEAN].accuracy)} are read right.")
    if score.longest_run:
        run = plural(score.longest_run[tried], "frame")
        words.append(f"The longest run of right answers despite them: {run}.")
    unit = "approaches" if score.longest_run else "signs"
    return Headline(
        name=f"{_capital(score.title)}: {'no' if tried == CLEAN else tried} stickers",
        value=percent(share),
        detail=f"95 % interval {interval(share)} over {unit} · n = {share.n}",
        words=" ".join(words),
        weak=share.value is None,
    )


def score_figures(score: Score) -> FigureGroup:
    """Return heat maps of a lab test, a treatment each, or the curves of a drive-by test."""
    title = _capital(score.title)
    if score.distances_m:
        return FigureGroup(title, "Against distance; bands are 95 %, over approaches.", _curves(score), True)
    note = f"Share of views with {score.measure} success in per cent, by distance and angle."
    return FigureGroup(title, note, tuple(_heat_map(score, name) for name in score.overall))


def _curves(score: Score) -> tuple[Figure, ...]:
    whats = {score.measure: f"{score.measure} success", "accuracy": "read right", "found": "sign found"}
    figures = []
    for measure, what in whats.items():
        series = [
            Series(name, tuple(getattr(place[name], measure) for place in score.places.values()))
            for name in score.overall
        ]
        axis = f"metres to the sign, {score.channel}"
        name = slug(f"{score.title} {measure}")
        figures.append(curve(name, _capital(what), axis, score.distances_m, series, what))
    return tuple(figures)


def _heat_map(score: Score, treatment: str) -> Figure:
    shares = {
        (f"{cell.feet} ft", f"{cell.angle}°"): getattr(score.places[cell.name][treatment], score.measure)
        for cell in CELLS
        if cell.name in score.places
    }
    return heat_map(
        slug(f"{score.title} {treatment}"),
        treatment,
        score.title,
        ("distance", list(dict.fromkeys(f"{cell.feet} ft" for cell in CELLS))),
        ("angle off the sign's normal", list(dict.fromkeys(f"{cell.angle}°" for cell in CELLS))),
        shares,
    )


def _faces(exhibit: Exhibit) -> tuple[Picture, ...]:
    """Return the first sign's face under every treatment, before mid-grey."""
    grey = 0.5 * (1 - exhibit.alpha)
    faces = {name: each[0] * exhibit.alpha + grey for name, each in exhibit.faces.items()}
    return _pictures(exhibit, "face", {name: (to_pixels(face), face) for name, face in faces.items()})


def _lab_views(exhibit: Exhibit, shots: int) -> Iterator[dict[str, Any]]:
    for cell in CELLS_SHOWN:
        shown = {}
        for name, faces in exhibit.faces.items():
            taken = photograph(exhibit, faces[0], exhibit.names[0], cell, shots)
            shown[name] = (to_pixels(taken.pictures[0]), taken.crops[0])
        pictures = _pictures(exhibit, cell.name, shown)
        yield {"name": cell.name, "note": "lab test, simulated photo", "pictures": pictures}


def _drive_views(exhibit: Exhibit) -> Iterator[dict[str, Any]]:
    drawn = draw_approach(exhibit.names[0], 0, exhibit.seed)
    speed = drawn.numbers["speed_kmh"]
    times = [3.6 * (START_M - distance) / speed for distance in DISTANCES_SHOWN]
    note = f"drive-by test, simulated frame at {speed:.0f} km/h; a sixteenth of it"
    for moment in drive(drawn, {name: each[0] for name, each in exhibit.faces.items()}, exhibit.alpha, times):
        name = f"{moment.distance_m:.0f} m"
        left, top, right, bottom = moment.box
        middle = ((left + right) / 2, (top + bottom) / 2)
        shown = {
            treatment: (_around(frame, *middle), cut_out(frame, moment.box, exhibit.margin))
            for treatment, frame in moment.frames.items()
        }
        yield {"name": name, "note": note, "pictures": _pictures(exhibit, name, shown)}


def _around(frame: Frame, x: float, y: float) -> Frame:
    """Return the part of a frame with a point in its middle, as far as the frame goes."""
    height, width = (round(_FRAME_SHARE * side) for side in frame.shape[:2])
    left = max(0, min(round(x - width / 2), frame.shape[1] - width))
    top = max(0, min(round(y - height / 2), frame.shape[0] - height))
    return frame[top : top + height, left : left + width]


def _pictures(exhibit: Exhibit, view: str, shown: Mapping[str, tuple[Frame, Tensor]]) -> tuple[Picture, ...]:
    """Return a picture a treatment with the classifier's answer on its crop."""
    judge = exhibit.judge
    answers = judge.classify(torch.stack([crop for _, crop in shown.values()]))
    pictures = []
    for (treatment, (pixels, _)), (labels, probabilities) in zip(shown.items(), answers, strict=True):
        src, size = data_uri(Image.fromarray(pixels))
        answer = judge.classifier.labels[labels[0]]
        alt = f"{view}, {treatment}: classified as {answer}"
        right = labels[0] == judge.label
        pictures.append(Picture(treatment, src, size, alt, answer, f"{probabilities[0]:.2f}", right))
    return tuple(pictures)
