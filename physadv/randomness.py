"""Seeds: one number given by the user, and from it an independent stream for every thing that draws."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, *parts: str | int) -> int:
    """Return a 63-bit seed that depends on `seed` and on what it is for, and on nothing else."""
    text = "/".join(str(part) for part in (seed, *parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2s(text, digest_size=8).digest(), "big") >> 1


def generator(seed: int, *parts: str | int) -> "torch.Generator":
    """Return a torch generator for one purpose, seeded by `derive_seed`."""
    import torch

    return torch.Generator().manual_seed(derive_seed(seed, *parts))
