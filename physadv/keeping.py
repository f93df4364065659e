"""The one way to resume: what long work has done so far, kept in a file until the work is finished."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physadv.errors import PhysadvError, machine_fault
from physadv.files import read_text, replacing

if TYPE_CHECKING:
    import torch


class KeptError(PhysadvError):
    """A file that work was to be resumed from is damaged."""


class Kept:
    """A file that holds how far some work has come, so that the same command continues from there.

    Each `save` replaces the file as a whole; a process killed at any moment leaves the state before or after.
    A path that ends in `.json` holds JSON; any other holds what `torch.save` writes, and is read without
    running code that a pickle could bring along.

    Args:
        path: the file.
        fingerprint: everything the work depends on, as text. A hash of it becomes part of the file's name, so
            that work with other inputs starts from nothing. Without it the path is used as it is.
        classes: the classes, other than tensors and plain containers, that a state may contain.

    Attributes:
        path: the file, with the hash of the fingerprint in its name.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> kept = Kept(Path(folder.name) / "work.json", fingerprint="seed 0, 10 epochs")
    >>> kept.load() is None
    True
    >>> kept.save({"epochs done": 3})
    >>> kept.load()
    {'epochs done': 3}
    >>> Kept(Path(folder.name) / "work.json", fingerprint="seed 1, 10 epochs").load() is None
    True
    >>> kept.forget()
    >>> folder.cleanup()
    """

    def __init__(self, path: Path, fingerprint: str = "", classes: Sequence[type] = ()) -> None:
        digest = hashlib.sha256(fingerprint.encode()).hexdigest()[:12]
        self.path = path.with_name(f"{path.stem}.{digest}{path.suffix}") if fingerprint else path
        self._classes: list[Any] = list(classes)

    def load(self, device: "torch.device | str" = "cpu") -> Any:
        """Return the state as it was saved last, tensors on a device, or None where nothing is kept.

        Raises:
            KeptError: the file is damaged, or contains a class it must not.
        """
        if not self.path.exists():
            return None
        try:
            if self.path.suffix == ".json":
                return json.loads(read_text(self.path))
            import torch

            with torch.serialization.safe_globals(self._classes):
                return torch.load(self.path, map_location=device, weights_only=True)
        except Exception as error:  # unpickling damaged bytes can raise anything
            if machine_fault(error):
                raise
            raise self.damaged() from error

    def save(self, state: Any) -> None:
        """Replace what is kept by `state`: tensors, numbers, text, and dicts, lists and tuples of them."""
        with replacing(self.path, tidy=True) as temporary:
            if self.path.suffix == ".json":
                text = json.dumps(state, indent=1, sort_keys=True) + "\n"
                temporary.write_text(text, encoding="utf-8")
            else:
                import torch

                # In memory first: on a full disk torch's own writer would not say what is wrong.
                written = io.BytesIO()
                torch.save(state, written)
                temporary.write_bytes(written.getbuffer())

    def forget(self) -> None:
        """Delete the file, once the work is done."""
        self.path.unlink(missing_ok=True)

    def damaged(self) -> KeptError:
        """Return the error for a state that cannot be used, for callers who find one incomplete."""
        return KeptError(f"{self.path} is damaged; delete it to begin anew")
