"""One small run of `physadv stop-sign`, made once for all tests that look at one."""

import json

import pytest
import torch

from physadv.runs import Capture, Printout
from physadv.signs.stop_sign.judge import judge
from physadv.signs.stop_sign.make import make_stickers
from physadv.signs.stop_sign.print import print_sign
from physadv.signs.stop_sign.settings import JudgeSettings, StopSignSettings, StudySize


@pytest.fixture(scope="session")
def stop_sign_settings():
    """The settings of stickers that take two steps."""
    return StopSignSettings(drawn=4, target="speed limit 30", mask="two-bars", steps=2, batch=4)


@pytest.fixture(scope="session")
def looks():
    """The smallest lab and drive-by tests: one sign, a photo a cell, few frames; 5 points are of interest."""
    return JudgeSettings(StudySize(shots=1, every=60, most=1), smallest=0.05)


@pytest.fixture(scope="session")
def judged_root(made_once, stop_sign_settings, looks):
    """A root with such a run, printed at true size and judged; not to be written to.

    `fresh.pt` has the stickers and their record before they went to the disk, `pdfs.json` the PDFs' names.
    """

    def fill(root):
        made = make_stickers(Printout(root, "mine"), stop_sign_settings)
        pdfs = print_sign(Printout(root, "mine"), made, scale="true")
        judge(Capture(root, "mine"), made, looks, "physadv stop-sign")
        torch.save((made.stickers, made.record), root / "fresh.pt")
        (root / "pdfs.json").write_text(json.dumps([path.name for path in pdfs]))

    return made_once("stop-sign", fill)
