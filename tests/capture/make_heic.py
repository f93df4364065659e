"""Makes the HEIC files that tests read: pi-heif, which physadv reads HEIC with, writes none.

pillow-heif does, with x265, which is under the GPL; it is needed here alone and stays out of the environment:

    pip install --no-deps --target /tmp/heif pillow-heif
    PYTHONPATH=/tmp/heif python tests/capture/make_heic.py
"""

from colour_profiles import display_p3
from PIL import ExifTags, Image
from test_reading import HEIC, RED_IN_P3, noise_picture, smooth_picture


def make_heic() -> None:
    import pillow_heif  # here, since pytest imports this file for its examples

    HEIC.mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    smooth = pillow_heif.from_pillow(Image.fromarray(smooth_picture()))
    smooth.save(HEIC / "smooth.heic")
    smooth.save(HEIC / "exif-6.heic", exif=exif.tobytes())
    pillow_heif.from_pillow(noise_picture()).save(HEIC / "noise.heic")
    pillow_heif.from_pillow(RED_IN_P3).save(HEIC / "display-p3.heic", icc_profile=display_p3(), quality=100)


if __name__ == "__main__":
    make_heic()
