"""The command line: parse, call one function, print. No logic lives here.

Results go to standard output, progress and errors to standard error. Bad input is one line and exit code 2.
Rooms of the package are imported where a command uses them, so that `--help` answers at once.
"""

from physadv.cli import calibrate, harden, loop, measuring, planning, stop_sign
from physadv.cli.app import app
from physadv.cli.running import main

__all__ = ["app", "calibrate", "harden", "loop", "main", "measuring", "planning", "stop_sign"]
