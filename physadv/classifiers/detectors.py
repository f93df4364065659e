"""Object detectors as experiments see them: pictures in, boxes, scores and labels out.

They are torchvision's, which is imported only when one is asked for.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from physadv.classifiers.classifier import find_device
from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.libraries import download
from physadv.classifiers.specs import check_detector, read_label_file
from physadv.classifiers.weight_files import fill, read_state_dict
from physadv.errors import first_line, unknown_name

STOP_SIGN = "stop sign"
"""COCO's name of the class; its label is 13."""
LEAST_IOU = 0.5
"""Intersection over union from which a box counts as the sign's (PASCAL VOC, Everingham et al. 2010)."""

_ZERO_EPS = tuple(f"{kind}_resnet50_fpn" for kind in ("fasterrcnn", "keypointrcnn", "maskrcnn", "retinanet"))


@dataclass(frozen=True)
class Detections:
    """Objects that a detector found in one picture, the highest score first.

    Attributes:
        boxes: (N, 4), left, top, right, bottom in pixels; (0, 0) is the top-left corner of the image.
        scores: (N,) in [0, 1].
        labels: int64 (N,), indices of the detector's labels.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class Detector(nn.Module):
    """A frozen detector: float RGB pictures in [0, 1] → the `Detections` in each.

    Args:
        network: takes a list of pictures (3, H, W) and returns a dict of boxes, scores and labels for each,
            as torchvision's detectors do. It resizes and normalises inside.
        labels: class names by label; label 0 is the background.
        spec: the text `load_detector` was given.
        device: where it runs.
    """

    def __init__(self, network: nn.Module, labels: Sequence[str], spec: str, device: torch.device) -> None:
        super().__init__()
        self.network = network.to(device)
        self.labels, self.spec, self.device = tuple(labels), spec, device
        self.requires_grad_(False).eval()

    def forward(self, pictures: Iterable[Tensor]) -> list[Detections]:
        """Return the detections in each picture (3, H, W), float in [0, 1]; pictures may differ in size."""
        found = self.network([picture.to(self.device) for picture in pictures])
        return [Detections(each["boxes"], each["scores"], each["labels"]) for each in found]

    def label_index(self, name: str) -> int:
        """Return the label of a class name, or raise ClassifierError: the detector knows no such class."""
        names = [label.casefold() for label in self.labels]
        if name.casefold() not in names[1:]:
            raise ClassifierError(unknown_name(f"class of {self.spec}", name, self.labels[1:]))
        return names.index(name.casefold())


def load_detector(spec: str, labels: Path | None = None, *, device: str = "cpu") -> Detector:
    """Return the detector that `spec` names, frozen and in evaluation mode.

    Args:
        spec: `torchvision/NAME[:WEIGHTS]`, such as `torchvision/fasterrcnn_resnet50_fpn_v2`: published
            weights, the registered default without WEIGHTS; or `torchvision/NAME@PATH`: that architecture
            with a state dict of your own (`torch.save` or `.safetensors`).
        labels: a text file of class names, one a line, without the background; COCO's if None. With weights
            of your own it gives the number of classes.
        device: `auto`, or a device as torch names it.

    Raises:
        ClassifierError: the spec is unknown, a file is missing, damaged, does not fit or wants to run code, a
            download fails, torchvision is absent, or the device cannot be used.
    """
    checked = check_detector(spec)
    try:
        import torchvision.models as zoo
    except (ImportError, RuntimeError) as error:  # one built for another torch fails to register operators
        raise ClassifierError(f"detector '{spec}' needs torchvision ({first_line(error)})") from error
    place = find_device(device)
    weights = zoo.get_model_weights(checked.name)[checked.weights]
    published = weights.meta["categories"]
    names = published if labels is None else ["__background__", *read_label_file(labels)]
    if checked.path:
        network = zoo.get_model(checked.name, weights=None, weights_backbone=None, num_classes=len(names))
        state = read_state_dict(checked.path, network.state_dict())
        fill(network, state, checked.path, spec)
        if checked.name in _ZERO_EPS and not any(key.endswith("num_batches_tracked") for key in state):
            # Statistics that were frozen are those published, which torchvision itself evaluates without eps.
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = 0.0
    elif len(names) != len(published):
        wanted = len(published) - 1
        raise ClassifierError(f"{labels} has {len(names) - 1} labels; {spec} has {wanted} classes")
    else:
        progress = sys.stderr.isatty()
        network = download(spec, lambda: zoo.get_model(checked.name, weights=weights, progress=progress))
    return Detector(network, names, spec, place)


def sign_score(found: Detections, box: Tensor, label: int, least_iou: float = LEAST_IOU) -> float:
    """Return the highest score of a class among the boxes that overlap the sign's, 0 if none does.

    The sign's box is (4,), in the coordinates of `Detections`.
    """
    from torchvision.ops import box_iou

    overlap = box_iou(found.boxes, box.to(found.boxes)[None])[:, 0]
    scores = found.scores[(found.labels == label) & (overlap >= least_iou)]
    return float(scores.max()) if len(scores) else 0.0
