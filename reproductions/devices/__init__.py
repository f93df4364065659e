"""The cross-device matrix: examples made for one printer and phone, judged through another; all simulated.

Wei et al. 2024 photographed one patch with six cameras and scored 0 to 35 %: what an attack is worth depends
on the device. Here a device is a virtual printer and a virtual phone, the situation is always the same.
"""

from reproductions.cells import Way

COMMAND = "python -m reproductions.devices DATA"
SITUATION = "office"
_PAIRS = (
    ("offset-coated", "like-iphone-11-pro-max"),
    ("office-laser", "like-iphone-6"),
    ("office-inkjet", "like-jolla"),
    ("offset-coated", "like-nokia-8-3"),
    ("office-laser", "like-jolla"),
    ("office-inkjet", "like-iphone-11-pro-max"),
)
"""Half of the twelve combinations: every printer twice, every phone once or twice."""
DEVICES: dict[str, Way] = {
    name: (SITUATION, phone, printer) for name, (printer, phone) in zip("ABCDEF", _PAIRS, strict=True)
}
"""Name on the page → situation, phone and printer."""
