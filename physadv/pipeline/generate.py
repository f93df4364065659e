"""`generate`: source images → clean and adversarial examples in printouts/NAME, batch by batch.

A batch's files are written before its record, and the manifest last. A killed run keeps its records and
continues after them, with the same random streams.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from physadv.classifiers.specs import check_spec
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE, Judgement, is_prefiltered
from physadv.files import file_sha256, replacing
from physadv.keeping import Kept
from physadv.pipeline.examples import TopFive, versions, write_pair
from physadv.pipeline.settings import ATTACK_OPTIONS, GenerateSettings, pixel_options, profile_record, resolve
from physadv.pipeline.sources import (
    Source,
    SourceError,
    check_source,
    label_sources,
    list_sources,
    neighbours_of_one_size,
    read_source,
)
from physadv.progress import Reporter, silent
from physadv.runs import AttackRecord, ClassifierRecord, Example, Manifest, Printout, Selection

if TYPE_CHECKING:
    from physadv.classifiers import Classifier


class BatchRecord(BaseModel):
    """What one batch added to the run; its candidates are the images up to the last pair with room."""

    candidates: int
    attacked: int
    queries: int
    examples: tuple[Example, ...]


def generate(printout: Printout, settings: GenerateSettings, reporter: Reporter = silent) -> Manifest:
    """Make a run's examples, or finish making them, and return its manifest.

    Raises:
        PhysadvError: bad input of any kind, see `physadv generate --help`.
    """
    settings = resolve(settings)
    check_spec(settings.model, settings.labels, settings.precision)
    listed = list_sources(settings.images)
    # Torch is loaded only now that names, numbers and paths are known to be right.
    from physadv.classifiers import load_classifier
    from physadv.pipeline.attack_batch import check_attack

    classifier = load_classifier(
        settings.model, settings.labels, device=settings.device, precision=settings.precision
    )
    check_attack(settings, classifier)
    sources = label_sources(listed, classifier)
    if settings.limit and not settings.prefilter:
        sources = sources[: settings.limit]
    tracked = reporter.track(sources, len(sources), "checking images")
    sources = [check_source(source, settings.size) for source in tracked]
    fingerprint = _fingerprint(settings, sources, classifier)

    def examples_of(code: str) -> Manifest:
        records = _run_batches(printout, settings, classifier, sources, reporter)
        return _assemble(printout, settings, classifier, sources, records, code)

    return printout.make(fingerprint, examples_of, reporter)


def _fingerprint(settings: GenerateSettings, sources: Sequence[Source], classifier: "Classifier") -> str:
    """Return a hash of all that the examples' bytes depend on."""
    parts = {
        "plan": pixel_options(settings),
        "preset": file_sha256(Path(settings.preset)) if settings.preset.endswith(".toml") else None,
        "settings": [settings.size, settings.limit, settings.prefilter, settings.batch, settings.precision],
        "labels": classifier.labels,
        "classifier": classifier.identity,
        "sources": [(source.name, source.sha256, source.label) for source in sources],
        **({"profile": file_sha256(settings.profile)} if settings.profile else {}),
        **({"attack": source} if (source := settings.recipe.source_sha256) else {}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _run_batches(
    printout: Printout,
    settings: GenerateSettings,
    classifier: "Classifier",
    sources: Sequence[Source],
    reporter: Reporter,
) -> list[BatchRecord]:
    """Attack the batches that no earlier start of the run has finished, and return the records of all."""
    batches = list(neighbours_of_one_size(sources, lambda source: source.size_px, settings.batch))
    records: list[BatchRecord] = []
    kept = 0
    for index, batch in enumerate(reporter.track(batches, len(batches), f"{settings.attack}, batches")):
        room = settings.limit - kept if settings.limit else len(batch)
        if room <= 0:
            break
        path = printout.progress / f"{index:06d}.json"
        record = None
        if path.exists():
            try:
                record = BatchRecord.model_validate_json(path.read_bytes())
            except ValidationError as error:
                raise Kept(path).damaged() from error
        if record is None or not all((printout.folder / each.path).exists() for each in record.examples):
            record = _make_batch(printout, settings, classifier, batch, index, kept, room)
            with replacing(path) as temporary:
                temporary.write_text(record.model_dump_json())
            path.with_suffix(".pt").unlink(missing_ok=True)
        records.append(record)
        kept += len(record.examples) // 2
    return records


def _make_batch(
    printout: Printout,
    settings: GenerateSettings,
    classifier: "Classifier",
    batch: Sequence[Source],
    index: int,
    first: int,
    room: int,
) -> BatchRecord:
    from physadv.pipeline.attack_batch import Checkpoint, attack_batch

    pixels = [read_source(source.path, settings.size) for source in batch]
    checkpoint = Checkpoint(printout.progress / f"{index:06d}.pt", settings.checkpoint)
    labels = [source.label for source in batch]
    attacked = attack_batch(settings, classifier, pixels, labels, index, checkpoint)
    examples: list[Example] = []
    for place, source in enumerate(batch):
        seen = _judgement(attacked.before[place]), _judgement(attacked.after[place])
        if settings.prefilter and not is_prefiltered(attacked.labels[place], *seen):
            continue
        number = first + len(examples) // 2 + 1
        examples += write_pair(printout, number, classifier.labels, source.name, attacked, place)
        if len(examples) == 2 * room:
            break
    counts = {"candidates": place + 1, "attacked": len(batch), "queries": attacked.queries}
    return BatchRecord(**counts, examples=tuple(examples))


def _judgement(top: TopFive) -> Judgement:
    return Judgement(tuple(prediction.label for prediction in top), top[0].probability)


def _assemble(
    printout: Printout,
    settings: GenerateSettings,
    classifier: "Classifier",
    sources: Sequence[Source],
    records: Sequence[BatchRecord],
    code: str,
) -> Manifest:
    examples = tuple(example for record in records for example in record.examples)
    candidates = sum(record.candidates for record in records)
    if not examples:
        printout.forget_progress()
        for folder in (printout.folder / "clean", printout.folder / "adversarial", printout.folder):
            with suppress(OSError):  # whatever else is in it stays
                folder.rmdir()
        case = f"clean right, adversarial outside the top 5, both with p ≥ {PREFILTER_CONFIDENCE}"
        raise SourceError(
            f"{settings.images}: none of {candidates} candidates is of the prefiltered case ({case}); "
            "take a larger --eps, more images, or leave --prefilter out"
        )
    recipe = settings.recipe
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
            name=recipe.name,
            eps=settings.eps,
            parameters={
                "norm": recipe.norm,
                "steps": settings.steps or recipe.defaults,
                **{name: getattr(settings, name) for name in ATTACK_OPTIONS},
                "device": classifier.device.type,
                "precision": settings.precision,
                "paper": recipe.paper,
                "size": settings.size,
                "batch": settings.batch,
                **({"source_sha256": recipe.source_sha256} if recipe.source_sha256 else {}),
                **profile_record(settings.profile),
                **_queries(settings, records),
            },
        ),
        selection=Selection(
            images=str(settings.images),
            limit=settings.limit,
            prefiltered=settings.prefilter,
            candidates=candidates,
            labels="predicted" if sources[0].label is None else "given",
        ),
        versions=versions(recipe.library),
        examples=examples,
    )


def _queries(settings: GenerateSettings, records: Sequence[BatchRecord]) -> dict[str, Any]:
    """Return how gradients were estimated, and how many queries that took; nothing where they were not."""
    from physadv.pipeline.attack_batch import directions_of

    directions = directions_of(settings)
    if directions is None:
        return {}
    queries = sum(record.queries for record in records)
    return {
        "estimate": settings.estimate,
        "sigma": round(directions.sigma * 255, 6),
        "queries": settings.queries,
        "queries_asked": queries,
        "queries_per_image": round(queries / sum(record.attacked for record in records), 1),
    }
