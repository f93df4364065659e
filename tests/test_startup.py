"""Commands that compute nothing answer without torch: the list of `benchmarks/startup.py`, in one process."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from startup import PROFILED, commands, prepare

HEAVY = ("torch", "torchvision", "kornia", "cv2", "matplotlib", "pandas", "scipy", "reportlab")
# One process for all, which costs the imports once: what one command loads is there for the next.
ALL = """
import sys
from physadv.cli import main
for line in sys.stdin.read().splitlines():
    name, *arguments = line.split("\\t")
    try:
        main(arguments)
    except SystemExit:
        pass
    loaded = [module for module in {heavy!r} if module in sys.modules]
    print(f"\\n@ {{name}}: {{loaded}}")
    if loaded:
        break
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory, printed_root):
    folder = shutil.copytree(printed_root, tmp_path_factory.mktemp("startup"), dirs_exist_ok=True)
    prepare(folder)
    lines = "\n".join("\t".join((name, *arguments)) for name, arguments in commands().items())
    return subprocess.run(
        [sys.executable, "-c", ALL.format(heavy=HEAVY)],
        input=lines,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )


def test_no_answer_without_computation_imports_torch(answers):
    loaded = dict(line[2:].split(": ") for line in answers.stdout.splitlines() if line.startswith("@ "))
    assert loaded == dict.fromkeys(commands(), "[]")


def test_every_error_among_them_is_one_line_that_names_the_fault(answers):
    errors = answers.stderr.splitlines()
    assert all(line.startswith("error: ") for line in errors), errors
    text = "\n".join(errors)
    for fault in (
        "nowhere",
        "blurr",
        "offise",
        "sings",
        "bmi",
        "identiy",
        "study.toml",
        "warpp",
        "hand-hedl",
    ):
        assert fault in text
    refused = [line for line in errors if "profile.json: not a profile" in line]
    assert len(refused) == len(PROFILED)
