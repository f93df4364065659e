import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from physadv.transforms import Deformation, Range, TransformError, Warp, fixed, plus_minus
from physadv.transforms.bending import bent_surface
from physadv.transforms.geometry import apply_homography
from physadv.transforms.optics import gaussian_blur
from physadv.transforms.resampling import warp_perspective

EVERYTHING = Warp(
    rotation=plus_minus(20),
    scale=Range(1.0, 1.4),
    aspect=Range(0.9, 1.1),
    shear=plus_minus(8),
    yaw=plus_minus(25),
    pitch=plus_minus(25),
    roll=plus_minus(10),
    focal=Range(1.2, 3),
    shift_x=plus_minus(0.1),
    shift_y=plus_minus(0.1),
    background=0.0,
)


def noise(n: int, height: int, width: int) -> Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def draw(warp: Warp, n: int, seed: int = 0) -> dict[str, Tensor]:
    return warp.sample(n, torch.Generator().manual_seed(seed))


def read_bilinear(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = x - left, y - top
    return (
        image[top, left] * (1 - u) * (1 - v)
        + image[top, left + 1] * u * (1 - v)
        + image[top + 1, left] * (1 - u) * v
        + image[top + 1, left + 1] * u * v
    )


def test_a_warp_is_the_bilinear_reading_at_the_inverse_homography():
    height, width = 40, 52
    images, parameters = noise(3, height, width), draw(EVERYTHING, 3)
    homography = EVERYTHING.view(parameters, height, width).homography
    # A magnification, so that nothing is smoothed first.
    homography = torch.diag(torch.tensor([2.0, 2.0, 1.0], dtype=torch.float64)) @ homography

    warped = warp_perspective(images, homography).numpy()

    y, x = np.mgrid[:height, :width].astype(float)
    for row in range(3):
        source = np.linalg.inv(homography[row].numpy()) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        u, v = (source[:2] / source[2]).reshape(2, height, width)
        inside = (u > 0) & (u < width - 1) & (v > 0) & (v < height - 1)
        assert inside.sum() > 300
        expected = read_bilinear(images[row, 1].numpy(), u[inside], v[inside])
        np.testing.assert_allclose(warped[row, 1][inside], expected, atol=1e-9)


def test_a_warp_agrees_with_opencv_in_the_interior():
    height, width = 96, 80
    images = gaussian_blur(noise(4, height, width), torch.full((4,), 3.0)).float()
    parameters = draw(EVERYTHING, 4)
    homography = EVERYTHING.view(parameters, height, width).homography

    warped = warp_perspective(images, homography)

    for row in range(4):
        image = images[row].permute(1, 2, 0).numpy()
        expected = cv2.warpPerspective(image, homography[row].numpy(), (width, height))
        inside = cv2.warpPerspective(
            np.ones((height, width), np.float32), homography[row].numpy(), (width, height)
        )
        inside = cv2.erode(inside, np.ones((5, 5))) > 0.999
        assert inside.sum() > 1000
        np.testing.assert_allclose(warped[row].permute(1, 2, 0).numpy()[inside], expected[inside], atol=1e-3)


def test_apply_resamples_once_by_the_homography_of_its_draw():
    images, parameters = noise(4, 30, 24), draw(EVERYTHING, 4)

    once = warp_perspective(
        images, EVERYTHING.view(parameters, 30, 24).homography, images.new_zeros(4, 3, 1, 1)
    )

    torch.testing.assert_close(EVERYTHING.apply(images, parameters), once)


def test_quantities_compose_as_the_product_of_their_matrices():
    scale, turn, shift = fixed(1.25), fixed(30), fixed(0.1)
    together = Warp(scale=scale, rotation=turn, shift_x=shift)
    parts = [Warp(scale=scale), Warp(rotation=turn), Warp(shift_x=shift)]

    whole = together.view(draw(together, 1), 33, 47).homography[0]
    first, second, third = (part.view(draw(part, 1), 33, 47).homography[0] for part in parts)

    product = third @ second @ first
    torch.testing.assert_close(whole / whole[2, 2], product / product[2, 2])


def test_positive_rotation_is_clockwise_and_shift_is_to_the_right():
    image = torch.zeros(1, 3, 21, 21)
    image[:, :, 10, 16] = 1
    turned, moved = Warp(rotation=fixed(90)), Warp(shift_x=fixed(3 / 21))

    assert float(turned.apply(image, draw(turned, 1))[0, 0, 16, 10]) == pytest.approx(1, abs=1e-4)
    assert float(moved.apply(image, draw(moved, 1))[0, 0, 10, 19]) == pytest.approx(1, abs=1e-4)


def test_distance_shrinks_and_yaw_foreshortens():
    far, turned = Warp(distance=fixed(2)), Warp(yaw=fixed(60), focal=fixed(1000))
    right_middle = torch.tensor([[99.0, 49.5]], dtype=torch.float64)

    for warp in (far, turned):
        seen = apply_homography(warp.view(draw(warp, 1), 100, 100).homography, right_middle)
        torch.testing.assert_close(
            seen[0, 0], torch.tensor([49.5 + 49.5 / 2, 49.5]).double(), atol=0.05, rtol=0
        )


def test_in_bounds_places_the_whole_box_inside_or_around_the_frame():
    warp = Warp(scale=Range(0.4, 1.6), rotation=plus_minus(40), yaw=plus_minus(30), in_bounds=True)
    height, width = 60, 90
    outline = torch.tensor([(-0.5, -0.5), (89.5, -0.5), (89.5, 59.5), (-0.5, 59.5)]).double()

    seen = apply_homography(warp.view(draw(warp, 500), height, width).homography, outline)

    low, high = seen.amin(dim=1) + 0.5, seen.amax(dim=1) + 0.5
    for axis, size in enumerate((width, height)):
        start, end = low[:, axis], high[:, axis]
        smaller = end - start <= size
        assert 20 < int(smaller.sum()) < 480
        assert bool((start[smaller] >= -1e-9).all() and (end[smaller] <= size + 1e-9).all())
        assert bool((start[~smaller] <= 1e-9).all() and (end[~smaller] >= size - 1e-9).all())


@pytest.mark.parametrize("scale", [0.5, 0.33, 0.25])
def test_minification_does_not_alias(scale):
    y, x = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    texture = (0.5 + 0.25 * (torch.cos(2.9 * x) + torch.cos(3.0 * y))).expand(1, 3, 224, 224)
    warp = Warp(scale=fixed(scale))

    small = warp.apply(texture, draw(warp, 1))

    half = int(224 * scale / 2) - 6
    middle = small[0, 0, 112 - half : 112 + half, 112 - half : 112 + half]
    assert float(texture.std()) > 0.2
    # Measured: 0.045 at a half, where the filter still lets some through; area sampling gives 0.038.
    assert float(middle.std()) < (0.06 if scale == 0.5 else 0.03)
    assert float(middle.mean()) == pytest.approx(0.5, abs=0.01)


def test_only_the_axis_that_shrinks_is_smoothed():
    stripes = torch.zeros(1, 3, 64, 64)
    stripes[:, :, ::2] = 1
    narrow = Warp(aspect=fixed(0.25), scale=fixed(0.5))

    seen = narrow.apply(stripes, draw(narrow, 1))

    # Horizontal factor 0.25, vertical 1: the rows stay.
    torch.testing.assert_close(seen[0, 0, :, 28:36], stripes[0, 0, :, 28:36], atol=1e-4, rtol=0)


def test_what_is_beside_the_picture_is_the_background():
    images = torch.full((6, 3, 32, 32), 0.5)
    scenes = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    behind = {name: Warp(scale=fixed(0.5), background=name) for name in ("edge", "random")}
    coloured = Warp(scale=fixed(0.5), background=(0.1, 0.2, 0.3))
    pictured = Warp(scale=fixed(0.5), background=scenes)

    corner = {name: warp.apply(images, draw(warp, 6))[:, :, 0, 0] for name, warp in behind.items()}

    torch.testing.assert_close(corner["edge"], torch.full((6, 3), 0.5))
    assert len(corner["random"].flatten().unique()) == 18
    seen = coloured.apply(images, draw(coloured, 6))
    torch.testing.assert_close(seen[:, :, 0, 0], torch.tensor([0.1, 0.2, 0.3]).expand(6, 3))
    torch.testing.assert_close(seen[:, :, 12:20, 12:20], images[:, :, 12:20, 12:20])
    chosen = draw(pictured, 6)
    torch.testing.assert_close(
        pictured.apply(images, chosen)[:, 0, 0, 0], chosen["background"].float(), atol=1e-6, rtol=0
    )
    assert set(chosen["background"].tolist()) == {0, 1}


def test_a_view_from_behind_is_refused():
    warp = Warp(yaw=fixed(80), focal=fixed(0.3))

    with pytest.raises(TransformError, match="part of the picture behind the camera"):
        warp.apply(noise(1, 16, 16), draw(warp, 1))


def test_bent_paper_neither_stretches_nor_tears():
    points = (
        torch.rand(1, 40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5
    ) * 1.4
    bend, direction, skew = (torch.tensor([value], dtype=torch.float64) for value in (25.0, 35.0, 0.6))

    jacobian = torch.autograd.functional.jacobian(
        lambda flat: bent_surface(flat, bend, direction, skew).sum(dim=1), points
    )[0, :, 0]

    metric = torch.einsum("inj,ink->njk", jacobian, jacobian)
    torch.testing.assert_close(metric, torch.eye(2).double().expand(40, 2, 2), atol=1e-6, rtol=0)


def test_a_pixel_of_bent_paper_is_read_where_the_camera_sees_it():
    height, width = 160, 200
    bent = Warp(
        rotation=plus_minus(20),
        yaw=plus_minus(25),
        scale=fixed(1.2),
        deformation=Deformation(bend=Range(-25, 25), bend_skew=plus_minus(1)),
    )
    parameters = draw(bent, 8)
    view = bent.view(parameters, height, width)
    offsets = bent.deformation.offsets(parameters, view, height, width, like=view.rays)
    x, y = torch.meshgrid(torch.arange(0.0, width, 13), torch.arange(0.0, height, 11), indexing="xy")
    pixels = torch.stack([x, y], dim=-1).reshape(-1, 2).double()

    read = apply_homography(torch.linalg.inv(view.homography), pixels)
    moved = offsets[:, pixels[:, 1].long(), pixels[:, 0].long()].double()
    read = read + moved * torch.tensor([width / 2, height / 2]).double()

    on_paper = apply_homography(view.to_plane, read)
    surface = bent_surface(on_paper, *(parameters[name] for name in ("bend", "bend_direction", "bend_skew")))
    depth = torch.linalg.cross(view.rays[:, :, 0], view.rays[:, :, 1])
    spatial = torch.stack([view.rays[:, :, 0], view.rays[:, :, 1], depth], dim=2)
    rays = surface @ spatial.transpose(1, 2) + view.rays[:, None, :, 2]
    seen = apply_homography(view.to_frame, rays[..., :2] / rays[..., 2:])
    assert float(moved.abs().max()) > 0.02
    assert float((seen - pixels).norm(dim=-1).max()) < 0.02


def test_a_spline_whose_knots_move_alike_moves_the_picture():
    warp = Warp(deformation=Deformation(spline=plus_minus(0.1)))
    parameters = draw(warp, 1)
    parameters["spline"] = torch.tensor([0.1, -0.05]).double().repeat(16)[None]
    images = noise(1, 40, 40)

    moved = warp.apply(images, parameters)

    # The displacement is of what is read: a tenth of 40 pixels to the right of where it is seen.
    torch.testing.assert_close(moved[..., 4:-4, 4:-8], images[..., 2:-6, 8:-4], atol=1e-5, rtol=0)
