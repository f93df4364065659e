"""Rows of a long study, each kept when it is finished: a stopped command continues where it was."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import physadv
from physadv.keeping import Kept
from physadv.parallel import map_items

Item = TypeVar("Item")
Row = TypeVar("Row")


def kept_rows(
    function: Callable[[Item], Row],
    items: Sequence[Item],
    folder: Path,
    *,
    workers: int | None = None,
) -> Iterator[Row]:
    """Yield `function(item)` in the order of the items, as `map_items` does, or as an earlier run kept it.

    A row is kept under its item's `repr` and a hash of this program's code: changed code makes its rows anew.
    The caller deletes the folder once it has all rows.

    Args:
        function: importable by name; its annotation says what a row is: tensors, plain values, dataclasses.
        items: each with a `repr` that identifies it.
        folder: where the rows are kept.
        workers: number of processes; all cores by default.
    """
    classes = sorted(dataclasses_in(get_type_hints(function).get("return")), key=repr)
    return map_items(partial(_row, function, folder, source_digest(), classes), items, workers=workers)


def dataclasses_in(annotation: Any) -> set[type]:
    """Return the dataclasses that a type annotation names, and those that their fields name in turn."""
    own = {annotation} if isinstance(annotation, type) and is_dataclass(annotation) else set()
    inner = get_type_hints(annotation).values() if own else get_args(annotation)
    return own.union(*(dataclasses_in(each) for each in inner))


def source_digest() -> str:
    """Return the SHA-256 of this program's code and weights."""
    digest, root = hashlib.sha256(), Path(physadv.__file__).parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".safetensors", ".toml")):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _row(
    function: Callable[[Item], Row], folder: Path, source: str, classes: Sequence[type], item: Item
) -> Row:
    kept = Kept(folder / "row.pt", f"{source} {item!r}", classes)
    row: Row | None = kept.load()
    if row is None:
        row = function(item)
        kept.save(row)
        kept.load()  # a row that a later run could not read fails here, not there
    return row
