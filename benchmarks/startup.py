"""What an answer costs that computes nothing: help, lists, plans, and every error that needs no model.

    python benchmarks/startup.py [--quick]

Each command runs in a process of its own. CPU-seconds are user and system time, the least of five runs (one
with --quick): other processes on the machine can only add to it. Megabytes are the peak resident set, the
largest of the runs. The first line is a Python that does nothing. The last line is JSON: `worst_cpu_s` and
`worst_mb`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LISTS = ("models", "attacks", "transforms", "presets", "phones", "sweeps")
FILES = {
    "study.toml": 'name = "a"\nimages.path = "images"\nmodels.signs.spec = "signs"\nruns = []\nsede = 1\n',
    "eot.toml": '[[transform]]\nkind = "warpp"\n',
    "phone.toml": 'base = "hand-hedl"\n',
    "profile.json": "{}\n",
}
PROFILED = (
    ("generate", "images", "--name", "a", "--profile"),
    ("print", "mine", "--precompensate"),
    ("photograph", "mine", "--simulate", "--profile"),
    ("destruction-rate", "mine", "--profile"),
    ("stop-sign", "--profile"),
    ("calibrate", "compare", "mine", "--profile"),
)
"""Commands that a file of a measured printer and phone may end."""


def commands() -> dict[str, tuple[str, ...]]:
    """Return name → arguments of every command that must answer without torch.

    They expect `FILES`, the folder `images` and a printed run 'mine' in the current folder.
    """
    return {
        "--help": ("--help",),
        "generate --help": ("generate", "--help"),
        "stop-sign --help": ("stop-sign", "--help"),
        **{f"list {what}": ("list", what) for what in LISTS},
        "plan": ("plan", "--rate", "0.1", "--halfwidth", "0.05"),
        "plan, out of range": ("plan", "--rate", "10", "--halfwidth", "0.05"),
        "plan, no run": ("plan", "--run", "nowhere"),
        "photograph, text": ("photograph", "mine"),
        "no such command": ("genrate",),
        "no such list": ("list", "modles"),
        "wrong option": ("generate", "images", "--nam", "a"),
        "wrong value": ("generate", "images", "--name", "a", "--eps", "many"),
        "eps out of range": ("generate", "images", "--name", "a", "--eps", "256"),
        "no such attack": ("generate", "images", "--name", "a", "--attack", "bmi"),
        "no such model": ("generate", "images", "--name", "a", "--model", "sings"),
        "no such preset": ("generate", "images", "--name", "a", "--transforms", "identiy"),
        "generate, no path": ("generate", "nowhere", "--name", "a"),
        "adopt, no path": ("adopt", "nowhere", "images", "--name", "a"),
        "print, no run": ("print", "nowhere"),
        "photograph, no run": ("photograph", "nowhere"),
        "photograph, no preset": ("photograph", "mine", "--simulate", "--preset", "offise"),
        "crop, no run": ("crop", "nowhere"),
        "crop, no photo": ("crop", "mine", "nowhere.jpg"),
        "destruction-rate, no run": ("destruction-rate", "nowhere"),
        "destruction-rate, typo": ("destruction-rate", "mine", "--transform", "blurr=1"),
        "report, no run": ("report", "nowhere"),
        "compare, no run": ("compare", "nowhere", "mine"),
        "export, no run": ("export", "nowhere"),
        "masking-check, no path": ("masking-check", "nowhere"),
        "stop-sign, no path": ("stop-sign", "nowhere"),
        "harden, no path": ("harden", "--data", "nowhere"),
        "run, no path": ("run", "nowhere.toml"),
        "study with a typo": ("run", "study.toml", "--dry-run"),
        "EOT file with a typo": ("generate", "images", "--name", "a", "--transforms", "eot.toml"),
        "phone file with a typo": ("photograph", "mine", "--simulate", "--preset", "phone.toml"),
        **{f"{command[0]}, no profile": (*command, "profile.json") for command in PROFILED},
    }


def prepare(folder: Path) -> None:
    """Put the files that `commands` expects into a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "images").mkdir()
    # A PNG's first bytes: it is listed, and would be refused once it were read.
    (folder / "images" / "a.png").write_bytes(b"\x89PNG")


def measured(arguments: tuple[str, ...], folder: Path) -> tuple[float, float]:
    """Return CPU-seconds and megabytes of one start of Python."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1])])},
    )
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run each command once")
    runs = 1 if parser.parse_args().quick else 5
    found = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder)
        draw = (
            "-c",
            "from pathlib import Path; from physadv.demo import draw_signs; draw_signs(Path('signs'))",
        )
        attack = ("generate", "signs/labels.csv", "--name", "mine", "--model", "signs", "--attack", "fast")
        for make in (draw, ("-m", "physadv", *attack, "-q"), ("-m", "physadv", "print", "mine", "-q")):
            subprocess.run([sys.executable, *make], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        print(f"{'command':28} {'CPU-s':>6} {'MB':>5}")
        starts = {"python": ("-c", "pass")}
        starts |= {name: ("-m", "physadv", *arguments) for name, arguments in commands().items()}
        for name, arguments in starts.items():
            times = [measured(arguments, folder) for _ in range(runs)]
            found[name] = min(cpu for cpu, _ in times), max(mb for _, mb in times)
            print(f"{name:28} {found[name][0]:6.2f} {found[name][1]:5.0f}", flush=True)
    worst = {
        "worst_cpu_s": round(max(cpu for cpu, _ in found.values()), 3),
        "worst_mb": round(max(mb for _, mb in found.values()), 1),
    }
    print(json.dumps(worst))


if __name__ == "__main__":
    main()
