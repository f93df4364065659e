"""Attacks of the user's own: a function named on the command line, its result checked and judged like any."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor

from physadv.attacks.checks import checked_levels, whole_eps
from physadv.attacks.errors import AttackError
from physadv.attacks.running import Options, generator_of
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier
from physadv.errors import first_line
from physadv.importing import importable_here, own_function
from physadv.transforms.protocol import Identity

_OPTIONS = ("distribution", "samples", "steps", "targets", "chunk", "callback", "goal")
"""Options that are refused where the function has no parameter of that name."""
_HALF_LEVEL = 0.5 / 255


@dataclass(frozen=True)
class OwnAttack:
    """A function of the user's own, `f(classifier, images, labels, *, eps, generator) -> images`.

    It gets float images (B, 3, H, W) in [0, 1], int64 labels (B,), eps as a fraction of the pixel range and a
    generator to draw from. It returns adversarial images of the same shape, in [0, 1] and no further than eps
    from the given ones, which are rounded to 8 bits within eps. If it has parameters called `distribution`,
    `samples`, `steps` or `targets`, those options of the command line are passed to it too.

    Attributes:
        spec: the text, python:module:function.
        function: the function.
    """

    spec: str
    function: Callable[..., Any]

    @classmethod
    def load(cls, spec: str) -> "OwnAttack":
        """Return the attack that `python:module:function` names; the module may be in the current folder.

        Raises:
            AttackError: it cannot be imported or called.
        """
        function = own_function("attack", spec, AttackError)
        if not callable(function):
            raise AttackError(f"attack '{spec}' is a {type(function).__name__}; wanted a function")
        return cls(spec, function)

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        *,
        eps: float,
        **options: Unpack[Options],
    ) -> Tensor:
        """Return adversarial images, whole 8-bit levels; arguments as `fast`.

        Raises:
            AttackError: the function fails, lacks a parameter for an option, or returns something else.
        """
        ball = LInfBall(checked_levels(classifier, images, labels), whole_eps(eps))
        taken, generator = self._taken(options), generator_of(options)
        with seeded(f"attack '{self.spec}'", generator), importable_here():
            found = self.function(
                classifier, images.clone(), labels.clone(), eps=eps, generator=generator, **taken
            )
        return ball.whole(ball.project(self._checked(found, ball))).to(images) / 255

    def _taken(self, options: Options) -> dict[str, Any]:
        """Return the options that the function has parameters for."""
        parameters = signature(self.function).parameters
        takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
        taken = {}
        for name in _OPTIONS:
            value = options.get(name)
            unset = value is None or isinstance(value, Identity) or (name == "samples" and value == 1)
            if value is not None and (takes_any or name in parameters):
                taken[name] = value
            elif not unset:
                raise AttackError(f"attack '{self.spec}' takes no {name}; leave it out")
        return taken

    def _checked(self, found: Any, ball: LInfBall) -> Tensor:
        """Return what the function made, in 8-bit levels, not rounded."""
        made = f"attack '{self.spec}' returned"
        wanted = f"wanted a float tensor {tuple(ball.levels.shape)}"
        if not isinstance(found, Tensor):
            raise AttackError(f"{made} {type(found).__name__}; {wanted}")
        if found.shape != ball.levels.shape or not found.is_floating_point():
            raise AttackError(f"{made} {found.dtype} {tuple(found.shape)}; {wanted}")
        images: Tensor = found.detach().to(ball.levels)
        if not bool(images.isfinite().all()):
            raise AttackError(f"{made} values that are not finite; wanted [0, 1]")
        if not bool(((images >= -_HALF_LEVEL) & (images <= 1 + _HALF_LEVEL)).all()):
            low, high = float(images.min()), float(images.max())
            raise AttackError(f"{made} values from {low:g} to {high:g}; wanted [0, 1]")
        most = float((images * 255 - ball.levels).abs().max())
        if most > ball.eps + 0.5:
            raise AttackError(f"{made} a change of {most:.1f} 8-bit levels; wanted eps, {ball.eps}, at most")
        return images * 255


@contextmanager
def seeded(name: str, generator: torch.Generator) -> Iterator[None]:
    """Seed every global random stream from a generator, for code that draws from them.

    Args:
        name: name of the attack whose code runs inside, for the line of an error.
        generator: source of the seed.

    Raises:
        AttackError: the code inside raised anything, in one line.
    """
    seed = int(torch.randint(2**31, (), generator=generator, device=generator.device))
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the libraries draw from it
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            yield
    except AttackError:
        raise
    except Exception as error:  # another's code can raise anything
        raise AttackError(f"{name}: {type(error).__name__}: {first_line(error)}") from error
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
