"""The virtual printer and phone: printed sheets on a table, photographed by hand; EXIF says "simulated".

`load_phone_preset` gives a preset, by name or from a TOML file; `print_page` prints a page's pixels;
`draw_shot` draws everything that a photo depends on, so that it can be taken again; `take_photo` and
`encode_jpeg` make the photo and its file. `page_to_photo` says exactly where a page point landed: for
checking only, cropping never sees it. This room knows pages, pixels and light, and no attack, classifier or
run.
"""

from typing import TYPE_CHECKING

from physadv.importing import lazy_names

if TYPE_CHECKING:
    from physadv.phone.encoding import encode_jpeg
    from physadv.phone.phones import Phone, PhoneError, Printer, PrintSettings, Scene
    from physadv.phone.photo import take_photo
    from physadv.phone.presets import PHONES, PhonePreset, load_phone_preset
    from physadv.phone.printing import Print, print_page
    from physadv.phone.shots import Shot, draw_shot, page_to_photo, wholly_visible

# fmt: off
__all__ = [
    "PHONES", "Phone", "PhoneError", "PhonePreset", "Print", "PrintSettings", "Printer", "Scene", "Shot",
    "draw_shot", "encode_jpeg", "load_phone_preset", "page_to_photo", "print_page", "take_photo",
    "wholly_visible",
]
# fmt: on

__getattr__, __dir__ = lazy_names(__name__)
