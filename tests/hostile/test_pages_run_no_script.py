"""Names, labels and paths of a stranger's run stand in pages as text: none becomes a tag or an attribute."""

import json
import sqlite3
from contextlib import closing
from html.parser import HTMLParser

import pytest

from physadv.evaluation.intervals import proportion
from physadv.report.figures import side_by_side_figure
from physadv.report.table import to_html, words_table

HOSTILE = [
    "<script>alert(1)</script>",
    '" onload="alert(1)',
    "' onerror='alert(1)",
    "</style><svg/onload=alert(1)>",
]


class Tags(HTMLParser):
    """Collects the tags of a page and the names of their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def check(page):
    found = Tags(page)
    assert "script" not in found.tags
    assert not {name for name in found.attributes if name.startswith("on")}


@pytest.fixture
def hostile(cropped_root, copy_of, request):
    """A run with a text in every field of its manifest and store that takes any text."""
    root, text = copy_of(cropped_root), request.param
    path = root / "printouts" / "mine" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["code"] = manifest["attack"]["name"] = manifest["selection"]["images"] = text
    manifest["attack"]["parameters"] |= {"paper": text, text: text}
    manifest["versions"] |= {"torch": text, text: text}
    for example in manifest["examples"]:
        example["source"] = text
    path.write_text(json.dumps(manifest))
    with closing(sqlite3.connect(root / "captures" / "mine" / "observations.sqlite")) as store, store:
        store.execute("UPDATE photos SET camera = ?", (text,))
        store.execute("UPDATE crops SET reason = ?, path = NULL WHERE example = '0002-clean'", (text,))
        fields = "run, status, reason, simulated, name, sha256"
        refused = (manifest["sheets"][0]["code"].split("-")[1], "refused", text, 0, text, "")
        store.execute(f"INSERT INTO photos ({fields}) VALUES (?, ?, ?, ?, ?, ?)", refused)
    return root


@pytest.mark.parametrize("hostile", HOSTILE, indirect=True)
def test_a_report_holds_no_script(physadv, hostile):
    assert physadv("report", "mine", "--transform", "blur=1", "--quiet", "--root", hostile).code == 0
    check((hostile / "captures" / "mine" / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", HOSTILE)
def test_tables_and_drawings_hold_no_script(text):
    check(to_html(words_table(text, [text], [[text]]), "name"))
    check(side_by_side_figure("name", text, text, {text: {text: proportion([1, 0], [1, 1])}}).svg)
