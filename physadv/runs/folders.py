"""Where a run's files are: `printouts/NAME` before the printer, `captures/NAME` after the camera."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from physadv.errors import PhysadvError
from physadv.files import file_sha256, remove_partial_files, replacing
from physadv.locking import one_writer
from physadv.progress import Reporter
from physadv.sheets.codes import RUN_CHARACTERS, digest36

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from physadv.runs.manifest import Example, Manifest
    from physadv.runs.rows import CropRow
    from physadv.runs.store import ObservationStore

P = ParamSpec("P")
R = TypeVar("R")

FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""Pattern of a name that files are called by: it has no slash, and no dot in front."""


def writes_run(function: Callable[Concatenate[Printout, P], R]) -> Callable[Concatenate[Printout, P], R]:
    """Let a function have the run of its first argument for itself; see `one_writer`."""

    @wraps(function)
    def alone(printout: Printout, /, *args: P.args, **options: P.kwargs) -> R:
        if not (printout.root / "printouts").exists():
            return function(printout, *args, **options)
        with printout.alone():
            return function(printout, *args, **options)

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

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from writing the run in a block; see `one_writer`.

        At a good end of the block what killed processes left half-written of the run is deleted.
        """
        with one_writer(self.folder):
            yield
            remove_partial_files(self.folder, self.root / "captures" / self.name)

    def make(self, fingerprint: str, examples_of: Callable[[str], Manifest], reporter: Reporter) -> Manifest:
        """Make the run, go on with it, or find it complete; no other process writes it meanwhile.

        A run of which examples were deleted is not complete: they are made again, and the manifest that is
        there, with the sheets, stays.

        Args:
            fingerprint: a hash of all that the examples' bytes depend on; the run's code is made of it.
            examples_of: takes the code, writes what is missing of the examples and returns the manifest.
            reporter: told where there is nothing to do.

        Raises:
            RunError: the folder holds a run with another fingerprint, finished or not; or an example that was
                made again has other bytes.
        """
        code = digest36(fingerprint, RUN_CHARACTERS)
        with self.alone():
            listed = self.manifest_path.exists()
            if listed and (manifest := self._complete(code)):
                reporter.say(f"{self.folder}: complete, nothing to do")
            else:
                self._begin(fingerprint)
                manifest = examples_of(code)
                if listed:
                    manifest = self.manifest()
                else:
                    manifest.write(self.manifest_path)
            self.forget_progress()
        return manifest

    def _complete(self, code: str) -> Manifest | None:
        from physadv.runs.manifest import read_manifest

        manifest = read_manifest(self.manifest_path)
        if manifest.code != code:
            raise RunError(f"{self.folder}: holds a run with other settings; take another name or delete it")
        return None if self._missing(manifest) else manifest

    def _begin(self, fingerprint: str) -> None:
        mark = self.progress / "fingerprint"
        if mark.exists() and mark.read_bytes() != fingerprint.encode():
            raise RunError(
                f"{self.folder}: an unfinished run with other settings; take another name or delete it"
            )
        with replacing(mark) as temporary:
            temporary.write_text(fingerprint)
        for folder in ("clean", "adversarial", ".progress"):
            (self.folder / folder).mkdir(exist_ok=True)

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

    def store(self) -> ObservationStore:
        """Open the observation store, made where there is none."""
        from physadv.runs.store import ObservationStore

        self.folder.mkdir(parents=True, exist_ok=True)
        return ObservationStore(self.store_path)

    def pixels(self, crop: CropRow) -> NDArray[np.uint8]:
        """Return a crop, (H, W, 3) uint8.

        Raises:
            RunError: it is missing, no picture of 8-bit RGB, or its path leads out of the capture's folder.
        """
        path = _inside(self.folder, str(crop.path), self.folder)
        return _pixels(path, "a crop", "delete it and run 'physadv crop' again")

    def changed(self, crop: CropRow) -> bool:
        """Return whether the file of a crop is there and is not the one that was cut.

        Raises:
            RunError: its path leads out of the capture's folder, by its text or through a link.
        """
        path = _inside(self.folder, str(crop.path), self.folder)
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
