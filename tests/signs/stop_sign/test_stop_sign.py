"""`physadv stop-sign`: what it writes, that it goes on where it was, and its one line on bad input."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.runs import Printout
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.make import make_stickers
from physadv.signs.stop_sign.settings import find_class, sign_size_mm


@pytest.fixture(scope="module")
def run(tmp_path_factory, judged_root, stop_sign_settings):
    """A run of two steps, printed at true size and judged on one sign: root, settings, run and PDFs."""
    root = shutil.copytree(judged_root, tmp_path_factory.mktemp("signs"), dirs_exist_ok=True)
    kept = make_stickers(Printout(root, "mine"), stop_sign_settings)
    stickers, record = torch.load(root / "fresh.pt", weights_only=True)
    made = replace(kept, stickers=stickers, record=record)
    return root, stop_sign_settings, made, json.loads((root / "pdfs.json").read_text())


class TestPrinted:
    def test_stickers_are_seen_under_the_mask_only(self, run):
        root, _, made, _ = run
        with Image.open(root / "printouts" / "mine" / "stickers.png") as image:
            pixels = np.asarray(image)
        assert pixels.shape == (FACE_SIDE, FACE_SIDE, 4)
        assert np.array_equal(pixels[..., 3] > 0, made.mask.numpy() > 0)

    def test_the_record_says_what_they_are(self, run):
        root, _, _, _ = run
        record = json.loads((root / "printouts" / "mine" / "stop-sign.json").read_text())
        assert record["classes"] == {"label": "stop", "target": "speed limit 30"}
        assert record["attacked"] == ["drawn-00", "drawn-02"]
        assert record["judged"] == ["drawn-01", "drawn-03"]
        assert 0.18 < record["area_of_the_sign"] < 0.2
        assert set(record["printability"]) == {"nps_product", "nps_minimum", "palette_error"}

    def test_the_record_is_read_back_as_it_was(self, run):
        root, _, made, _ = run
        assert made.record == json.loads((root / "printouts" / "mine" / "stop-sign.json").read_text())

    def test_the_manifest_knows_the_miniature(self, run):
        root, _, _, _ = run
        manifest = Printout(root, "mine").printed_manifest()
        assert [cell.example for sheet in manifest.sheets for cell in sheet.cells] == ["adversarial"]
        assert manifest.example("clean").digital[0].name == "stop"

    def test_true_size_is_asked_for(self, run):
        _, _, _, pdfs = run
        assert pdfs == ["sheets.pdf", "clean.pdf", "poster.pdf"]

    def test_the_same_again_is_taken_from_the_disk(self, run):
        root, settings, made, _ = run
        path = root / "printouts" / "mine" / "stickers.png"
        before = path.stat().st_mtime_ns
        again = make_stickers(Printout(root, "mine"), settings)
        assert path.stat().st_mtime_ns == before
        # What lies beside the mask is never shown.
        assert bool(((again.stickers - made.stickers).abs() * made.mask < 1e-6).all())
        make_stickers(Printout(root, "mine"), replace(settings, seed=1))
        assert path.stat().st_mtime_ns > before


class TestJudged:
    def test_every_view_has_its_answer(self, run):
        root, _, _, _ = run
        with (root / "captures" / "mine" / "answers.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        lab = [row for row in rows if "ft" in row["place"]]
        assert len(lab) == 15 * 3
        assert {row["treatment"] for row in rows} == {"clean", "random", "optimised"}
        assert {row["victim"] for row in rows} == {"drawn-01"}

    def test_tables_and_report_are_written(self, run):
        folder = run[0] / "captures" / "mine"
        tests = json.loads((folder / "tables.json").read_text())["tests"]
        assert [test["test"] for test in tests] == ["lab test", "drive-by test"]
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert {each["smallest"] for test in tests for each in test["tests"]} == {0.05}
        assert page.count("success, first less second, of interest from 5 points on") == 2


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "line"),
        [
            (("--scale", "750"), "scale 750 mm is a sign of true size; say --scale true"),
            (("--scale", "big"), "scale 'big'; wanted miniature, true or millimetres"),
            (("--scale", "nan"), "scale 'nan'; wanted miniature, true or millimetres"),
            (("--target", "speed limit 31"), "unknown class 'speed limit 31'; nearest: speed limit 30"),
            (("--target", "stop"), "target 14 is the signs' own class"),
            (("--mask", "octagn"), "unknown mask 'octagn'; nearest: octagon"),
            (("--mask", "auto", "--area", "1.5"), "3 rectangles over 1.5 of the sign; wanted"),
            (("--mask", "auto", "--rectangles", "0"), "0 rectangles over 0.19 of the sign; wanted"),
            (("--palette", "1"), "a palette of 1 colour; wanted 2 to 64"),
            (("--nps", "mean"), "unknown non-printability score 'mean'"),
            (("--steps", "0"), "steps is 0; wanted at least 1"),
            (("--shots", "0"), "shots is 0; wanted at least 1"),
            (("--transforms", "rp2"), "unknown preset 'rp2'; nearest: rp2-sign"),
            (("--smallest", "-1"), "smallest difference -1 points: wanted 0 or more, below 100"),
            (("--page", "a7"), "unknown page 'a7'; nearest: a"),
            (("nowhere",), "nowhere: no such folder; wanted photos of signs"),
            (("--demo", "nowhere"), "--demo draws its own signs; wanted no folder beside it"),
        ],
    )
    def test_is_one_line(self, physadv, tmp_path, options, line):
        usual = ["--root", tmp_path, "--quiet", "--mask", "two-bars", "--steps", "1"]
        assert line in physadv("stop-sign", *usual, *options).error

    def test_classes_are_names_or_numbers(self, run):
        labels = run[2].judge.classifier.labels
        assert find_class(labels, "speed limit 30") == find_class(labels, "1") == 1

    def test_sizes(self):
        assert (sign_size_mm("miniature"), sign_size_mm("true"), sign_size_mm("300")) == (150, 750, 300)
