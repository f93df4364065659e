"""The specs that `--model` and `--detector` take, checked before anything heavy is imported.

What torchvision and timm publish is read from their installed files: importing them costs seconds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple
from zipfile import BadZipFile, ZipFile

from physadv.classifiers.errors import ClassifierError
from physadv.errors import reading, unknown_name
from physadv.importing import OWN, own_source

Kind = Literal["signs", "torchvision", "timm", "file", "python"]

_LABELS = Path(__file__).with_name("weights") / "signs.txt"
SIGN_LABELS = tuple(_LABELS.read_text(encoding="utf-8").splitlines())
"""The 43 classes of the GTSRB (Stallkamp et al. 2012), in its official order, which is the logits' order."""
_FORMS = (
    ("signs", "bundled: the 43 traffic signs of GTSRB"),
    ("signs-hardened", "bundled: the same network, adversarially trained against stickers"),
    ("signs@PATH", "the same network with your weights, such as 'physadv harden' writes"),
    ("file:PATH", "a torch.export program (.pt2), preprocessing inside: code, so name only what you trust"),
    ("torchvision/NAME@PATH", "a torchvision architecture with your state dict"),
    ("timm/NAME", "any pretrained model of timm (optional extra); timm/NAME@PATH with your state dict"),
    ("python:module:function", "a function of yours that returns a torch module"),
)
_FOREIGN = {
    ".h5": "a Keras model",
    ".keras": "a Keras model",
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite model",
}
"""What files are that torch does not read, by suffix."""
PRECISIONS = ("bfloat16", "float32")


class Published(NamedTuple):
    """Names of the weights that torchvision publishes, the default first, and its ImageNet top-1 in %."""

    names: tuple[str, ...]
    top1: float | None


@dataclass(frozen=True)
class Spec:
    """The parts of a spec; `name` is an architecture, `path` a file with its weights or with the program."""

    text: str
    kind: Kind
    name: str = ""
    weights: str = ""
    path: Path | None = None


def runs_code(spec: str) -> bool:
    """Return whether loading a classifier runs code that comes with it: a function or a program.

    >>> runs_code("python:mine:load"), runs_code("signs@mine.safetensors")
    (True, False)
    """
    return spec.startswith((OWN, "file:"))


def list_models() -> list[tuple[str, str]]:
    """Return (spec, description) of every published classifier, and of the forms for your own.

    >>> dict(list_models())["signs"]
    'bundled: the 43 traffic signs of GTSRB'
    """
    return [*_FORMS, *((f"torchvision/{name}", _described(w)) for name, w in torchvision_models().items())]


def check_spec(spec: str, labels: Path | None = None, precision: str = "float32") -> Spec:
    """Return the parts of a classifier's spec, after every check of names and files that needs no torch.

    The spec is one of `load_classifier`'s, `labels` the text file of class names, if there is one, and the
    precision `float32` or `bfloat16`.

    Raises:
        ClassifierError: the spec, a name in it or the precision is unknown, a library is not installed, or a
            file is missing.

    >>> check_spec("torchvision/resnet18:IMAGENET1K_V1").name
    'resnet18'
    >>> check_spec("file:absent.pt2")
    Traceback (most recent call last):
    physadv.classifiers.errors.ClassifierError: absent.pt2: no such torch.export program
    """
    if labels is not None:
        read_label_file(labels)
    if precision not in PRECISIONS:
        raise ClassifierError(unknown_name("precision", precision, PRECISIONS))
    if not isinstance(spec, str):
        raise ClassifierError(f"model is a {type(spec).__name__}; wanted a name, such as 'signs'")
    if spec in ("signs", "signs-hardened"):
        return Spec(spec, "signs")
    if spec.startswith("signs@"):
        return Spec(spec, "signs", path=_weights_file(spec.removeprefix("signs@")))
    if spec.startswith("file:"):
        path = Path(spec.removeprefix("file:")).expanduser()
        _check_program(path)
        return Spec(spec, "file", path=existing_file(path, "torch.export program"))
    if spec.startswith(OWN):
        own_source("model", spec, ClassifierError)
        return Spec(spec, "python")
    library, slash, rest = spec.partition("/")
    if slash and library == "torchvision":
        return _torchvision(spec, rest, torchvision_models(), "torchvision model")
    if slash and library == "timm":
        return _timm(spec, rest)
    _check_program(Path(spec))
    own = [f"file:{spec}"] if spec.endswith(".pt2") else []
    known = [*own, *(form for form, _ in _FORMS), *(f"torchvision/{name}" for name in torchvision_models())]
    raise ClassifierError(unknown_name("model", spec, known))


def check_detector(spec: str) -> Spec:
    """Return the parts of a detector's spec: `torchvision/NAME[:WEIGHTS]` or `torchvision/NAME@PATH`.

    An unknown name or a missing file of weights raises ClassifierError.
    """
    models = torchvision_models("detection")
    library, _, rest = spec.partition("/")
    if library != "torchvision" or rest.partition("@")[0].partition(":")[0] not in models:
        raise ClassifierError(unknown_name("detector", spec, [f"torchvision/{name}" for name in models]))
    return _torchvision(spec, rest, models, "detector")


def existing_file(path: Path, kind: str) -> Path:
    """Return `path`, or raise ClassifierError: there is nothing, or something other than a regular file."""
    if not path.exists():
        raise ClassifierError(f"{path}: no such {kind}")
    if not path.is_file():
        raise ClassifierError(f"{path} is no file; wanted a {kind}")
    return path


def read_label_file(path: Path) -> list[str]:
    """Return the class names of a UTF-8 text file, one a line; another file raises ClassifierError."""
    existing_file(path, "label file")
    with reading(path, lambda _error: ClassifierError(f"{path} is no UTF-8 text file of class names")):
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().splitlines()]


def _described(weights: Published) -> str:
    accuracy = "" if weights.top1 is None else f", ImageNet top-1 {weights.top1:.1f} %"
    default, *others = weights.names
    return f"{default}{accuracy}" + (f"; also :{', :'.join(others)}" if others else "")


def _weights_file(text: str) -> Path:
    path = existing_file(Path(text).expanduser(), "weights file")
    if path.suffix == ".pt2":
        raise ClassifierError(f"{path} is a program, with its architecture, and no weights file: file:{path}")
    _check_torch(path)
    return path


def _check_program(path: Path) -> None:
    """Raise ClassifierError for a file that is there and no `.pt2`, in words for what it is."""
    if path.suffix != ".pt2" and path.is_file():
        _check_torch(path)
        raise ClassifierError(
            f"{path} is no .pt2 program; a state dict needs its architecture: torchvision/NAME@{path}"
        )


def _check_torch(path: Path) -> None:
    """Raise ClassifierError for a model of another framework, or a TorchScript program."""
    kind = _FOREIGN.get(path.suffix.lower())
    if kind is None and any(name.partition("/")[2].startswith("code/") for name in _members(path)):
        kind = "a TorchScript program"
    if kind is not None:
        way = "python:module:function names a function of yours that returns it as a torch module"
        raise ClassifierError(f"{path} is {kind}, which is not read; {way}")


def _members(path: Path) -> list[str]:
    """Return what a zip archive holds, nothing for another file or a damaged one: its reader says so."""
    try:
        with ZipFile(path) as archive:
            return archive.namelist()
    except (BadZipFile, NotImplementedError, ValueError, OSError):
        return []


def _torchvision(spec: str, rest: str, known: Mapping[str, Published], kind: str) -> Spec:
    named, at, path = rest.partition("@")
    name, _, weights = named.partition(":")
    if name not in known:
        raise ClassifierError(unknown_name(kind, name, known))
    if weights and weights not in known[name].names:
        raise ClassifierError(unknown_name(f"weights of {name}", weights, known[name].names))
    file = _weights_file(path) if at else None
    return Spec(spec, "torchvision", name, weights or known[name].names[0], file)


def _timm(spec: str, rest: str) -> Spec:
    name, at, path = rest.partition("@")
    if find_spec("timm") is None:
        raise ClassifierError(f"model '{spec}' needs timm: pip install 'physadv[timm]'")
    if name.partition(".")[0] not in timm_architectures():
        raise ClassifierError(unknown_name("timm model", name, timm_architectures()))
    return Spec(spec, "timm", name, path=_weights_file(path) if at else None)


_WEIGHTS = re.compile(r"^class (\w+)\(WeightsEnum\):\n((?:    .*\n|\n)+)", re.MULTILINE)
_MODEL = re.compile(
    r"^@register_model\(.*?^def (\w+)\(.*?\bweights: [^\n]*?(\w+_Weights)", re.MULTILINE | re.DOTALL
)
"""How torchvision's own files, which are formatted alike, write a class of weights and a registered model."""


@cache
def torchvision_models(part: str = "") -> Mapping[str, Published]:
    """Return name → weights of every torchvision classifier, or with `part` "detection" of every detector.

    >>> torchvision_models()["mobilenet_v2"]
    Published(names=('IMAGENET1K_V2', 'IMAGENET1K_V1'), top1=72.154)
    """
    weights: dict[str, Published] = {}
    classes: dict[str, str] = {}
    for path in _model_files("torchvision", part):
        text = path.read_text(encoding="utf-8")
        weights |= {name: _published(body) for name, body in _WEIGHTS.findall(text)}
        classes |= dict(_MODEL.findall(text))
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


def _published(weights: str) -> Published:
    """Return what a class of torchvision's weights lists: NAME = Weights(…) and DEFAULT = NAME."""
    texts = dict(re.findall(r"^    (\w+) = Weights\((.*?)^    \)$", weights, re.MULTILINE | re.DOTALL))
    (default,) = re.findall(r"^    DEFAULT = (\w+)$", weights, re.MULTILINE)
    accuracy = re.search(r'"acc@1": ([0-9.]+)', texts[default])
    others = [name for name in texts if name != default]
    return Published((default, *others), float(accuracy[1]) if accuracy else None)
