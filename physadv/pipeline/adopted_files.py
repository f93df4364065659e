"""Files of images made elsewhere, read for `adopt`: folders paired by name, or arrays."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from physadv.classifiers.specs import check_spec
from physadv.errors import first_line, reading
from physadv.pipeline.settings import NO_TARGET, AdoptSettings
from physadv.pipeline.sources import ListedSource, SourceError, pair_sources, read_pixels
from physadv.progress import Reporter, silent
from physadv.runs import Manifest, Printout

ARRAYS = (".npy", ".npz", ".pt", ".pth")


def adopt_files(printout: Printout, settings: AdoptSettings, reporter: Reporter = silent) -> Manifest:
    """Make a run of images on disk and return its manifest; paths are checked before the model is loaded.

    Clean images are a folder, CSV file or class tree as `physadv generate` takes them, and adversarial ones
    a folder of files of the same paths (their endings may differ), or of the same file names where no two
    images share one. Or both are arrays: `.npy`, `.npz` or `.pt`.

    Raises:
        PhysadvError: bad input of any kind.
    """
    import numpy as np

    clean, adversarial = settings.clean, settings.adversarial
    pairs = _check_paths(clean, adversarial)
    check_spec(settings.model, settings.labels)
    from physadv.classifiers import load_classifier
    from physadv.pipeline.adopt import adopt

    classifier = load_classifier(settings.model, settings.labels)
    before: Any
    after: Any
    if pairs:
        before = [read_pixels(source.path) for source, _ in pairs]
        after = [read_pixels(path) for _, path in pairs]
        named = [source.label for source, _ in pairs]
        labels: Any = None if None in named else named
    else:
        first, second = _read_arrays(clean), _read_arrays(adversarial)
        before, after, labels = first["images"], second["images"], first.get("labels")
        if "labels" in second and not np.array_equal(np.asarray(labels), np.asarray(second["labels"])):
            raise SourceError(f"{adversarial}: its labels are not those of {clean}")
    return adopt(
        printout,
        classifier,
        before,
        after,
        labels,
        targets=None if settings.target == NO_TARGET else settings.target,
        made_by=settings.made_by,
        paths=(str(clean), str(adversarial)),
        labels_file=settings.labels,
        sources=[source.name for source, _ in pairs] or None,
        reporter=reporter,
    )


def _check_paths(clean: Path, adversarial: Path) -> list[tuple[ListedSource, Path]]:
    """Return which files are pairs, for folders; nothing for arrays. Reads no image."""
    for path in (clean, adversarial):
        if not path.exists():
            raise SourceError(f"{path}: not found")
        if not (path.is_file() or path.is_dir()):
            raise SourceError(f"{path}: not a file")
    arrays = [path.suffix.lower() in ARRAYS for path in (clean, adversarial)]
    if all(arrays):
        return []
    if not adversarial.is_dir() or any(arrays):
        wanted = f"wanted two folders of images, or two arrays ({', '.join(ARRAYS)})"
        raise SourceError(f"{clean} and {adversarial}: {wanted}")
    return pair_sources(clean, adversarial)


def _read_arrays(path: Path) -> dict[str, Any]:
    """Return the `images` in a file of arrays, and the `labels` where it holds them."""
    held = _read_torch(path) if path.suffix.lower() in (".pt", ".pth") else _read_numpy(path)
    if not isinstance(held, Mapping):
        return {"images": held}
    names = [str(name) for name in held]
    if len(names) == 1 and not names[0].startswith("label"):
        return {"images": next(iter(held.values()))}
    if "images" not in names or {*names} - {"images", "labels"}:
        raise SourceError(f"{path}: holds {', '.join(names) or 'nothing'}; wanted 'images' (and 'labels')")
    return dict(held)


def _read_numpy(path: Path) -> Any:
    import numpy as np

    def refuse(error: Exception) -> SourceError:
        # What NumPy says of these would have the user allow pickles, which run code.
        cause = "Python objects, or another format" if "pickle" in str(error) else first_line(error)
        return SourceError(f"{path}: not a readable NumPy file ({cause})")

    with reading(path, refuse):
        held = np.load(path, allow_pickle=False)
        return held if isinstance(held, np.ndarray) else {name: held[name] for name in held.files}


def _read_torch(path: Path) -> Any:
    import torch

    def refuse(error: Exception) -> SourceError:
        wanted = "not a file of plain tensors, as torch.save writes them"
        other = isinstance(error, pickle.UnpicklingError)
        cause = "Python objects, or another format" if other else first_line(error)
        return SourceError(f"{path}: {wanted} ({cause})")

    # torch warns of slow checks, where there are sparse tensors.
    with reading(path, refuse), warnings.catch_warnings(action="ignore"):
        return torch.load(path, map_location="cpu", weights_only=True)
