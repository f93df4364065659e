"""The marks of one sheet in a photo, collected outward from the codes that were read."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from physadv.capture.codes import read_at, refine_corners
from physadv.capture.fitting import fit_thin_plate
from physadv.capture.flat_page import fit_flat
from physadv.capture.geometry import Pinhole, Pixels, Points, SheetModel, is_inside, jacobians
from physadv.capture.saddles import find_saddles
from physadv.sheets.codes import MODULES, qr_matrix
from physadv.sheets.layout import Mark, Sheet, box_corners

DECODED_SIGMA, CODE_SIGMA, SADDLE_SIGMA = 1.2, 0.12, 0.06
FAR_SEARCH_MM, NEAR_SEARCH_MM = 2.5, 1.0
REACH_MM = 75.0
ENOUGH_SADDLES = 12
FEW_CODES = 4
ROUGH_PX = 2.0
LOOKS = 2


@dataclass
class Evidence:
    """The marks of one sheet found so far.

    Attributes:
        decoded: maps codes to their corners (4, 2) from a decoder, good to a pixel.
        fitted: maps codes to their corners (4, 2), fitted to the modules.
        saddles: maps saddles to their centres (2,).
    """

    decoded: dict[Mark, Points] = field(default_factory=dict)
    fitted: dict[Mark, Points] = field(default_factory=dict)
    saddles: dict[Mark, Points] = field(default_factory=dict)

    def stacked(self, *, precise: bool = False) -> tuple[Points, Points, Points]:
        """Return page points (N, 2), mm, photo points (N, 2), pixels, and their standard deviations (N,).

        Corners from a decoder are left out if `precise`, and once enough saddles are known.
        """
        precise = precise or len(self.saddles) >= ENOUGH_SADDLES
        rough = {} if precise else {m: c for m, c in self.decoded.items() if m not in self.fitted}
        codes = [*rough, *self.fitted]
        page = [box_corners(mark.box_mm) for mark in codes]
        page += [np.array([mark.centre_mm]) for mark in self.saddles]
        seen = [*rough.values(), *self.fitted.values(), *(point[None] for point in self.saddles.values())]
        sigmas = [DECODED_SIGMA] * 4 * len(rough)
        sigmas += [CODE_SIGMA] * 4 * len(self.fitted) + [SADDLE_SIGMA] * len(self.saddles)
        if not seen:
            return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
        return np.concatenate(page), np.concatenate(seen), np.array(sigmas)

    def of_cell(self, number: int) -> "Evidence":
        """Return the marks of one cell."""
        kinds = (self.decoded, self.fitted, self.saddles)
        return Evidence(*({m: p for m, p in kind.items() if m.cell == number} for kind in kinds))

    def places(self) -> tuple[Points, ...]:
        """Return the corners (4, 2) of each code and the centre (1, 2) of each saddle, photo pixels."""
        codes = {**self.decoded, **self.fitted}
        return (*codes.values(), *(point[None] for point in self.saddles.values()))

    def errors(self, model: SheetModel) -> tuple[Points, NDArray[np.int_]]:
        """Return the errors (N,) of a model at the precise points, pixels, and the cells (N,) of these."""
        page, seen, _ = self.stacked(precise=True)
        cells = [mark.cell for mark in self.fitted for _ in range(4)] + [mark.cell for mark in self.saddles]
        return np.linalg.norm(model.to_photo(page) - seen, axis=1), np.array(cells, dtype=np.int_)

    def __len__(self) -> int:
        return len(self.decoded) + len(self.saddles)


def collect_marks(gray: Pixels, sheet: Sheet, evidence: Evidence, camera: Pinhole) -> None:
    """Add all marks of a sheet that can be found in a photo to the evidence.

    A rough model of the known marks predicts those near them, and each mark found improves the model, until
    none is new. Codes are fitted to their modules only while there are few saddles, which are more precise.
    """
    if len(evidence.decoded) < FEW_CODES:
        _fit_codes(gray, evidence)
    looked: dict[Mark, int] = {}
    while len(evidence) < len(sheet.marks):
        new = _look_around(gray, sheet, evidence, rough_model(evidence, camera), looked)
        if not new and len(evidence.saddles) < ENOUGH_SADDLES and _fit_codes(gray, evidence):
            continue
        if not new:
            return


def rough_model(evidence: Evidence, camera: Pinhole) -> SheetModel:
    """Return a model to look for further marks with: a flat sheet, warped by a spline if it fits badly."""
    page, seen, sigmas = evidence.stacked()
    flat = fit_flat(page, seen, sigmas, camera)
    errors = np.linalg.norm(flat.to_photo(page) - seen, axis=1)
    return flat if np.median(errors) <= ROUGH_PX else fit_thin_plate(page, seen, sigmas, flat)


def look_again(gray: Pixels, sheet: Sheet, evidence: Evidence, model: SheetModel) -> bool:
    """Look for every mark that is still missing, with the final model; return whether any was found."""
    return bool(_look_around(gray, sheet, evidence, model, {}))


def _look_around(
    gray: Pixels,
    sheet: Sheet,
    evidence: Evidence,
    model: SheetModel,
    looked: dict[Mark, int],
) -> int:
    """Look for missing marks near known ones, where a model predicts them; return how many were found."""
    known = np.array([mark.centre_mm for mark in (*evidence.decoded, *evidence.saddles)])
    missing = [
        mark
        for mark in sheet.marks
        if mark not in evidence.decoded and mark not in evidence.saddles and looked.get(mark, 0) < LOOKS
    ]
    near = [mark for mark in missing if np.linalg.norm(known - mark.centre_mm, axis=1).min() <= REACH_MM]
    for mark in near:
        looked[mark] = looked.get(mark, 0) + 1
    before = len(evidence)
    saddles = [mark for mark in near if mark.kind == "saddle"]
    if saddles:
        centres = np.array([mark.centre_mm for mark in saddles])
        search_mm = FAR_SEARCH_MM if len(evidence) < ENOUGH_SADDLES else NEAR_SEARCH_MM
        points, found = find_saddles(
            gray, model.to_photo(centres), jacobians(model, centres), saddles[0].box_mm[2], search_mm
        )
        evidence.saddles.update({m: p for m, p, seen in zip(saddles, points, found, strict=True) if seen})
    for mark in near:
        if mark.kind == "code":
            _look_for_code(gray, mark, model, evidence)
    return len(evidence) - before


def _look_for_code(gray: Pixels, mark: Mark, model: SheetModel, evidence: Evidence) -> None:
    predicted = model.to_photo(box_corners(mark.box_mm))
    if not is_inside(gray, predicted).all():
        return
    found = read_at(gray, predicted, MODULES)
    if found and found.text == mark.payload:
        evidence.decoded[mark] = predicted


def _fit_codes(gray: Pixels, evidence: Evidence) -> bool:
    """Fit the codes that are not yet fitted to their modules; return whether any fit succeeded."""
    before = len(evidence.fitted)
    for mark, corners in evidence.decoded.items():
        if mark not in evidence.fitted:
            refined = refine_corners(gray, corners, qr_matrix(mark.payload or ""))
            if refined is not None:
                evidence.fitted[mark] = refined
    return len(evidence.fitted) > before
