"""The page that puts a classifier and its hardened self side by side, with the verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from physadv.evaluation.comparisons import Comparison, corrected
from physadv.evaluation.intervals import Estimate
from physadv.report.drawing import Figure
from physadv.report.figures import Series, curve
from physadv.report.table import to_markdown, words_table
from physadv.report.wording import interval, p_value, paragraph
from reproductions.hardening.answers import Failures, Line, told
from reproductions.hardening.lines import Lines, curves
from reproductions.hardening.statements import EARLIER, HOLDS, NOT_AGAIN, Statement
from reproductions.hardening.study import SEEDS, HardeningSize, Study

COMMAND = "python -m reproductions.hardening DATA"
NO_MORE, HALF = "no more than 3 points more", "half"
Specs = tuple[str, str]


@dataclass(frozen=True)
class Claim:
    """What is claimed of one line, tested.

    Attributes:
        line: the line.
        wanted: "half" as many failures as before, or "no more".
        test: the paired test, corrected for its family.
        family: claims that were tested together.
    """

    line: Line
    wanted: str
    test: Comparison
    family: int

    @property
    def verdict(self) -> str:
        """Return "holds" only where the test shows it, "does not hold" where it shows the contrary."""
        alike = self.test.verdict.startswith("within")
        return HOLDS if self.wanted == NO_MORE and alike else told(self.test)

    @property
    def said(self) -> str:
        """Return the claim with its verdict as a line of a list."""
        own = self.test.difference
        by = "undefined" if own.value is None else f"{100 * own.value:+.1f} points ({interval(own)})"
        return (
            f"- **{self.verdict}**: {self.line.name}: {self.line.said()}, wanted {self.wanted}; {by}, "
            f"p = {p_value(self.test.p)}, Holm {p_value(self.test.holm)} of {self.family}, "
            f"{own.pairs} clusters"
        )


def claims(lines: Lines, specs: Specs) -> list[Claim]:
    """Return all claims in their families: clean, squares, shared stickers, noise, signs called stop."""
    families: list[tuple[Sequence[Line], str]] = [
        (lines.clean[:1], NO_MORE),
        (lines.areas, HALF),
        ((lines.small[-1], lines.large[-1], lines.lab[-1]), HALF),
        (lines.noise, NO_MORE),
        (lines.stop[:4], NO_MORE),
    ]
    found = []
    for family, wanted in families:
        tests = [line.half(specs) if wanted == HALF else line.change(specs) for line in family]
        found += [
            Claim(line, wanted, test, len(family))
            for line, test in zip(family, corrected(tests), strict=True)
        ]
    return found


def figures(specs: Specs, studies: tuple[Study, Study], size: HardeningSize) -> list[Figure]:
    """Return the curves over areas and over restarts."""
    titles = {"areas": ("Squares by area", "% of the picture"), "restarts": ("Squares of 10 %", "restarts")}
    return [
        curve(
            f"hardened-{name}",
            titles[name][0],
            titles[name][1],
            strengths,
            [Series(spec, own) for spec, own in zip(specs, shares, strict=True)],
            "share misread",
        )
        for name, (strengths, shares) in curves(Lines(studies, size)).items()
    ]


def page(specs: Specs, studies: tuple[Study, Study], size: HardeningSize, command: str = COMMAND) -> str:
    """Return the page, in Markdown, of two classifiers of the bundled classes."""
    lines = Lines(studies, size)
    tested = claims(lines, specs)

    def beside(rows: Sequence[Line]) -> str:
        return to_markdown(words_table("", ("", *specs), [line.cells for line in rows]))

    no_longer, still = _earlier(lines, tested)
    aims = lines.aims()
    paragraphs = [
        "# The sign classifier, hardened against stickers",
        paragraph(
            f"`{specs[1]}` is `{specs[0]}` after `physadv harden`: adversarial training against stickers "
            "only, see the card beside its weights. All is digital: nothing was printed, and views of stop "
            f"signs are drawn from a distribution or taken by a simulated camera. Made by `{command}`.",
        ),
        paragraph(
            "**These photos are not fresh.** No photo of a stop sign was trained on: hardening saw GTSRB's "
            "training signs and drawings. But since they were first shipped, the weights were replaced six "
            "times, and pages like this one, with these 40 photos, were made in between. So neither side of "
            "a split by scene is untouched, and figures of hardened stop signs flatter.",
        ),
        "## What no longer holds",
        "\n".join(no_longer) or "Nothing.",
        paragraph(f"Not measured again, so no longer stated: {NOT_AGAIN}."),
        "\n".join(["Still so:", "", *still]) if still else "",
        "## What holds and what does not",
        paragraph(
            "A claim holds where the paired sign-flip test shows it at 5 %, corrected after Holm within its "
            "family, and the whole interval lies 3 points below the limit: half of the failures before "
            "hardening, or as many. Where 3 points more are allowed it also holds if the whole interval lies "
            "within 3 points either way, whatever p. It does not hold where the test shows the contrary by "
            "as much; else it is not shown. Differences are after hardening less that limit. Families: clean "
            "images; squares by area; shared stickers; noise; signs called stop.",
        ),
        "\n".join(claim.said for claim in tested),
        "## How it is counted",
        paragraph(
            "Unit: one image under one attack, or one view of one sign. Intervals are 95 %, over clusters: "
            "GTSRB images, of which several may show one sign (the test set does not tell), or the scenes "
            "of the 40 photos of Eykholt et al. 2018, 11 in all and perhaps of one plate. n is written "
            f"before the number of clusters where they differ. Headlines have {len(SEEDS)} seeds, each with "
            "its own share. Sizes and seeds were fixed before any result was seen; that no "
            "entry is a weak spot was known.",
        ),
        beside(lines.clean),
        "## Single images",
        paragraph(
            f"Every {size.every}th GTSRB test image, of these those right as they are. Squares of any "
            f"colours, made by {size.steps} steps at the worst of 5 places, cover a part of the picture.",
        ),
        "![Share misread by area of the square](hardened-areas.svg)",
        beside(lines.areas),
        paragraph("Restarts: misread after any of as many attacks, each with new places and colours."),
        "![Share misread by number of restarts](hardened-restarts.svg)",
        beside(list(lines.restarts.values())),
        paragraph("Other attacks. Noise is what hardening did not train against."),
        beside(lines.single),
        "## Does it answer stop too often?",
        paragraph(
            "A classifier that answers stop to everything would withstand every sticker on a stop sign."
        ),
        beside(lines.stop),
        "## Stickers that all stop signs share",
        paragraph(
            "Rectangles in the places that a first run finds (`auto`), of 10 and 19 % of the plate, made "
            "on the photos of some scenes as `physadv stop-sign` makes them and judged on the photos of "
            "the others, in `rp2-sign` views never drawn before; seeds 0 and 2 are judged on one half of "
            "the scenes, seed 1 on the other half. Random stickers are pieces of the optimised ones in "
            "random places of the same rectangles. Shares are of all views. Either: the worst of both "
            "attacks, view by view.",
        ),
        beside([*lines.small, *lines.large]),
        paragraph(
            "The lab test is simulated, one photo of every sign from each of 15 places, with the stickers of "
            "seed 0."
        ),
        beside(lines.lab),
        "\n".join(f"- {note}" for note in lines.notes()),
        paragraph(
            "How the attack without a target was mended. Its loss points to all other classes at once, "
            "between which a hardened classifier makes little difference, so that even the places it finds "
            "are poor. Tried by 200 steps on 20 of the photos and judged on the same: the likelihood of any "
            "other class, the margin and the cross-entropy all left 199 of 200 views or more read right, and "
            "so did stickers for no entry in the places of the attack without a target; in the places that "
            "an attack for no entry finds these left 69. Now short attacks try it and each of the 9 nearest "
            "classes, and the whole attack aims at the one that hurts most. Aimed at, 10 % then "
            f"19 %, by seed: `{specs[0]}`: {aims[0]}; `{specs[1]}`: {aims[1]}.",
        ),
        "## Do its gradients mislead?",
        *(paragraph(text) for text in lines.masking()),
    ]
    return "\n\n".join(part for part in paragraphs if part) + "\n"


def _earlier(lines: Lines, tested: Sequence[Claim]) -> tuple[list[str], list[str]]:
    """Return which earlier statements no longer hold, and which still do."""
    named = {
        line.name: line
        for group in (lines.clean, lines.areas, lines.small, lines.large, lines.lab, lines.noise)
        for line in group
    }
    verdicts = {claim.line.name: claim.verdict for claim in tested}
    no_longer: list[str] = []
    still: list[str] = []
    for old in EARLIER:
        line = named[old.line]
        verdict = verdicts.get(old.line, "not tested alone")
        same = verdict in (old.verdict, "not tested alone") and _within(old, line)
        said = (
            f"- {old.said}: was {old.before:g} % before, {old.after:g} % after, {old.verdict}; is "
            f"{_share(line.before)} before, {_share(line.after)} after, {verdict}"
        )
        (still if same else no_longer).append(said)
    return no_longer, still


def _within(old: Statement, line: Line) -> bool:
    pairs = ((old.before, line.before.share), (old.after, line.after.share))
    return all(_holds(value, share) for value, share in pairs)


def _holds(value: float, share: Estimate) -> bool:
    return share.low is not None and share.high is not None and 100 * share.low <= value <= 100 * share.high


def _share(found: Failures) -> str:
    own = found.share
    return "undefined" if own.value is None else f"{100 * own.value:.1f} % ({interval(own)})"
