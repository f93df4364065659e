"""Kurakin et al. 2017 reproduced: the transformations of `study.toml`, and tables 1 to 3 photographed.

`python -m reproductions.kurakin DATA` runs what is not done yet and writes docs/results/kurakin*.
"""

from pathlib import Path

STUDY = Path(__file__).with_name("study.toml")
PROGRAMS = tuple(
    f"file:imagenet/nets/{net}.pt2"
    for net in ("mobilenet_v1_025_128", "mobilenet_v1_050_160", "squeezenet1_1")
)
"""The programs that the study names: whoever gives the folder that they lie in lets them run."""
COMMAND = "python -m reproductions.kurakin DATA"
ATTACKS = ("fast", "bim", "least-likely")
EPS = 16
"""Budget of the paper's figure, 8-bit levels."""
