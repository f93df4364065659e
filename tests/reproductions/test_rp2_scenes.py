"""Scenes of RP2's photos, and that no scene is on both sides of the split."""

from types import SimpleNamespace

import pytest

from reproductions.rp2.published import FOLDER
from reproductions.rp2.scenes import SceneError, held_out_scenes, scene_of


def photos(*names):
    return [SimpleNamespace(name=str(name)) for name in names]


def test_every_photo_and_every_crop_has_a_scene(shared_data):
    for folder in ("victims", "victims_32px"):
        names = [path.stem for path in (shared_data / FOLDER / folder).iterdir()]
        assert len(names) == 40
        assert len({scene_of(name) for name in names}) == 11


def test_no_scene_is_on_both_sides():
    numbers = [number for number in range(1, 42) if number != 14]
    attacked, judged = held_out_scenes(photos(*numbers))
    assert sorted(int(photo.name) for photo in attacked + judged) == numbers
    scenes = [{scene_of(photo.name) for photo in side} for side in (attacked, judged)]
    assert not scenes[0] & scenes[1]
    assert [len(side) for side in (attacked, judged)] == [19, 21]
    assert [len(side) for side in scenes] == [5, 6]


def test_neighbours_of_one_scene_stay_together_however_few_photos_there_are():
    attacked, judged = held_out_scenes(photos(24, 25, 30, 35))
    assert {photo.name for photo in attacked} == {"24", "30"}
    assert {photo.name for photo in judged} == {"25", "35"}


def test_strangers_and_one_scene_alone_are_refused():
    with pytest.raises(SceneError, match="14: in no scene"):
        scene_of("14")
    with pytest.raises(SceneError, match="one scene"):
        held_out_scenes(photos(1, 2))
