"""The benchmark of EOT through the photo: its page says better and worse only where a test does."""

import sys
from pathlib import Path

from physadv.evaluation import Judgement, PairOutcome

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import eot_photo as study

from reproductions.together import Pictured

SETTINGS = study.Settings(Path("data"), Path("root"), "net", 64, 40, 8, 2, 3, 1)
RIGHT, WRONG = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 8), 0.9)


def pictured(destroyed, target=None, images=40):
    """Images of which the first `destroyed` are right again in each of three photos, two to a sheet."""
    return [
        Pictured(
            PairOutcome(
                pair=f"{place:04d}",
                label=3,
                clean=RIGHT,
                adversarial=WRONG,
                clean_after=(RIGHT,) * 3,
                adversarial_after=(RIGHT if place < destroyed else WRONG,) * 3,
                target=target,
            ),
            place // 2,
            (0, 1, 2),
        )
        for place in range(images)
    ]


def measured():
    """Everything destroyed of least-likely, half of bim, nothing of the others."""
    lost = {"least-likely": 40, "bim": 20}
    runs = {
        run.name: pictured(lost.get(run.name, 0), 7 if run.target != "none" else None) for run in study.RUNS
    }
    return {study.PHOTO: runs, study.GRAPHITE: runs}


def test_all_comparisons_of_a_channel_are_one_family_and_say_better_only_by_their_verdict():
    compared = study.compare_all(measured())
    assert len(compared) == 40
    said = {(one.channel, one.top, one.test.first, one.test.second): one.verdict for one in compared}
    assert said["photo", 1, "eot", "least-likely"] == study.BETTER
    assert said["photo", 1, "eot", "bim"] == study.BETTER
    assert said["photo", 1, "eot", "fast"] == "no difference of interest shown"
    one = next(one for one in compared if one.test.second == "bim")
    assert one.test.holm > one.test.p


def test_eot_is_worse_where_it_is_destroyed_more():
    runs = {**measured()[study.PHOTO], "eot": pictured(40)}
    compared = study.compare_all({study.PHOTO: runs})
    words = {one.verdict for one in compared if (one.test.first, one.test.second) == ("eot", "mim")}
    assert words == {study.WORSE}


def test_the_page_lists_first_what_no_longer_holds_and_names_the_channel_that_eot_was_made_for():
    found = measured()
    compared = study.compare_all(found)
    changes = dict.fromkeys(found[study.PHOTO], 4.0)
    text = "\n".join(study.page(SETTINGS, found, compared, changes))
    gone, how = text.index("## What no longer holds"), text.index("## How it was measured")
    assert gone < how < text.index("**The photo is the channel that `eot` was made for**")
    assert "`eot-least-likely` was worse than `mim`; now: no difference of interest shown." in text[gone:how]
    assert "- photo, top-1: 24.0 % of `least-likely` was destroyed, now 100.0 % (" in text[gone:how]
    assert "the 20 comparisons of a channel as one family" in text
    assert "| least-likely | 4.0 | 100.0 % (" in text
    assert study.summary(found)["photo_on_target_eot-least-likely"] == 1.0
