"""What simulated photos are made by: preset, phone, printer, profile and seed, as records name them."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from physadv.phone.presets import PhonePreset, load_device, load_phone_preset
from physadv.phone.printers import PRINTERS
from physadv.profiles import read_profile


@dataclass(frozen=True)
class MadeBy:
    """What a simulated photo is made by: a preset, a seed and, where it is a file of the user's, its numbers.

    A printer and a phone are named where they are not the preset's own.

    Of a file the name is kept without the path, which may lead through the user's home folder.
    """

    preset: str
    seed: int
    ranges: dict[str, Any] | None = None
    printer: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        if self.ranges is not None:
            object.__setattr__(self, "preset", Path(self.preset).name)
            object.__setattr__(self, "phone", Path(self.phone).name if self.phone else None)

    @classmethod
    def of(
        cls,
        preset: str,
        seed: int,
        printer: str | None = None,
        phone: str | None = None,
        profile: Path | None = None,
    ) -> Self:
        """Return what preset and phone as they are now make; raises PhoneError where either cannot be had.

        A profile stands in the phone's place, by the file's name and the beginning of its checksum.
        """
        if profile is not None:
            phone = f"{profile.name}#{read_profile(profile).checksum[:6]}"
        own = any(name.lower().endswith(".toml") for name in (preset, phone or ""))
        chosen = chosen_preset(preset, None if profile else phone)
        return cls(preset, seed, chosen.values() if own else None, printer, phone)

    @property
    def condition(self) -> str:
        """Return the preset's name, with a hash of the numbers where a file has them, which may be edited.

        The names of the phone and of the printer follow it, where they are given.
        """
        name = self.preset
        if self.ranges is not None:
            digest = hashlib.sha256(json.dumps(self.ranges, sort_keys=True).encode()).hexdigest()
            name += f"#{digest[:6]}"
        if self.phone:
            name += f" with {self.phone}"
        return f"{name} on {self.printer}" if self.printer else name


def parts_of(condition: str) -> tuple[str, str | None, str | None]:
    """Return the preset, and phone and printer if they are named, of a photo's `MadeBy.condition`.

    >>> parts_of("mine.toml#a1b2c3 with like-jolla on offset-coated")
    ('mine.toml', 'like-jolla', 'offset-coated')
    >>> parts_of("office with measured.json#a1b2c3")
    ('office', 'measured.json#a1b2c3', None)
    """
    rest, _, printer = condition.rpartition(" on ")
    if not (rest and printer in PRINTERS):
        rest, printer = condition, ""
    preset, _, phone = rest.rpartition(" with ")
    # A file's name can have any words in it; behind a preset's file and a profile's stands the hash.
    if not preset or re.search(r"(?<!\.json)#", phone):
        preset, phone = rest, ""
    return preset.partition("#")[0], phone or None, printer or None


def chosen_preset(preset: str, phone: str | None) -> PhonePreset:
    """Return a preset, with a phone instead of its own; raises PhoneError where either cannot be had."""
    chosen = load_phone_preset(preset)
    return chosen.taken_with(load_device(phone)) if phone else chosen
