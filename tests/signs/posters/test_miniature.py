from dataclasses import replace
from pathlib import Path

import numpy as np
from capture_scene import photograph, picture
from paper_signs import as_printed, write_sign_pdf
from PIL import Image

from physadv.capture.crop_photo import crop_photo
from physadv.phone import Phone
from physadv.signs.posters.paper_signs import PaperSign


def test_a_photo_of_a_miniature_is_cropped_as_a_sheet_is(tmp_path: Path) -> None:
    corners = 32 + 30 * np.array(
        [(-0.4, -1), (0.4, -1), (1, -0.4), (1, 0.4), (0.4, 1), (-0.4, 1), (-1, 0.4), (-1, -0.4)]
    )
    sign = PaperSign(Image.fromarray(picture("0")), corners, 150)
    pdf = tmp_path / "sign.pdf"
    (sheet,) = write_sign_pdf(pdf, sign, ["miniature"], run="RUN000", title="", example="stop-optimised")
    phone = replace(Phone(), width=1512, height=2016, focal=1514.0)
    scene = photograph(sheet, pdf, tmp_path / "photo.jpg", phone, seed=5)
    (found,) = crop_photo(scene.photo, [sheet], picture=lambda _: np.asarray(as_printed(sign))).sheets
    (cell,) = found.cells
    assert cell.example == "stop-optimised"
    assert cell.crop is not None
    assert cell.crop.shape == (64, 64, 3)
    assert len(found.marks_px) == len(sheet.marks) == 9
    assert np.linalg.norm(cell.corners_px - scene.truth["stop-optimised"], axis=1).max() < 0.3
    assert cell.correlation is not None
    assert cell.correlation > 0.9
