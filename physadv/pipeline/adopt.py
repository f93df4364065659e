"""`adopt`: clean and adversarial images made elsewhere become a run, printed and measured like any other."""

import hashlib
import json
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from physadv.classifiers import Classifier
from physadv.classifiers.classifier import check_classifier
from physadv.classifiers.errors import ClassifierError
from physadv.errors import PhysadvError, PhysadvWarning
from physadv.pipeline.examples import (
    AttackedBatch,
    TopFive,
    predictions,
    to_tensor,
    versions,
    write_pair,
)
from physadv.pipeline.sources import neighbours_of_one_size
from physadv.progress import Reporter, silent
from physadv.runs import AttackRecord, ClassifierRecord, Example, Manifest, Printout, Selection

if TYPE_CHECKING:
    from physadv.pictures.damage import Pixels

Images = Tensor | NDArray[np.generic] | Sequence[Tensor | NDArray[np.generic]]
Labels = Tensor | Sequence[int | str] | NDArray[np.integer]

BATCH = 32
EXACT = 1e-3
"""Distance from a whole 8-bit level, in levels, that float arithmetic explains."""


class AdoptError(PhysadvError):
    """Images or labels brought from elsewhere cannot be made into a run."""


def adopt(
    printout: Printout,
    classifier: Classifier,
    clean: Images,
    adversarial: Images,
    labels: Labels | None = None,
    *,
    targets: Labels | int | str | None = None,
    made_by: str = "own",
    paths: tuple[str, str | None] = ("from memory", None),
    labels_file: Path | None = None,
    sources: Sequence[str] | None = None,
    reporter: Reporter = silent,
) -> Manifest:
    """Write pairs of images as a run, printouts/NAME, and return its manifest.

    The same images under the same name are adopted once. What was made of them is recorded as measured: the
    largest L∞ and L2 distance of a pair, in 8-bit levels, and how far rounding to 8 bits moved a value.

    Args:
        printout: the run to make.
        classifier: what the adversarial images were made against, or whatever shall judge them.
        clean: B images: a tensor (B, 3, H, W) or an array (B, H, W, 3), float in [0, 1] or uint8; or a list
            of B arrays (H, W, 3), which may differ in size from pair to pair.
        adversarial: B images of the same shapes, in the same order.
        labels: B true classes, indices or names; the classifier's own answers on `clean` by default.
        targets: B classes that the attack aimed at, or one for all; None for an untargeted attack.
        made_by: name of the attack, for the manifest.
        paths: where clean and adversarial images come from, for the manifest.
        labels_file: text file of the classifier's class names, if they are in one.
        sources: display names of the pairs, their numbers by default.
        reporter: shows progress.

    Raises:
        AdoptError: images that are not finite, not in range or not in pairs of one size; not B labels; no
            name of an attack.
        ClassifierError: no Classifier; a label or a target is none of its classes.
        RunError: the run exists with other images.

    Warns:
        PhysadvWarning: every adversarial image is its clean image.
    """
    check_classifier(classifier)
    if not isinstance(made_by, str) or not made_by.strip():
        raise AdoptError(f"made_by {made_by!r}: wanted the name of the attack")
    files = paths[1] is not None
    before, before_moved = to_pixels(clean, paths[0] if files else "clean")
    after, after_moved = to_pixels(adversarial, paths[1] or "adversarial")
    sources = sources or [f"{number:04d}" for number in range(1, len(before) + 1)]
    _check_pairs(before, after, sources)
    known = _indices(classifier, labels, len(before), f"{paths[0]}: labels" if files else "labels")
    one = isinstance(targets, (int, str)) or getattr(targets, "ndim", None) == 0
    wanted = [targets] * len(before) if one else targets
    aims = _indices(classifier, wanted, len(before), "targets")
    parts = [made_by, sources, known, aims, classifier.identity, classifier.labels]
    digest = hashlib.sha256(json.dumps(parts).encode())
    for image in (*before, *after):
        digest.update(str(image.shape).encode() + image.tobytes())

    def examples_of(code: str) -> Manifest:
        tops = _judged(classifier, before)
        given = [top[0].label for top in tops] if known is None else known
        blank: list[None] = [None] * len(before)
        made = AttackedBatch(given, aims or blank, before, after, tops, _judged(classifier, after), blank)
        examples: list[Example] = []
        for place in reporter.track(range(len(before)), len(before), "pairs adopted"):
            examples += write_pair(printout, place + 1, classifier.labels, sources[place], made, place)
        changes = [a.astype(float) - b for a, b in zip(after, before, strict=True)]
        if not any(change.any() for change in changes):
            warnings.warn(
                PhysadvWarning(f"{printout.name}: every adversarial image is its clean image"), stacklevel=4
            )
        parameters: dict[str, str | int | float | None] = {
            "adopted": True,
            "adversarial": paths[1],
            "target": None if not aims else classifier.labels[aims[0]] if len({*aims}) == 1 else "given",
            "measured_linf": int(max(np.abs(change).max() for change in changes)),
            "measured_l2": round(max(math.sqrt((change**2).sum()) for change in changes), 2),
            "rounded_by": round(max(before_moved, after_moved), 3),
        }
        names_file = str(labels_file) if labels_file else None
        return Manifest(
            name=printout.name,
            code=code,
            seed=0,
            classifier=ClassifierRecord(
                spec=classifier.spec, labels_file=names_file, classes=len(classifier.labels)
            ),
            attack=AttackRecord(name=made_by, eps=None, parameters=parameters),
            selection=Selection(
                images=paths[0],
                limit=None,
                prefiltered=False,
                candidates=len(before),
                labels="predicted" if known is None else "given",
            ),
            versions=versions(),
            examples=tuple(examples),
        )

    return printout.make(digest.hexdigest(), examples_of, reporter)


def to_pixels(images: Images, what: str) -> tuple[list["Pixels"], float]:
    """Return images as uint8 RGB (H, W, 3), and the farthest that rounding moved a value, in 8-bit levels.

    Anything but an array, a tensor or a list of them is an AdoptError that begins with `what`.
    """
    channels_first = isinstance(images, Tensor)
    if isinstance(images, (list, tuple)):
        images = [_plain(image, f"{what}, image {place}") for place, image in enumerate(images)]
    else:
        images = _plain(images, what)
        if images.ndim == 4 and images.shape[1] == 3 and (channels_first or images.shape[3] != 3):
            images = images.transpose(0, 2, 3, 1)
    if isinstance(images, np.ndarray) and images.ndim != 4:
        raise AdoptError(f"{what}: shape {images.shape}; wanted (B, 3, H, W) or (B, H, W, 3)")
    if not len(images):
        raise AdoptError(f"{what}: no images")
    rounded = [_rounded(image, f"{what}, image {place}") for place, image in enumerate(images)]
    moved = max(distance for _, distance in rounded)
    return [pixels for pixels, _ in rounded], moved if moved > EXACT else 0.0


def _plain(value: object, what: str) -> NDArray[np.generic]:
    """Return a tensor or an array as an array, floats of a tensor as float32."""
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_meta or value.is_quantized:
            raise AdoptError(f"{what}: a sparse, quantized or meta tensor; wanted a dense one")
        value = value.detach().cpu()
        return (value.float() if value.is_floating_point() else value).numpy()
    array = np.asarray(value)
    if not array.ndim or array.dtype.kind not in "biuf":
        kind = type(value).__name__
        raise AdoptError(f"{what}: {kind}; wanted a tensor, an array or a list of arrays (H, W, 3)")
    return array


def _rounded(image: NDArray[np.generic], what: str) -> tuple["Pixels", float]:
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise AdoptError(f"{what}: shape {image.shape}; wanted three channels and one image, (H, W, 3)")
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image, dtype=np.uint8), 0.0
    if not np.issubdtype(image.dtype, np.floating):
        raise AdoptError(f"{what}: {image.dtype} values; wanted float in [0, 1] or uint8")
    values = image.astype(np.float64)
    if not np.isfinite(values).all():
        raise AdoptError(f"{what}: values that are not finite")
    low, high = float(values.min()), float(values.max())
    if low * 255 < -EXACT or high * 255 > 255 + EXACT:
        raise AdoptError(f"{what}: values from {low:g} to {high:g}; wanted 0 to 1")
    levels = values.clip(0, 1) * 255
    whole = levels.round()
    return whole.astype(np.uint8), float(np.abs(levels - whole).max())


def _check_pairs(clean: Sequence["Pixels"], adversarial: Sequence["Pixels"], sources: Sequence[str]) -> None:
    if len(clean) != len(adversarial):
        raise AdoptError(f"{len(clean)} clean and {len(adversarial)} adversarial images; wanted pairs")
    for source, one, other in zip(sources, clean, adversarial, strict=True):
        if one.shape != other.shape:
            here, there = (f"{image.shape[1]} × {image.shape[0]}" for image in (one, other))
            raise AdoptError(f"{source}: clean is {here} pixels and adversarial {there}; wanted one size")


def _indices(classifier: Classifier, given: object, count: int, what: str) -> list[int] | None:
    """Return indices of classes given as indices or names, one a pair."""
    if given is None:
        return None
    values = _plain(given, what) if isinstance(given, Tensor) else given
    values = values.tolist() if hasattr(values, "tolist") else values
    wanted = "wanted indices or names, one a pair"
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise AdoptError(f"{what}: {values!r:.60}; {wanted}")
    if len(values) != count:
        raise AdoptError(f"{what}: {len(values)} for {count} pairs; {wanted}")
    found = []
    for value in values:
        label = value.item() if getattr(value, "ndim", None) == 0 else value
        if isinstance(label, bool) or not isinstance(label, (int, str)):
            raise AdoptError(f"{what}: {value!r:.60}; {wanted}")
        try:
            found.append(classifier.label_index(str(label)))
        except ClassifierError as error:
            raise ClassifierError(f"{what}: {error}") from error
    return found


def _judged(classifier: Classifier, images: Sequence["Pixels"]) -> list[TopFive]:
    """Return the classifier's top five on every image."""
    found: list[TopFive] = []
    for batch in neighbours_of_one_size(images, lambda image: image.shape, BATCH):
        found += predictions(classifier, to_tensor(batch).to(classifier.device))
    return found
