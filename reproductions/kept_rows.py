"""Rows of a long study, kept as each ends, so that the same command goes on where it was stopped."""

import hashlib
import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import physadv
from physadv.parallel import map_items
from physadv.runs import replacing

Item = TypeVar("Item")
Row = TypeVar("Row")


def kept_rows(
    function: Callable[[Item], Row], items: Sequence[Item], folder: Path, *, workers: int | None = None
) -> Iterator[Row]:
    """Yield `function(item)` in the order of the items, as `map_items` does, or as an earlier run kept it.

    A row is kept under its item's `repr` and this program's own files: other code makes its own rows anew.
    Whoever has all rows deletes the folder.

    Args:
        function: importable by name; returns what can be pickled.
        items: each with a `repr` that says all there is to it.
        folder: of the rows. They are pickles, which may run code when read: it has to be the user's own.
        workers: processes; see `map_items`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return map_items(partial(_row, function, folder, source_digest()), items, workers=workers)


def source_digest() -> str:
    """Return the SHA-256 of this program's code and weights."""
    digest, root = hashlib.sha256(), Path(physadv.__file__).parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".safetensors", ".toml")):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _row(function: Callable[[Item], Row], folder: Path, source: str, item: Item) -> Row:
    name = hashlib.sha256(f"{source} {item!r}".encode()).hexdigest()[:16]
    path = folder / f"{name}.pickle"
    if path.exists():
        row: Row = pickle.loads(path.read_bytes())
        return row
    row = function(item)
    with replacing(path) as temporary:
        temporary.write_bytes(pickle.dumps(row))
    return row
