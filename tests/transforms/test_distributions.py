"""What every distribution promises: gradients, replay, rows that do not hang on their neighbours, dtypes."""

import pytest
import torch

from physadv.transforms import (
    Deformation,
    Jpeg,
    Optics,
    Photometry,
    Press,
    Range,
    Rounding,
    Sensor,
    TransformError,
    Warp,
    compose,
    fixed,
    in_linear_light,
    load_preset,
    plus_minus,
)

SMOOTH = {
    "warp": Warp(
        rotation=plus_minus(30),
        aspect=Range(0.8, 1.2, "log"),
        shear=plus_minus(10),
        yaw=plus_minus(20),
        pitch=plus_minus(20),
        roll=plus_minus(5),
        distance=Range(0.9, 1.2),
        shift_x=plus_minus(0.1),
        background="random",
    ),
    "minifying": Warp(scale=Range(0.3, 0.9), in_bounds=True, background=(0.1, 0.5, 0.9)),
    "before pictures": Warp(scale=Range(0.4, 0.6), background=torch.full((2, 3, 5, 4), 0.5)),
    "bent": Warp(
        deformation=Deformation(bend=Range(-30, 30), bend_skew=plus_minus(1), spline=plus_minus(0.05))
    ),
    "photometry": Photometry(
        brightness=plus_minus(0.05),
        contrast=Range(0.8, 1.2),
        saturation=Range(0.5, 1.5),
        gain=Range(0.9, 1.1),
        channel_gain=Range(0.9, 1.1),
        channel_offset=plus_minus(0.02),
        white_balance=plus_minus(0.05),
        temperature=Range(5000, 8000),
        gamma=Range(1, 2, "reciprocal"),
        tone=Range(0, 1),
    ),
    "press": Press(("offset-coated", "offset-uncoated")),
    "gaussian": Optics(sigma=Range(0, 1.5)),
    "camera": Optics(sigma=Range(0, 0.5), defocus=Range(0, 1), motion=Range(0, 1)),
    "sensor": Sensor(read=Range(0.01, 0.02), shot=Range(0.001, 0.002)),
    "read noise": Sensor(read=Range(0, 0.05)),
    "press and light": in_linear_light(Press(("offset-coated",)), Photometry(gain=Range(0.8, 1.1))),
}
STEPPED = {"jpeg": Jpeg(quality=Range(20, 95)), "rounding": Rounding()}
EVERY = SMOOTH | STEPPED


def mid_greys(n: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n, 3, *shape, generator=generator, dtype=dtype) * 0.4 + 0.3


@pytest.mark.parametrize("name", SMOOTH)
def test_gradcheck(name):
    distribution, images = SMOOTH[name], mid_greys(2, 5, 4).requires_grad_()
    draw = distribution.sample(2, torch.Generator().manual_seed(4))

    assert torch.autograd.gradcheck(lambda pixels: distribution.apply(pixels, draw), images)


@pytest.mark.parametrize("name", EVERY)
def test_same_seed_same_bytes_and_a_stored_draw_replays(name, tmp_path):
    distribution, images = EVERY[name], mid_greys(4, 20, 16, dtype=torch.float32)
    draw = distribution.sample(4, torch.Generator().manual_seed(1))
    torch.save(draw, tmp_path / "draw.pt")

    first = distribution.apply(images, draw)
    again = distribution.apply(images, distribution.sample(4, torch.Generator().manual_seed(1)))
    replayed = distribution.apply(images, torch.load(tmp_path / "draw.pt", weights_only=True))

    assert torch.equal(first, again)
    assert torch.equal(first, replayed)


@pytest.mark.parametrize("name", EVERY)
def test_rows_of_a_draw_are_independent_of_their_neighbours(name):
    distribution, images = EVERY[name], mid_greys(5, 20, 16)
    draw = distribution.sample(5, torch.Generator().manual_seed(2))

    whole = distribution.apply(images, draw)
    parts = [
        distribution.apply(images[rows], {key: values[rows] for key, values in draw.items()})
        for rows in (slice(0, 2), slice(2, 3), slice(3, 5))
    ]

    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_shape_and_range_stay(name, dtype):
    images = torch.rand(3, 3, 19, 17, generator=torch.Generator().manual_seed(0), dtype=dtype)
    images[0] = images[0].round()
    distribution = EVERY[name]

    result = distribution.apply(images, distribution.sample(3, torch.Generator().manual_seed(3)))

    assert result.dtype == dtype
    assert result.shape == images.shape
    assert result.min() >= -1e-6
    assert result.max() <= 1 + 1e-6


@pytest.mark.parametrize(
    "distribution",
    [
        Warp(),
        Warp(background=0.5),
        Photometry(),
        Photometry(gamma=Range(1, 1.0000001), tone=Range(0, 1e-9)),
        Optics(),
        Optics(motion=Range(0, 1e-6), defocus=Range(0, 1e-6)),
        Sensor(),
        Sensor(shot=Range(0, 1e-18)),
        in_linear_light(Photometry()),
    ],
    ids=str,
)
def test_parameters_that_change_nothing_give_the_images_back(distribution):
    images = torch.rand(2, 3, 14, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    images[0, :, :3], images[0, :, 3:5] = 0, 1

    result = distribution.apply(images, distribution.sample(2, torch.Generator().manual_seed(0)))

    torch.testing.assert_close(result, images, rtol=0, atol=1e-6)


def test_gradients_are_finite_on_black_and_white():
    images = torch.zeros(4, 3, 16, 16)
    images[2:] = 1
    for preset in ("kurakin-digital", "athalye-physical", "graphite", "print-photo-jpeg"):
        distribution, pixels = load_preset(preset), images.clone().requires_grad_()

        seen = distribution.apply(pixels, distribution.sample(4, torch.Generator().manual_seed(0)))
        seen.square().sum().backward()

        assert pixels.grad.isfinite().all()
        assert pixels.grad.abs().max() < 1e3


def test_an_empty_distribution_is_refused():
    with pytest.raises(TransformError, match="empty distribution; wanted at least one"):
        compose()


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Range(2, 1), "range 2 to 1 is empty; wanted low ≤ high"),
        (lambda: Range(0, float("nan")), "wanted finite numbers"),
        (lambda: Range(0, 1, "log"), "log range 0 to 1; wanted low above 0"),
        (lambda: Range(0, 1, "cubic"), "spacing 'cubic'; wanted one of uniform, log, reciprocal"),
        (lambda: Warp(scale=Range(0, 1)), "scale 0 to 1; wanted above 0"),
        (lambda: Warp(yaw=fixed(95)), "yaw 95 to 95; wanted at most 89"),
        (lambda: Warp(in_bounds=True, shift_x=fixed(0.1)), "wanted neither shift_x nor shift_y"),
        (lambda: Warp(background="sky"), "background 'sky'; wanted edge, random"),
        (lambda: Warp(background=(0, 2, 0)), "wanted edge, random, a grey or three numbers from 0 to 1"),
        (lambda: Warp(background=torch.zeros(0, 3, 2, 2)), "wanted (K, 3, h, w), K above 0"),
        (lambda: Deformation(), "a deformation without bend or spline"),
        (lambda: Deformation(bend=fixed(80)), "bend 80 to 80; wanted at most 60"),
        (lambda: Deformation(spline=fixed(0.1), knots=1), "knots 1; wanted at least 2"),
        (lambda: Optics(sigma=Range(-1, 1)), "sigma -1 to 1; wanted at least 0"),
        (lambda: Sensor(read=fixed(-0.1)), "read -0.1 to -0.1; wanted at least 0"),
        (lambda: Photometry(gamma=Range(0, 1)), "gamma 0 to 1; wanted above 0"),
        (lambda: Photometry(temperature=fixed(1000)), "temperature 1000 to 1000; wanted at least 1667"),
        (lambda: Jpeg(quality=Range(0, 50)), "quality 0 to 50; wanted at least 1"),
        (lambda: Jpeg(quality=Range(50.2, 50.8)), "wanted a whole number between"),
        (
            lambda: in_linear_light(Photometry(), Press(("offset-coated",))),
            "a press takes sRGB; wanted first of those in linear light",
        ),
    ],
)
def test_impossible_parameters_are_one_clear_line(make, line):
    with pytest.raises(TransformError) as caught:
        make()

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_spacings_draw_what_they_say():
    generator = torch.Generator().manual_seed(0)

    log = Range(1, 100, "log").draw(4000, generator)
    both = Range(1, 3.5, "reciprocal").draw(4000, generator)

    assert float((log < 10).double().mean()) == pytest.approx(0.5, abs=0.03)
    assert float((both < 1).double().mean()) == pytest.approx(0.5, abs=0.03)
    assert 1 / 3.5 <= float(both.min()) < 0.29
    assert 3.45 < float(both.max()) <= 3.5
    # Uniform above 1: its mean is that of 1 and 3.5.
    assert float(both[both > 1].mean()) == pytest.approx(2.25, abs=0.06)
