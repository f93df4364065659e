"""Why a rate is low or means little: each sentence where its reason holds, and none where none does."""

from types import SimpleNamespace

from physadv.evaluation import Judgement, PairOutcome, table, tally
from physadv.report.reading import HARSH, LOW, reading, readings
from physadv.report.result_tables import PUBLISHED_RATES, RATES
from physadv.report.table import Table, show, to_html, to_latex, to_markdown

RIGHT = Judgement((7, 1, 2, 3, 4), 0.9)
SURE, UNSURE = Judgement((1, 2, 3, 4, 5), 0.95), Judgement((1, 2, 3, 4, 5), 0.5)


def pairs(number, file, after, clean_after=RIGHT):
    """Return pairs of one kind: what was said of the attacked file, and of each image in one view."""
    return [PairOutcome("p", 7, RIGHT, file, (clean_after,), (after,)) for _ in range(number)]


PLAIN = [*pairs(60, UNSURE, UNSURE), *pairs(40, UNSURE, RIGHT)]
"""Two in five destroyed, of a hundred: nothing is to be said."""


def said(outcomes):
    return list(reading(table(tally(outcomes))))


def test_a_plain_rate_needs_no_words():
    assert said(PLAIN) == []


def test_a_saturated_attack_is_told_from_one_that_is_unsure():
    harder = pairs(5, RIGHT, RIGHT)
    lost = pairs(10, SURE, SURE, UNSURE)  # a tenth of the clean views: neither mild nor harsh
    (sentence,) = said([*pairs(90, SURE, SURE), *lost])
    assert sentence.startswith("The attack is saturated: 0.0 % of its files are right")
    assert "95.0 % sure" in sentence
    assert said([*pairs(90, UNSURE, UNSURE), *pairs(10, UNSURE, UNSURE, UNSURE)]) == []
    assert said([*pairs(90, SURE, SURE), *lost, *harder, *harder]) == []


def test_a_mild_channel_is_said_where_little_is_destroyed():
    (sentence,) = said(pairs(100, UNSURE, UNSURE))
    assert sentence.startswith("The channel is mild: 100.0 % of clean views stay right.")
    assert said([*pairs(80, UNSURE, UNSURE), *pairs(20, UNSURE, RIGHT)]) == []
    assert LOW == 20 / 100


def test_a_harsh_channel_names_the_rate_to_read():
    spoilt = pairs(60, UNSURE, UNSURE, UNSURE)
    (sentence,) = said([*spoilt, *pairs(30, UNSURE, UNSURE), *pairs(70, UNSURE, RIGHT)])
    assert sentence.startswith("The channel is harsh: only 62.5 % of clean views stay right")
    assert "Read d | clean survives: of views that the clean image survived, 70.0 % (" in sentence
    kept = 1 - HARSH
    assert said([*pairs(round(100 * kept), UNSURE, RIGHT, UNSURE), *pairs(80, UNSURE, UNSURE)]) == []
    nothing, *_ = said(spoilt)
    assert nothing.endswith("no view that its clean image survived is left.")


def test_too_few_pairs_say_how_many_to_print():
    few = [*pairs(6, UNSURE, UNSURE), *pairs(4, UNSURE, RIGHT), *pairs(10, RIGHT, RIGHT)]
    (sentence,) = said(few)
    assert sentence.startswith(
        "There are too few pairs: the interval is 62 points wide. For ± 15 points print "
    )
    # Ten count of twenty; Clopper and Pearson's interval about 40 % is ± 15 points wide at 44.9.
    assert "print 90 pairs in place of 20, or ask" in sentence
    assert sentence.endswith("physadv plan --rate 0.4 --pairs 20 --qualifying 0.5 --photos 1")


def test_what_holds_for_several_channels_is_said_once():
    lost = pairs(10, SURE, SURE, UNSURE)
    saturated, spared = (table(tally([*pairs(90, SURE, after), *lost])) for after in (SURE, RIGHT))

    def sentences(**channels):
        channels = {f"photo: {name}": rows for name, rows in channels.items()}
        return readings(SimpleNamespace(channels=channels, channel_name=str, used_photos=[], by_bars={}))

    band, sentence = sentences(a=saturated, b=saturated)
    assert band.startswith(
        "The destruction rate, top-1, depends on how photos are taken: 0.0 to 0.0 %: a 0.0 %"
    )
    assert sentence.startswith("The attack is saturated: ")
    _, sentence = sentences(a=saturated, b=spared, c=saturated)
    assert sentence.startswith("photo: a, photo: c: The attack is saturated: ")


def test_a_rate_that_is_undefined_is_not_explained():
    assert said(pairs(3, RIGHT, RIGHT)) == []


def test_every_renderer_shows_the_rate_where_clean_survives(capsys):
    rows = table(tally(PLAIN))
    shown = Table("", RATES, {"": rows})
    show(shown)
    published = to_latex(Table("", PUBLISHED_RATES, {"": rows}))
    assert r"d \textbar{} clean survives" in published
    for text in (capsys.readouterr().out, to_html(shown), to_markdown(shown).replace(r"\|", "|")):
        assert "d | clean survives" in text
