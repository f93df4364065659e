import io
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from physadv.phone import (
    PHONES,
    Phone,
    Print,
    Scene,
    Shot,
    draw_shot,
    encode_jpeg,
    load_phone_preset,
    page_to_photo,
    print_page,
    take_photo,
    wholly_visible,
)
from physadv.phone.paper import FLAT, Bend, Paper
from physadv.phone.phones import PhoneError
from physadv.phone.scene import MATERIALS, SKIN, TILE_MM, Desk, Dice, Glare, Rod, Shadow, look_at, weave
from physadv.phone.shots import draw_bend, photo_to_page

A4 = (210.0, 297.0)
SMALL = replace(Phone(), width=756, height=1008, focal=757.0)
ON_PAGE = np.array([(0.0, 0), (210, 0), (210, 297), (0, 297), (105, 148.5), (20, 250)])


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shoot(phone: Phone, seed: int = 0, **changes: object) -> Shot:
    return replace(draw_shot(phone, A4, generator(seed)), **changes)


def plain(light: float) -> Print:
    """Return a page that reflects one light everywhere."""
    return Print(np.zeros((8, 8, 3), np.uint8), np.full((3, 256), light, np.float32), spread=0.1)


def thumb_over(paper: Paper, x: float, y: float) -> Rod:
    """Return a thumb with its tip round a page point that comes from the left."""
    tip, end = paper.to_table(np.array([(x, y), (x - 500, y)]))
    return Rod((tip[0], tip[1]), (end[0], end[1]), 10.0, SKIN[0], nail=True)


bends = st.builds(
    lambda bow, waves, seed: draw_bend(A4, bow, waves, Dice(generator(seed))),
    st.floats(0.1, 25),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 10**6),
)


def test_a_page_bent_by_its_middle_is_an_arc_of_a_circle() -> None:
    # Height and chord of an arc of 300 mm radius that is 297 mm long.
    half = 148.5 / 300
    bow, chord = 300 * (1 - math.cos(half)), 2 * 300 * math.sin(half)
    surface = Paper(A4, bend=Bend(bow)).surface(np.array([(0.0, 0), (0, 297), (0, 148.5)]))
    assert np.linalg.norm(surface[1] - surface[0]) == pytest.approx(chord, abs=1e-4)
    np.testing.assert_allclose(surface[:, 2], (0, 0, -bow), atol=1e-4)
    down = Paper(A4, bend=Bend(-bow)).surface(np.array([(0.0, 0), (0, 297), (0, 148.5)]))
    np.testing.assert_allclose(down[:, 2], (-bow, -bow, 0), atol=1e-4)


@given(bends, st.floats(-180, 180))
@settings(max_examples=30)
def test_paper_bends_but_does_not_stretch_and_rests_on_the_table(bend: Bend, turn: float) -> None:
    paper = Paper(A4, (30.0, -20.0), turn, bend)
    x, y = np.meshgrid(np.linspace(0, 210, 106), np.linspace(0, 297, 298))
    surface = paper.surface(np.stack([x, y], axis=-1).reshape(-1, 2)).reshape(*x.shape, 3)
    np.testing.assert_allclose(np.linalg.norm(np.diff(surface, axis=1), axis=2), 2, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(np.diff(surface, axis=0), axis=2), 1, atol=2e-4)
    assert surface[..., 2].max() <= 1e-9
    # Slanted rulings touch the bow's two ends at corners that this lattice may just miss.
    assert np.ptp(surface[..., 2]) == pytest.approx(abs(bend.bow), rel=0.02)


@given(bends, st.integers(0, 10**6), st.booleans())
@settings(max_examples=30)
def test_where_a_page_point_is_seen_that_point_is_met(bend: Bend, seed: int, messenger: bool) -> None:
    shot = shoot(SMALL, seed, messenger=messenger)
    shot = replace(shot, papers=(replace(shot.papers[0], bend=bend),))
    np.testing.assert_allclose(photo_to_page(shot, page_to_photo(shot, ON_PAGE)), ON_PAGE, atol=1e-5)


def test_a_bow_drawn_near_the_limit_is_one_that_the_page_can_have() -> None:
    for seed in range(200):
        assert abs(draw_bend(A4, 25.0, 0.5, Dice(generator(seed))).bow) == 25.0
    with pytest.raises(PhoneError, match=r"bow -?90 mm: wanted less"):
        draw_bend(A4, 90.0, 0.5, Dice(generator(0)))


def test_a_flat_page_is_seen_as_its_plane_is() -> None:
    shot = shoot(SMALL, 3)
    plane = torch.from_numpy(ON_PAGE - np.array(A4) / 2)
    np.testing.assert_allclose(page_to_photo(shot, ON_PAGE), shot.camera.project(plane)[0], atol=1e-9)


@pytest.mark.parametrize(("bow", "messenger"), [(0.0, False), (25.0, False), (-25.0, True)])
def test_the_photo_shows_page_points_where_they_are_said_to_be(bow: float, messenger: bool) -> None:
    squares = (np.add.outer(np.arange(27), np.arange(19)) % 2 * 255).astype(np.uint8)
    page = np.repeat(np.kron(squares, np.ones((110, 110), np.uint8))[..., None], 3, axis=2)
    extent = (19 * 11.0, 27 * 11.0)
    # Sharp and without noise, for the sake of the corner finder.
    phone = replace(Phone(), width=1512, height=2016, focal=1514.0, tilt=20.0, exposure=(0.8, 0.8))
    phone = replace(phone, blur=(0.8, 0.8), motion=(0, 0), read_noise=(0, 0), shot_noise=(0, 0))
    bend = Bend(bow, 60.0, ((0.4, 1.0), (0.1, 2.0))) if bow else FLAT
    shot = draw_shot(phone, extent, generator(4))
    shot = replace(shot, papers=(replace(shot.papers[0], bend=bend),), messenger=messenger, quality=95)
    file = encode_jpeg(take_photo([print_page(page, extent)], shot), shot)
    gray = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("L"))
    corners = np.stack(np.meshgrid(np.arange(1, 19) * 11.0, np.arange(1, 27) * 11.0), axis=-1)
    expected = page_to_photo(shot, corners.reshape(-1, 2))
    criteria = (cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    found = cv2.cornerSubPix(gray, expected[:, None].astype(np.float32), (7, 7), (-1, -1), criteria)[:, 0]
    error = found - expected
    assert np.linalg.norm(error, axis=1).mean() < (0.08 if messenger else 0.04)
    # What is left is the finder's, each corner in a direction of its own: nowhere is the sheet elsewhere.
    regions = error.reshape(2, 13, 3, 6, 2).mean(axis=(1, 3))
    assert np.abs(regions).max() < 0.02


def test_all_photos_of_a_preset_can_be_taken_and_show_the_sheet() -> None:
    for name, preset in PHONES.items():
        small = replace(preset.phone, width=756, height=1008, focal=757.0)
        for seed in range(8):
            shot = shoot(small, seed)
            outline = page_to_photo(shot, ON_PAGE[:4])
            np.testing.assert_allclose(photo_to_page(shot, outline), ON_PAGE[:4], atol=1e-5)
            centre = page_to_photo(shot, ON_PAGE[4:5])[0] / (shot.camera.width, shot.camera.height)
            assert ((centre > 0) & (centre < 1)).all(), (name, seed)
            if not preset.phone.scene.partial and not shot.messenger:
                assert ((outline > 0) & (outline < (756, 1008))).all(), (name, seed)


def test_a_cut_sheet_is_cut_by_the_share_asked_for() -> None:
    scene = Scene(partial=1.0, cut=(0.25, 0.25))
    phone = replace(SMALL, tilt=0.0, roll=0.0, lens=0.0, turns=(0, 90), scene=scene)
    for seed in range(6):
        outline = page_to_photo(shoot(phone, seed), ON_PAGE[:4]) + 0.5
        whole, kept = np.ptp(outline, axis=0), np.clip(outline, 0, (756, 1008))
        assert min(np.ptp(kept, axis=0) / whole) == pytest.approx(0.75, abs=0.002)
        assert max(np.ptp(kept, axis=0) / whole) == pytest.approx(1, abs=1e-9)


def test_sheets_beside_each_other_are_all_whole_and_apart() -> None:
    for seed in range(5):
        shot = draw_shot(SMALL, A4, generator(seed), sheets=2)
        for sheet in (0, 1):
            assert wholly_visible(shot, (0.0, 0.0, *A4), sheet)
            elsewhere = photo_to_page(shot, page_to_photo(shot, ON_PAGE, sheet), 1 - sheet)
            assert ((elsewhere < 0) | (elsewhere > A4)).any(axis=1).all()


def test_what_lies_over_a_cell_hides_it() -> None:
    shot = shoot(SMALL, 1)
    (paper,) = shot.papers
    box, far = (15.0, 100.0, 36.0, 36.0), (150.0, 250.0, 36.0, 36.0)
    assert wholly_visible(shot, box)
    thumb = replace(shot, rods=(thumb_over(paper, 10.0, 110.0),))
    assert not wholly_visible(thumb, box)
    assert wholly_visible(thumb, far)
    beside = replace(shot, rods=(thumb_over(paper, 4.0, 110.0),))
    assert wholly_visible(beside, box)
    (x, y), _ = paper.to_table(np.array([(120.0, 90.0), (0.0, 0.0)]))
    on_top = replace(shot, papers=(paper, Paper((100.0, 100.0), (float(x), float(y)))))
    assert not wholly_visible(on_top, (100.0, 100.0, 36.0, 36.0), 0)
    assert wholly_visible(on_top, (10.0, 10.0, 36.0, 36.0), 1)
    assert not wholly_visible(shot, (-300.0, 0.0, 36.0, 36.0))


def test_a_thumb_in_the_photo_is_where_it_is_said_to_be() -> None:
    shot = shoot(SMALL, 2)
    shot = replace(shot, rods=(thumb_over(shot.papers[0], 30.0, 150.0),), gains=(0.8, 0.8, 0.8))
    photo = take_photo([plain(0.86)], shot)
    covered, bare = page_to_photo(shot, np.array([(25.0, 150.0), (45.0, 150.0)])).round().astype(int)
    assert (
        photo[covered[1], covered[0]].ptp()
        if hasattr(photo, "ptp")
        else np.ptp(photo[covered[1], covered[0]]) > 30
    )
    assert photo[bare[1], bare[0]].min() > 150


def test_every_exif_orientation_turns_back_to_the_same_photo() -> None:
    rng = np.random.default_rng(0)
    photo = cv2.resize(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8), (200, 240))
    for orientation in range(1, 9):
        shot = shoot(SMALL, orientation=orientation, quality=95)
        with Image.open(io.BytesIO(encode_jpeg(photo, shot))) as stored:
            assert stored.getexif().get(ExifTags.Base.Orientation) == orientation
            upright = np.asarray(ImageOps.exif_transpose(stored))
        assert np.abs(upright.astype(int) - photo).mean() < 3


def test_a_messenger_leaves_1600_pixels_and_nothing_of_the_camera_but_that_it_is_simulated() -> None:
    shot = shoot(Phone(), messenger=True, orientation=6)
    with Image.open(io.BytesIO(encode_jpeg(np.zeros((4032, 3024, 3), np.uint8), shot))) as sent:
        assert sent.size == (1200, 1600)
        exif = sent.getexif()
        assert ExifTags.Base.Orientation not in exif
        assert not exif.get_ifd(ExifTags.IFD.Exif)
        assert "simulated" in exif[ExifTags.Base.Model]


def test_the_same_shot_gives_the_same_photo() -> None:
    dots = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    page = [replace(plain(0.0), dots=dots, light=np.linspace((0,) * 3, (1,) * 3, 256, dtype=np.float32).T)]
    phone = replace(PHONES["hostile"].phone, width=300, height=400, focal=300.0)
    photos = [take_photo(page, draw_shot(phone, A4, generator(9))) for _ in range(2)]
    np.testing.assert_array_equal(*photos)
    assert photos[0].shape == (400, 300, 3)


def test_shadow_glare_and_rods_are_what_their_numbers_say() -> None:
    points = torch.tensor([(0.0, 0.0), (10.0, 50.0), (20.0, 0.0), (100.0, 0.0)])
    bar = Shadow((0.0, 0.0), angle=0.0, width=40.0, penumbra=4.0, depth=0.6)
    torch.testing.assert_close(bar.light(points), torch.tensor([0.4, 0.4, 0.7, 1.0]))
    lamp = Glare((0.0, 0.0), (20.0, 50.0), angle=0.0, light=0.8)
    torch.testing.assert_close(lamp.added(points)[[0, 2]], torch.tensor([0.8, 0.4]))
    pen = Rod((0.0, 0.0), (100.0, 0.0), 5.0, (0.0, 0.0, 0.0))
    torch.testing.assert_close(pen.distance(points), torch.tensor([-5.0, 45.0, -5.0, -5.0]))
    assert float(pen.distance(torch.tensor([-3.0, -4.0]))) == pytest.approx(0)


@pytest.mark.parametrize("material", MATERIALS)
def test_a_desk_has_texture_and_no_seams(material: str) -> None:
    desk = Desk(material, (0.3, 0.2, 0.1), turn=0.0, seed=0)
    tile = weave(desk)
    across = torch.linspace(TILE_MM - 1, TILE_MM + 1, 401)
    plane = torch.stack(torch.meshgrid(across, torch.linspace(3, 60, 301), indexing="xy"), dim=-1)[None]
    seen = look_at(tile, desk, plane)[0, 0]
    step = seen.diff(dim=1).abs().mean(dim=0)
    assert float(seen.std() / seen.mean()) > 0.03
    assert float(step[195:205].max()) < 3 * float(step.mean())
    assert seen.mean() == pytest.approx(0.3, rel=0.15)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: load_phone_preset("hand-hold"), "unknown preset 'hand-hold'; nearest: hand-held"),
        (lambda: draw_shot(SMALL, A4, generator(0), sheets=0), "sheets 0: wanted 1 or more"),
        (lambda: Paper(A4, bend=Bend(200.0)), "bow 200 mm: wanted less, a page of 210 × 297 mm would slope"),
        (lambda: take_photo([], shoot(SMALL)), "0 prints: wanted 1, one for each paper of the shot"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong, named: str) -> None:
    with pytest.raises(PhoneError) as caught:
        wrong()
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_page_that_hides_part_of_itself_is_refused() -> None:
    shot = shoot(replace(SMALL, tilt=0.0))
    steep = replace(shot.camera, pitch=torch.tensor([65.0], dtype=torch.float64))
    shot = replace(shot, camera=steep, papers=(Paper(A4, bend=Bend(45.0)),))
    with pytest.raises(PhoneError, match="part of the page is hidden by another"):
        photo_to_page(shot, np.array([(100.0, 100.0)]))
