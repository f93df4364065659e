"""Kurakin et al. 2017 reproduced: the study in `study.toml`, and the pages of its results.

`python -m reproductions.kurakin DATA` runs what is not done yet and writes docs/results/kurakin*.
"""

from pathlib import Path

STUDY = Path(__file__).with_name("study.toml")
COMMAND = "python -m reproductions.kurakin DATA"
ATTACKS = ("fast", "bim", "least-likely")
EPS = 16
"""Budget of the paper's figure, 8-bit levels."""
