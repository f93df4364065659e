"""The error of this room."""

from physadv.errors import PhysadvError


class ClassifierError(PhysadvError):
    """A model, its weights, its labels or a label asked of it cannot be used."""
