"""The error of this room."""

from physadv.errors import PhysadvError


class RunError(PhysadvError):
    """A run, or a file of one, is missing, damaged, of another version or not the one that was wanted."""
