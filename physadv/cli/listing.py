"""What can be named on the command line, as tables for a terminal; rooms are imported when listed."""

from collections.abc import Callable

from physadv.errors import PhysadvError, unknown_name
from physadv.report.table import show, words_table


def show_list(what: str) -> None:
    """Print what can be named: models, attacks, transforms, presets, phones, printers, channels or sweeps.

    Raises:
        PhysadvError: `what` is none of these.
    """
    if what not in _LISTS:
        raise PhysadvError(unknown_name("list", what, _LISTS))
    for of_table in _LISTS[what]:
        show(words_table("", *of_table()))


def _models() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.classifiers import list_models

    return ["--model", "what it is"], list(list_models())


def _attacks() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.attacks.recipes import LIBRARIES, RECIPES, USUAL_EPS
    from physadv.importing import OWN

    rows: list[tuple[str, ...]] = [
        (r.name, r.norm, r.usual_budget, r.description, r.defaults, r.paper) for r in RECIPES.values()
    ]
    theirs = ("any attack of that library", "the library's own", "")
    rows += [(f"{library}:CLASS", "its own", "where it takes one", *theirs) for library in LIBRARIES]
    own = "your f(classifier, images, labels, *, eps, generator) -> images"
    rows.append((f"{OWN}module:function", "L∞", f"eps {USUAL_EPS['L∞']}", own, "the function's own", ""))
    return ["--attack", "norm", "budget", "what it does", "defaults", "paper"], rows


def _transforms() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.transforms.digital import AXES, DIGITAL_TRANSFORMS, NAME, SOURCE

    rows: list[tuple[str, ...]] = [
        (f"{kind.name}=NUMBER", kind.unit, f"{kind.low:g} to {kind.high:g}", kind.source)
        for kind in DIGITAL_TRANSFORMS.values()
    ]
    rows += [
        (f"{NAME}={name}:NUMBER", axis.unit, f"{axis.low:g} to {axis.high:g}", SOURCE)
        for name, axis in AXES.items()
    ]
    return ["--transform", "number", "range", "source"], rows


def _sweeps() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.transforms.sweeps import SWEEPS

    return ["--sweep", "the same as"], [(name, " ".join(texts)) for name, texts in SWEEPS.items()]


def _presets() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.transforms.presets import PRESETS

    return ["--transforms", "source"], [(preset.name, preset.source) for preset in PRESETS.values()]


def _phones() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.phone.presets import DEVICES, KINDS, count_kinds

    rows: list[tuple[str, ...]] = []
    for device in DEVICES.values():
        counts = count_kinds(device.sources)
        numbers = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
        rows.append((device.name, device.description, numbers))
    return ["--phone", "is like", "its numbers"], rows


def _situations() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.phone.presets import PHONES

    rows: list[tuple[str, ...]] = [
        (preset.name, preset.description, preset.assumptions, preset.device or "")
        for preset in PHONES.values()
    ]
    return ["--preset", "simulated photos of", "assumed", "--phone"], rows


def _printers() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.phone.printers import PRINTERS

    rows: list[tuple[str, ...]] = [
        (name, named.sources["press"].partition(":")[0], named.description)
        for name, named in PRINTERS.items()
    ]
    return ["--printer", "colours", "what it is like"], rows


def _channels() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.phone.presets import CHANNELS

    rows: list[tuple[str, ...]] = [(name, *channel) for name, channel in CHANNELS.items()]
    return ["channel", "--preset", "--phone", "--printer"], rows


_LISTS: dict[str, tuple[Callable[[], tuple[list[str], list[tuple[str, ...]]]], ...]] = {
    "models": (_models,),
    "attacks": (_attacks,),
    "transforms": (_transforms,),
    "presets": (_presets,),
    "phones": (_phones, _situations),
    "printers": (_printers,),
    "channels": (_channels,),
    "sweeps": (_sweeps,),
}
