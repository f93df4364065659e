"""Where an attack's loop stands, kept in a file, so that a killed batch continues where it was."""

import time
from dataclasses import fields
from pathlib import Path

import torch

from physadv.attacks.loop import Snapshot
from physadv.keeping import Kept


class Checkpoint:
    """A file of snapshots, each in place of the one before.

    Args:
        path: the file.
        seconds: time between two snapshots.

    Attributes:
        queries: how often a black-box classifier had been queried when the snapshot was taken.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self.seconds = seconds
        self.queries = 0
        self._kept = Kept(path)
        self._written = time.monotonic()

    def keep(self, snapshot: Snapshot) -> None:
        """Write a snapshot if the last one is old enough."""
        if time.monotonic() - self._written < self.seconds:
            return
        kept = {field.name: getattr(snapshot, field.name) for field in fields(Snapshot)}
        self._kept.save(kept | {"queries": self.queries})
        self._written = time.monotonic()

    def read(self, device: torch.device) -> Snapshot | None:
        """Return the last snapshot, its values on a device, or None if there is none."""
        kept = self._kept.load(device)
        if kept is None:
            return None
        self.queries = kept.pop("queries")
        return Snapshot(**kept | {"stream": kept["stream"].cpu()})
