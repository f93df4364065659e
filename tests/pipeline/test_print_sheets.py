from PIL import Image

from physadv.runs import Printout


def test_the_sheets_stand_in_the_manifest_and_the_examples_stay(printed_root, generated_root):
    manifest = Printout(printed_root, "mine").printed_manifest()
    assert manifest.examples == Printout(generated_root, "mine").manifest().examples
    assert [sheet.index for sheet in manifest.sheets] == [0]
    assert [cell.example for cell in manifest.sheets[0].cells] == [
        example.id for example in manifest.examples
    ]
    assert (printed_root / "printouts" / "mine" / "sheets.pdf").read_bytes().startswith(b"%PDF")


def test_printing_again_changes_nothing_that_is_printed(physadv, printed_root, copy_of, contents):
    root = copy_of(printed_root)
    before = contents(root)
    assert physadv("print", "mine", "--quiet", "--root", root).code == 0
    assert contents(root) == before


def test_another_layout_gets_other_codes(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    a4 = Printout(root, "mine").printed_manifest()
    assert physadv("print", "mine", "--page", "letter", "--quiet", "--root", root).code == 0
    letter = Printout(root, "mine").printed_manifest()
    assert letter.printed_code != a4.printed_code
    assert letter.code == a4.code


def test_previews_show_every_page(physadv, printed_root, copy_of):
    root = copy_of(printed_root)
    physadv("print", "mine", "--preview", "--quiet", "--root", root)
    with Image.open(root / "printouts" / "mine" / "sheet-001.png") as page:
        assert page.size == (1050, 1485)


def test_half_written_sheets_of_a_killed_process_are_swept_away(physadv, printed_root, copy_of):
    folder = copy_of(printed_root) / "printouts" / "mine"
    (folder / ".sheets.pdf.123.physadv.part").write_bytes(b"half")
    physadv("print", "mine", "--quiet", "--root", folder.parents[1])
    assert not list(folder.glob(".*"))
