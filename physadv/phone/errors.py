"""What is wrong with what was asked of the virtual phone."""

from physadv.errors import PhysadvError


class PhoneError(PhysadvError):
    """A page cannot be printed or photographed as asked."""
