"""`destruction-rate`: crops and digitally transformed examples → observations → the tables.

Simulated photos, real photos and digital transformations end in the same observations and the same functions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physadv.classifiers.specs import check_spec, runs_code
from physadv.evaluation.destruction import Row, TransferCell, table, transfer_cells
from physadv.evaluation.outcomes import Judgement, PairOutcome
from physadv.pipeline.measurement import Measurement, MeasureOptions, by_condition
from physadv.pipeline.observing import (
    CORRECTED,
    PHOTO,
    UNTOUCHED,
    Channel,
    Observer,
    ProfileChannel,
    is_photo,
)
from physadv.pipeline.tallies import Calibration, TallyReader
from physadv.profiles import read_profile
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Manifest, ObservationStore, PhotoRow, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.text import without_home
from physadv.transforms import parse_sweep, parse_transform

if TYPE_CHECKING:
    from physadv.classifiers import Classifier


@writes_run
def measure(
    printout: Printout,
    capture: Capture,
    *,
    transforms: Sequence[str] = (),
    sweeps: Sequence[str] = (),
    profiles: Sequence[Path] = (),
    models: "Sequence[str | Classifier]" = (),
    labels: Path | None = None,
    seed: int = 0,
    pool: bool = False,
    reporter: Reporter = silent,
) -> list[Measurement]:
    """Observe what has not been observed yet and return the tables, one measurement per classifier.

    Args:
        printout: the run.
        capture: its photos' crops, where there are any.
        transforms: digital transformations, such as "blur=2".
        sweeps: sets of them, such as "kurakin" or "blur=0:4:9".
        profiles: files of measured printers and phones, each a channel of one draw for every example.
        models: classifiers that judge, or their specs; the one that the run was made against by default.
        labels: text file of their class names, if there is one.
        seed: seed of random transformations.
        pool: give one rate for photos of all presets and cameras, in place of one for each.
        reporter: shows progress.

    Raises:
        RunError: there is neither a crop nor a transformation to measure, one is not in a list, or a crop
            was changed after it was cut.
        TransformError: a transformation is unknown or out of range.
        ProfileError: a profile cannot be read, or was edited.
        ClassifierError: a classifier cannot be loaded, or does not have the run's classes.
    """
    asked = {"transforms": transforms, "sweeps": sweeps, "profiles": profiles, "models": models}
    for what, given in asked.items():
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise RunError(f"{what} {given!r:.60}: wanted a list")
    manifest = printout.manifest()
    models = [without_home(model) if isinstance(model, str) else model for model in models]
    own = manifest.classifier.spec
    named = [getattr(model, "spec", model) for model in models if getattr(model, "spec", "") != own]
    measured = (without_home(str(path)) for path in profiles)
    options = MeasureOptions(
        tuple(transforms), tuple(sweeps), tuple(measured), tuple(map(str, named)), labels, seed, pool
    )
    transformations = [parse_transform(text) for text in transforms]
    transformations += [each for text in sweeps for each in parse_sweep(text)]
    digital = list({str(each): Channel(str(each), seed, each) for each in transformations}.values())
    digital += [ProfileChannel.of(read_profile(path), manifest, seed) for path in profiles]
    for model in models:
        if isinstance(model, str):
            check_spec(model, labels)
        else:
            from physadv.classifiers.classifier import check_classifier

            check_classifier(model)
    with capture.store() as store:
        # Photos of an earlier run or layout of this name stay in the store until they are cropped again.
        photos = [photo for photo in store.photos() if photo.run == manifest.printed_code]
        names = {photo.name for photo in photos}
        crops = [crop for crop in store.crops() if crop.photo in names]
        cut = [crop for crop in crops if crop.path is not None]
        copies = [crop.copy for crop in cut if crop.copy]
        if changed := [str(crop.path) for crop in (*cut, *copies) if capture.changed(crop)]:
            more = f", nor are {len(changed) - 1} others" if len(changed) > 1 else ""
            fault = f"not the crop that was cut{more}; run 'physadv crop {capture.name}' again"
            raise RunError(f"{capture.folder / changed[0]}: {fault}")
        if not cut and not digital:
            advice = "run 'physadv crop' or give transforms or sweeps (--transform, --sweep, --profile)"
            raise RunError(f"{capture.folder}: no crops to measure; {advice}")
        classifiers = [load_judge(manifest, model, labels) for model in models or [own_classifier(manifest)]]
        observer = Observer(store, manifest, classifiers, reporter)
        observer.observe_examples(printout, [UNTOUCHED, *digital])
        observer.observe_crops(capture, cut)
        observer.observe_crops(capture, copies, CORRECTED)
        tallies = TallyReader(store, manifest)
        conditions = by_condition(photos) if cut and not pool else {}
        apart = list(map(of_condition, conditions, conditions.values()))
        channels = [*(apart if len(apart) > 1 else [PHOTO] if cut else []), *digital]
        off = tuple(sorted({copy.photo for copy in copies}))
        found = []
        for classifier in classifiers:
            seen = classifier.spec, classifier.identity, classifier.labels
            tables = _tables(tallies, classifier.identity, channels)
            both = [Channel(PHOTO.name, photos=off), CORRECTED] if off else []
            by_bars, *_ = _tables(tallies, classifier.identity, both)
            rows = tuple(photos), tuple(crops)
            found.append(Measurement(manifest, *seen, *tables, *rows, options, by_bars))
        return found


def of_condition(condition: str, photos: Sequence[PhotoRow]) -> Channel:
    """Return the channel of the photos taken in one way."""
    return Channel(PHOTO.name, condition=condition, photos=tuple(photo.name for photo in photos))


def own_classifier(manifest: Manifest) -> str:
    """Return the spec of the classifier that a run was made against, which may be a stranger's choice.

    Raises:
        RunError: loading it runs code, a function or a program: the user has to name it.
    """
    spec = manifest.classifier.spec
    if runs_code(spec):
        raise RunError(
            f"run '{manifest.name}' was made against '{spec}', which is code; if you trust it, name it: "
            f"--model '{spec}'"
        )
    return spec


def measure_runs(
    root: Path, names: Sequence[str], *, models: Sequence[str] = (), **options: Any
) -> list[Measurement]:
    """Measure several runs with several classifiers, run by run: what a transfer matrix is made of.

    The classifiers that the runs were made against judge by default; `options` are arguments of `measure`.
    """
    judges = list(dict.fromkeys(models))
    if not models and len(names) > 1:
        judges = list(dict.fromkeys(own_classifier(Printout(root, name).manifest()) for name in names))
    found: list[Measurement] = []
    for name in dict.fromkeys(names):
        found += measure(Printout(root, name), Capture(root, name), models=judges, **options)
    return found


def transfer_matrix(measurements: Sequence[Measurement]) -> list[TransferCell]:
    """Return every source's examples judged by every classifier, on the files and through every channel."""
    cells: list[TransferCell] = []
    for found in measurements:
        run = found.manifest
        cells += transfer_cells(run.name, run.classifier.spec, found.classifier, found.channels)
    return cells


def photo_outcomes(store: ObservationStore, measurement: Measurement) -> list[PairOutcome]:
    """Return the classifier's answers on each photo of every pair, in the order of the photos' names."""
    manifest = measurement.manifest

    def judgements(channel: Channel) -> dict[str, list[Judgement]]:
        found: dict[str, list[Judgement]] = {example.id: [] for example in manifest.examples}
        for row in store.observations(manifest.code, measurement.identity, channel.name, channel.seed):
            if not row.probabilities or not all(0 <= label < len(measurement.labels) for label in row.labels):
                raise store.unusable(f"answers on '{row.example}' that are none of the classifier's")
            found[row.example].append(Judgement(row.labels, row.probabilities[0], row.photo))
        return found

    before = judgements(UNTOUCHED)
    after = judgements(PHOTO) if any(map(is_photo, measurement.channels)) else {name: [] for name in before}
    return [
        PairOutcome(
            pair=clean.pair,
            label=clean.label,
            clean=before[clean.id][0],
            adversarial=before[adversarial.id][0],
            clean_after=tuple(after[clean.id]),
            adversarial_after=tuple(after[adversarial.id]),
            target=adversarial.target,
        )
        for clean, adversarial in manifest.pairs()
    ]


def load_judge(manifest: Manifest, model: "str | Classifier", labels: Path | None) -> "Classifier":
    """Return the classifier that judges a run, loaded where it is a spec.

    Raises:
        RunError: it does not have the run's classes.
    """
    from physadv.classifiers import load_classifier

    own = manifest.classifier
    file = labels or (Path(own.labels_file).expanduser() if own.labels_file and model == own.spec else None)
    classifier = load_classifier(model, file) if isinstance(model, str) else model
    for example in manifest.examples:
        if example.label >= len(classifier.labels) or classifier.labels[example.label] != example.label_name:
            fault = f"its classes are not those of run '{manifest.name}'"
            there = f"label {example.label} is '{example.label_name}' there"
            raise RunError(f"{classifier.spec}: {fault} ({there})")
    return classifier


def _tables(
    tallies: TallyReader, classifier: str, channels: Sequence[Channel]
) -> tuple[dict[str, list[Row]], dict[str, Calibration], dict[str, tuple[str, ...]]]:
    """Return table, calibration and missing pairs of every channel, holding the counts of one at a time."""
    before = tallies.counted(classifier, UNTOUCHED)
    rows, missing = {}, {}
    calibration = {UNTOUCHED.name: tallies.calibration(before)}
    for channel in channels:
        after = tallies.counted(classifier, channel)
        tally = tallies.tally(before, after)
        unseen = tally.counts["adversarial", "after"].seen == 0
        rows[channel.key] = table(tally)
        missing[channel.key] = tuple(tallies.pairs[place] for place in unseen.nonzero()[0])
        calibration[channel.key] = tallies.calibration(after)
    return rows, calibration, missing
