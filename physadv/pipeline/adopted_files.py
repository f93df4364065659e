"""Files of images made elsewhere, read for `adopt`: folders paired by file name, or arrays."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physadv.classifiers.specs import check_spec
from physadv.pipeline.sources import (
    ListedSource,
    SourceError,
    folders_in,
    images_in,
    list_sources,
    read_pixels,
)
from physadv.progress import Reporter, silent
from physadv.runs import Manifest, Printout

ARRAYS = (".npy", ".npz", ".pt", ".pth")
NAMED = 5


@dataclass(frozen=True)
class PairedFiles:
    """Images read from two paths.

    Attributes:
        clean: as `adopt` takes them.
        adversarial: as `adopt` takes them, in the same order.
        labels: true classes, indices or names; None where the files give none.
        sources: display names of the pairs, None for images from arrays.
    """

    clean: Any
    adversarial: Any
    labels: Any
    sources: list[str] | None


def adopt_files(
    printout: Printout,
    clean: Path,
    adversarial: Path,
    *,
    model: str = "signs",
    labels_file: Path | None = None,
    target: str | None = None,
    made_by: str = "own",
    reporter: Reporter = silent,
) -> Manifest:
    """Make a run of images on disk and return its manifest; paths are checked before the model is loaded.

    Args:
        printout: the run to make.
        clean: see `read_pairs`.
        adversarial: see `read_pairs`.
        model: a spec of `load_classifier`.
        labels_file: text file of the model's class names, one a line.
        target: class that all adversarial images aim at, None for an untargeted attack.
        made_by: name of the attack, for the manifest.
        reporter: shows progress.

    Raises:
        PhysadvError: bad input of any kind.
    """
    check_paths(clean, adversarial)
    check_spec(model, labels_file)
    from physadv.classifiers import load_classifier
    from physadv.pipeline.adopt import Origin, adopt

    classifier = load_classifier(model, labels_file)
    found = read_pairs(clean, adversarial)
    return adopt(
        printout,
        classifier,
        found.clean,
        found.adversarial,
        found.labels,
        targets=target,
        origin=Origin(made_by, str(clean), str(adversarial), labels_file, found.sources),
        reporter=reporter,
    )


def check_paths(clean: Path, adversarial: Path) -> list[tuple[ListedSource, Path]]:
    """Return which files are pairs, for folders; nothing for arrays. Reads no image.

    Raises:
        SourceError: a path is missing, one is a folder and the other an array, or a file has no partner.
    """
    for path in (clean, adversarial):
        if not path.exists():
            raise SourceError(f"{path}: not found")
    arrays = [path.suffix.lower() in ARRAYS for path in (clean, adversarial)]
    if all(arrays):
        return []
    if not adversarial.is_dir() or any(arrays):
        raise SourceError(
            f"{clean} and {adversarial}: wanted two folders of images, or two arrays ({', '.join(ARRAYS)})"
        )
    return _paired(clean, adversarial)


def read_pairs(clean: Path, adversarial: Path) -> PairedFiles:
    """Return the pairs of images at two paths, at the size they have.

    Args:
        clean: images as `physadv generate` takes them (folder, CSV, class tree), or an array: `.npy`, `.npz`
            or `.pt`, which may hold `labels` beside `images`.
        adversarial: a folder of files of the same names (their endings may differ), or an array.

    Raises:
        SourceError: as `check_paths`, or a file that cannot be read.
    """
    pairs = check_paths(clean, adversarial)
    if not pairs:
        images, labels = _read_array(clean)
        return PairedFiles(images, _read_array(adversarial)[0], labels, None)
    labels = [source.label for source, _ in pairs]
    return PairedFiles(
        clean=[read_pixels(source.path) for source, _ in pairs],
        adversarial=[read_pixels(path) for _, path in pairs],
        labels=None if None in labels else labels,
        sources=[source.name for source, _ in pairs],
    )


def _paired(clean: Path, adversarial: Path) -> list[tuple[ListedSource, Path]]:
    sources = {_stem(source.name): source for source in _unique(list_sources(clean), clean)}
    found = [path for folder in (adversarial, *folders_in(adversarial)) for path in images_in(folder)]
    others = {_stem(str(path.relative_to(adversarial))): path for path in found}
    for folder, stems, partners in ((adversarial, sources, others), (clean, others, sources)):
        if missing := [stem for stem in stems if stem not in partners]:
            more = f" and {len(missing) - NAMED} more" * (len(missing) > NAMED)
            raise SourceError(
                f"{folder}: no image for {', '.join(missing[:NAMED])}{more}; wanted pairs by name"
            )
    return [(source, others[stem]) for stem, source in sources.items()]


def _stem(name: str) -> str:
    return Path(name).with_suffix("").as_posix()


def _unique(sources: Sequence[ListedSource], clean: Path) -> Sequence[ListedSource]:
    seen: dict[str, str] = {}
    for source in sources:
        other = seen.setdefault(_stem(source.name), source.name)
        if other != source.name:
            raise SourceError(f"{clean}: {other} and {source.name} have one name; wanted one file a pair")
    return sources


def _read_array(path: Path) -> tuple[Any, Any]:
    """Return the images in a file of arrays, and the labels beside them or None."""
    if path.suffix.lower() in (".pt", ".pth"):
        held = _read_torch(path)
    else:
        try:
            held = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(f"{path}: not a readable NumPy file ({_first_line(error)})") from error
    if isinstance(held, Mapping):
        names = list(held)
        images = "images" if "images" in names else names[0] if len(names) == 1 else None
        if images is None:
            raise SourceError(f"{path}: holds {', '.join(map(str, names))}; wanted 'images' (and 'labels')")
        return held[images], held["labels"] if "labels" in names else None
    return held, None


def _read_torch(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise anything
        raise SourceError(
            f"{path}: not a file of plain tensors, as torch.save writes them ({_first_line(error)})"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
