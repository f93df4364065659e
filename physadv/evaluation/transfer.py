"""Transfer: made against one classifier, judged by another (Papernot et al. 2016, Liu et al. 2017)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate

DIGITAL = "none"
"""The channel of files as they are."""


@dataclass(frozen=True)
class TransferCell:
    """One cell of the matrix: what a source's examples do to a target classifier through one channel.

    Attributes:
        run: name of the run that the examples are of.
        source: classifier or ensemble that the run was made against.
        target: classifier that judged.
        white_box: whether the target is the source.
        channel: "none" for the files themselves, "photo", or a transformation.
        success: share classified wrong of pairs whose clean file the target has right, top-1. Liu et al.'s
            accuracy on adversarial images is 1 minus it.
        matching: share classified as the attack's own target class, Liu et al.'s matching rate.
        destruction: equation 1 with the target as judge; None for files, which went through nothing.
    """

    run: str
    source: str
    target: str
    white_box: bool
    channel: str
    success: Estimate
    matching: Estimate
    destruction: Estimate | None


def transfer_cells(
    run: str, source: str, target: str, channels: Mapping[str, Sequence[Row]]
) -> list[TransferCell]:
    """Return the cells of one source and one target: the files, then every channel.

    Args:
        run: name of the source's run.
        source: spec of the classifier that the examples were made against.
        target: spec of the classifier that judged them.
        channels: channel → its table.
    """

    def cell(channel: str, success: Estimate, matching: Estimate, destroyed: Estimate | None) -> TransferCell:
        return TransferCell(run, source, target, source == target, channel, success, matching, destroyed)

    tables = {
        channel: next(row for row in rows if (row.case, row.top) == ("average", 1))
        for channel, rows in channels.items()
    }
    first = next(iter(tables.values()))
    return [
        cell(DIGITAL, first.success_before, first.targeted_before, None),
        *(
            cell(channel, row.success_after, row.targeted_after, row.destruction_rate)
            for channel, row in tables.items()
        ),
    ]
