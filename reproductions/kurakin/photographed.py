"""The page of the paper's tables 1 to 3: photographed examples, with the paper's numbers beside.

Both cases are counted from the same photos of the same pairs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from physadv.evaluation.destruction import Row
from physadv.evaluation.outcomes import CASES, TOPS, Case
from physadv.files import replacing
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import PHOTO
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph
from physadv.study.file import Study, StudyRun
from reproductions.kurakin import ATTACKS, COMMAND
from reproductions.kurakin.statements import Claim, verdict

NAME = "kurakin"


@dataclass(frozen=True)
class Published:
    """One line of the paper, in percent, (top-1, top-5): photos of clean and of adversarial images, and d."""

    clean: tuple[float, float]
    adversarial: tuple[float, float]
    destruction: tuple[float, float]


PAPER: dict[tuple[Case, str, int], Published] = {
    ("average", "fast", 16): Published((79.8, 91.9), (36.4, 67.7), (12.5, 40.0)),
    ("average", "fast", 8): Published((70.6, 93.1), (49.0, 73.5), (33.3, 40.0)),
    ("average", "bim", 16): Published((72.9, 89.6), (49.0, 75.0), (40.4, 69.4)),
    ("average", "bim", 8): Published((72.5, 93.1), (51.0, 87.3), (52.1, 90.5)),
    ("average", "least-likely", 16): Published((71.1, 90.0), (60.0, 83.3), (72.2, 85.1)),
    ("average", "least-likely", 8): Published((76.5, 94.1), (69.6, 92.2), (86.3, 94.6)),
    ("prefiltered", "fast", 16): Published((81.8, 97.0), (5.1, 39.4), (5.1, 39.4)),
    ("prefiltered", "fast", 8): Published((77.1, 95.8), (14.6, 70.8), (14.6, 70.8)),
    ("prefiltered", "bim", 16): Published((93.3, 97.8), (60.0, 87.8), (60.0, 87.8)),
    ("prefiltered", "bim", 8): Published((89.2, 98.0), (64.7, 91.2), (64.7, 91.2)),
    ("prefiltered", "least-likely", 16): Published((95.8, 100.0), (87.5, 97.9), (87.5, 97.9)),
    ("prefiltered", "least-likely", 8): Published((96.0, 100.0), (88.9, 97.0), (88.9, 97.0)),
}


@dataclass(frozen=True)
class Cell:
    """One attack and budget in one case, photographed."""

    run: StudyRun
    case: Case
    measurement: Measurement

    @property
    def attack(self) -> str:
        """Return the attack's name."""
        return self.run.settings.attack

    @property
    def eps(self) -> int:
        """Return the budget in 8-bit levels."""
        return self.measurement.manifest.attack.eps or 0

    @property
    def published(self) -> Published:
        """Return the paper's numbers for the attack, budget and case."""
        return PAPER[self.case, self.attack, self.eps]

    def row(self, top: int) -> Row:
        """Return the measured row of the cell's own case."""
        rows = self.measurement.channels[PHOTO.name]
        return next(row for row in rows if row.case == self.case and row.top == top)


Line = tuple[Cell, int, Row]
"""A cell, a place in `TOPS`, and what was measured there."""


def write_photographed(
    folder: Path, study: Study, found: Mapping[str, Measurement], command: str = COMMAND
) -> list[Path]:
    """Write the page and its numbers as JSON.

    Args:
        folder: of the pages.
        study: the study.
        found: run → what was measured.
        command: that makes the page again.

    Returns:
        The files written, none where not all photographed runs of the study are measured.
    """
    runs = [run for run in study.runs if run.photographs]
    done = [run for run in runs if run.name in found and PHOTO.name in found[run.name].channels]
    if not runs or done != runs:
        return []
    cells = [Cell(run, case, found[run.name]) for case in CASES for run in runs]
    measured = [{**found[run.name].as_json(), "source": run.model, "classifier": run.model} for run in runs]
    page, numbers = folder / f"{NAME}.md", folder / f"{NAME}.json"
    with replacing(page) as temporary:
        temporary.write_text("\n".join(_page(cells, command)), encoding="utf-8")
    with replacing(numbers) as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return [page, numbers]


def _page(cells: Sequence[Cell], command: str) -> list[str]:
    runs = {cell.run.name: cell for cell in cells}.values()
    (model,) = {cell.run.model for cell in runs}
    size = cells[0].run.settings.size
    pairs = sorted({len(cell.measurement.manifest.pairs()) for cell in runs})
    said = " and ".join(map(str, pairs))
    photos = [photo for cell in runs for photo in cell.measurement.photos]
    crops = [crop for cell in runs for crop in cell.measurement.crops]
    cropped = [crop for crop in crops if crop.path is not None]
    sharpness = [crop.sharpness_px for crop in cropped if crop.sharpness_px is not None]
    simulated = sum(photo.simulated for photo in photos)
    return [
        "# Kurakin et al. 2017, tables 1 to 3, printed and photographed",
        "",
        paragraph(
            f"**{simulated} of {len(photos)} photos are simulated**: by the virtual printer and phone of "
            "this project, not a printer and a camera. The paper's numbers (arXiv:1607.02533, tables 1 to "
            f"3) are real photos of Inception v3's examples; these are of `{model}` at {size} × {size}, "
            "its own input size, as 299 × 299 was Inception's. They can be compared in their order, not "
            "in their size. The paper's columns were written down without the paper at hand: check them "
            "against it before quoting them. Artificial transformations are in "
            "[kurakin-digital.md](kurakin-digital.md).",
        ),
        "",
        paragraph(
            f"Made by `{command}`: {said} pairs an attack and budget; {len(cropped)} of {len(crops)} "
            f"photographed cells were cropped (median blur {median(sharpness):.2f} px of the photo). d is "
            "the destruction rate, equation 1, with its 95 % interval; n counts what qualifies. The "
            "prefiltered case is counted from the same photos: of the pairs right before, wrong after, "
            "and sure of both.",
        ),
        "",
        *(line for case in CASES for line in _case(case, [cell for cell in cells if cell.case == case])),
        "## What holds and what does not",
        "",
        *(line for statement, claims in _statements(cells) for line in verdict(statement, claims)),
        "",
        paragraph(
            "Prefiltered pairs of `fast` are rare: one step seldom leaves a classifier both wrong and "
            "sure. Sheet k of every run meets the same simulated conditions, so that attacks are compared "
            "on equal photos; the paper's were not. Rates below the paper's say something of this "
            "classifier and of this channel together; what part each has was not measured.",
        ),
        "",
    ]


def _case(case: Case, cells: Sequence[Cell]) -> list[str]:
    return [
        f"## {case.capitalize()} case",
        "",
        to_markdown(_rate_table(cells)),
        "",
        "Accuracy on photos, and on the files before printing:",
        "",
        to_markdown(_accuracy_table(cells)),
        "",
    ]


def _rates(place: int) -> tuple[Column[Cell], ...]:
    """Return the destruction rate at `TOPS[place]` beside the paper's."""
    top = TOPS[place]
    return (
        Column(f"d top-{top} [95 %]", lambda cell: cell.row(top).destruction_rate, "interval"),
        Column("n", lambda cell: cell.row(top).destruction_rate.n, "number"),
        Column("paper", lambda cell: f"{cell.published.destruction[place]:.1f} %", "number"),
    )


def _rate_table(cells: Sequence[Cell]) -> Table[Cell]:
    columns = (
        Column[Cell]("attack", lambda cell: cell.attack),
        Column[Cell]("eps", lambda cell: cell.eps, "number"),
        *(column for place in range(len(TOPS)) for column in _rates(place)),
    )
    return Table("", columns, {"": cells})


def _accuracy_table(cells: Sequence[Cell]) -> Table[Line]:
    """Return accuracies beside the paper's."""
    columns = (
        Column[Line]("attack", lambda line: line[0].attack),
        Column[Line]("eps", lambda line: line[0].eps, "number"),
        Column[Line]("top", lambda line: line[2].top, "number"),
        Column[Line]("clean photo", lambda line: line[2].clean_after, "share"),
        Column[Line]("paper", lambda line: f"{line[0].published.clean[line[1]]:.1f} %", "number"),
        Column[Line]("adv. photo", lambda line: line[2].adversarial_after, "share"),
        Column[Line]("paper", lambda line: f"{line[0].published.adversarial[line[1]]:.1f} %", "number"),
        Column[Line]("clean file", lambda line: line[2].clean_before, "share"),
        Column[Line]("adv. file", lambda line: line[2].adversarial_before, "share"),
    )
    lines = [(cell, place, cell.row(top)) for cell in cells for place, top in enumerate(TOPS)]
    return Table("", columns, {"": lines})


def _statements(cells: Sequence[Cell]) -> list[tuple[str, list[Claim]]]:
    """Return the paper's statements and where each could hold."""
    above = [
        Claim(
            f"{cell.case}, {cell.attack}, eps {cell.eps}",
            {"top-1": cell.row(1).destruction_rate},
            {"top-5": cell.row(5).destruction_rate},
        )
        for cell in cells
    ]
    statements = [("the top-5 rate is above the top-1 rate", above)]
    found = {(cell.case, cell.eps, cell.attack): cell for cell in cells}
    for lower, higher in pairwise(ATTACKS):
        claims = [
            Claim(
                f"{case}, eps {eps}, top-{top}",
                {lower: found[case, eps, lower].row(top).destruction_rate},
                {higher: found[case, eps, higher].row(top).destruction_rate},
            )
            for case, eps in dict.fromkeys((cell.case, cell.eps) for cell in cells)
            if {(case, eps, lower), (case, eps, higher)} <= found.keys()
            for top in TOPS
        ]
        statements.append((f"{lower} is destroyed less than {higher}", claims))
    return statements
