"""Measured printers and phones: a target to print, its photos, and the profile that they make.

`read_profile` and `write_profile` know the file; `Profile.distribution` draws from it and differentiates
through it as any EOT distribution does, and `Profile.looks` is its map of colours alone.

This room knows pages, photos, colours and tensors. It knows nothing of the virtual phone, of attacks or of
the files of a run.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.profiles.profile import Profile, ProfileError, read_profile, write_profile

__all__ = ["Profile", "ProfileError", "read_profile", "write_profile"]
__getattr__, __dir__ = lazy_names(__name__)
