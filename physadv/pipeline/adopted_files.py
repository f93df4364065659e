"""Files of images made elsewhere, read for `adopt`: folders paired by file name, or arrays."""

import zipfile
from collections.abc import Mapping
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

    Clean images are a folder, CSV file or class tree as `physadv generate` takes them, and adversarial ones
    a folder of files of the same names (their endings may differ). Or both are arrays: `.npy`, `.npz` or
    `.pt`, which may hold `labels` beside `images`. `target` is the class that all of them aim at, if any.

    Raises:
        PhysadvError: bad input of any kind.
    """
    pairs = _check_paths(clean, adversarial)
    check_spec(model, labels_file)
    from physadv.classifiers import load_classifier
    from physadv.pipeline.adopt import adopt

    classifier = load_classifier(model, labels_file)
    before: Any
    after: Any
    if pairs:
        before = [read_pixels(source.path) for source, _ in pairs]
        after = [read_pixels(path) for _, path in pairs]
        named = [source.label for source, _ in pairs]
        labels: Any = None if None in named else named
    else:
        before, labels = _read_array(clean)
        after, _ = _read_array(adversarial)
    return adopt(
        printout,
        classifier,
        before,
        after,
        labels,
        targets=target,
        made_by=made_by,
        paths=(str(clean), str(adversarial)),
        labels_file=labels_file,
        sources=[source.name for source, _ in pairs] or None,
        reporter=reporter,
    )


def _check_paths(clean: Path, adversarial: Path) -> list[tuple[ListedSource, Path]]:
    """Return which files are pairs, for folders; nothing for arrays. Reads no image."""
    for path in (clean, adversarial):
        if not path.exists():
            raise SourceError(f"{path}: not found")
    arrays = [path.suffix.lower() in ARRAYS for path in (clean, adversarial)]
    if all(arrays):
        return []
    if not adversarial.is_dir() or any(arrays):
        wanted = f"wanted two folders of images, or two arrays ({', '.join(ARRAYS)})"
        raise SourceError(f"{clean} and {adversarial}: {wanted}")
    sources: dict[str, ListedSource] = {}
    for source in list_sources(clean):
        other = sources.get(_stem(source.name), source).name
        if other != source.name:
            raise SourceError(f"{clean}: {other} and {source.name} have one name; wanted one file a pair")
        sources[_stem(source.name)] = source
    found = [path for folder in (adversarial, *folders_in(adversarial)) for path in images_in(folder)]
    others = {_stem(str(path.relative_to(adversarial))): path for path in found}
    for folder, stems, partners in ((adversarial, sources, others), (clean, others, sources)):
        if missing := [stem for stem in stems if stem not in partners]:
            more = f" and {len(missing) - NAMED} more" * (len(missing) > NAMED)
            named = ", ".join(missing[:NAMED])
            raise SourceError(f"{folder}: no image for {named}{more}; wanted pairs by name")
    return [(source, others[stem]) for stem, source in sources.items()]


def _stem(name: str) -> str:
    return Path(name).with_suffix("").as_posix()


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
        wanted = "not a file of plain tensors, as torch.save writes them"
        raise SourceError(f"{path}: {wanted} ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
