"""Read the house from its imports: `python docs/house.py` checks its order and draws docs/house.svg.

A room is a folder of the package, one of the four parts of `signs`, or a file at the top. `FLOORS` is the
order of the house: a room imports only rooms on the floors below its own, so no circle of rooms can close.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "randomness", "files", "text"),
    ("progress", "parallel", "keeping", "locking", "importing", "toml_tables", "pictures"),
    ("transforms", "sheets", "classifiers", "evaluation"),
    ("attacks", "phone", "capture"),
    ("defences", "profiles"),
    ("runs",),
    ("pipeline",),
    ("report",),
    ("study", "signs.drawing", "signs.posters"),
    ("signs.training", "signs.stop_sign", "demo", "notebook", "sampling"),
    ("cli",),
)
"""The rooms, ground floor first."""
LIBRARY = frozenset(room for floor in FLOORS[2:5] for room in floor)
"""The rooms that work on tensors, pixels and plain records and know no file of a run."""
ONLY_IN = {
    "sqlite3": "runs",
    "multiprocessing": "parallel",
    "concurrent": "parallel",
    "subprocess": "parallel",
}
"""A module that one room alone may import."""
LONGEST = 300
REASON = "Longer than 300 lines:"
"""What a longer file says in its docstring before the reason."""
_SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT (OR \w+ )?INTO|DELETE FROM|CREATE TABLE)\b", re.DOTALL)


@dataclass(frozen=True)
class Import:
    """One import of one file.

    Attributes:
        file: the file, relative to the root.
        line: its line there.
        module: the dotted name of what is imported.
    """

    file: Path
    line: int
    module: str


def room_of(module: str) -> str | None:
    """Return the room of a dotted module name, None for one outside the package and for its face."""
    parts = module.split(".")
    if parts[0] != "physadv" or len(parts) == 1:
        return None
    return ".".join(parts[1:3]) if parts[1] == "signs" and len(parts) > 2 else parts[1]


def module_of(file: Path) -> str:
    """Return the dotted name of a Python file, relative to the root."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def is_module(root: Path, name: str) -> bool:
    """Return whether a dotted name is a file or a folder below the root."""
    place = root.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def imports(root: Path, package: str = "physadv") -> Iterator[Import]:
    """Yield every import in the Python files of a package, those inside functions too."""
    for path in sorted((root / package).rglob("*.py")):
        file = path.relative_to(root)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield Import(file, node.lineno, f"{module_of(file)}.relative")
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield Import(file, node.lineno, inner if is_module(root, inner) else node.module)
            elif isinstance(node, ast.Import):
                yield from (Import(file, node.lineno, alias.name) for alias in node.names)


def arrows(root: Path) -> dict[tuple[str, str], list[Import]]:
    """Return (importing room, imported room) → the imports that tie them."""
    found: dict[tuple[str, str], list[Import]] = {}
    for each in imports(root):
        source, target = room_of(module_of(each.file)), room_of(each.module)
        if source and target and source != target:
            found.setdefault((source, target), []).append(each)
    return found


def violations(root: Path) -> list[str]:
    """Return what breaks the order of the house, a line each: file, line and the rule."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    lines = []
    for (source, target), ties in arrows(root).items():
        for tie in ties:
            where = f"{tie.file}:{tie.line}"
            if source in floor and target in floor and floor[source] <= floor[target]:
                lines.append(f"{where}: {source} imports {target}, which is not below it")
            if target == "runs" and source in LIBRARY:
                lines.append(f"{where}: library room {source} imports runs")
            unknown = {source, target} - set(floor) - {"__main__", "signs"}
            lines += [f"{where}: {room} stands on no floor" for room in sorted(unknown)]
    for tie in imports(root):
        first, room = tie.module.split(".")[0], room_of(module_of(tie.file))
        if first == "reproductions":
            lines.append(f"{tie.file}:{tie.line}: the package imports reproductions")
        if first in ONLY_IN and room != ONLY_IN[first]:
            lines.append(f"{tie.file}:{tie.line}: {first} is for {ONLY_IN[first]} alone")
        if tie.module.endswith(".relative"):
            lines.append(f"{tie.file}:{tie.line}: a relative import hides which room it reaches")
    for path in sorted((root / "physadv").rglob("*.py")):
        text, file = path.read_text(encoding="utf-8"), path.relative_to(root)
        if room_of(module_of(file)) != "runs":
            lines += [f"{file}:{line}: SQL is for runs alone" for line in _sql_lines(text)]
        if text.count("\n") > LONGEST and REASON not in (ast.get_docstring(ast.parse(text)) or ""):
            lines.append(f"{file}: over {LONGEST} lines; split it, or say '{REASON} …' in its docstring")
    return lines


def _sql_lines(text: str) -> list[int]:
    strings = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return [node.lineno for node in strings if isinstance(node.value, str) and _SQL.search(node.value)]


def lines_in(root: Path, room: str) -> int:
    """Return how many lines of Python a room holds."""
    place = root / "physadv" / room.replace(".", "/")
    files = [place.with_suffix(".py")] if place.with_suffix(".py").exists() else place.rglob("*.py")
    return sum(path.read_text(encoding="utf-8").count("\n") for path in files)


def picture(root: Path) -> str:
    """Return the house as SVG: floors from the command line down, a box a room, a line for each arrow."""
    width, height, gap, top = 128, 40, 16, 16
    floors = [[room for room in rooms if lines_in(root, room)] for rooms in reversed(FLOORS)]
    floors = [rooms for rooms in floors if rooms]
    across = max(map(len, floors)) * (width + gap) + gap
    place = {
        room: (across / 2 + (width + gap) * (column - (len(rooms) - 1) / 2), top + row * (height + 44))
        for row, rooms in enumerate(floors)
        for column, room in enumerate(rooms)
    }
    parts = []
    for source, target in sorted(arrows(root)):
        if source not in place or target not in place or target in FLOORS[0] + FLOORS[1]:
            continue
        (x1, y1), (x2, y2) = place[source], place[target]
        bend = (y1 + height + y2) / 2
        way = f"M{x1:g} {y1 + height:g} C{x1:g} {bend:g} {x2:g} {bend:g} {x2:g} {y2:g}"
        parts.append(f'<path d="{way}" class="arrow"/>')
    for room, (x, y) in place.items():
        kind = "library" if room in LIBRARY else "wing" if room.startswith("signs") else "application"
        parts.append(
            f'<rect x="{x - width / 2:g}" y="{y:g}" width="{width}" height="{height}" class="{kind}"/>'
        )
        parts.append(f'<text x="{x:g}" y="{y + 25:g}">{room.replace("signs.", "signs/")}</text>')
    bottom = top + len(floors) * (height + 44) - 28
    style = (
        "text{font:13px sans-serif;text-anchor:middle;fill:#1c1f24}"
        "rect{stroke:#6b7280;rx:6}.library{fill:#e3eefc}.application{fill:#f4f4f2}.wing{fill:#fdeee0}"
        ".arrow{fill:none;stroke:#9aa3b0;stroke-width:1}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {bottom}" role="img">'
        f"<title>The rooms of physadv and what they import</title><style>{style}</style>"
        '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def main() -> None:
    """Print what breaks the order, draw the picture, and exit with 1 if anything does."""
    found = violations(ROOT)
    print("\n".join(found) or "the house stands as it should")
    (ROOT / "docs" / "house.svg").write_text(picture(ROOT), encoding="utf-8")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
