"""What the page said before scenes were the clusters, to be held against what it says now."""

AGAINST = (
    ("sticker", "as files", "at least as good", "36 against 36 of 40"),
    ("sticker", "lab test", "no difference shown", "46.8 against 46.6 %"),
    ("sticker", "drive-by", "better", "44.4 against 43.2 %"),
    ("poster", "as files", "at least as good", "40 against 40 of 40"),
    ("poster", "lab test", "better", "98.8 against 83.7 %"),
    ("poster", "drive-by", "better", "99.8 against 81.4 %"),
)
"""Mask, test, outcome of ours against the published noise, and the two shares."""

GOALS = (
    ("LISA-CNN, poster", "lab test", 99.2, 95, 0.7),
    ("LISA-CNN, poster", "drive-by", 100.0, 85, 0.0),
    ("LISA-CNN, auto", "lab test", 92.5, 85, 0.2),
    ("LISA-CNN, auto", "drive-by", 95.6, 85, 0.0),
    ("LISA-CNN, auto", "drive-by, found", 76.7, 85, 0.0),
    ("LISA-CNN, two-bars", "lab test", 89.5, 85, 0.0),
    ("LISA-CNN, two-bars", "drive-by", 89.3, 85, 0.0),
    ("LISA-CNN, two-bars", "drive-by, found", 82.5, 85, 0.0),
    ("LISA-CNN, camouflage", "lab test", 89.5, 85, 0.7),
    ("LISA-CNN, camouflage", "drive-by", 87.6, 85, 0.0),
    ("LISA-CNN, camouflage", "drive-by, found", 78.0, 85, 0.0),
    ("signs, poster", "lab test", 100.0, 95, 0.3),
    ("signs, poster", "drive-by", 100.0, 85, 0.0),
    ("signs, auto", "lab test", 99.8, 85, 0.5),
    ("signs, auto", "drive-by", 91.1, 85, 0.0),
    ("signs, auto", "drive-by, found", 90.4, 85, 0.0),
    ("signs, two-bars", "lab test", 99.8, 85, 0.0),
    ("signs, two-bars", "drive-by", 90.2, 85, 0.4),
    ("signs, two-bars", "drive-by, found", 100.0, 85, 2.4),
    ("signs, camouflage", "lab test", 99.8, 85, 0.0),
    ("signs, camouflage", "drive-by", 86.7, 85, 0.0),
    ("signs, camouflage", "drive-by, found", 98.6, 85, 0.0),
)
"""Part, test, per cent reached, per cent wanted, and per cent that random stickers reached."""
