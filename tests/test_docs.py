"""Python in README and docs runs as a reader would paste it; that for contributors works in its module."""

import re
from pathlib import Path

import pytest

from physadv.attacks import gradient, recipes
from physadv.report import table

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {
    str(page.relative_to(ROOT)): blocks
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))
    if (blocks := BLOCK.findall(page.read_text(encoding="utf-8")))
}


def test_pages_with_python_are_found():
    assert {"README.md", "docs/attacks.md"} <= set(PAGES)


@pytest.mark.long
@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("page", PAGES)
def test_python_on_a_page_runs_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(PAGES[page], start=1):
        exec(compile(block, f"{page}, Python block {number}", "exec"), names)


def test_the_attack_shown_to_contributors_is_short_and_works(
    tiny_classifier, tiny_images, monkeypatch, physadv
):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    function, _ = BLOCK.findall(text)
    (entry,) = re.findall(r"^```toml\n(\[heavy-ball\]\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len((function + entry).splitlines()) <= 30
    exec(function, vars(gradient))
    (recipe,) = recipes.read_recipes(entry).values()
    monkeypatch.setitem(recipes.RECIPES, recipe.name, recipe)
    labels = tiny_classifier(tiny_images).argmax(dim=1)
    moved = (gradient.heavy_ball(tiny_classifier, tiny_images, labels, eps=8 / 255) - tiny_images) * 255
    monkeypatch.delattr(gradient, "heavy_ball")
    assert moved.abs().max() == pytest.approx(8)
    assert recipe.name in physadv("list", "attacks").out


def test_the_column_shown_to_contributors_is_one():
    *_, column = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert eval(column, vars(table).copy()).heading == "pairs"
