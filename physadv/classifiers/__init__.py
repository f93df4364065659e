"""Classifiers of pixels, from a spec such as "signs", "torchvision/resnet50" or "file:mine.pt2".

    load_classifier(spec)          a frozen module: float RGB images (B, 3, H, W) in [0, 1] → logits (B, K)
    list_models()                  every spec that can be named
    check_spec(spec, labels)       errors in names and paths, without torch
    Classifier(network, labels, spec)  a network of your own that resizes and normalises inside
    load_detector(spec)            object detectors, judged by `sign_score`

This room reads weights and label files. It knows nothing of attacks, sheets or photos. Names are imported
when they are first used; `list_models` and `check_spec` need no torch.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.classifiers.classifier import Classifier
    from physadv.classifiers.detectors import Detections, Detector, load_detector
    from physadv.classifiers.errors import ClassifierError
    from physadv.classifiers.loading import load_classifier
    from physadv.classifiers.specs import check_detector, check_spec, list_models

# fmt: off
__all__ = [
    "Classifier", "ClassifierError", "Detections", "Detector", "check_detector", "check_spec", "list_models",
    "load_classifier", "load_detector",
]
# fmt: on

__getattr__, __dir__ = lazy_names(__name__)
