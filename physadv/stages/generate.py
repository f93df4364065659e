"""`generate`: source images → clean and adversarial examples in printouts/NAME, batch by batch.

Each batch is written whole before its record is; the manifest is written last. A killed run keeps its records
and goes on after them, with the same random streams.
"""

import hashlib
import json
import platform
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, TypeAdapter

from physadv.attacks import find_recipe
from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE, Judgement, is_prefiltered
from physadv.progress import Reporter, silent
from physadv.runs import (
    AttackRecord,
    ClassifierRecord,
    Example,
    Manifest,
    Prediction,
    Printout,
    RunError,
    Selection,
    file_sha256,
    replacing,
)
from physadv.runs.files import remove_partial_files
from physadv.sheets.codes import RUN_CHARACTERS, digest36
from physadv.stages.attacking import Plan, attack_batch, check_plan
from physadv.stages.checkpoints import Checkpoint
from physadv.stages.sources import (
    CheckedSource,
    SourceError,
    batches_of_one_size,
    check_source,
    find_sources,
    read_source,
)


@dataclass(frozen=True)
class GenerateSettings:
    """What a run is made of; the same settings on the same files make the same bytes.

    Attributes:
        images: folder, CSV file or class tree, see `find_sources`.
        model: a spec of `load_classifier`; `labels` its class names, if they are in a file.
        attack: a name of `RECIPES`, or a library's; see `find_recipe`.
        eps: its budget in 8-bit levels, the attack's own by default; likewise `area`, a share of the picture.
        transforms: name or TOML file of an EOT preset, the attack's own by default; likewise `samples`, the
            draws of it per image and step.
        target: "none", "least-likely", "random", or a class to reach.
        steps: in place of the attack's own number.
        size: images are reduced to this many pixels a side.
        limit: how many pairs to make, all by default.
        prefilter: keep only pairs of the prefiltered case.
        batch: images attacked at once.
        goal: share of transformed views that must succeed for an image's attack to end early.
        query_only: ask the classifier for answers only and estimate its gradients from them; `estimate`,
            `sigma` and `queries` say how, see `Plan`.
        device: the classifier runs there, `auto` for the best there is; `precision` it computes in.
        checkpoint: seconds between two records of where a batch's attack stands.
    """

    images: Path
    model: str = "signs"
    labels: Path | None = None
    attack: str = "bim"
    eps: int | None = None
    area: float | None = None
    transforms: str | None = None
    samples: int | None = None
    target: str = "none"
    steps: int | None = None
    size: int = 299
    limit: int | None = None
    prefilter: bool = False
    seed: int = 0
    batch: int = 16
    goal: float | None = None
    query_only: bool = False
    estimate: str | None = None
    sigma: float | None = None
    queries: int | None = None
    device: str = "auto"
    precision: str = "float32"
    checkpoint: float = 60.0


class _BatchRecord(BaseModel):
    """What one finished batch added; `candidates` counts the images it looked at of those it `attacked`.

    `queries` is what that took of a classifier that only answers.
    """

    candidates: int
    attacked: int
    queries: int
    examples: tuple[Example, ...]


def generate(printout: Printout, settings: GenerateSettings, reporter: Reporter = silent) -> Manifest:
    """Make a run's examples, or finish making them, and return its manifest.

    Raises:
        PhysadvError: bad input of any kind, see `physadv generate --help`.
    """
    _check(settings)
    plan = _plan(settings)
    classifier = load_classifier(
        settings.model, settings.labels, device=settings.device, precision=settings.precision
    )
    check_plan(plan, classifier)
    sources = find_sources(settings.images, classifier)
    if settings.limit and not settings.prefilter:
        sources = sources[: settings.limit]
    checked = [
        check_source(source, settings.size)
        for source in reporter.track(sources, len(sources), "checking images")
    ]
    fingerprint = _fingerprint(settings, plan, checked, classifier)
    code = digest36(fingerprint, RUN_CHARACTERS)
    if printout.manifest_path.exists():
        manifest = printout.manifest()
        if manifest.code != code:
            raise RunError(
                f"{printout.folder}: holds a run with other settings; take another --name or delete it"
            )
        _tidy(printout)
        reporter.say(f"{printout.folder}: complete, nothing to do")
        return manifest
    _claim(printout, fingerprint)
    records = _run_batches(printout, settings, plan, classifier, checked, reporter)
    manifest = _assemble(printout, settings, classifier, plan, checked, records, code)
    manifest.write(printout.manifest_path)
    _tidy(printout)
    return manifest


def _plan(settings: GenerateSettings) -> Plan:
    recipe = find_recipe(settings.attack)
    return Plan(
        recipe=recipe,
        eps=recipe.eps if settings.eps is None else settings.eps,
        area=recipe.area if settings.area is None else settings.area,
        transforms=settings.transforms or recipe.transforms,
        samples=settings.samples or recipe.samples,
        steps=settings.steps,
        target=settings.target,
        goal=settings.goal,
        seed=settings.seed,
        estimate=(settings.estimate or "nes") if settings.query_only else None,
        sigma=settings.sigma,
        queries=settings.queries,
    )


def _check(settings: GenerateSettings) -> None:
    if settings.estimate and not settings.query_only:
        raise SourceError(f"estimate '{settings.estimate}': wanted --query-only with it")
    for name, value, least in (
        ("size", settings.size, 16),
        ("batch", settings.batch, 1),
        ("samples", settings.samples, 1),
        ("limit", settings.limit, 1),
        ("steps", settings.steps, 1),
    ):
        if value is not None and value < least:
            raise SourceError(f"{name} {value}: wanted {least} or more")


def _fingerprint(
    settings: GenerateSettings, plan: Plan, checked: Sequence[CheckedSource], classifier: Classifier
) -> str:
    """Return a hash of all that the examples' bytes depend on."""
    parts = {
        "plan": {**vars(plan), "recipe": plan.recipe.name},
        "preset": file_sha256(Path(plan.transforms)) if plan.transforms.endswith(".toml") else None,
        "settings": [
            settings.size,
            settings.limit,
            settings.prefilter,
            settings.batch,
            settings.precision,
        ],
        "labels": classifier.labels,
        "classifier": classifier.identity,
        "sources": [(item.source.name, item.sha256, item.source.label) for item in checked],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _claim(printout: Printout, fingerprint: str) -> None:
    """Begin a run, or go on with it if it is the same."""
    mark = printout.progress / "fingerprint"
    if mark.exists() and mark.read_text() != fingerprint:
        raise RunError(
            f"{printout.folder}: an unfinished run with other settings; take another --name or delete it"
        )
    with replacing(mark) as temporary:
        temporary.write_text(fingerprint)
    remove_partial_files(printout.folder)
    for folder in ("clean", "adversarial", ".progress"):
        (printout.folder / folder).mkdir(exist_ok=True)
        remove_partial_files(printout.folder / folder)


def _tidy(printout: Printout) -> None:
    """Remove the records of batches: they are in the manifest, or came to nothing."""
    shutil.rmtree(printout.progress, ignore_errors=True)


def _run_batches(
    printout: Printout,
    settings: GenerateSettings,
    plan: Plan,
    classifier: Classifier,
    checked: Sequence[CheckedSource],
    reporter: Reporter,
) -> list[_BatchRecord]:
    batches = list(batches_of_one_size(checked, settings.batch))
    records: list[_BatchRecord] = []
    kept = 0
    for index, batch in enumerate(reporter.track(batches, len(batches), f"{plan.recipe.name}, batches")):
        room = settings.limit - kept if settings.limit else len(batch)
        if room <= 0:
            break
        path = printout.progress / f"{index:06d}.json"
        if path.exists():
            record = TypeAdapter(_BatchRecord).validate_json(path.read_text())
        else:
            record = _make_batch(printout, settings, plan, classifier, batch, index, kept, room)
            with replacing(path) as temporary:
                temporary.write_text(record.model_dump_json())
            path.with_suffix(".pt").unlink(missing_ok=True)
        records.append(record)
        kept += len(record.examples) // 2
    return records


def _make_batch(
    printout: Printout,
    settings: GenerateSettings,
    plan: Plan,
    classifier: Classifier,
    batch: Sequence[CheckedSource],
    index: int,
    first: int,
    room: int,
) -> _BatchRecord:
    pixels = [read_source(item.source.path, settings.size) for item in batch]
    checkpoint = Checkpoint(printout.progress / f"{index:06d}.pt", settings.checkpoint)
    labels = [item.source.label for item in batch]
    attacked = attack_batch(plan, classifier, pixels, labels, index, checkpoint)
    examples: list[Example] = []
    for position, item in enumerate(batch):
        label, tops = attacked.labels[position], (attacked.before[position], attacked.after[position])
        if settings.prefilter and not is_prefiltered(label, *map(_judgement, tops)):
            continue
        pair = f"{first + len(examples) // 2 + 1:04d}"
        for kind, image, top in zip(
            ("clean", "adversarial"), (pixels[position], attacked.pixels[position]), tops, strict=True
        ):
            path = printout.folder / kind / f"{pair}.png"
            _write_png(path, image)
            examples.append(
                Example.model_validate(
                    {
                        "id": f"{pair}-{kind}",
                        "pair": pair,
                        "kind": kind,
                        "path": f"{kind}/{path.name}",
                        "sha256": file_sha256(path),
                        "size_px": item.size_px,
                        "source": item.source.name,
                        "label": label,
                        "label_name": classifier.labels[label],
                        "target": attacked.targets[position],
                        "held_out": attacked.held_out[position] if kind == "adversarial" else None,
                        "digital": top,
                    }
                )
            )
        if len(examples) == 2 * room:
            break
    return _BatchRecord(
        candidates=position + 1, attacked=len(batch), queries=attacked.queries, examples=tuple(examples)
    )


def _judgement(top: Sequence[Prediction]) -> Judgement:
    return Judgement(tuple(prediction.label for prediction in top), top[0].probability)


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write pixels and read them back: the file is what the classifier has judged."""
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")
        with Image.open(temporary) as image:
            if not np.array_equal(np.asarray(image), pixels):
                raise RunError(
                    f"{path}: what was read back differs from what was written; is the disk sound?"
                )


def _assemble(
    printout: Printout,
    settings: GenerateSettings,
    classifier: Classifier,
    plan: Plan,
    checked: Sequence[CheckedSource],
    records: Sequence[_BatchRecord],
    code: str,
) -> Manifest:
    examples = tuple(example for record in records for example in record.examples)
    candidates = sum(record.candidates for record in records)
    if not examples:
        _tidy(printout)
        for folder in (printout.folder / "clean", printout.folder / "adversarial", printout.folder):
            with suppress(OSError):  # whatever else is in it stays
                folder.rmdir()
        raise SourceError(
            f"{settings.images}: none of {candidates} candidates is of the prefiltered case "
            f"(clean right, adversarial outside the top 5, both with p ≥ {PREFILTER_CONFIDENCE}); "
            "take a larger --eps, more images, or leave --prefilter out"
        )
    return Manifest(
        name=printout.name,
        code=code,
        seed=settings.seed,
        classifier=ClassifierRecord(
            spec=settings.model,
            labels_file=str(settings.labels) if settings.labels else None,
            classes=len(classifier.labels),
        ),
        attack=AttackRecord(
            name=plan.recipe.name,
            eps=plan.eps,
            parameters={
                "norm": plan.recipe.norm,
                "area": plan.area,
                "steps": plan.steps or plan.recipe.defaults,
                "transforms": plan.transforms,
                "samples": plan.samples,
                "target": plan.target,
                "goal": plan.goal,
                "device": classifier.device.type,
                "precision": settings.precision,
                "paper": plan.recipe.paper,
                "size": settings.size,
                "batch": settings.batch,
                **_asked(plan, records),
            },
        ),
        selection=Selection(
            images=str(settings.images),
            limit=settings.limit,
            prefiltered=settings.prefilter,
            candidates=candidates,
            labels="predicted" if checked[0].source.label is None else "given",
        ),
        versions={
            "physadv": version("physadv"),
            "torch": torch.__version__,
            "python": platform.python_version(),
            **({library: version(library)} if (library := plan.recipe.library) else {}),
        },
        examples=examples,
    )


def _asked(plan: Plan, records: Sequence[_BatchRecord]) -> dict[str, str | int | float | None]:
    """Return how gradients were estimated, and how many queries that took; nothing where they were not."""
    if plan.directions is None:
        return {}
    asked = sum(record.queries for record in records)
    return {
        "estimate": plan.estimate,
        "sigma": round(plan.directions.sigma * 255, 6),
        "queries": plan.queries,
        "queries_asked": asked,
        "queries_per_image": round(asked / sum(record.attacked for record in records), 1),
    }
