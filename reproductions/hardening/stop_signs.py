"""Stickers that all stop signs share: made on the photos of some scenes and judged on those of the others.

They are made and judged as those of `physadv stop-sign` and of `reproductions.rp2` are.
"""

from collections.abc import Sequence

from physadv.classifiers import Classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.signs.stop_sign.lab import lab_test
from physadv.signs.stop_sign.make import stickers_for
from physadv.signs.stop_sign.plate import SignPhoto
from physadv.signs.stop_sign.settings import CLEAN, OPTIMISED, RANDOM, StopSignSettings, StudySize
from physadv.signs.stop_sign.views import Answer
from reproductions.hardening.answers import Answers
from reproductions.rp2.held_out import exhibit_of, preset_answers
from reproductions.rp2.scenes import held_out_scenes, scene_of

TREATMENTS = (CLEAN, RANDOM, OPTIMISED)


def shared_stickers(
    classifier: Classifier,
    photos: Sequence[SignPhoto],
    *,
    area: float,
    target: str | None,
    seed: int,
    steps: int,
    draws: int,
    lab: bool,
) -> dict[str, Answers]:
    """Return treatment → answers on signs of other scenes than the stickers were made on.

    The stickers are the rectangles of `auto`. With an even seed they are made on one half of the scenes and
    judged on the other, with an odd one the other way round, so that every scene is judged.

    Args:
        classifier: the classifier, of the bundled classes.
        photos: photos of stop signs, each of a known scene.
        area: share of the plate that the stickers cover together.
        target: class they are made for; None makes them for whichever other class is easiest.
        seed: of the attack and of the views.
        steps: steps of the optimiser, after half as many that look for the places.
        draws: views of every sign in the transformations that the stickers are made for.
        lab: whether a simulated lab test, one photo of every sign in every cell, judges them as well; its
            treatments begin with "lab, ".
    """
    settings = StopSignSettings(model=classifier.spec, target=target, area=area, steps=steps, seed=seed)
    run = stickers_for(classifier, photos, settings, split=_swapped if seed % 2 else held_out_scenes)
    exhibit = exhibit_of(run)
    aimed = run.record["aimed_at"] or "any other class"
    found = preset_answers(exhibit, settings.transforms, draws=draws, seed=seed)
    answers = {name: _answers(found, name, aimed) for name in TREATMENTS}
    if lab:
        seen = lab_test(exhibit, StudySize(shots=1))
        answers |= {f"lab, {name}": _answers(seen, name, aimed) for name in TREATMENTS}
    return answers


def clean_photos(classifier: Classifier, photos: Sequence[SignPhoto]) -> Answers:
    """Return the answers on the photos as they are."""
    stop = SIGN_LABELS.index("stop")
    given = [int(classifier.classes(photo.photo[None])) for photo in photos]
    scenes = tuple(scene_of(photo.name) for photo in photos)
    return Answers(tuple(photo.name for photo in photos), scenes, (stop,) * len(photos), tuple(given))


def _swapped(photos: Sequence[SignPhoto]) -> tuple[list[SignPhoto], list[SignPhoto]]:
    attacked, judged = held_out_scenes(photos)
    return judged, attacked


def _answers(found: Sequence[Answer], treatment: str, note: str) -> Answers:
    own = [answer for answer in found if answer.treatment == treatment]
    return Answers(
        trials=tuple(f"{answer.sign}, view {number}" for number, answer in enumerate(own)),
        clusters=tuple(scene_of(answer.sign) for answer in own),
        labels=tuple(answer.label for answer in own),
        answers=tuple(-1 if answer.answer is None else answer.answer for answer in own),
        note=note,
    )
