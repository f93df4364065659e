"""The stop-sign tables on a terminal."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from physadv.evaluation.comparisons import Comparison
from physadv.evaluation.intervals import Estimate
from physadv.report.table import console_for
from physadv.report.wording import interval, number
from physadv.signs.stop_sign.detection import Detected
from physadv.signs.stop_sign.score import Printability, Score


def show_score(score: Score, printability: Mapping[str, Printability]) -> None:
    """Print one test: a line a treatment, targeted success place by place, and the paired tests.

    Args:
        score: its numbers.
        printability: of the treatments that wear stickers.
    """
    compared = [
        _tests(tests, unit)
        for tests, unit in ((score.by_view, "view by view"), (score.by_sign, "sign by sign"))
        if tests
    ]
    for table in (_overall(score, printability), _places(score), *compared):
        console_for(table).print(table)


def show_detection(rows: Sequence[Detected]) -> None:
    """Print how often a detector still finds the sign in the lab test's views, simulated."""
    shown = _table("detection, simulated: per cent with 95 % interval, scores from 0 to 1", ("treatment",))
    for heading in ("detected", "of those found clean", "mean score", "score lost"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            row.treatment,
            _share(row.detected),
            _share(row.kept),
            "–" if row.score.value is None else f"{row.score.value:.2f}",
            "–" if row.lost is None else f"{row.lost:.2f}",
        )
    console_for(shown).print(shown)


def _overall(score: Score, printability: Mapping[str, Printability]) -> Table:
    shown = _table(f"{score.title}: per cent with 95 % interval (Wilson)", ("treatment",))
    headings = (
        "targeted",
        "untargeted",
        "read right",
        "confidence",
        "found",
        "views",
        "NPS",
        "palette error",
    )
    for heading in (*headings, *(["longest run"] if score.longest_run else [])):
        shown.add_column(heading, justify="right", no_wrap=True)
    for treatment, own in score.overall.items():
        printed = printability.get(treatment)
        shown.add_row(
            treatment,
            *(_share(share) for share in (own.targeted, own.untargeted, own.accuracy)),
            "–" if own.confidence is None else f"{100 * own.confidence:.1f}",
            number(own.found),
            str(own.views),
            "–" if printed is None else f"{printed.nps:.3g}",
            "–" if printed is None or printed.palette_error is None else f"{printed.palette_error:.3g}",
            *([str(score.longest_run[treatment])] if score.longest_run else []),
        )
    return shown


def _places(score: Score) -> Table:
    shown = _table(f"{score.title}: {score.measure} success by place", ("place",))
    for treatment in score.overall:
        shown.add_column(treatment, justify="right", no_wrap=True)
    for place, treatments in score.places_seen.items():
        shown.add_row(place, *(_share(getattr(own, score.measure)) for own in treatments.values()))
    return shown


def _tests(tests: Sequence[Comparison], unit: str) -> Table:
    shown = _table(f"success compared {unit}: exact McNemar, Holm-corrected", ("treatments",))
    for heading in ("only first", "only second", "pairs", "p", "p (Holm)", "differs"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for test in tests:
        shown.add_row(
            f"{test.first}, {test.second}",
            str(test.only_first),
            str(test.only_second),
            str(test.pairs),
            *("–" if p is None else f"{p:.2g}" for p in (test.p, test.holm)),
            "yes" if test.differs else "not shown",
        )
    return shown


def _table(title: str, words: Sequence[str]) -> Table:
    return Table(*words, title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))


def _share(share: Estimate) -> str:
    return "–" if share.value is None else f"{number(share)} ({interval(share)})"
