"""Scenes of RP2's photos, and that no scene is on both sides of the split."""

from types import SimpleNamespace

import pytest

from physadv.signs.stop_sign import drive_by, lab
from reproductions.rp2 import study
from reproductions.rp2.counting import PUBLISHED, SAME_MEAN
from reproductions.rp2.published import FOLDER
from reproductions.rp2.scenes import SceneError, held_out_scenes, one_a_scene, scene_of
from reproductions.rp2.sights import AS_FILES, DRIVE, FOUND, GRAPHITE, LAB
from reproductions.rp2.study import Rp2Size, Unit, row_of


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


def test_a_turn_shows_another_photo_of_every_scene_that_has_more():
    names = [str(number) for number in range(1, 42) if number != 14]
    turns = [one_a_scene(names, turn) for turn in range(3)]
    assert [len({scene_of(name) for name in turn}) for turn in turns] == [11, 11, 11]
    assert [turn[0] for turn in turns] == ["1", "2", "3"]
    assert all("22" in turn for turn in turns), "the only photo of its scene"


@pytest.mark.parametrize("classifier", ["", "LISA-CNN"])
def test_a_miniature_of_the_study_judges_by_scenes_that_the_attack_has_not_seen(
    classifier, shared_data, monkeypatch
):
    monkeypatch.setattr(lab, "CELLS", lab.CELLS[-1:])
    monkeypatch.setattr(drive_by, "START_M", 12.0)
    monkeypatch.setattr(study, "one_a_scene", lambda names, turn: one_a_scene(names, turn)[:1])
    size = Rp2Size(every=100, steps=1, noise_steps=1, draws=1)
    row = row_of(Unit(shared_data, size, 1, "two-bars" if classifier else "sticker", classifier))
    seen = [sight for sight in row.sights if sight.test == LAB]
    tests = {LAB, DRIVE, FOUND, GRAPHITE} if classifier else {AS_FILES, LAB, DRIVE}
    assert {sight.test for sight in row.sights} == tests
    if not classifier:
        assert {sight.sign for sight in seen} == {"2"}
        assert len(seen) == 4
        ours, theirs = (row.made["mean"][name] for name in (SAME_MEAN, PUBLISHED))
        assert ours <= theirs + 1e-6
        return
    assert len(seen) == 2 * 3
    for side, signs in zip(row.made["sides"], (seen[:3], seen[3:]), strict=True):
        attacked, judged = ({scene_of(name) for name in side[key]} for key in ("attacked", "judged"))
        assert not attacked & judged
        assert {scene_of(sight.sign) for sight in signs} <= judged
