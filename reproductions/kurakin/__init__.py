"""Kurakin et al. 2017 again: the study of `study.toml`, and the pages that say what came of it.

`python -m reproductions.kurakin DATA` runs what is not yet done and writes docs/results/kurakin*.
"""

from pathlib import Path

STUDY = Path(__file__).with_name("study.toml")
COMMAND = "python -m reproductions.kurakin DATA"
ATTACKS = ("fast", "bim", "least-likely")
EPS = 16
"""Of the paper's figure, 8-bit levels."""
