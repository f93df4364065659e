"""Phone presets in TOML: what a file changes, and every fault in one line."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from physadv.phone.phones import Phone, PhoneError, Printer, PrintSettings
from physadv.phone.presets import (
    CHANNELS,
    DEVICES,
    OF_DEVICE,
    PHONES,
    count_kinds,
    load_device,
    load_phone_preset,
)
from physadv.phone.printers import named_printer

GOOD = """
description = "a lamp beside the sheet, printed in a hurry"
base = "night"

[phone]
width = 1512
motion = 3
turns = [90, 270]

[scene]
glare = 1
glare_light = [0.5, 1.5]

[print]
scale = 0.97
monochrome = true
dpi = 150

[printer]
halftone = "diffused"
"""


def written(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_file_changes_what_it_names_and_keeps_the_rest_of_its_base(tmp_path: Path) -> None:
    night, mine = PHONES["night"].phone, load_phone_preset(written(tmp_path, GOOD))
    assert mine.name == "mine"
    assert mine.description == "a lamp beside the sheet, printed in a hurry"
    assert (mine.phone.width, mine.phone.motion, mine.phone.turns) == (1512, (3.0, 3.0), (90, 270))
    assert (mine.phone.height, mine.phone.exposure) == (night.height, night.exposure)
    assert (mine.phone.scene.glare, mine.phone.scene.glare_light) == (1.0, (0.5, 1.5))
    assert (mine.phone.scene.bow, mine.phone.scene.waves) == (night.scene.bow, night.scene.waves)
    assert mine.settings == PrintSettings(scale=0.97, monochrome=True, dpi=150.0)
    assert mine.printer == replace(named_printer("office-laser"), halftone="diffused")


def test_a_file_may_name_a_printer_and_every_number_of_it_is_recorded(tmp_path: Path) -> None:
    mine = load_phone_preset(written(tmp_path, 'printer = "office-inkjet"\nbase = "night"'))
    assert mine.printer == named_printer("office-inkjet")
    assert Printer(**mine.values()["printer"]) == mine.printer


def test_without_a_base_a_file_changes_the_default_phone(tmp_path: Path) -> None:
    assert load_phone_preset(written(tmp_path, "")).phone == Phone()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[phone", "mine.toml: "),
        ("fone = 1", "unknown key 'fone'; nearest: phone"),
        ('base = "ofice"', "unknown base 'ofice'; nearest: office"),
        ("description = 5", "description 5; wanted a text"),
        ("phone = 3", "phone: 3; wanted a table"),
        ("[phone]\nexposre = 1", "phone: unknown key 'exposre'; nearest: exposure"),
        ("[scene]\nthum = 1", "scene: unknown key 'thum'; nearest: thumb"),
        ("[phone]\nexposure = [1.2, 0.8]", "phone: exposure 1.2, 0.8: wanted two numbers, the lower first"),
        ("[phone]\nexposure = [1]", "phone, exposure: [1]; wanted [low, high] or a number"),
        ("[phone]\nexposure = 'high'", "phone, exposure: 'high'; wanted [low, high] or a number"),
        ("[phone]\ntilt = 95", "phone: tilt 95: wanted 0 to 70"),
        ("[phone]\ntilt = nan", "phone: tilt nan: wanted 0 to 70"),
        ("[phone]\ntilt = [1, 2]", "phone, tilt: [1, 2]; wanted a number"),
        ("[phone]\nwidth = 1.5", "phone, width: 1.5; wanted a whole number"),
        ("[phone]\nturns = []", "phone: turns none: wanted 0 to 359"),
        ("[phone]\norientations = [9]", "phone: orientations 9: wanted 1 to 8"),
        ("[phone]\nscene = {}", "phone, scene: wanted as a table of its own, [scene]"),
        ("[scene]\npen = 1.5", "scene: pen 1.5: wanted 0 to 1"),
        ("[print]\nscale = 2", "print: scale 2: wanted 0.5 to 1.5"),
        ("[print]\nmonochrome = 1", "print, monochrome: 1; wanted true or false"),
        (
            "[printer]\npress = 'offset-coted'",
            "printer: unknown press 'offset-coted'; nearest: offset-coated",
        ),
        ("[printer]\npress = 3", "printer, press: 3; wanted a name"),
        ("[printer]\nhalftone = 'dots'", "printer: unknown halftone 'dots'; nearest: "),
        ("[printer]\nink = 0.1", "printer: ink 0.1: wanted 0.2 to 1"),
        (
            "[printer]\nwhite = [1, 1, 1]\ndot_gain = 0.1",
            "printer: dot_gain, white: printers have measured colours",
        ),
        ("printer = 'office-lasr'", "unknown printer 'office-lasr'; nearest: office-laser"),
        ("printer = 3", "printer: 3; wanted a table"),
    ],
)
def test_every_fault_is_one_line_that_names_the_file(tmp_path: Path, text: str, line: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(PhoneError) as caught:
        load_phone_preset(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhoneError, match=r"none\.toml: No such file"):
        load_phone_preset(str(tmp_path / "none.toml"))


def test_names_and_typos_need_no_torch(tmp_path: Path) -> None:
    phone = written(tmp_path, "[phone]\ntilt = 95")
    eot = tmp_path / "eot.toml"
    eot.write_text('[[transform]]\nkind = "warp"\nscale = 1\n[[transform]]\nkind = "sensor"\nred = 1\n')
    program = f"""
import sys
from physadv.errors import PhysadvError
from physadv.phone import PHONES, load_phone_preset
from physadv.transforms import DIGITAL_TRANSFORMS, PRESETS, SWEEPS, load_preset, parse_sweep, parse_transform
for read, text in [
    (load_preset, "print-foto"), (load_preset, {str(eot)!r}), (load_phone_preset, "nigth"),
    (load_phone_preset, {phone!r}), (parse_transform, "blurr=1"), (parse_transform, "blur=x"),
    (parse_sweep, "all_"),
]:
    try:
        read(text)
    except PhysadvError:
        continue
    sys.exit(f"{{text}} was taken")
sys.exit(" ".join({{"torch", "cv2", "scipy", "kornia"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_every_number_of_the_packages_phones_and_presets_has_a_source() -> None:
    for named in (*DEVICES.values(), *PHONES.values()):
        assert "assumed: the file does not say" not in named.sources.values(), named.name
    for device in DEVICES.values():
        assert set(device.sources) == set(device.phone)
        kinds = count_kinds(device.sources)
        assert kinds["measured"] >= 6, device.name
        assert kinds["published"] == 4


def test_another_phone_brings_all_that_is_a_phones_and_leaves_the_rest() -> None:
    hand_held = PHONES["hand-held"]
    jolla = hand_held.taken_with(load_device("like-jolla"))
    assert hand_held.device == "like-iphone-6"
    assert (jolla.device, jolla.phone.quality) == ("like-jolla", (85.0, 85.0))
    # The other phone's tables go with it.
    assert hand_held.phone.quantisers
    assert jolla.phone.quantisers is None
    kept = [name for name in Phone.__dataclass_fields__ if name not in OF_DEVICE]
    assert all(getattr(jolla.phone, name) == getattr(hand_held.phone, name) for name in kept)
    assert jolla.sources["quality"].startswith("measured: jolla.jpg")


def test_a_phone_of_ones_own_changes_one_of_the_packages(tmp_path: Path) -> None:
    text = 'base = "like-iphone-6"\n[phone]\nquality = 70\n[sources]\nquality = "measured: my files"\n'
    mine = load_device(written(tmp_path, text))
    assert (mine.name, mine.phone["width"], mine.phone["quality"]) == ("mine", 2448, (70.0, 70.0))
    assert "quantisers" not in mine.phone
    assert mine.sources["quality"] == "measured: my files"
    preset = load_phone_preset(written(tmp_path, 'base = "hand-held"\n[phone]\nquality = 70\n'))
    assert preset.phone.quantisers is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[phone]\ntilt = 3", "phone: unknown key 'tilt'; nearest: "),
        ("[scene]\nbow = 3", "unknown key 'scene'; nearest: "),
        ("[phone]\nhalo = 0", "phone: halo 0, 0: wanted 0.3 to 20"),
        ("[phone]\nsubsampling = '4:1:1'", "phone: unknown subsampling '4:1:1'; nearest: 4:"),
        ("[phone]\nquantisers = [[1], [2]]", "phone: quantisers: wanted two tables of 64 whole numbers"),
        ("[phone]\nhalo = 1\n[sources]\nhalo = 'guessed'", "sources, halo: 'guessed'; wanted measured, "),
        (
            "[phone]\nhalo = 1\n[sources]\nhalos = 'assumed: so'",
            "sources: unknown number 'halos'; nearest: halo",
        ),
        ("sources = 3", "sources: 3; wanted a table"),
    ],
)
def test_every_fault_of_a_phone_is_one_line_that_names_the_file(tmp_path: Path, text: str, line: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(PhoneError) as caught:
        load_device(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_phone_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PhoneError, match="unknown phone 'like-iphone'; nearest: like-iphone-6"):
        load_device("like-iphone")
    with pytest.raises(PhoneError, match="unknown phone 'like-iphone-7'; nearest: like-iphone-6"):
        load_phone_preset(written(tmp_path, 'device = "like-iphone-7"'))


def test_every_channel_of_the_band_is_made_of_what_there_is() -> None:
    for preset, phone, printer in CHANNELS.values():
        assert load_phone_preset(preset).taken_with(load_device(phone)).device == phone
        assert named_printer(printer)
