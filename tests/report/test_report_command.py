"""`physadv report` with sweeps and another run: what is on the page and in the folder of figures."""

import re

from physadv.pipeline.generate import generate
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Printout

ASKED = (
    "--sweep",
    "blur=1:3:3",
    "--sweep",
    "viewpoint=yaw:-30:30:2,distance:1:2:2",
    "--transform",
    "noise=10",
)


def test_report_of_sweeps_and_sources(physadv, generated_root, copy_of, signs_csv):
    root = copy_of(generated_root)
    generate(Printout(root, "fast"), GenerateSettings(images=signs_csv, attack="fast"))
    folder = root / "captures" / "mine"
    asked = (*ASKED, "--source", "fast", "--figures", "svg", "--seed", 3)
    answer = physadv("report", "mine", "--quiet", "--root", root, *asked)
    assert (answer.code, answer.err) == (0, "")
    html = (folder / "report.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h[34][^>]*>([^<]+)</h[34]>", html)
    for wanted in (
        "Destruction rate against strength",
        "Accuracy against strength",
        "blur",
        "Destruction rate, viewpoint",
        "Clean survival, viewpoint",
        "Transfer",
        "Success, files, untouched",
        "Calibration",
        "noise=10",
    ):
        assert wanted in headings
    command = "physadv report mine --source fast --model signs --transform noise=10 --sweep blur=1:3:3"
    assert command in html
    assert "--seed 3" in html
    files = sorted(path.name for path in (folder / "figures").iterdir())
    assert len(files) == html.count("<svg ")
    assert f"{len(files)} figures: {folder / 'figures'}" in answer.out
    assert {"sweep-destruction-blur.svg", "viewpoint-destruction-1.svg", "calibration-none.svg"} <= {*files}


def test_unknown_format_of_figures_is_refused_before_anything_is_measured(physadv, generated_root, copy_of):
    root = copy_of(generated_root)
    error = physadv("report", "mine", "--transform", "blur=1", "--figures", "gif", "--root", root).error
    assert "unknown format of figures 'gif'" in error
    assert not (root / "captures").exists()
