"""The cross-device matrix: what is counted over devices, what is compared, and a run that is kept."""

from dataclasses import replace

import pytest

from physadv.evaluation import Judgement, PairOutcome
from reproductions.cells import load_way
from reproductions.devices import DEVICES, page, study
from reproductions.together import Pictured

RIGHT, WRONG = Judgement((3, 1, 2, 4, 5), 0.9), Judgement((7, 1, 2, 4, 8), 0.9)
NAMES = ("A", "B", "C")


def pictured(destroyed, images=40):
    """Images of which the first `destroyed` are right again in both photos, two to a sheet."""
    return [
        Pictured(
            PairOutcome(
                pair=str(place),
                label=3,
                clean=RIGHT,
                adversarial=WRONG,
                clean_after=(RIGHT, RIGHT),
                adversarial_after=(RIGHT if place < destroyed else WRONG,) * 2,
            ),
            place // 2,
            (0, 1),
        )
        for place in range(images)
    ]


def found():
    """A matrix in which an example loses nothing on its own device, half on others, and so do the rest."""
    return {
        device: {
            **{name: pictured(20) for name in (*study.CLASSICS, study.EOT)},
            **{study.for_device(name): pictured(0 if name == device else 20) for name in NAMES},
            study.OTHERS: pictured(10),
            study.EVERY: pictured(4),
        }
        for device in NAMES
    }


def test_devices_are_half_of_three_printers_and_four_phones():
    assert len(DEVICES) == 6
    assert len({printer for _, _, printer in DEVICES.values()}) == 3
    assert len({phone for _, phone, _ in DEVICES.values()}) == 4
    assert all(load_way(way).device == way[1] for way in DEVICES.values())


def test_rows_over_devices_take_the_diagonal_or_all_beside_it():
    matrix = found()
    rates = {row: page.over_devices(page.views(matrix, row, 1)) for row in page.summary_rows()}
    assert rates[page.OWN].value == 0
    assert rates[page.ANOTHER].value == 0.5
    assert rates[page.ANOTHER].n == 3 * 2 * 40 * 2
    assert rates[study.OTHERS].pairs == 3  # the interval rests on devices
    assert rates[study.OTHERS].low < page.cell(matrix, "A", study.OTHERS, 1).low
    own, another = (page.cell(matrix, "A", study.for_device(name), 1).value for name in ("A", "B"))
    assert (own, another) == (0, 0.5)


def test_the_comparisons_are_one_family_and_take_a_view_beside_its_own():
    tests = {(test.first, test.second): test for test in page.compare(found())}
    assert tuple(tests) == page.FAMILY
    assert tests[page.OWN, study.EOT].verdict == "eot higher"
    assert tests[page.OWN, page.ANOTHER].difference.value == -0.5
    assert tests[study.OTHERS, study.EOT].difference.value == -0.25
    assert tests[page.OWN, study.EOT].difference.pairs == 20  # sheets
    assert all(test.holm >= test.p for test in tests.values())


def test_the_page_says_that_all_is_simulated_and_shows_the_matrix(tmp_path):
    settings = study.Settings(tmp_path, "file:net.pt2", seeds=(0, 1), pairs=40)
    channels = {name: DEVICES[name] for name in NAMES}
    written = page.write(tmp_path, settings, channels, found())
    text = written[0].read_text(encoding="utf-8")
    assert text.index("## What no longer holds") < text.index("**Everything here is simulated**")
    assert "- **A**: printer `offset-coated`, phone `like-iphone-11-pro-max`" in text
    assert "| eot for A | 0.0 % (" in text
    assert "![Destroyed, per cent, top-1, rows: made for" in text
    assert all(path.stat().st_size for path in written)


@pytest.fixture
def devices():
    """Two devices with cameras of three megapixels that print continuous tones."""
    small = {}
    for name in ("A", "E"):
        preset = load_way(DEVICES[name])
        phone = replace(preset.phone, width=1512, height=2016, focal=1514)
        small[name] = replace(preset, phone=phone, printer=replace(preset.printer, halftone="continuous"))
    return small


def test_a_study_goes_on_where_it_was_and_leaves_a_device_out_only_on_itself(
    signs_csv, devices, tmp_path, monkeypatch
):
    images = tmp_path / "images"
    images.mkdir()
    (images / "labels.csv").write_text(
        signs_csv.read_text().replace("\n", f"\n{signs_csv.parent}/").removesuffix(f"{signs_csv.parent}/")
    )
    settings = study.Settings(
        images, "signs", side=32, image_mm=20, pairs=2, steps=1, samples=1, seeds=(0,), chunk=2
    )
    matrix = study.run(settings, devices, tmp_path / "root", workers=1)
    rows = {*study.CLASSICS, study.EOT, "eot for A", "eot for E", study.EVERY, study.OTHERS}
    assert {device: set(own) for device, own in matrix.items()} == {"A": rows, "E": rows}
    assert all(len(each.seeds) == 1 for each in matrix["A"]["fast"])
    monkeypatch.setattr(study, "photographed", None)
    assert study.run(settings, devices, tmp_path / "root", workers=1) == matrix
