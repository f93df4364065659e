"""The commit in which the numbers of the virtual printers and phones were frozen before they judged."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBERS = (
    "physadv/phone/phone_files",
    "physadv/phone/preset_files",
    "physadv/phone/printers.toml",
    "physadv/transforms/profiles",
    "physadv/transforms/presses.py",
)


def frozen_commit() -> str:
    """Return the short hash of the last commit that touched `NUMBERS`, "unknown" outside a repository."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--no-merges", "--format=%h", "--", *NUMBERS]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        found = ""
    return found or "unknown"
