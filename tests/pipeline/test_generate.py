import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.attacks import RECIPES
from physadv.classifiers import load_classifier
from physadv.classifiers.specs import SIGN_LABELS
from physadv.runs import Printout


def examples(root, name="mine"):
    return Printout(root, name).manifest().pairs()


def levels(root, example, name="mine"):
    with Image.open(root / "printouts" / name / example.path) as image:
        assert image.mode == "RGB"
        assert image.format == "PNG"
        return np.asarray(image).astype(int)


def test_labels_and_sources_are_those_given(generated_root, signs_csv):
    wanted = [line.split(",") for line in signs_csv.read_text().splitlines()[1:]]
    found = [(clean.source, clean.label_name) for clean, _ in examples(generated_root)]
    assert found == [tuple(row) for row in wanted]
    assert all(SIGN_LABELS[clean.label] == clean.label_name for clean, _ in examples(generated_root))
    assert Printout(generated_root, "mine").manifest().selection.labels == "given"


def test_clean_files_are_the_source_pixels_and_hashes_those_of_the_files(generated_root, signs_csv):
    for clean, adversarial in examples(generated_root):
        with Image.open(signs_csv.parent / clean.source) as source:
            np.testing.assert_array_equal(levels(generated_root, clean), np.asarray(source))
        for example in (clean, adversarial):
            data = (generated_root / "printouts" / "mine" / example.path).read_bytes()
            assert hashlib.sha256(data).hexdigest() == example.sha256


def test_digital_is_what_the_classifier_says_of_the_files(generated_root):
    classifier = load_classifier("signs")
    for pair in examples(generated_root):
        for example in pair:
            pixels = torch.from_numpy(levels(generated_root, example)).permute(2, 0, 1)[None].float() / 255
            probabilities = classifier.probabilities(pixels)[0]
            top = probabilities.topk(5)
            assert [seen.label for seen in example.digital] == top.indices.tolist()
            assert [seen.probability for seen in example.digital] == pytest.approx(
                top.values.tolist(), abs=2e-6
            )
            assert [seen.name for seen in example.digital] == [SIGN_LABELS[k] for k in top.indices.tolist()]


@pytest.mark.parametrize("attack", sorted(recipe.name for recipe in RECIPES.values() if recipe.norm == "L∞"))
@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("eps", [1, 7])
def test_no_level_moves_by_more_than_eps(physadv, tmp_path, signs_csv, attack, eps):
    options = ["--attack", attack, "--eps", eps, "--limit", 2, "--size", 32]
    assert physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, *options).code == 0
    for clean, adversarial in examples(tmp_path):
        moved = np.abs(levels(tmp_path, clean) - levels(tmp_path, adversarial))
        assert 0 < moved.max() <= eps
        assert clean.size_px == (32, 32)
        assert (adversarial.target is not None) == (attack == "least-likely")


def test_an_l2_budget_holds_in_8_bit_levels_and_is_called_so(physadv, tmp_path, signs_csv):
    options = ["--attack", "pgd-l2", "--limit", 2, "--size", 32]
    assert physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, *options).code == 0
    for clean, adversarial in examples(tmp_path):
        moved = levels(tmp_path, clean) - levels(tmp_path, adversarial)
        assert 0 < np.sqrt((moved**2).sum()) <= 765
    attack = Printout(tmp_path, "mine").manifest().attack
    assert (attack.eps, attack.norm, attack.budget) == (765, "L2", "L2 eps 765")


@pytest.mark.parametrize(
    ("attack", "budget"),
    [
        ("cw-l2", "no eps"),
        ("lbfgs", "no eps"),
        ("eot-lagrangian", "no eps"),
        ("patch", "10 % of the area"),
        ("rp2", "no eps"),
    ],
)
def test_attacks_without_an_eps_record_none(physadv, tmp_path, signs_csv, attack, budget):
    options = ["--attack", attack, "--steps", 2, "--limit", 2, "--size", 32, "--samples", 1]
    assert physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, *options).code == 0
    recorded = Printout(tmp_path, "mine").manifest().attack
    assert (recorded.eps, recorded.budget) == (None, budget)
    for clean, adversarial in examples(tmp_path):
        assert (levels(tmp_path, clean) != levels(tmp_path, adversarial)).any()


def test_a_patch_covers_the_area_asked_for_and_no_more(physadv, tmp_path, signs_csv):
    options = ["--attack", "patch", "--area", 0.2, "--steps", 2, "--limit", 2]
    assert physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, *options).code == 0
    assert Printout(tmp_path, "mine").manifest().attack.budget == "20 % of the area"
    for clean, adversarial in examples(tmp_path):
        changed = (levels(tmp_path, clean) != levels(tmp_path, adversarial)).any(axis=2)
        assert 0.17 < changed.mean() < 0.24


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--attack", "cw-l2", "--eps", 8], "eps 8: cw-l2 takes no eps; leave it out"),
        (["--attack", "bim", "--area", 0.1], "area 0.1: bim takes no area; leave it out"),
        (["--attack", "patch", "--area", 1.5], "patch area 1.5"),
        (["--attack", "patch", "--target", "random"], "wanted the same target for all images"),
    ],
)
def test_budgets_that_cannot_be_are_one_line(physadv, tmp_path, signs_csv, options, line):
    answer = physadv("generate", signs_csv, "--name", "mine", "--quiet", "--root", tmp_path, *options)
    assert line in answer.error


def test_an_attack_on_drawn_signs_fools_the_sign_classifier(generated_root):
    pairs = examples(generated_root)
    assert all(clean.digital[0].label == clean.label for clean, _ in pairs)
    assert sum(adversarial.digital[0].label != adversarial.label for _, adversarial in pairs) >= 3


def test_the_same_command_again_does_nothing_and_changes_no_byte(
    physadv, generated_root, signs_csv, contents
):
    before = contents(generated_root)
    answer = physadv("generate", signs_csv, "--name", "mine", "--root", generated_root)
    assert answer.code == 0
    assert "nothing to do" in answer.err
    assert contents(generated_root) == before


@pytest.mark.parametrize("attack", ["bim", "pgd"])
def test_a_seed_gives_the_same_bytes_whatever_the_root(physadv, tmp_path, signs_csv, contents, attack):
    def make(root, seed):
        options = ["--attack", attack, "--limit", 2, "--seed", seed, "--batch", 1]
        physadv("generate", signs_csv, "--name", "a", "--root", tmp_path / root, *options)
        return contents(tmp_path / root)

    first, again, other = make("first", 3), make("again", 3), make("other", 4)
    assert len(first) == 6
    assert first == again
    random_start = attack == "pgd"
    assert (first["printouts/a/adversarial/0001.png"] != other["printouts/a/adversarial/0001.png"]) == (
        random_start
    )


def test_other_settings_under_the_same_name_are_refused(physadv, generated_root, signs_csv, contents):
    before = contents(generated_root)
    for option in (["--eps", 8], ["--attack", "fast"], ["--seed", 1], ["--limit", 3], ["--size", 32]):
        error = physadv(
            "generate", signs_csv, "--name", "mine", "--quiet", "--root", generated_root, *option
        ).error
        assert str(generated_root / "printouts" / "mine") in error
        assert "other settings" in error
    assert contents(generated_root) == before


def test_an_image_that_changed_since_makes_it_another_run(physadv, generated_root, signs_csv, tmp_path):
    changed = shutil.copytree(signs_csv.parent, tmp_path / "signs")
    Image.new("RGB", (64, 64)).save(changed / "0.png")
    error = physadv(
        "generate", changed / "labels.csv", "--name", "mine", "--quiet", "--root", generated_root
    ).error
    assert "other settings" in error


def test_limit_takes_the_first(physadv, tmp_path, signs_csv, generated_root):
    physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, "--limit", 3)
    assert [clean.source for clean, _ in examples(tmp_path)] == ["0.png", "1.png", "2.png"]
    assert Printout(tmp_path, "mine").manifest().selection.candidates == 3


def test_a_folder_without_labels_takes_the_classifier_s_own_and_says_so(physadv, tmp_path, signs_folder):
    answer = physadv("generate", signs_folder, "--name", "mine", "--root", tmp_path, "--attack", "fast")
    assert "labels are the classifier's own" in answer.out
    assert Printout(tmp_path, "mine").manifest().selection.labels == "predicted"
    assert all(clean.label == clean.digital[0].label for clean, _ in examples(tmp_path))


def is_of_the_case(clean, adversarial):
    return (
        clean.digital[0].label == clean.label
        and clean.label not in [seen.label for seen in adversarial.digital]
        and min(clean.digital[0].probability, adversarial.digital[0].probability) >= 0.8
    )


def test_prefilter_keeps_the_pairs_of_the_case_and_counts_all_it_looked_at(
    physadv, tmp_path, signs_csv, generated_root
):
    wanted = [
        clean.source for clean, adversarial in examples(generated_root) if is_of_the_case(clean, adversarial)
    ]
    assert 0 < len(wanted) < 5
    answer = physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, "--prefilter")
    assert f"{len(wanted)} prefiltered pairs of 5 candidates" in answer.out
    assert [clean.source for clean, _ in examples(tmp_path)] == wanted
    assert all(is_of_the_case(*pair) for pair in examples(tmp_path))
    selection = Printout(tmp_path, "mine").manifest().selection
    assert (selection.prefiltered, selection.candidates) == (True, 5)
    assert {path.name for path in (tmp_path / "printouts" / "mine" / "clean").iterdir()} == {
        f"{number:04d}.png" for number in range(1, len(wanted) + 1)
    }


def test_prefilter_looks_no_further_than_its_limit(physadv, tmp_path, signs_csv, generated_root):
    first = next(index for index, pair in enumerate(examples(generated_root)) if is_of_the_case(*pair))
    physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, "--prefilter", "--limit", 1)
    selection = Printout(tmp_path, "mine").manifest().selection
    assert len(examples(tmp_path)) == 1
    assert selection.candidates == first + 1


def test_nothing_of_the_prefiltered_case_is_an_error_that_leaves_other_files_alone(
    physadv, tmp_path, signs_csv
):
    notes = tmp_path / "printouts" / "mine" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("kept")
    options = ["--attack", "fast", "--eps", 1, "--prefilter", "--quiet"]
    error = physadv("generate", signs_csv, "--name", "mine", "--root", tmp_path, *options).error
    assert "none of 5 candidates" in error
    assert [path.name for path in notes.parent.iterdir()] == ["notes.txt"]
    assert physadv("generate", signs_csv, "--name", "other", "--root", tmp_path, *options).code == 2
    assert not (tmp_path / "printouts" / "other").exists()


def test_images_of_several_sizes_are_each_kept_at_their_own(physadv, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name, size in (("a", (20, 20)), ("b", (30, 24)), ("c", (20, 20))):
        pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    physadv("generate", folder, "--name", "mine", "--root", tmp_path, "--attack", "fast")
    assert [clean.size_px for clean, _ in examples(tmp_path)] == [(20, 20), (24, 24), (20, 20)]
    for clean, adversarial in examples(tmp_path):
        assert levels(tmp_path, clean).shape[:2] == clean.size_px[::-1]
        assert levels(tmp_path, adversarial).shape[:2] == clean.size_px[::-1]
