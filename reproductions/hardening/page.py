"""The page that puts a classifier and its hardened self side by side, with the verdicts."""

from collections.abc import Mapping, Sequence

from physadv.evaluation.intervals import Estimate
from physadv.report.table import to_markdown, words_table
from physadv.report.wording import paragraph, percent, with_interval
from physadv.signs.stop_sign.settings import OPTIMISED
from reproductions.hardening.attempts import UNFORESEEN, WORST_STICKERS
from reproductions.hardening.stop_signs import AIMS
from reproductions.hardening.study import MASKING_EPS, Findings

COMMAND = "python -m reproductions.hardening DATA"
MOST_LOST = 3.0
"""Points of clean accuracy that hardening may cost."""


def page(before: Findings, after: Findings, command: str = COMMAND) -> str:
    """Return the page, in Markdown, of two classifiers of the bundled classes."""

    def beside(rows: Sequence[tuple[str, str, str]]) -> str:
        return to_markdown(words_table("", ("", before.spec, after.spec), rows))

    paragraphs = [
        "# The sign classifier, hardened against stickers",
        paragraph(
            f"`{after.spec}` is `{before.spec}` after `physadv harden`: adversarial training against "
            "stickers only, see the card beside its weights. Every attack is made afresh against each of the "
            "two, by its gradients unless it says otherwise. All is digital: nothing was printed, and views "
            "of stop signs are drawn from a distribution or taken by a simulated camera. Made by "
            f"`{command}`.",
        ),
        beside(
            [
                ("GTSRB test images right", str(before.test), str(after.test)),
                ("photos of US stop signs right", str(before.victims), str(after.victims)),
            ]
        ),
        "## Single images",
        paragraph(
            "Share of GTSRB test images, right as they are, that are wrong after the attack, with 95 % "
            "intervals. Stickers are squares of any colours; those at one place share places and starts, so "
            "that only their steps, or what they know, tell them apart: where the share still grows at the "
            "last, more steps would break more. Noise is what hardening did not train against.",
        ),
        beside(_rows(before.fooled, after.fooled)),
        "## Stickers that all stop signs share",
        paragraph(
            "Rectangles of 10 % of the plate in the places that a first run finds (`auto`), made on 20 of "
            "the 40 photos of Eykholt et al. 2018 as `physadv stop-sign` makes them and judged on the other "
            "20 in `rp2-sign` views that were never drawn before. Random stickers are pieces of the "
            "optimised ones in random places of the same rectangles. Intervals are over signs.",
        ),
        beside(_rows(before.stop_signs, after.stop_signs)),
        "## Larger stickers, before the simulated cameras",
        paragraph(
            "Stickers of 19 to 20 % of the plate, the paper's two bars or the rectangles of `auto`, made on "
            "the same 20 photos and judged on the other 20 by the lab test and the drive-by test of "
            "`physadv stop-sign`, simulated both. Stickers that were made for "
            "a class count where the sign is called that; those made for any other class, where it is not "
            "called stop. Signs are cut out where they stand or, where it says found, where their outline "
            "is found in the frame; then only frames in which it is count.",
        ),
        beside(_rows(before.camera, after.camera)),
        "## Do its gradients mislead?",
        *(_masking(found) for found in (before, after)),
        "## What holds and what does not",
        "\n".join(_verdicts(before, after)),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _rows(before: Mapping[str, Estimate], after: Mapping[str, Estimate]) -> list[tuple[str, str, str]]:
    def text(share: Estimate) -> str:
        return f"{with_interval(share)}, n {share.n}"

    return [(name, text(share), text(after[name])) for name, share in before.items()]


def _masking(found: Findings) -> str:
    check = found.masking
    curve = ", ".join(f"{with_interval(right)} after {step}" for step, right in check.iterative.items())
    others = ", ".join(f"{with_interval(right)} under {name}" for name, right in check.attacks.items())
    return paragraph(
        f"`{found.spec}`, L∞ noise of eps {MASKING_EPS}, {check.attacks['one step'].n} images: "
        f"{check.verdict}. Accuracy by steps of PGD: {curve}; {others}.",
    )


def _verdicts(before: Findings, after: Findings) -> list[str]:
    lost = 100 * (before.test.right / before.test.n - after.test.right / after.test.n)
    clean = f"clean accuracy: {before.test} before, {after.test} after, {MOST_LOST:g} points may be lost"
    lines = [_verdict(lost <= MOST_LOST, clean)]
    stickers = [(WORST_STICKERS, before.fooled[WORST_STICKERS], after.fooled[WORST_STICKERS])]
    stickers += [
        (f"stop signs, {name}", before.stop_signs[name], after.stop_signs[name])
        for name in (f"optimised, {aim}" for aim in AIMS)
    ]
    stickers += [
        (name, before.camera[name], after.camera[name]) for name in before.camera if OPTIMISED in name
    ]
    lines += [_fooled(name, own, hardened, 0.5, "half") for name, own, hardened in stickers]
    noise = [name for name in before.fooled if name.startswith(UNFORESEEN)]
    return lines + [_fooled(name, before.fooled[name], after.fooled[name], 1, "no more") for name in noise]


def _fooled(name: str, before: Estimate, after: Estimate, share: float, wanted: str) -> str:
    """Return the verdict on whether no more than a share of what was fooled before is fooled after."""
    if before.value is None or after.value is None:
        return f"- **not measured**: {name}"
    said = f"{name}: {percent(before)} before, {percent(after)} after, wanted {wanted}"
    return _verdict(after.value <= share * before.value, said)


def _verdict(holds: bool, said: str) -> str:
    return f"- **{'holds' if holds else 'does not hold'}**: {said}"
