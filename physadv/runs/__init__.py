"""printouts/NAME and captures/NAME: the only door to what lies on disk between one stage and the next.

Used by stages, experiments and the command line; the numeric rooms never see a run.
"""

from physadv.runs.counting import AnswerCounter, Count
from physadv.runs.errors import RunError
from physadv.runs.folders import Capture, Printout
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

__all__ = [
    "SCHEMA_VERSION",
    "AnswerCounter",
    "AttackRecord",
    "Capture",
    "ClassifierRecord",
    "Colour",
    "Count",
    "CropRow",
    "Example",
    "HeldOut",
    "Manifest",
    "ObservationRow",
    "ObservationStore",
    "PhotoRow",
    "Prediction",
    "Printout",
    "RunError",
    "Selection",
]
