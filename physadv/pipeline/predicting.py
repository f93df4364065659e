"""`calibrate compare`: what a profile predicts of every pair of a run, beside what its photos showed."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physadv.evaluation.outcomes import PairOutcome
from physadv.evaluation.prediction import Prediction, judge_prediction
from physadv.pipeline.measure import load_judge, measure, own_classifier, photo_outcomes
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import Observer, ProfileChannel
from physadv.pipeline.settings import SettingsError, profile_record
from physadv.profiles import read_profile
from physadv.progress import Reporter, silent
from physadv.runs import Capture, Printout, RunError
from physadv.runs.folders import writes_run

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS = 32


@dataclass(frozen=True)
class ProfileCheck:
    """How well a profile predicted a run's photos.

    Attributes:
        measurement: of the photos.
        profile: what a manifest records of the profile.
        draws: of the profile, for every example.
        kinds: "clean stays right" of pairs whose clean file is right, and "adversarial stays wrong" of those
            whose adversarial file is wrong too → the chance of it, the share of draws, beside the photos.
    """

    measurement: Measurement
    profile: dict[str, str]
    draws: int
    kinds: dict[str, Prediction]


@writes_run
def compare_profile(
    printout: Printout,
    capture: Capture,
    path: Path,
    *,
    model: str | None = None,
    labels: Path | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    reporter: Reporter = silent,
) -> ProfileCheck:
    """Return how the profile in a file predicted what the photos of a run showed.

    Every draw is a channel of the run's store, so that none is judged twice.

    Args:
        printout: the run.
        capture: its photos, cropped.
        path: the profile.
        model: spec of the classifier that judges; the one that the run was made against by default.
        labels: text file of its class names, if there is one.
        draws: of the profile, for every example.
        seed: the seed of the first draw; the others follow.
        reporter: shows progress.

    Raises:
        ProfileError: the profile cannot be read, or was edited.
        RunError: the run has no crops, or was printed precompensated.
        SettingsError: draws < 1.
    """
    if draws < 1:
        raise SettingsError(f"draws {draws}: wanted 1 or more")
    record, profile, manifest = profile_record(path), read_profile(path), printout.printed_manifest()
    if manifest.precompensation:
        fault = "was printed in other colours than its files have (--precompensate)"
        raise RunError(f"run '{manifest.name}' {fault}: a profile says what becomes of the files' own")
    with capture.store() as store:
        if not any(crop.path for crop in store.crops()):
            raise RunError(f"{capture.folder}: no crops to compare with; run 'physadv crop {capture.name}'")
    judge = load_judge(manifest, model or own_classifier(manifest), labels)
    (measured,) = measure(printout, capture, models=[judge], reporter=reporter)
    channels = [ProfileChannel.of(profile, manifest, seed + draw) for draw in range(draws)]
    right: Counter[str] = Counter()
    labelled = {example.id: example.label for example in manifest.examples}
    with capture.store() as store:
        Observer(store, manifest, [judge], reporter).observe_examples(printout, channels)
        for channel in channels:
            for row in store.observations(manifest.code, judge.identity, channel.name, channel.seed):
                right[row.example] += row.labels[0] == labelled[row.example]
        outcomes = photo_outcomes(store, measured)
    ids = [(clean.id, adversarial.id) for clean, adversarial in manifest.pairs()]
    chances = [(right[clean] / draws, 1 - right[adversarial] / draws) for clean, adversarial in ids]
    return ProfileCheck(measured, record, draws, _compared(outcomes, chances))


def _compared(
    outcomes: "Sequence[PairOutcome]", chances: "Sequence[tuple[float, float]]"
) -> dict[str, Prediction]:
    """Return how the chances that the clean image stays right and the adversarial one wrong came true."""
    import numpy as np

    views: dict[str, list[tuple[int, bool, str]]] = {"clean stays right": [], "adversarial stays wrong": []}
    clean, adversarial = views.values()
    for number, pair in enumerate(outcomes):
        label = pair.label
        if pair.clean.right(label, 1):
            clean += [(number, seen.right(label, 1), seen.photo) for seen in pair.clean_after]
            if not pair.adversarial.right(label, 1):
                after = pair.adversarial_after
                adversarial += [(number, not seen.right(label, 1), seen.photo) for seen in after]
    found = {}
    for place, (kind, rows) in enumerate(views.items()):
        photos: list[Any] = [photo for _, _, photo in rows]
        found[kind] = judge_prediction(
            np.array([chance[place] for chance in chances]),
            np.array([seen for _, seen, _ in rows], bool),
            np.array([number for number, _, _ in rows], np.int64),
            np.unique(photos, return_inverse=True)[1].astype(np.int64),
        )
    return found
