"""The report's gallery: pairs beside what the camera made of them, grouped by what happened to them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from physadv.evaluation.outcomes import Judgement, PairOutcome
from physadv.pipeline.measure import Measurement, photo_outcomes
from physadv.pipeline.observing import PHOTO
from physadv.progress import Reporter, silent
from physadv.report.page import GalleryGroup, GalleryRow, Picture, data_uri
from physadv.report.wording import plural
from physadv.runs import AttackRecord, Capture, CropRow, Example, Printout, RunError

PAIRS_SHOWN = 24
UNBOUNDED_GAIN = 8
DIFFERENCE_QUALITY = 60
"""JPEG quality of difference images, which are all grain: they cost several times what a picture does."""

Fate = Literal["survived", "mixed", "destroyed", "harmless", "clean wrong", "not captured"]
Tone = Literal["survived", "mixed", "destroyed", "other"]

_FATES: dict[Fate, tuple[str, str, Tone]] = {
    "survived": (
        "Survived",
        "The clean image is classified right, the adversarial one wrong, and wrong in every photograph.",
        "survived",
    ),
    "mixed": (
        "Destroyed in some photographs",
        "Still wrong in some photographs, right again in others.",
        "mixed",
    ),
    "destroyed": (
        "Destroyed",
        "The adversarial image is classified right again in every photograph.",
        "destroyed",
    ),
    "harmless": (
        "Adversarial failed digitally",
        "The adversarial image was classified right as it was made; the pair counts in no destruction rate.",
        "other",
    ),
    "clean wrong": (
        "Clean was wrong already",
        "The clean image was classified wrong as it is; the pair counts in no destruction rate.",
        "other",
    ),
    "not captured": (
        "Not captured",
        "None was photographed, or no photograph holds its adversarial image.",
        "other",
    ),
}


@dataclass(frozen=True)
class _Shot:
    """One crop of an example and the classifier's answer on it."""

    crop: CropRow
    judgement: Judgement


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
) -> tuple[GalleryGroup, ...]:
    """Return at most `PAIRS_SHOWN` pairs, as many of each fate as there is room for, spread over the run.

    Raises:
        RunError: a crop that was judged cannot be read any more.
    """
    with capture.store() as store:
        outcomes = photo_outcomes(store, measurement)
    grouped: dict[Fate, list[PairOutcome]] = defaultdict(list)
    for outcome in outcomes:
        grouped[fate(outcome)].append(outcome)
    fates = [found for found in _FATES if grouped[found]]
    shares = fair_shares([len(grouped[found]) for found in fates], PAIRS_SHOWN)
    chosen = {found: spread(grouped[found], share) for found, share in zip(fates, shares, strict=True)}
    pages = _Pages(printout, capture, measurement)
    total = sum(shares)
    rows = {
        outcome.pair: pages.row(outcome)
        for outcome in reporter.track(
            (o for group in chosen.values() for o in group), total, "gallery, pairs"
        )
    }
    return tuple(
        GalleryGroup(
            name, words, tone, len(grouped[found]), tuple(rows[outcome.pair] for outcome in chosen[found])
        )
        for found in fates
        for name, words, tone in [_FATES[found]]
    )


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


class _Pages:
    """Makes gallery rows out of the files of one run."""

    def __init__(self, printout: Printout, capture: Capture, measurement: Measurement) -> None:
        self.printout, self.capture, self.labels = printout, capture, measurement.labels
        self.attack = measurement.manifest.attack
        self.pairs = {clean.pair: (clean, adversarial) for clean, adversarial in measurement.manifest.pairs()}
        self.with_photos = PHOTO.name in measurement.channels
        self.gain = difference_gain(self.attack)
        self.crops: dict[str, list[CropRow]] = defaultdict(list)
        for crop in measurement.crops:
            if crop.path is not None:
                self.crops[crop.example].append(crop)

    def row(self, outcome: PairOutcome) -> GalleryRow:
        clean, adversarial = self.pairs[outcome.pair]
        images = [self.printout.image(example) for example in (clean, adversarial)]
        pictures = [
            self._picture("clean", images[0], outcome.clean, clean),
            self._picture("adversarial", images[1], outcome.adversarial, adversarial),
        ]
        notes = []
        if self.with_photos:
            shots = self._same_photo(
                self._shots(clean, outcome.clean_after), self._shots(adversarial, outcome.adversarial_after)
            )
            pictures += [
                self._photographed("clean photo", clean, shots[0]),
                self._photographed("adversarial photo", adversarial, shots[1]),
            ]
            further = max(len(outcome.clean_after), len(outcome.adversarial_after)) - 1
            if further > 0:
                notes.append(plural(further, "more photo"))
        if adversarial.target is not None:
            notes.append(f"target: {self.labels[adversarial.target]}")
        pictures.append(self._difference(images, adversarial))
        return GalleryRow(
            outcome.pair, clean.label_name, self._fate_in_words(outcome), tuple(notes), tuple(pictures)
        )

    def _shots(self, example: Example, judgements: Sequence[Judgement]) -> list[_Shot]:
        """Return an example's crops with the answers on them; both are in the order of photo names."""
        return [_Shot(*both) for both in zip(self.crops[example.id], judgements, strict=True)]

    def _same_photo(self, clean: list[_Shot], adversarial: list[_Shot]) -> tuple[_Shot | None, _Shot | None]:
        """Return the first photo that holds both, or the first of each."""
        of_clean = {shot.crop.photo: shot for shot in clean}
        for shot in adversarial:
            if shot.crop.photo in of_clean:
                return of_clean[shot.crop.photo], shot
        return clean[0] if clean else None, adversarial[0] if adversarial else None

    def _fate_in_words(self, outcome: PairOutcome) -> str:
        found = fate(outcome)
        after = [judgement.right(outcome.label, 1) for judgement in outcome.adversarial_after]
        if found in ("survived", "mixed", "destroyed") and len(after) > 1:
            happened, times = (
                ("survived", after.count(False)) if found == "survived" else ("destroyed", sum(after))
            )
            return f"{happened} in {times} of {len(after)} photos"
        return {"harmless": "adversarial failed digitally", "clean wrong": "clean was wrong already"}.get(
            found, found
        )

    def _picture(self, title: str, image: Image.Image, judgement: Judgement, example: Example) -> Picture:
        answer = self.labels[judgement.labels[0]]
        src, size = data_uri(image)
        return Picture(
            title=title,
            src=src,
            size_px=size,
            alt=f"Pair {example.pair}, {title}: {example.label_name}, classified as {answer}",
            answer=answer,
            probability=f"{judgement.confidence:.2f}",
            right=judgement.right(example.label, 1),
        )

    def _photographed(self, title: str, example: Example, shot: _Shot | None) -> Picture:
        if shot is None:
            return Picture(title, "", (0, 0), "not captured", "")
        path = self.capture.folder / str(shot.crop.path)
        try:
            with Image.open(path) as image:
                return self._picture(title, image.convert("RGB"), shot.judgement, example)
        except OSError as error:
            raise RunError(
                f"{path}: a crop that cannot be read ({error}); run 'physadv crop' again"
            ) from error

    def _difference(self, images: Sequence[Image.Image], example: Example) -> Picture:
        clean, adversarial = (np.asarray(image).astype(np.int16) for image in images)
        amplified = np.clip(128 + self.gain * (adversarial - clean), 0, 255).astype(np.uint8)
        src, size = data_uri(Image.fromarray(amplified), DIFFERENCE_QUALITY)
        title = f"difference × {self.gain}"
        alt = (
            f"Pair {example.pair}: adversarial minus clean image, amplified {self.gain} times about mid-grey"
        )
        return Picture(title, src, size, alt, "")


def difference_gain(attack: AttackRecord) -> int:
    """Return by how much differences are amplified about mid-grey: so that eps fills the 8 bits.

    Without an L∞ budget nothing bounds them; then by as much as shows small ones.
    """
    if attack.eps is None or attack.norm != "L∞":
        return UNBOUNDED_GAIN
    return max(1, 127 // attack.eps)
