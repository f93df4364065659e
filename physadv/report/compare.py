"""`compare`: runs judged by one classifier, side by side on the images that they share, with paired tests."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physadv.evaluation.comparisons import Comparison, compare_paired, corrected
from physadv.evaluation.destruction import clean_survival, destruction_rate, success
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.outcomes import Bools, Ints, Tally
from physadv.pipeline.measure import Measurement, measure
from physadv.pipeline.observing import PHOTO, UNTOUCHED, Channel, TallyReader
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Manifest, Printout, RunError

SUCCESS, DESTRUCTION, SURVIVAL = "success", "destruction rate", "clean survival"
TOP = 1

Source = tuple[str, int]
"""SHA-256 of a clean example, and which of several with the same it is."""


@dataclass(frozen=True)
class Line:
    """One measure through one channel: run → estimate on the shared pairs, and every two runs tested.

    Attributes:
        channel: "none" for the files as they are, "photo", or a transformation.
        measure: "success", "destruction rate" or "clean survival", at top-1.
        rates: run → estimate.
        tests: every two runs, corrected over the whole comparison; of success and destruction rate only.
    """

    channel: str
    measure: str
    rates: Mapping[str, Estimate]
    tests: tuple[Comparison, ...]


@dataclass(frozen=True)
class RunComparison:
    """Several runs side by side.

    Attributes:
        measurements: one a run.
        shared: source images that all of them hold.
        lines: channel by channel.
    """

    measurements: tuple[Measurement, ...]
    shared: int
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the comparison for machines."""
        first = self.measurements[0]
        return {
            "classifier": first.classifier,
            "shared_pairs": self.shared,
            "runs": [
                {
                    "run": found.manifest.name,
                    "attack": found.manifest.attack.name,
                    "eps": found.manifest.attack.eps,
                    "source": found.manifest.classifier.spec,
                    "pairs": len(found.manifest.pairs()),
                    "simulated_photos": sum(photo.simulated for photo in found.used_photos),
                    "photos": len(found.used_photos),
                }
                for found in self.measurements
            ],
            "lines": [
                {
                    "channel": line.channel,
                    "measure": line.measure,
                    "rates": {run: asdict(rate) for run, rate in line.rates.items()},
                    "tests": [{**asdict(test), "differs": test.differs} for test in line.tests],
                }
                for line in self.lines
            ],
        }


def compare_runs(
    root: Path,
    names: Sequence[str],
    *,
    transforms: Sequence[str] = (),
    sweeps: Sequence[str] = (),
    model: str | None = None,
    labels: Path | None = None,
    seed: int = 0,
    reporter: Reporter = silent,
) -> RunComparison:
    """Return runs compared on the source images that all of them hold, by exact McNemar and Holm.

    Rates are of shared pairs. A test counts a pair as destroyed, or fooled, when it was in more than half of
    the times it came through the channel.

    Args:
        root: folder of the runs.
        names: of two runs or more.
        transforms: digital transformations, such as "blur=2".
        sweeps: sets of them, such as "kurakin".
        model: the classifier that judges all; by default the one that all runs were made against.
        labels: its class names, if they are in a file.
        seed: of random transformations.
        reporter: shows progress.

    Raises:
        RunError: there are fewer than two runs; they were made against different classifiers and none was
            named to judge; they share no source image; or one was never photographed and there is no
            transformation either.
        PhysadvError: as `measure`.
    """
    if len(dict.fromkeys(names)) < 2 or len(set(names)) < len(names):
        raise RunError(f"compare '{' '.join(names)}': wanted two runs or more, each once")
    manifests = [Printout(root, name).manifest() for name in names]
    judge = model or _one_classifier(manifests)
    shared = _shared(manifests)
    if not (transforms or sweeps):
        for manifest in manifests:
            _check_photographed(Capture(root, manifest.name), manifest)
    measurements = [
        measure(
            Printout(root, name),
            Capture(root, name),
            transforms=transforms,
            sweeps=sweeps,
            models=[judge],
            labels=labels,
            seed=seed,
            reporter=reporter,
        )[0]
        for name in names
    ]
    # Through photos only where every run has some.
    channels = [name for name in measurements[0].channels if all(name in m.channels for m in measurements)]
    tallies = [
        _tallies(Capture(root, found.manifest.name), found, channels, places)
        for found, places in zip(measurements, shared, strict=True)
    ]
    lines = [line for channel in (UNTOUCHED.name, *channels) for line in _lines(channel, names, tallies)]
    return RunComparison(tuple(measurements), len(shared[0]), tuple(_corrected(lines)))


def _one_classifier(manifests: Sequence[Manifest]) -> str:
    specs = dict.fromkeys(manifest.classifier.spec for manifest in manifests)
    if len(specs) > 1:
        said = ", ".join(f"{manifest.name} against {manifest.classifier.spec}" for manifest in manifests)
        raise RunError(
            f"runs made against different classifiers cannot be compared as if alike ({said}); "
            "name the one that is to judge them all: --model SPEC"
        )
    return next(iter(specs))


def _shared(manifests: Sequence[Manifest]) -> list[Ints]:
    """Return, for each run, the places of the pairs whose clean example is in every run, in one order."""
    places = [_sources(manifest) for manifest in manifests]
    common = [source for source in places[0] if all(source in others for others in places[1:])]
    if not common:
        names = ", ".join(manifest.name for manifest in manifests)
        raise RunError(
            f"no source image is in all of {names} (clean examples are compared byte by byte); "
            "wanted runs generated from the same images at the same size"
        )
    return [np.array([found[source] for source in common], np.int64) for found in places]


def _sources(manifest: Manifest) -> dict[Source, int]:
    times: Counter[str] = Counter()
    found = {}
    for place, (clean, _) in enumerate(manifest.pairs()):
        found[clean.sha256, times[clean.sha256]] = place
        times[clean.sha256] += 1
    return found


def _check_photographed(capture: Capture, manifest: Manifest) -> None:
    if capture.store_path.exists():
        with capture.store() as store:
            if any(p.run == manifest.printed_code and p.status == "used" for p in store.photos()):
                return
    raise RunError(
        f"{capture.folder}: run '{manifest.name}' was never photographed and cropped; do so, or compare by "
        "--transform or --sweep"
    )


def _tallies(
    capture: Capture, measurement: Measurement, channels: Sequence[str], places: Ints
) -> dict[str, Tally]:
    """Return a run's shared pairs, counted through every channel; the files go through the first of all."""
    seed = measurement.options.seed
    with capture.store() as store:
        tallies = TallyReader(store, measurement.manifest)
        before = tallies.counted(measurement.identity, UNTOUCHED)
        return {
            name: tallies.tally(
                before,
                before
                if name == UNTOUCHED.name
                else tallies.counted(measurement.identity, _channel(name, seed)),
            ).of(places)
            for name in (UNTOUCHED.name, *channels)
        }


def _channel(name: str, seed: int) -> Channel:
    return PHOTO if name == PHOTO.name else Channel(name, seed)


def _lines(channel: str, names: Sequence[str], tallies: Sequence[Mapping[str, Tally]]) -> list[Line]:
    found = {name: tally[channel] for name, tally in zip(names, tallies, strict=True)}
    qualified = {name: t.right_before("clean", TOP) for name, t in found.items()}
    effective = {name: qualified[name] & ~t.right_before("adversarial", TOP) for name, t in found.items()}
    fooled = Line(
        channel,
        SUCCESS,
        {name: success(t, "after", TOP) for name, t in found.items()},
        _tested({name: _mostly(t, qualified[name], right=False) for name, t in found.items()}),
    )
    if channel == UNTOUCHED.name:
        return [fooled]
    return [
        Line(
            channel,
            DESTRUCTION,
            {name: destruction_rate(t, TOP) for name, t in found.items()},
            _tested({name: _mostly(t, effective[name], right=True) for name, t in found.items()}),
        ),
        fooled,
        Line(channel, SURVIVAL, {name: clean_survival(t, TOP) for name, t in found.items()}, ()),
    ]


def _mostly(tally: Tally, counted: Bools, *, right: bool) -> dict[str, bool]:
    """Return which of the counted pairs were right (or wrong) in more than half of the times seen."""
    after = tally.counts["adversarial", "after"]
    times = after.right[:, 0] if right else after.seen - after.right[:, 0]
    return {
        str(place): bool(2 * times[place] > after.seen[place])
        for place in np.flatnonzero(counted & (after.seen > 0))
    }


def _tested(outcomes: Mapping[str, Mapping[str, bool]]) -> tuple[Comparison, ...]:
    return tuple(compare_paired(outcomes))


def _corrected(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with their tests corrected for all tests of all lines together."""
    tests = iter(corrected([test for line in lines for test in line.tests]))
    return [
        Line(line.channel, line.measure, line.rates, tuple(next(tests) for _ in line.tests)) for line in lines
    ]
