"""What the pages of November 2026 said, so that today's can say what of it no longer holds."""

from physadv.evaluation.outcomes import Case

OLD_FAILED: dict[str, tuple[str, ...]] = {
    "the top-5 rate is above the top-1 rate": (),
    "fast is destroyed less than bim": ("average, eps 16, top-1",),
    "bim is destroyed less than least-likely": (),
}
"""Statement → the places in which kurakin.md said that it does not hold; in its others it held."""
OLD_FAILED_DIGITAL: dict[str, tuple[str, ...]] = {
    "the top-5 rate is above the top-1 rate": (
        "mobilenet_v1_025_128, fast, brightness",
        "mobilenet_v1_025_128, fast, noise",
        "squeezenet1_1, fast, noise",
    ),
    "brightness and contrast are the mildest": (
        "mobilenet_v1_025_128, top-1, fast",
        "mobilenet_v1_025_128, top-5, fast",
        "mobilenet_v1_050_160, top-1, fast",
        "squeezenet1_1, top-5, fast",
    ),
    "blur, noise and JPEG destroy more of the iterative ones than of fast": (
        "mobilenet_v1_025_128, top-1, noise",
        "mobilenet_v1_025_128, top-1, jpeg",
    ),
    "fast is destroyed less than bim": (
        "mobilenet_v1_025_128, top-1, brightness",
        "mobilenet_v1_025_128, top-1, contrast",
        "mobilenet_v1_025_128, top-1, noise",
        "mobilenet_v1_025_128, top-1, jpeg",
        "mobilenet_v1_025_128, top-5, brightness",
        "mobilenet_v1_025_128, top-5, contrast",
        "mobilenet_v1_050_160, top-1, brightness",
        "mobilenet_v1_050_160, top-1, contrast",
        "mobilenet_v1_050_160, top-5, brightness",
        "mobilenet_v1_050_160, top-5, contrast",
        "squeezenet1_1, top-1, brightness",
        "squeezenet1_1, top-1, contrast",
        "squeezenet1_1, top-5, brightness",
        "squeezenet1_1, top-5, contrast",
    ),
    "bim is destroyed less than least-likely": (),
}
"""The same of kurakin-digital.md."""
OLD_RATES: dict[tuple[Case, str, int, int], float] = {
    ("average", "fast", 16, 1): 12.2,
    ("average", "fast", 16, 5): 20.5,
    ("average", "fast", 8, 1): 15.9,
    ("average", "fast", 8, 5): 30.4,
    ("average", "bim", 16, 1): 12.0,
    ("average", "bim", 16, 5): 42.9,
    ("average", "bim", 8, 1): 18.8,
    ("average", "bim", 8, 5): 54.1,
    ("average", "least-likely", 16, 1): 49.5,
    ("average", "least-likely", 16, 5): 72.2,
    ("average", "least-likely", 8, 1): 53.8,
    ("average", "least-likely", 8, 5): 76.0,
    ("prefiltered", "fast", 16, 1): 0.0,
    ("prefiltered", "fast", 16, 5): 16.7,
    ("prefiltered", "fast", 8, 1): 17.6,
    ("prefiltered", "fast", 8, 5): 58.8,
    ("prefiltered", "bim", 16, 1): 17.0,
    ("prefiltered", "bim", 16, 5): 58.5,
    ("prefiltered", "bim", 8, 1): 26.1,
    ("prefiltered", "bim", 8, 5): 72.4,
    ("prefiltered", "least-likely", 16, 1): 61.7,
    ("prefiltered", "least-likely", 16, 5): 82.7,
    ("prefiltered", "least-likely", 8, 1): 63.0,
    ("prefiltered", "least-likely", 8, 5): 85.7,
}
"""(case, attack, eps, top) → destruction rate in percent, of one photo a pair in runs of their own."""
