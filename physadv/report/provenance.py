"""Where a measurement comes from, for the report: parameters, photographs, commands that remake it."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import TypeVar

from physadv.attacks.recipes import RECIPES
from physadv.capture.identity import SURE
from physadv.pipeline.crop import colours_in_words, shape_in_words
from physadv.pipeline.made_by import parts_of
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.settings import NO_TRANSFORMS, OWN_NUMBERS, GenerateSettings
from physadv.report.page import Facts
from physadv.report.wording import plural
from physadv.runs import Manifest, PhotoRow
from physadv.sheets.layout import IMAGE, PAGES

USUAL_PRESET, USUAL_SHOTS = "office", 2

Row = TypeVar("Row")


def cameras(photos: Sequence[PhotoRow]) -> str:
    """Return which cameras took the photos, with how many each where there are several."""
    counts = Counter(photo.camera or "a camera that left no name" for photo in photos)
    return ", ".join(
        f"{name} ({count})" if len(counts) > 1 else name for name, count in sorted(counts.items())
    )


def parameters(measurement: Measurement) -> Facts:
    """Return everything recorded of attack, classifier, images, photographs and versions."""
    manifest = measurement.manifest
    attack, selection, classifier = manifest.attack, manifest.selection, manifest.classifier
    other = measurement.classifier != classifier.spec
    kept = "prefiltered pairs only" if selection.prefiltered else "all pairs"
    said = {"given": "given with the images", "predicted": "the classifier's own answers: none were given"}
    attacked = (
        ("name", attack.name),
        ("eps, 8-bit levels", "none" if attack.eps is None else str(attack.eps)),
        *((name, str(value)) for name, value in attack.parameters.items() if value is not None),
    )
    judged = (
        *([("judged by", measurement.classifier)] if other else []),
        ("made against" if other else "classifier", classifier.spec),
        *([("labels file", classifier.labels_file)] if classifier.labels_file else []),
        ("classes", str(classifier.classes)),
        ("pairs", f"{len(manifest.pairs())} of {plural(selection.candidates, 'candidate')}, {kept}"),
        ("true labels", said[selection.labels]),
    )
    made = (
        ("seed", str(manifest.seed)),
        ("code", manifest.code),
        ("sheets", str(len(manifest.sheets))),
        *([("colours of the print", str(manifest.precompensation))] if manifest.precompensation else []),
        ("manifest schema", str(manifest.schema_version)),
        *sorted(manifest.versions.items()),
    )
    return {
        "Attack": attacked,
        "Classifier and images": judged,
        "Photographs": _photo_facts(measurement),
        "Run": made,
    }


def _photo_facts(measurement: Measurement) -> tuple[tuple[str, str], ...]:
    used = measurement.used_photos
    if not used:
        return (("photos", f"none used of {len(measurement.photos)}"),)
    cut = [crop for crop in measurement.crops if crop.path is not None]
    margins = [crop.margin for crop in cut if crop.margin is not None]
    sizes = sorted({f"{photo.width} × {photo.height}" for photo in used})
    return (
        ("photos used", f"{len(used)} of {len(measurement.photos)}"),
        ("camera", cameras(used)),
        ("taken", _taken(used)),
        ("size, px", ", ".join(sizes)),
        ("cells cut out", f"{len(cut)} of {len(measurement.crops)}"),
        (
            "too like another of the sheet to be told from it",
            f"{sum(alike < SURE for alike in margins)} cells",
        ),
        ("print", shape_in_words(used)),
        ("colours of the crops", colours_in_words(used) or "as photographed"),
        ("exposure, median stops", _middle(used, lambda photo: photo.exposure_stops, 2)),
        ("red to green, median", _middle(used, lambda photo: photo.red_green, 2)),
        ("blue to green, median", _middle(used, lambda photo: photo.blue_green, 2)),
        ("chroma of the bars, median %", _middle(used, lambda photo: photo.chroma, 0, scale=100)),
        ("residual, median px", _middle(cut, lambda crop: crop.residual_px, 3)),
        ("blur, median sigma px", _middle(cut, lambda crop: crop.sharpness_px, 2)),
        ("photo px per mm, median", _middle(cut, lambda crop: crop.pixels_per_mm, 1)),
        ("seen at, median degrees", _middle(cut, lambda crop: crop.angle_deg, 1)),
        ("from a distance, median mm", _middle(cut, lambda crop: crop.distance_mm, 0)),
        ("clipped pixels, median %", _middle(cut, lambda crop: crop.clipped, 2, scale=100)),
    )


def _taken(photos: Sequence[PhotoRow]) -> str:
    """Return presets and seeds of simulated photos, and how many photos are real, with numbers."""

    def in_words(photo: PhotoRow) -> str:
        if not photo.simulated:
            return "real"
        if photo.preset is None:
            return "in simulation, with a preset that was not recorded; 'physadv crop' again may find it"
        return f"with preset {photo.preset}, seed {photo.seed}"

    counts = Counter(map(in_words, photos))
    return "; ".join(f"{plural(count, 'photo')} {how}" for how, count in sorted(counts.items()))


def _middle(rows: Sequence[Row], of: Callable[[Row], float | None], decimals: int, scale: float = 1) -> str:
    values = [value * scale for row in rows if (value := of(row)) is not None]
    if not values:
        return "not measured"
    return f"{median(values):.{decimals}f} ({min(values):.{decimals}f} to {max(values):.{decimals}f})"


def commands(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Return what was run, as far as the manifest and the store tell, the last being the report.

    Args:
        measurements: of the run that is reported first, and of those that it is compared with by transfer.
    """
    first = measurements[0]
    manifest, used = first.manifest, first.used_photos
    name = manifest.name
    lines = [generate_command(manifest)]
    if manifest.sheets:
        page_mm = manifest.sheets[0].page_mm
        side = manifest.image_mm or IMAGE
        page = [f"--page {size}" for size, mm in PAGES.items() if mm == tuple(page_mm) and size != "a4"]
        image = [f"--image-mm {side:g}"] if side != IMAGE else []
        colours = manifest.precompensation
        inverse = [f"--precompensate {shlex.quote(colours.profile)}"] if colours else []
        lines.append(" ".join([f"physadv print {name}", *page, *image, *inverse]))
    if used:
        lines += _photograph_commands(first)
        lines += [f"physadv photograph {name}"] * any(not photo.simulated for photo in used)
        corrected = any(photo.colour == "corrected" for photo in used)
        lines.append(f"physadv crop {name}{' --colour corrected' * corrected}")
    options = judge_options(measurements)
    lines += [" ".join([f"physadv {command} {name}", *options]) for command in ("destruction-rate", "report")]
    return tuple(lines)


def _photograph_commands(measurement: Measurement) -> list[str]:
    """Return what took the simulated photos; first those whose names need not be set apart."""
    groups: dict[tuple[str | None, int | None], list[PhotoRow]] = {}
    for photo in sorted(measurement.photos, key=lambda photo: len(photo.file)):
        if photo.simulated:
            groups.setdefault((photo.preset, photo.seed), []).append(photo)
    lines = []
    for (condition, seed), photos in groups.items():
        # The store holds a preset with the hash of its file, its phone and its printer.
        preset, phone, printer = parts_of(condition or USUAL_PRESET)
        numbered = [photo.shot + 1 for photo in photos if photo.shot is not None]
        shots = max(numbered, default=len(photos) // (len(measurement.manifest.sheets) or 1))
        options = {
            "preset": None if preset == USUAL_PRESET else preset,
            "phone": None if phone and "#" in phone else phone,
            "profile": phone.partition("#")[0] if phone and "#" in phone else None,
            "printer": printer,
            "shots": None if shots in (0, USUAL_SHOTS) else shots,
            "seed": seed or None,
        }
        name = measurement.manifest.name
        lines.append(" ".join([f"physadv photograph {name} --simulate", *_given(options.items())]))
    return lines


def judge_options(measurements: Sequence[Measurement]) -> list[str]:
    """Return the options that ask for measurements of a run, and of those it is compared with, again."""
    first = measurements[0]
    others = dict.fromkeys(found.manifest.name for found in measurements)
    sources = [f"--source {other}" for other in others if other != first.manifest.name]
    return [*sources, *measure_options(first)]


def measure_options(measurement: Measurement) -> list[str]:
    """Return the options that ask for a measurement again."""
    options = measurement.options
    named = [
        *(("model", model) for model in options.models),
        *(("transform", transform) for transform in options.transforms),
        *(("sweep", sweep) for sweep in options.sweeps),
        *(("profile", profile) for profile in options.profiles),
        ("labels", options.labels),
        ("seed", options.seed or None),
    ]
    return _given([*named, ("pool", options.pool or None)])


def generate_command(manifest: Manifest) -> str:
    """Return what made a run, as its manifest records it."""
    attack, classifier = manifest.attack, manifest.classifier
    if attack.parameters.get("adopted"):
        return _adopt_command(manifest)
    recorded: dict[str, object] = {
        **attack.parameters,
        "model": classifier.spec,
        "labels": classifier.labels_file,
        "attack": attack.name,
        "eps": attack.eps,
        "limit": manifest.selection.limit,
        "prefilter": manifest.selection.prefiltered,
        "query_only": "estimate" in attack.parameters,
        "seed": manifest.seed,
        "device": None,
    }
    # A recipe that took its own number of steps has recorded it in words.
    if not isinstance(recorded.get("steps"), int):
        recorded["steps"] = None
    # What an attack takes by itself; those of libraries, which may be absent here, are all alike.
    recipe = RECIPES.get(attack.name)
    own = {name: getattr(recipe, name) for name in OWN_NUMBERS} if recipe else {}
    usual = {**vars(GenerateSettings(images=Path())), "transforms": NO_TRANSFORMS, "samples": 1, **own}
    always = ("model", "attack", "eps", "seed")
    options = {
        field.name.replace("_", "-"): recorded[field.name]
        for field in fields(GenerateSettings)
        if field.name in recorded and (recorded[field.name] != usual[field.name] or field.name in always)
    }
    images = shlex.quote(manifest.selection.images)
    return " ".join([f"physadv generate {images} --name {manifest.name}", *_given(options.items())])


def _adopt_command(manifest: Manifest) -> str:
    attack, classifier = manifest.attack, manifest.classifier
    if attack.parameters["adversarial"] is None:
        return f'physadv.Run.create("{manifest.name}", classifier, clean, adversarial, labels)  # in Python'
    paths = [manifest.selection.images, attack.parameters["adversarial"]]
    options = {
        "name": manifest.name,
        "model": classifier.spec,
        "labels": classifier.labels_file,
        "target": attack.parameters["target"],
        "made-by": attack.name if attack.name != "own" else None,
    }
    return " ".join(["physadv adopt", *(shlex.quote(str(path)) for path in paths), *_given(options.items())])


def _given(options: Iterable[tuple[str, object]]) -> list[str]:
    """Return options as they are typed: True is a flag, None is left out."""
    return [
        f"--{name}" if value is True else f"--{name} {shlex.quote(str(value))}"
        for name, value in options
        if value is not None
    ]
