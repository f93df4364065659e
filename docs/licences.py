"""Writes docs/licences.md: the licence of every wheel that an install brings, and the libraries inside.

    make docs/licences.md

Both are read from the wheels installed beside this Python, so the page speaks of one platform. Wheels do not
say in a form that can be read which licence a library has;
`LIBRARIES` has those that ask for more than a notice.
"""

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).with_suffix(".md")
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
EXTRAS = ("foolbox", "parquet", "timm", "video")
LIBRARIES = {
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libheif": "LGPL-3.0",
    "libde265": "LGPL-3.0",
    "libavcodec": "FFmpeg: LGPL-2.1-or-later, or the GPL where it is built with x264 or x265",
    "libmp3lame": "LGPL-2.0",
    "libgmp": "LGPL-3.0 or GPL-2.0",
    "libgnutls": "LGPL-2.1-or-later",
    "libhogweed": "LGPL-3.0 or GPL-2.0",
    "libnettle": "LGPL-3.0 or GPL-2.0",
    "libunistring": "LGPL-3.0 or GPL-2.0",
    "libasound": "LGPL-2.1-or-later",
    "libgfortran": "GPL-3.0 with GCC's runtime exception, which asks nothing of a program that links it",
    "libquadmath": "LGPL-2.1-or-later",
    "libgomp": "GPL-3.0 with GCC's runtime exception",
}
INTRODUCTION = """# What an install brings, and under which licence

physadv itself is under Apache-2.0. This page lists the wheels that come with it on Linux (x86-64, Python
3.11) in the versions of `constraints.txt`: the licence as each names it in its metadata, and the
compiled libraries inside. `make docs/licences.md` reads both from the installed wheels and writes the
page again. What it says of libraries is what their projects say of them. It is no legal advice.

What stands out:

- **The required wheels carry no GPL codec.** HEIC is read with pi-heif, whose wheel has the decoders
  libheif and libde265 (LGPL-3.0). pillow-heif, which also writes HEIC, has x265 (GPL-2.0) in its wheel;
  physadv does not use it.
- **`physadv[video]` does.** PyAV's wheel has FFmpeg built with x264 and x265 (GPL-2.0): whoever hands on
  a program with this wheel in it hands on GPL code. So it is an extra, and everything but videos works
  without it.
- opencv-python-headless has FFmpeg without them (LGPL-2.1), and reportlab brings a font, DarkGarden,
  under the GPL, which physadv does not use.
- On Linux a plain install of torch brings NVIDIA's CUDA libraries, which are proprietary. torch's makers
  also publish builds for the processor alone, which bring none; `constraints.txt` fits both.
- pyzbar uses the system's zbar (LGPL-2.1) on Linux and macOS; its wheel for Windows has zbar and
  libiconv inside.
"""
APART = """
## In an environment of their own

`make test-extras` installs what `tests/extras.txt` lists, without further requirements, and nothing else uses
it: torchattacks (`physadv[torchattacks]`, MIT), imagecorruptions-imaug (`physadv[corruptions]`, Apache-2.0),
numba (BSD) and llvmlite (BSD-2-Clause, with LLVM inside, Apache-2.0 with LLVM-exception).
"""


def required(extra: str = "") -> list[Requirement]:
    """Return what pyproject.toml requires, or one of its extras."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return list(
        map(Requirement, project["optional-dependencies"][extra] if extra else project["dependencies"])
    )


def brought_by(direct: list[Requirement]) -> set[str]:
    """Return the canonical names of packages and of what they require in turn, as far as it is installed."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(each.name), extra) for each in direct for extra in ("", *each.extras)]
    while waiting:
        name, asked = waiting.pop()
        try:
            further = map(Requirement, distribution(name).requires or ())
        except PackageNotFoundError:
            continue
        found.add((name, asked))
        for each in further:
            if not each.marker or each.marker.evaluate({"extra": asked}):
                more = [(canonicalize_name(each.name), extra) for extra in ("", *each.extras)]
                waiting += [one for one in more if one not in found]
    return {name for name, _ in found}


def licence(wheel: Distribution) -> str:
    """Return the licence as the metadata names it: as an expression, in a short text or by classifier."""
    text = (wheel.metadata.get("License") or "").strip()
    named = re.sub(r"^(.*?),? \(?(Copyright|see).*", r"\1", text)
    classifiers = wheel.metadata.get_all("Classifier") or []
    classified = ", ".join(each.split(" :: ")[-1] for each in classifiers if each.startswith("License ::"))
    short = "\n" not in text and 0 < len(named) <= 50 and "Copyright" not in named and not named.endswith("*")
    return (
        wheel.metadata.get("License-Expression") or (named if short else classified) or "not in the metadata"
    )


def libraries(wheel: Distribution) -> list[str]:
    """Return the names of the shared libraries inside, without hashes and versions."""
    inside = [Path(str(file)).name for file in wheel.files or ()]
    stems = (
        re.split(r"[-.]", name)[0] for name in inside if re.search(r"^lib[^.].*\.(so|dylib|dll)\b", name)
    )
    return sorted(set(stems))


def table(names: set[str]) -> str:
    """Return a Markdown table of installed packages."""
    lines = ["| wheel | licence | libraries inside |", "|---|---|---|"]
    for name in sorted(names):
        wheel = distribution(name)
        lines.append(f"| {name} {wheel.version} | {licence(wheel)} | {', '.join(libraries(wheel))} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page."""
    direct = {canonicalize_name(each.name) for each in required()}
    all_required = brought_by(required())
    parts = [INTRODUCTION, "\n## Required\n\n", table(direct)]
    parts += ["\n## What those require in turn\n\n", table(all_required - direct)]
    for extra in EXTRAS:
        more = brought_by(required(extra)) - all_required
        parts += [f"\n## With `physadv[{extra}]` too\n\n", table(more)]
    parts += [APART, "\n## Licences of libraries inside that ask for more than a notice\n\n"]
    parts += ["| library | licence |\n|---|---|\n"]
    parts += [f"| {name} | {text} |\n" for name, text in LIBRARIES.items()]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
