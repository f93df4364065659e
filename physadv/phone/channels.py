"""The three channels through which a destruction rate is shown as a band, never as one number."""

from dataclasses import dataclass, replace

from physadv.phone.presets import PhonePreset, load_device, load_phone_preset
from physadv.phone.printers import named_printer


@dataclass(frozen=True)
class Channel:
    """A printer, a phone and what is done with it, all by name.

    Attributes:
        printer: as `--printer` takes it.
        phone: as `--phone` takes it.
        preset: as `--preset` takes it.
    """

    printer: str
    phone: str
    preset: str

    def load(self) -> PhonePreset:
        """Return its preset with its phone and printer."""
        taken = load_phone_preset(self.preset).taken_with(load_device(self.phone))
        return replace(taken, printer=named_printer(self.printer))


CHANNELS = {
    "mild": Channel("offset-coated", "like-iphone-11-pro-max", "office"),
    "medium": Channel("office-laser", "like-iphone-6", "hand-held"),
    "harsh": Channel("office-inkjet", "like-jolla", "night"),
}
