"""Colour profiles that no library here brings."""

from PIL import ImageCms


def display_p3() -> bytes:
    """Display P3: sRGB's curve with the primaries of DCI-P3, as XYZ under D50 (SMPTE RP 431-2, adapted)."""
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for entry in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        offset = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        if (name := bytes(profile[entry : entry + 4])) in primaries:
            values = (round(value * 65536) for value in primaries[name])
            profile[offset + 8 : offset + 20] = b"".join(
                value.to_bytes(4, "big", signed=True) for value in values
            )
    return bytes(profile)
