"""The page of clean survival: what was right in photos beside the files, by size, classifier and part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache

from physadv.evaluation.comparisons import Comparison, compare_paired, corrected
from physadv.evaluation.intervals import Estimate, counted, share
from physadv.phone.presets import CHANNELS
from physadv.report.result_tables import TESTS
from physadv.report.table import Column, Table, to_markdown
from physadv.report.wording import paragraph
from reproductions.frozen import frozen_commit

NAME = "clean-survival"
CHANNEL = "medium"
SIDE = 299
SIZES = {36.0: 16, 60.0: 4, 90.0: 2}
"""Side of a picture on paper, mm → pictures on a sheet."""
TAKEN_APART = 36.0
NETS = ("mobilenet_v1_050_160", "mobilenet_v2", "squeezenet1_1")
WHOLE, PRINTER, LIGHT = "whole channel", "printer", "light and colour"
PARTS = (PRINTER, "softness", LIGHT, "noise and file", "paper and pose")
OFF: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    **{name: (name,) for name in PARTS},
    "all colour": (PRINTER, LIGHT),
    "every part": PARTS,
}
"""Variant of the channel → the parts that are switched off in it."""
KURAKIN = {
    "fast, 16": (79.8, 85.3),
    "fast, 8": (70.6, 77.5),
    "bim, 16": (72.9, 81.4),
    "bim, 8": (72.5, 73.5),
    "least-likely, 16": (71.1, 79.4),
    "least-likely, 8": (76.5, 78.4),
}
"""Attack and eps → top-1 accuracy of clean photos and of their files, per cent (Kurakin et al. 2017)."""

Seen = Mapping[tuple[float, str, int, str, str], bool]
"""Size, variant, seed (-1 for the file), image and classifier → whether its class was right."""


def share_right(seen: Seen, nets: Sequence[str], size: float, variant: str = WHOLE) -> Estimate:
    """Return the accuracy in photos; its interval counts images, and photos, which show several of them."""
    own = _views(seen, nets, size, variant)
    photos = [(_sheet(seen, image, size), seed) for seed, image, _ in own]
    return share(list(own.values()), [image for _, image, _ in own], photos)


def right_on_files(seen: Seen, nets: Sequence[str]) -> Estimate:
    """Return the accuracy on the files that were printed."""
    own = {key: right for key, right in seen.items() if key[2] == -1 and key[4] in nets}
    return share(list(own.values()), [image for _, _, _, image, _ in own])


def over_file(seen: Seen, nets: Sequence[str], size: float, variant: str = WHOLE) -> Estimate:
    """Return photo accuracy over file accuracy; the interval takes the latter as it is for these images."""
    photo, file = share_right(seen, nets, size, variant), right_on_files(seen, nets)
    if photo.value is None or photo.low is None or photo.high is None or not file.value:
        return replace(photo, value=None, low=None, high=None, undefined="nothing right on the file")
    value, low, high = (bound / file.value for bound in (photo.value, photo.low, photo.high))
    return replace(photo, value=value, low=low, high=high)


def still_right(seen: Seen, nets: Sequence[str], size: float, variant: str = WHOLE) -> Estimate:
    """Return the share of views that are right, of the images that are right on the file."""
    own = {
        view: right
        for view, right in _views(seen, nets, size, variant).items()
        if seen[TAKEN_APART, WHOLE, -1, view[1], view[2]]
    }
    photos = [(_sheet(seen, image, size), seed) for seed, image, _ in own]
    return share(list(own.values()), [image for _, image, _ in own], photos)


def _views(seen: Seen, nets: Sequence[str], size: float, variant: str) -> dict[tuple[int, str, str], bool]:
    return {
        (seed, image, net): right
        for (mm, name, seed, image, net), right in seen.items()
        if mm == size and name == variant and seed >= 0 and net in nets
    }


def _sheet(seen: Seen, image: str, size: float) -> int:
    return _places(tuple(dict.fromkeys(key[3] for key in seen if key[2] == -1)))[image] // SIZES[size]


@cache
def _places(images: tuple[str, ...]) -> dict[str, int]:
    return {image: place for place, image in enumerate(images)}


def compare(seen: Seen) -> list[Comparison]:
    """Return every part and every size beside the whole channel at 36 mm, over all classifiers."""
    whole = f"{WHOLE}, {TAKEN_APART:g} mm"
    sides = {f"{name} off": (TAKEN_APART, name) for name in OFF if name != WHOLE}
    sides |= {f"{size:g} mm": (size, WHOLE) for size in SIZES if size != TAKEN_APART}
    images = dict.fromkeys(key[3] for key in seen)
    together = {image: _sheet(seen, image, TAKEN_APART) for image in images}
    usual = _views(seen, NETS, TAKEN_APART, WHOLE)
    tests = []
    for name, side in sides.items():
        own = _views(seen, NETS, *side)
        common = [view for view in own if view in usual]
        both = {
            label: counted([views[view] for view in common], [image for _, image, _ in common])
            for label, views in ((name, own), (whole, usual))
        }
        tests += compare_paired(both, together=together)
    return corrected(tests)


def lost_cells(seen: Seen) -> tuple[int, int]:
    """Return how many views of the whole channel there are, and how many cells could not be cropped."""
    images = len({key[3] for key in seen})
    found = sum(len(_views(seen, NETS[:1], size, WHOLE)) for size in SIZES)
    return found, images * len(_seeds(seen)) * len(SIZES) - found


def _seeds(seen: Seen) -> list[int]:
    return sorted({key[2] for key in seen} - {-1})


def page(seen: Seen, tests: Sequence[Comparison]) -> Iterator[str]:
    """Yield the lines of the page."""
    images, (preset, phone, printer) = len({key[3] for key in seen}), CHANNELS[CHANNEL]
    views, lost = lost_cells(seen)
    rates = [photo / file for photo, file in KURAKIN.values()]
    seeds = ", ".join(map(str, _seeds(seen)))
    sheets = ", ".join(f"{count} pictures of {size:g} mm" for size, count in SIZES.items())
    yield from ("# Clean images in photos", "", "## What no longer holds", "")
    yield paragraph(
        "That clean images lose 20 points through the virtual phone was said of a printer and a phone that "
        "were made up. What they lose through measured presses and published sensors stands below."
    )
    yield from ("", "## How it was measured", "")
    yield paragraph(
        f"**All photos are simulated**, the images and the classifiers are real: {images} ImageNet images, "
        f"unselected, printed on A4 as their {SIDE} × {SIDE} pixels. The channel is *{CHANNEL}*: printer "
        f"`{printer}`, phone `{phone}`, situation `{preset}`, frozen in commit "
        f"`{frozen_commit()}` before any image was judged. A sheet has {sheets}; each was photographed once "
        f"with each of the seeds {seeds}: {views} views of the whole channel, {lost} more cells could not be "
        "cropped."
    )
    yield ""
    yield paragraph(
        "*Photo over file* is the accuracy in photos over that on the files; its interval takes the files' "
        "as it is for these images. *Still right* is the share of views that are right, of the images right "
        "on the file. Unit: a view, one photo of one image by one classifier. Clusters: images, and photos, "
        "of which one shows several images. Intervals are at 95 %."
    )
    yield ""
    yield paragraph(
        "Beside it, real photos (Kurakin et al. 2017, table 1): clean images keep "
        f"{100 * min(rates):.0f} to {100 * max(rates):.0f} % of the file accuracy, "
        f"{100 * sum(rates) / len(rates):.0f} % on average over six sets of 102 images, by Inception v3, an "
        "office printer at 600 dpi and a Nexus 5x held straight over the page in normal indoor light. They "
        "printed several pairs on a page and do not say how large."
    )
    yield from ("", "Made by `python benchmarks/clean_survival.py DATA`.", "")
    yield from ("## By print size and classifier", "", to_markdown(_by_size(seen)), "")
    yield from ("## What takes them", "")
    yield paragraph(
        f"At {TAKEN_APART:g} mm, with one part of the channel switched off and all else as it was: "
        "*printer*, its colours, dots and spread, against a perfect print; *softness*, lens blur, defocus, "
        "shake, denoising and sharpening; *light and colour*, exposure, uneven and coloured light, tone "
        "curve and local tone; *noise and file*; *paper and pose*. The mosaic and the camera's colour matrix "
        "stay, as they cannot be switched off. With every part off what remains is the size: so many pixels "
        "of a photo, and the crop. Parts do not add up: one that is switched off may uncover another."
    )
    yield from ("", to_markdown(_taken_apart(seen)), "")
    yield paragraph(
        f"Tests beside the whole channel at {TAKEN_APART:g} mm, over all classifiers: {len(tests)} "
        "comparisons, one family (Holm), sign flips of sheets."
    )
    yield from ("", to_markdown(Table("", TESTS, {"": tests})), "")


Line = tuple[float, str, str]
"""Size, variant and classifier."""


def _by_size(seen: Seen) -> Table[Line]:
    columns = (
        Column[Line]("classifier", lambda line: line[2]),
        Column[Line]("print", lambda line: f"{line[0]:g} mm", "number"),
        Column[Line]("file right", lambda line: right_on_files(seen, [line[2]]), "interval"),
        Column[Line]("photo right", lambda line: share_right(seen, [line[2]], line[0]), "interval"),
        Column[Line]("photo over file", lambda line: over_file(seen, [line[2]], line[0]), "interval"),
        Column[Line]("still right", lambda line: still_right(seen, [line[2]], line[0]), "interval"),
    )
    return Table("", columns, {"": [(size, WHOLE, net) for net in NETS for size in SIZES]})


def _taken_apart(seen: Seen) -> Table[str]:
    def by(net: str) -> Column[str]:
        return Column[str](net, lambda name: over_file(seen, [net], TAKEN_APART, name), "interval")

    columns = (
        Column[str]("switched off", lambda name: "nothing" if name == WHOLE else name),
        *map(by, NETS),
        Column[str]("all three", lambda name: over_file(seen, NETS, TAKEN_APART, name), "interval"),
    )
    return Table("", columns, {"": list(OFF)})


def details(seen: Seen, tests: Sequence[Comparison]) -> dict[str, object]:
    """Return everything that was measured, for a file."""
    places = [(size, WHOLE) for size in SIZES] + [(TAKEN_APART, name) for name in OFF if name != WHOLE]
    return {
        "simulated": True,
        "frozen": frozen_commit(),
        "channel": CHANNELS[CHANNEL],
        "images": len({key[3] for key in seen}),
        "seeds": _seeds(seen),
        "rows": [
            {
                "classifier": net,
                "size_mm": size,
                "switched_off": list(OFF[name]),
                "file_right": asdict(right_on_files(seen, [net])),
                "photo_right": asdict(share_right(seen, [net], size, name)),
                "photo_over_file": asdict(over_file(seen, [net], size, name)),
                "still_right": asdict(still_right(seen, [net], size, name)),
            }
            for net in NETS
            for size, name in places
        ],
        "comparisons": [{"verdict": test.verdict, **asdict(test)} for test in tests],
    }


def summary(seen: Seen) -> dict[str, float | None]:
    """Return the JSON line."""
    values = {"survival": over_file(seen, NETS, TAKEN_APART).value}
    for net in NETS:
        values |= {f"{net}_{size:g}": over_file(seen, [net], size).value for size in SIZES}
    return {key: None if value is None else round(value, 4) for key, value in values.items()}
