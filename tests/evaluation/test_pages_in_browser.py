"""The report and the comparison in a real headless browser: quiet, alone, accessible, and not too wide."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from physadv.runs import Capture, Printout
from physadv.stages.compare import compare_runs
from physadv.stages.compare_page import write_comparison
from physadv.stages.generate import generate
from physadv.stages.measure import measure_runs
from physadv.stages.report import write_report
from physadv.stages.settings import GenerateSettings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWEEPS = ("blur=1:3:3", "viewpoint=yaw:-30:30:2,distance:1:2:2")
SECOND_JUDGE = """
from physadv.classifiers import load_classifier

def again():
    return load_classifier("signs")
"""
PAGES = ("report", "comparison")
WITHOUT_ALTERNATIVE = """
[...document.querySelectorAll("svg, img")]
    .filter(drawn => !(drawn.alt || drawn.closest("[role=img][aria-label]")))
    .map(drawn => drawn.outerHTML.slice(0, 200))
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
    if found is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)} on the PATH")
    with sync_playwright() as playwright:
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
    return {"report": report, "comparison": root / "comparison.html"}


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


def test_text_in_drawings_can_be_read_on_a_phone_and_is_not_cut_off(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(pages["report"].as_uri())
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
