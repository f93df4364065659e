"""Signs judged where a camera really was: photos sorted by cell, and videos of an approach.

What a sign wore in them, its treatment, only whoever took them can say.
"""

from collections.abc import Sequence
from pathlib import Path

from physadv.progress import Reporter
from physadv.signs.stop_sign.drive_by import video_test
from physadv.signs.stop_sign.lab_photos import photo_test
from physadv.signs.stop_sign.make import StickerRun, StopSignError
from physadv.signs.stop_sign.score import Score, score_drive_by, score_lab
from physadv.signs.stop_sign.sign import Answer
from physadv.signs.stop_sign.treatments import CLEAN, OPTIMISED, RANDOM

TREATMENTS = (CLEAN, RANDOM, OPTIMISED)
CHANNEL = "photographed"
_SIGN = "the sign"


def parse_pictures(option: str, given: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    """Return (treatment, path) of texts such as `optimised=stickers/`.

    Raises:
        StopSignError: a text without a treatment, or with one that is none of `TREATMENTS`.
    """
    parsed = []
    for text in given:
        treatment, equals, path = text.partition("=")
        if not equals or not path or treatment not in TREATMENTS:
            raise StopSignError(
                f"{option} '{text}': wanted what the sign wears and where it is seen, as optimised=PATH; "
                f"known: {', '.join(TREATMENTS)}"
            )
        parsed.append((treatment, Path(path)))
    return tuple(parsed)


def judge_pictures(
    run: StickerRun,
    photos: Sequence[tuple[str, Path]],
    videos: Sequence[tuple[str, Path]],
    every: int,
    reporter: Reporter,
) -> tuple[list[Answer], list[Score]]:
    """Return what a classifier says of the sign in real pictures, and the scores of photos and of videos.

    Args:
        run: the stickers, and who judges.
        photos: (treatment, folder), see `photo_test`.
        videos: (treatment, file), see `video_test`.
        every: of how many frames of a video one is looked at.
        reporter: told of every photo and video.

    Raises:
        SightError: pictures that cannot be read, or that show no sign.
    """
    photographed = [
        answer
        for treatment, folder in photos
        for answer in photo_test(
            run.classifier,
            folder,
            treatment=treatment,
            victim=_SIGN,
            label=run.label,
            target=run.target,
            reporter=reporter,
        )
    ]
    filmed = [
        answer
        for treatment, path in videos
        for answer in video_test(
            run.classifier,
            path,
            treatment=treatment,
            victim=_SIGN,
            label=run.label,
            target=run.target,
            every=every,
        )
    ]
    scores = [score_lab(photographed, CHANNEL)] if photographed else []
    return [*photographed, *filmed], scores + ([score_drive_by(filmed, CHANNEL)] if filmed else [])
