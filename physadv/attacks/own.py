"""Attacks of the user's own: a function named on the command line, its result checked and judged like any."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import Parameter, signature
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.attacks.running import Options, checked_levels, generator_of, whole_eps
from physadv.attacks.variables import LInfBall
from physadv.classifiers import Classifier
from physadv.errors import first_line
from physadv.importing import importable_here, own_function
from physadv.transforms.protocol import Identity

_OPTIONS = ("distribution", "samples", "steps", "targets", "chunk", "callback", "goal")
"""Options that are refused where the function has no parameter of that name."""
_HALF_LEVEL = 0.5 / 255


def own_attack(spec: str) -> Callable[..., Tensor]:
    """Return the attack `python:module:function` of the user's own, to be called as `fast` is.

    The function is `f(classifier, images, labels, *, eps, generator) -> images`. It gets float images
    (B, 3, H, W) in [0, 1], int64 labels (B,), eps as a fraction of the pixel range and a generator to draw
    from. It returns adversarial images of the same shape, in [0, 1] and no further than eps from the given
    ones, which are rounded to 8 bits within eps. Parameters called `distribution`, `samples`, `steps`
    or `targets` get those options of the command line.

    Args:
        spec: python:module:function; the module may be in the current folder.

    Raises:
        AttackError: it cannot be imported or called. When it runs: the function fails, lacks a parameter for
            an option, or returns something else.
    """
    function = own_function("attack", spec, AttackError)
    if not callable(function):
        raise AttackError(f"attack '{spec}' is a {type(function).__name__}; wanted a function")
    return partial(_run, f"attack '{spec}'", function)


def _run(
    name: str,
    function: Callable[..., Any],
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float,
    **options: Unpack[Options],
) -> Tensor:
    ball = LInfBall(checked_levels(classifier, images, labels), whole_eps(eps))
    generator, parameters = generator_of(options), signature(function).parameters
    takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
    taken = {}
    for option in _OPTIONS:
        value = options.get(option)
        unset = value is None or isinstance(value, Identity) or (option == "samples" and value == 1)
        if value is not None and (takes_any or option in parameters):
            taken[option] = value
        elif not unset:
            raise AttackError(f"{name} takes no {option}; leave it out")
    with seeded(name, generator), importable_here():
        found = function(classifier, images.clone(), labels.clone(), eps=eps, generator=generator, **taken)
    return ball.whole(ball.project(_checked(found, ball, f"{name} returned"))).to(images) / 255


def _checked(found: Any, ball: LInfBall, made: str) -> Tensor:
    """Return what the function made, in 8-bit levels, not rounded."""
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
