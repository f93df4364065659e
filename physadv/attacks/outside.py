"""Attacks from outside, called as recipes are: foolbox's and torchattacks', if installed, and the user's own.

Their pictures are rounded to 8 bits within the budget and judged like any other. Their random draws follow
the generator given; what the libraries print or warn of is silenced.
"""

import io
import random
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, isabstract, isclass, signature
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor

from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import runner_up_class
from physadv.attacks.recipes import LIBRARY_MISSING
from physadv.attacks.running import Options, check_targets, checked_levels, generator_of, whole_eps
from physadv.attacks.variables import L2Ball, LInfBall
from physadv.classifiers import Classifier
from physadv.errors import first_line, unknown_name
from physadv.importing import OWN_ERRORS, importable_here, own_function
from physadv.transforms import identity
from physadv.transforms.protocol import Identity

_NOT_TARGETED = "{} cannot be aimed at a target; leave it out"
_WITHOUT_TARGET = ("L2DeepFoolAttack", "LinfDeepFoolAttack")
"""Foolbox lets these have a target and steps to the nearest boundary all the same."""
# Refused where the function has no parameter of that name.
_OPTIONS = ("distribution", "samples", "steps", "targets", "chunk", "callback", "goal")
_HALF_LEVEL = 0.5 / 255


@dataclass(frozen=True)
class LibraryAttack:
    """An attack class of "foolbox" or "torchattacks", called as every recipe is, imported when it is used."""

    library: str
    attack: str

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        *,
        eps: float | None = None,
        **options: Unpack[Options],
    ) -> Tensor:
        """Return adversarial images, whole 8-bit levels; arguments and errors as `fast`, eps where used."""
        levels, targets = checked_levels(classifier, images, labels, options), options.get("targets")
        if targets is not None:
            check_targets(classifier, targets, labels)
        if not isinstance(options.get("distribution", identity), Identity):
            raise AttackError(f"{self.name} knows no transformations; leave them out, or take eot")
        for lacking in ("chunk", "callback", "goal"):
            if options.get(lacking) is not None:
                raise AttackError(f"{self.name} takes no {lacking}; leave it out")
        norm = self.norm()
        if norm is None and eps is not None:
            raise AttackError(f"{self.name} takes no eps; leave it out")
        run = self._run_foolbox if self.library == "foolbox" else self._run_torchattacks
        with self._quietly(generator_of(options)):
            # Some of them view pictures as rows.
            found = run(classifier, images.contiguous(), labels, eps, options)
        # Where some attacks find nothing they leave NaN.
        found = torch.where(found.isfinite(), found, images).clamp(0, 1).to(images) * 255
        return _eight_bits(found, levels, norm, eps) / 255

    @property
    def name(self) -> str:
        """Return how it is named on the command line."""
        return f"{self.library}:{self.attack}"

    def norm(self) -> str | None:
        """Return the norm of its budget, "L∞", "L2", "L1", … or None, or raise AttackError."""
        with self._quietly(torch.Generator()):
            order = (_foolbox_norm if self.library == "foolbox" else _torchattacks_norm)(self._class())
        return order and ("L∞" if order == "inf" else f"L{order}")

    def _class(self) -> Any:
        """Return the attack class."""
        try:
            place = import_module(self.library)
        except ImportError as error:
            raise AttackError(LIBRARY_MISSING.format(self.library)) from error
        if self.library == "foolbox":
            place, base = place.attacks, place.attacks.base.Attack
        else:
            base = import_module("torchattacks.attack").Attack
        known = {
            name: found
            for name, found in vars(place).items()
            if isclass(found) and issubclass(found, base) and found is not base and not isabstract(found)
        }
        if self.attack not in known:
            raise AttackError(unknown_name(f"{self.library} attack", self.attack, known))
        return known[self.attack]

    @contextmanager
    def _quietly(self, generator: torch.Generator) -> Iterator[None]:
        """Seed whatever a library may draw from, silence it, and turn what it raises into one line."""
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), _seeded(self.name, generator):
            warnings.simplefilter("ignore")
            yield

    def _steps(self, options: Options) -> dict[str, Any]:
        """Return the argument that sets the number of steps, if one was asked for."""
        steps = options.get("steps")
        if steps is None:
            return {}
        if not _takes(self._class(), "steps"):
            raise AttackError(f"{self.name} takes no steps; leave them out")
        return {"steps": steps}

    def _run_foolbox(
        self, classifier: Classifier, images: Tensor, labels: Tensor, eps: float | None, options: Options
    ) -> Tensor:
        arguments, targets, library = self._steps(options), options.get("targets"), import_module("foolbox")
        if targets is not None and self.attack in _WITHOUT_TARGET:
            raise AttackError(_NOT_TARGETED.format(self.name))
        attack = _foolbox_attack(self._class(), **arguments)
        model = library.PyTorchModel(classifier, bounds=(0, 1), device=images.device)
        untargeted, targeted = library.criteria.Misclassification, library.criteria.TargetedMisclassification
        wanted = untargeted(labels) if targets is None else targeted(targets)
        budget = {"epsilons": eps} if isinstance(attack, library.attacks.base.AttackWithDistance) else {}
        try:
            found: Tensor = attack(model, images, wanted, **budget)[1]
        except ValueError as error:
            if targets is not None and "criterion" in str(error):
                raise AttackError(_NOT_TARGETED.format(self.name)) from error
            raise
        return found

    def _run_torchattacks(
        self, classifier: Classifier, images: Tensor, labels: Tensor, eps: float | None, options: Options
    ) -> Tensor:
        arguments, targets, make = self._steps(options), options.get("targets"), self._class()
        usual = {name: parameter.default for name, parameter in signature(make).parameters.items()}
        known = {"n_classes": len(classifier.labels), "seed": torch.initial_seed()}
        arguments |= {name: value for name, value in known.items() if name in usual}
        budget = _torchattacks_budget(make)
        if budget is not None and eps is not None:
            arguments[budget] = eps
            if "alpha" in usual:  # their step, published for their eps
                arguments["alpha"] = usual["alpha"] * eps / usual[budget]
        attack = make(classifier, **arguments)
        attack.set_device(images.device)
        if targets is not None:
            if "targeted" not in attack.supported_mode:
                raise AttackError(_NOT_TARGETED.format(self.name))
            attack.set_mode_targeted_by_label(quiet=True)
        found: Tensor = attack(images, labels if targets is None else targets)
        return found


def jsma(classifier: Classifier, images: Tensor, labels: Tensor, **options: Unpack[Options]) -> Tensor:
    """Return images with few values changed to the full: torchattacks' JSMA (Papernot et al. 2016).

    It needs targets: without any, the likeliest class that is not the label. Its memory grows with the fourth
    power of the image's side: 32 pixels take some 0.3 GB. Arguments, result and errors as `LibraryAttack`.
    """
    checked_levels(classifier, images, labels, options)
    if options.get("targets") is None:
        options = {**options, "targets": runner_up_class(classifier, images, labels)}
    return LibraryAttack("torchattacks", "JSMA")(classifier, images, labels, **options)


def _eight_bits(found: Tensor, levels: Tensor, norm: str | None, eps: float | None) -> Tensor:
    """Return levels rounded: to nearest, but never out of the budget."""
    if norm is None or eps is None:
        return found.round()
    if norm == "L∞":
        ball = LInfBall(levels, whole_eps(eps))
        return ball.whole(ball.project(found))
    if norm == "L2":
        return L2Ball(levels, eps * 255).whole(found)
    return levels + (found - levels).trunc()  # towards the clean image: no norm grows


def _takes(make: Any, argument: str) -> bool:
    return argument in signature(make).parameters


def _foolbox_attack(make: Any, **arguments: Any) -> Any:
    if _takes(make, "distance"):
        arguments["distance"] = import_module("foolbox").distances.l2
    return make(**arguments)


def _foolbox_norm(make: Any) -> str | None:
    if not issubclass(make, import_module("foolbox").attacks.base.FixedEpsilonAttack):
        return None
    return f"{_foolbox_attack(make).distance.p:g}"


def _torchattacks_budget(make: Any) -> str | None:
    return next((name for name in ("eps", "max_epsilon") if _takes(make, name)), None)


def _torchattacks_norm(make: Any) -> str | None:
    """Return the first norm that the docstring names, as all of theirs do: it is the default."""
    if _torchattacks_budget(make) is None:
        return None
    named = re.search(r"Distance Measure\s*:\s*L(\w+)", make.__doc__ or "")
    return named[1] if named else "inf"


def own_attack(spec: str) -> Callable[..., Tensor]:
    """Return the attack `python:module:function` of the user's own, to be called as `fast` is.

    The function is `f(classifier, images, labels, *, eps, generator) -> images`. It gets float images
    (B, 3, H, W) in [0, 1], int64 labels (B,), eps as a fraction of the pixel range and a generator to draw
    from. It returns adversarial images of the same shape, in [0, 1] and no further than eps from the given
    ones, which are rounded to 8 bits within eps. Parameters called `distribution`, `samples`, `steps` or
    `targets` get those options of the command line; their own defaults hold for no transformation and one
    sample. The module may be in the current folder. The classifier gets its weights and modes back.

    Raises:
        AttackError: it cannot be imported or called. When it runs: the function fails, lacks a parameter for
            an option, or returns something else.
    """
    function, name = own_function("attack", spec, AttackError), f"attack '{spec}'"
    if not callable(function):
        raise AttackError(f"{name} is a {type(function).__name__}; wanted a function")
    try:
        parameters = signature(function).parameters
    except ValueError as error:  # as of most functions written in C
        raise AttackError(f"{name} does not say its parameters; wanted a function of your own") from error
    takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())

    def run(
        classifier: Classifier, images: Tensor, labels: Tensor, *, eps: float, **options: Unpack[Options]
    ) -> Tensor:
        ball = LInfBall(checked_levels(classifier, images, labels, options), whole_eps(eps))
        generator, taken = generator_of(options), {}
        for option in _OPTIONS:
            value = options.get(option)
            unset = value is None or isinstance(value, Identity) or (option == "samples" and value == 1)
            known = option in parameters
            needed = parameters[option].default is Parameter.empty if known else takes_any
            if value is not None and (needed or (known and not unset)):
                taken[option] = value
            elif not unset:
                flag = " (--transforms)" if option == "distribution" else ""
                raise AttackError(f"{name} takes no {option}; leave it out{flag}")
        with _seeded(name, generator), classifier.unchanged(), importable_here():
            given = images.clone(), labels.clone()
            found = function(classifier, *given, eps=eps, generator=generator, **taken)
        return ball.whole(ball.project(_checked(found, ball, f"{name} returned"))).to(images) / 255

    return run


def _checked(found: Any, ball: LInfBall, made: str) -> Tensor:
    """Return what the function made, in 8-bit levels, not rounded."""
    wanted = f"wanted a float tensor {tuple(ball.levels.shape)}"
    if not isinstance(found, Tensor):
        raise AttackError(f"{made} {type(found).__name__}; {wanted}")
    if found.is_meta or found.layout != torch.strided:
        raise AttackError(f"{made} a tensor on {found.device} of layout {found.layout}; {wanted}, dense")
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
def _seeded(name: str, generator: torch.Generator) -> Iterator[None]:
    """Seed every global random stream, and raise AttackError for whatever the code inside raises."""
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
    except OWN_ERRORS as error:
        raise AttackError(f"{name}: {type(error).__name__}: {first_line(error)}") from error
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
