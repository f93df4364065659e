"""Several attacks on one sheet: every image once as it is, its pictures together, and nothing lost."""

import pytest

from physadv.pipeline.generate import generate
from physadv.pipeline.settings import GenerateSettings
from physadv.runs import Printout
from reproductions.together import compare_views, print_together, shared


@pytest.fixture(scope="module")
def runs(signs_csv, tmp_path_factory):
    """Six runs of one attack on the same five signs."""
    root = tmp_path_factory.mktemp("together")
    found = {f"fast-{eps}": Printout(root, f"fast-{eps}") for eps in (1, 2, 4, 8, 16, 32)}
    for eps, printout in zip((1, 2, 4, 8, 16, 32), found.values(), strict=True):
        generate(printout, GenerateSettings(images=signs_csv, attack="fast", eps=eps, size=64))
    return found


@pytest.mark.parametrize(("rows", "sheets"), [(1, [10]), (3, [16, 4]), (6, [14, 14, 7])])
def test_an_images_pictures_lie_on_one_sheet_and_the_clean_one_once(runs, tmp_path, rows, sheets):
    chosen = dict(list(runs.items())[:rows])
    manifest = print_together(Printout(tmp_path, "all"), chosen)
    assert [len(sheet.cells) for sheet in manifest.sheets] == sheets
    sheet_of = {cell.example: sheet.index for sheet in manifest.sheets for cell in sheet.cells}
    assert len(sheet_of) == 5 * (1 + rows)
    images = {name: sheet for name, sheet in sheet_of.items() if name.endswith("-clean")}
    assert len(images) == 5
    for name, sheet in sheet_of.items():
        assert sheet == next(own for clean, own in images.items() if clean[:4] == name[:4])
    for sheet in manifest.sheets:
        assert {mark.cell for mark in sheet.marks} == set(range(len(sheet.cells)))


def test_the_common_run_has_the_files_of_the_runs_and_is_made_once(runs, tmp_path):
    printout = Printout(tmp_path, "all")
    manifest = print_together(printout, runs)
    for example in manifest.examples:
        name = example.pair.split("-", 1)[1]
        own = runs[name].manifest().example(f"{example.pair[:4]}-{example.kind}")
        assert example.sha256 == own.sha256
        assert (printout.folder / example.path).read_bytes() == (runs[name].folder / own.path).read_bytes()
    pdf = printout.pdf.stat().st_mtime_ns
    assert print_together(printout, runs) == manifest
    assert printout.pdf.stat().st_mtime_ns == pdf


def test_runs_of_other_images_are_refused(runs, signs_csv, tmp_path):
    fewer = Printout(tmp_path, "fewer")
    generate(fewer, GenerateSettings(images=signs_csv, attack="fast", size=64, limit=2))
    with pytest.raises(ValueError, match="all: wanted runs of the same images"):
        print_together(Printout(tmp_path, "all"), {**runs, "fewer": fewer})


def test_only_views_that_both_attacks_count_are_compared():
    views = {("a", 0): True, ("a", 1): False, ("b", 0): True}
    also = {("a", 0): False, ("b", 0): False}
    found = compare_views(("one", views), ("other", also), {"a": 0, "b": 0})
    assert (found.difference.value, found.difference.n, found.difference.pairs) == (1.0, 2, 1)


def test_a_photo_that_shows_several_pairs_makes_none_of_them_surer():
    views = {(str(pair), seed): pair % 2 == 0 for pair in range(12) for seed in range(3)}
    alone, together = (shared(views, {str(k): k // size for k in range(12)}) for size in (1, 4))
    assert (together.value, together.n, together.pairs) == (0.5, 36, 12)
    assert together.low <= alone.low < alone.high <= together.high
