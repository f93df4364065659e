"""Answers in the observation store: nothing lost and nothing counted twice, whenever a test is stopped."""

import math

import pytest
import torch

from physadv.runs import Capture
from physadv.signs.stop_sign import FACE_SIDE, lab
from physadv.signs.stop_sign.cells import Cell
from physadv.signs.stop_sign.lab import lab_test
from physadv.signs.stop_sign.observations import NOT_FOUND, KeptAnswers
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Exhibit, Judge, View

TREATMENTS = ("clean", "random")
ONE = StudySize(shots=1)
CELLS = (Cell(5, 45), Cell(20, 0), Cell(25, 0), Cell(30, 0), Cell(40, 0))
"""Mostly far ones, of small pictures: the store is looked at, and not they."""


@pytest.fixture(autouse=True)
def _few_cells(monkeypatch):
    monkeypatch.setattr(lab, "CELLS", CELLS)


@pytest.fixture
def exhibit(tiny_classifier):
    random = torch.Generator().manual_seed(0)
    faces = {name: torch.rand(2, 3, FACE_SIDE, FACE_SIDE, generator=random) for name in TREATMENTS}
    return Exhibit(Judge(tiny_classifier, 0, 1), ["a", "b c"], faces, torch.ones(FACE_SIDE, FACE_SIDE))


def plain(answers):
    """Return what answers say, whatever their order; distances go through millimetres."""
    return sorted(
        (a.place, a.sign, a.treatment, round(a.distance_m, 9), a.angle_deg, a.labels, a.probabilities)
        for a in answers
    )


def test_a_test_that_was_stopped_goes_on_where_it_was(exhibit, tmp_path, monkeypatch):
    whole = lab_test(exhibit, ONE)
    ask, asked = Judge.answers, []

    def counted(judge, views):
        if len(asked) == 7:
            raise KeyboardInterrupt
        asked.append(views[0].place)
        return ask(judge, views)

    monkeypatch.setattr(Judge, "answers", counted)
    with Capture(tmp_path, "mine").store() as store, pytest.raises(KeyboardInterrupt):
        lab_test(exhibit, ONE, keep=KeptAnswers(store, exhibit.judge, 0, "these"))
    asked.clear()
    monkeypatch.setattr(Judge, "answers", lambda judge, views: asked.append(0) or ask(judge, views))
    with Capture(tmp_path, "mine").store() as store:
        resumed = lab_test(exhibit, ONE, keep=KeptAnswers(store, exhibit.judge, 0, "these"))
        # Three cells were whole, the fourth was not.
        assert len(asked) == (len(CELLS) - 3) * len(TREATMENTS)
        assert plain(resumed) == plain(whole)
        again = lab_test(exhibit, ONE, keep=KeptAnswers(store, exhibit.judge, 0, "these"))
        assert len(asked) == (len(CELLS) - 3) * len(TREATMENTS)
        assert again == resumed


def test_every_view_is_a_photo_of_the_store_and_none_of_the_folder(exhibit, tmp_path):
    with Capture(tmp_path, "mine").store() as store:
        lab_test(exhibit, ONE, keep=KeptAnswers(store, exhibit.judge, 3, "these"))
        assert (store.photos(), store.crops()) == ([], [])
        views, crops = store.photos(views=True), store.crops(views=True)
        assert len(views) == len(CELLS) * 2
        assert len(crops) == len(views) * len(TREATMENTS)
        assert all(view.simulated and view.status == "used" for view in views)
        seen = store.observations(views[0].run, "tiny", "lab test, simulated", 3)
        assert {(row.example, row.photo) for row in seen} == {(crop.example, crop.photo) for crop in crops}
        near = next(crop for crop in crops if crop.photo.startswith("lab test, simulated//5 ft, 45°#"))
        assert near.distance_mm == pytest.approx(5 * 304.8, rel=0.03)
        assert near.angle_deg == pytest.approx(45, abs=2)


def test_a_sign_that_was_not_found_is_kept_with_the_reason(exhibit, tmp_path):
    view = View("clean", "a", "video mine.mp4", math.nan, math.nan, None)
    part = "drive-by test, photographed//video mine.mp4"
    with Capture(tmp_path, "mine").store() as store:
        keep = KeptAnswers(store, exhibit.judge, 0, "these")
        (answer,) = keep(part, lambda: exhibit.judge.answers([view]))
        assert answer.answer is None
        (crop,) = store.crops(views=True)
        assert (crop.reason, crop.distance_mm, crop.angle_deg) == (NOT_FOUND, None, None)
        assert not store.photos(views=True)[0].simulated
        (kept,) = KeptAnswers(store, exhibit.judge, 0, "these")(part, list)
        assert math.isnan(kept.distance_m)
        assert kept.sign == "a"


def test_an_approach_keeps_its_name(exhibit, tmp_path):
    place = "approach 1 at 29 km/h"
    view = View("clean", "a", place, 20.0, 5.0, torch.zeros(3, 8, 8))
    with Capture(tmp_path, "mine").store() as store:
        keep = KeptAnswers(store, exhibit.judge, 0, "these")
        (answer,) = keep(f"drive-by test, simulated//{place}//a", lambda: exhibit.judge.answers([view]))
        assert (answer.place, answer.sign) == (place, "a")


def test_answers_of_other_stickers_make_room(exhibit, tmp_path):
    view = View("clean", "a", "5 ft, 0°", 1.5, 0.0, torch.zeros(3, 8, 8))
    with Capture(tmp_path, "mine").store() as store:
        keep = KeptAnswers(store, exhibit.judge, 0, "these")
        keep("lab test, simulated//5 ft, 0°", lambda: exhibit.judge.answers([view]))
        assert len(store.photos(views=True)) == 1
        KeptAnswers(store, exhibit.judge, 0, "others")
        assert store.photos(views=True) == []
