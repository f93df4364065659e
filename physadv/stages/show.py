"""Tables for a terminal: what `destruction-rate` and `list` print."""

from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.table import Table

from physadv.errors import PhysadvError, unknown_name
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Proportion
from physadv.stages.measure import PHOTO, Measurement


def percent(share: Proportion) -> str:
    """Return a share in percent, or "undefined" where there was nothing to count."""
    return "undefined" if share.value is None else f"{100 * share.value:.1f} %"


def with_interval(share: Proportion) -> str:
    """Return a share in percent with its 95 % interval."""
    if share.value is None or share.low is None or share.high is None:
        return "undefined"
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def show_table(measurement: Measurement) -> None:
    """Print a measurement's table, what was discarded, and whether the photos were simulated."""
    manifest = measurement.manifest
    console = Console(highlight=False, soft_wrap=True)
    channel_names = {PHOTO: "photo (simulated)" if measurement.simulated else "photo"}
    title = f"{manifest.name}: {manifest.attack.name}, eps {manifest.attack.eps}, {measurement.classifier}"
    shown = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("channel", "case", "top"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("destruction rate [95 %]", "n", "pairs", "clean right", "adversarial right"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for channel, rows in measurement.channels.items():
        for row in rows:
            shown.add_row(channel_names.get(channel, channel), row.case, str(row.top), *_cells(row))
    console.print(shown)
    console.print("clean right, adversarial right: share classified as the true label, before → after")
    for line in _discarded(measurement):
        console.print(line)


def _cells(row: Row) -> list[str]:
    rate = row.destruction_rate
    return [
        with_interval(rate),
        str(rate.n),
        str(rate.pairs),
        f"{percent(row.clean_before)} → {percent(row.clean_after)}",
        f"{percent(row.adversarial_before)} → {percent(row.adversarial_after)}",
    ]


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
    """Print what can be named: models, attacks, transforms or presets.

    Raises:
        PhysadvError: `what` is none of these.
    """
    if what not in _LISTS:
        raise PhysadvError(unknown_name("list", what, _LISTS))
    headings, rows = _LISTS[what]()
    shown = Table(*headings, box=box.SIMPLE_HEAD)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False, soft_wrap=True).print(shown)


def _models() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.classifiers import list_models

    return ["--model", "what it is"], list(list_models())


def _attacks() -> tuple[list[str], list[tuple[str, ...]]]:
    from physadv.attacks import RECIPES

    rows: list[tuple[str, ...]] = [
        (r.name, r.norm, r.description, r.defaults, r.paper) for r in RECIPES.values()
    ]
    return ["--attack", "norm", "what it does", "defaults", "paper"], rows


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


_LISTS: dict[str, Callable[[], tuple[list[str], list[tuple[str, ...]]]]] = {
    "models": _models,
    "attacks": _attacks,
    "transforms": _transforms,
    "presets": _presets,
}
