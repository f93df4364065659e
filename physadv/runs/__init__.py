"""Runs on disk, printouts/NAME and captures/NAME: the only door to the files between one step and the next.

    Printout(root, name)     the manifest and the examples that are printed
    Capture(root, name)      photos, crops, the report, and the observation store
    Manifest                 what was made, from what and how: a pydantic model, readable by a person
    ObservationStore         photos, crops and classifiers' answers in SQLite; all SQL is in this room

Used by pipeline, report, study and the signs; the library's rooms never see a run.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.runs.counting import ObservationCount, ObservationCounter
    from physadv.runs.folders import Capture, Printout, RunError, check_runs
    from physadv.runs.manifest import (
        SCHEMA_VERSION,
        AttackRecord,
        ClassifierRecord,
        Example,
        HeldOut,
        Manifest,
        Prediction,
        Selection,
    )
    from physadv.runs.rows import Colour, CropRow, ObservationRow, PhotoRow
    from physadv.runs.store import ObservationStore

# fmt: off
__all__ = [
    "SCHEMA_VERSION", "AttackRecord", "Capture", "ClassifierRecord", "Colour", "CropRow", "Example",
    "HeldOut", "Manifest", "ObservationCount", "ObservationCounter", "ObservationRow", "ObservationStore",
    "PhotoRow", "Prediction", "Printout", "RunError", "Selection", "check_runs",
]
# fmt: on
__getattr__, __dir__ = lazy_names(__name__)
