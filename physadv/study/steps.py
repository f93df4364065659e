"""The steps of one run of a study: what each depends on, whether its results exist, and how to make them.

The inputs of a step are its parameters and the content of the files that it reads. A classifier given as code
counts by its name only.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from physadv.classifiers.specs import runs_code
from physadv.files import file_sha256
from physadv.pipeline.crop import crop, made_files, photo_files
from physadv.pipeline.generate import generate
from physadv.pipeline.made_by import MadeBy
from physadv.pipeline.measure import measure
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.photograph import photograph_simulated, read_record, simulated_photos
from physadv.pipeline.print_sheets import layout_code, print_sheets
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Colour, Printout
from physadv.runs.manifest import read_manifest
from physadv.study.file import Study, StudyError, StudyRun
from physadv.study.tables import PhotographTable

StepName = Literal["generate", "print", "photograph", "crop", "measure"]


@dataclass(frozen=True)
class RunStep:
    """One step of a run, named as the command that does the same.

    Attributes:
        inputs: returns everything the step depends on besides earlier steps, as values for JSON.
        made: returns whether its results exist.
        waiting: returns whether somebody has to take photographs first.
    """

    name: StepName
    inputs: Callable[[], object]
    made: Callable[[], bool]
    work: Callable[[], object]
    waiting: Callable[[], bool] = lambda: False


def run_steps(study: Study, run: StudyRun, root: Path, reporter: Reporter) -> Iterator[RunStep]:
    """Yield the steps of a run, in their order."""
    printout, capture = Printout(root, run.name), Capture(root, run.name)
    yield RunStep(
        "generate",
        lambda: _made_of(run),
        printout.manifest_path.exists,
        lambda: generate(printout, run.settings, reporter),
    )
    photographs = run.photographs
    real = photographs is not None and photographs.source == "real"
    if photographs:
        page, image_mm = photographs.page, photographs.image_mm
        yield RunStep(
            "print",
            lambda: [page, image_mm],
            printout.pdf.exists,
            lambda: _print(photographs, printout, capture, reporter),
        )
        if not real:
            yield RunStep(
                "photograph",
                lambda: _taken_with(photographs, study.seed),
                lambda: _photographed(printout, capture, photographs.shots),
                lambda: _photograph(photographs, study.seed, printout, capture, reporter),
            )
        yield RunStep(
            "crop",
            lambda: [photographs.colour, [(path.name, _sha256(path)) for path in photo_files(capture)]],
            lambda: capture.store_path.exists() and capture.crops.exists(),
            lambda: _crop(printout, capture, photographs.colour, reporter),
            waiting=lambda: real and not photo_files(capture),
        )
    yield RunStep(
        "measure",
        lambda: [run.transforms, run.sweeps, study.seed],
        capture.store_path.exists,
        lambda: measure_run(study, run, root, reporter),
        waiting=lambda: real and not (photo_files(capture) or run.transforms or run.sweeps),
    )


def _crop(printout: Printout, capture: Capture, colour: Colour, reporter: Reporter) -> None:
    """Crop every photo, and name each one that could not be used."""
    result = crop(printout, capture, colour=colour, reporter=reporter)
    for photo in result.refused_photos:
        reporter.say(f"{printout.name}: {photo.name}: {photo.reason}")
    if result.unread:
        photo = result.unread[0]
        raise StudyError(f"{printout.name}: {capture.photos / photo.file}: {photo.reason}")


def measure_run(study: Study, run: StudyRun, root: Path, reporter: Reporter = silent) -> Measurement:
    """Return the rates of a run under its own classifier, computing only what the store does not hold yet."""
    printout, capture = Printout(root, run.name), Capture(root, run.name)
    before = study.runs[: study.runs.index(run)]
    for name in (other.name for other in reversed(before) if other.model == run.model):
        if Printout(root, name).manifest_path.exists() and Capture(root, name).store_path.exists():
            share_clean_answers(root, name, run.name)
            break
    (found,) = measure(
        printout,
        capture,
        transforms=run.transforms,
        sweeps=run.sweeps,
        # Code runs where the study names it, not because a manifest does.
        models=[run.settings.model] if runs_code(run.settings.model) else (),
        seed=study.seed,
        reporter=reporter,
    )
    return found


def share_clean_answers(root: Path, source: str, target: str) -> None:
    """Copy a classifier's answers on clean files, digitally transformed, from one run to another.

    Clean images are the same files in every run of a study. Random transformations draw from a stream of the
    example's name: only answers on the same bytes under the same name are copied.
    """
    theirs, own = Printout(root, source).manifest(), Printout(root, target).manifest()
    hashes = {example.id: example.sha256 for example in theirs.examples if example.kind == "clean"}
    same = {example.id for example in own.examples if hashes.get(example.id) == example.sha256}
    with Capture(root, source).store() as there, Capture(root, target).store() as here:
        for classifier, channel, seed in there.digital_channels(theirs.code):
            if here.count(own.code, classifier, channel, seed) < len(own.examples):
                answers = there.observations(theirs.code, classifier, channel, seed)
                shared = [row for row in answers if row.example in same and not row.photo]
                here.add_observations([replace(row, run=own.code) for row in shared])


def _photographed(printout: Printout, capture: Capture, shots: int) -> bool:
    if not printout.manifest_path.exists():
        return False
    sheets = read_manifest(printout.manifest_path).sheets
    return all(path.exists() for path in simulated_photos(capture, sheets, shots))


def _print(photographs: PhotographTable, printout: Printout, capture: Capture, reporter: Reporter) -> None:
    """Lay out a run's sheets, and remove the simulated photos of those of another layout."""
    manifest, page, image_mm = printout.manifest(), photographs.page, photographs.image_mm
    if manifest.printed_code != layout_code(manifest, page, image_mm):
        _remove_simulated(capture, lambda photo: True)
    print_sheets(printout, page=page, image_mm=image_mm, reporter=reporter)


def _taken_with(photographs: PhotographTable, seed: int) -> list[object]:
    """Return all that simulated photos depend on, a profile by its content."""
    channel = _channel(photographs)
    profile = channel.pop("profile")
    return [*channel.values(), photographs.shots, seed, *([_sha256(profile)] if profile else [])]


def _channel(photographs: PhotographTable) -> dict[str, Any]:
    """Return what takes simulated photos, as `photograph_simulated` takes it."""
    return {
        "preset": photographs.phone,
        "phone": photographs.device,
        "printer": photographs.printer,
        "profile": Path(photographs.profile) if photographs.profile else None,
    }


def _photograph(
    photographs: PhotographTable, seed: int, printout: Printout, capture: Capture, reporter: Reporter
) -> None:
    """Take the simulated photos of a run, and remove those of shots or sheets that it no longer has."""
    channel, shots = _channel(photographs), photographs.shots
    made_by = MadeBy.of(seed=seed, **channel)

    def of_another(photo: Path) -> bool:
        record = read_record(capture, photo)
        return record is not None and record.made_by != made_by

    _remove_simulated(capture, of_another)
    taken = photograph_simulated(printout, capture, **channel, shots=shots, seed=seed, reporter=reporter)
    _remove_simulated(capture, lambda photo: photo not in taken)


def _remove_simulated(capture: Capture, unwanted: Callable[[Path], bool]) -> None:
    for photo in _simulated(capture):
        if unwanted(photo):
            photo.unlink(missing_ok=True)
            (capture.truth / f"{photo.stem}.json").unlink()


def _simulated(capture: Capture) -> Iterator[Path]:
    """Yield the photos on record as simulated, whether or not they are there; not another's of that name."""
    for truth in sorted(capture.truth.glob("*.json")):
        photo = capture.photos / f"{truth.stem}.jpg"
        record = read_record(capture, photo)
        if record and (not photo.exists() or record.sha256 in (None, file_sha256(photo))):
            yield photo


def clear(printout: Printout, capture: Capture) -> None:
    """Remove what is on record of a run that is to be made again; whatever else is in its folders stays.

    Simulated photos are removed too; real ones are a StudyError.
    """
    simulated = {*_simulated(capture)}
    real = [path for path in photo_files(capture) if path not in simulated]
    if real:
        fault = f"holds photographs of sheets that the study has changed since, as {real[0].name}"
        advice = f"move {capture.folder} away or name the study anew"
        raise StudyError(f"{capture.photos}: {fault}; {advice}")
    made = {capture.report}
    if capture.store_path.exists():
        with capture.store() as store:
            crops = store.crops()
            rows = [(row, [crop for crop in crops if crop.photo == row.name]) for row in store.photos()]
        made |= made_files(capture, rows, overlays=True)
    if printout.manifest_path.exists():
        manifest = read_manifest(printout.manifest_path)
        made |= {printout.folder / example.path for example in manifest.examples}
    for path in (*made, capture.store_path, printout.pdf, printout.manifest_path):
        path.unlink(missing_ok=True)
    _remove_simulated(capture, lambda photo: True)
    printout.forget_progress()


def _made_of(run: StudyRun) -> object:
    """Return everything that a run's examples depend on, files by their content and not by their path."""
    own = {**asdict(run.settings), "checkpoint": None, "images": _images(run.settings.images)}
    if own["profile"] is None:
        del own["profile"]  # studies from before there were profiles are not made again
    for name in ("model", "labels", "transforms", "profile"):
        text = str(own.get(name))
        file = Path(text.removeprefix("file:").rpartition("@")[2])
        if own.get(name) is not None and file.is_file():
            own[name] = [text.removesuffix(str(file)), file.name, _sha256(file)]
    return own


def _images(images: Path) -> object:
    """Return names and hashes of the source images that exist."""
    if images.is_file():
        with images.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            listed = [images.parent / (row.get("path") or "") for row in csv.DictReader(file)]
        files = [images, *listed]
    else:
        files = sorted(path for path in images.rglob("*") if not path.name.startswith("."))
    return [(path.name, _sha256(path)) for path in files if path.is_file()]


def _sha256(path: Path) -> str:
    found = path.stat()
    return _sha256_of(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=2**14)
def _sha256_of(path: Path, _size: int, _changed: int) -> str:
    """Return a file's hash; the file is read again only if its size or its modification time has changed."""
    return file_sha256(path)


def digest(inputs: object) -> str:
    """Return the SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
