"""Every page in a real headless browser: quiet, alone, accessible, and not too wide."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from physadv.classifiers import load_classifier
from physadv.pipeline.generate import generate
from physadv.pipeline.measure import measure_runs
from physadv.pipeline.settings import GenerateSettings
from physadv.report.compare import compare_runs
from physadv.report.compare_page import write_comparison
from physadv.report.run_page import write_report
from physadv.runs import Capture, Printout
from physadv.signs.drawing.faces import face
from physadv.signs.stop_sign import FACE_SIDE
from physadv.signs.stop_sign.make import StickerRun
from physadv.signs.stop_sign.page import write_page
from physadv.signs.stop_sign.score import score_drive_by, score_lab
from physadv.signs.stop_sign.views import Answer, Exhibit, Judge

pytestmark = pytest.mark.long

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWEEPS = ("blur=1:3:3", "viewpoint=yaw:-30:30:2,distance:1:2:2")
SECOND_JUDGE = """
from physadv.classifiers import load_classifier

def again():
    return load_classifier("signs")
"""
PAGES = ("report", "comparison", "stop-sign")
WITHOUT_ALTERNATIVE = """
[...document.querySelectorAll("svg, img")]
    .filter(drawn => !(drawn.alt || drawn.closest("[role=img][aria-label]")))
    .map(drawn => drawn.outerHTML.slice(0, 200))
"""
TABLES_CUT_OFF = """
[...document.querySelectorAll(".scroll")]
    .filter(table => table.scrollWidth > table.clientWidth)
    .map(table => table.innerText.slice(0, 200))
"""
TEXTS_IN_DRAWINGS = """
[...document.querySelectorAll("svg text")].map(text => {
    const box = text.getBoundingClientRect()
    const svg = text.ownerSVGElement
    const scale = svg.clientWidth / svg.viewBox.baseVal.width
    const size = scale * parseFloat(getComputedStyle(text).fontSize)
    return [text.textContent, size, box.left, box.right]
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip(f"needs a browser: playwright's own, or one of {', '.join(BROWSERS)} on the PATH")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory, cropped_root, signs_csv) -> dict[str, Path]:
    """A report with every kind of figure, and a comparison of two runs of which one was photographed."""
    root = shutil.copytree(cropped_root, tmp_path_factory.mktemp("pages"), dirs_exist_ok=True)
    (root / "second_judge.py").write_text(SECOND_JUDGE)
    generate(Printout(root, "other"), GenerateSettings(images=signs_csv, attack="fast"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        judges = ["signs", "python:second_judge:again"]
        measurements = measure_runs(
            root, ["mine", "other"], models=judges, transforms=["noise=10"], sweeps=SWEEPS
        )
    report = write_report(Printout(root, "mine"), Capture(root, "mine"), measurements)
    write_comparison(compare_runs(root, ["mine", "other"], sweeps=SWEEPS), root / "comparison.html")
    return {"report": report, "comparison": root / "comparison.html", "stop-sign": stop_sign_page(root)}


def stop_sign_page(root: Path) -> Path:
    """The page of a run: simulated tests of a drawn sign, with and without stickers, and answers made up."""
    colour, cover = face("stop", FACE_SIDE)
    clean = torch.from_numpy(colour).permute(2, 0, 1)[None].float().clamp(0, 1)
    stickers = clean.clone()
    stickers[..., 40:70, 80:180] = 1
    faces = {"clean": clean, "random": clean, "optimised": stickers}
    stop, target, judge = 14, 1, load_classifier("signs")
    exhibit = Exhibit(Judge(judge, stop, target), ["a"], faces, torch.from_numpy(cover).float())
    said = {"clean": [stop] * 3, "random": [stop, 3], "optimised": [target] * 30}
    lab, drive = (
        [
            Answer(treatment, sign, place, distance, 0.0, stop, target, (answer,), (0.9,))
            for treatment, answers in said.items()
            for sign in "ab"
            for place, distance in places
            for answer in answers
        ]
        for places in ([("5 ft, 0°", 1.5), ("10 ft, 30°", 3.0)], [("approach 1", 12.0), ("approach 2", 31.0)])
    )
    record = {
        "asked": {"seed": 0, "mask": "auto"},
        "printability": {"nps_minimum": 0.01, "palette_error": 0.02},
        "attacked": ["b"],
        "judged": ["a"],
        "area_of_the_sign": 0.2,
        "versions": {"physadv": "1"},
    }
    run = StickerRun(exhibit.judge, [], stickers, torch.zeros(FACE_SIDE, FACE_SIDE), record)
    scores = (score_lab(lab), score_drive_by(drive), score_lab(lab, "photos of mine"))
    capture = Capture(root, "stop-sign")
    write_page(capture, run, exhibit, scores, 1, "physadv stop-sign --demo")
    return capture.report


@pytest.fixture(params=PAGES)
def opened(request, browser, pages) -> Iterator[tuple[Page, list[str]]]:
    """A page as a browser shows it, and all that it complains about or asks for."""
    address = pages[request.param].as_uri()
    page = browser.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:")) else noise.append(asked.url),
    )
    page.goto(address)
    yield page, noise
    page.close()


def test_page_is_quiet_accessible_and_no_wider_than_the_screen(opened: tuple[Page, list[str]]) -> None:
    page, noise = opened
    assert page.locator("svg").count() >= 3
    assert page.evaluate(WITHOUT_ALTERNATIVE) == []
    page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    # Contrast depends on the scheme and not on the width, the layout the other way round.
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        faults = Axe().run(page).response["violations"]
        assert [
            (fault["id"], node["html"][:200])
            for fault in faults
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ] == []
    assert noise == []


def test_tables_of_a_study_fit_a_desktop(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(pages["stop-sign"].as_uri())
    assert page.evaluate(TABLES_CUT_OFF) == []
    page.close()


@pytest.mark.parametrize("name", ["report", "stop-sign"])
def test_text_in_drawings_can_be_read_on_a_phone_and_is_not_cut_off(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(pages[name].as_uri())
    texts = page.evaluate(TEXTS_IN_DRAWINGS)
    page.close()
    assert len(texts) > 50
    for text, size, left, right in texts:
        assert size >= 9.5, text
        assert left >= 0, text
        assert right <= 390, text


def test_keyboard_reaches_sections_and_folded_tables(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["report"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#rates"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open] table").first.is_visible()
    page.close()
