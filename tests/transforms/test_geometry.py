import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from physadv.transforms.geometry import Camera, sample_plane
from physadv.transforms.optics import combine_kernels, disc_kernel, gaussian_kernel, motion_kernel


def camera(**changes: float) -> Camera:
    values = {
        "distance": 250.0,
        "yaw": 8.0,
        "pitch": -5.0,
        "roll": 3.0,
        "focal": 750.0,
        "a1": 0.02,
        "a2": -0.01,
    }
    tensors = {name: torch.tensor([value], dtype=torch.float64) for name, value in (values | changes).items()}
    return Camera(width=600, height=800, **tensors)


def plane_points() -> Tensor:
    axis = torch.linspace(-90, 90, 7, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis)


def test_a_camera_looks_at_the_origin() -> None:
    seen = camera().project(torch.zeros(1, 2, dtype=torch.float64))
    torch.testing.assert_close(seen[0, 0], camera().centre)


def test_a_frontal_pinhole_scales_by_focal_over_distance() -> None:
    frontal = camera(yaw=0, pitch=0, roll=0, a1=0, a2=0)
    seen = frontal.project(plane_points())[0] - frontal.centre
    torch.testing.assert_close(seen, plane_points() * 750 / 250)


def test_projection_and_its_inverse_agree() -> None:
    points = plane_points()
    torch.testing.assert_close(camera().unproject(camera().project(points))[0], points, atol=1e-9, rtol=0)


def test_what_is_nearer_to_a_frontal_camera_is_seen_larger() -> None:
    frontal = camera(yaw=0, pitch=0, roll=0, a1=0, a2=0)
    points = torch.tensor([(30.0, -40.0, -50.0), (30.0, -40.0, 125.0)], dtype=torch.float64)
    seen = frontal.project(points)[0] - frontal.centre
    expected = torch.tensor([(30 * 750 / 200, -40 * 750 / 200), (30 * 2, -40 * 2)], dtype=torch.float64)
    torch.testing.assert_close(seen, expected)


def test_a_ray_meets_every_point_that_is_seen_along_it() -> None:
    points = torch.cat([plane_points(), torch.linspace(-60, 20, 49, dtype=torch.float64)[:, None]], dim=1)
    origin, directions = camera().rays(camera().project(points))
    towards = torch.nn.functional.normalize(directions[0], dim=-1)
    offset = points - origin[0]
    nearest = (offset * towards).sum(-1, keepdim=True) * towards
    torch.testing.assert_close(nearest, offset, atol=1e-9, rtol=0)


def test_sampling_a_plane_agrees_with_opencv() -> None:
    picture = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    y, x = np.mgrid[2:37:0.37, 1.5:57:0.41].astype(np.float32)
    plane = torch.from_numpy(np.stack([(x + 0.5) / 60 * 30, (y + 0.5) / 40 * 20], axis=-1))[None]
    sampled = sample_plane(torch.from_numpy(picture)[None, None], plane, (30.0, 20.0))[0, 0].numpy()
    # OpenCV's weights have five bits.
    np.testing.assert_allclose(sampled, cv2.remap(picture, x, y, cv2.INTER_LINEAR), atol=0.04)


@pytest.mark.parametrize(
    "kernel", [disc_kernel(2.5, 11), disc_kernel(0, 11), motion_kernel(5, 30, 11), gaussian_kernel(1.2, 11)]
)
def test_kernels_keep_the_light_and_the_place(kernel: Tensor) -> None:
    axis = torch.arange(11.0) - 5
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-5)
    assert float((kernel.sum(0) * axis).sum()) == pytest.approx(0, abs=1e-4)
    assert float((kernel.sum(1) * axis).sum()) == pytest.approx(0, abs=1e-4)


def test_kernel_widths_are_those_asked_for() -> None:
    def variance(kernel: Tensor) -> float:
        axis = torch.arange(len(kernel)) - len(kernel) // 2
        return float((kernel.sum(0) * axis.square()).sum())

    assert variance(gaussian_kernel(1.5, 21)) == pytest.approx(1.5**2, rel=0.05)
    assert variance(disc_kernel(4.0, 21)) == pytest.approx(4.0**2 / 4, rel=0.05)
    assert variance(motion_kernel(9.0, 0.0, 21)) == pytest.approx(9.0**2 / 12, rel=0.05)
    soft, moved = gaussian_kernel(1.5, 21), motion_kernel(6.0, 0.0, 21)
    assert variance(combine_kernels(soft, moved)) == pytest.approx(variance(soft) + variance(moved), rel=1e-4)
