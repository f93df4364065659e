import pytest
import torch

from physadv.attacks import lab_distance, non_printability_minimum, non_printability_product, total_variation

COLOURS = torch.tensor([(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.0, 0.0)])


def flat(*colour: float) -> torch.Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, 6, 6).clone()


def test_total_variation_of_a_ramp_is_its_slope_and_of_a_flat_picture_nothing() -> None:
    ramp = (torch.arange(6.0) * 0.1).expand(1, 3, 6, 6)
    assert float(total_variation(ramp)) == pytest.approx(0.1, abs=1e-4)
    assert float(total_variation(flat(0.3, 0.5, 0.7))) == pytest.approx(0, abs=2e-4)


def test_non_printability_by_hand() -> None:
    grey = flat(0.5, 0.5, 0.5)
    to_black = to_white = (3 * 0.25) ** 0.5
    to_red = (0.25 + 0.25 + 0.25) ** 0.5
    assert float(non_printability_minimum(grey, COLOURS)) == pytest.approx(to_black, abs=1e-5)
    product = torch.tensor(to_black * to_white * to_red).log()
    assert float(non_printability_product(grey, COLOURS)) == pytest.approx(float(product), abs=1e-3)


def test_printable_colours_cost_nothing_or_least() -> None:
    assert float(non_printability_minimum(flat(1, 0, 0), COLOURS)) < 2e-4
    assert non_printability_product(flat(1, 0, 0), COLOURS) < non_printability_product(flat(0, 0, 1), COLOURS)


def test_the_product_of_many_colours_keeps_a_gradient_where_it_would_underflow() -> None:
    """A thousand distances of at most 0.2 multiply to less than the smallest float."""
    many = torch.rand(1000, 3, generator=torch.Generator().manual_seed(0)) * 0.1
    picture = flat(0.1, 0.1, 0.1).requires_grad_()
    assert float((picture.detach()[0, :, 0, 0] - many).norm(dim=1).prod()) == 0.0
    value = non_printability_product(picture, many)
    (gradient,) = torch.autograd.grad(value.sum(), picture)
    assert bool(value.isfinite().all())
    assert bool((gradient != 0).all())


def test_lab_distance_of_one_step_of_lightness() -> None:
    """L* of sRGB white is 100 and of black 0; a and b are 0 for both."""
    assert float(lab_distance(flat(1, 1, 1), flat(0, 0, 0))) == pytest.approx(100, abs=0.1)
    assert float(lab_distance(flat(0.2, 0.4, 0.6), flat(0.2, 0.4, 0.6))) == pytest.approx(0, abs=1e-4)


OTHER = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@pytest.mark.parametrize(
    "penalty",
    [
        total_variation,
        lambda pictures: non_printability_product(pictures, COLOURS.double()),
        lambda pictures: non_printability_minimum(pictures, COLOURS.double()),
        lambda pictures: lab_distance(pictures, OTHER),
    ],
)
def test_gradients_are_right(penalty) -> None:
    random = torch.Generator().manual_seed(3)
    pictures = torch.rand(2, 3, 4, 4, generator=random, dtype=torch.float64) * 0.8 + 0.1
    assert torch.autograd.gradcheck(penalty, (pictures.requires_grad_(),))
