"""What `plan` prints: how many pairs, what more would buy, and on which assumptions."""

from physadv.evaluation.planning import Choice, Plan
from physadv.report.table import Column, Table, show
from physadv.report.wording import plural

CHOICES = (
    Column[Choice]("", lambda choice: choice.what),
    Column[Choice]("pairs", lambda choice: choice.design.pairs, "number"),
    Column[Choice]("photos of each sheet", lambda choice: choice.design.photos, "number"),
    Column[Choice]("devices", lambda choice: choice.design.devices, "number"),
    Column[Choice]("photos to take", lambda choice: choice.taken, "number"),
    Column[Choice]("± points", lambda choice: _points(choice), "number"),
)


def show_plan(plan: Plan) -> None:
    """Print a plan: the pairs, a table of what more would buy, and in a sentence what buys most."""
    now, *more = plan.choices
    of = "" if plan.qualifying == 1 else f", of which {100 * plan.qualifying:.3g} % are expected to count"
    print(
        f"{plural(plan.counted, 'pair')} that {'counts' if plan.counted == 1 else 'count'}: a rate of "
        f"{100 * plan.rate:.4g} % then has the 95 % interval {100 * plan.low:.1f}–{100 * plan.high:.1f} %"
    )
    print(f"print {plural(plan.printed, 'pair')}, {2 * plan.printed} pictures{of}")
    show(Table("", CHOICES, {"": plan.choices}))
    best, *others = sorted(more, key=lambda choice: choice.halfwidth)
    rest = ", ".join(f"{choice.what} ± {_points(choice)}" for choice in others)
    print(f"{best.what} buys most: ± {_points(best)} points in place of {_points(now)}; {rest}")
    icc = plan.icc
    print(
        f"ICC: {icc.pair:.2g} of two views of a pair, {icc.photo:.2g} of two pairs in a photo, "
        f"{icc.device:g} of two seen by one device{' (the rate is of these devices)' * (not icc.device)}"
    )


def _points(choice: Choice) -> str:
    return f"{100 * choice.halfwidth:.1f}"
