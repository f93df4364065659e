"""What every transformation is: a draw of parameters, kept apart from their application to images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from physadv.errors import PhysadvError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Parameters: TypeAlias = "dict[str, Tensor]"
"""A draw: tensors whose leading dimension counts the samples. It can be stored, sliced and replayed."""


class TransformError(PhysadvError):
    """A transformation, its parameter or a preset cannot be used."""


class Transformation(Protocol):
    """A distribution over what may happen between an example and the classifier's input."""

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw parameters for n images."""
        ...

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return images (n, 3, H, W) in [0, 1] transformed by a draw, each by its own row.

        The same images and parameters give the same result. Differentiable unless the class says otherwise.
        """
        ...


@dataclass(frozen=True)
class Identity:
    """Nothing happens: the digital attack of the literature."""

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Return the empty draw; the generator is left alone."""
        return {}

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images themselves."""
        return images


@dataclass(frozen=True)
class Composition:
    """Transformations one after another, the first first, drawn independently.

    Raises:
        TransformError: there is none.
    """

    parts: tuple[Transformation, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise TransformError("an empty distribution; wanted at least one transformation")

    def sample(self, n: int, generator: torch.Generator) -> Parameters:
        """Draw for every part in order; the names of part i are prefixed with `i.`."""
        return {
            f"{index}.{name}": values
            for index, part in enumerate(self.parts)
            for name, values in part.sample(n, generator).items()
        }

    def apply(self, images: Tensor, parameters: Parameters) -> Tensor:
        """Return the images after every part."""
        for index, part in enumerate(self.parts):
            prefix = f"{index}."
            own = {
                name.removeprefix(prefix): values
                for name, values in parameters.items()
                if name.startswith(prefix)
            }
            images = part.apply(images, own)
        return images


identity = Identity()


def compose(*parts: Transformation) -> Composition:
    """Return the transformation that applies `parts` one after another, the first first."""
    return Composition(parts)
