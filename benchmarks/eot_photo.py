"""What EOT is for: how much of each attack print and photo destroy, at equal eps on equal images. Simulated.

`python benchmarks/eot_photo.py DATA` attacks ImageNet images that the classifier gets right, prints them,
photographs them with the virtual phone, crops and judges them with the stages of the command line, and judges
the same files under held-out draws of the preset `graphite`, which no attack was made for. It prints a table
and one JSON line: `photo_NAME` and `graphite_NAME`, the top-1 destruction rates (Kurakin et al. 2017, eq. 1)
of every attack of `RUNS`; `photo_on_target_NAME` and `graphite_on_target_NAME`, the share seen as the target,
for those that have one; `pairs`, `eps`. A killed run goes on where it was.
"""

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.comparisons import holm, sign_flip
from physadv.evaluation.destruction import accuracy, adversariality, destruction_rate
from physadv.evaluation.outcomes import TOPS, Judgement, PairOutcome, Tally, tally
from physadv.files import replacing
from physadv.pipeline.crop import crop
from physadv.pipeline.examples import predictions, to_tensor
from physadv.pipeline.generate import generate
from physadv.pipeline.measure import measure, photo_outcomes
from physadv.pipeline.photograph import photograph_simulated
from physadv.pipeline.print_sheets import print_sheets
from physadv.pipeline.settings import GenerateSettings
from physadv.pipeline.sources import label_sources, list_sources, read_source
from physadv.progress import Reporter, reporter
from physadv.randomness import generator
from physadv.report.wording import percent, with_interval
from physadv.runs import Capture, Manifest, Printout
from physadv.transforms import load_preset

EPS = 16
PHOTO, GRAPHITE = "photo", "graphite"


@dataclass(frozen=True)
class Run:
    """One attack; `target` is that of `physadv generate`."""

    name: str
    attack: str
    target: str = "none"


CLASSICS = (Run("fast", "fast"), Run("bim", "bim"), Run("least-likely", "least-likely"))
MOMENTUM = (Run("mim", "mim"), Run("mim-least-likely", "mim", "least-likely"))
ROBUST = (Run("eot", "eot"), Run("eot-least-likely", "eot", "least-likely"))
RUNS = (*CLASSICS, *MOMENTUM, *ROBUST)


@dataclass(frozen=True)
class Settings:
    """What all runs of one study share."""

    data: Path
    root: Path
    net: str
    size: int
    pairs: int
    steps: int
    samples: int
    shots: int
    draws: int
    workers: int | None

    @property
    def model(self) -> str:
        """Return the classifier's spec."""
        return f"file:{self.data / 'imagenet/nets' / self.net}.pt2"


Measured = Mapping[str, Mapping[str, Sequence[PairOutcome]]]
"""Channel → attack → what became of every pair."""


@dataclass(frozen=True)
class Comparison:
    """Two attacks on the pairs that equation 1 counts for both.

    Attributes:
        first: an attack; likewise `second`.
        less: pairs of which the first is destroyed in a smaller share of views; `more`: in a larger one.
        pairs: that count for both.
        p: of the exact sign test, with one view a pair the exact McNemar test; `holm` is corrected for all
            comparisons of the same channel and top.
    """

    channel: str
    top: int
    first: str
    second: str
    less: int
    more: int
    pairs: int
    p: float
    holm: float = 1.0


def choose_images(settings: Settings, classifier: Classifier) -> Path:
    """Write a table of the first images that the classifier gets right, and return its path."""
    table = settings.root / "images.csv"
    if table.exists():
        return table
    chosen: list[tuple[str, int]] = []
    for source in label_sources(list_sources(settings.data / "imagenet/labels.csv"), classifier):
        seen = classifier.probabilities(to_tensor([read_source(source.path, settings.size)]))
        if int(seen.argmax()) == source.label:
            chosen.append((str(source.path.resolve()), source.label))
        if len(chosen) == settings.pairs:
            break
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *chosen])
    return table


def photographed(run: Run, settings: Settings, images: Path, progress: Reporter) -> list[PairOutcome]:
    """Take one attack through the whole loop, or through what is left of it."""
    progress.say(f"-- {run.name}")
    printout, capture = Printout(settings.root, run.name), Capture(settings.root, run.name)
    robust = run.attack == "eot"
    chosen = GenerateSettings(
        images=images,
        model=settings.model,
        attack=run.attack,
        eps=EPS,
        target=run.target,
        steps=settings.steps if robust else None,
        samples=settings.samples if robust else None,
        size=settings.size,
        batch=4,
        device="cpu",
    )
    generate(printout, chosen, progress)
    print_sheets(printout, reporter=progress)
    photograph_simulated(printout, capture, shots=settings.shots, workers=settings.workers, reporter=progress)
    crop(printout, capture, workers=settings.workers, reporter=progress)
    (measurement,) = measure(printout, capture, reporter=progress)
    with capture.store() as store:
        return photo_outcomes(store, measurement)


def under_graphite(
    run: Run, settings: Settings, classifier: Classifier, outcomes: Sequence[PairOutcome], progress: Reporter
) -> list[PairOutcome]:
    """Return the outcomes with views of `graphite` in place of photos.

    A pair's draws are the same for its two images and for every attack.
    """
    printout = Printout(settings.root, run.name)
    manifest = printout.manifest()
    kept = settings.root / f"graphite-{manifest.code}-{settings.draws}.json"
    if not kept.exists():
        answers = _answers_under_graphite(printout, manifest, settings.draws, classifier, progress)
        with replacing(kept) as temporary:
            temporary.write_text(json.dumps(answers))
    seen = {
        example: tuple(Judgement(tuple(labels), confidence) for labels, confidence in views)
        for example, views in json.loads(kept.read_text()).items()
    }
    return [
        replace(
            outcome,
            clean_after=seen[f"{outcome.pair}-clean"],
            adversarial_after=seen[f"{outcome.pair}-adversarial"],
        )
        for outcome in outcomes
    ]


def _answers_under_graphite(
    printout: Printout, manifest: Manifest, draws: int, classifier: Classifier, progress: Reporter
) -> dict[str, list[tuple[list[int], float]]]:
    """Return the top five and the first's probability for every example and draw."""
    distribution = load_preset(GRAPHITE)
    seen = {}
    for pair in progress.track(manifest.pairs(), len(manifest.pairs()), "under graphite, pairs"):
        drawn = distribution.sample(draws, generator(0, GRAPHITE, pair[0].pair))
        for example in pair:
            image = to_tensor([printout.pixels(example)]).expand(draws, -1, -1, -1)
            answers = predictions(classifier, distribution.apply(image, drawn))
            seen[example.id] = [([p.label for p in top], top[0].probability) for top in answers]
    return seen


def compare_all(measured: Measured) -> list[Comparison]:
    """Compare both `eot` with every other attack pair by pair, corrected within each channel and top."""
    compared = []
    for channel, runs in measured.items():
        others = [name for name in runs if name not in {robust.name for robust in ROBUST}]
        for top in TOPS:
            family = [
                _compare(channel, top, robust.name, other, runs) for robust in ROBUST for other in others
            ]
            corrected = holm([comparison.p for comparison in family])
            compared += [replace(one, holm=p) for one, p in zip(family, corrected, strict=True)]
    return compared


def _compare(
    channel: str, top: int, first: str, second: str, runs: Mapping[str, Sequence[PairOutcome]]
) -> Comparison:
    one, other = (_shares_destroyed(runs[name], top) for name in (first, second))
    common = one.keys() & other.keys()
    less = sum(one[pair] < other[pair] for pair in common)
    more = sum(one[pair] > other[pair] for pair in common)
    return Comparison(
        channel, top, first, second, less, more, len(common), sign_flip(np.repeat([1, -1], [less, more]))
    )


def _shares_destroyed(outcomes: Sequence[PairOutcome], top: int) -> dict[str, float]:
    rates = {outcome.pair: destruction_rate(tally([outcome]), top).value for outcome in outcomes}
    return {pair: rate for pair, rate in rates.items() if rate is not None}


def table(measured: Measured, comparisons: Sequence[Comparison]) -> list[str]:
    """Return the table of all attacks through both channels, in Markdown."""
    found = {(c.channel, c.top, c.first, c.second): c for c in comparisons}
    lines = [
        "| channel | attack | destroyed, top-1 [95 %] | pairs | p: eot, eot-least-likely | "
        "destroyed, top-5 [95 %] | pairs | p: eot, eot-least-likely | clean right | adv. right | on target |",
        "|---|---|---|---:|---|---|---:|---|---:|---:|---:|",
    ]
    for channel, runs in measured.items():
        for name, outcomes in runs.items():
            counted = tally(outcomes)
            cells = [channel, name]
            for top in TOPS:
                rate = destruction_rate(counted, top)
                against = [found.get((channel, top, robust.name, name)) for robust in ROBUST]
                tests = ", ".join(_p(comparison) for comparison in against if comparison)
                cells += [with_interval(rate), str(rate.pairs), tests or "–"]
            cells += [percent(accuracy(counted, kind, "after", 1)) for kind in ("clean", "adversarial")]
            cells.append(percent(adversariality(counted, "after", 1)) if counted.targeted.any() else "–")
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _p(comparison: Comparison) -> str:
    """Return a corrected p, marked where `eot` is the one destroyed more often."""
    worse = " (worse)" * (comparison.more > comparison.less)
    return ("<0.0001" if comparison.holm < 0.0001 else f"{comparison.holm:.2g}") + worse


def summary(measured: Measured) -> dict[str, float | int | None]:
    """Return the JSON line."""
    values: dict[str, float | None] = {}
    for channel, runs in measured.items():
        for name, outcomes in runs.items():
            counted = tally(outcomes)
            values[f"{channel}_{name}"] = destruction_rate(counted, 1).value
            if counted.targeted.any():
                values[f"{channel}_on_target_{name}"] = adversariality(counted, "after", 1).value
    rounded = {key: None if value is None else round(value, 4) for key, value in values.items()}
    return {**rounded, "pairs": len(measured[PHOTO][RUNS[0].name]), "eps": EPS}


def details(settings: Settings, measured: Measured, comparisons: Sequence[Comparison]) -> dict[str, object]:
    """Return everything that was measured, for a file."""
    shared = {key: value for key, value in asdict(settings).items() if key not in ("data", "root", "workers")}
    return {
        "simulated": True,
        "settings": shared | {"eps": EPS},
        "rows": [
            {"channel": channel, "attack": name, **_rates(tally(outcomes))}
            for channel, runs in measured.items()
            for name, outcomes in runs.items()
        ],
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }


def _rates(counted: Tally) -> dict[str, object]:
    return {
        "destruction_top1": asdict(destruction_rate(counted, 1)),
        "destruction_top5": asdict(destruction_rate(counted, 5)),
        "clean_right": asdict(accuracy(counted, "clean", "after", 1)),
        "adversarial_right": asdict(accuracy(counted, "adversarial", "after", 1)),
        "on_target": asdict(adversariality(counted, "after", 1)),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with imagenet/labels.csv and imagenet/nets")
    parser.add_argument("--root", type=Path, default=Path("studies/eot-photo"), help="where runs are kept")
    parser.add_argument("--net", default="mobilenet_v1_050_160", help="of imagenet/nets, without .pt2")
    parser.add_argument("--size", type=int, default=224, help="pixels a side")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50, help="of eot")
    parser.add_argument("--samples", type=int, default=4, help="of eot, a step")
    parser.add_argument("--shots", type=int, default=1, help="simulated photos of each sheet")
    parser.add_argument("--draws", type=int, default=16, help="held-out draws of graphite an image")
    parser.add_argument("--workers", type=int, help="processes for photos and crops")
    parser.add_argument("--out", type=Path, help="write everything measured to this JSON file too")
    parser.add_argument("--quick", action="store_true", help="four pairs, eight steps, no momentum")
    chosen = parser.parse_args()
    settings = Settings(
        data=chosen.data,
        root=chosen.root / "quick" if chosen.quick else chosen.root,
        net=chosen.net,
        size=chosen.size,
        pairs=4 if chosen.quick else chosen.pairs,
        steps=8 if chosen.quick else chosen.steps,
        samples=chosen.samples,
        shots=chosen.shots,
        draws=2 if chosen.quick else chosen.draws,
        workers=chosen.workers,
    )
    progress = reporter(quiet=False)
    classifier = load_classifier(settings.model)
    images = choose_images(settings, classifier)
    runs = (*CLASSICS, *ROBUST) if chosen.quick else RUNS
    photos = {run.name: photographed(run, settings, images, progress) for run in runs}
    graphite = {
        run.name: under_graphite(run, settings, classifier, photos[run.name], progress) for run in runs
    }
    measured = {PHOTO: photos, GRAPHITE: graphite}
    comparisons = compare_all(measured)
    if chosen.out:
        with replacing(chosen.out) as temporary:
            written = json.dumps(details(settings, measured, comparisons), indent=1)
            temporary.write_text(f"{written}\n", encoding="utf-8")
    print("\n".join(table(measured, comparisons)))
    print(json.dumps(summary(measured)))


if __name__ == "__main__":
    main()
