"""`physadv stop-sign` with photos, videos and a detector of one's own."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from physadv.runs import Capture, Printout
from physadv.signs.drawing.drawing import draw_sign
from physadv.signs.stop_sign.judge import judge
from physadv.signs.stop_sign.make import make_stickers
from physadv.signs.stop_sign.settings import parse_pictures

QUICK = ("stop-sign", "--quick", "--steps", 2, "--mask", "two-bars", "--target", "speed limit 30", "--quiet")


def sign(seed):
    return draw_sign("stop", 256, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos of a clean sign in two cells, one of a wall where a sign should be."""
    folder = tmp_path_factory.mktemp("photos")
    for name, picture in {
        "5ft_0deg/a.png": sign(0),
        "10ft-30.png": sign(1),
        "20ft/b.png": np.full((256, 256, 3), 128, np.uint8),
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    av = pytest.importorskip("av")
    path = tmp_path_factory.mktemp("video") / "drive.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for seed in (0, 0, 0, 1, 1, 1):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sign(seed), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """Random weights: the loading and the counting are real, what it finds is not."""
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    network = torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    path = tmp_path_factory.mktemp("detector") / "weights.pth"
    torch.save(network.state_dict(), path)
    return f"torchvision/ssdlite320_mobilenet_v3_large@{path}"


@pytest.mark.long
def test_real_pictures_and_a_detector_stand_beside_the_simulated_tests(
    judged_root, copy_of, stop_sign_settings, looks, photos, video, detector
):
    root = copy_of(judged_root)
    with_pictures = replace(
        looks,
        photos=parse_pictures("--photos", [f"clean={photos}"]),
        videos=parse_pictures("--video", [f"optimised={video}"]),
        detector=detector,
    )
    run = make_stickers(Printout(root, "mine"), stop_sign_settings)
    _, detected = judge(Capture(root, "mine"), run, with_pictures, "physadv stop-sign")
    assert all(row.detected.n == 15 for row in detected)
    folder = root / "captures" / "mine"
    tables = json.loads((folder / "tables.json").read_text())
    assert [(test["test"], test["channel"]) for test in tables["tests"]] == [
        ("lab test", "simulated"),
        ("drive-by test", "simulated"),
        ("lab test", "photographed"),
        ("drive-by test", "photographed"),
    ]
    assert [row["treatment"] for row in tables["detection"]] == ["clean", "random", "optimised"]
    with (folder / "answers.csv").open(newline="") as file:
        mine = [row for row in csv.DictReader(file) if row["victim"] == "the sign"]
    photographed = {row["place"]: row["answer"] for row in mine if row["treatment"] == "clean"}
    assert photographed == {"5 ft, 0°": "14", "10 ft, 30°": "14", "20 ft, 0°": ""}
    assert {row["angle_deg"] for row in mine if row["treatment"] == "optimised"} == {""}
    assert "Partly simulated" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--photos", "stickers/"], ["--photos 'stickers/'", "wanted", "optimised=PATH"]),
        (["--photos", "worn=stickers/"], ["--photos 'worn=stickers/'", "clean, random, optimised"]),
        (["--photos", "clean=none"], ["none: no photos"]),
        (["--video", "clean=none.mp4"], ["none.mp4: No such file"]),
        (["--detector", "yolo"], ["yolo"]),
    ],
)
def test_bad_input_is_one_line(physadv, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    answer = physadv(*QUICK, *options)
    assert answer.code == 2
    for word in words:
        assert word in answer.error


def test_a_video_that_is_none_is_named(physadv, tmp_path):
    path = tmp_path / "drive.mp4"
    path.write_bytes(b"no video")
    answer = physadv(*QUICK, "--video", f"clean={path}", "--root", tmp_path)
    assert answer.code == 2
    assert str(path) in answer.error
