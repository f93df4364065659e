from dataclasses import replace

import numpy as np
import pytest

from physadv.classifiers import Classifier, load_classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.signs.stop_sign.settings import CLEAN as BARE
from physadv.signs.stop_sign.settings import OPTIMISED, RANDOM
from physadv.signs.stop_sign.sign_photos import drawn_sign_photos
from physadv.signs.training.harden_settings import HardenError
from reproductions.hardening import study as study_of
from reproductions.hardening.__main__ import main as study_main
from reproductions.hardening.answers import Answers, Line, failures, told, united
from reproductions.hardening.lines import called_stop
from reproductions.hardening.page import page
from reproductions.hardening.stop_signs import shared_stickers
from reproductions.hardening.study import HardeningSize, Task, Unit, rows_of, tasks_of

STOP, NO_ENTRY = SIGN_LABELS.index("stop"), SIGN_LABELS.index("no entry")
SIZE = HardeningSize(every=2, steps=2, restarts=3, queried=3, query_steps=1, shared_steps=2, draws=2)


@pytest.mark.long
def test_shared_stickers_are_judged_on_scenes_they_were_not_made_on():
    drawn = drawn_sign_photos(6)
    photos = [
        replace(photo, name=name) for photo, name in zip(drawn, ("1", "2", "6", "7", "10", "18"), strict=True)
    ]
    classifier = load_classifier("signs")

    def made(seed):
        return shared_stickers(
            classifier, photos, area=0.19, target=None, seed=seed, steps=10, draws=3, lab=False
        )

    first, other = made(0), made(1)
    assert not set(first[BARE].clusters) & set(other[BARE].clusters)
    assert {*first[BARE].clusters, *other[BARE].clusters} == {
        "window at dusk", "whiteboard", "staircase", "glass front"
    }  # fmt: skip
    wrong = {worn: failures([first[worn], other[worn]]).share for worn in (BARE, RANDOM, OPTIMISED)}
    assert (wrong[OPTIMISED].n, wrong[OPTIMISED].pairs) == (18, 4)
    assert wrong[OPTIMISED].value > wrong[RANDOM].value
    assert first[OPTIMISED].note == "any other class"


def test_parts_of_the_study_store_every_answer(tmp_path):
    folder = tmp_path / "traffic"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    np.savez(folder / "gtsrb32.npz", test_images=pixels, test_labels=np.array([0, 1, STOP, 3, 4, 5, 6, STOP]))

    def answers(task, spec="signs"):
        return rows_of(Unit(tmp_path, SIZE, spec, task))[task.kind]

    assert answers(Task(study_of.CLEAN)).trials == tuple("01234567")
    assert answers(Task(study_of.SQUARES, 0.1)).trials == ("0", "2", "4", "6")
    assert answers(Task(study_of.TO_STOP, 0.1)).trials == ("0", "4", "6")
    assert answers(Task(study_of.ON_STOP, 0.4)).labels == (STOP, STOP)
    assert answers(Task(study_of.QUERIED, 0.1)).trials == ("0", "2", "4")
    whole = answers(Task(study_of.TO_STOP, 1.0, seed=1))
    noise = answers(Task(study_of.NOISY, what="L∞ noise, eps 4, PGD 40 steps"))
    assert (len(whole.answers), len(noise.answers)) == (3, 4)


def test_worst_over_attacks_is_taken_trial_by_trial():
    one = Answers(("a", "b", "c"), ("x", "x", "y"), (1, 1, 1), (1, 2, 1))
    other = Answers(("c", "a"), ("y", "x"), (1, 1), (3, 1))
    assert united([one, other]).answers == (1, 2, 3)
    assert failures([united([one, other])]).share.n == 3
    assert failures([one, united([one, other])]).seeds == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def study(hardened):
    """Answers of every part: 60 images, and 12 views of 6 scenes; hardening helps but on noise."""

    def of(task, row):
        shared = task.kind in (study_of.SHARED, study_of.PHOTOS)
        trials = tuple(str(number) for number in range(12 if shared else 60))
        clusters = tuple(f"scene {number % 6}" for number in range(12)) if shared else trials
        labels = tuple(STOP if shared or number % 10 == 9 else 1 for number in range(len(trials)))
        wrong = 0
        if task.kind == study_of.NOISY:
            wrong = 60 if hardened else 20
        elif row.endswith(OPTIMISED) or task.kind == study_of.SQUARES:
            wrong = 0 if hardened else len(trials)
        elif task.kind in (study_of.TO_STOP, study_of.ON_STOP, study_of.QUERIED):
            wrong = 30
        if hardened and row == OPTIMISED and task.what == "no entry":
            wrong = 6  # the attack with a target finds what the one without misses
        answers = tuple(
            (NO_ENTRY if label == STOP else STOP) if number < wrong else label
            for number, label in enumerate(labels)
        )
        return Answers(trials, clusters, labels, answers, "no entry")

    found = {}
    for task in tasks_of(SIZE):
        rows = [task.kind]
        if task.kind == study_of.SHARED:
            rows = [BARE, RANDOM, OPTIMISED]
            rows += [f"lab, {row}" for row in rows if task.lab]
        found[task] = {row: of(task, row) for row in rows}
    return found


def test_page_says_what_holds_and_what_no_longer_does():
    studies, specs = (study(False), study(True)), ("one", "other")
    text = page(specs, studies, SIZE)
    assert "- **holds**: square of 10 %: 100.0 % before, 0.0 % after, wanted half" in text
    # Six scenes, and three tests:
    assert "- **not shown**: 10 %, optimised, not called stop: 100.0 % before, 0.0 % after" in text
    assert "- **does not hold**: L∞ noise, eps 2, PGD 40 steps" in text
    assert "- **not shown**: GTSRB test images, misread" in text  # 60 are too few for 3 points
    assert text.index("## What no longer holds") < text.index("## What holds and what does not")
    assert "made for any other class found 0 failures of 36, fewer than the targeted" in text
    assert "worst of 5 places, wanted half: was 98.8 % before, 94.2 % after, does not hold; is" in text


def test_a_defence_that_answers_stop_to_everything_is_seen():
    labels = (STOP,) * 5 + tuple(range(1, 6)) * 10
    trials = tuple(map(str, range(len(labels))))
    before, after = (Answers(trials, trials, labels, own) for own in (labels, (STOP,) * len(labels)))
    others = frozenset(trials[5:])
    found = Line("others", *(failures([own], others, called_stop) for own in (before, after)))
    assert told(found.change(("one", "other"))) == "does not hold"
    assert found.after.share.value == 1


def test_study_refuses_data_and_classifiers_it_cannot_use(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit):
        study_main([str(tmp_path), "--quick", "--workers", "1", "--out", str(tmp_path / "page.md")])
    assert "victims: no such folder" in capsys.readouterr().err
    strange = Classifier(load_classifier("signs").network, ["a"], "strange")
    monkeypatch.setattr(study_of, "load_classifier", lambda spec: strange)
    with pytest.raises(HardenError, match="other classes"):
        rows_of(Unit(tmp_path, SIZE, "strange", Task(study_of.CLEAN)))
