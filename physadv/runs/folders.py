"""Where a run's files are: `printouts/NAME` before the printer, `captures/NAME` after the camera."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from physadv.errors import PhysadvError
from physadv.files import file_sha256, remove_partial_files, replacing
from physadv.locking import one_writer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from physadv.runs.manifest import Example, Manifest
    from physadv.runs.rows import CropRow
    from physadv.runs.store import ObservationStore

P = ParamSpec("P")
R = TypeVar("R")
Place = TypeVar("Place", bound="Printout | Capture")

FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""Pattern of a name that files are called by: it has no slash, and no dot in front."""


def writes_run(function: Callable[Concatenate[Place, P], R]) -> Callable[Concatenate[Place, P], R]:
    """Let a function have the run of its first argument for itself; see `one_writer`."""

    @wraps(function)
    def alone(place: Place, /, *args: P.args, **options: P.kwargs) -> R:
        if not (place.root / "printouts").exists():
            return function(place, *args, **options)
        with place.alone():
            return function(place, *args, **options)

    return alone


class RunError(PhysadvError):
    """A run, or a file of one, is missing, damaged, of another version or not the one that was wanted."""


def not_made(manifest: Path) -> RunError:
    """Return the error for a manifest that is not there."""
    return RunError(f"{manifest}: not found; run 'physadv generate' first, or Run.create in Python")


def check_name(name: str) -> str:
    """Return a run's name.

    Raises:
        RunError: it could not be a folder's name, or would leave its folder.
    """
    if not isinstance(name, str) or not re.fullmatch(FILE_NAME, name) or ".." in name:
        raise RunError(f"run name '{name}': use letters, digits, '.', '_' and '-', not beginning with a sign")
    return name


class Printout:
    """The folder `printouts/NAME` below a root.

    Attributes:
        root: the folder in which `printouts` is.
        name: name of the run, which must do for a folder's: `check_name` raises a RunError where it does not.
        folder: the run's folder; a RunError where a link in it leads out of it.
        manifest_path: file of the manifest.
        pdf: file of the printable sheets.
        progress: folder in which an unfinished `generate` keeps what it has done.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, check_name(name)
        self.folder = _own_folder(root / "printouts" / name)
        self.manifest_path = self.folder / "manifest.json"
        self.pdf = self.folder / "sheets.pdf"
        self.progress = self.folder / ".progress"

    def alone(self) -> AbstractContextManager[None]:
        """Return a block in which no other process writes the run; see `one_writer`."""
        return one_writer(self.folder)

    def begin(self, fingerprint: str, code: str) -> Manifest | None:
        """Claim the folder for a run, or go on with it; return the manifest of one that is complete.

        A run of which examples were deleted is not complete: they are made again.

        `fingerprint` is a hash of all that the examples' bytes depend on, `code` the run's code, made of it.

        Raises:
            RunError: the folder holds a run with another fingerprint, finished or not.
        """
        if self.manifest_path.exists():
            from physadv.runs.manifest import read_manifest

            manifest = read_manifest(self.manifest_path)
            if manifest.code != code:
                raise RunError(
                    f"{self.folder}: holds a run with other settings; take another name or delete it"
                )
            if not self._missing(manifest):
                self.forget_progress()
                return manifest
        mark = self.progress / "fingerprint"
        if mark.exists() and mark.read_bytes() != fingerprint.encode():
            raise RunError(
                f"{self.folder}: an unfinished run with other settings; take another name or delete it"
            )
        with replacing(mark) as temporary:
            temporary.write_text(fingerprint)
        remove_partial_files(self.folder)
        for folder in ("clean", "adversarial", ".progress"):
            (self.folder / folder).mkdir(exist_ok=True)
            remove_partial_files(self.folder / folder)
        return None

    def finish(self, manifest: Manifest) -> Manifest:
        """Write the manifest of a run whose examples are all there, and return it.

        Where examples that were lost have been made again, the manifest is there, with the sheets, and stays.

        Raises:
            RunError: an example that was made again has other bytes.
        """
        if self.manifest_path.exists():
            manifest = self.manifest()
        else:
            manifest.write(self.manifest_path)
        self.forget_progress()
        return manifest

    def check(self) -> None:
        """Check that the run has been made.

        Raises:
            RunError: there is no manifest, or 'physadv generate' has not finished.
        """
        if self.manifest_path.exists():
            return
        if self.progress.exists():
            raise RunError(f"{self.folder}: 'physadv generate' has not finished; run the same command again")
        raise not_made(self.manifest_path)

    def forget_progress(self) -> None:
        """Remove the records of an unfinished run, which are in the manifest or useless; nothing else."""
        remove_partial_files(self.progress)
        for record in self.progress.glob("*"):
            if re.fullmatch(r"fingerprint|[0-9]{6}\.(json|pt)", record.name):
                record.unlink(missing_ok=True)
        with suppress(OSError):
            self.progress.rmdir()

    def manifest(self) -> Manifest:
        """Return the manifest after checking that every example is still the file it lists.

        Raises:
            RunError: as `read_manifest`, and where an example is missing or its hash differs.
        """
        from physadv.runs.manifest import read_manifest

        self.check()
        manifest = read_manifest(self.manifest_path)
        for path in self._missing(manifest):
            fault = f"missing, but listed in {self.manifest_path}"
            raise RunError(f"{path}: {fault}; the command that made the run makes it again")
        return manifest

    def _missing(self, manifest: Manifest) -> list[Path]:
        """Return the examples that are not there, after checking that the others are the files listed."""
        missing = []
        for example in manifest.examples:
            path = _inside(self.folder, example.path, self.manifest_path)
            if not path.exists():
                missing.append(path)
            elif file_sha256(path) != example.sha256:
                raise RunError(
                    f"{path}: its SHA-256 is not the one in {self.manifest_path}; file or manifest was edited"
                )
        return missing

    def printed_manifest(self) -> Manifest:
        """Return the manifest of a run whose sheets have been laid out.

        Raises:
            RunError: as `manifest`, and where `physadv print` has not been run.
        """
        manifest = self.manifest()
        if not manifest.sheets or not self.pdf.exists():
            raise RunError(f"{self.pdf}: not made yet; run 'physadv print {self.name}'")
        return manifest

    def image(self, example: Example) -> Image.Image:
        """Return an example as it is printed, 8-bit RGB; raises as `pixels`."""
        from PIL import Image

        return Image.fromarray(self.pixels(example))

    def pixels(self, example: Example) -> NDArray[np.uint8]:
        """Return an example as it is printed, (H, W, 3) uint8.

        Raises:
            RunError: it is missing or no picture of 8-bit RGB.
        """
        return _pixels(self.folder / example.path, "an example", "take another name and generate it again")


class Capture:
    """The folder `captures/NAME` below a root.

    Attributes:
        root: the folder in which `captures` is.
        name: name of the run, which must do for a folder's: `check_name` raises a RunError where it does not.
        folder: the capture's folder; a RunError where a link in it leads out of it.
        photos: folder of the photos as the camera made them.
        truth: folder of the simulated photos' records and ground truth; nothing is cropped by the latter.
        crops: folder of the cells cut from the photos.
        overlays: folder of the photos with what was found drawn in.
        report: file of the report.
        figures: folder of the report's figures as files.
        store_path: file of the observation store.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, check_name(name)
        self.folder = _own_folder(root / "captures" / name)
        self.photos, self.truth = self.folder / "photos", self.folder / "truth"
        self.crops, self.overlays = self.folder / "crops", self.folder / "overlays"
        self.report, self.figures = self.folder / "report.html", self.folder / "figures"
        self.store_path = self.folder / "observations.sqlite"

    def alone(self) -> AbstractContextManager[None]:
        """Return a block in which no other process writes the run; see `one_writer`."""
        return one_writer(self.root / "printouts" / self.name)

    def store(self) -> ObservationStore:
        """Open the observation store, made where there is none."""
        from physadv.runs.store import ObservationStore

        self.folder.mkdir(parents=True, exist_ok=True)
        return ObservationStore(self.store_path)

    def inside(self, path: str) -> Path:
        """Return a path of this capture, such as that of a crop in the store.

        Raises:
            RunError: it leads out of the capture's folder, by its text or through a link.
        """
        return _inside(self.folder, path, self.folder)

    def pixels(self, path: str) -> NDArray[np.uint8]:
        """Return a crop by its path in the store, (H, W, 3) uint8.

        Raises:
            RunError: it is missing, no picture of 8-bit RGB, or its path leads out of the capture's folder.
        """
        return _pixels(self.inside(path), "a crop", "delete it and run 'physadv crop' again")

    def changed(self, crop: CropRow) -> bool:
        """Return whether the file of a crop is there and is not the one that was cut.

        Raises:
            RunError: as `inside`.
        """
        path = self.inside(str(crop.path))
        return crop.sha256 is not None and path.exists() and file_sha256(path) != crop.sha256


def _pixels(path: Path, kind: str, way_out: str) -> NDArray[np.uint8]:
    from physadv.pictures.reading import read_exact

    return read_exact(
        path, lambda error: RunError(f"{path}: {kind} that cannot be read ({error}); {way_out}")
    )


def _own_folder(folder: Path) -> Path:
    """Return a run's folder, or raise RunError: a link in it leads out, and files would be written there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        _inside(folder, path.name, folder)
    return folder


def _inside(folder: Path, path: str, where: Path) -> Path:
    """Return a path below a folder, or raise RunError: it leads out, by its text or through a link."""
    if not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{where}: '{path}' leads out of {folder}, by an edited record or a link; remove it")
    return folder / path


def check_runs(root: Path, names: Sequence[str]) -> None:
    """Check that runs have been made, before anything dear is imported for them.

    Raises:
        RunError: a name could not be a run's, or there is no finished run of that name below `root`.
    """
    for name in names:
        Printout(root, name).check()
