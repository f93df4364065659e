"""Nothing is deleted that the program did not make: it goes by its records, never by how a file is called."""

import pytest

PHOTO = "sheet-001-shot-1.jpg"
CROP = ("crop", "mine", "--quiet", "--workers", 1, "--root")


@pytest.mark.parametrize("overlay", [(), ("--overlay",)])
def test_crop_deletes_no_file_beside_its_own(physadv, cropped_root, copy_of, overlay):
    root = copy_of(cropped_root)
    capture = root / "captures" / "mine"
    (capture / "overlays").mkdir(exist_ok=True)
    foreign = [
        capture / "crops" / "holiday.png",
        capture / "crops" / f"0001-clean--{PHOTO}.old.png",
        capture / "overlays" / "holiday.jpg",
        capture / "overlays" / f"{PHOTO}#mine.jpg",
    ]
    for path in foreign:
        path.write_bytes(b"mine")
    physadv(*CROP, root, *overlay)
    photo = capture / "photos" / PHOTO
    photo.write_bytes(photo.read_bytes() + b"\0")
    physadv(*CROP, root, *overlay)
    photo.rename(photo.with_name("other.jpg"))
    physadv(*CROP, root, *overlay)
    assert all(path.read_bytes() == b"mine" for path in foreign)
    assert not list((capture / "crops").glob(f"*--{PHOTO}.png"))
    assert len(list((capture / "crops").glob("*--other.jpg.png"))) == 10
    assert not (capture / "overlays" / f"{PHOTO}.jpg").exists()
