"""From a photo of printed sheets to crops, each on the pixel grid of its example.

`read_photo` reads what phones write, and `read_video` takes the sharpest frames of a video. `crop_photo`
finds the sheets in a photo by their QR codes, fits each sheet of paper, flat or curled, to all of its marks,
cuts out every cell, and corrects colours on request. `draw_overlay` shows what was found. A photo or a cell
that cannot be used is refused with a reason.

This room knows pixels, pages and cameras. It knows nothing of attacks, classifiers or the files of a run, and
it needs no torch.
"""

from physadv.capture.cells import CroppedCell
from physadv.capture.crop_photo import CroppedPhoto, crop_photo
from physadv.capture.overlay import draw_overlay
from physadv.capture.papers import FoundSheet
from physadv.capture.reading import CaptureError, Photo, read_photo
from physadv.capture.video import is_video, read_video

# fmt: off
__all__ = [
    "CaptureError", "CroppedCell", "CroppedPhoto", "FoundSheet", "Photo", "crop_photo", "draw_overlay",
    "is_video", "read_photo", "read_video",
]
# fmt: on
