"""The Python of README and of every page of docs runs as a reader would paste it, page by page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {
    str(page.relative_to(ROOT)): blocks
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if (blocks := BLOCK.findall(page.read_text(encoding="utf-8")))
}


def test_pages_with_python_are_found():
    assert {"README.md", "docs/attacks.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_python_on_a_page_runs_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(PAGES[page], start=1):
        exec(compile(block, f"{page}, Python block {number}", "exec"), names)
