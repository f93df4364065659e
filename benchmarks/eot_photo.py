"""What EOT is for: how much of each attack print and photo destroy, at equal eps on equal images. Simulated.

`python benchmarks/eot_photo.py DATA` attacks ImageNet images that the classifier gets right, prints every
image once as it is and once under every attack on one sheet, photographs the sheets with the virtual phone,
three times with seeds of their own, crops and judges them, and judges the same files under held-out draws of
the preset `graphite`, which no attack was made for. It writes the page docs/results/eot-photo.md and its
numbers, and prints one JSON line: `photo_NAME` and `graphite_NAME`, the top-1 destruction rates (Kurakin et
al. 2017, eq. 1) of every attack of `RUNS`; `photo_on_target_NAME` and `graphite_on_target_NAME`, the share
seen as the target, for those that have one; `pairs`, `eps`. A killed run goes on where it was.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from physadv.classifiers import Classifier, load_classifier
from physadv.evaluation.comparisons import Comparison, corrected
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import TOPS, Judgement, PairOutcome
from physadv.files import replacing
from physadv.keeping import Kept
from physadv.pipeline.examples import predictions, to_tensor
from physadv.pipeline.generate import generate
from physadv.pipeline.settings import GenerateSettings
from physadv.pipeline.sources import label_sources, list_sources, read_source
from physadv.progress import Reporter, reporter
from physadv.randomness import generator
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import interval, p_value, paragraph, percent, plural, with_interval
from physadv.runs import Capture, Example, Printout
from physadv.transforms import load_preset
from reproductions.together import (
    Pictured,
    Trial,
    compare_views,
    destroyed,
    pictured_together,
    print_together,
    shared,
    sheets_of,
)

EPS = 16
SEEDS = (0, 1, 2)
"""Of the photos."""
PHOTO, GRAPHITE = "photo", "graphite"
NAME = "eot-photo"
BETTER, WORSE = "better", "worse"


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

OLD_SAID: dict[tuple[str, int], dict[str, tuple[str, str]]] = {
    (PHOTO, 1): {"least-likely": (BETTER, BETTER)},
    (PHOTO, 5): {"least-likely": (BETTER, BETTER), "mim-least-likely": (BETTER, BETTER)},
    (GRAPHITE, 1): {
        "fast": (BETTER, ""),
        "bim": (BETTER, ""),
        "least-likely": (BETTER, BETTER),
        "mim": (BETTER, WORSE),
        "mim-least-likely": (BETTER, BETTER),
    },
    (GRAPHITE, 5): {
        "fast": (BETTER, ""),
        "bim": (BETTER, BETTER),
        "least-likely": (BETTER, BETTER),
        "mim": (BETTER, WORSE),
        "mim-least-likely": (BETTER, BETTER),
    },
}
"""(channel, top) → attack → what the page of November 2026 said of `eot` and `eot-least-likely`."""
OLD_RATES: dict[str, tuple[float, ...]] = {
    "fast": (4.1, 5.5, 8.6, 19.2),
    "bim": (1.0, 4.0, 12.3, 37.2),
    "least-likely": (24.0, 48.0, 38.7, 68.0),
    "mim": (0.0, 2.0, 3.7, 13.5),
    "mim-least-likely": (3.0, 10.0, 14.8, 34.9),
    "eot": (0.0, 0.0, 0.9, 4.0),
    "eot-least-likely": (0.0, 0.0, 9.4, 23.6),
}
"""Attack → what was destroyed then, in percent: photo at top-1 and top-5, `graphite` at both."""


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
    draws: int
    workers: int | None

    @property
    def model(self) -> str:
        """Return the classifier's spec."""
        return f"file:{self.data / 'imagenet/nets' / self.net}.pt2"


Measured = Mapping[str, Mapping[str, Sequence[Pictured]]]
"""Channel → attack → its images in their photos, or under their draws."""


@dataclass(frozen=True)
class Against:
    """One of the two `eot` beside another attack, through one channel."""

    channel: str
    top: int
    test: Comparison

    @property
    def verdict(self) -> str:
        """Return whether `eot` is better, which is destroyed less, or worse; else what the test says."""
        words = {f"{self.test.second} higher": BETTER, f"{self.test.first} higher": WORSE}
        return words.get(self.test.verdict, self.test.verdict)


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


def attacked(run: Run, settings: Settings, images: Path, progress: Reporter) -> Printout:
    """Make one attack's examples, or what is left of them."""
    progress.say(f"-- {run.name}")
    printout = Printout(settings.root, run.name)
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
    return printout


def under_graphite(
    printouts: Mapping[str, Printout],
    settings: Settings,
    classifier: Classifier,
    photos: Mapping[str, Sequence[Pictured]],
    progress: Reporter,
) -> dict[str, list[Pictured]]:
    """Return the images with views of `graphite` in place of photos.

    A pair's draws are the same for its clean picture and for every attack.
    """
    first = next(iter(printouts.values()))
    clean = _answers(first, "clean", settings.draws, classifier, progress)
    draws = tuple(range(settings.draws))
    found: dict[str, list[Pictured]] = {}
    for name, printout in printouts.items():
        adversarial = _answers(printout, "adversarial", settings.draws, classifier, progress)
        found[name] = []
        for place, each in enumerate(photos[name]):
            own = each.outcome
            outcome = PairOutcome(
                own.pair,
                own.label,
                own.clean,
                own.adversarial,
                clean[own.pair],
                adversarial[own.pair],
                own.target,
            )
            found[name].append(Pictured(outcome, place, draws))
    return found


def _answers(
    printout: Printout, kind: str, draws: int, classifier: Classifier, progress: Reporter
) -> dict[str, tuple[Judgement, ...]]:
    """Return pair → the answers on its clean or adversarial file, draw by draw; they are kept."""
    manifest = printout.manifest()
    examples = [example for example in manifest.examples if example.kind == kind]
    kept = Kept(printout.root / f"{GRAPHITE}-{printout.name}-{kind}.json", f"{manifest.code} {draws}")
    found: dict[str, list[tuple[list[int], float]]] | None = kept.load()
    if found is None:
        what = f"{printout.name}, {kind}, under graphite"
        tracked = progress.track(examples, len(examples), what)
        found = {example.pair: _seen(printout, example, draws, classifier) for example in tracked}
        kept.save(found)
    return {
        pair: tuple(Judgement(tuple(labels), confidence) for labels, confidence in views)
        for pair, views in found.items()
    }


def _seen(
    printout: Printout, example: Example, draws: int, classifier: Classifier
) -> list[tuple[list[int], float]]:
    """Return the top five and the first's probability under every draw."""
    distribution = load_preset(GRAPHITE)
    drawn = distribution.sample(draws, generator(0, GRAPHITE, example.pair))
    image = to_tensor([printout.pixels(example)]).expand(draws, -1, -1, -1)
    answers = predictions(classifier, distribution.apply(image, drawn))
    return [([each.label for each in top], top[0].probability) for top in answers]


def compare_all(measured: Measured) -> list[Against]:
    """Compare both `eot` with every other attack; all comparisons of one channel are one family."""
    found = []
    for channel, runs in measured.items():
        robust = [run.name for run in ROBUST]
        places = [
            (top, own, other) for top in TOPS for other in runs if other not in robust for own in robust
        ]
        tests = [
            compare_views(
                (own, destroyed(runs[own], top)), (other, destroyed(runs[other], top)), sheets_of(runs[own])
            )
            for top, own, other in places
        ]
        found += [
            Against(channel, place[0], test) for place, test in zip(places, corrected(tests), strict=True)
        ]
    return found


def rate(pictured: Sequence[Pictured], top: int, *, clean_survives: bool = False) -> Estimate:
    """Return the destruction rate."""
    return shared(destroyed(pictured, top, clean_survives=clean_survives), sheets_of(pictured))


def right(pictured: Sequence[Pictured], kind: str) -> Estimate:
    """Return the top-1 accuracy on "clean" or "adversarial" views."""
    views: dict[Trial, bool] = {
        trial: (clean if kind == "clean" else adversarial).right(each.outcome.label, 1)
        for each in pictured
        for trial, clean, adversarial in each.views()
    }
    return shared(views, sheets_of(pictured))


def on_target(pictured: Sequence[Pictured]) -> Estimate | None:
    """Return the share of views seen as the target; None for an attack without one."""
    views: dict[Trial, bool] = {
        trial: adversarial.right(each.outcome.target, 1)
        for each in pictured
        if each.outcome.target is not None
        for trial, _, adversarial in each.views()
    }
    return shared(views, sheets_of(pictured)) if views else None


def mean_change(printout: Printout) -> float:
    """Return the mean absolute change of a channel, 8-bit levels."""
    changes = [
        np.abs(printout.pixels(clean).astype(float) - printout.pixels(adversarial)).mean()
        for clean, adversarial in printout.manifest().pairs()
    ]
    return float(np.mean(changes))


Line = tuple[str, Sequence[Pictured]]


def table(runs: Mapping[str, Sequence[Pictured]], changes: Mapping[str, float]) -> str:
    """Return the table of all attacks through one channel, in Markdown."""

    def spread(line: Line) -> str:
        views = destroyed(line[1], 1)
        seeds = sorted({seed for _, seed in views})
        own = [[lost for (_, seed), lost in views.items() if seed == each] for each in seeds]
        rates = [100 * sum(each) / len(each) for each in own]
        return f"{min(rates):.1f}–{max(rates):.1f} %" if rates else "–"

    def counted(line: Line) -> str:
        views = destroyed(line[1], 1)
        return f"{len(views)}, {plural(len({pair for pair, _ in views}), 'pair')}"

    columns = (
        Column[Line]("attack", lambda line: line[0]),
        Column[Line]("mean change, levels", lambda line: f"{changes[line[0]]:.1f}", "number"),
        Column[Line]("destroyed, top-1 [95 %]", lambda line: rate(line[1], 1), "interval"),
        Column[Line]("lowest and highest", spread, "number"),
        Column[Line]("views", counted, "number"),
        Column[Line](
            "clean survives, top-1 [95 %]", lambda line: rate(line[1], 1, clean_survives=True), "interval"
        ),
        Column[Line]("destroyed, top-5 [95 %]", lambda line: rate(line[1], 5), "interval"),
        Column[Line]("clean right", lambda line: right(line[1], "clean"), "share"),
        Column[Line]("adv. right", lambda line: right(line[1], "adversarial"), "share"),
        Column[Line]("on target", lambda line: on_target(line[1]), "share"),
    )
    return to_markdown(Table("", columns, {"": list(runs.items())}))


def comparison_table(compared: Sequence[Against]) -> str:
    """Return the comparisons of one channel, in Markdown."""

    def difference(one: Against) -> str:
        found = one.test.difference
        if found.value is None:
            return str(found.undefined)
        return f"{100 * found.value:+.1f} points ({interval(found)})"

    columns = (
        Column[Against]("attack", lambda one: one.test.first),
        Column[Against]("against", lambda one: one.test.second),
        Column[Against]("top", lambda one: one.top, "number"),
        Column[Against]("difference [95 %]", difference),
        Column[Against]("p (Holm)", lambda one: p_value(one.test.holm), "number"),
        Column[Against]("clusters", lambda one: one.test.difference.pairs, "number"),
        Column[Against]("verdict", lambda one: one.verdict),
    )
    return to_markdown(Table("", columns, {"": compared}))


def no_longer(measured: Measured, compared: Sequence[Against]) -> Iterator[str]:
    """Yield what the page before said and this one does not."""
    for each in compared:
        others = OLD_SAID[each.channel, each.top].get(each.test.second, ("", ""))
        before = others[[run.name for run in ROBUST].index(each.test.first)]
        if before and each.verdict != before:
            yield (
                f"- {each.channel}, top-{each.top}: `{each.test.first}` was {before} than "
                f"`{each.test.second}`; now: {each.verdict}."
            )
    for place, (channel, top) in enumerate(OLD_SAID):
        for name, pictured in measured[channel].items():
            now, then = rate(pictured, top), OLD_RATES[name][place]
            if now.low is None or now.high is None or not 100 * now.low <= then <= 100 * now.high:
                said = with_interval(now)
                yield f"- {channel}, top-{top}: {then} % of `{name}` was destroyed, now {said}."


def page(
    settings: Settings, measured: Measured, compared: Sequence[Against], changes: Mapping[str, float]
) -> Iterator[str]:
    """Yield the lines of the page."""
    gone = list(no_longer(measured, compared))
    images = len(next(iter(measured[PHOTO].values())))
    yield from ("# What print and photo destroy: EOT beside the classics", "")
    yield from ("## What no longer holds of the page before", "")
    yield paragraph(
        "It had one photo of every sheet and counted in how many pairs an attack was destroyed in a smaller "
        "share of views, however little smaller. Attacks had sheets of their own."
    )
    yield from ("", *(gone or ["- Every difference that it showed stands."]), "")
    yield from ("## How it was measured", "")
    yield paragraph(
        f"**All photos are simulated**: the virtual printer and phone at their defaults. {images} ImageNet "
        f"images ({settings.size} × {settings.size}) that `{settings.net}` classifies right, eps {EPS} for "
        f"every attack. `eot` takes {settings.steps} steps of {settings.samples} draws of `print-photo`; the "
        "others take their published steps. `mim` is a control: it walks along an accumulated gradient as "
        "`eot` does, but through no transformation. At equal eps the attacks do not change images equally: "
        "the mean change stands beside each."
    )
    yield ""
    yield paragraph(
        "**The photo is the channel that `eot` was made for**: `print-photo` is this project's model of the "
        "same channel. It prints through two measured presses; the virtual printer is an assumed variant of "
        "one of them. Its white balance, tone curve, light, noise and blur have ranges of their own, "
        "and it knows nothing of uneven light, bent paper, sharpening and JPEG. `graphite` (views up to 50° "
        f"aside, gamma, blur) is a channel that no attack was made for: {settings.draws} held-out draws an "
        "image, the same for every attack."
    )
    yield ""
    yield paragraph(
        "Unit: a view, one photo or one draw of one pair. *Destroyed* is equation 1 of Kurakin et al. "
        "2017: of the pairs with clean right and adversarial wrong on the file, the share of views in "
        "which the adversarial picture is right again; *clean survives* counts only the views in which the "
        f"clean one is right too. Every sheet was photographed {len(SEEDS)} times, with seeds "
        f"{', '.join(map(str, SEEDS))}; one photo shows an image under every attack. *Lowest and highest* "
        "are the rates of single seeds, or single draws. Clusters: pairs, and photos, of which one shows "
        "several pairs; in tests all pairs of a sheet count as one. Intervals are at 95 %."
    )
    yield ""
    yield paragraph(
        f"Tests: each `eot` against every other attack at top-1 and top-5, the {len(compared) // 2} "
        "comparisons of a channel as one family (Holm), by a sign-flip test on the difference in the views "
        "that count for both. *Better* (destroyed less) and *worse* want p below 0.05 and the whole interval "
        "of the difference beyond 3 points."
    )
    yield from ("", f"`python benchmarks/eot_photo.py DATA` wrote this page; {NAME}.json has it.", "")
    for channel, title in ((PHOTO, "Printed and photographed"), (GRAPHITE, "Under `graphite`")):
        spoilt = percent(right(next(iter(measured[channel].values())), "clean"))
        yield from (f"## {title}", "", f"Of the clean pictures {spoilt} are still right.", "")
        yield from (table(measured[channel], changes), "")
        yield from (comparison_table([one for one in compared if one.channel == channel]), "")


def summary(measured: Measured) -> dict[str, float | int | None]:
    """Return the JSON line."""
    values: dict[str, float | None] = {}
    for channel, runs in measured.items():
        for name, pictured in runs.items():
            values[f"{channel}_{name}"] = rate(pictured, 1).value
            if reached := on_target(pictured):
                values[f"{channel}_on_target_{name}"] = reached.value
    rounded = {key: None if value is None else round(value, 4) for key, value in values.items()}
    return {**rounded, "pairs": len(measured[PHOTO][RUNS[0].name]), "eps": EPS}


def details(
    settings: Settings, measured: Measured, compared: Sequence[Against], changes: Mapping[str, float]
) -> dict[str, object]:
    """Return everything that was measured, for a file."""
    kept = {key: value for key, value in asdict(settings).items() if key not in ("data", "root", "workers")}
    return {
        "simulated": True,
        "settings": kept | {"eps": EPS, "seeds": SEEDS},
        "rows": [
            {
                "channel": channel,
                "attack": name,
                "mean_change_levels": changes[name],
                **{f"destruction_top{top}": asdict(rate(pictured, top)) for top in TOPS},
                "destruction_clean_survives_top1": asdict(rate(pictured, 1, clean_survives=True)),
                "clean_right": asdict(right(pictured, "clean")),
                "adversarial_right": asdict(right(pictured, "adversarial")),
                "on_target": asdict(reached) if (reached := on_target(pictured)) else None,
            }
            for channel, runs in measured.items()
            for name, pictured in runs.items()
        ],
        "comparisons": [
            {"channel": one.channel, "top": one.top, "verdict": one.verdict, **asdict(one.test)}
            for one in compared
        ],
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
    parser.add_argument("--pairs", type=int, default=80, help="images, on half as many sheets")
    parser.add_argument("--steps", type=int, default=50, help="of eot")
    parser.add_argument("--samples", type=int, default=4, help="of eot, a step")
    parser.add_argument("--draws", type=int, default=8, help="held-out draws of graphite an image")
    parser.add_argument("--workers", type=int, help="processes for photos and crops")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of the page")
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
        draws=2 if chosen.quick else chosen.draws,
        workers=chosen.workers,
    )
    progress = reporter(quiet=False)
    classifier = load_classifier(settings.model)
    images = choose_images(settings, classifier)
    runs = (*CLASSICS, *ROBUST) if chosen.quick else RUNS
    printouts = {run.name: attacked(run, settings, images, progress) for run in runs}
    together, capture = Printout(settings.root, "together"), Capture(settings.root, "together")
    print_together(together, printouts, progress)
    photos = pictured_together(
        together, capture, classifier, seeds=SEEDS, workers=settings.workers, reporter=progress
    )
    graphite = under_graphite(printouts, settings, classifier, photos, progress)
    measured = {PHOTO: photos, GRAPHITE: graphite}
    compared = compare_all(measured)
    changes = {name: mean_change(printout) for name, printout in printouts.items()}
    texts = {
        f"{NAME}.md": "\n".join(page(settings, measured, compared, changes)),
        f"{NAME}.json": json.dumps(details(settings, measured, compared, changes), indent=1) + "\n",
    }
    for name, text in texts.items():
        with replacing(chosen.out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(json.dumps(summary(measured)))


if __name__ == "__main__":
    main()
