import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from physadv.classifiers import Classifier, load_classifier
from physadv.signs.drawing.faces import face
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.camera import crop, plate_boxes, plate_homography, seen_light
from physadv.signs.stop_sign.cells import CELLS, Cell, cell_of
from physadv.signs.stop_sign.lab import lab_test, photograph
from physadv.signs.stop_sign.real_photos import photo_test
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Exhibit, Judge
from physadv.transforms.geometry import apply_homography, view_rotation

STOP, SIDE = 14, 256
FOOT = 304.8


@pytest.fixture(scope="module")
def sign() -> tuple[Tensor, Tensor]:
    """A drawn stop sign (3, 256, 256) and its plate."""
    colour, cover = face("stop", SIDE)
    return torch.from_numpy(colour).permute(2, 0, 1).float().clamp(0, 1), torch.from_numpy(cover).float()


def exhibit_of(classifier: Classifier, label: int, alpha: Tensor, seed: int = 0, **faces: Tensor) -> Exhibit:
    """Return one sign in some treatments."""
    worn = {name: face[None] for name, face in faces.items()}
    return Exhibit(Judge(classifier, label), ["drawn"], worn, alpha, seed)


def head_on(distance_mm: float, yaw: float = 0.0) -> Tensor:
    angle = torch.tensor([yaw], dtype=torch.float64)
    return plate_homography(
        view_rotation(angle, 0 * angle, 0 * angle),
        torch.tensor([[0.0, 0.0, distance_mm]], dtype=torch.float64),
        torch.tensor([[500.0, 500.0]]),
        SIDE,
    )


def test_cells_are_the_fifteen_of_the_paper() -> None:
    assert len(CELLS) == 15
    assert Counter(cell.feet for cell in CELLS) == {5: 5, 10: 3, 15: 2, 20: 2, 25: 1, 30: 1, 40: 1}
    assert {cell.angle for cell in CELLS if cell.feet == 5} == {0, 15, 30, 45, 60}
    assert Cell(40, 0).distance_m == pytest.approx(12.192)


@pytest.mark.parametrize(("feet", "pixels"), [(5, 511.8), (10, 255.9), (40, 64.0)])
def test_plate_of_750_mm_is_as_high_as_a_pinhole_makes_it(feet: int, pixels: float) -> None:
    left, top, right, bottom = plate_boxes(torch.ones(SIDE, SIDE), head_on(feet * FOOT))[0].tolist()
    assert right - left == pytest.approx(pixels, abs=0.1)
    assert bottom - top == pytest.approx(pixels, abs=0.1)
    assert (left + right) / 2 == pytest.approx(500.5)


def test_edges_of_a_turned_plate_lie_where_they_do_on_paper() -> None:
    homography = head_on(2000, yaw=30)
    edges = torch.tensor([[-0.5, (SIDE - 1) / 2], [SIDE - 0.5, (SIDE - 1) / 2]], dtype=torch.float64)
    seen = apply_homography(homography, edges)[0, :, 0].tolist()
    across, deep = 375 * math.cos(math.radians(30)), 375 * math.sin(math.radians(30))
    # One of the two edges is nearer by 187.5 mm, the other as much farther.
    expected = sorted([500 - 1040 * across / (2000 + deep), 500 + 1040 * across / (2000 - deep)])
    mirrored = sorted([1000 - x for x in expected])
    assert sorted(seen) == pytest.approx(expected) or sorted(seen) == pytest.approx(mirrored)


def test_plate_hides_what_is_behind_and_nothing_else() -> None:
    plate, hole = torch.full((1, 3, SIDE, SIDE), 1.0), torch.ones(SIDE, SIDE)
    hole[:, : SIDE // 2] = 0
    behind = torch.full((1, 3, 1000, 1000), 0.2)
    light = seen_light(plate, hole, head_on(5 * FOOT), behind)[0, 0]
    assert light[500, 700] == pytest.approx(1.0, abs=1e-3)
    assert light[500, 300] == pytest.approx(0.2, abs=1e-6)
    assert light[100, 700] == pytest.approx(0.2, abs=1e-6)


def test_crop_holds_its_box_and_stops_at_the_pictures_edge() -> None:
    picture = torch.zeros(3, 40, 60)
    picture[0, 10:20, 30:50] = 1
    assert crop(picture, (30.0, 10.0, 50.0, 20.0))[0].min() == 1
    assert crop(picture, (-20.0, -20.0, 70.0, 70.0)).shape == (3, 128, 128)
    assert crop(picture, (59.9, 39.9, 80.0, 80.0)).shape == (3, 128, 128)


def test_photos_are_taken_where_they_say_and_pair_the_treatments(sign, tiny_classifier) -> None:
    stop, alpha = sign
    cell = Cell(10, 30)
    exhibit = exhibit_of(tiny_classifier, 0, alpha, seed=3, clean=stop)
    one, other = (photograph(exhibit, each, "a", cell, shots=3) for each in (stop, 1 - stop))
    assert torch.equal(one.distance_m, other.distance_m)
    assert ((one.distance_m / cell.distance_m - 1).abs() <= 0.03).all()
    assert ((one.angle_deg - 30).abs() <= 2).all()
    corner = (slice(None), slice(None), slice(0, 16), slice(0, 16))
    assert torch.equal(one.pictures[corner], other.pictures[corner])
    assert not torch.equal(one.pictures, other.pictures)
    assert torch.equal(one.pictures, (one.pictures * 255).round() / 255)
    again = photograph(exhibit, stop, "b", cell, shots=3)
    assert not torch.equal(one.distance_m, again.distance_m)


def test_drawn_stop_sign_is_read_as_one_from_every_cell(sign) -> None:
    stop, alpha = sign
    grey = torch.full_like(stop, 0.5)
    exhibit = exhibit_of(load_classifier("signs"), STOP, alpha, clean=stop, grey=grey)
    answers = lab_test(exhibit, StudySize(shots=3))
    assert len(answers) == 15 * 2 * 3
    assert list(dict.fromkeys(answer.place for answer in answers)) == [cell.name for cell in CELLS]
    clean = [answer.answer == STOP for answer in answers if answer.treatment == "clean"]
    assert sum(clean) >= 0.95 * len(clean)
    assert not any(answer.answer == STOP for answer in answers if answer.treatment == "grey")


@pytest.mark.parametrize(
    ("faces", "alpha", "signs", "line"),
    [
        ({}, torch.ones(8, 8), ["a"], "no treatment; wanted faces of at least one"),
        (
            {"clean": torch.zeros(2, 3, 8, 8)},
            torch.ones(8, 8),
            ["a"],
            "faces of treatment 'clean' of shape (2, 3, 8, 8); wanted (1, 3, 8, 8), one for",
        ),
        (
            {"clean": torch.zeros(1, 3, 8, 8)},
            torch.ones(8, 9),
            ["a"],
            "alpha of shape (8, 9); wanted a square",
        ),
        ({"clean": torch.zeros(1, 3, 8, 8)}, torch.zeros(8, 8), ["a"], "alpha is nowhere above 0.5"),
    ],
)
def test_faces_that_do_not_fit_are_refused(faces, alpha, signs, line, tiny_classifier) -> None:
    with pytest.raises(StopSignError) as refused:
        lab_test(Exhibit(Judge(tiny_classifier, 0, 1), signs, faces, alpha), StudySize())
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("5ft_15deg/IMG_0001.jpg", Cell(5, 15)),
        ("10ft-30.jpg", Cell(10, 30)),
        ("10 ft, 30°/1.png", Cell(10, 30)),
        ("40ft/two.heic", Cell(40, 0)),
        ("clean/15FT 15/5ft_60deg_2.jpg", Cell(5, 60)),
    ],
)
def test_names_tell_the_cell(path: str, cell: Cell) -> None:
    assert cell_of(Path(path)) == cell


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("IMG_0001.jpg", "IMG_0001.jpg: tells no cell; wanted a distance and an angle"),
        ("10ft-45.jpg", "10ft-45.jpg: 10 ft, 45° is no cell of the lab test; wanted one of 5 ft, 0°; 5 ft,"),
    ],
)
def test_names_that_tell_no_cell_are_refused(path: str, line: str) -> None:
    with pytest.raises(StopSignError) as refused:
        cell_of(Path(path))
    assert str(refused.value).startswith(line)


def test_a_larger_canvas_shows_what_is_around_the_sign() -> None:
    """One with half a sign around it on each side is seen twice as wide."""
    angle = torch.zeros(1, dtype=torch.float64)
    homography = plate_homography(
        view_rotation(angle, angle, angle),
        torch.tensor([[0.0, 0.0, 5 * FOOT]], dtype=torch.float64),
        torch.tensor([[500.0, 500.0]]),
        2 * SIDE,
    )
    left, _, right, _ = plate_boxes(torch.ones(2 * SIDE, 2 * SIDE), homography)[0].tolist()
    assert right - left == pytest.approx(2 * 511.8, abs=0.2)


def test_real_photos_give_the_table_too(sign, tmp_path) -> None:
    stop, alpha = sign
    classifier = load_classifier("signs")
    exhibit = exhibit_of(classifier, STOP, alpha, clean=stop)
    (tmp_path / "10ft_15deg").mkdir()
    for cell, name in ((Cell(10, 15), "10ft_15deg/IMG_7.png"), (Cell(15, 0), "15ft-0.png")):
        photo = photograph(exhibit, stop, "a", cell, shots=3).pictures[0]
        Image.fromarray((photo.permute(1, 2, 0) * 255).byte().numpy()).save(tmp_path / name)
    Image.new("RGB", (64, 64), "green").save(tmp_path / "40ft.png")
    found = photo_test(Judge(classifier, STOP, 1), tmp_path, "clean")
    assert [(answer.place, answer.answer) for answer in found] == [
        ("10 ft, 15°", STOP),
        ("15 ft, 0°", STOP),
        ("40 ft, 0°", None),
    ]
    assert found[0].distance_m == pytest.approx(3.048)


def test_photos_that_show_nothing_are_refused(tmp_path, tiny_classifier) -> None:
    def refusal() -> str:
        with pytest.raises(StopSignError) as refused:
            photo_test(Judge(tiny_classifier, 0), tmp_path, "clean")
        return str(refused.value)

    assert refusal() == f"{tmp_path}: no photos; wanted some as 5ft_15deg/IMG_1.jpg or 10ft-30.jpg"
    Image.new("RGB", (64, 64), "green").save(tmp_path / "40ft.png")
    assert refusal().startswith(f"{tmp_path}: no sign in any of 1 photos; wanted a red octagon at least 16")
    (tmp_path / "5ft.png").write_bytes(b"no picture")
    assert refusal().startswith(f"{tmp_path / '5ft.png'}: not a readable image")
