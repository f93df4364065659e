"""Pages of a poster rendered back, laid over each other by the marks printed on them, and compared."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from paper_signs import as_printed, make_sign, random_face, write_sign_pdf

from physadv.sheets import page_pixels
from physadv.signs.posters.paper_signs import PaperSign
from physadv.signs.posters.posters import PosterPage
from physadv.signs.posters.tiles import Grid, plan_grid, plan_poster

DOTS = 4
SIZE_MM = 750.0
Pixels = NDArray[np.float32]
Points = NDArray[np.float64]


def square_sign(size_mm: float) -> PaperSign:
    return PaperSign(random_face(64), np.array([(0.0, 0), (64, 0), (64, 64), (0, 64)]), size_mm)


@pytest.mark.parametrize(
    ("size_mm", "page", "pages"),
    [(150, "a4", 1), (250, "a4", 2), (750, "a4", 15), (750, "a3", 6), (750, "letter", 20)],
)
def test_a_poster_takes_no_more_pages_than_it_must(size_mm: float, page: str, pages: int) -> None:
    grid = plan_grid(square_sign(size_mm).plate(), page=page)
    assert grid.pages == pages
    planned = plan_poster(square_sign(size_mm), "sign", page=page)
    assert len(planned) == pages + (pages > 1)


def test_the_windows_of_a_poster_cover_it_and_overlap_as_asked() -> None:
    sign = square_sign(750)
    grid = plan_grid(sign.plate(), page="a4")
    tiles = plan_poster(sign, "sign", page="a4")[1:]
    # Where a tile's window begins on the sign.
    starts = np.array(
        [np.subtract(tile.window[:2], tile.cutouts[0].box_mm[:2]) for tile in tiles if tile.window]
    )
    starts = starts.reshape(grid.rows, grid.columns, 2)
    np.testing.assert_allclose(np.diff(starts[..., 0], axis=1), grid.window_mm[0] - 10, atol=1e-9)
    np.testing.assert_allclose(np.diff(starts[..., 1], axis=0), grid.window_mm[1] - 10, atol=1e-9)
    assert (starts[0, 0] <= 0).all()
    assert (starts[-1, -1] + grid.window_mm >= 750).all()


@pytest.fixture(scope="module")
def poster(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[PaperSign, Grid, list[PosterPage], list[Pixels]]:
    sign = make_sign(SIZE_MM, side=1024)
    path = tmp_path_factory.mktemp("tiles") / "poster.pdf"
    write_sign_pdf(path, sign, ["poster"], run="RUN000", title="")
    tiles = plan_poster(sign, "sign", page="a4")[1:]
    return (
        sign,
        plan_grid(sign.plate(), page="a4"),
        tiles,
        [gray(path, k + 1) for k in range(len(tiles))],
    )


def gray(path: Path, index: int) -> Pixels:
    return cv2.cvtColor(page_pixels(path, index, DOTS), cv2.COLOR_RGB2GRAY).astype(np.float32)


def seen_marks(tile: PosterPage, pixels: Pixels, side: str) -> Points:
    """Return the centres (2, 2), px, of the marks at the ends of a page's seam on one side, as printed."""
    assert tile.window
    x, y, w, h = tile.window
    centres = np.array([(bx + bw / 2, by + bh / 2) for bx, by, bw, bh in tile.saddles])
    beside = (centres[:, 1] < y) | (centres[:, 1] > y + h)
    chosen = {
        "left": beside & (centres[:, 0] < x + w / 2),
        "right": beside & (centres[:, 0] > x + w / 2),
        "top": ~beside & (centres[:, 1] < y + h / 2),
        "bottom": ~beside & (centres[:, 1] > y + h / 2),
    }[side]
    start = np.ascontiguousarray(centres[chosen] * DOTS - 0.5, np.float32)[:, None].copy()
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    found = cv2.cornerSubPix(pixels, start, (4, 4), (-1, -1), criteria)[:, 0]
    return np.asarray(found[np.argsort(found.sum(axis=1))], np.float64)


def laid_on(upper: Points, lower: Points) -> Points:
    """Return the rigid motion (3, 3) that lays two marks of the upper page on two of the lower."""
    (ax, ay), (bx, by) = upper[1] - upper[0], lower[1] - lower[0]
    angle = np.arctan2(by, bx) - np.arctan2(ay, ax)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    motion = np.eye(3)
    motion[:2, :2], motion[:2, 2] = turn, lower.mean(axis=0) - turn @ upper.mean(axis=0)
    return motion


def moved(points: Points, motion: Points) -> Points:
    return points @ motion[:2, :2].T + motion[:2, 2]


def glued(grid: Grid, tiles: list[PosterPage], pages: list[Pixels]) -> list[Points]:
    """Return where each page ends up on the first, glued as the sketch says: rows first."""
    motions: list[Points] = []
    for row in range(grid.rows):
        first, last = row * grid.columns, (row + 1) * grid.columns - 1
        own = [np.eye(3)]
        for k in range(first + 1, last + 1):
            left = seen_marks(tiles[k], pages[k], "left")
            own.append(own[-1] @ laid_on(left, seen_marks(tiles[k - 1], pages[k - 1], "right")))
        if row:
            # Of a row, the outermost marks of its first and its last page are used.
            above = [
                moved(seen_marks(tiles[k], pages[k], "bottom"), motions[k])[end]
                for k, end in ((first - grid.columns, 0), (last - grid.columns, 1))
            ]
            below = [
                moved(seen_marks(tiles[k], pages[k], "top"), own[k - first])[end]
                for k, end in ((first, 0), (last, 1))
            ]
            onto = laid_on(np.array(below), np.array(above))
            own = [onto @ motion for motion in own]
        motions += own
    return motions


def shift_mm(one: Pixels, other: Pixels) -> float:
    """Return how far a picture is displaced from another of the same thing."""
    window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_32F)
    return float(np.hypot(*cv2.phaseCorrelate(one, other, window)[0])) / DOTS


def test_pages_laid_over_each_other_by_their_marks_show_no_seam(
    poster: tuple[PaperSign, Grid, list[PosterPage], list[Pixels]],
) -> None:
    sign, grid, tiles, pages = poster
    assert (grid.rows, grid.columns) == (3, 5)
    side = round(SIZE_MM * DOTS)
    to_sign = np.eye(3)
    to_sign[:2, 2] = -np.array(tiles[0].cutouts[0].box_mm[:2]) * DOTS
    whole = cv2.cvtColor(np.asarray(as_printed(sign)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    whole = cv2.resize(whole, (side, side), interpolation=cv2.INTER_NEAREST)
    on_sign = [
        cv2.warpAffine(page, (to_sign @ motion)[:2], (side, side))
        for page, motion in zip(pages, glued(grid, tiles, pages), strict=True)
    ]
    lefts, tops = (
        [round(DOTS * (tiles[k].window[axis] - tiles[k].cutouts[0].box_mm[axis])) for k in those]  # type: ignore[index]
        for axis, those in enumerate((range(grid.columns), range(0, len(tiles), grid.columns)))
    )
    # Strips inside of what two neighbours show, 8 mm by 32.
    thin, long = 8 * DOTS, 32 * DOTS
    strips = [
        (row * grid.columns + column - 1, row * grid.columns + column, y, left + DOTS, long, thin)
        for row in range(grid.rows)
        for column, left in list(enumerate(lefts))[1:]
        for y in range(tops[row] + DOTS, tops[row] + 240 * DOTS, long)
    ] + [
        ((row - 1) * grid.columns + column, row * grid.columns + column, top + DOTS, x, thin, long)
        for row, top in list(enumerate(tops))[1:]
        for column in range(grid.columns)
        for x in range(lefts[column] + DOTS, lefts[column] + 120 * DOTS, long)
    ]
    seams = [
        shift_mm(*(on_sign[k][y : y + h, x : x + w] for k in (upper, lower)))
        for upper, lower, y, x, h, w in strips
        if whole[y : y + h, x : x + w].max() < 255
    ]
    assert len(seams) > 80
    assert max(seams) <= 0.5
    # The whole is not stretched either: what each page shows is where it is on the sign.
    middles = [
        (k, top + 100 * DOTS, left + 50 * DOTS)
        for k, (top, left) in enumerate((top, left) for top in tops for left in lefts)
    ]
    places = [
        shift_mm(*(picture[y : y + 2 * long, x : x + 2 * long] for picture in (whole, on_sign[k])))
        for k, y, x in middles
        if whole[y : y + 2 * long, x : x + 2 * long].max() < 255
    ]
    assert len(places) > 10
    assert max(places) <= 0.5
