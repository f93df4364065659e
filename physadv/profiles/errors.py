"""What goes wrong with targets, their photos and profiles; importing this needs nothing else."""

from physadv.errors import PhysadvError


class ProfileError(PhysadvError):
    """A target cannot be made, its photos cannot be fitted, or a profile cannot be read."""
