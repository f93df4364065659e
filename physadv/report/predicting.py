"""What `calibrate compare` prints: the chances that a profile predicted, beside what photos showed."""

from dataclasses import asdict
from typing import Any

from physadv.evaluation.calibration import Bin
from physadv.evaluation.intervals import Estimate
from physadv.evaluation.prediction import Prediction
from physadv.pipeline.observing import PHOTO
from physadv.pipeline.predicting import ProfileCheck
from physadv.report.provenance import cameras
from physadv.report.table import Cell, Column, Table, show
from physadv.report.wording import UNDEFINED, plural
from physadv.text import printable

Line = tuple[str, Prediction]


def _score(found: Estimate) -> Cell:
    """Return a score that is no share, with its interval."""
    if found.value is None:
        return Cell(UNDEFINED, weak=True)
    ends = "" if found.low is None or found.high is None else f"{found.low:.2f} to {found.high:.2f}"
    return Cell(f"{found.value:.2f}", ends)


SCORES = (
    Column[Line]("", lambda line: line[0]),
    Column[Line]("pairs", lambda line: line[1].brier.pairs, "number"),
    Column[Line]("views", lambda line: line[1].brier.n, "number"),
    Column[Line]("predicted", lambda line: line[1].reliability.confidence, "share"),
    Column[Line]("seen", lambda line: line[1].reliability.accuracy, "interval"),
    Column[Line]("Brier score", lambda line: _score(line[1].brier), "number"),
    Column[Line]("of the mean", lambda line: f"{line[1].brier_of_mean or 0:.2f}", "number"),
    Column[Line]("rank correlation", lambda line: _score(line[1].rank), "number"),
)
BINS = (
    Column[Bin]("predicted", lambda within: f"{100 * within.low:.0f} to {100 * within.high:.0f} %"),
    Column[Bin]("mean", lambda within: within.confidence, "share"),
    Column[Bin]("seen", lambda within: within.accuracy, "interval"),
    Column[Bin]("views", lambda within: within.accuracy.n, "number"),
)


def show_prediction(check: ProfileCheck) -> None:
    """Print how well a profile predicted photos: scores, and shares seen by predicted chance."""
    measured, profile = check.measurement, check.profile
    used = measured.used_photos
    show(Table(f"{measured.manifest.name}: {measured.classifier}", SCORES, {"": [*check.kinds.items()]}))
    print(
        printable(
            f"predicted by {profile['profile']} ({profile['profile_name']}, photos: "
            f"{profile['profile_photos']}), {plural(check.draws, 'draw')} an example; seen in "
            f"{plural(len(used), 'photo')} by {cameras(used)}: {measured.channel_name(PHOTO.name)}"
        )
    )
    print("Brier score: mean square of chance less outcome, beside that of the share seen for all views;")
    print("rank correlation: Spearman's, of chance and share seen of a pair; intervals over pairs and photos")
    groups = {
        kind: [within for within in found.reliability.bins if within.accuracy.n]
        for kind, found in check.kinds.items()
    }
    show(Table("share seen, by predicted chance", BINS, groups, "what"))


def prediction_as_json(check: ProfileCheck) -> dict[str, Any]:
    """Return a check for machines: plain values, undefined ones as null with the reason."""
    measured = check.measurement
    return {
        **measured.run_facts,
        "classifier": measured.classifier,
        **check.profile,
        "draws": check.draws,
        "photos": len(measured.used_photos),
        "simulated_photos": sum(photo.simulated for photo in measured.used_photos),
        "predictions": {kind: asdict(found) for kind, found in check.kinds.items()},
    }
