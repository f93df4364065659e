"""Where an attack's loop stands, kept in a file, so that a killed batch goes on instead of starting anew."""

import time
from dataclasses import fields
from pathlib import Path

import torch

from physadv.attacks import Snapshot
from physadv.runs import replacing


class Checkpoint:
    """A file of snapshots, each in place of the one before.

    Args:
        path: of the file.
        seconds: between two of them.

    Attributes:
        queries: asked of a classifier that only answers until the snapshot was taken.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self.seconds = seconds
        self.queries = 0
        self._written = time.monotonic()

    def keep(self, snapshot: Snapshot) -> None:
        """Write a snapshot if the last one is old enough."""
        if time.monotonic() - self._written < self.seconds:
            return
        with replacing(self.path) as temporary:
            kept = {field.name: getattr(snapshot, field.name) for field in fields(Snapshot)}
            torch.save(kept | {"queries": self.queries}, temporary)
        self._written = time.monotonic()

    def read(self, device: torch.device) -> Snapshot | None:
        """Return the last snapshot, its values on a device, or None if there is none."""
        if not self.path.exists():
            return None
        kept = torch.load(self.path, map_location=device, weights_only=True)
        self.queries = kept.pop("queries")
        return Snapshot(**kept | {"stream": kept["stream"].cpu()})
