"""The stop-sign command: what it writes, that it goes on where it was, and its one-line answers to bad input."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from physadv.capture import read_photo
from physadv.runs import Capture, Printout
from physadv.sheets import TRUE_SIZE_NOTICE, page_pixels

USUAL = ("stop-sign", "--name", "mine", "--mask", "two-bars", "--steps", "2", "--quick", "--quiet")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from physadv.stages.stop_sign import StopSignSettings, make_stickers
    from physadv.stages.stop_sign_judging import JudgeSettings, judge
    from physadv.stages.stop_sign_sheets import print_sign

    root = tmp_path_factory.mktemp("signs")
    printout, capture = Printout(root, "mine"), Capture(root, "mine")
    settings = StopSignSettings(drawn=4, target="speed limit 30", mask="two-bars", steps=2, batch=4)
    run = make_stickers(printout, settings)
    pdfs = print_sign(printout, run, scale="true")
    judged = judge(capture, run, JudgeSettings(shots=1, every=60, most=1), "physadv stop-sign")
    return printout, capture, settings, run, pdfs, judged
