"""`compare`: runs judged by one classifier, side by side on the images that they share, with paired tests."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from physadv.errors import unknown_name
from physadv.evaluation.comparisons import (
    SMALLEST,
    Comparison,
    Counted,
    check_smallest,
    compare_paired,
    corrected,
)
from physadv.evaluation.destruction import clean_survival, destruction_rate, success
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Bools, Ints, Tally, sharing_photos
from physadv.evaluation.worst import Worst, worst_over
from physadv.pipeline.measure import measure, of_condition, own_classifier
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import PHOTO, UNTOUCHED, Channel, is_photo
from physadv.pipeline.tallies import TallyReader
from physadv.runs import Capture, Manifest, Printout, RunError

SUCCESS, DESTRUCTION, SURVIVAL = "success", "destruction rate", "clean survival"
TOP = 1


@dataclass(frozen=True)
class Line:
    """One measure through one channel: run → estimate on the shared pairs, and every two runs tested.

    Attributes:
        channel: "none" for the files as they are, "photo", or a transformation.
        measure: "success", "destruction rate" or "clean survival", at top-1.
        rates: run → estimate.
        tests: every two runs; all tests of a comparison are one family; of success and destruction rate only.
        worst: of success, the runs taken together, where no run shows an image more than once.
    """

    channel: str
    measure: str
    rates: Mapping[str, Estimate]
    tests: tuple[Comparison, ...]
    worst: Worst | None = None


@dataclass(frozen=True)
class RunComparison:
    """Several runs side by side.

    Attributes:
        measurements: one a run.
        shared: source images that all of them hold.
        lines: channel by channel.
        root: folder of the runs.
        example: of each run, the pair of one shared source image: the first whose clean file is classified
            right and whose adversarial file is classified wrong in every run; without one, the first of all.
        against: the run that all others are tested against; None where every two runs are.
        smallest: smallest difference of interest, in shares.
    """

    measurements: tuple[Measurement, ...]
    shared: int
    lines: tuple[Line, ...]
    root: Path
    example: tuple[str, ...]
    against: str | None = None
    smallest: float = SMALLEST

    def as_json(self) -> dict[str, Any]:
        """Return the comparison for machines."""
        runs = [
            {
                **found.run_facts,
                "pairs": len(found.manifest.pairs()),
                "simulated_photos": sum(photo.simulated for photo in found.used_photos),
                "photos": len(found.used_photos),
            }
            for found in self.measurements
        ]
        lines = [asdict(line) for line in self.lines]
        for line, own in zip(lines, self.lines, strict=True):
            line["tests"] = [{**asdict(test), "verdict": test.verdict} for test in own.tests]
        head = {
            "classifier": self.measurements[0].classifier,
            "shared_pairs": self.shared,
            "smallest_difference": self.smallest,
        }
        return {**head, "runs": runs, "lines": lines}


def compare_runs(
    root: Path,
    names: Sequence[str],
    *,
    model: str | None = None,
    against: str | None = None,
    smallest: float = SMALLEST,
    **options: Any,
) -> RunComparison:
    """Return runs compared on the source images that all of them hold, by sign flips and Holm.

    Rates are of shared pairs. A test takes the difference between a pair's two shares of times destroyed, or
    fooled; signs are flipped pair by pair, of pairs that share photos together. All tests of the comparison
    are one family: of every two runs, or of each with the run `against`. `model` judges all; without it, the
    one that all were made against. Where a run's photos were taken in several ways, photos are compared
    preset by preset and camera by camera, or with `pool` all together. `smallest` is the smallest difference
    of interest, in shares, to be settled before anything is measured. The `options` are arguments of
    `measure`.

    Raises:
        RunError: there are fewer than two runs; `against` is none of them; they were made against different
            classifiers and none was named to judge; they share no source image; or one was never photographed
            and there is no transformation either.
        ComparisonError: `smallest` is out of range.
        PhysadvError: as `measure`.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        raise RunError(f"compare '{' '.join(names)}': wanted two runs or more, each once")
    check_smallest(smallest)
    if against is not None and against not in names:
        raise RunError(unknown_name("run to compare with", against, names))
    manifests = [Printout(root, name).manifest() for name in names]
    judge = model or _one_classifier(manifests)
    shared = _shared(manifests)
    captures = [Capture(root, name) for name in names]
    if not (options.get("transforms") or options.get("sweeps")):
        for capture, manifest in zip(captures, manifests, strict=True):
            _check_photographed(capture, manifest)
    found = [measure(Printout(root, c.name), c, models=[judge], **options)[0] for c in captures]
    apart = not options.get("pool") and len({name for each in found for name in each.conditions}) > 1
    held = [_channels(each, apart=apart) for each in found]
    # Through photos only where every run has some.
    channels = [key for key in held[0] if all(key in own for own in held)]
    tallies = [
        _tallies(capture, each, places, {key: own[key] for key in channels})
        for capture, each, places, own in zip(captures, found, shared, held, strict=True)
    ]
    lines = [
        line
        for channel in channels
        for line in _lines(
            channel,
            dict(zip(names, (own[channel] for own in tallies), strict=True)),
            against,
            smallest,
            {manifest.name: manifest.attack.budget for manifest in manifests},
        )
    ]
    tests = iter(corrected([test for line in lines for test in line.tests]))
    lines = [replace(line, tests=tuple(next(tests) for _ in line.tests)) for line in lines]
    chosen = _fooled_in_all([own[UNTOUCHED.name] for own in tallies])
    example = [m.pairs()[places[chosen]][0].pair for m, places in zip(manifests, shared, strict=True)]
    return RunComparison(tuple(found), len(shared[0]), tuple(lines), root, tuple(example), against, smallest)


def _one_classifier(manifests: Sequence[Manifest]) -> str:
    specs = {manifest.classifier.spec for manifest in manifests}
    if len(specs) > 1:
        said = ", ".join(f"{manifest.name} against {manifest.classifier.spec}" for manifest in manifests)
        raise RunError(
            f"runs made against different classifiers cannot be compared as if alike ({said}); "
            "name the one that is to judge them all: --model SPEC"
        )
    return own_classifier(manifests[0])


def _shared(manifests: Sequence[Manifest]) -> list[Ints]:
    """Return, for each run, the places of the pairs whose clean example is in every run, in one order."""
    places = []
    for manifest in manifests:
        times: Counter[str] = Counter()
        # A clean example's hash, and which of several with the same it is.
        found: dict[tuple[str, int], int] = {}
        for place, (clean, _) in enumerate(manifest.pairs()):
            found[clean.sha256, times[clean.sha256]] = place
            times[clean.sha256] += 1
        places.append(found)
    common = [source for source in places[0] if all(source in others for others in places[1:])]
    if not common:
        names = ", ".join(manifest.name for manifest in manifests)
        raise RunError(
            f"no source image is in all of {names} (clean examples are compared byte by byte); "
            "wanted runs generated from the same images at the same size"
        )
    return [np.array([found[source] for source in common], np.int64) for found in places]


def _check_photographed(capture: Capture, manifest: Manifest) -> None:
    if capture.store_path.exists():
        with capture.store() as store:
            if any(p.run == manifest.printed_code and p.status == "used" for p in store.photos()):
                return
    raise RunError(
        f"{capture.folder}: run '{manifest.name}' was never photographed and cropped; do so, or compare by "
        "--transform or --sweep"
    )


def _channels(measurement: Measurement, *, apart: bool) -> dict[str, Channel]:
    """Return a run's channels, the untouched files first, photos `apart` by condition or all together."""
    photos = [PHOTO] if any(map(is_photo, measurement.channels)) else []
    if photos and apart:
        photos = [of_condition(name, taken) for name, taken in measurement.conditions.items()]
    seed, digital = measurement.options.seed, [key for key in measurement.channels if not is_photo(key)]
    found = [UNTOUCHED, *photos, *(Channel(name, seed) for name in digital)]
    return {channel.key: channel for channel in found}


def _tallies(
    capture: Capture, measurement: Measurement, places: Ints, channels: Mapping[str, Channel]
) -> dict[str, Tally]:
    """Return a run's shared pairs, counted through every channel."""
    found = {}
    with capture.store() as store:
        tallies = TallyReader(store, measurement.manifest)
        before = tallies.counted(measurement.identity, UNTOUCHED)
        for key, channel in channels.items():
            after = tallies.counted(measurement.identity, channel)
            found[key] = tallies.tally(before, after).of(places)
    return found


def _fooled_in_all(files: Sequence[Tally]) -> int:
    """Return the place of the first shared pair that is clean right and adversarial wrong in every run."""
    fooled = [own.right_before("clean", TOP) & ~own.right_before("adversarial", TOP) for own in files]
    return int(np.argmax(np.all(fooled, axis=0)))


def _lines(
    channel: str,
    found: Mapping[str, Tally],
    against: str | None,
    smallest: float,
    budgets: Mapping[str, str],
) -> list[Line]:
    """Return one channel's lines from the tally of every run; budgets are run by run."""
    fooled, destroyed = {}, {}
    sheets = sharing_photos(list(found.values()))
    together: dict[Hashable, Hashable] = {pair: int(sheet) for pair, sheet in enumerate(sheets)}

    def tests(counted: Mapping[str, Counted]) -> tuple[Comparison, ...]:
        return tuple(compare_paired(counted, smallest, together, against))

    for name, tally in found.items():
        right = tally.right_before("clean", TOP)
        fooled[name] = _by_pair(tally, right, right=False)
        destroyed[name] = _by_pair(tally, right & ~tally.right_before("adversarial", TOP), right=True)
    rates = {name: success(tally, "after", TOP) for name, tally in found.items()}
    line = Line(channel, SUCCESS, rates, tests(fooled), _worst(found, budgets))
    if channel == UNTOUCHED.name:
        return [line]
    lost = {name: destruction_rate(tally, TOP) for name, tally in found.items()}
    kept = {name: clean_survival(tally, TOP) for name, tally in found.items()}
    return [
        Line(channel, DESTRUCTION, lost, tests(destroyed)),
        line,
        Line(channel, SURVIVAL, kept, ()),
    ]


def _worst(found: Mapping[str, Tally], budgets: Mapping[str, str]) -> Worst | None:
    """Return the runs taken together on the images that all of them show, each once."""
    after = {name: tally.counts["adversarial", "after"] for name, tally in found.items()}
    if any((own.seen > 1).any() for own in after.values()):
        return None
    counted = np.all([own.seen > 0 for own in after.values()], axis=0)
    counted &= next(iter(found.values())).right_before("clean", TOP)
    wrong = {name: own.right[counted, 0] == 0 for name, own in after.items()}
    return worst_over(wrong, {name for name, tally in found.items() if tally.targeted.all()}, budgets)


def _by_pair(tally: Tally, counted: Bools, *, right: bool) -> Counted:
    """Return how often each of the counted pairs was right (or wrong), and how often it was seen."""
    after = tally.counts["adversarial", "after"]
    times = after.right[:, 0] if right else after.seen - after.right[:, 0]
    return {
        int(place): (int(times[place]), int(after.seen[place]))
        for place in np.flatnonzero(counted & (after.seen > 0))
    }
