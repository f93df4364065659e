"""What a run that was measured says of the next one: its rate, how alike its views are, and its design."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from physadv.evaluation.clusters import ALIKE, intraclass
from physadv.evaluation.destruction import destruction_rate
from physadv.evaluation.outcomes import Tally, summed
from physadv.evaluation.planning import Correlations, Design
from physadv.pipeline.measurement import by_condition
from physadv.pipeline.observing import PHOTO, UNTOUCHED
from physadv.pipeline.tallies import TallyReader
from physadv.runs import Capture, Printout, RunError


def measured_design(printout: Printout, capture: Capture) -> dict[str, Any]:
    """Return a run's rate, the share of its pairs that count, its design and ICCs, for `plan_pairs`.

    The judge is the classifier that the run was made against, or the first that measured it. What one photo
    of each sheet or one pair on each cannot tell is assumed, and so is what devices share.

    Raises:
        RunError: the run was not photographed and measured, or no pair of it counts.
    """
    manifest = printout.printed_manifest()
    with capture.store() as store:
        own = [photo for photo in store.photos() if photo.run == manifest.printed_code]
        judges = [
            judge
            for judge, channel, _ in store.digital_channels(manifest.code)
            if channel == UNTOUCHED.name and store.count(manifest.code, judge, PHOTO.name, PHOTO.seed)
        ]
        if not judges:
            command = f"physadv destruction-rate {capture.name}"
            raise RunError(f"{capture.folder}: no photos that were measured; run '{command}' first")
        judge = min(judges, key=lambda name: not name.startswith(f"{manifest.classifier.spec} "))
        reader = TallyReader(store, manifest)
        tally = reader.tally(reader.counted(judge, UNTOUCHED), reader.counted(judge, PHOTO))
    rate, pairs = destruction_rate(tally, 1), len(reader.pairs)
    if rate.value is None:
        left_out = ", ".join(f"{count} {why}" for why, count in rate.discarded.items())
        raise RunError(f"{capture.folder}: a destruction rate without a pair ({left_out}) plans nothing")
    conditions = by_condition(own)
    devices, sheets = len(conditions), len(manifest.sheets)
    photos = max(1, round(sum(map(len, conditions.values())) / (devices * sheets)))
    design = Design(pairs, photos, devices, math.ceil(pairs / sheets))
    return {
        "rate": rate.value,
        "qualifying": rate.pairs / pairs,
        "design": design,
        "icc": correlations(tally),
    }


def correlations(tally: Tally) -> Correlations:
    """Return how alike the views are that equation 1 counts; what they do not tell is assumed."""
    own = tally.of(np.flatnonzero(tally.right_before("clean", 1) & ~tally.right_before("adversarial", 1)))
    after, shown = own.counts["adversarial", "after"], own.photographed["adversarial"]
    by_pair = after.right[:, 0], after.seen
    by_photo = (summed(each, shown.photo) for each in (shown.counts.right[:, 0], shown.counts.seen))
    pair, photo = (
        intraclass(right[seen > 0].astype(float), seen[seen > 0].astype(float))
        for right, seen in (by_pair, tuple(by_photo))
    )
    known = Correlations(Correlations.pair if pair is None else min(pair, ALIKE))
    return replace(known, photo=min(known.photo if photo is None else photo, 1 - known.pair))
