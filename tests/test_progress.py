import pytest

from physadv.progress import Bars, Lines, Silent, reporter


@pytest.mark.parametrize("reporter", [Silent(), Lines(), Bars()])
@pytest.mark.parametrize("items", [[], [3, 1, 2]])
def test_items_pass_through_in_order_and_standard_output_stays_clean(capsys, reporter, items):
    assert list(reporter.track(iter(items), len(items), "things")) == items
    reporter.say("[done]")
    out, err = capsys.readouterr()
    assert out == ""
    assert ("[done]" in err) == (not isinstance(reporter, Silent))


def test_lines_say_how_many_are_done(capsys):
    list(Lines().track("abc", 3, "things"))
    assert "things: 3 of 3" in capsys.readouterr().err


def test_nothing_is_shown_when_quiet_and_lines_where_there_is_no_terminal(capsys):
    assert isinstance(reporter(quiet=True), Silent)
    assert isinstance(reporter(quiet=False), Lines)
