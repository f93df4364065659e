import socket

import pytest
import torch
import torchvision.models.detection as zoo
from torch import nn

from physadv.classifiers import ClassifierError
from physadv.classifiers.detectors import Detections, load_detector, sign_score

SSDLITE = "torchvision/ssdlite320_mobilenet_v3_large"
PICTURES = torch.rand(2, 3, 90, 120, generator=torch.Generator().manual_seed(0))
SIGN = torch.tensor([0.0, 0.0, 10.0, 10.0])


def refusal(spec, labels=None):
    with pytest.raises(ClassifierError) as caught:
        load_detector(spec, labels)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def ssdlite(tmp_path_factory):
    """A file of random weights for two classes, their names, and the network they came from."""
    torch.manual_seed(0)
    network = zoo.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3).eval()
    folder = tmp_path_factory.mktemp("detector")
    torch.save({"state_dict": network.state_dict()}, folder / "own.pt")
    (folder / "names.txt").write_text("stop sign\nyield\n", encoding="utf-8")
    return folder / "own.pt", folder / "names.txt", network


def detections(*rows):
    """Detections of (box, score, label) rows."""
    boxes, scores, labels = zip(*rows, strict=True)
    return Detections(torch.tensor(boxes), torch.tensor(scores), torch.tensor(labels))


def test_detector_answers_as_the_network_its_weights_came_from(ssdlite):
    path, names, network = ssdlite

    detector = load_detector(f"{SSDLITE}@{path}", names)
    found = detector(PICTURES)

    assert detector.labels == ("__background__", "stop sign", "yield")
    assert detector.label_index("Stop sign") == 1
    assert not any(parameter.requires_grad for parameter in detector.parameters())
    with torch.no_grad():
        answers = network(list(PICTURES))
    for each, answer in zip(found, answers, strict=True):
        torch.testing.assert_close(each.boxes, answer["boxes"])
        torch.testing.assert_close(each.scores, answer["scores"])
        assert torch.equal(each.labels, answer["labels"])
        assert each.boxes.shape == (len(each.scores), 4)
        assert bool((each.scores.diff() <= 0).all())
        assert each.labels.dtype == torch.int64


def test_pictures_may_differ_in_size(ssdlite):
    path, names, _ = ssdlite
    found = load_detector(f"{SSDLITE}@{path}", names)([torch.rand(3, 50, 70), torch.rand(3, 120, 40)])
    assert len(found) == 2
    assert float(found[1].boxes[:, 2].max()) <= 40


def test_faster_rcnn_reads_weights_of_its_own(tmp_path):
    torch.manual_seed(0)
    network = zoo.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=2)
    path, names = tmp_path / "own.pt", tmp_path / "names.txt"
    torch.save(network.state_dict(), path)
    names.write_text("sign", encoding="utf-8")

    detector = load_detector(f"torchvision/fasterrcnn_mobilenet_v3_large_320_fpn@{path}", names)

    path.unlink()
    with torch.no_grad():
        (answer,) = network.eval()([PICTURES[0]])
    torch.testing.assert_close(detector(PICTURES[:1])[0].boxes, answer["boxes"])


def test_published_statistics_are_evaluated_as_torchvision_does(tmp_path):
    network = zoo.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=2)
    path, names = tmp_path / "frozen.pt", tmp_path / "names.txt"
    counted = {name for name in network.state_dict() if name.endswith("num_batches_tracked")}
    torch.save({name: each for name, each in network.state_dict().items() if name not in counted}, path)
    names.write_text("sign", encoding="utf-8")

    detector = load_detector(f"torchvision/fasterrcnn_resnet50_fpn@{path}", names)

    path.unlink()
    assert counted
    assert {each.eps for each in detector.modules() if isinstance(each, nn.BatchNorm2d)} == {0.0}


def test_coco_calls_the_stop_sign_thirteen():
    coco = zoo.FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.DEFAULT.meta["categories"]
    assert coco.index("stop sign") == 13


@pytest.mark.parametrize(
    ("rows", "score"),
    [
        ([((0.0, 0.0, 10.0, 5.0), 0.9, 13)], 0.9),  # half of it: IoU 50/100
        ([((0.0, 0.0, 10.0, 4.9), 0.9, 13)], 0.0),  # IoU 49/100
        ([((5.0, 0.0, 15.0, 10.0), 0.9, 13)], 0.0),  # shifted by half: 50/150
        ([((0.0, 0.0, 20.0, 10.0), 0.4, 13), ((1.0, 0.0, 10.0, 10.0), 0.7, 13)], 0.7),  # 1/2 and 9/10
        ([((0.0, 0.0, 10.0, 10.0), 0.9, 10)], 0.0),  # a traffic light
    ],
)
def test_score_of_the_sign_is_the_best_of_its_class_that_meets_its_box(rows, score):
    assert sign_score(detections(*rows), SIGN, 13) == pytest.approx(score)


def test_nothing_found_scores_nothing():
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    assert sign_score(nothing, SIGN, 13) == 0


def test_unknown_names_are_refused_with_the_nearest():
    assert "torchvision/ssdlite320_mobilenet_v3_large" in refusal("torchvision/ssdlite320_mobilenet_v3")
    assert refusal("yolo").startswith("unknown detector 'yolo'")
    assert "unknown detector" in refusal("signs")
    assert "COCO_V1" in refusal(f"{SSDLITE}:COCO_V9")


def test_class_the_detector_does_not_know_is_refused(ssdlite):
    path, names, _ = ssdlite
    detector = load_detector(f"{SSDLITE}@{path}", names)
    with pytest.raises(ClassifierError, match="stop sign"):
        detector.label_index("stop")
    with pytest.raises(ClassifierError, match="unknown class"):
        detector.label_index("__background__")


def test_files_that_do_not_fit_are_refused(ssdlite, tmp_path):
    path, names, _ = ssdlite
    assert str(tmp_path / "absent.pt") in refusal(f"{SSDLITE}@{tmp_path / 'absent.pt'}")
    assert "of another shape" in refusal(f"{SSDLITE}@{path}")  # COCO's 91 classes, not these three
    other = refusal(f"torchvision/fasterrcnn_mobilenet_v3_large_320_fpn@{path}", names)
    assert "missing" in other
    assert "unexpected" in other
    assert "no such label file" in refusal(f"{SSDLITE}@{path}", tmp_path / "absent.txt")
    assert "has 2 labels" in refusal(SSDLITE, names)


def test_failed_download_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_, **__):
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    line = refusal(SSDLITE)
    assert line.startswith(f"cannot download the weights of {SSDLITE}")
    assert f"{SSDLITE}@PATH" in line
