"""Draws for one exposure, of numbers and not of tensors: a photo is taken one at a time."""

import torch


class Dice:
    """Draws from one generator, one number at a time."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def between(self, low: float, high: float) -> float:
        """Return a number drawn uniformly."""
        unit = torch.rand((), generator=self.generator, dtype=torch.float64)
        return low + (high - low) * float(unit)

    def either(self, limit: float) -> float:
        """Return a number of either sign up to `limit`."""
        return self.between(-limit, limit)

    def chance(self, probability: float) -> bool:
        """Return whether something of this probability happens."""
        return self.between(0, 1) < probability

    def index(self, count: int) -> int:
        """Return one of 0 to count - 1."""
        return int(torch.randint(count, (), generator=self.generator))
