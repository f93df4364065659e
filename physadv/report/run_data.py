"""The report of one run: what it says, in order, and the headlines in which it says the rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.report.page import Facts, FigureGroup, GalleryGroup, Headline, Notice, render_page
from physadv.report.table import Table
from physadv.report.wording import count_in_words, destruction_in_words, interval, percent, with_interval


@dataclass(frozen=True)
class ReportData:
    """Everything the page says, in the order in which it says it.

    Attributes:
        title: the run's name.
        summary: attack, budget, number of pairs and classifier, one item each.
        notice: where the photos come from.
        headlines: the few numbers most readers come for; `headlines_note` a line below them.
        figures: plots, in groups.
        tables: the numbers behind them.
        gallery_note: what the pictures are and how many pairs are not shown.
        gallery: pairs and their crops.
        discarded_note: how much was discarded, in words; `discarded` lists it with reasons.
        parameters: everything the run was made with.
        commands: what remakes it, one line each, and `commands_note` what they cannot say.
        limits: what the rate does and does not say.
    """

    title: str
    summary: tuple[str, ...]
    notice: Notice
    headlines: tuple[Headline, ...]
    headlines_note: str
    figures: tuple[FigureGroup, ...]
    tables: tuple[Table[Any], ...]
    gallery_note: str
    gallery: tuple[GalleryGroup, ...]
    discarded_note: str
    discarded: tuple[Table[Any], ...]
    parameters: tuple[Facts, ...]
    commands: tuple[str, ...]
    commands_note: str
    limits: str


def render(data: ReportData) -> str:
    """Return the page; the same data gives the same text."""
    return render_page("report.html.j2", data)


def rate_headlines(rows: Sequence[Row], through: str) -> tuple[Headline, ...]:
    """Return the destruction rates of a table's average case and, against misreading, its clean accuracy.

    Args:
        rows: one channel's table.
        through: what was done to the images, as in "were printed and photographed".
    """
    average = [row for row in rows if row.case == "average"]
    first = average[0]
    rates = [
        Headline(
            name=f"Destruction rate, top-{row.top}",
            value=percent(row.destruction_rate),
            detail=_detail(row.destruction_rate),
            words=destruction_in_words(row, through),
            weak=row.destruction_rate.value is None,
        )
        for row in average
    ]
    clean = Headline(
        name=f"Clean accuracy after, top-{first.top}",
        value=percent(first.clean_after),
        detail=_detail(first.clean_after),
        words=f"It was {percent(first.clean_before)} before. Where it falls far, the channel spoilt the "
        "images, and a destruction rate says little about the attack.",
        weak=first.clean_after.value is None,
    )
    return (*rates, clean)


def _detail(share: Estimate) -> str:
    if share.value is None:
        return count_in_words(share)
    return f"95 % interval {interval(share)} · {count_in_words(share)}"


def prefiltered_in_words(rows: Sequence[Row]) -> str:
    """Return the prefiltered case's rates of one channel in a sentence."""
    rates = [row for row in rows if row.case == "prefiltered"]
    if all(row.destruction_rate.value is None for row in rates):
        return "Prefiltered case: undefined, no pair qualifies."
    said = ", ".join(f"top-{row.top} {with_interval(row.destruction_rate)}" for row in rates)
    return f"Prefiltered case: {said}, {count_in_words(rates[0].destruction_rate)}."
