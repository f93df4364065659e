from dataclasses import fields

from physadv.evaluation import Estimate, Row
from physadv.report.wording import destruction_in_words, paragraph


def test_a_paragraph_breaks_between_words_and_never_in_a_link():
    link = "[kurakin-digital.md](kurakin-digital.md)"
    lines = paragraph(f"{'word ' * 19}{link} {'word ' * 30}").splitlines()
    assert len(lines) == 3
    assert all(len(line) <= 110 for line in lines)
    assert any(link in line for line in lines)


def test_a_rate_of_nothing_says_what_was_left_out():
    nothing = Estimate(None, None, None, 0, 0, "no pairs left", {"adversarial image right before": 12})
    rates = {each.name: nothing for each in fields(Row) if each.name not in ("case", "top")}
    row = Row("average", 5, **rates)
    said = destruction_in_words(row, "were printed and photographed")
    assert said == "No adversarial image could be counted: 12 adversarial image right before."
