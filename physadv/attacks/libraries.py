"""Attacks of other libraries, called as recipes are: foolbox and torchattacks, if installed.

Their pictures are rounded to 8 bits within the budget and judged like any other. Their random draws follow
the generator given; what they print or warn of is silenced.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from inspect import isabstract, isclass, signature
from math import inf
from typing import Any, NamedTuple, Unpack

import torch
from torch import Tensor

from physadv.attacks.checks import check_count, check_targets, checked_levels, whole_eps
from physadv.attacks.errors import AttackError
from physadv.attacks.objectives import runner_up_class
from physadv.attacks.own import seeded
from physadv.attacks.recipe import library_missing
from physadv.attacks.running import Options, generator_of
from physadv.attacks.variables import L2Ball, LInfBall
from physadv.classifiers import Classifier
from physadv.errors import unknown_name
from physadv.transforms import identity
from physadv.transforms.protocol import Identity

_WITHOUT_TARGET = ("L2DeepFoolAttack", "LinfDeepFoolAttack")
"""Foolbox lets these have a target and steps to the nearest boundary all the same."""


class _Call(NamedTuple):
    """One call of an attack; eps is a fraction of the pixel range."""

    classifier: Classifier
    images: Tensor
    labels: Tensor
    targets: Tensor | None
    eps: float | None
    steps: int | None
    seed: int


@dataclass(frozen=True)
class LibraryAttack:
    """An attack class of a library, called as every recipe is; the library is imported when it is used.

    Attributes:
        library: "foolbox" or "torchattacks".
        attack: name of the class there.
    """

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
        """Return adversarial images, whole 8-bit levels.

        Args:
            classifier: the classifier to fool.
            images: float32 or float64 (B, 3, H, W) in [0, 1], whole 8-bit levels.
            labels: int64 (B,), the true classes.
            eps: budget, a fraction of the pixel range, for attacks that take one.
            **options: `generator`, `targets` and, of attacks that have them, `steps`.

        Raises:
            AttackError: the library is absent, or has no such attack, or the attack refuses an argument.
        """
        levels = checked_levels(classifier, images, labels)
        targets = options.get("targets")
        if targets is not None:
            check_targets(classifier, targets, labels)
        self._refuse_what_it_lacks(options)
        norm = self.norm()
        with self._quietly(generator_of(options)) as seed:
            whole = images.contiguous()  # some of them view pictures as rows
            call = _Call(classifier, whole, labels, targets, eps, options.get("steps"), seed)
            found = _RUNNERS[self.library](self, call)
        # Where some attacks find nothing they leave NaN.
        found = torch.where(found.isfinite(), found, images).clamp(0, 1).to(images) * 255
        return _eight_bits(found, levels, norm, eps) / 255

    @property
    def name(self) -> str:
        """Return how it is named on the command line."""
        return f"{self.library}:{self.attack}"

    def norm(self) -> str | None:
        """Return the norm of its budget: "L∞", "L2", "L1", … None if it takes none.

        Raises:
            AttackError: the library is absent, has no such attack, or cannot make one.
        """
        with self._quietly(torch.Generator()):
            return _NORMS[self.library](self.made_by())

    def made_by(self) -> Any:
        """Return the library's class.

        Raises:
            AttackError: the library is absent or has no such attack.
        """
        known = attacks_of(self.library)
        if self.attack not in known:
            raise AttackError(unknown_name(f"{self.library} attack", self.attack, known))
        return known[self.attack]

    def _refuse_what_it_lacks(self, options: Options) -> None:
        if not isinstance(options.get("distribution", identity), Identity):
            raise AttackError(f"{self.name} knows no transformations; leave them out, or take eot")
        lacking = ("chunk", "callback", "goal")
        given = [option for option in lacking if options.get(option) is not None]
        if given:
            raise AttackError(f"{self.name} takes no {given[0]}; leave it out")

    @contextmanager
    def _quietly(self, generator: torch.Generator) -> Iterator[int]:
        """Seed whatever a library may draw from, silence it, turn what it raises into one line; the seed."""
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), seeded(self.name, generator) as seed:
            warnings.simplefilter("ignore")
            yield seed


def require(library: str) -> Any:
    """Return the module of a library.

    Raises:
        AttackError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(library)
    except ImportError as error:
        raise library_missing(library) from error


def attacks_of(library: str) -> dict[str, Any]:
    """Return every attack class of a library by name.

    Raises:
        AttackError: it is not installed.
    """
    module = require(library)
    place, base = (
        (module.attacks, module.attacks.base.Attack)
        if library == "foolbox"
        else (module, import_module("torchattacks.attack").Attack)
    )
    return {
        name: found
        for name, found in vars(place).items()
        if isclass(found) and issubclass(found, base) and found is not base and not isabstract(found)
    }


def jsma(classifier: Classifier, images: Tensor, labels: Tensor, **options: Unpack[Options]) -> Tensor:
    """Return images with few values changed to the full: torchattacks' JSMA (Papernot et al. 2016).

    It needs targets: without any, the likeliest class that is not the label. Its memory grows with the fourth
    power of the image's side: 32 pixels take some 0.3 GB. Arguments, result and errors as `LibraryAttack`.
    """
    checked_levels(classifier, images, labels)
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


def _takes(made_by: Any, argument: str) -> bool:
    return argument in signature(made_by).parameters


def _steps(chosen: LibraryAttack, steps: int | None) -> dict[str, Any]:
    """Return the argument that sets the number of steps, if one was asked for."""
    if steps is None:
        return {}
    if not _takes(chosen.made_by(), "steps"):
        raise AttackError(f"{chosen.name} takes no steps; leave them out")
    return {"steps": check_count("steps", steps)}


def _not_targeted(chosen: LibraryAttack) -> AttackError:
    return AttackError(f"{chosen.name} cannot be aimed at a target; leave it out")


def _foolbox(chosen: LibraryAttack, call: _Call) -> Tensor:
    if call.targets is not None and chosen.attack in _WITHOUT_TARGET:
        raise _not_targeted(chosen)
    library = require("foolbox")
    attack = _foolbox_attack(chosen.made_by(), **_steps(chosen, call.steps))
    model = library.PyTorchModel(call.classifier, bounds=(0, 1), device=call.images.device)
    wanted = (
        library.criteria.Misclassification(call.labels)
        if call.targets is None
        else library.criteria.TargetedMisclassification(call.targets)
    )
    measured = isinstance(attack, library.attacks.base.AttackWithDistance)
    budget = {"epsilons": call.eps} if measured else {}
    try:
        found: Tensor = attack(model, call.images, wanted, **budget)[1]
    except ValueError as error:
        if call.targets is not None and "criterion" in str(error):
            raise _not_targeted(chosen) from error
        raise
    return found


def _foolbox_attack(made_by: Any, **arguments: Any) -> Any:
    if _takes(made_by, "distance"):
        arguments["distance"] = require("foolbox").distances.l2
    return made_by(**arguments)


def _foolbox_norm(made_by: Any) -> str | None:
    if not issubclass(made_by, require("foolbox").attacks.base.FixedEpsilonAttack):
        return None
    order = _foolbox_attack(made_by).distance.p
    return "L∞" if order == inf else f"L{order:g}"


def _torchattacks(chosen: LibraryAttack, call: _Call) -> Tensor:
    made_by = chosen.made_by()
    usual = {name: parameter.default for name, parameter in signature(made_by).parameters.items()}
    arguments = _steps(chosen, call.steps)
    known = {"n_classes": len(call.classifier.labels), "seed": call.seed}
    arguments |= {name: value for name, value in known.items() if name in usual}
    budget = _torchattacks_budget(made_by)
    if budget is not None and call.eps is not None:
        arguments[budget] = call.eps
        if "alpha" in usual:  # their step, published for their eps
            arguments["alpha"] = usual["alpha"] * call.eps / usual[budget]
    attack = made_by(call.classifier, **arguments)
    attack.set_device(call.images.device)
    if call.targets is not None:
        if "targeted" not in attack.supported_mode:
            raise _not_targeted(chosen)
        attack.set_mode_targeted_by_label(quiet=True)
    found: Tensor = attack(call.images, call.labels if call.targets is None else call.targets)
    return found


def _torchattacks_budget(made_by: Any) -> str | None:
    return next((name for name in ("eps", "max_epsilon") if _takes(made_by, name)), None)


def _torchattacks_norm(made_by: Any) -> str | None:
    """Return the first norm that the docstring names, as all of theirs do: it is the default."""
    if _torchattacks_budget(made_by) is None:
        return None
    named = re.search(r"Distance Measure\s*:\s*L(\w+)", made_by.__doc__ or "")
    order = named[1] if named else "inf"
    return "L∞" if order == "inf" else f"L{order}"


_Runner = Callable[[LibraryAttack, _Call], Tensor]
_RUNNERS: dict[str, _Runner] = {"foolbox": _foolbox, "torchattacks": _torchattacks}
_NORMS = {"foolbox": _foolbox_norm, "torchattacks": _torchattacks_norm}
