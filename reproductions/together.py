"""Several attacks on the same images, side by side on one sheet, each clean picture printed once.

One photo shows an image as it was and under every attack: all of them meet the same light, angle and blur,
and a photo serves as many attacks as its sheet has room for. The files come from ordinary runs.
"""

import hashlib
import json
import shutil
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from physadv.classifiers import Classifier
from physadv.evaluation.comparisons import Comparison, compare_paired
from physadv.evaluation.intervals import Estimate, counted, share
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE, Case, Judgement, PairOutcome
from physadv.files import replacing
from physadv.pipeline.crop import crop
from physadv.pipeline.observing import PHOTO, Observer
from physadv.pipeline.photograph import photograph_simulated
from physadv.progress import Reporter, silent
from physadv.runs import AttackRecord, Capture, Example, Manifest, Printout
from physadv.sheets.layout import PrintItem, Sheet, plan_sheets
from physadv.sheets.pdf import write_pdf

Trial = tuple[str, int]
"""One view of an image: its pair and the seed of the photo."""


@dataclass(frozen=True)
class Pictured:
    """One image under one attack in its photos.

    Attributes:
        outcome: the classifier's answers; those of one place are of one photo, which shows both pictures.
        sheet: the sheet that both are printed on.
        seeds: the seed of each photo.
    """

    outcome: PairOutcome
    sheet: int
    seeds: tuple[int, ...]

    def counts(self, top: int, case: Case = "average") -> bool:
        """Return whether equation 1 counts the pair: clean right, adversarial wrong, on the files."""
        label, clean, adversarial = self.outcome.label, self.outcome.clean, self.outcome.adversarial
        if case == "prefiltered":
            sure = min(clean.confidence, adversarial.confidence) >= PREFILTER_CONFIDENCE
            return sure and clean.right(label, 1) and not adversarial.right(label, 5)
        return clean.right(label, top) and not adversarial.right(label, top)

    def views(self) -> Iterator[tuple[Trial, Judgement, Judgement]]:
        """Yield every view with the answers on the clean and on the adversarial picture."""
        for seed, *answers in zip(
            self.seeds, self.outcome.clean_after, self.outcome.adversarial_after, strict=True
        ):
            yield (self.outcome.pair, seed), answers[0], answers[1]


def destroyed(
    pictured: Iterable[Pictured], top: int, case: Case = "average", *, clean_survives: bool = False
) -> dict[Trial, bool]:
    """Return view → whether the example was destroyed, for the views that equation 1 counts.

    Args:
        pictured: the images under one attack.
        top: 1 or 5.
        case: "average" or "prefiltered".
        clean_survives: leave out the views in which the clean picture is not right either.
    """
    return {
        trial: adversarial.right(each.outcome.label, top)
        for each in pictured
        if each.counts(top, case)
        for trial, clean, adversarial in each.views()
        if clean.right(each.outcome.label, top) or not clean_survives
    }


def shared(views: Mapping[Trial, bool], sheet_of: Mapping[Hashable, int]) -> Estimate:
    """Return the share of views; its interval counts pairs, and photos, which show several pairs."""
    pairs = [pair for pair, _ in views]
    return share(list(views.values()), pairs, [(sheet_of[pair], seed) for pair, seed in views])


def compare_views(
    named: tuple[str, Mapping[Trial, bool]],
    other: tuple[str, Mapping[Trial, bool]],
    sheet_of: Mapping[Hashable, int],
) -> Comparison:
    """Compare two attacks on the views that count for both; pairs of one sheet are no independent ones.

    Args:
        named: name of an attack, and view → whether its example was destroyed.
        other: the same of the attack that it is compared with.
        sheet_of: pair → its sheet.
    """
    common = [view for view in named[1] if view in other[1]]
    by_pair = {
        name: counted([views[view] for view in common], [pair for pair, _ in common])
        for name, views in (named, other)
    }
    return compare_paired(by_pair, together=sheet_of)[0]


def sheets_of(pictured: Iterable[Pictured]) -> dict[Hashable, int]:
    """Return pair → its sheet, of which every photo shows all the pairs on it."""
    return {each.outcome.pair: each.sheet for each in pictured}


def print_together(printout: Printout, runs: Mapping[str, Printout], reporter: Reporter = silent) -> Manifest:
    """Print the runs of several attacks on the same images as one, and return its manifest.

    Args:
        printout: the run to make; what is made of it already is kept.
        runs: name of each row, such as an attack and its eps → the run that holds its files. All have the
            same images in the same order.
        reporter: shows progress.

    Raises:
        ValueError: the runs are not of the same images, or an image has more pictures than a sheet has room.
    """
    manifests = {name: run.manifest() for name, run in runs.items()}
    columns = [[clean.sha256 for clean, _ in manifest.pairs()] for manifest in manifests.values()]
    if any(column != columns[0] for column in columns):
        raise ValueError(f"{printout.name}: wanted runs of the same images")
    codes = json.dumps({name: manifest.code for name, manifest in manifests.items()})

    def examples_of(code: str) -> Manifest:
        first = next(iter(manifests.values()))
        examples: list[Example] = []
        for name, manifest in manifests.items():
            for clean, adversarial in manifest.pairs():
                for each in (clean, adversarial):
                    examples.append(_copied(printout, runs[name], name, each))
        attack = AttackRecord(name="several", eps=None, parameters={"rows": ", ".join(manifests)})
        changes = {"name": printout.name, "code": code, "attack": attack, "sheets": ()}
        return first.model_copy(update={**changes, "examples": tuple(examples)})

    manifest = printout.make(hashlib.sha256(codes.encode()).hexdigest(), examples_of, reporter)
    if manifest.sheets and printout.pdf.exists():
        return manifest
    manifest = manifest.model_copy(update={"sheets": _sheets(manifest)})
    examples = {example.id: example for example in manifest.examples}
    with replacing(printout.pdf) as temporary:
        write_pdf(
            temporary,
            manifest.sheets,
            picture=lambda example: printout.pixels(examples[example]),
            caption=lambda example: (example,),
            title=f"physadv   {printout.name}",
            reporter=reporter,
        )
    manifest.write(printout.manifest_path)
    return manifest


def pictured_together(
    printout: Printout,
    capture: Capture,
    classifier: Classifier,
    *,
    seeds: Sequence[int],
    preset: str = "office",
    workers: int | None = None,
    reporter: Reporter = silent,
) -> dict[str, list[Pictured]]:
    """Photograph a run of `print_together` once for every seed, crop and judge it: row → its images.

    Photos, crops and answers of an earlier start are kept. A cell that could not be cropped is no view.
    """
    for seed in seeds:
        photograph_simulated(
            printout, capture, preset=preset, shots=1, seed=seed, workers=workers, reporter=reporter
        )
    crop(printout, capture, workers=workers, reporter=reporter)
    manifest = printout.manifest()
    with capture.store() as store:
        cut = [each for each in store.crops() if each.path is not None]
        Observer(store, manifest, [classifier], reporter).observe_crops(capture, cut)
        answers: dict[str, dict[int, Judgement]] = {example.id: {} for example in manifest.examples}
        seed_of = {photo.name: photo.seed for photo in store.photos()}
        for row in store.observations(manifest.code, classifier.identity, PHOTO.name, PHOTO.seed):
            if (taken := seed_of[row.photo]) is not None:
                answers[row.example][taken] = Judgement(row.labels, row.probabilities[0])
    sheet_of = {cell.example: sheet.index for sheet in manifest.sheets for cell in sheet.cells}
    found: dict[str, list[Pictured]] = {}
    printed: dict[str, str] = {}
    for clean, adversarial in manifest.pairs():
        pair, name = adversarial.pair.split("-", 1)
        shown = printed.setdefault(pair, clean.id)
        both = [seed for seed in seeds if seed in answers[shown] and seed in answers[adversarial.id]]
        outcome = PairOutcome(
            pair=pair,
            label=clean.label,
            clean=_on_file(clean),
            adversarial=_on_file(adversarial),
            clean_after=tuple(answers[shown][seed] for seed in both),
            adversarial_after=tuple(answers[adversarial.id][seed] for seed in both),
            target=adversarial.target,
        )
        found.setdefault(name, []).append(Pictured(outcome, sheet_of[adversarial.id], tuple(both)))
    return found


def _copied(printout: Printout, run: Printout, name: str, example: Example) -> Example:
    """Copy an example's file, a clean one once for all rows, and return its record in the common run."""
    pair = f"{example.pair}-{name}"
    own = example.pair if example.kind == "clean" else pair
    path = f"{example.kind}/{own}.png"
    if not (printout.folder / path).exists():
        with replacing(printout.folder / path) as temporary:
            shutil.copyfile(run.folder / example.path, temporary)
    return example.model_copy(update={"id": f"{pair}-{example.kind}", "pair": pair, "path": path})


def _sheets(manifest: Manifest) -> tuple[Sheet, ...]:
    """Lay out every image's pictures on one sheet, the clean one first, as many images to a sheet as fit."""
    groups: dict[str, list[PrintItem]] = {}
    for clean, adversarial in manifest.pairs():
        group = groups.setdefault(clean.pair.split("-", 1)[0], [])
        group += [PrintItem(each.id, *each.size_px) for each in (clean, adversarial)[bool(group) :]]
    blank = PrintItem("", 1, 1)
    room = len(plan_sheets([(blank, blank)] * 99, run=manifest.code)[0].cells)
    width = len(next(iter(groups.values())))
    if width > room:
        raise ValueError(f"{manifest.name}: {width} pictures of an image, and a sheet has room for {room}")
    images, items = list(groups.values()), []
    for start in range(0, len(images), room // width):
        own = [item for group in images[start : start + room // width] for item in group]
        items += [*own, *[blank] * (room - len(own))]
    pairs = list(zip(items[::2], items[1::2], strict=True))
    return tuple(map(without_blanks, plan_sheets(pairs, run=manifest.code)))


def without_blanks(sheet: Sheet) -> Sheet:
    """Return a sheet without the cells at its end that hold nothing, and without their marks."""
    cells = tuple(cell for cell in sheet.cells if cell.example)
    marks = tuple(mark for mark in sheet.marks if mark.cell < len(cells))
    return sheet.model_copy(update={"cells": cells, "marks": marks})


def _on_file(example: Example) -> Judgement:
    first = example.digital[0]
    return Judgement(tuple(each.label for each in example.digital), first.probability)
