import json
import shutil
import sqlite3
from collections import defaultdict
from dataclasses import replace

import pytest

from physadv.evaluation.outcomes import Judgement, PairOutcome, tally
from physadv.pipeline.planned import correlations
from physadv.runs import Printout


@pytest.fixture
def root(cropped_root, copy_of):
    return copy_of(cropped_root)


@pytest.fixture
def measured(physadv):
    def measure(root, *options):
        answer = physadv("destruction-rate", "mine", "--json", "--root", root, *options)
        assert answer.code == 0
        assert answer.err == ""
        return json.loads(answer.out)

    return measure


def observed(root):
    """(channel, seed) → example → lists of the five labels seen, straight from the database."""
    connection = sqlite3.connect(root / "captures" / "mine" / "observations.sqlite")
    found = defaultdict(lambda: defaultdict(list))
    for channel, seed, example, labels in connection.execute(
        "SELECT channel, seed, example, labels FROM observations"
    ):
        found[channel, seed][example].append(json.loads(labels))
    connection.close()
    return found


def test_rates_are_those_counted_by_hand(measured, root):
    channels = {"photo": 0, "blur=3": 5, "jpeg=5": 5}
    given = measured(root, "--transform", "blur=3", "--transform", "jpeg=5", "--seed", 5)
    seen = observed(root)
    pairs = Printout(root, "mine").manifest().pairs()
    destroyed_somewhere = 0
    for channel, seed in channels.items():
        rows = {(row["case"], row["top"]): row for row in given["channels"][channel]["rows"]}
        assert set(rows) == {(case, top) for case in ("average", "prefiltered") for top in (1, 5)}
        for top in (1, 5):
            counted = destroyed = clean_right = adversarial_right = 0
            for clean, adversarial in pairs:

                def right(labels, top=top, label=clean.label):
                    return label in labels[:top]

                (before_clean,) = seen["none", 0][clean.id]
                (before_adversarial,) = seen["none", 0][adversarial.id]
                (after_clean,) = seen[channel, seed][clean.id]
                (after_adversarial,) = seen[channel, seed][adversarial.id]
                clean_right += right(after_clean)
                adversarial_right += right(after_adversarial)
                if right(before_clean) and not right(before_adversarial):
                    counted += 1
                    destroyed += right(after_adversarial)
            row = rows["average", top]
            assert row["destruction_rate"]["n"] == counted
            if counted:
                assert row["destruction_rate"]["value"] == destroyed / counted
            else:
                assert row["destruction_rate"]["value"] is None
            assert row["clean_after"]["value"] == clean_right / len(pairs)
            assert row["adversarial_after"]["value"] == adversarial_right / len(pairs)
            destroyed_somewhere += destroyed
    assert destroyed_somewhere


def test_what_was_untouched_is_seen_as_generate_saw_it(measured, root):
    measured(root)
    seen = observed(root)["none", 0]
    for example in Printout(root, "mine").manifest().examples:
        assert seen[example.id] == [[prediction.label for prediction in example.digital]]


def test_measuring_again_observes_nothing_new(measured, root, contents):
    first = measured(root, "--transform", "noise=30")
    before = contents(root)
    assert measured(root, "--transform", "noise=30") == first
    assert contents(root) == before


def test_a_plan_starts_from_a_run_that_was_measured(physadv, measured, root):
    asked = ("plan", "--run", "mine", "--root", root, "--json")
    refused = physadv(*asked, "--halfwidth", 0.2).error
    assert "captures/mine: no photos that were measured; run 'physadv destruction-rate mine' first" in refused
    rate = next(iter(measured(root)["channels"]["photo"]["rows"]))["destruction_rate"]
    plan = json.loads(physadv(*asked).out)
    assert (plan["rate"], plan["printed"]) == (rate["value"], 5)
    assert plan["qualifying"] == rate["pairs"] / 5
    assert plan["choices"][0]["design"] == {"pairs": 5, "photos": 1, "devices": 1, "per_sheet": 5}
    # One photo cannot tell how alike two of a pair are.
    assert plan["icc"]["pair"] == 0.5
    given = json.loads(physadv(*asked, "--rate", 0.3, "--icc-pair", 0.1, "--pairs", 40, "--photos", 3).out)
    assert (given["rate"], given["printed"], given["icc"]["pair"]) == (0.3, 40, 0.1)
    assert given["choices"][0]["design"]["photos"] == 3


def test_views_that_were_measured_tell_how_alike_they_are():
    """Twelve pairs right in all or in none of four photos; a pair that does not count changes nothing."""
    right, wrong = Judgement((7, 1, 2, 3, 4), 0.9), Judgement((1, 2, 3, 4, 5), 0.9)

    def outcome(k, before, after):
        shown = tuple(replace(after, photo=f"{k // 8}-{photo}.jpg") for photo in range(4))
        return PairOutcome(str(k), 7, right, before, shown, shown)

    twelve = [outcome(k, wrong, right if k % 3 else wrong) for k in range(12)]
    found = correlations(tally(twelve))
    assert found.pair == 0.95
    assert 0 <= found.photo <= 0.05
    assert correlations(tally([*twelve, outcome(12, right, wrong)])) == found


def test_photos_need_not_be_there_for_digital_transforms(measured, generated_root, copy_of):
    given = measured(copy_of(generated_root), "--transform", "blur=1")
    assert list(given["channels"]) == ["blur=1"]
    assert given["channels"]["blur=1"]["missing_pairs"] == []


def test_noise_depends_on_its_seed_and_on_nothing_measured_before(measured, generated_root, tmp_path):
    roots = [shutil.copytree(generated_root, tmp_path / name) for name in ("fresh", "used")]
    noise = ["--transform", "noise=60"]
    measured(roots[1], "--transform", "blur=2", *noise)
    for root in roots:
        measured(root, *noise, "--seed", 1)
    fresh, used = (observed(root) for root in roots)
    assert fresh["noise=60", 1] == used["noise=60", 1]
    assert used["noise=60", 0] != used["noise=60", 1]


def test_a_run_made_anew_under_an_old_name_shares_no_observation(
    physadv, measured, root, signs_csv, tmp_path
):
    stale = measured(root, "--transform", "blur=1")
    shutil.rmtree(root / "printouts" / "mine")
    for place in (root, tmp_path / "fresh"):
        physadv("generate", signs_csv, "--name", "mine", "--eps", 2, "--attack", "fast", "--root", place)
    assert "no crops" in physadv("destruction-rate", "mine", "--quiet", "--root", root).error
    anew = measured(root, "--transform", "blur=1")
    assert anew == measured(tmp_path / "fresh", "--transform", "blur=1")
    assert anew["channels"]["blur=1"] != stale["channels"]["blur=1"]


MODULE = """
import torch
from torch import nn
from physadv.classifiers import Classifier
from physadv.classifiers.specs import SIGN_LABELS

def network(classes):
    torch.manual_seed(0)
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, classes))

def four():
    return network(4)

def signs_by_chance():
    return Classifier(network(43), SIGN_LABELS, "mine")
"""


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    (tmp_path / "own_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)


def test_a_classifier_of_other_classes_cannot_judge(physadv, root, own_models):
    error = physadv(
        "destruction-rate", "mine", "--model", "python:own_models:four", "--quiet", "--root", root
    ).error
    assert "python:own_models:four" in error
    assert "classes" in error


def test_another_classifier_judges_beside_the_first(measured, root, own_models):
    first = measured(root)
    other = measured(root, "--model", "python:own_models:signs_by_chance")
    assert other["classifier"] == "python:own_models:signs_by_chance"
    assert other["channels"] != first["channels"]
    assert measured(root) == first


def test_undefined_is_null_never_zero(measured, generated_root, copy_of, own_models):
    root = copy_of(generated_root)
    chance = measured(root, "--transform", "blur=1", "--model", "python:own_models:signs_by_chance")
    prefiltered = [row for row in chance["channels"]["blur=1"]["rows"] if row["case"] == "prefiltered"]
    for row in prefiltered:
        assert row["destruction_rate"] == {
            **dict.fromkeys(("value", "low", "high")),
            **dict.fromkeys(("n", "pairs"), 0),
            "undefined": "no pairs left",
            "discarded": {"not of the prefiltered case": 5},
        }


def test_a_crop_that_cannot_be_read_is_named_and_the_advice_helps(physadv, measured, root):
    crop = next((root / "captures" / "mine" / "crops").iterdir())
    crop.write_bytes(b"damaged")
    error = physadv("destruction-rate", "mine", "--quiet", "--root", root).error
    assert str(crop) in error
    assert "run 'physadv crop mine' again" in error
    assert physadv("crop", "mine", "--workers", 1, "--root", root).code == 0
    assert measured(root)["channels"]["photo"]["missing_pairs"] == []


def test_refused_photos_are_listed_with_their_reason(physadv, measured, root):
    (root / "captures" / "mine" / "photos" / "notes.jpg").write_text("buy paper")
    physadv("crop", "mine", "--workers", 1, "--root", root)
    assert "not a readable image" in measured(root)["discarded"]["photos"]["notes.jpg"]
