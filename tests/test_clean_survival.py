"""Clean survival: parts that are switched off, what is counted beside the files, a sheet that is judged."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import clean_survival as study
import clean_survival_page as shown
from PIL import Image

CHANNEL = study.channel()


@pytest.mark.parametrize("part", [part for part in shown.PARTS if part != shown.PRINTER])
def test_a_part_that_is_switched_off_leaves_the_others_as_they_were(part):
    def changed(other):
        mine, usual = asdict(study.PARTS[other](CHANNEL)), asdict(CHANNEL)
        tables = [(mine[key], usual[key]) for key in ("phone", "settings", "printer")]
        tables.append((mine["phone"].pop("scene"), usual["phone"].pop("scene")))
        return {name for own, was in tables for name in own if own[name] != was[name]}

    own = changed(part)
    assert own
    for other in shown.PARTS:
        assert other == part or not own & changed(other)


def test_a_perfect_print_reflects_what_the_file_says():
    page = np.full((4, 4, 3), (0, 188, 255), np.uint8)
    light = study.perfectly_printed(page).reflectance(blur=0.5)
    assert light[:, 2, 2].tolist() == pytest.approx([0, 0.503, 1], abs=0.002)


def seen(images=32, lost=4):
    """All files right; of the first `lost` images of every sheet photos are wrong, but not at 90 mm."""
    found = {}
    for place in range(images):
        for net in shown.NETS:
            found[shown.TAKEN_APART, shown.WHOLE, -1, f"{place:03d}", net] = True
            for seed in (0, 1):
                right = place % 16 >= lost
                for name in shown.OFF:
                    whole = name in (shown.WHOLE, "paper and pose")
                    found[shown.TAKEN_APART, name, seed, f"{place:03d}", net] = right or not whole
                found[60.0, shown.WHOLE, seed, f"{place:03d}", net] = right
                found[90.0, shown.WHOLE, seed, f"{place:03d}", net] = True
    return found


def test_photos_are_counted_beside_the_files_and_by_image():
    rate = shown.over_file(seen(), shown.NETS, 36.0)
    assert (rate.value, rate.n, rate.pairs) == (0.75, 32 * 2 * 3, 32)
    assert rate.low < 0.75 < rate.high
    assert shown.still_right(seen(), shown.NETS[:1], 90.0).value == 1
    half = {key: right and not (key[2] == -1 and key[3] >= "016") for key, right in seen().items()}
    assert shown.over_file(half, shown.NETS, 36.0).value == 1.5
    assert shown.still_right(half, shown.NETS, 36.0).n == 16 * 2 * 3


def test_a_part_is_said_to_take_images_only_where_it_does():
    tests = {test.first: test for test in shown.compare(seen(images=16 * 16))}
    assert len(tests) == len(shown.OFF) - 1 + 2
    assert tests["softness off"].verdict == "softness off higher"
    assert tests["paper and pose off"].difference.value == 0
    assert tests["90 mm"].difference.pairs == 16  # sheets
    assert tests["90 mm"].difference.value == 0.25


def test_the_page_says_that_photos_are_simulated_and_what_the_paper_had():
    found = seen()
    text = "\n".join(shown.page(found, shown.compare(found)))
    assert "**All photos are simulated**" in text
    assert "90 to 99 % of the file accuracy, 93 % on average" in " ".join(text.split())
    assert "| squeezenet1_1 | 90 mm | 100.0 % (" in text


def test_a_sheet_is_photographed_in_every_variant_and_judged_by_every_classifier(tmp_path, monkeypatch):
    folder = tmp_path / "imagenet/images"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        small.resize((study.SIDE, study.SIDE), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    phone = replace(CHANNEL.phone, width=1512, height=2016, focal=1514)
    plain = replace(CHANNEL.printer, halftone="continuous")
    monkeypatch.setattr(study, "channel", lambda: replace(CHANNEL, phone=phone, printer=plain))
    monkeypatch.setattr(study, "_net", lambda data, name: study.load_classifier("signs"))
    job = study.Job(tmp_path, 36.0, 0, ("one", "two"), (shown.WHOLE, "every part"), (0,))
    answers = study.answers(job)
    assert {answer[:4] for answer in answers} == {
        (net, variant, 0, image) for net in shown.NETS for variant in job.variants for image in job.images
    }
