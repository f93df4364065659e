"""What an attack is made of: its paper, its budget and its numbers. No torch is imported until it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from physadv.attacks.errors import AttackError
from physadv.importing import OWN

LIBRARIES = ("foolbox", "torchattacks")
"""Optional packages whose attacks can be named as LIBRARY:CLASS."""

Nps = Literal["product", "minimum"]
"""Forms of the non-printability score, of RP2's eq. 3 and of Thys et al. 2019."""
Unit = Literal["levels", "values", "eps", "eps/steps", "range"]


def kurakin_iterations(eps: int) -> int:
    """Return min(eps + 4, ⌈1.25·eps⌉) for eps in 8-bit levels (Kurakin et al. 2017, section 2.2).

    Example:
        >>> kurakin_iterations(16)
        20
    """
    return min(eps + 4, -(-5 * eps // 4))


@dataclass(frozen=True)
class Recipe:
    """A named attack and its numbers.

    Attributes:
        name: name as `--attack` takes it.
        paper: where the attack was published.
        norm: norm of its budget, or of what it keeps small.
        description: what it does, in one line.
        function: "module:function" in `physadv.attacks`, LIBRARY:CLASS, or python:module:function.
        steps: number of steps; None for `kurakin_iterations` of eps, or where a library decides.
        step: size of one step, in `unit`; 0 where a library or the user's function decides.
        unit: unit of `step`: 8-bit levels, the variable's own values, eps, eps over the number of steps, or
            the pixel range.
        parameters: further numbers of the method, by the names of the function's arguments.
        eps: usual budget in 8-bit levels; None for an attack without one.
        area: usual share of the picture that it covers; None for an attack without one.
        chooser: function that chooses the classes it steers to; None for an attack that takes targets.
        transforms: name of the EOT preset it is made for.
        samples: draws of the preset per image and step.
        library: optional package that it comes from.
        source_sha256: hash of the file that an attack of the user's own is in.
    """

    name: str
    paper: str
    norm: str
    description: str
    function: str
    steps: int | None = None
    step: float = 0.0
    unit: Unit = "levels"
    parameters: Mapping[str, float] = field(default_factory=dict)
    eps: int | None = None
    area: float | None = None
    chooser: str | None = None
    transforms: str = "identity"
    samples: int = 1
    library: str | None = None
    source_sha256: str | None = None

    @property
    def run(self) -> Callable[..., Any]:
        """Return the function: (classifier, images, labels, **budget, **options) → adversarial images.

        Raises:
            AttackError: an attack of the user's own cannot be imported.
        """
        if self.function.startswith(OWN):
            from physadv.attacks.own import OwnAttack

            return OwnAttack.load(self.function)
        place, _, name = self.function.partition(":")
        if place in LIBRARIES:
            from physadv.attacks.libraries import LibraryAttack

            return LibraryAttack(place, name)
        return _function(self.function)

    @property
    def outside(self) -> bool:
        """Return whether its code is a library's or the user's own, which need not take gradients."""
        return self.library is not None or self.source_sha256 is not None

    def check_available(self) -> None:
        """Check that its library is installed, or that the user's own function can be imported.

        Raises:
            AttackError: it is not.
        """
        if self.library is not None and find_spec(self.library) is None:
            raise library_missing(self.library)
        if self.source_sha256 is not None:
            _ = self.run

    @property
    def target(self) -> Callable[..., Any] | None:
        """Return (classifier, clean images) → the classes it steers to, where it chooses its own."""
        return None if self.chooser is None else _function(self.chooser)

    def steps_for(self, eps: int = 0) -> int:
        """Return the published number of steps for eps in 8-bit levels."""
        return kurakin_iterations(eps) if self.steps is None else self.steps

    def step_size(self, eps: float = 0, steps: int = 1) -> float:
        """Return the size of one of `steps` steps, in 8-bit levels or the variable's own values.

        Args:
            eps: budget in 8-bit levels.
            steps: number of steps that are taken.
        """
        scale = {"levels": 1, "values": 1, "eps": eps, "eps/steps": eps / steps, "range": 255}[self.unit]
        return self.step * scale

    @property
    def defaults(self) -> str:
        """Return its numbers in words, such as "100 steps of eps/40, decay 0.9, 8 samples of print-photo"."""
        if not self.step:
            return "the library's own" if self.library else "the function's own"
        steps = "min(eps + 4, ⌈1.25 eps⌉)" if self.steps is None else f"{self.steps:,}"
        words = [f"{steps} step{'s' * (self.steps != 1)} of {self._step_in_words()}"]
        words += [f"{name.replace('_', ' ')} {value:g}" for name, value in self.parameters.items()]
        if self.transforms != "identity":
            words.append(f"{self.samples} samples of {self.transforms}")
        elif self.samples > 1:
            words.append(f"{self.samples} samples")
        return ", ".join(words)

    @property
    def usual_budget(self) -> str:
        """Return its usual budget in words, such as "eps 16" or "area 0.1, no eps"."""
        if self.eps is not None:
            return f"eps {self.eps}"
        return "no eps" if self.area is None else f"area {self.area:g}, no eps"

    def _step_in_words(self) -> str:
        if self.unit in ("eps", "eps/steps"):
            parts = (1 if self.unit == "eps" else self.steps or 1) / self.step
            return "eps" if parts == 1 else f"eps/{parts:g}"
        units = {"levels": f" level{'s' * (self.step != 1)}", "range": " of the pixel range"}
        return f"{self.step:g}{units.get(self.unit, '')}"

    def budget(self, eps: int | None, area: float | None) -> dict[str, float]:
        """Return the budget as `run` takes it: `eps` as a fraction of the pixel range, or `area`.

        Args:
            eps: 8-bit levels; the usual number without it.
            area: share of the picture; the usual share without it.

        Raises:
            AttackError: one is out of its range, or the attack has no such budget.

        Example:
            >>> from physadv.attacks import find_recipe
            >>> find_recipe("patch").budget(eps=None, area=0.05)
            {'area': 0.05}
        """
        budget = {}
        for name, given, usual in (("eps", eps, self.eps), ("area", area, self.area)):
            if usual is not None:
                budget[name] = usual if given is None else given
            elif given is not None:
                raise AttackError(f"{name} {given:g}: {self.name} takes no {name}; leave it out")
        if "eps" in budget:
            self._check_eps(budget["eps"])
            budget["eps"] /= 255
        return budget

    def _check_eps(self, eps: float) -> None:
        wanted = f"eps {eps}: wanted a whole number of 8-bit levels"
        if self.norm == "L∞" and not 1 <= eps <= 255:
            raise AttackError(f"{wanted} from 1 to 255")
        if eps < 1:
            raise AttackError(f"{wanted}, 1 or more, in {self.norm}")


def library_missing(library: str) -> AttackError:
    """Return the error that says how to install an optional library."""
    return AttackError(f"this attack needs {library}: pip install 'physadv[{library}]'")


def _function(place: str) -> Callable[..., Any]:
    module, _, function = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"physadv.attacks.{module}"), function)
    return found
