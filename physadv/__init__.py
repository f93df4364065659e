"""Print it, photograph it, measure what survives.

physadv takes adversarial examples from tensor to score: perturb, print on tagged sheets, photograph, crop
and count how many were destroyed on the way. A notebook needs three names and the rooms:

    load_classifier   a classifier by name: "signs", "torchvision/resnet50", "file:mine.pt2"
    samples           a few images and labels to try it on
    Run               your clean and adversarial tensors → a run to print, photograph, crop and measure

    attacks, transforms, classifiers, defences      tensors to tensors
    sheets, phone, capture                          paper, the virtual phone, photos to crops
    evaluation                                      destruction rates, intervals, comparisons
    runs, signs, errors                             files of a run, stop signs, PhysadvError

Names are loaded when they are first used, because torch takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.classifiers import load_classifier
    from physadv.errors import PhysadvError
    from physadv.notebook import Run
    from physadv.sampling import samples

__version__ = "0.1.0"

_get, _ = lazy_names(__name__)
_ROOMS = (
    *("attacks", "capture", "classifiers", "defences", "errors", "evaluation"),
    *("phone", "runs", "sheets", "signs", "transforms"),
)

__all__ = ["PhysadvError", "Run", "__version__", "load_classifier", "samples"]


def __getattr__(name: str) -> Any:
    return import_module(f"physadv.{name}") if name in _ROOMS else _get(name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
