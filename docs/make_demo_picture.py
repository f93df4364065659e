"""Draw docs/demo.png in Chromium from a finished demo: `physadv demo && python docs/make_demo_picture.py`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def main(root: Path) -> None:
    """Take the pictures of the demo's page, as they look on a screen."""
    with sync_playwright() as drivers:
        browser = drivers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1160, "height": 900}, color_scheme="light")
        page.goto((root / "demo.html").resolve().as_uri())
        page.locator(".exhibits").screenshot(path=Path(__file__).with_name("demo.png"))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
