"""Every attack by name, with the numbers of `recipes.toml` that functions, command line and docs all read.

No torch is imported until an attack runs.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from physadv.attacks.errors import AttackError
from physadv.errors import unknown_name
from physadv.files import file_sha256
from physadv.importing import OWN, own_source

LIBRARIES = ("foolbox", "torchattacks")
"""Optional packages whose attacks can be named as LIBRARY:CLASS."""
LIBRARY_MISSING = "this attack needs {0}: pip install 'physadv[{0}]'"
USUAL_EPS = {"L∞": 16, "L2": 765, "L1": 3060}
"""Budgets in 8-bit levels: Kurakin et al. 2017's, 3.0 and 12.0 of the pixel range."""
Nps = Literal["product", "minimum"]
"""Forms of the non-printability score, of RP2's eq. 3 and of Thys et al. 2019."""
Unit = Literal["levels", "values", "eps", "eps/steps", "range"]


def kurakin_iterations(eps: int) -> int:
    """Return min(eps + 4, ⌈1.25·eps⌉) for eps in 8-bit levels (Kurakin et al. 2017, section 2.2)."""
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
        """Return (classifier, images, labels, **budget, **options) → images, or raise AttackError."""
        if self.function.startswith(OWN):
            from physadv.attacks.outside import own_attack

            return own_attack(self.function)
        place, _, name = self.function.partition(":")
        if place in LIBRARIES:
            from physadv.attacks.outside import LibraryAttack

            return LibraryAttack(place, name)
        return _function(self.function)

    @property
    def outside(self) -> bool:
        """Return whether its code is a library's or the user's own, which need not take gradients."""
        return self.library is not None or self.source_sha256 is not None

    def check_available(self) -> None:
        """Raise AttackError if its library is not installed or the user's own function not importable."""
        if self.library is not None and find_spec(self.library) is None:
            raise AttackError(LIBRARY_MISSING.format(self.library))
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
        """Return the size of one of `steps` steps, in levels or the variable's values; eps is in levels."""
        scale = {"levels": 1, "values": 1, "eps": eps, "eps/steps": eps / steps, "range": 255}[self.unit]
        return self.step * scale

    @property
    def defaults(self) -> str:
        """Return its numbers in words, such as "100 steps of eps/40, decay 0.9, 8 samples of print-photo"."""
        if not self.step:
            return "the library's own" if self.library else "the function's own"
        steps = "min(eps + 4, ⌈1.25 eps⌉)" if self.steps is None else f"{self.steps:,}"
        if self.unit in ("eps", "eps/steps"):
            parts = (1 if self.unit == "eps" else self.steps or 1) / self.step
            size = "eps" if parts == 1 else f"eps/{parts:g}"
        else:
            units = {"levels": f" level{'s' * (self.step != 1)}", "range": " of the pixel range"}
            size = f"{self.step:g}{units.get(self.unit, '')}"
        words = [f"{steps} step{'s' * (self.steps != 1)} of {size}"]
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

    def budget(self, eps: int | None, area: float | None) -> dict[str, float]:
        """Return the budget as `run` takes it: `eps` as a fraction of the pixel range, or `area`.

        The arguments are 8-bit levels and a share of the picture; without them the usual ones hold.

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
            wanted = f"eps {budget['eps']}: wanted a whole number of 8-bit levels"
            if self.norm == "L∞" and not 1 <= budget["eps"] <= 255:
                raise AttackError(f"{wanted} from 1 to 255")
            if budget["eps"] < 1:
                raise AttackError(f"{wanted}, 1 or more, in {self.norm}")
            budget["eps"] /= 255
        return budget


def read_recipes(text: str) -> dict[str, Recipe]:
    """Return the recipes of a TOML text by name: one table an attack, its keys the attributes of `Recipe`."""
    return {name: Recipe(name, **numbers) for name, numbers in tomllib.loads(text).items()}


RECIPES = read_recipes(Path(__file__).with_name("recipes.toml").read_text(encoding="utf-8"))


def find_recipe(name: str) -> Recipe:
    """Return the attack called `name`.

    Args:
        name: one of `RECIPES`; `foolbox:CLASS` or `torchattacks:CLASS`; or `python:module:function`, a
            function of the user's own as `own_attack` describes it.

    Raises:
        AttackError: there is no such attack (the line names the nearest), its library is not installed, or
            there is no such module.

    Example:
        >>> find_recipe("eot").defaults
        '100 steps of eps/40, decay 0.9, 8 samples of print-photo'
    """
    if not isinstance(name, str):
        raise AttackError(f"attack {name!r}; wanted a name, such as eot")
    if name.startswith(OWN):
        digest, eps = file_sha256(own_source("attack", name, AttackError)), USUAL_EPS["L∞"]
        words = "your own", "L∞", "a function of your own"
        return Recipe(name, *words, function=name, eps=eps, source_sha256=digest)
    library, colon, attack = name.partition(":")
    if colon and library in LIBRARIES:
        from physadv.attacks.outside import LibraryAttack

        norm = LibraryAttack(library, attack).norm()
        words = f"the {library} library", norm or "its own", f"{attack} of {library}"
        return Recipe(name, *words, function=name, eps=USUAL_EPS.get(norm or ""), library=library)
    if name not in RECIPES:
        forms = [*(f"{library}:CLASS" for library in LIBRARIES), f"{OWN}module:function"]
        own = f"; a function of your own is {OWN}{name}" if library and attack else ""
        raise AttackError(unknown_name("attack", name, [*RECIPES, *forms]) + own)
    return RECIPES[name]


def _function(place: str) -> Callable[..., Any]:
    module, _, function = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"physadv.attacks.{module}"), function)
    return found
