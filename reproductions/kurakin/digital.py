"""The page of artificial transformations: the paper's figure, its statements, and the numbers behind both."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from physadv.evaluation.comparisons import Counted
from physadv.evaluation.destruction import Row, table
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import TOPS, Tally
from physadv.files import replacing
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import UNTOUCHED, Channel
from physadv.pipeline.tallies import Answered, TallyReader
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph, percent
from physadv.runs import Capture, Printout
from physadv.study.file import Study, StudyRun
from physadv.transforms import parse_transform
from physadv.transforms.digital import DIGITAL_TRANSFORMS, FixedTransform
from reproductions.kurakin import ATTACKS, COMMAND, EPS
from reproductions.kurakin.figure import Panel, draw
from reproductions.kurakin.old import OLD_FAILED_DIGITAL
from reproductions.kurakin.statements import Statement, claim, no_longer

KINDS = ("brightness", "contrast", "blur", "noise", "jpeg")
MILD, HARD = KINDS[:2], KINDS[2:]
NOTHING = {"brightness": 0, "contrast": 1}
"""Strengths at which nothing is changed, and so nothing destroyed."""
NAME = "kurakin-digital"
DECIMALS = 4


Rates = tuple[str, Mapping[str, Estimate]]
"""An attack's name and its rate for every kind of transformation."""


@dataclass(frozen=True)
class Swept:
    """One attack on one classifier through every transformation.

    Attributes:
        run: how it was made.
        measurement: its tables, a channel a transformation.
        kinds: kind → the answers through all its strengths that change anything, taken together.
        pairs: the names of the pairs, in the order of the tallies.
    """

    run: StudyRun
    measurement: Measurement
    kinds: Mapping[str, Tally]
    pairs: Sequence[str]

    def row(self, kind: str, top: int) -> Row:
        """Return the rates over all strengths of a kind, average case."""
        return _row(table(self.kinds[kind]), top)

    def rate(self, kind: str, top: int) -> Estimate:
        """Return the destruction rate over all strengths of a kind, average case."""
        return self.row(kind, top).destruction_rate

    def by_pair(self, kind: str, top: int) -> Counted:
        """Return pair → how often it was destroyed, and of how many strengths, for pairs that count."""
        tally = self.kinds[kind]
        after = tally.counts["adversarial", "after"]
        counts = tally.right_before("clean", top) & ~tally.right_before("adversarial", top) & (after.seen > 0)
        destroyed = after.right[:, TOPS.index(top)]
        return {
            self.pairs[place]: (int(destroyed[place]), int(after.seen[place]))
            for place in np.flatnonzero(counts).tolist()
        }


def write_digital(
    folder: Path, study: Study, root: Path, found: Mapping[str, Measurement], command: str = COMMAND
) -> list[Path]:
    """Write the page, its numbers as JSON and a figure a classifier, if all three attacks were swept.

    Args:
        folder: of the pages.
        study: the study.
        root: of its runs.
        found: run → what was measured.
        command: that makes the page again.

    Returns:
        The files written, none where nothing was swept.
    """
    chosen = [run for run in study.runs if run.sweeps and run.name in found and run.settings.eps == EPS]
    models: dict[str, dict[str, Swept]] = defaultdict(dict)
    for run in chosen:
        models[run.model][run.settings.attack] = _swept(run, study, root, found[run.name])
    complete = {model: swept for model, swept in models.items() if set(swept) == set(ATTACKS)}
    if not complete:
        return []
    pages = {
        f"{NAME}.md": "\n".join(_page(complete, command)),
        f"{NAME}.json": json.dumps(list(_records(complete)), separators=(",", ":")) + "\n",
    }
    for name, text in pages.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    figures = {model: folder / f"{NAME}-{model}.svg" for model in complete}
    for model, path in figures.items():
        draw(path, {f"top-{top}": _panels(complete[model], top) for top in TOPS})
    return [*(folder / name for name in pages), *figures.values()]


def _swept(run: StudyRun, study: Study, root: Path, measurement: Measurement) -> Swept:
    printout, capture = Printout(root, run.name), Capture(root, run.name)
    groups = {
        kind: [str(at) for at in _strengths(measurement, kind) if at.value != NOTHING.get(kind)]
        for kind in KINDS
    }
    return Swept(run, measurement, *_pooled(printout, capture, measurement, groups, study.seed))


def _pooled(
    printout: Printout,
    capture: Capture,
    measurement: Measurement,
    groups: Mapping[str, Sequence[str]],
    seed: int,
) -> tuple[dict[str, Tally], Sequence[str]]:
    """Return group → tally of several digital channels of a measurement pooled, such as one sweep, and pairs.

    Each pair is observed once per channel; intervals count pairs, not pictures. `seed` is that of `measure`.
    """
    found = {}
    with capture.store() as store:
        tallies = TallyReader(store, printout.manifest())
        before = tallies.counted(measurement.identity, UNTOUCHED)
        for group, names in groups.items():
            after = [tallies.counted(measurement.identity, Channel(name, seed)) for name in names]
            found[group] = tallies.tally(before, Answered(*map(np.concatenate, zip(*after, strict=True))))
        return found, tallies.pairs


def _strengths(measurement: Measurement, kind: str) -> list[FixedTransform]:
    parsed = [parse_transform(channel) for channel in measurement.channels]
    return sorted(
        (at for at in parsed if isinstance(at, FixedTransform) and at.name == kind), key=lambda at: at.value
    )


def _row(rows: Sequence[Row], top: int) -> Row:
    return next(row for row in rows if (row.case, row.top) == ("average", top))


def _panels(swept: Mapping[str, Swept], top: int) -> list[Panel]:
    panels = []
    for kind in KINDS:
        strengths = _strengths(swept[ATTACKS[0]].measurement, kind)
        rates = {
            attack: tuple(
                _row(swept[attack].measurement.channels[str(at)], top).destruction_rate for at in strengths
            )
            for attack in ATTACKS
        }
        unit = DIGITAL_TRANSFORMS[kind].unit
        panels.append(Panel(kind, unit, tuple(at.value for at in strengths), rates))
    return panels


def _page(models: Mapping[str, Mapping[str, Swept]], command: str) -> Iterator[str]:
    everything = [swept for attacks in models.values() for swept in attacks.values()]
    pairs = sorted({len(swept.measurement.manifest.pairs()) for swept in everything})
    said = " and ".join(map(str, pairs))
    statements = list(_statements(models))
    yield from ("# Kurakin et al. 2017 again: artificial transformations", "")
    yield from ("## What no longer holds of the page before", "")
    yield paragraph(
        "It compared rates by eye: a statement held where one rate was above the other, by however little."
    )
    yield ""
    yield from no_longer(statements, OLD_FAILED_DIGITAL)
    yield from (
        "",
        "## How it was measured",
        "",
        paragraph(
            "The destruction rate of adversarial images under changes of brightness and contrast, "
            "gaussian blur and noise, and JPEG, as in the paper's figure of them (arXiv:1607.02533), at "
            f"eps {EPS}. The paper's are of Inception v3 at 299 × 299; these of {len(models)} other "
            "classifiers at their own input size, so that they can be compared in their order, not in "
            "their size. Nothing here was printed; what came of paper is in [kurakin.md](kurakin.md).",
        ),
        "",
        paragraph(
            f"Made by `{command}`: {said} pairs an attack, all images there are. Unit: one pair through one "
            "transformation; clusters: images, so that an image seen through many strengths counts as one; "
            "seed 0 of the noise, the same for every attack. d is equation 1: of the pairs with clean right "
            "and adversarial wrong, the share right again after it. The rate *of a kind* takes all its "
            "strengths together but brightness 0 and contrast 1, which change nothing. Which kind is "
            "harsher depends on the strengths, and these are this project's: clean survival beside it says "
            "what the same strengths leave of images that nobody attacked. The page was written by the "
            f"program, statements and all; every single strength is in [{NAME}.json]({NAME}.json).",
        ),
        "",
    )
    for model, attacks in models.items():
        yield from _section(model, attacks)
    yield from ("## What holds and what does not", "")
    yield paragraph(
        "Of the rates of a kind, over classifiers, attacks, and top-1 and top-5. Two rates are compared on "
        "the images that count for both: sign-flip test on the difference, its interval beside it, p "
        "corrected (Holm) for all tests of a statement. *Holds*: p below 0.05 and the whole interval "
        "beyond 3 points, for every two rates of the place. *No difference*: the whole interval within 3 "
        "points."
    )
    yield ""
    for statement in statements:
        yield from statement.lines()
    yield ""


def _section(model: str, attacks: Mapping[str, Swept]) -> Iterator[str]:
    first = attacks[ATTACKS[0]]
    rows = {top: first.row(KINDS[0], top) for top in TOPS}
    right = " and ".join(f"{percent(row.clean_before)} right at top-{top}" for top, row in rows.items())
    size = first.run.settings.size
    strengths = (
        f"{kind} {', '.join(f'{at.value:g}' for at in _strengths(first.measurement, kind))}" for kind in KINDS
    )
    yield from (
        f"## {model}",
        "",
        paragraph(
            f"Images of {size} × {size}; {right}. Strengths: {'; '.join(strengths)}.",
        ),
        "",
        f"![Destruction rate against strength, top-1 above top-5; {NAME}.json has it]({NAME}-{model}.svg)",
        "",
    )
    for top in TOPS:
        lines = [(attack, {kind: attacks[attack].rate(kind, top) for kind in KINDS}) for attack in ATTACKS]
        survival = {kind: first.row(kind, top).clean_survival for kind in KINDS}
        columns = (Column[Rates](f"top-{top}", lambda line: line[0]), *map(_of_kind, KINDS))
        yield to_markdown(Table("", columns, {"": [*lines, ("clean survival", survival)]}))
        yield ""


def _of_kind(kind: str) -> Column[Rates]:
    return Column(kind, lambda line: line[1][kind], "interval")


def _statements(models: Mapping[str, Mapping[str, Swept]]) -> Iterator[Statement]:
    """Yield the paper's statements and where each could hold."""
    places = [(f"{model}, top-{top}", attacks, top) for model, attacks in models.items() for top in TOPS]
    yield Statement(
        "the top-5 rate is above the top-1 rate",
        [
            claim(
                f"{model}, {attack}, {kind}",
                {"top-5": swept.by_pair(kind, 5)},
                {"top-1": swept.by_pair(kind, 1)},
            )
            for model, attacks in models.items()
            for attack, swept in attacks.items()
            for kind in KINDS
        ],
        "On the pairs that count for both it cannot be reversed: first answers are among the first five.",
    )
    yield Statement(
        "brightness and contrast are the mildest",
        [
            claim(
                f"{where}, {attack}",
                {kind: swept.by_pair(kind, top) for kind in HARD},
                {kind: swept.by_pair(kind, top) for kind in MILD},
            )
            for where, attacks, top in places
            for attack, swept in attacks.items()
        ],
    )
    yield Statement(
        "blur, noise and JPEG destroy more of the iterative ones than of fast",
        [
            claim(
                f"{where}, {kind}",
                {attack: attacks[attack].by_pair(kind, top) for attack in ATTACKS[1:]},
                {"fast": attacks["fast"].by_pair(kind, top)},
            )
            for where, attacks, top in places
            for kind in HARD
        ],
    )
    for lower, higher in pairwise(ATTACKS):
        yield Statement(
            f"{lower} is destroyed less than {higher}",
            [
                claim(
                    f"{where}, {kind}",
                    {higher: attacks[higher].by_pair(kind, top)},
                    {lower: attacks[lower].by_pair(kind, top)},
                )
                for where, attacks, top in places
                for kind in KINDS
            ],
        )


def _records(models: Mapping[str, Mapping[str, Swept]]) -> Iterator[dict[str, Any]]:
    """Yield every run's rates by kind and by transformation, for machines."""
    for model, attacks in models.items():
        for attack, swept in attacks.items():
            yield {
                "classifier": model,
                "attack": attack,
                "eps": swept.run.settings.eps,
                "size": swept.run.settings.size,
                "pairs": len(swept.measurement.manifest.pairs()),
                "kinds": {kind: [_rates(row) for row in table(tally)] for kind, tally in swept.kinds.items()},
                "transformations": {
                    channel: [_rates(row) for row in rows]
                    for channel, rows in swept.measurement.channels.items()
                },
            }


def _rates(row: Row) -> dict[str, Any]:
    measures = {
        "destruction_rate": row.destruction_rate,
        "clean_survival": row.clean_survival,
    }
    return {
        "case": row.case,
        "top": row.top,
        **{
            name: {
                **{
                    bound: None if (value := getattr(rate, bound)) is None else round(value, DECIMALS)
                    for bound in ("value", "low", "high")
                },
                "n": rate.n,
                "pairs": rate.pairs,
            }
            for name, rate in measures.items()
        },
    }
