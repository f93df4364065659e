"""The page of the paper's tables 1 to 3: photographed examples on equal terms, the paper's numbers beside.

Every image is printed once as it is and once under every attack, on one sheet; both cases are counted from
the same photos of the same pairs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from physadv.classifiers import load_classifier
from physadv.evaluation.intervals import Estimate, share
from physadv.evaluation.outcomes import CASES, TOPS, Case
from physadv.files import replacing
from physadv.progress import Reporter, silent
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph, percent, plural, with_interval
from physadv.runs import Capture, Printout
from reproductions.kurakin import ATTACKS, COMMAND, EPS
from reproductions.kurakin.old import OLD_FAILED, OLD_RATES
from reproductions.kurakin.rows import (
    EQUAL_ACCURACY,
    EQUAL_CHANGE,
    EQUAL_EPS,
    EQUAL_SMALLER,
    FILE_ACCURACY,
    REFERENCE,
    SMALLER_EPS,
    Made,
    Rows,
    Settings,
)
from reproductions.kurakin.statements import Statement, no_longer, views_claim
from reproductions.together import (
    Pictured,
    Trial,
    destroyed,
    pictured_together,
    print_together,
    shared,
    sheets_of,
)

NAME = "kurakin"
SEEDS = (0, 1, 2)
"""Of the photos of headline rows; the smaller eps is photographed with the first."""
FEW = 30
TERMS = {
    EQUAL_EPS: f"eps {EPS}",
    EQUAL_ACCURACY: f"file accuracy {100 * FILE_ACCURACY:.0f} %",
    EQUAL_CHANGE: f"ΔE of {REFERENCE} at {EPS}",
    EQUAL_SMALLER: f"eps {SMALLER_EPS}",
}


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
PAPER_FILES: dict[tuple[str, int], float] = {
    ("fast", 16): 36.3,
    ("fast", 8): 30.4,
    ("bim", 16): 28.4,
    ("bim", 8): 26.5,
    ("least-likely", 16): 1.0,
    ("least-likely", 8): 0.0,
}
"""Top-1 accuracy of the paper's adversarial files before they were printed, average case, in percent."""


@dataclass(frozen=True)
class Shown:
    """One row of the page: an attack on given terms, and what became of it.

    Attributes:
        terms: what it has in common with the other attacks, a key of `TERMS`.
        made: how its files were made.
        pictured: its images in their photos.
        seeds: those of the photos.
    """

    terms: str
    made: Made
    pictured: Sequence[Pictured]
    seeds: tuple[int, ...]

    @property
    def attack(self) -> str:
        """Return the attack's name."""
        return self.made.attack

    @property
    def paper_eps(self) -> int | None:
        """Return the paper's eps that stands beside the row, None where the paper has no such row."""
        return {EQUAL_EPS: EPS, EQUAL_ACCURACY: EPS, EQUAL_SMALLER: SMALLER_EPS}.get(self.terms)

    def published(self, case: Case) -> Published | None:
        """Return the paper's numbers that stand beside the row."""
        return None if self.paper_eps is None else PAPER[case, self.attack, self.paper_eps]

    def views(self, top: int, case: Case, *, clean_survives: bool = False) -> dict[Trial, bool]:
        """Return view → whether destroyed, of the views that count."""
        return destroyed(self.pictured, top, case, clean_survives=clean_survives)

    def rate(self, top: int, case: Case, *, clean_survives: bool = False) -> Estimate:
        """Return the destruction rate over all photos."""
        return self._share(self.views(top, case, clean_survives=clean_survives))

    def by_seed(self, top: int, case: Case) -> list[float]:
        """Return the destruction rate of each seed's photos that count any."""
        views = self.views(top, case)
        own = [[lost for (_, seed), lost in views.items() if seed == each] for each in self.seeds]
        return [sum(each) / len(each) for each in own if each]

    def pairs(self, top: int, case: Case) -> int:
        """Return how many pairs count."""
        return len({pair for pair, _ in self.views(top, case)})

    def accuracy(self, kind: str, top: int, case: Case) -> Estimate:
        """Return the accuracy in photos of "clean" or "adversarial" pictures, of all pairs or the case's."""
        kept = [each for each in self.pictured if case == "average" or each.counts(top, case)]
        return self._share(
            {
                trial: (clean if kind == "clean" else adversarial).right(each.outcome.label, top)
                for each in kept
                for trial, clean, adversarial in each.views()
            }
        )

    def on_files(self, kind: str, top: int) -> Estimate:
        """Return the accuracy on "clean" or "adversarial" files, before anything is printed."""
        return share([getattr(each.outcome, kind).right(each.outcome.label, top) for each in self.pictured])

    def fooled(self, top: int) -> dict[Trial, bool]:
        """Return view → whether the picture is wrong in it, of the images right on the clean file."""
        return {
            trial: not adversarial.right(each.outcome.label, top)
            for each in self.pictured
            if each.outcome.clean.right(each.outcome.label, top)
            for trial, _, adversarial in each.views()
        }

    def _share(self, views: Mapping[Trial, bool]) -> Estimate:
        return shared(views, sheets_of(self.pictured))


def photograph_rows(settings: Settings, progress: Reporter = silent) -> list[Shown]:
    """Make, print, photograph and judge all rows; what an earlier start did is kept."""
    classifier = load_classifier(settings.model)
    maker = Rows(settings, classifier, progress)
    sets = {"headline": (maker.headline(), SEEDS), "smaller": (maker.smaller(), SEEDS[:1])}
    shown: list[Shown] = []
    for name, (rows, seeds) in sets.items():
        printout, capture = Printout(settings.root, name), Capture(settings.root, name)
        print_together(printout, {row.name: row.run for row in rows}, progress)
        found = pictured_together(
            printout, capture, classifier, seeds=seeds, workers=settings.workers, reporter=progress
        )
        shown += [Shown(row.name.removeprefix(f"{row.attack}-"), row, found[row.name], seeds) for row in rows]
    return shown


def write_photographed(
    folder: Path, settings: Settings, shown: Sequence[Shown], command: str = COMMAND
) -> list[Path]:
    """Write the page and its numbers as JSON, and return the two files.

    Args:
        folder: of the pages.
        settings: of the rows.
        shown: the rows, from `photograph_rows`.
        command: that makes the page again.
    """
    texts = {
        f"{NAME}.md": "\n".join(_page(settings, shown, command)),
        f"{NAME}.json": json.dumps(list(_records(shown)), indent=1) + "\n",
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def _page(settings: Settings, shown: Sequence[Shown], command: str) -> Iterator[str]:
    statements = _statements(shown)
    headline = next(row for row in shown if row.terms == EQUAL_EPS)
    images = len(headline.pictured)
    right = " and ".join(f"{percent(headline.on_files('clean', top))} at top-{top}" for top in TOPS)
    sheets = len(set(sheets_of(headline.pictured).values()))
    model = Path(settings.model).stem
    yield from ("# Kurakin et al. 2017, tables 1 to 3, printed and photographed", "")
    yield from ("## What no longer holds of the page before", "")
    yield paragraph(
        "It had one photo of every pair, each attack on sheets of its own without a bleed, and a statement "
        "held where one rate was above the other, by however little."
    )
    yield ""
    yield from no_longer(statements, OLD_FAILED, [TERMS[EQUAL_EPS], TERMS[EQUAL_SMALLER]])
    yield from _moved(shown)
    yield from (
        "",
        "## How it was measured",
        "",
        paragraph(
            "**All photos are simulated**: by the virtual printer and phone of this project, not a printer "
            "and a camera. The paper's numbers (arXiv:1607.02533, tables 1 to 3) are real photos of "
            f"Inception v3's examples; these are of `{model}` at {settings.size} × {settings.size}, its own "
            "input size, as 299 × 299 was Inception's. They can be compared in their order, not in their "
            "size. Artificial transformations are in [kurakin-digital.md](kurakin-digital.md).",
        ),
        "",
        paragraph(
            f"Made by `{command}`. Unit: a view, one photo of one pair. n: {images} images, every one "
            "printed once as it is and once under every attack on the same sheet, so that one photo shows "
            f"them all in the same light. Seeds: the rows of {TERMS[EQUAL_EPS]}, of equal file accuracy and "
            f"of equal ΔE were photographed {len(SEEDS)} times, with seeds {', '.join(map(str, SEEDS))} of "
            f"the channel, {TERMS[EQUAL_SMALLER]} once; attacks draw nothing. Clusters: pairs, and photos, "
            f"of which one shows several pairs ({sheets} sheets of the headline rows); in tests all pairs "
            "of a sheet count as one. Intervals are at 95 %.",
        ),
        "",
        paragraph(
            "d is the destruction rate, equation 1: of the pairs with clean right and adversarial wrong on "
            "the file, the share of views in which the adversarial picture is right again. *d, clean "
            "survives* counts only views in which the clean picture of the same photo is right too: a "
            "photo that spoils every picture destroys nothing. The prefiltered case has the pairs right "
            f"before, wrong after, and sure of both, p ≥ 0.8. † marks fewer than {FEW} pairs.",
        ),
        "",
        "## What the attacks have in common",
        "",
        paragraph(
            f"Equal eps is not equal strength. Beside the paper's eps {EPS} and {SMALLER_EPS} there are "
            f"rows at the eps at which {100 * FILE_ACCURACY:.0f} % of the files are still right, as of the "
            "paper's `bim` at eps 16, and `fast` at the eps at which it changes images as much as "
            f"`{REFERENCE}` at eps {EPS} does by ΔE (CIEDE2000, mean over pixels and images), beside which "
            f"`least-likely` at eps {EPS} stands too. The eps were found on the files before any photo. One "
            "between two whole levels takes each value of the file from the level above with that chance "
            f"and else from the level below: an 8-bit file has nothing between. Of the clean files {right} "
            "are right.",
        ),
        "",
        to_markdown(_made_table(shown)),
        "",
    )
    for case in CASES:
        yield from (f"## {case.capitalize()} case", "")
        for top in TOPS:
            yield from (to_markdown(_rate_table(shown, case, top)), "")
        yield from ("Accuracy in photos:", "", to_markdown(_accuracy_table(shown, case)), "")
    yield from ("## Worst over the attacks", "")
    yield paragraph(
        "All attacks aim at one failure, a wrong answer, so the strongest says most, and all of them "
        "together say more: the share of views, of images right on the clean file, in which one attack or "
        "any of the three makes the photographed picture wrong."
    )
    yield from ("", to_markdown(_worst_table(shown)), "")
    yield from ("## What holds and what does not", "")
    yield paragraph(
        "Attacks are compared on the views that count for both: sign-flip test by sheet on the "
        "difference, its interval beside it, p corrected (Holm) for all places of a statement. *Holds*: p "
        "below 0.05 and the whole interval beyond 3 points. *No difference*: the whole interval within 3 "
        "points."
    )
    yield ""
    for statement in statements:
        yield from statement.lines()
    yield ""


def _moved(shown: Sequence[Shown]) -> Iterator[str]:
    """Yield the rates of the page before that lie outside of today's interval."""
    for (case, attack, eps, top), before in OLD_RATES.items():
        terms = {EPS: EQUAL_EPS, SMALLER_EPS: EQUAL_SMALLER}[eps]
        for row in shown:
            if (row.attack, row.terms) != (attack, terms):
                continue
            rate = row.rate(top, case)
            if rate.low is None or rate.high is None or not 100 * rate.low <= before <= 100 * rate.high:
                said = with_interval(rate)
                yield f"- d of {attack}, {TERMS[terms]}, {case} case, top-{top} was {before} % and is {said}."


def _on(shown: Sequence[Shown], terms: str) -> list[Shown]:
    """Return the three attacks on given terms; at equal ΔE the last two are those of eps 16."""
    found = {row.attack: row for row in shown if row.terms == terms}
    if terms == EQUAL_CHANGE:
        found = {row.attack: row for row in shown if row.terms == EQUAL_EPS} | found
    return [found[attack] for attack in ATTACKS]


def _made_table(shown: Sequence[Shown]) -> Table[Shown]:
    columns = (
        Column[Shown]("terms", lambda row: TERMS[row.terms]),
        Column[Shown]("attack", lambda row: row.attack),
        Column[Shown]("eps", lambda row: f"{row.made.eps:g}", "number"),
        Column[Shown]("ΔE", lambda row: f"{row.made.delta_e:.2f}", "number"),
        Column[Shown]("mean change, levels", lambda row: f"{row.made.levels:.2f}", "number"),
        Column[Shown]("files right, top-1", lambda row: row.on_files("adversarial", 1), "share"),
        Column[Shown]("paper's files, top-1", _paper_files, "number"),
        Column[Shown]("files right, top-5", lambda row: row.on_files("adversarial", 5), "share"),
        Column[Shown]("photos a pair", lambda row: len(row.seeds), "number"),
    )
    return Table("", columns, {"": shown})


def _paper_files(row: Shown) -> str:
    return "–" if row.paper_eps is None else f"{PAPER_FILES[row.attack, row.paper_eps]:.1f} %"


def _rate_table(shown: Sequence[Shown], case: Case, top: int) -> Table[Shown]:
    place = TOPS.index(top)

    def paper(row: Shown) -> str:
        published = row.published(case)
        return "–" if published is None else f"{published.destruction[place]:.1f} %"

    def spread(row: Shown) -> str:
        rates = row.by_seed(top, case)
        return f"{100 * min(rates):.1f}–{100 * max(rates):.1f} %" if len(rates) > 1 else "–"

    def counted(row: Shown) -> str:
        views, pairs = row.views(top, case), row.pairs(top, case)
        return f"{sum(views.values())} of {len(views)}, {plural(pairs, 'pair')}{' †' * (pairs < FEW)}"

    columns = (
        Column[Shown]("terms", lambda row: TERMS[row.terms]),
        Column[Shown]("attack", lambda row: row.attack),
        Column[Shown](f"d top-{top} [95 %]", lambda row: row.rate(top, case), "interval"),
        Column[Shown]("by seed", spread, "number"),
        Column[Shown]("destroyed of views", counted, "number"),
        Column[Shown](
            "d, clean survives [95 %]", lambda row: row.rate(top, case, clean_survives=True), "interval"
        ),
        Column[Shown]("views", lambda row: len(row.views(top, case, clean_survives=True)), "number"),
        Column[Shown]("paper's d", paper, "number"),
    )
    return Table("", columns, {"": shown})


def _accuracy_table(shown: Sequence[Shown], case: Case) -> Table[tuple[Shown, int]]:
    def paper(line: tuple[Shown, int], kind: str) -> str:
        published = line[0].published(case)
        return "–" if published is None else f"{getattr(published, kind)[TOPS.index(line[1])]:.1f} %"

    columns = (
        Column[tuple[Shown, int]]("terms", lambda line: TERMS[line[0].terms]),
        Column[tuple[Shown, int]]("attack", lambda line: line[0].attack),
        Column[tuple[Shown, int]]("top", lambda line: line[1], "number"),
        Column[tuple[Shown, int]](
            "clean photo", lambda line: line[0].accuracy("clean", line[1], case), "interval"
        ),
        Column[tuple[Shown, int]]("paper", lambda line: paper(line, "clean"), "number"),
        Column[tuple[Shown, int]](
            "adv. photo", lambda line: line[0].accuracy("adversarial", line[1], case), "interval"
        ),
        Column[tuple[Shown, int]]("paper", lambda line: paper(line, "adversarial"), "number"),
    )
    return Table("", columns, {"": [(row, top) for row in shown for top in TOPS]})


@dataclass(frozen=True)
class _Worst:
    terms: str
    top: int
    attack: str
    alone: Estimate
    union: Estimate


def _worst_table(shown: Sequence[Shown]) -> Table[_Worst]:
    columns = (
        Column[_Worst]("terms", lambda row: TERMS[row.terms]),
        Column[_Worst]("top", lambda row: row.top, "number"),
        Column[_Worst]("strongest", lambda row: row.attack),
        Column[_Worst]("wrong in photos under it [95 %]", lambda row: row.alone, "interval"),
        Column[_Worst]("under any [95 %]", lambda row: row.union, "interval"),
        Column[_Worst]("views", lambda row: row.union.n, "number"),
    )
    return Table("", columns, {"": [_worst(shown, terms, top) for terms in TERMS for top in TOPS]})


def _worst(shown: Sequence[Shown], terms: str, top: int) -> _Worst:
    fooled = {row.attack: row.fooled(top) for row in _on(shown, terms)}
    sheets = sheets_of(_on(shown, terms)[0].pictured)
    common = set.intersection(*(set(views) for views in fooled.values()))
    alone = {
        attack: shared({view: views[view] for view in views if view in common}, sheets)
        for attack, views in fooled.items()
    }
    strongest = max(alone, key=lambda attack: alone[attack].value or 0)
    first = next(iter(fooled.values()))
    union = {view: any(views[view] for views in fooled.values()) for view in first if view in common}
    return _Worst(terms, top, strongest, alone[strongest], shared(union, sheets))


def _statements(shown: Sequence[Shown]) -> list[Statement]:
    """Return the paper's statements and where each could hold."""
    sheets = {row.made.name: sheets_of(row.pictured) for row in shown}
    above = [
        views_claim(
            f"{case}, {row.attack}, {TERMS[row.terms]}",
            {"top-5": row.views(5, case)},
            {"top-1": row.views(1, case)},
            sheets[row.made.name],
        )
        for case in CASES
        for row in shown
    ]
    certain = (
        "On the pairs that count for both it cannot be reversed: first answers are among the first five."
    )
    statements = [Statement("the top-5 rate is above the top-1 rate", above, certain)]
    for lower, higher in pairwise(ATTACKS):
        claims = []
        for case in CASES:
            for terms in TERMS:
                if terms == EQUAL_CHANGE and lower != ATTACKS[0]:
                    continue  # the other two are compared at that eps already
                rows = {row.attack: row for row in _on(shown, terms)}
                claims += [
                    views_claim(
                        f"{case}, {TERMS[terms]}, top-{top}",
                        {higher: rows[higher].views(top, case)},
                        {lower: rows[lower].views(top, case)},
                        sheets[rows[lower].made.name],
                    )
                    for top in TOPS
                ]
        statements.append(Statement(f"{lower} is destroyed less than {higher}", claims))
    return statements


def _records(shown: Sequence[Shown]) -> Iterator[dict[str, object]]:
    """Yield every row for machines."""
    for row in shown:
        yield {
            "terms": TERMS[row.terms],
            "attack": row.attack,
            "eps": row.made.eps,
            "simulated": True,
            "seeds": row.seeds,
            "images": len(row.pictured),
            "sheets": len(set(sheets_of(row.pictured).values())),
            "file_accuracy": {f"top-{top}": asdict(row.on_files("adversarial", top)) for top in TOPS},
            "delta_e": row.made.delta_e,
            "mean_change_levels": row.made.levels,
            "rates": [
                {
                    "case": case,
                    "top": top,
                    "pairs": row.pairs(top, case),
                    "destruction_rate": asdict(row.rate(top, case)),
                    "destruction_clean_survives": asdict(row.rate(top, case, clean_survives=True)),
                    "by_seed": row.by_seed(top, case),
                    "clean_photo": asdict(row.accuracy("clean", top, case)),
                    "adversarial_photo": asdict(row.accuracy("adversarial", top, case)),
                }
                for case in CASES
                for top in TOPS
            ],
        }
