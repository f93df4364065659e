"""How rates are written for people: one decimal, an interval beside them, never a zero for "undefined"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from physadv.evaluation import Estimate, Row

UNDEFINED = "undefined"
_COLUMNS = 110


def paragraph(text: str) -> str:
    """Return a text in lines for a Markdown page; no hyphen ends one, as it might be a link's."""
    return fill(text, _COLUMNS, break_on_hyphens=False, break_long_words=False)


def percent(share: Estimate) -> str:
    """Return a share as "80.0 %", or "undefined" where there was nothing to count."""
    return UNDEFINED if share.value is None else f"{100 * share.value:.1f} %"


def number(share: Estimate) -> str:
    """Return a share in per cent without its sign, for a column whose heading has it."""
    return UNDEFINED if share.value is None else f"{100 * share.value:.1f}"


def interval(share: Estimate) -> str:
    """Return an interval in per cent, "54.8–93.0", "-3.1 to 2.0" below 0, or nothing without a share."""
    if share.low is None or share.high is None:
        return ""
    return f"{100 * share.low:.1f}{' to ' if share.low < 0 else '–'}{100 * share.high:.1f}"


def with_interval(share: Estimate) -> str:
    """Return a share and its interval as a sentence holds them: "80.0 % (54.8–93.0)"."""
    return f"{percent(share)} ({interval(share)})" if share.value is not None else UNDEFINED


def band_in_words(rates: Mapping[str, Estimate]) -> str:
    """Return shares through several channels as a band, with each one's interval.

    >>> from physadv.evaluation.intervals import proportion
    >>> band_in_words({"mild": proportion([0] * 9, [1] * 9), "harsh": proportion([1] * 9, [1] * 9)})
    '0.0 to 100.0 %: mild 0.0 % (0.0–33.6), harsh 100.0 % (66.4–100.0)'
    """
    values = [100 * rate.value for rate in rates.values() if rate.value is not None]
    band = f"{min(values):.1f} to {max(values):.1f} %" if values else UNDEFINED
    return f"{band}: {', '.join(f'{name} {with_interval(rate)}' for name, rate in rates.items())}"


def count_in_words(share: Estimate) -> str:
    """Return what was counted: "n = 12", or "n = 24, 12 pairs" where pairs were seen several times."""
    return f"n = {share.n}" if share.pairs == share.n else f"n = {share.n}, {plural(share.pairs, 'pair')}"


def p_value(p: float | None) -> str | None:
    """Return a p value with two digits, "0.031" or "1.2e-05"; None where there is none.

    >>> p_value(0.0312)
    '0.031'
    """
    return None if p is None else f"{p:.2g}"


def of_interest(smallest: float) -> str:
    """Return from which difference on tests say that one share is higher: "of interest from 3 points on"."""
    return f"of interest from {100 * smallest:g} points on"


def plural(number: int, noun: str) -> str:
    """Return a number and the noun that goes with it: "1 photo", "2 photos"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def destruction_in_words(row: Row, through: str) -> str:
    """Return what a destruction rate counted, for someone who meets the term for the first time.

    Args:
        row: the line of the table.
        through: what was done to the images, as in "were printed and photographed".
    """
    rate = row.destruction_rate
    again = (
        "the classifier's first answer was the right class again"
        if row.top == 1
        else f"the right class was among the first {row.top} answers again"
    )
    if rate.value is None:
        left_out = ", ".join(f"{count} {why}" for why, count in rate.discarded.items())
        return (
            f"No adversarial image could be counted: {left_out}."
            if left_out
            else "No adversarial image could be counted: of those classified wrong whose clean image was "
            f"classified right, none {through}."
        )
    destroyed = round(rate.value * rate.n)
    if rate.n == rate.pairs:
        return (
            f"{destroyed} of {plural(rate.n, 'adversarial image')} lost their effect "
            f"when they {through}: {again}."
        )
    return (
        f"In {destroyed} of {rate.n} views of {plural(rate.pairs, 'adversarial image')} the effect was lost "
        f"when they {through}: {again}."
    )


def prefiltered_in_words(rows: Sequence[Row]) -> str:
    """Return the prefiltered case's rates of one channel in a sentence."""
    rates = [row for row in rows if row.case == "prefiltered"]
    if all(row.destruction_rate.value is None for row in rates):
        return "Prefiltered case: undefined, no pair qualifies."
    said = ", ".join(f"top-{row.top} {with_interval(row.destruction_rate)}" for row in rates)
    return f"Prefiltered case: {said}, {count_in_words(rates[0].destruction_rate)}."


def rates_in_words(channels: Sequence[tuple[str, str]]) -> str:
    """Return (channel, what was measured there) pairs as one line, the text alternative of a plot."""
    return "; ".join(f"{channel}: {said}" for channel, said in channels) + "."
