"""The page of the cross-device matrix: a heat map, its table, rows over devices, and paired tests."""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from physadv.evaluation.comparisons import Comparison, compare_paired, corrected
from physadv.evaluation.intervals import Estimate, counted, share
from physadv.evaluation.outcomes import TOPS
from physadv.files import replacing
from physadv.report.figures import heat_map
from physadv.report.result_tables import TESTS
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph, percent
from reproductions.cells import Way
from reproductions.devices import COMMAND, SITUATION
from reproductions.devices.study import CLASSICS, EOT, EPS, EVERY, OTHERS, Settings, for_device
from reproductions.frozen import frozen_commit
from reproductions.together import Pictured, destroyed, shared, sheets_of

NAME = "devices"
OWN, ANOTHER = "eot for it", "eot for another device"
Found = Mapping[str, Mapping[str, Sequence[Pictured]]]
"""Device → row → its images in their photos there."""
Views = dict[tuple[Hashable, ...], bool]
"""Device, the row's own name, pair and seed of a view that counts → whether the example was destroyed."""
FAMILY = ((OWN, EOT), (OWN, ANOTHER), (OTHERS, OWN), (OTHERS, EOT), (OTHERS, "mim"), (OTHERS, "fast"))
"""Comparisons over all devices, chosen before anything was photographed."""


def matrix_rows(devices: Sequence[str]) -> list[str]:
    """Return the rows of the matrix from the top."""
    return [*CLASSICS, EOT, *map(for_device, devices), EVERY, OTHERS]


def summary_rows() -> tuple[str, ...]:
    """Return the rows that are shown over all devices."""
    return (*CLASSICS, EOT, OWN, ANOTHER, OTHERS, EVERY)


def names_on(row: str, device: str, devices: Sequence[str]) -> list[str]:
    """Return the rows of the matrix that a row over devices stands for on one of them."""
    if row == ANOTHER:
        return [for_device(other) for other in devices if other != device]
    return [for_device(device) if row == OWN else row]


def views(found: Found, row: str, top: int, *, clean_survives: bool = False) -> Views:
    """Return all views of a row over devices that equation 1 counts."""
    return {
        (device, name, pair, seed): lost
        for device, rows in found.items()
        for name in names_on(row, device, list(found))
        for (pair, seed), lost in destroyed(rows[name], top, clean_survives=clean_survives).items()
    }


def over_devices(seen: Views) -> Estimate:
    """Return the share of views; its interval counts devices, and pairs, which all devices share."""
    return share(list(seen.values()), [view[0] for view in seen], [view[2] for view in seen])


def cell(found: Found, device: str, row: str, top: int) -> Estimate:
    """Return the destruction rate of a row on a device; its interval counts pairs and photos."""
    pictured = found[device][row]
    return shared(destroyed(pictured, top), sheets_of(pictured))


def clean_right(found: Found, device: str) -> Estimate:
    """Return the share of clean pictures that are right in the photos of a device."""
    pictured = next(iter(found[device].values()))
    trials = {
        trial: clean.right(each.outcome.label, 1) for each in pictured for trial, clean, _ in each.views()
    }
    return shared(trials, sheets_of(pictured))


def compare(found: Found, top: int = 1) -> list[Comparison]:
    """Return the tests of `FAMILY`: on the views that count for both, pairs of one sheet together."""
    sheet_of = sheets_of(next(iter(next(iter(found.values())).values())))
    tests = []
    for first, second in FAMILY:
        one, other = views(found, first, top), views(found, second, top)
        # One row stands beside several of the other: each of these has its own view beside it.
        places = [
            ((device, a, pair, seed), (device, b, pair, seed))
            for device in found
            for a in names_on(first, device, list(found))
            for b in names_on(second, device, list(found))
            for pair, seed in {view[2:] for view in one if view[:2] == (device, a)}
        ]
        common = [
            (mine, theirs) for mine, theirs in sorted(places, key=str) if mine in one and theirs in other
        ]
        pairs = [mine[2] for mine, _ in common]
        by_pair = {
            first: counted([one[mine] for mine, _ in common], pairs),
            second: counted([other[theirs] for _, theirs in common], pairs),
        }
        tests += compare_paired(by_pair, together=sheet_of)
    return corrected(tests)


def write(
    out: Path, settings: Settings, devices: Mapping[str, Way], found: Found, command: str = COMMAND
) -> list[Path]:
    """Write page, numbers and heat map, and return the files."""
    tests = compare(found)
    figure = heat_map(
        NAME,
        "Destroyed, per cent, top-1",
        "",
        ("made for", matrix_rows(list(found))),
        ("judged on device", [*found, "all"]),
        {(row, device): each for row, device, each in _cells(found)},
    )
    texts = {
        f"{NAME}.md": "\n".join(_page(settings, devices, found, tests, command, figure.alt)),
        f"{NAME}.json": json.dumps(_details(settings, devices, found, tests), indent=1) + "\n",
    }
    for name, text in texts.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    figure.write(out / f"{NAME}.svg", "svg")
    return [out / f"{NAME}.{ending}" for ending in ("md", "json", "svg")]


def _cells(found: Found) -> Iterator[tuple[str, str, Estimate]]:
    for row in matrix_rows(list(found)):
        for device in found:
            yield row, device, cell(found, device, row, 1)
        yield row, "all", over_devices(views(found, row, 1))


def _page(
    settings: Settings,
    devices: Mapping[str, Way],
    found: Found,
    tests: Sequence[Comparison],
    command: str,
    alt: str,
) -> Iterator[str]:
    images = len(next(iter(found[next(iter(found))].values())))
    seeds = ", ".join(map(str, settings.seeds))
    yield from ("# Made for one device, judged on another", "", "## What no longer holds", "")
    yield paragraph(
        "Before this page every attack was judged on one virtual printer and phone, whose numbers were those "
        "that `print-photo` drew over: that `eot` lost next to nothing there says nothing of another device."
    )
    yield from ("", "## How it was measured", "")
    yield paragraph(
        f"**Everything here is simulated**: printers, phones, light and hands (frozen in commit "
        f"`{frozen_commit()}`, before any picture was judged); the images and the classifier are real. A "
        f"device is a virtual printer and a virtual phone; the situation is always `{SITUATION}`. These are "
        "half of the combinations of three printers and four phones, every printer twice:"
    )
    yield ""
    yield from (f"- **{name}**: printer `{way[2]}`, phone `{way[1]}`" for name, way in devices.items())
    yield ""
    yield paragraph(
        f"{images} ImageNet images at {settings.side} × {settings.side}, the first that "
        f"`{Path(settings.net).stem}` gets right, eps {EPS} for every attack. `{'`, `'.join(CLASSICS)}` take "
        f"their published steps and know of no device. Every `eot` takes {settings.steps} steps of "
        f"{settings.samples} draws: `{EOT}` of `print-photo`, *for A* of the numbers of device A (its "
        "measured press, light, blur, noise and tone; not its dots, mosaic, sharpening or file), *for all* "
        "of all devices, *for the others* of all but the device that judges. All pictures of an image lie on "
        f"one sheet, {settings.image_mm:g} mm wide, so that one photo shows them in the same light; every "
        f"sheet was photographed once on every device with each of the seeds {seeds}."
    )
    yield ""
    yield paragraph(
        "Unit: a view, one photo of one pair. *Destroyed* is equation 1 of Kurakin et al. 2017 at top-1: of "
        "the pairs with clean right and adversarial wrong on the file, the share of views in which the "
        "adversarial picture is right again. Clusters: in a cell pairs, and photos; over devices (last "
        f"column and second table) devices, and pairs: {len(found)} devices are few, and the intervals say "
        "so. Intervals are at 95 %."
    )
    yield from ("", f"Made by `{command}`.", "", "## The matrix", "")
    yield from (f"![{alt}]({NAME}.svg)", "", to_markdown(_matrix(found)), "")
    yield from ("## Over devices", "", to_markdown(_summary(found)), "")
    yield paragraph(
        f"Tests: the {len(FAMILY)} comparisons chosen beforehand as one family (Holm), sign flips of pairs, "
        "those of a sheet together, on the views that count for both. They speak of these devices only."
    )
    yield from ("", to_markdown(Table("", TESTS, {"": tests})), "")


def _matrix(found: Found) -> Table[str]:
    def on(device: str) -> Callable[[str], Estimate | None]:
        return lambda row: clean_right(found, device) if row == "clean right" else cell(found, device, row, 1)

    def over(row: str) -> Estimate | None:
        return None if row == "clean right" else over_devices(views(found, row, 1))

    columns = [Column[str]("made for", str)]
    columns += [Column[str](device, on(device), "interval") for device in found]
    columns.append(Column[str]("all", over, "interval"))
    return Table("", columns, {"": ["clean right", *matrix_rows(list(found))]})


def _summary(found: Found) -> Table[str]:
    def spread(row: str) -> str:
        rates = []
        for device in found:
            own = [lost for view, lost in views(found, row, 1).items() if view[0] == device]
            rates += [100 * sum(own) / len(own)] if own else []
        return f"{min(rates):.1f}–{max(rates):.1f} %" if rates else "–"

    columns = (
        Column[str]("attack", str),
        Column[str]("destroyed, top-1", lambda row: over_devices(views(found, row, 1)), "interval"),
        Column[str]("least and most hit device", spread, "number"),
        Column[str]("views", lambda row: len(views(found, row, 1)), "number"),
        Column[str](
            "clean survives, top-1",
            lambda row: over_devices(views(found, row, 1, clean_survives=True)),
            "interval",
        ),
        Column[str]("destroyed, top-5", lambda row: over_devices(views(found, row, 5)), "interval"),
    )
    return Table("", columns, {"": summary_rows()})


def _details(
    settings: Settings, devices: Mapping[str, Way], found: Found, tests: Sequence[Comparison]
) -> dict[str, object]:
    kept = {name: value for name, value in asdict(settings).items() if name not in ("images", "net")}
    return {
        "simulated": True,
        "frozen": frozen_commit(),
        "settings": kept | {"net": Path(settings.net).stem, "eps": EPS},
        "devices": dict(devices),
        "cells": [
            {"row": row, "device": device, f"top{top}": asdict(cell(found, device, row, top))}
            for row in matrix_rows(list(found))
            for device in found
            for top in TOPS
        ],
        "over_devices": [
            {"row": row, f"top{top}": asdict(over_devices(views(found, row, top)))}
            for row in summary_rows()
            for top in TOPS
        ],
        "clean_right": {device: asdict(clean_right(found, device)) for device in found},
        "comparisons": [{"verdict": test.verdict, **asdict(test)} for test in tests],
    }


def in_one_line(found: Found) -> dict[str, str]:
    """Return row → its destruction rate over devices, for the terminal."""
    return {row: percent(over_devices(views(found, row, 1))) for row in summary_rows()}
