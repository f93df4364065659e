"""How well cells are cut from photos of the virtual phone, against its ground truth. Simulated.

`python benchmarks/capture.py` prints a table and one JSON line: `cells_found` (share of the cells printed),
`wrong_identities` (crops whose true place is not where they were cut), `mean_px` and `p95_px` (corner error
in photo pixels), `baseline_mean_px` (the four outermost codes as the decoder places them and one homography,
as in Kurakin et al. 2017), `ratio_to_decode` (time to crop a photo over time to decode its JPEG).
"""

import argparse
import io
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from physadv.capture.codes import find_codes
from physadv.capture.phone import Phone, draw_shot, encode_jpeg, page_to_photo, print_page, take_photo
from physadv.capture.reading import Photo, read_photo
from physadv.capture.sheets_in_photo import crop_photo
from physadv.experiments.drawn_signs import draw_demo_set
from physadv.sheets import Caption, PrintItem, Sheet, page_pixels, plan_sheets, write_pdf
from physadv.sheets.layout import box_corners

RUN = "BENCH0"
WRONG_PLACE_PX = 20.0
Pixels = NDArray[np.uint8]


def make_sheet(folder: Path, size: int = 224) -> tuple[Sheet, Path, dict[str, Pixels]]:
    """Print eight drawn signs, each with a noisy twin, on one A4 sheet."""
    rng = np.random.default_rng(0)
    pictures: dict[str, Pixels] = {}
    for index, (_, sign) in enumerate(draw_demo_set(8, size=size, seed=0)):
        noise = rng.integers(0, 2, sign.shape) * 32 - 16
        pictures[f"{index}-clean"] = sign
        pictures[f"{index}-adversarial"] = (sign + noise).clip(0, 255).astype(np.uint8)
    names = list(pictures)
    items = [PrintItem(name, size, size) for name in names]
    (sheet,) = plan_sheets(list(zip(items[::2], items[1::2], strict=True)), run=RUN)
    write_pdf(
        folder / "sheets.pdf",
        [sheet],
        count=1,
        title="benchmark",
        picture=lambda name: Image.fromarray(pictures[name]),
        caption=lambda name: Caption((name,)),
    )
    return sheet, folder / "sheets.pdf", pictures


def baseline_corners(photo: Photo, sheet: Sheet) -> dict[str, NDArray[np.float64]] | None:
    """Place cells by the four outermost codes as decoded; None where one of them is not read."""
    marks = {mark.payload: mark for mark in sheet.marks if mark.kind == "code"}
    seen = {code.text: code.corners for code in find_codes(photo.gray)}
    middles = {payload: np.array(mark.centre_mm) for payload, mark in marks.items()}
    outer = [
        min(middles, key=lambda payload: float(middles[payload] @ direction))
        for direction in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    ]
    if any(payload not in seen for payload in outer):
        return None
    page = np.array([middles[payload] for payload in outer])
    where = np.array([seen[payload].mean(axis=0) for payload in outer])
    homography, _ = cv2.findHomography(page, where)
    return {
        cell.example: cv2.perspectiveTransform(box_corners(cell.box_mm)[None], homography)[0]
        for cell in sheet.cells
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="four photos, under a minute")
    chosen = parser.parse_args()
    count = 4 if chosen.quick else chosen.photos
    cv2.setNumThreads(1)
    found, wrong = 0, 0
    errors: list[float] = []
    baseline: list[float] = []
    crop_s: list[float] = []
    decode_s: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheet, pdf, pictures = make_sheet(folder)
        reflectance = print_page(page_pixels(pdf, 0), sheet.page_mm)
        print("photo  cells  mean px  p95 px  baseline px  crop s  decode s")
        for index in range(count):
            shot = draw_shot(
                Phone(), sheet.page_mm, torch.Generator().manual_seed(chosen.seed * 1000 + index)
            )
            jpeg = encode_jpeg(take_photo(reflectance, sheet.page_mm, shot), shot)
            path = folder / "photo.jpg"
            path.write_bytes(jpeg)
            photo = read_photo(path)
            started = time.perf_counter()
            (seen,) = crop_photo(photo, [sheet], run=RUN, picture=pictures.__getitem__)
            crop_s.append(time.perf_counter() - started)
            started = time.perf_counter()
            Image.open(io.BytesIO(jpeg)).load()
            decode_s.append(time.perf_counter() - started)
            truth = {
                cell.example: page_to_photo(shot, box_corners(cell.box_mm), sheet.page_mm).numpy()
                for cell in sheet.cells
            }
            own: list[float] = []
            for cell in seen.cells:
                if cell.crop is None:
                    continue
                distance = np.linalg.norm(cell.corners_px - truth[cell.example], axis=1)
                found += 1
                wrong += bool(distance.mean() > WRONG_PLACE_PX)
                own += distance.tolist()
            errors += own
            rough = baseline_corners(photo, sheet)
            if rough is not None:
                baseline += [float(d) for n in truth for d in np.linalg.norm(rough[n] - truth[n], axis=1)]
            print(
                f"{index + 1:5}  {len(own) // 4:5}  {np.mean(own):7.3f}  {np.percentile(own, 95):6.3f}  "
                f"{np.mean(baseline[-64:]):11.2f}  {crop_s[-1]:6.2f}  {decode_s[-1]:8.2f}",
                flush=True,
            )
    printed = count * len(sheet.cells)
    result = {
        "cells_found": found / printed,
        "cells": printed,
        "wrong_identities": wrong,
        "mean_px": float(np.mean(errors)),
        "p95_px": float(np.percentile(errors, 95)),
        "baseline_mean_px": float(np.mean(baseline)),
        "ratio_to_decode": float(np.median(crop_s) / np.median(decode_s)),
        "simulated": True,
    }
    print(
        json.dumps(
            {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}
        )
    )


if __name__ == "__main__":
    main()
