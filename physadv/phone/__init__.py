"""The virtual phone: printed sheets on a table, photographed by hand. Simulated, and its EXIF says so.

What a photo depends on is drawn into a `Shot` first, so that it can be taken again; where a page point landed
is known exactly and is for checking only, cropping never sees it.
"""

from physadv.phone.clutter import thumb_over
from physadv.phone.files import encode_jpeg
from physadv.phone.paper import FLAT, Bend, Paper
from physadv.phone.phones import PRESETS, Phone, Preset, Scene, load_phone
from physadv.phone.photo import take_photo
from physadv.phone.printing import AS_ASKED, PRINT_SETTINGS, PrintSettings, print_page
from physadv.phone.scene import Glare, Rod, Shadow
from physadv.phone.shots import Shot, draw_shot
from physadv.phone.truth import page_to_photo, photo_to_page, wholly_visible

__all__ = [
    "AS_ASKED",
    "FLAT",
    "PRESETS",
    "PRINT_SETTINGS",
    "Bend",
    "Glare",
    "Paper",
    "Phone",
    "Preset",
    "PrintSettings",
    "Rod",
    "Scene",
    "Shadow",
    "Shot",
    "draw_shot",
    "encode_jpeg",
    "load_phone",
    "page_to_photo",
    "photo_to_page",
    "print_page",
    "take_photo",
    "thumb_over",
    "wholly_visible",
]
