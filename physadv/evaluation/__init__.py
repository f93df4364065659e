"""From a classifier's answers before and after a channel to rates with intervals. Numbers only.

This room takes plain records and gives plain records; it knows no model, no photo and no file. A
`PairOutcome` is one source image, `tally` counts many of them, and every measure is one function of the
tally that returns an `Estimate`: value, 95 % interval, n, and what was left out for which reason. `table`
returns all measures at once.

    >>> from physadv.evaluation import Judgement, PairOutcome, destruction_rate, tally
    >>> right, wrong = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 5), 0.8)
    >>> survived = PairOutcome("a", 3, right, wrong, clean_after=(right,), adversarial_after=(wrong,))
    >>> destroyed = PairOutcome("b", 3, right, wrong, clean_after=(right,), adversarial_after=(right,))
    >>> rate = destruction_rate(tally([survived, destroyed]), top=1)
    >>> rate.value, rate.n
    (0.5, 2)

`proportion`, `share` and `mean` give intervals to numbers of your own, `compare_paired` tests attacks on the
pairs they share, `worst_over` takes attacks that aim at one failure together, and `plan_pairs` says how many
pairs to print.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.evaluation.calibration import Answers, Reliability, reliability
    from physadv.evaluation.comparisons import Comparison, compare_paired, holm, sign_flip
    from physadv.evaluation.destruction import (
        Row,
        TransferCell,
        accuracy,
        adversariality,
        clean_survival,
        confidence,
        destruction_clean_survives,
        destruction_rate,
        success,
        table,
        transfer_cells,
    )
    from physadv.evaluation.intervals import Estimate, mean, proportion, share
    from physadv.evaluation.masking import AttackOutcomes, Symptom, masking_symptoms, verdict
    from physadv.evaluation.outcomes import Judgement, PairOutcome, Tally, tally
    from physadv.evaluation.planning import Correlations, Design, Plan, plan_pairs
    from physadv.evaluation.worst import Worst, worst_over

# fmt: off
__all__ = [
    "Answers", "AttackOutcomes", "Comparison", "Correlations", "Design", "Estimate", "Judgement",
    "PairOutcome", "Plan", "Reliability", "Row", "Symptom", "Tally", "TransferCell", "Worst", "accuracy",
    "adversariality", "clean_survival", "compare_paired", "confidence", "destruction_clean_survives",
    "destruction_rate", "holm", "masking_symptoms", "mean", "plan_pairs", "proportion", "reliability",
    "share", "sign_flip", "success", "table", "tally", "transfer_cells", "verdict", "worst_over",
]
# fmt: on
__getattr__, __dir__ = lazy_names(__name__)
