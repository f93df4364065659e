"""The cascade of decoders, on drawn codes and on real photos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from capture_scene import first_codes

from physadv.capture.codes import (
    FoundCode,
    in_own_order,
    read_sharpened,
    read_small,
    read_whole,
    read_with_pyzbar,
    readings,
)
from physadv.capture.reading import read_photo
from physadv.sheets.codes import Code, format_code, qr_matrix

TEXT = format_code(Code("RUN000", 1, 2))
CORNERS = np.array([(211.5, 187.5), (421.5, 187.5), (421.5, 397.5), (211.5, 397.5)])


def code_photo(width: int = 800, height: int = 600) -> np.ndarray:
    """A code of 10 pixels a module with its top-left corner at pixel 212, 188."""
    photo = np.full((height, width), 220, np.uint8)
    modules = np.kron(np.where(qr_matrix(TEXT), 30, 220), np.ones((10, 10)))
    photo[188 : 188 + 210, 212 : 212 + 210] = modules
    return photo


def test_every_reader_gives_the_corners_of_pixel_centres() -> None:
    large = code_photo(3200, 2400)
    readers = {read_small: large, read_whole: large, read_sharpened: code_photo()}
    for reader, photo in readers.items():
        (code,) = reader(photo)
        assert code.text == TEXT
        np.testing.assert_allclose(code.corners, CORNERS, atol=1.6)
    (doubted,) = read_with_pyzbar(large) or pytest.skip("needs the zbar library")
    assert doubted.text == TEXT
    assert not doubted.ordered
    ordered = in_own_order(large, doubted, qr_matrix(TEXT))
    np.testing.assert_allclose(ordered.corners, CORNERS, atol=3)


def test_a_small_photo_is_not_halved_and_an_empty_one_shows_nothing() -> None:
    assert read_small(code_photo()) == []
    assert [code.text for code in first_codes(code_photo())] == [TEXT]
    assert first_codes(np.full((90, 120), 128, np.uint8)) == []


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_corners_come_in_the_codes_own_order(turns: int, mirrored: bool) -> None:
    photo = code_photo(700, 700)
    points = np.column_stack([CORNERS, np.ones(4)])
    turn = np.linalg.matrix_power(np.array([[0, 1, 0], [-1, 0, 699], [0, 0, 1.0]]), turns)
    mirror = np.diag([-1.0, 1, 1]) + np.array([[0, 0, 699.0], [0, 0, 0], [0, 0, 0]])
    seen = np.rot90(photo, turns)
    truth = (points @ turn.T)[:, :2]
    if mirrored:
        seen, truth = seen[:, ::-1], (points @ (mirror @ turn).T)[:, :2]
    seen = np.ascontiguousarray(seen)
    (code,) = read_whole(seen)
    for corners, ordered in ((code.corners, True), (truth[[2, 0, 3, 1]], False)):
        found = in_own_order(seen, FoundCode(TEXT, corners, ordered=ordered), qr_matrix(TEXT))
        np.testing.assert_allclose(found.corners, truth, atol=1.6)


def test_on_real_photos_the_cascade_reads_what_zxing_and_pyzbar_read_together(shared_data: Path) -> None:
    """Of 144 photos zxing-cpp 3.1 reads 134, pyzbar 126, one of the two 135."""
    cascade, either, total = set(), set(), 0
    for text in sorted((shared_data / "zxing-qr").rglob("*.txt")):
        image = next(
            (p for p in text.parent.glob(f"{text.stem}.*") if p.suffix.lower() in {".png", ".jpg"}), None
        )
        if image is None:
            continue
        total += 1
        wanted = text.read_bytes().decode("utf-8", "replace").strip()
        gray = read_photo(image).gray
        if any(code.text.strip() == wanted for code in first_codes(gray)):
            cascade.add(image)
        plain = zxingcpp.read_barcodes(gray, formats=zxingcpp.BarcodeFormat.QRCode)
        if any(code.text.strip() == wanted for code in (*plain, *read_with_pyzbar(gray))):
            either.add(image)
    assert total == 144
    assert cascade >= either
    assert len(cascade) >= 130


def test_codes_too_soft_for_a_first_reading_are_read_sharpened() -> None:
    soft = cv2.GaussianBlur(
        cv2.resize(code_photo(), None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), (0, 0), 1.6
    )
    assert not read_whole(soft)
    assert [code.text for code in first_codes(soft)] == [TEXT]


def test_a_code_that_is_seen_and_not_read_is_read_at_its_place() -> None:
    about, noise = cv2.getRotationMatrix2D((316, 292), 10, 0.24), np.random.default_rng(0)
    soft = cv2.warpAffine(
        cv2.GaussianBlur(code_photo(900, 900), (0, 0), 5), about, (633, 585), borderValue=220
    )
    photo = np.clip(soft + noise.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
    assert not zxingcpp.read_barcodes(photo, formats=zxingcpp.BarcodeFormat.QRCode)
    (code,) = read_whole(photo)
    assert code.text == TEXT
    np.testing.assert_allclose(code.corners, CORNERS @ about[:, :2].T + about[:, 2], atol=1.5)


def test_a_wallpaper_of_finder_patterns_is_left_alone() -> None:
    """The decoders would take minutes for it."""
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    wallpaper = np.tile(np.kron(finder, np.ones((2, 2), np.uint8)), (6048 // 18, 8064 // 18))
    assert list(readings(wallpaper)) == []
