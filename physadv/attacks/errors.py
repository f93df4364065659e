"""The one exception of the room."""

from physadv.errors import PhysadvError


class AttackError(PhysadvError):
    """An attack, its images, labels or budget cannot be used, or its gradient broke down."""
