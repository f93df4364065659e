"""Tables for a terminal: what `destruction-rate` and `list` print."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions
from rich.table import Table

from physadv.errors import PhysadvError, unknown_name
from physadv.evaluation.destruction import Row
from physadv.evaluation.wording import interval, number
from physadv.stages.measure import Measurement

if TYPE_CHECKING:
    from physadv.attacks import Recipe


def show_table(measurement: Measurement) -> None:
    """Print a measurement's table, what was discarded, and whether the photos were simulated."""
    manifest = measurement.manifest
    title = f"{manifest.name}: {manifest.attack.name}, {manifest.attack.budget}, {measurement.classifier}"
    shown = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))
    for heading in ("channel", "case", "top"):
        shown.add_column(heading)
    for heading in ("destroyed % (95 %)", "n", "pairs", "clean right %", "adv. right %"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for channel, rows in measurement.channels.items():
        before = ""
        for row in rows:
            name = measurement.channel_name(channel) if row is rows[0] else ""
            shown.add_row(name, row.case if row.case != before else "", str(row.top), *_cells(row))
            before = row.case
    console = _console(shown)
    console.print(shown)
    console.print("destroyed: destruction rate, Kurakin et al. 2017, eq. 1; right: before → after")
    for line in _discarded(measurement):
        console.print(line, soft_wrap=True)


def _cells(row: Row) -> list[str]:
    rate = row.destruction_rate
    return [
        f"{number(rate)} ({interval(rate)})" if rate.n else number(rate),
        str(rate.n),
        str(rate.pairs),
        f"{number(row.clean_before)} → {number(row.clean_after)}",
        f"{number(row.adversarial_before)} → {number(row.adversarial_after)}",
    ]


def _console(table: Table) -> Console:
    """Return a console for a table: the terminal's own width, or all the table wants where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, console.measure(table, options=_unbounded(console)).maximum)
    return console


def _unbounded(console: Console) -> ConsoleOptions:
    return console.options.update(max_width=1000)


def _discarded(measurement: Measurement) -> list[str]:
    lines = []
    refused = [photo for photo in measurement.photos if photo.status == "refused"]
    cells = [crop for crop in measurement.crops if crop.path is None]
    if refused or cells:
        lines.append(f"discarded: {len(refused)} photos, {len(cells)} cells of the others")
        lines += [f"  {photo.name}: {photo.reason}" for photo in refused]
        lines += [f"  {cell.photo}: {cell.example}: {cell.reason}" for cell in cells]
    for channel in measurement.channels:
        missing = measurement.missing(channel)
        if missing:
            lines.append(f"{channel}: {len(missing)} pairs not measured: {', '.join(missing)}")
    return lines


def show_list(what: str) -> None:
    """Print what can be named: models, attacks, transforms, presets or phones.

    Raises:
        PhysadvError: `what` is none of these.
    """
    if what not in _LISTS:
        raise PhysadvError(unknown_name("list", what, _LISTS))
    headings, rows = _LISTS[what]()
    shown = Table(*headings, box=box.SIMPLE_HEAD)
    for row in rows:
        shown.add_row(*row)
    _console(shown).print(shown)


def _models() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.classifiers import list_models

    return ["--model", "what it is"], list(list_models())


def _attacks() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.attacks import RECIPES
    from physadv.attacks.adapters import LIBRARIES

    rows: list[tuple[str, ...]] = [
        (r.name, r.norm, _usual_budget(r), r.description, r.defaults, r.paper) for r in RECIPES.values()
    ]
    borrowed = ("any attack of that library", "the library's own", "")
    rows += [(f"{library}:CLASS", "its own", "where it takes one", *borrowed) for library in LIBRARIES]
    return ["--attack", "norm", "budget", "what it does", "defaults", "paper"], rows


def _usual_budget(recipe: "Recipe") -> str:
    if recipe.eps is not None:
        return f"eps {recipe.eps}"
    return "no eps" if recipe.area is None else f"area {recipe.area:g}, no eps"


def _transforms() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.transforms import DIGITAL_TRANSFORMS

    rows: list[tuple[str, ...]] = [
        (f"{kind.name}=NUMBER", kind.unit, f"{kind.low:g} to {kind.high:g}", kind.source)
        for kind in DIGITAL_TRANSFORMS.values()
    ]
    return ["--transform", "number", "range", "source"], rows


def _presets() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.transforms import PRESETS

    return ["--transforms", "source"], [(preset.name, preset.source) for preset in PRESETS.values()]


def _phones() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.capture.phone import PRESETS

    rows: list[tuple[str, ...]] = [(p.name, p.description, p.assumptions) for p in PRESETS.values()]
    return ["--preset", "simulated photos of", "assumed"], rows


_LISTS: dict[str, Callable[[], tuple[list[str], list[tuple[str, ...]]]]] = {
    "models": _models,
    "attacks": _attacks,
    "transforms": _transforms,
    "presets": _presets,
    "phones": _phones,
}
