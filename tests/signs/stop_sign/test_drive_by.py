import math

import numpy as np
import pytest
import torch
from torch import Tensor

from physadv.classifiers import load_classifier
from physadv.signs.drawing.faces import face
from physadv.signs.stop_sign import StopSignError
from physadv.signs.stop_sign.camera import LEAST_PX, apparent_px
from physadv.signs.stop_sign.drive_by import DASH_CAMERA, draw_approach, drive, drive_by_test
from physadv.signs.stop_sign.real_photos import video_test
from physadv.signs.stop_sign.road import HEIGHT, WIDTH
from physadv.signs.stop_sign.settings import StudySize
from physadv.signs.stop_sign.views import Exhibit, Judge
from physadv.transforms import fixed

STOP = 14
STILL = {
    **DASH_CAMERA,
    "speed_kmh": fixed(36),
    "turn": fixed(0),
    "shake_deg": fixed(0),
    "aside_m": fixed(3),
    "above_m": fixed(1.2),
}
"""Ten metres a second, without shaking."""


@pytest.fixture(scope="module")
def sign() -> tuple[Tensor, Tensor]:
    """A drawn stop sign (3, 256, 256) and its plate."""
    colour, cover = face("stop", 256)
    return torch.from_numpy(colour).permute(2, 0, 1).float().clamp(0, 1), torch.from_numpy(cover).float()


def frames(sign, conditions, times, **faces) -> list:
    stop, alpha = sign
    drawn = draw_approach("a", 0, 0, conditions)
    return list(drive(drawn, faces or {"clean": stop}, alpha, times))


def test_sign_grows_and_leaves_its_place_as_a_pinhole_says(sign) -> None:
    early, late = frames(sign, STILL, [0.0, 6.0])
    for moment, ahead in ((early, 75.0), (late, 15.0)):
        assert moment.distance_m == pytest.approx(math.hypot(ahead, 3, 1.2))
        assert moment.angle_deg == pytest.approx(math.degrees(math.acos(ahead / moment.distance_m)))
        left, top, right, bottom = moment.box
        assert bottom - top == pytest.approx(0.96 * apparent_px(ahead), rel=0.02)
        assert (left + right) / 2 == pytest.approx(640 + 1040 * 3 / ahead, abs=0.2)
        assert (top + bottom) / 2 == pytest.approx(360 - 1040 * 1.2 / ahead, abs=0.2)


def test_drive_ends_where_the_sign_leaves_the_frame(sign) -> None:
    seen = frames(sign, STILL | {"aside_m": fixed(4)}, [0.0, 6.5, 6.95, 7.4])
    # At 5.5 m ahead the sign's middle is 756 pixels aside, of 640.
    assert [round(moment.seconds, 2) for moment in seen] == [0.0, 6.5]


@pytest.mark.parametrize("turn", [-35, 35])
def test_angle_is_the_one_that_foreshortens_the_sign(sign, turn: float) -> None:
    (moment,) = frames(sign, STILL | {"turn": fixed(turn)}, [6.0])
    left, top, right, bottom = moment.box
    # The picture plane stretches what is seen off its axis by one over the cosine, across.
    aside = math.atan2(3, 15)
    ratio = (right - left) / (bottom - top) * math.cos(aside)
    assert ratio == pytest.approx(math.cos(math.radians(moment.angle_deg)), rel=0.03)


def test_treatments_differ_at_the_sign_only(sign) -> None:
    stop, _ = sign
    (moment,) = frames(sign, DASH_CAMERA, [6.0], clean=stop, grey=torch.full_like(stop, 0.5))
    one, other = moment.frames["clean"].astype(int), moment.frames["grey"].astype(int)
    left, top, right, bottom = (round(side) for side in moment.box)
    assert np.abs(one - other)[top:bottom, left:right].max() > 50
    # JPEG's blocks of chroma reach 16 pixels further, the blur a few.
    one[top - 40 : bottom + 40, left - 40 : right + 40] = 0
    other[top - 40 : bottom + 40, left - 40 : right + 40] = 0
    assert np.array_equal(one, other)


def test_a_moving_sign_is_blurred_by_an_open_shutter(sign) -> None:
    def sharpness(shutter_s: float) -> float:
        (moment,) = frames(sign, STILL | {"shutter_s": fixed(shutter_s), "blur_px": fixed(0.6)}, [6.8])
        left, top, right, bottom = (round(side) for side in moment.box)
        part = moment.frames["clean"][top:bottom, left:right, 1].astype(float)
        return float(np.abs(np.diff(part, axis=1)).mean())

    assert sharpness(1 / 15) < 0.6 * sharpness(1 / 1000)


def test_same_seed_same_frames_and_another_drive_another(sign) -> None:
    one, again = (frames(sign, DASH_CAMERA, [5.0])[0] for _ in range(2))
    assert np.array_equal(one.frames["clean"], again.frames["clean"])
    speeds = {draw_approach("a", index, 0).numbers["speed_kmh"] for index in range(4)}
    assert len(speeds) == 4
    assert all(10 <= speed <= 30 for speed in speeds)


def test_sign_is_found_read_and_lost_in_the_distance(sign) -> None:
    stop, alpha = sign
    faces = {"clean": stop[None], "none": torch.zeros(1, 3, 256, 256)}
    exhibit = Exhibit(Judge(load_classifier("signs"), STOP, 1), ["drawn"], faces, alpha)
    (answers,) = drive_by_test(exhibit, StudySize(every=30), conditions=STILL)
    clean = [answer for answer in answers if answer.treatment == "clean"]
    assert [round(answer.distance_m) for answer in clean] == [75, 65, 55, 45, 35, 25, 15]
    assert clean[0].answer is None
    assert clean[0].confidence == 0
    assert clean[-1].answer == STOP
    assert all(answer.answer is None for answer in answers if answer.treatment == "none")


def test_without_a_finder_the_sign_is_cut_out_where_it_is(sign, tiny_classifier) -> None:
    stop, alpha = sign
    exhibit = Exhibit(Judge(tiny_classifier, 0), ["a"], {"clean": stop[None]}, alpha)
    (answers,) = drive_by_test(exhibit, StudySize(every=30), conditions=STILL, finders=(None,))
    for answer in answers:
        height = 0.96 * apparent_px(math.sqrt(answer.distance_m**2 - 3**2 - 1.2**2))
        assert (answer.answer is not None) == (height >= LEAST_PX)


def test_a_written_approach_is_read_from_its_video(sign, tmp_path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "approach.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # A frame every ten metres, so that there are few.
        for moment in frames(sign, STILL, range(8)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moment.frames["clean"], format="rgb24")))
        container.mux(stream.encode())
    judge = Judge(load_classifier("signs"), STOP, 1)
    answers = video_test(judge, path, "clean", every=2)
    assert len(answers) == 4
    assert answers[0].answer is None
    assert math.isnan(answers[0].distance_m)
    assert answers[-1].answer == STOP
    assert answers[-1].distance_m == pytest.approx(15, rel=0.08)
    assert answers[-1].place == "video approach.mp4"


def test_videos_without_pictures_or_signs_are_refused_in_one_line(sign, tmp_path, tiny_classifier) -> None:
    av = pytest.importorskip("av")

    def refusal(name: str) -> str:
        with pytest.raises(StopSignError) as refused:
            video_test(Judge(tiny_classifier, 0), tmp_path / name, "a")
        return str(refused.value).removeprefix(f"{tmp_path / name}: ")

    assert refusal("absent.mp4") == "No such file or directory"
    (tmp_path / "words.mp4").write_text("this is no video")
    assert refusal("words.mp4").startswith("not a readable video: ")
    with av.open(str(tmp_path / "grey.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(3):
            grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(grey))
        container.mux(stream.encode())
    assert refusal("grey.mp4").startswith("no sign in any of the 1 frames looked at; wanted a red octagon")
