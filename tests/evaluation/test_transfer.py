"""The transfer matrix's cells."""

from physadv.evaluation.destruction import table, transfer_cells
from physadv.evaluation.outcomes import Judgement, PairOutcome, tally

RIGHT, WRONG, HIT = (Judgement((label, 2, 3, 4, 5), 0.9) for label in (0, 1, 9))


def outcome(adversarial: Judgement, after: Judgement) -> PairOutcome:
    return PairOutcome("p", 0, RIGHT, adversarial, (RIGHT,), (after,), target=9)


def test_cells_are_the_files_and_every_channel() -> None:
    photo = table(
        tally([outcome(HIT, HIT), outcome(WRONG, RIGHT), outcome(RIGHT, RIGHT), outcome(RIGHT, WRONG)])
    )
    files, through = transfer_cells("mine", "net-a", "net-b", {"photo": photo})
    assert (files.run, files.source, files.target, files.white_box) == ("mine", "net-a", "net-b", False)
    assert (files.channel, files.success.value, files.matching.value) == ("none", 0.5, 0.25)
    assert files.destruction is None
    assert (through.channel, through.success.value, through.matching.value) == ("photo", 0.5, 0.25)
    assert through.destruction is not None
    assert (through.destruction.value, through.destruction.n) == (0.5, 2)
    assert transfer_cells("mine", "net-a", "net-a", {"photo": photo})[0].white_box
