"""Measured printers and phones: a target to print, its photos, and the profile that they make.

`make_target` and `print_target` make the page, `read_target` says what one photo shows of it, and
`fit_profile` fits a profile to several of these, which `draw_fit` shows. `read_profile` and `write_profile`
know its file; `Profile.distribution` draws from it and differentiates through it as any EOT distribution
does, and `Profile.looks` is its map of colours alone.

This room knows pages, photos, colours and tensors. It knows nothing of the virtual phone, of attacks or of
the files of a run.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.profiles.errors import ProfileError
    from physadv.profiles.figure import draw_fit
    from physadv.profiles.fitting import Fit, fit_profile
    from physadv.profiles.profile import Profile, read_profile, write_profile
    from physadv.profiles.reading import Reading, read_target
    from physadv.profiles.target import Target, make_target, print_target

# fmt: off
__all__ = [
    "Fit", "Profile", "ProfileError", "Reading", "Target", "draw_fit", "fit_profile", "make_target",
    "print_target", "read_profile", "read_target", "write_profile",
]
# fmt: on
__getattr__, __dir__ = lazy_names(__name__)
