"""Models that torchvision and timm publish, read from their installed files: importing them costs seconds."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Published:
    """The weights that torchvision publishes for one architecture.

    Attributes:
        default: name of the registered default.
        others: names of the others.
        top1: ImageNet top-1 accuracy of the default in per cent, None where its file states none.
    """

    default: str
    others: tuple[str, ...]
    top1: float | None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all weights, the default first."""
        return (self.default, *self.others)


@cache
def torchvision_models(part: str = "") -> Mapping[str, Published]:
    """Return name → weights of every torchvision classifier, or with `part` "detection" of every detector.

    >>> torchvision_models()["mobilenet_v2"]
    Published(default='IMAGENET1K_V2', others=('IMAGENET1K_V1',), top1=72.154)
    """
    weights: dict[str, Published] = {}
    classes: dict[str, str] = {}
    for path in _model_files("torchvision", part):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "WeightsEnum" in map(ast.unparse, node.bases):
                weights[node.name] = _published(node)
            elif isinstance(node, ast.FunctionDef) and _registered(node):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                (taken,) = (ast.unparse(each) for each in arguments if each.arg == "weights")
                classes[node.name] = re.findall(r"\w+_Weights", taken)[0]
    return {name: weights[classes[name]] for name in sorted(classes)}


@cache
def timm_architectures() -> frozenset[str]:
    """Return the names of timm's architectures, empty where timm is not installed."""
    names: set[str] = set()
    for path in _model_files("timm"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r"^@register_model\b[^\n]*\n(?:[#@][^\n]*\n)*def (\w+)", text, re.MULTILINE))
        for former in re.findall(r"register_model_deprecations\(__name__, \{(.*?)\}\)", text, re.DOTALL):
            names.update(re.findall(r"'(\w+)[\w.]*'\s*:", former))
    return frozenset(names)


def _model_files(library: str, part: str = "") -> Iterator[Path]:
    """Yield the files of a library's folder `models`, or of a folder in it, without importing the library."""
    found = find_spec(library)
    if found is not None and found.origin is not None:
        yield from sorted((Path(found.origin).parent / "models" / part).glob("*.py"))


def _registered(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(each).startswith("register_model(") for each in function.decorator_list)


def _published(weights: ast.ClassDef) -> Published:
    """Return what a class of torchvision's weights lists: NAME = Weights(…) and DEFAULT = NAME."""
    assigned = {
        target.id: node.value
        for node in weights.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    default = ast.unparse(assigned.pop("DEFAULT"))
    accuracy = re.search(r"'acc@1': ([0-9.]+)", ast.unparse(assigned[default]))
    others = tuple(name for name in assigned if name != default)
    return Published(default, others, float(accuracy[1]) if accuracy else None)
