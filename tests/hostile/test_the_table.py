"""The table of what is tried at which door names tests that there are."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def test_every_test_that_the_table_names_is_there():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`", text))
    missing = []
    for file, test in named:
        files = [FOLDER.parents[1] / file] if file else FOLDER.glob("test_*.py")
        if not any(f"def {test}(" in path.read_text(encoding="utf-8") for path in files):
            missing.append(test)
    assert len(named) > 40
    assert missing == []


def test_every_line_of_the_table_has_a_cell_for_every_kind():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    widths = {line.count(" | ") for line in lines if line.count(" | ") > 5}
    assert widths == {10}
