"""One table in four renderers: the same cells, each in its own dress."""

import re

import pytest

from physadv.evaluation.intervals import NO_PAIRS, Estimate, proportion
from physadv.report.table import (
    CHANGE,
    Cell,
    Column,
    Table,
    show,
    to_html,
    to_latex,
    to_markdown,
    words_table,
)

HALF, NONE = proportion([1, 0], [1, 1]), Estimate(None, None, None, 0, 0, NO_PAIRS)
TABLE = Table(
    "100 % of it & more",
    (
        Column[Estimate]("case", lambda share: "all", once=True),
        Column[Estimate]("rate", lambda share: share, "interval", long="Destruction rate"),
        Column[Estimate]("n", lambda share: share.n, "number"),
        Column[Estimate]("right", lambda share: (HALF, share), "share", parts=CHANGE),
        Column[Estimate]("error", lambda share: (0.125, None), "share", parts=("clean", "adv.")),
    ),
    {"blur=1": [HALF, NONE], "a_b": [HALF]},
    "channel",
)


def test_a_terminal_shows_a_group_and_a_repeated_value_once(capsys):
    show(TABLE)
    title, _, head, _, *body, _ = (line.strip() for line in capsys.readouterr().out.splitlines())
    assert title == "100 % of it & more"
    assert re.split(r"  +", head) == [
        "channel",
        "case",
        "rate % (95 %)",
        "n",
        "right %",
        "error % clean",
        "adv.",
    ]
    assert [line.split() for line in body] == [
        ["blur=1", "all", "50.0", "(1.3–98.7)", "2", "50.0", "→", "50.0", "12.5", "–"],
        ["no", "pairs", "left", "0", "50.0", "→", "undefined", "12.5", "–"],
        ["a_b", "all", "50.0", "(1.3–98.7)", "2", "50.0", "→", "50.0", "12.5", "–"],
    ]


def test_markdown_repeats_the_group_and_writes_the_unit_in_the_cell():
    assert to_markdown(TABLE).splitlines() == [
        "| channel | case | rate | n | right | error clean | adv. |",
        "|---|---|---|---:|---:|---:|---:|",
        "| blur=1 | all | 50.0 % (1.3–98.7) | 2 | 50.0 % → 50.0 % | 12.5 % | – |",
        "| blur=1 | all | undefined | 0 | 50.0 % → undefined | 12.5 % | – |",
        "| a_b | all | 50.0 % (1.3–98.7) | 2 | 50.0 % → 50.0 % | 12.5 % | – |",
    ]


def test_latex_escapes_its_signs_and_gives_every_part_a_column():
    lines = to_latex(TABLE).splitlines()
    assert lines[1:3] == [r"\caption{100 \% of it \& more}", r"\begin{tabular}{llrrrrrr}"]
    assert lines[4] == r"channel & case & rate & n & right before & after & error clean & adv. \\"
    assert lines[-4] == r"a\_b & all & 50.0 (1.3--98.7) & 2 & 50.0 & 50.0 & 12.5 & -- \\"


def test_a_page_escapes_text_and_greys_what_is_no_value():
    html = to_html(TABLE)
    assert "100 % of it &amp; more" in html
    assert "Destruction rate</th>" in html
    assert '<th scope="colgroup" colspan="2">right</th>' in html
    assert '<td class="number weak">undefined</td>' in html
    assert '<td class="number">50.0<span class="detail">1.3–98.7</span></td>' in html
    assert html.count('scope="rowgroup"') == 2


def test_words_need_no_columns_of_numbers(capsys):
    table = words_table("", ("name", "what"), [("a", "first"), ("b", "second")])
    assert 'class="words-only"' in to_html(table)
    assert to_markdown(table).splitlines()[1] == "|---|---|"
    show(table)
    shown = capsys.readouterr().out.splitlines()[3:5]
    assert [line.split() for line in shown] == [["a", "first"], ["b", "second"]]


@pytest.mark.parametrize("kind", ["words", "interval"])
def test_a_cells_detail_stands_behind_it(kind):
    column = Column[str]("run", lambda name: Cell(name, "made against signs"), kind)
    table = Table("", [column], {"": ["mine"]})
    assert to_markdown(table).endswith("| mine (made against signs) |")
