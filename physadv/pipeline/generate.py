"""`generate`: source images → clean and adversarial examples in printouts/NAME, batch by batch.

Each batch is written whole before its record is; the manifest is written last. A killed run keeps its records
and goes on after them, with the same random streams.
"""

import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version

import torch

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE
from physadv.pipeline.attack_batch import Plan, check_plan
from physadv.pipeline.batches import BatchRecord, run_batches
from physadv.pipeline.settings import GenerateSettings, check_settings, fingerprint_of, make_plan
from physadv.pipeline.sources import CheckedSource, SourceError, check_source, find_sources
from physadv.progress import Reporter, silent
from physadv.runs import AttackRecord, ClassifierRecord, Manifest, Printout, Selection
from physadv.sheets.codes import RUN_CHARACTERS, digest36


def generate(printout: Printout, settings: GenerateSettings, reporter: Reporter = silent) -> Manifest:
    """Make a run's examples, or finish making them, and return its manifest.

    Raises:
        PhysadvError: bad input of any kind, see `physadv generate --help`.
    """
    check_settings(settings)
    plan = make_plan(settings)
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
    fingerprint = fingerprint_of(settings, plan, checked, classifier)
    code = digest36(fingerprint, RUN_CHARACTERS)
    finished = printout.begin(fingerprint, code)
    if finished:
        reporter.say(f"{printout.folder}: complete, nothing to do")
        return finished
    records = run_batches(printout, settings, plan, classifier, checked, reporter)
    return printout.finish(_assemble(printout, settings, classifier, plan, checked, records, code))


def _assemble(
    printout: Printout,
    settings: GenerateSettings,
    classifier: Classifier,
    plan: Plan,
    checked: Sequence[CheckedSource],
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
                **({"source_sha256": source} if (source := plan.recipe.source_sha256) else {}),
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


def _asked(plan: Plan, records: Sequence[BatchRecord]) -> dict[str, str | int | float | None]:
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
