"""Pairs of images in, examples of a run out: the files to print, and their records in the manifest."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from physadv.files import file_sha256, replacing
from physadv.runs import Example, HeldOut, Prediction, Printout, RunError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class JudgedPair:
    """A clean and an adversarial image of one source, with the classifier's answers on both.

    Attributes:
        clean: uint8 (H, W, 3), RGB.
        adversarial: uint8 (H, W, 3), RGB.
        source: display name of the source image.
        label: index of the true class.
        target: index of the class that the attack aimed at, None for an untargeted one.
        clean_top: the classifier's top five on `clean`.
        adversarial_top: the classifier's top five on `adversarial`.
        held_out: success of `adversarial` on transformations that the attack did not see, if measured.
    """

    clean: Pixels
    adversarial: Pixels
    source: str
    label: int
    target: int | None
    clean_top: tuple[Prediction, ...]
    adversarial_top: tuple[Prediction, ...]
    held_out: HeldOut | None = None


def write_pair(
    printout: Printout, number: int, pair: JudgedPair, labels: Sequence[str]
) -> tuple[Example, Example]:
    """Write both images of a pair as PNG and return their records, the clean one first.

    Args:
        printout: the run.
        number: the pair's number in the run, from 1.
        pair: the images and what is known of them.
        labels: the classifier's class names.

    Raises:
        RunError: a file does not read back as it was written.
    """
    name = f"{number:04d}"

    def written(kind: str, pixels: Pixels, top: tuple[Prediction, ...], held_out: HeldOut | None) -> Example:
        path = printout.folder / kind / f"{name}.png"
        with replacing(path) as temporary:
            Image.fromarray(pixels).save(temporary, "PNG")
            with Image.open(temporary) as image:
                if not np.array_equal(np.asarray(image), pixels):
                    raise RunError(
                        f"{path}: what was read back differs from what was written; is the disk sound?"
                    )
        return Example(
            id=f"{name}-{kind}",
            pair=name,
            kind="clean" if kind == "clean" else "adversarial",
            path=f"{kind}/{path.name}",
            sha256=file_sha256(path),
            size_px=(pixels.shape[1], pixels.shape[0]),
            source=pair.source,
            label=pair.label,
            label_name=labels[pair.label],
            target=pair.target,
            held_out=held_out,
            digital=top,
        )

    return (
        written("clean", pair.clean, pair.clean_top, None),
        written("adversarial", pair.adversarial, pair.adversarial_top, pair.held_out),
    )


def versions(library: str | None = None) -> dict[str, str]:
    """Return the versions that a manifest records: this package, torch, Python, and a library's."""
    import torch

    return {
        "physadv": version("physadv"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        **({library: version(library)} if library else {}),
    }
