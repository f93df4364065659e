import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from physadv.signs.stop_sign import FACE_SIDE, StopSignError
from physadv.signs.stop_sign.plate import octagon
from physadv.signs.stop_sign.sign_photos import (
    contact_sheet,
    drawn_sign_photos,
    held_out,
    read_sign_photos,
    rectified,
)


def save(folder, name, pixels):
    Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def folder(tmp_path):
    for photo in drawn_sign_photos(2, seed=3):
        save(tmp_path, f"{photo.name}.png", (photo.photo.permute(1, 2, 0) * 255).byte().numpy())
    return tmp_path


class TestDrawnSignPhotos:
    def test_the_plate_is_where_they_say(self):
        """The homography puts the octagon on the drawn plate: the outline finder, told nothing, agrees."""
        from physadv.signs.stop_sign.outline import find_signs

        for photo in drawn_sign_photos(3, seed=1):
            said = cv2.perspectiveTransform(octagon()[:, None], photo.homography.numpy())[:, 0]
            assert np.linalg.norm(find_signs(photo.photo)[0] - said, axis=1).max() < 4

    def test_the_same_seed_draws_the_same(self):
        one, other = drawn_sign_photos(1, 5)[0], drawn_sign_photos(1, 5)[0]
        assert torch.equal(one.photo, other.photo)


class TestReadSignPhotos:
    def test_finds_signs_in_photos(self, folder):
        found, truth = read_sign_photos(folder), drawn_sign_photos(2, seed=3)
        assert [photo.name for photo in found] == ["drawn-00", "drawn-01"]
        for one, other in zip(found, truth, strict=True):
            seen, drawn = (
                cv2.perspectiveTransform(octagon()[:, None], v.homography.numpy()) for v in (one, other)
            )
            assert np.abs(seen - drawn).max() < 4

    def test_two_photos_of_one_name_are_no_one_sign(self, folder):
        shutil.copy(folder / "drawn-00.png", folder / "drawn-00.jpg")
        with pytest.raises(
            StopSignError, match=r"drawn-00\.jpg and drawn-00\.png have one name; wanted one file"
        ):
            read_sign_photos(folder)

    def test_takes_corners_that_are_given(self, folder):
        given = [[10, 20], [110, 20], [110, 120], [10, 120]]
        (folder / "corners.json").write_text(json.dumps({"drawn-00.png": given}))
        homography = read_sign_photos(folder)[0].homography.numpy()
        corner = cv2.perspectiveTransform(np.array([[[-0.5, -0.5]]]), homography)[0, 0]
        assert corner.tolist() == pytest.approx([10, 20])

    def test_takes_corners_from_csv(self, folder):
        (folder / "corners.csv").write_text("path,x1,y1\ndrawn-01.png,10,20,110,20,110,120,10,120\n")
        homography = read_sign_photos(folder)[1].homography.numpy()
        low = cv2.perspectiveTransform(np.array([[[FACE_SIDE - 0.5] * 2]]), homography)[0, 0]
        assert low.tolist() == pytest.approx([110, 120])

    @pytest.mark.parametrize(
        ("corners", "line"),
        [
            ([[10, 20], [110, 20], [40, 50], [10, 120]], r"drawn-00\.png: corners are not convex"),
            ([[10, 20], [22, 20], [22, 32], [10, 32]], r"drawn-00\.png: the sign is 12 pixels high; wanted"),
            ([[10, 20], [22, 20]], r"drawn-00\.png: corners of shape \(2, 2\)"),
            ([["a", 20], [22, 20]], r"corners\.json: corners of 'drawn-00\.png' are not numbers"),
            ([1, 2, 3], "are not numbers in pairs"),
        ],
    )
    def test_refuses_corners_in_one_line(self, folder, corners, line):
        (folder / "corners.json").write_text(json.dumps({"drawn-00.png": corners}))
        with pytest.raises(StopSignError, match=line):
            read_sign_photos(folder)

    def test_refuses_corners_of_no_photo_and_damaged_ones(self, folder):
        (folder / "corners.json").write_text(json.dumps({"other.png": []}))
        with pytest.raises(StopSignError, match=r"corners of 'other\.png', of which there is no photo"):
            read_sign_photos(folder)
        (folder / "corners.json").write_text("{")
        with pytest.raises(StopSignError, match="the corners beside the photos cannot be read"):
            read_sign_photos(folder)
        (folder / "corners.json").write_text("[1]")
        with pytest.raises(StopSignError, match="the corners beside the photos cannot be read"):
            read_sign_photos(folder)

    def test_refuses_photos_without_a_sign_and_files_that_are_none(self, tmp_path):
        with pytest.raises(StopSignError, match="no such folder"):
            read_sign_photos(tmp_path / "none")
        with pytest.raises(StopSignError, match="no photos; wanted"):
            read_sign_photos(tmp_path)
        save(tmp_path, "wall.png", np.full((64, 64, 3), 120, np.uint8))
        with pytest.raises(StopSignError, match=r"wall\.png: no stop sign found; give its corners in"):
            read_sign_photos(tmp_path)
        (tmp_path / "wall.png").write_bytes(b"no photo")
        with pytest.raises(StopSignError, match=r"wall\.png: cannot be read as a photo"):
            read_sign_photos(tmp_path)
        save(tmp_path, "wall.png", np.zeros((9, 9, 3), np.uint8))
        with pytest.raises(StopSignError, match=r"9 × 9 pixels; wanted a sign at least 16 high"):
            read_sign_photos(tmp_path)

    def test_finds_the_published_photos(self, shared_data):
        photos = read_sign_photos(shared_data / "traffic" / "rp2" / "victims")
        assert len(photos) == 40
        faces = rectified(photos, 64)
        # Red above and below the word, its white in a row through the middle.
        red = faces[:, 0] - faces[:, 1:].amax(dim=1)
        field = red[:, 10:14, 24:40].mean(dim=(1, 2))
        assert bool((field > 0.08).all())
        assert bool((red[:, 27:37, 10:54].amin(dim=(1, 2)) < 0.3 * field).all())


class TestHeldOut:
    def test_turns_are_taken_by_neighbours(self):
        attacked, judged = held_out(list(range(40)))
        assert attacked == [*range(5), *range(10, 15), *range(20, 25), *range(30, 35)]
        assert sorted(attacked + judged) == list(range(40))

    def test_few_are_judged_by_others_and_fewer_by_themselves(self):
        assert held_out(list("abcde")) == (["a", "c", "e"], ["b", "d"])
        assert held_out(list("abc")) == (["a", "b", "c"], ["a", "b", "c"])


class TestRectified:
    def test_shows_the_face_and_what_is_around_it(self):
        photos = drawn_sign_photos(1, seed=2)
        whole, face = rectified(photos, 80, margin=0.1), rectified(photos, 80)
        assert whole.shape == (1, 3, 96, 96)
        assert float((whole[..., 8:88, 8:88] - face).abs().mean()) < 0.01

    def test_contact_sheet_has_a_tile_for_each(self):
        assert contact_sheet(drawn_sign_photos(3, seed=2), columns=2).shape == (512, 512, 3)
