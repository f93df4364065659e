"""What a run is made of: the settings of `generate`, checked, with every default resolved."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from physadv.attacks.recipes import find_recipe
from physadv.classifiers import Classifier
from physadv.files import file_sha256
from physadv.pipeline.attack_batch import Plan
from physadv.pipeline.sources import CheckedSource, SourceError


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


def check_settings(settings: GenerateSettings) -> None:
    """Raise a SourceError for a number out of its range, or an option that needs another."""
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


def make_plan(settings: GenerateSettings) -> Plan:
    """Return how images are attacked, with the attack's own numbers where the settings give none.

    Raises:
        AttackError: there is no such attack.
    """
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


def fingerprint_of(
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
        **({"attack": source} if (source := plan.recipe.source_sha256) else {}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
