"""Pixels in, examples of a run out: a classifier's answers, the files to print, and their records.

Torch is imported where it computes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING, Literal

from physadv.files import file_sha256, replacing
from physadv.runs import Example, HeldOut, Prediction, Printout, RunError
from physadv.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from physadv.classifiers import Classifier
    from physadv.pictures.damage import Pixels

TopFive = tuple[Prediction, ...]

TOP = 5
"""Answers kept of every image."""


def to_tensor(pixels: "Sequence[Pixels]") -> "Tensor":
    """Return images (H, W, 3) uint8 of one size as a float batch (B, 3, H, W) in [0, 1]."""
    import numpy as np
    import torch

    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255


def predictions(classifier: "Classifier", images: "Tensor") -> list[TopFive]:
    """Return the classifier's top five on every image, (B, 3, H, W) in [0, 1]."""
    classes, probabilities = classifier.likeliest(images, TOP)
    return [
        tuple(
            Prediction(label=label, name=classifier.labels[label], probability=round(probability, 6))
            for label, probability in zip(labels, values, strict=True)
        )
        for labels, values in zip(classes.tolist(), probabilities.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class AttackedBatch:
    """B images, and what an attack made of them.

    Attributes:
        labels: true class of each.
        targets: class that the attack aimed at, None for none.
        clean: the images as they were, uint8 (H, W, 3).
        pixels: the adversarial images, uint8 (H, W, 3).
        before: the classifier's top five on each clean image.
        after: the classifier's top five on each adversarial image.
        held_out: success of each on transformations that the attack did not see, None where not measured.
        queries: those of a black-box attack, for all images together.
    """

    labels: list[int]
    targets: Sequence[int | None]
    clean: "Sequence[Pixels]"
    pixels: "Sequence[Pixels]"
    before: list[TopFive]
    after: list[TopFive]
    held_out: Sequence[HeldOut | None]
    queries: int = 0


def write_pair(
    printout: Printout, number: int, classes: Sequence[str], source: str, batch: AttackedBatch, place: int
) -> tuple[Example, Example]:
    """Write both images of a pair as PNG and return their records, the clean one first.

    Args:
        printout: the run.
        number: of the pair, from 1.
        classes: the class names.
        source: display name of the clean image.
        batch: the images, one of which is written.
        place: which of them.

    Raises:
        RunError: a file does not read back as it was written.
    """
    import numpy as np
    from PIL import Image

    name = f"{number:04d}"
    # In a run that is listed already, what is there is what was printed; only what was lost is made again.
    again = printout.manifest_path.exists()

    def written(
        kind: Literal["clean", "adversarial"], pixels: "Pixels", digital: TopFive, held_out: HeldOut | None
    ) -> Example:
        path = printout.folder / kind / f"{name}.png"
        if not (again and path.exists()):
            with replacing(path) as temporary:
                Image.fromarray(pixels).save(temporary, "PNG")
                with Image.open(temporary, formats=["PNG"]) as image:
                    if not np.array_equal(np.asarray(image), pixels):
                        fault = "what was read back differs from what was written; is the disk sound?"
                        raise RunError(f"{path}: {fault}")
        return Example(
            id=f"{name}-{kind}",
            pair=name,
            kind=kind,
            path=f"{kind}/{path.name}",
            sha256=file_sha256(path),
            size_px=(pixels.shape[1], pixels.shape[0]),
            source=printable(source),
            label=batch.labels[place],
            label_name=classes[batch.labels[place]],
            target=batch.targets[place],
            held_out=held_out,
            digital=digital,
        )

    clean = written("clean", batch.clean[place], batch.before[place], None)
    made = batch.pixels[place], batch.after[place], batch.held_out[place]
    return clean, written("adversarial", *made)


def versions(library: str | None = None) -> dict[str, str]:
    """Return the versions that a manifest records: this package, torch, Python, and a library's."""
    import torch

    found = {
        "physadv": version("physadv"),
        "torch": str(torch.__version__),
        "python": python_version(),
    }
    return found | ({library: version(library)} if library else {})
