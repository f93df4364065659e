"""The report's gallery: pairs beside what the camera made of them, grouped by what happened to them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from physadv.evaluation.outcomes import Judgement, PairOutcome
from physadv.pipeline.measure import photo_outcomes
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import is_photo
from physadv.progress import Reporter, silent
from physadv.report.page import Picture, data_uri
from physadv.report.wording import plural
from physadv.runs import AttackRecord, Capture, Example, Printout

PAIRS_SHOWN = 24
UNBOUNDED_GAIN = 8
DIFFERENCE_QUALITY = 60
"""JPEG quality of difference images, which are all grain: they cost several times what a picture does."""

Fate = Literal["survived", "mixed", "destroyed", "harmless", "clean wrong", "not captured"]
_WORDS = {"harmless": "adversarial failed digitally", "clean wrong": "clean was wrong already"}


def fate(outcome: PairOutcome) -> Fate:
    """Return what happened to a pair's adversarial image on its way through a channel, at top-1."""
    if not outcome.clean.right(outcome.label, 1):
        return "clean wrong"
    if outcome.adversarial.right(outcome.label, 1):
        return "harmless"
    right = [after.right(outcome.label, 1) for after in outcome.adversarial_after]
    if not right:
        return "not captured"
    return "mixed" if any(right) and not all(right) else "destroyed" if right[0] else "survived"


def gallery(
    printout: Printout, capture: Capture, measurement: Measurement, reporter: Reporter = silent
) -> list[dict[str, Any]]:
    """Return at most `PAIRS_SHOWN` pairs, as many of each fate as there is room for, spread over the run.

    A group has its `fate`, the `total` of such pairs and the `rows` shown; a row has the `pair`, its `label`,
    its `fate` in words, `notes` and `pictures`: clean, adversarial, both as photographed, their difference.

    Raises:
        RunError: a crop that was judged cannot be read any more.
    """
    rows = _Rows(printout, capture, measurement)
    grouped: dict[Fate, list[PairOutcome]] = {name: [] for name in get_args(Fate)}
    for outcome in rows.outcomes.values():
        grouped[fate(outcome)].append(outcome)
    shares = fair_shares([len(group) for group in grouped.values()], PAIRS_SHOWN)
    chosen = {name: spread(grouped[name], share) for name, share in zip(grouped, shares, strict=True)}
    shown = [outcome for group in chosen.values() for outcome in group]
    made = {o.pair: rows.row(o) for o in reporter.track(shown, len(shown), "gallery, pairs")}
    return [
        {"fate": name, "total": len(group), "rows": [made[outcome.pair] for outcome in chosen[name]]}
        for name, group in grouped.items()
        if group
    ]


def gallery_row(printout: Printout, capture: Capture, measurement: Measurement, pair: str) -> dict[str, Any]:
    """Return one pair's row; what is in it, and what it raises, as of `gallery`."""
    rows = _Rows(printout, capture, measurement)
    return rows.row(rows.outcomes[pair])


def fair_shares(sizes: Sequence[int], room: int) -> list[int]:
    """Return how many of each group to take so that none is left short while another has more than it."""
    shares = [0] * len(sizes)
    while room and shares != list(sizes):
        for index, size in enumerate(sizes):
            if room and shares[index] < size:
                shares[index] += 1
                room -= 1
    return shares


def spread(outcomes: Sequence[PairOutcome], count: int) -> list[PairOutcome]:
    """Return `count` outcomes at even distances, in order."""
    return [outcomes[index * len(outcomes) // count] for index in range(count)]


def difference_gain(attack: AttackRecord) -> int:
    """Return by how much differences are amplified about mid-grey: so that eps fills the 8 bits.

    Without an L∞ budget nothing bounds them; then by as much as shows small ones.
    """
    if attack.eps is None or attack.norm != "L∞":
        return UNBOUNDED_GAIN
    return max(1, 127 // attack.eps)


class _Rows:
    """Makes gallery rows out of the files of one run."""

    def __init__(self, printout: Printout, capture: Capture, measurement: Measurement) -> None:
        self.printout, self.capture, self.labels = printout, capture, measurement.labels
        with capture.store() as store:
            self.outcomes = {outcome.pair: outcome for outcome in photo_outcomes(store, measurement)}
        self.pairs = {clean.pair: (clean, adversarial) for clean, adversarial in measurement.manifest.pairs()}
        self.with_photos = any(map(is_photo, measurement.channels))
        self.gain = difference_gain(measurement.manifest.attack)
        self.crops = {(crop.example, crop.photo): crop for crop in measurement.crops}
        # Photos taken in several ways are told apart unless their rates are pooled.
        apart = len(measurement.conditions) > 1 and not measurement.options.pool
        self.conditions = {photo.name: photo.condition for photo in measurement.photos if apart}

    def row(self, outcome: PairOutcome) -> dict[str, Any]:
        clean, adversarial = self.pairs[outcome.pair]
        images = [self.printout.image(example) for example in (clean, adversarial)]
        pictures = [
            self._picture("clean", images[0], outcome.clean, clean),
            self._picture("adversarial", images[1], outcome.adversarial, adversarial),
        ]
        notes = []
        if self.with_photos:
            # One photo shows both if any does.
            shots, others = outcome.clean_after, outcome.adversarial_after
            both = [(one, other) for other in others for one in shots if one.photo == other.photo]
            first, second = both[0] if both else (next(iter(shots), None), next(iter(others), None))
            pictures.append(self._photographed("clean photo", clean, first))
            pictures.append(self._photographed("adversarial photo", adversarial, second))
            further = max(len(shots), len(others)) - 1
            if further > 0:
                notes.append(plural(further, "more photo"))
        if adversarial.target is not None:
            notes.append(f"target: {self.labels[adversarial.target]}")
        pictures.append(self._difference(images, outcome.pair))
        return {
            "pair": outcome.pair,
            "label": clean.label_name,
            "fate": _fate_in_words(outcome, self.conditions),
            "notes": notes,
            "pictures": pictures,
        }

    def _picture(self, title: str, image: Image.Image, judgement: Judgement, example: Example) -> Picture:
        answer = self.labels[judgement.labels[0]]
        alt = f"Pair {example.pair}, {title}: {example.label_name}, classified as {answer}"
        right = judgement.right(example.label, 1)
        return Picture(title, *data_uri(image), alt, answer, f"{judgement.confidence:.2f}", right)

    def _photographed(self, title: str, example: Example, seen: Judgement | None) -> Picture:
        if seen is None:
            return Picture(title, "", (0, 0), "not captured")
        crop = Image.fromarray(self.capture.pixels(self.crops[example.id, seen.photo]))
        condition = self.conditions.get(seen.photo)
        return self._picture(f"{title}, {condition}" if condition else title, crop, seen, example)

    def _difference(self, images: Sequence[Image.Image], pair: str) -> Picture:
        clean, adversarial = (np.asarray(image).astype(np.int16) for image in images)
        amplified = np.clip(128 + self.gain * (adversarial - clean), 0, 255).astype(np.uint8)
        alt = f"Pair {pair}: adversarial minus clean image, amplified {self.gain} times about mid-grey"
        src, size = data_uri(Image.fromarray(amplified), DIFFERENCE_QUALITY)
        return Picture(f"difference × {self.gain}", src, size, alt)


def _fate_in_words(outcome: PairOutcome, conditions: Mapping[str, str]) -> str:
    """Return a pair's fate, with the photos counted by the condition of each where there are several."""
    found, after = fate(outcome), outcome.adversarial_after
    if found in ("survived", "mixed", "destroyed") and len(after) > 1:
        happened = "survived" if found == "survived" else "destroyed"
        right: dict[str, list[bool]] = defaultdict(list)
        for answer in after:
            right[conditions.get(answer.photo, "")].append(answer.right(outcome.label, 1))
        counts = [
            f"{own.count(happened == 'destroyed')} of {plural(len(own), 'photo')}"
            + (f" ({condition})" if condition else "")
            for condition, own in sorted(right.items())
        ]
        return f"{happened} in {', '.join(counts)}"
    return _WORDS.get(found, found)
