"""Score-based attacks: gradients estimated from differences between outputs, every query counted.

The estimate replaces the classifier's gradient inside autograd; the rest is as in every other attack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import one_hot

from physadv.attacks.errors import AttackError, check_number
from physadv.attacks.loop import images_at_once
from physadv.classifiers import Classifier
from physadv.errors import unknown_name

_SIGMA = "a fraction of the pixel range, above 0 and below 0.5", lambda sigma: 0 < sigma < 0.5


@dataclass(frozen=True)
class NES:
    """Antithetic gaussian directions: natural evolution strategies (Ilyas et al. 2018, arXiv:1804.08598).

    Attributes:
        population: number of queries per estimate, half of them on either side; 50 in the paper.
        sigma: standard deviation of the search, a fraction of the pixel range; 0.001 in the paper. A
            classifier that rounds its input to 8 bits does not see less than 0.002.
    """

    population: int = 50
    sigma: float = 0.001

    def __post_init__(self) -> None:
        if self.population < 2 or self.population % 2:
            raise AttackError(f"population {self.population}: wanted an even number of queries, 2 or more")
        check_number("sigma", self.sigma, *_SIGMA)

    def queries(self, values: int) -> int:
        """Return the population, whatever the number of values of a picture."""
        return self.population

    def weight(self) -> float:
        """Return one over the number of directions."""
        return 2 / self.population

    def blocks(self, shape: torch.Size, generator: torch.Generator, most: int) -> Iterator[Tensor]:
        """Yield gaussian directions, the same whatever the size of a block, (up to `most`, *shape)."""
        drawn = torch.randn((self.population // 2, *shape), generator=generator, device=generator.device)
        yield from torch.split(drawn, most)


@dataclass(frozen=True)
class FiniteDifferences:
    """Central differences of every value, two queries each (Chen et al. 2017, arXiv:1708.03999, eq. 6).

    Attributes:
        sigma: step of the difference, a fraction of the pixel range; 0.0001 in the paper.
    """

    sigma: float = 1e-4

    def __post_init__(self) -> None:
        check_number("sigma", self.sigma, *_SIGMA)

    def queries(self, values: int) -> int:
        """Return two for every value of a picture."""
        return 2 * values

    def weight(self) -> float:
        """Return one."""
        return 1.0

    def blocks(self, shape: torch.Size, generator: torch.Generator, most: int) -> Iterator[Tensor]:
        """Yield the unit vectors, (up to `most`, *shape) at once."""
        values = shape.numel()
        for first in range(0, values, most):
            places = torch.arange(first, min(first + most, values))
            yield one_hot(places, values).float().reshape(-1, *shape)


Directions = NES | FiniteDifferences
"""Search directions u: a gradient is Σ_u weight·u·(f(x + σu) − f(x − σu))/2σ."""
ESTIMATES = ("nes", "nes=POPULATION", "finite-differences")


def find_directions(estimate: str, sigma: float | None = None) -> Directions:
    """Return the estimator that one of `ESTIMATES` names, with its σ or another, or raise AttackError."""
    name, equals, population = estimate.partition("=")
    found: Directions
    if name == "nes" and (not equals or population.isdecimal()):
        found = NES(int(population)) if equals else NES()
    elif estimate == "finite-differences":
        found = FiniteDifferences()
    else:
        raise AttackError(unknown_name("estimate", estimate, ESTIMATES))
    return found if sigma is None else replace(found, sigma=sigma)


def steps_within(queries: int, directions: Directions, samples: int, values: int) -> int:
    """Return the number of steps that a budget of queries per image allows.

    A step takes one query for every sample's loss and `directions.queries(values)` for its gradient, where
    `values` is the number of values of one image. A budget too small for one step raises AttackError.
    """
    step = samples * (1 + directions.queries(values))
    if queries < step:
        raise AttackError(f"queries {queries}: one step takes {step}; wanted as many or more")
    return queries // step


class QueryOnly(Classifier):
    """A classifier of which only the outputs are used; the gradients that flow back through it are estimates.

    The gradient of a loss L is Σ_u w·u·⟨∂L/∂logits, f(x + σu) − f(x − σu)⟩/2σ: the papers' estimate for the
    loss itself, to first order in the change of the logits. Every picture stays in [0, 1], as classifiers
    expect. The classifier need not be differentiable.

    Args:
        classifier: the classifier to query.
        directions: search directions of the estimate.
        generator: source of the directions; give the loop's own, so that a resumed loop resumes both.

    Attributes:
        queries: number of pictures classified so far, for estimates and otherwise.

    Example:
        >>> from physadv import attacks, classifiers
        >>> random, images = torch.Generator().manual_seed(0), torch.full((1, 3, 32, 32), 128 / 255)
        >>> classifier = QueryOnly(classifiers.load_classifier("signs"), NES(population=4), random)
        >>> _ = attacks.bim(classifier, images, torch.tensor([14]), eps=8 / 255, steps=2, generator=random)
        >>> classifier.queries
        10
    """

    def __init__(self, classifier: Classifier, directions: Directions, generator: torch.Generator) -> None:
        super().__init__(classifier, classifier.labels, classifier.spec, device=classifier.device)
        self.directions, self.generator, self.queries = directions, generator, 0

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) of float images (B, 3, H, W) in [0, 1]."""
        return _GradientEstimate.apply(images, self)  # type: ignore[no-any-return]

    @torch.no_grad()
    def answer(self, images: Tensor) -> Tensor:
        """Return logits (B, K) of images (B, 3, H, W) without a gradient, and count the queries."""
        self.queries += len(images)
        logits: Tensor = self.network(images)
        return logits

    def pull_back(self, image: Tensor, slope: Tensor) -> Tensor:
        """Return the gradient by an image (3, H, W) of a loss whose slope by its logits is (K,)."""
        sigma = self.directions.sigma
        # Both ends then lie in the pixel range for |u| ≤ 1: black and white values get their whole slope.
        centre = image.clamp(sigma, 1 - sigma)
        gradient = torch.zeros_like(image)
        most = max(1, images_at_once(image) // 2)
        for block in self.directions.blocks(image.shape, self.generator, most):
            along = block.to(image)
            ends = torch.cat([centre + sigma * along, centre - sigma * along]).clamp(0, 1)
            forth, back = self.answer(ends).chunk(2)
            change = (forth - back) @ slope / (2 * sigma)
            gradient += torch.einsum("n,nchw->chw", change, along)
        return gradient * self.directions.weight()


class _GradientEstimate(torch.autograd.Function):
    """Outputs forward, estimates backward."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, classifier: QueryOnly) -> Tensor:
        ctx.save_for_backward(images)
        ctx.classifier = classifier
        return classifier.answer(images)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None]:
        (images,) = ctx.saved_tensors
        # One image after the other, so that batching changes no direction.
        rows = zip(images, slopes, strict=True)
        return torch.stack([ctx.classifier.pull_back(image, slope) for image, slope in rows]), None
