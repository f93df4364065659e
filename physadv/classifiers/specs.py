"""The specs that `--model` and `--detector` take, checked before anything heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from physadv.classifiers.errors import ClassifierError
from physadv.classifiers.published import Published, timm_architectures, torchvision_models
from physadv.errors import unknown_name
from physadv.importing import OWN, own_source

Kind = Literal["signs", "torchvision", "timm", "file", "python"]

_LABELS = Path(__file__).with_name("weights") / "signs.txt"
SIGN_LABELS = tuple(_LABELS.read_text(encoding="utf-8").splitlines())
"""The 43 classes of the GTSRB (Stallkamp et al. 2012), in its official order, which is the logits' order."""
_FORMS = (
    ("signs", "bundled: the 43 traffic signs of GTSRB"),
    ("signs-hardened", "bundled: the same network, adversarially trained against stickers"),
    ("signs@PATH", "the same network with your weights, such as 'physadv harden' writes"),
    ("file:PATH", "a torch.export program (.pt2), preprocessing inside"),
    ("torchvision/NAME@PATH", "a torchvision architecture with your state dict"),
    ("timm/NAME", "any pretrained model of timm (optional extra); timm/NAME@PATH with your state dict"),
    ("python:module:function", "a function of yours that returns a torch module"),
)
PRECISIONS = ("bfloat16", "float32")


@dataclass(frozen=True)
class Spec:
    """The parts of a spec.

    Attributes:
        text: the spec.
        kind: source of the network: the bundled one, a library, a program or a function.
        name: architecture in a library; empty for other kinds.
        weights: name of the published weights of torchvision; empty for other kinds.
        path: file with the weights or the program; None if the spec names none.
    """

    text: str
    kind: Kind
    name: str = ""
    weights: str = ""
    path: Path | None = None


def list_models() -> list[tuple[str, str]]:
    """Return (spec, description) of every published classifier, and of the forms for your own.

    >>> dict(list_models())["signs"]
    'bundled: the 43 traffic signs of GTSRB'
    """
    return [*_FORMS, *((f"torchvision/{name}", _described(w)) for name, w in torchvision_models().items())]


def check_spec(spec: str, labels: Path | None = None, precision: str = "float32") -> Spec:
    """Return the parts of a classifier's spec, after every check of names and files that needs no torch.

    Args:
        spec: a spec of `load_classifier`.
        labels: the text file of class names, if there is one.
        precision: `float32` or `bfloat16`.

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
    if spec in ("signs", "signs-hardened"):
        return Spec(spec, "signs")
    if spec.startswith("signs@"):
        return Spec(spec, "signs", path=_weights_file(spec.removeprefix("signs@")))
    if spec.startswith("file:"):
        path = Path(spec.removeprefix("file:")).expanduser()
        if path.suffix != ".pt2" and path.is_file():
            raise ClassifierError(
                f"{path} is no .pt2 program; a state dict needs its architecture: torchvision/NAME@{path}"
            )
        return Spec(spec, "file", path=existing_file(path, "torch.export program"))
    if spec.startswith(OWN):
        own_source("model", spec, ClassifierError)
        return Spec(spec, "python")
    library, slash, rest = spec.partition("/")
    if slash and library == "torchvision":
        return _torchvision(spec, rest, torchvision_models(), "torchvision model")
    if slash and library == "timm":
        return _timm(spec, rest)
    own = [f"file:{spec}"] if spec.endswith(".pt2") else []
    known = [*own, *(form for form, _ in _FORMS), *(f"torchvision/{name}" for name in torchvision_models())]
    raise ClassifierError(unknown_name("model", spec, known))


def check_detector(spec: str) -> Spec:
    """Return the parts of a detector's spec: `torchvision/NAME[:WEIGHTS]` or `torchvision/NAME@PATH`.

    Raises:
        ClassifierError: a name is unknown, or the file of weights is missing.
    """
    models = torchvision_models("detection")
    library, _, rest = spec.partition("/")
    if library != "torchvision" or rest.partition("@")[0].partition(":")[0] not in models:
        raise ClassifierError(unknown_name("detector", spec, [f"torchvision/{name}" for name in models]))
    return _torchvision(spec, rest, models, "detector")


def existing_file(path: Path, kind: str) -> Path:
    """Return `path` if it is a file.

    Raises:
        ClassifierError: there is nothing, or something other than a regular file.
    """
    if not path.exists():
        raise ClassifierError(f"{path}: no such {kind}")
    if not path.is_file():
        raise ClassifierError(f"{path} is no file; wanted a {kind}")
    return path


def read_label_file(path: Path) -> list[str]:
    """Return the class names of a UTF-8 text file, one a line.

    Raises:
        ClassifierError: the file is missing or not UTF-8 text.
    """
    existing_file(path, "label file")
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().splitlines()]
    except (UnicodeDecodeError, OSError) as error:
        raise ClassifierError(f"{path} is no UTF-8 text file of class names") from error


def _described(weights: Published) -> str:
    accuracy = "" if weights.top1 is None else f", ImageNet top-1 {weights.top1:.1f} %"
    others = f"; also :{', :'.join(weights.others)}" if weights.others else ""
    return f"{weights.default}{accuracy}{others}"


def _weights_file(text: str) -> Path:
    return existing_file(Path(text).expanduser(), "weights file")


def _torchvision(spec: str, rest: str, known: Mapping[str, Published], kind: str) -> Spec:
    named, at, path = rest.partition("@")
    name, _, weights = named.partition(":")
    if name not in known:
        raise ClassifierError(unknown_name(kind, name, known))
    if weights and weights not in known[name].names:
        raise ClassifierError(unknown_name(f"weights of {name}", weights, known[name].names))
    file = _weights_file(path) if at else None
    return Spec(spec, "torchvision", name, weights or known[name].default, file)


def _timm(spec: str, rest: str) -> Spec:
    name, at, path = rest.partition("@")
    if find_spec("timm") is None:
        raise ClassifierError(f"model '{spec}' needs timm: pip install 'physadv[timm]'")
    if name.partition(".")[0] not in timm_architectures():
        raise ClassifierError(unknown_name("timm model", name, timm_architectures()))
    return Spec(spec, "timm", name, path=_weights_file(path) if at else None)
