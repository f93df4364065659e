"""The loop for a notebook: tensors in, printed sheets, photos and destruction rates out.

`Run` walks the same steps as the command line, on the same files: either can go on where the other stopped.
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from physadv.progress import Reporter, silent
from physadv.runs import Capture, Colour, Manifest, Printout

if TYPE_CHECKING:
    from PIL import Image

    from physadv.classifiers import Classifier
    from physadv.pipeline.adopt import Images, Labels
    from physadv.pipeline.crop import CropResult
    from physadv.pipeline.measurement import Measurement


@dataclass(frozen=True)
class Measured:
    """Measurements of a run, one a classifier; a notebook shows them as the report's tables."""

    measurements: "tuple[Measurement, ...]"

    def _repr_html_(self) -> str:
        from physadv.report.run_page import tables_as_html

        return tables_as_html(self.measurements)

    def __repr__(self) -> str:
        from physadv.report.terminal import show_measurements

        text = io.StringIO()
        with redirect_stdout(text):
            show_measurements(self.measurements)
        return text.getvalue()


class Run:
    """One run: `printouts/NAME` and `captures/NAME` below a root, and its steps as methods.

    Made by `Run.create` or `Run.open`. The command line works on the same run: `physadv report NAME`.

    Args:
        printout: the run's folder before the printer.
        classifier: judges the run in place of the one that its manifest names.
        reporter: shows progress.
    """

    def __init__(
        self, printout: Printout, classifier: "Classifier | None" = None, reporter: Reporter = silent
    ) -> None:
        self.printout = printout
        self.capture = Capture(printout.root, printout.name)
        self.classifier = classifier
        self.reporter = reporter

    @classmethod
    def create(
        cls,
        name: str,
        classifier: "Classifier",
        clean: "Images",
        adversarial: "Images",
        labels: "Labels | None" = None,
        *,
        targets: "Labels | int | str | None" = None,
        made_by: str = "own",
        root: str | Path = Path(),
        reporter: Reporter = silent,
    ) -> Self:
        """Make a run of images attacked by any means: printouts/NAME, as `physadv generate` would.

        Values between two 8-bit levels are rounded, because paper is printed from 8-bit files; how far is in
        the manifest and in the run's `repr`. The same call again opens the run that is there.

        Args:
            name: of the run, new below the root.
            classifier: what the images were made against. To measure from the command line too, it must be
                one that `load_classifier` finds by its spec.
            clean: B images: a tensor (B, 3, H, W) or an array (B, H, W, 3), float in [0, 1] or uint8; or a
                list of arrays (H, W, 3).
            adversarial: their adversarial versions, in the same order and of the same shapes.
            labels: B true classes, indices or names; the classifier's own answers by default.
            targets: B classes that the attack aimed at, or one for all; None for an untargeted attack.
            made_by: the attack's name, for the manifest and the report.
            root: folder in which printouts/ and captures/ are.
            reporter: shows progress.

        Raises:
            PhysadvError: images that are not finite, in range or in pairs; labels of no class; no Classifier;
                a run of that name with other images.

        Warns:
            PhysadvWarning: every adversarial image is its clean image.
        """
        from physadv.pipeline.adopt import adopt

        printout = Printout(Path(root), name)
        given = (classifier, clean, adversarial, labels)
        adopt(printout, *given, targets=targets, made_by=made_by, reporter=reporter)
        return cls(printout, classifier, reporter)

    @classmethod
    def open(
        cls,
        name: str,
        *,
        root: str | Path = Path(),
        classifier: "Classifier | None" = None,
        reporter: Reporter = silent,
    ) -> Self:
        """Open a run made before, by `create` or by the command line.

        Args:
            name: of the run.
            root: folder in which printouts/ and captures/ are.
            classifier: judges the run in place of the one that its manifest names.
            reporter: shows progress.

        Raises:
            RunError: there is no such run, or its files are not those its manifest lists.
        """
        run = cls(Printout(Path(root), name), classifier, reporter)
        run.printout.manifest()
        return run

    @property
    def manifest(self) -> Manifest:
        """Return the manifest as it is on disk now."""
        return self.printout.manifest()

    @property
    def photos(self) -> Path:
        """Return the folder for your photos of the printed sheets."""
        return self.capture.photos

    def __repr__(self) -> str:
        manifest = self.manifest
        moved = manifest.attack.parameters.get("rounded_by")
        rounded = f", rounded to 8 bits by up to {moved} levels" if moved else ""
        return (
            f"Run '{manifest.name}': {len(manifest.pairs())} pairs, {manifest.attack.name}, "
            f"{manifest.attack.budget}{rounded}, in {self.printout.folder}"
        )

    def print(self, page: str = "a4", image_mm: float = 36.0) -> "Image.Image":
        """Lay the examples out on sheets, printouts/NAME/sheets.pdf, and return the first as a picture.

        Args:
            page: a4, a3 or letter.
            image_mm: side of a picture on paper, mm.

        Raises:
            SheetError: an unknown page, or pictures that do not fit it.
        """
        from PIL import Image

        from physadv.pipeline.print_sheets import PREVIEW_DOTS_PER_MM, print_sheets
        from physadv.sheets import page_pixels

        print_sheets(self.printout, page=page, image_mm=image_mm, reporter=self.reporter)
        return Image.fromarray(page_pixels(self.printout.pdf, 0, PREVIEW_DOTS_PER_MM))

    def photograph(
        self,
        preset: str | Path = "office",
        *,
        printer: str | None = None,
        phone: str | Path | None = None,
        shots: int = 2,
        seed: int = 0,
        workers: int | None = None,
    ) -> list[Path]:
        """Photograph every sheet with the virtual printer and phone, and return the photos.

        With a real printer and phone, copy your photos into `photos` instead.

        Args:
            preset: how the virtual phone is used, see `physadv list phones`; or a TOML file of your own.
            printer: instead of the preset's own, see `physadv list printers`.
            phone: instead of the preset's own, see `physadv list phones`; or a TOML file of your own.
            shots: photos of each sheet.
            seed: of everything random in them.
            workers: processes; the usable cores by default.

        Raises:
            PhysadvError: an unknown preset, phone or printer, shots or workers < 1, or a run not printed.
        """
        from physadv.pipeline.photograph import photograph_simulated

        return photograph_simulated(
            self.printout,
            self.capture,
            preset=preset,
            printer=printer,
            phone=phone,
            shots=shots,
            seed=seed,
            workers=workers,
            reporter=self.reporter,
        )

    def crop(
        self, *photos: str | Path, colour: Colour = "photographed", workers: int | None = None
    ) -> "CropResult":
        """Cut every cell out of every photo, and return what was cut and what was refused.

        Args:
            photos: files to copy into `photos` first.
            colour: of the crops: as "photographed", or "corrected" by the sheets' grey and colour bars.
            workers: processes; the usable cores by default.

        Raises:
            RunError: the run has not been printed, or there are no photos.
        """
        from physadv.pipeline.crop import crop

        added = [Path(photo) for photo in photos]
        return crop(
            self.printout, self.capture, added, colour=colour, workers=workers, reporter=self.reporter
        )

    def measure(
        self,
        transforms: Sequence[str] = (),
        *,
        sweeps: Sequence[str] = (),
        models: "Sequence[str | Classifier]" = (),
        seed: int = 0,
        pool: bool = False,
    ) -> Measured:
        """Return destruction rates, with 95 % intervals, through the photos and digital transformations.

        Args:
            transforms: digital transformations, such as "jpeg=50"; see `physadv list transforms`.
            sweeps: sets of them, such as "kurakin" or "blur=0:4:9".
            models: classifiers that judge, or their specs; the run's own by default.
            seed: of random transformations.
            pool: one rate for photos of all presets and cameras, in place of one for each.

        Raises:
            PhysadvError: nothing to measure, or an unknown transformation or classifier.
        """
        from physadv.pipeline.measure import measure

        judges = models or ([self.classifier] if self.classifier else ())
        found = measure(
            self.printout,
            self.capture,
            transforms=transforms,
            sweeps=sweeps,
            models=judges,
            seed=seed,
            pool=pool,
            reporter=self.reporter,
        )
        return Measured(tuple(found))

    def report(
        self,
        transforms: Sequence[str] = (),
        *,
        sweeps: Sequence[str] = (),
        models: "Sequence[str | Classifier]" = (),
        seed: int = 0,
        pool: bool = False,
    ) -> Path:
        """Write captures/NAME/report.html and return its path; what is measured is as for `measure`."""
        from physadv.report.run_page import write_report

        found = self.measure(transforms, sweeps=sweeps, models=models, seed=seed, pool=pool)
        return write_report(self.printout, self.capture, found.measurements, self.reporter)
