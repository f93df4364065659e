"""Imports by name: a room's names when they are first used, and functions that users bring along."""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from physadv.errors import PhysadvError, first_line

OWN = "python:"
"""How the name of a function of the user's own begins: python:module:function."""
OWN_ERRORS = (Exception, SystemExit)
"""What the user's own code can raise: anything, and it can call `sys.exit`."""


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package whose names are imported when they are first used.

    The names are those that the package's `__init__` imports under `if TYPE_CHECKING:`. Readers and type
    checkers see ordinary imports, and importing the package costs no torch.
    """
    module = sys.modules[package]
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    places = {alias.name: str(node.module) for node in imports for alias in node.names}

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(places[name]), name)
        setattr(module, name, found)
        return found

    return get, lambda: sorted({*vars(module), *places})


@contextmanager
def importable_here() -> Iterator[None]:
    """Let imports find modules of the current folder, as `python -m` does; a console script does not."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(here)


def own_function(kind: str, spec: str, error: type[PhysadvError]) -> Callable[..., Any]:
    """Return the function that `python:module:function` names; the module may be in the current folder.

    Importing the module runs it. `error` is raised, in one line that begins with `kind` ("model"), for a spec
    of another form and when the import fails.
    """
    module, function = _parts(kind, spec, error)
    try:
        with importable_here():
            found: Callable[..., Any] = getattr(import_module(module), function)
    except OWN_ERRORS as fault:
        raise error(f"{kind} '{spec}': {type(fault).__name__}: {first_line(fault)}") from fault
    return found


def own_source(kind: str, spec: str, error: type[PhysadvError]) -> Path:
    """Return the file of the module that `python:module:function` names, which is found but not run.

    Arguments and errors as `own_function`.
    """
    module, _ = _parts(kind, spec, error)
    try:
        with importable_here():
            found = find_spec(module)
    except OWN_ERRORS as fault:  # the packages around it are run
        raise error(f"{kind} '{spec}': {first_line(fault)}") from fault
    if found is None or not found.has_location or found.origin is None:
        raise error(f"{kind} '{spec}': no module {module} here or among the installed packages")
    return Path(found.origin)


def _parts(kind: str, spec: str, error: type[PhysadvError]) -> tuple[str, str]:
    module, colon, function = spec.removeprefix(OWN).partition(":")
    if module.endswith(".py"):
        raise error(f"{kind} '{spec}': wanted the module's name, python:{module[:-3]}:{function}")
    if not (module and colon and function):
        raise error(f"{kind} '{spec}': wanted python:module:function")
    return module, function
