"""What a photo of `photograph --simulate` costs, 12 megapixels: processor time by stage, and memory.

    python benchmarks/photograph_cost.py [--quick] [--printer NAME] [--phone NAME]

Each preset photographs two printed sheets (one with --quick, by one preset), two photos a sheet, in a process
and a thread of its own. A sheet is printed once for its photos, so that a photo has half of that. CPU-seconds
are user and system time: other processes on the machine can only add to them. Imports are paid once a process
and shown apart. Megabytes (MiB) are the peak resident set, what the imports take included. The last line is
JSON: `cpu_s_a_photo` and `peak_mb`, the worst of the presets.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

PRESETS = ("office", "hand-held", "night")
PHONE = "like-iphone-11-pro-max"  # 4032 × 3024 pixels
SHOTS = 2
PAIRS = 8  # on a sheet
STAGES = {
    "draw": (("physadv.sheets.pdf", "page_pixels"),),
    "print": (("physadv.phone.printing", "print_page"),),
    "view": (("physadv.phone.photo", "take_photo"),),
    "sensor": (("physadv.phone.sensor:Sensor", "expose"), ("physadv.phone.sensor:Sensor", "read_out")),
    "file": (("physadv.phone.encoding", "encode_jpeg"),),
}
"""Stage → functions in which it is spent; only `take_photo` has another within it, the sensor."""


def prepare(folder: Path, sheets: int) -> None:
    """Print a run `mine` of drawn signs that fills a number of sheets."""
    draw = "from pathlib import Path; from physadv.demo import draw_signs; draw_signs(Path('signs'))"
    _python(folder, "-c", draw)
    table = folder / "signs" / "labels.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[: 1 + PAIRS * sheets]), encoding="utf-8")
    attack = ("generate", "signs/labels.csv", "--name", "mine", "--model", "signs", "--attack", "fast", "-q")
    _python(folder, "-m", "physadv", *attack)
    _python(folder, "-m", "physadv", "print", "mine", "-q")


def _python(folder: Path, *arguments: str) -> str:
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
    command = [sys.executable, *arguments]
    answer = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return answer.stdout


def photograph(preset: str, printer: str | None, phone: str) -> dict[str, float]:
    """Photograph the run in the current folder; return CPU-seconds by stage and in all, and MiB."""
    from importlib import import_module

    from made_runs import own_peak_mb

    for module in {module for functions in STAGES.values() for module, _ in functions}:
        import_module(module.partition(":")[0])
    from physadv.pipeline.photograph import photograph_simulated
    from physadv.runs import Capture, Printout

    import_module("pypdfium2")
    spent: Counter[str] = Counter(imports=time.process_time())
    for stage, functions in STAGES.items():
        for place, name in functions:
            module, _, owner = place.partition(":")
            holder = getattr(import_module(module), owner) if owner else import_module(module)
            setattr(holder, name, _timed(getattr(holder, name), stage, spent))
    photograph_simulated(
        Printout(Path(), "mine"),
        Capture(Path(), "mine"),
        preset=preset,
        printer=printer,
        phone=phone,
        shots=SHOTS,
        workers=1,
    )
    spent["view"] -= spent["sensor"]
    return {**spent, "all": time.process_time() - spent["imports"], "mb": own_peak_mb()}


def _timed(function: Callable[..., Any], stage: str, spent: Counter[str]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            spent[stage] += time.process_time() - started

    return timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one sheet, one preset")
    parser.add_argument("--printer", help="in place of the presets' own")
    parser.add_argument("--phone", default=PHONE, help="in place of the presets' own")
    parser.add_argument("--only", help="photograph the run in this folder by this preset, and print JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(photograph(options.only, options.printer, options.phone)))
        return
    sheets, presets = (1, PRESETS[:1]) if options.quick else (2, PRESETS)
    photos, worst_s, worst_mb = sheets * SHOTS, 0.0, 0.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, sheets)
        print(f"CPU-seconds a photo, {photos} photos of {sheets} sheets; imports once a process")
        print(f"{'preset':10}", *(f"{stage:>7}" for stage in (*STAGES, "rest", "all", "imports", "MiB")))
        for preset in presets:
            others = ("--phone", options.phone, *(("--printer", options.printer) if options.printer else ()))
            answer = _python(folder, str(Path(__file__).resolve()), "--only", preset, *others)
            spent = json.loads(answer.splitlines()[-1])
            parts = [spent[stage] / photos for stage in STAGES]
            whole = spent["all"] / photos
            shown = [*parts, whole - sum(parts), whole, spent["imports"]]
            print(f"{preset:10}", *(f"{each:7.2f}" for each in shown), f"{spent['mb']:7.0f}", flush=True)
            worst_s, worst_mb = max(worst_s, whole), max(worst_mb, spent["mb"])
    print(json.dumps({"cpu_s_a_photo": round(worst_s, 3), "peak_mb": round(worst_mb)}))


if __name__ == "__main__":
    main()
