"""The data of the sign classifier: GTSRB's signs and photos of US stop signs, from a folder.

It has `traffic/gtsrb32.npz` (32-pixel GTSRB signs) and `traffic/rp2/victims` (photos of US stop signs).
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.specs import SIGN_LABELS
from physadv.errors import PhysadvError, reading
from physadv.pictures.reading import read_exact
from physadv.signs.training.harden_settings import training_file

STOP = SIGN_LABELS.index("stop")


class Signs(NamedTuple):
    """Sign images (N, 3, H, W), uint8 RGB, and their labels (N,), int64."""

    images: Tensor
    labels: Tensor


def read_training(data: Path) -> tuple[Signs, np.ndarray]:
    """Return the training signs (N, 3, 32, 32) and the track (class, number) of each, (N, 2).

    Raises:
        ClassifierError: the file is missing, damaged, or holds other arrays.
    """
    path = training_file(data)
    images, labels, tracks = _arrays(path, "train_images", "train_labels", "train_tracks")
    return _signs(images, labels, path), tracks


def read_test(data: Path) -> Signs:
    """Return the 3,000 test signs (N, 3, 32, 32).

    Raises:
        ClassifierError: the file is missing, damaged, or holds other arrays.
    """
    path = training_file(data)
    images, labels = _arrays(path, "test_images", "test_labels")
    return _signs(images, labels, path)


def read_victims(data: Path) -> Signs:
    """Return the 40 photos of US stop signs (N, 3, 256, 256) of Eykholt et al. 2018, all labelled stop.

    Raises:
        ClassifierError: there are none, one cannot be read, or they are of several sizes.
    """
    folder = data / "traffic" / "rp2" / "victims"
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise ClassifierError(f"{folder}: no photos of stop signs (*.png) there")
    images = [read_exact(path, partial(_no_photo, path)) for path in paths]
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise ClassifierError(f"{folder}: photos of {len(sizes)} sizes; wanted all of one")
    return _signs(np.stack(images), np.full(len(paths), STOP), folder)


def _no_photo(path: Path, error: PhysadvError) -> ClassifierError:
    return ClassifierError(f"{path}: cannot be read as a photo ({error})")


def _arrays(path: Path, *names: str) -> list[np.ndarray]:
    fault = f"{path} is damaged or holds no {', '.join(names)}"
    with reading(path, lambda _error: ClassifierError(fault)), np.load(path) as arrays:
        return [arrays[name] for name in names]


def _signs(images: np.ndarray, labels: np.ndarray, path: Path) -> Signs:
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise ClassifierError(f"{path}: images {images.shape}, {images.dtype}; wanted (N, H, W, 3), uint8")
    if labels.shape != images.shape[:1] or not np.isin(labels, range(len(SIGN_LABELS))).all():
        raise ClassifierError(f"{path}: labels {labels.shape}; wanted one of 0 to 42 for every image")
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return Signs(pixels, torch.from_numpy(labels.astype(np.int64)))
