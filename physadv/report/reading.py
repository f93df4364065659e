"""Why a destruction rate is low, or means little: a sentence for each reason that holds."""

import math
from collections.abc import Iterator, Sequence
from statistics import median

from physadv.evaluation.destruction import Row
from physadv.evaluation.outcomes import PREFILTER_CONFIDENCE
from physadv.evaluation.planning import pairs_wanted
from physadv.pipeline.measurement import Measurement
from physadv.pipeline.observing import CORRECTED, PHOTO, is_photo
from physadv.report.channels import sort_channels
from physadv.report.wording import band_in_words, percent, plural, with_interval
from physadv.sheets.layout import COLOURLESS

LOW = 0.2
"""A destruction rate below it is called low: more than four in five views kept their effect."""
SATURATED = 0.05
"""Accuracy under attack up to which an attack is called saturated, if the classifier is also as sure of its
wrong answers as the paper's prefiltered case asks: more iterations would only move the image further away."""
MILD = 0.95
"""Clean survival from which a channel is called mild: it spoils at most one clean view in twenty."""
HARSH = 0.8
"""Clean survival below which a channel is called harsh: it spoils more than one clean view in five. A spoilt
view counts as survived by the attack, so that the rate comes out up to as much too low."""
WIDE = 0.3
"""Width of an interval from which there are too few pairs: it no longer tells a third from two thirds."""


def readings(measurement: Measurement) -> list[str]:
    """Return the sentences of every channel but the strengths of a sweep, which have a curve.

    One that holds for several channels is said once, and names them where it does not hold for all.
    """
    channels = sort_channels(measurement.channels).single
    found: dict[str, list[str]] = {}
    for channel in channels:
        for sentence in reading(measurement.channels[channel]):
            found.setdefault(sentence, []).append(measurement.channel_name(channel))
    return [*band_readings(measurement), *colour_readings(measurement)] + [
        sentence if len(named) == len(channels) else f"{', '.join(named)}: {sentence}"
        for sentence, named in found.items()
    ]


def band_readings(measurement: Measurement) -> Iterator[str]:
    """Yield the destruction rate of photos taken in several ways, as a band."""
    rates = {
        channel.partition(": ")[2]: row.destruction_rate
        for channel, rows in measurement.channels.items()
        if is_photo(channel)
        for row in rows
        if (row.case, row.top) == ("average", 1)
    }
    if len(rates) > 1:
        yield f"The destruction rate, top-1, depends on how photos are taken: {band_in_words(rates)}."


def colour_readings(measurement: Measurement) -> Iterator[str]:
    """Yield what the sheets' grey and colour bars tell of photos that are off, with both rates."""
    used = measurement.used_photos
    grey = [photo for photo in used if photo.chroma is not None and photo.chroma <= COLOURLESS]
    if grey:
        yield (
            f"{len(grey)} of {plural(len(used), 'photo')} have no colour: their bars keep "
            f"{max(photo.chroma or 0 for photo in grey):.0%} of their chroma at most. They were printed or "
            "photographed in black and white, and their rates are not those of the examples."
        )
    if not measurement.by_bars:
        return
    copied = {crop.photo for crop in measurement.crops if crop.copy}
    off = [photo for photo in used if photo.name in copied]
    stops, red, blue = (
        median(getattr(photo, name) or 0 for photo in off)
        for name in ("exposure_stops", "red_green", "blue_green")
    )
    first, corrected = (
        next(row for row in measurement.by_bars[channel.name] if (row.case, row.top) == ("average", 1))
        for channel in (PHOTO, CORRECTED)
    )
    yield (
        f"The bars of {len(off)} of {plural(len(used), 'photo')} are off (medians: exposure "
        f"{stops:+.1f} stops, red to green {red:.2f}, blue to green {blue:.2f}). In these, as photographed "
        f"and with colours corrected by the bars: clean images right {with_interval(first.clean_after)} and "
        f"{with_interval(corrected.clean_after)}, destroyed {with_interval(first.destruction_rate)} and "
        f"{with_interval(corrected.destruction_rate)}. All other rates are as photographed."
    )


def reading(rows: Sequence[Row]) -> Iterator[str]:
    """Yield why one channel's top-1 destruction rate, average case, is low or means little."""
    row = next(row for row in rows if (row.case, row.top) == ("average", 1))
    rate, survival = row.destruction_rate, row.clean_survival.value
    if rate.value is None or rate.low is None or rate.high is None:
        return
    right, sure = row.adversarial_before.value, row.adversarial_confidence_before.value
    if survival is not None and survival < HARSH:
        kept, instead = row.destruction_clean_survives, "no view that its clean image survived is left"
        if kept.value is not None:
            instead = f"of views that the clean image survived, {with_interval(kept)} are destroyed"
        yield (
            f"The channel is harsh: only {percent(row.clean_survival)} of clean views stay right, and a "
            f"spoilt view counts as not destroyed. Read d | clean survives: {instead}."
        )
    if rate.value < LOW and survival is not None and survival >= MILD:
        yield (
            f"The channel is mild: {percent(row.clean_survival)} of clean views stay right. That little is "
            "destroyed says little of harder photos."
        )
    if rate.value < LOW and right is not None and right <= SATURATED and (sure or 0) >= PREFILTER_CONFIDENCE:
        yield (
            f"The attack is saturated: {percent(row.adversarial_before)} of its files are right, and the "
            f"classifier is {percent(row.adversarial_confidence_before)} sure of its answers. The channel "
            "has a long way to go to bring one back."
        )
    if rate.high - rate.low > WIDE:
        printed = rate.pairs + sum(rate.discarded.values())
        qualifying = math.ceil(100 * rate.pairs / printed) / 100
        expected, photos = round(rate.value, 2), round(rate.n / rate.pairs)
        yield (
            f"There are too few pairs: the interval is {100 * (rate.high - rate.low):.0f} points wide. For "
            f"± {50 * WIDE:g} points print {math.ceil(pairs_wanted(rate, WIDE / 2) * printed / rate.pairs)} "
            f"pairs in place of {printed}, or ask what more photos or devices would do: physadv plan --rate "
            f"{expected:g} --pairs {printed} --qualifying {qualifying:g} --photos {photos}"
        )
