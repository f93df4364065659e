"""`generate`: source images → clean and adversarial examples in printouts/NAME, batch by batch.

A batch's files are written before its record, and the manifest last. A killed run keeps its records and
continues after them, with the same random streams.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from physadv.classifiers.specs import check_spec
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE
from physadv.files import file_sha256
from physadv.pipeline.examples import versions
from physadv.pipeline.settings import ATTACK_OPTIONS, GenerateSettings, pixel_options, resolve
from physadv.pipeline.sources import CheckedSource, SourceError, check_source, label_sources, list_sources
from physadv.progress import Reporter, silent
from physadv.runs import AttackRecord, ClassifierRecord, Manifest, Printout, Selection
from physadv.sheets.codes import RUN_CHARACTERS, digest36

if TYPE_CHECKING:
    from physadv.classifiers import Classifier
    from physadv.pipeline.batches import BatchRecord


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
    from physadv.pipeline.batches import run_batches

    classifier = load_classifier(
        settings.model, settings.labels, device=settings.device, precision=settings.precision
    )
    check_attack(settings, classifier)
    sources = label_sources(listed, classifier)
    if settings.limit and not settings.prefilter:
        sources = sources[: settings.limit]
    checked = [
        check_source(source, settings.size)
        for source in reporter.track(sources, len(sources), "checking images")
    ]
    fingerprint = _fingerprint(settings, checked, classifier)
    code = digest36(fingerprint, RUN_CHARACTERS)
    finished = printout.begin(fingerprint, code)
    if finished:
        reporter.say(f"{printout.folder}: complete, nothing to do")
        return finished
    records = run_batches(printout, settings, classifier, checked, reporter)
    return printout.finish(_assemble(printout, settings, classifier, checked, records, code))


def _fingerprint(
    settings: GenerateSettings, checked: Sequence[CheckedSource], classifier: "Classifier"
) -> str:
    """Return a hash of all that the examples' bytes depend on."""
    parts = {
        "plan": pixel_options(settings),
        "preset": file_sha256(Path(settings.preset)) if settings.preset.endswith(".toml") else None,
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
        **({"attack": source} if (source := settings.recipe.source_sha256) else {}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _assemble(
    printout: Printout,
    settings: GenerateSettings,
    classifier: "Classifier",
    checked: Sequence[CheckedSource],
    records: Sequence["BatchRecord"],
    code: str,
) -> Manifest:
    examples = tuple(example for record in records for example in record.examples)
    candidates = sum(record.candidates for record in records)
    if not examples:
        printout.forget_progress()
        for folder in (printout.folder / "clean", printout.folder / "adversarial", printout.folder):
            with suppress(OSError):  # whatever else is in it stays
                folder.rmdir()
        raise SourceError(
            f"{settings.images}: none of {candidates} candidates is of the prefiltered case "
            f"(clean right, adversarial outside the top 5, both with p ≥ {PREFILTER_CONFIDENCE}); "
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
                **_queries(settings, records),
            },
        ),
        selection=Selection(
            images=str(settings.images),
            limit=settings.limit,
            prefiltered=settings.prefilter,
            candidates=candidates,
            labels="predicted" if checked[0].source.label is None else "given",
        ),
        versions=versions(recipe.library),
        examples=examples,
    )


def _queries(
    settings: GenerateSettings, records: Sequence["BatchRecord"]
) -> dict[str, str | int | float | None]:
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
