import json

import pytest

from physadv.runs import Printout, RunError
from physadv.runs.manifest import Manifest, read_manifest


@pytest.fixture
def manifest_path(printed_root, copy_of):
    return copy_of(printed_root) / "printouts" / "mine" / "manifest.json"


def edit(path, change):
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_what_is_written_is_what_is_read_and_a_person_can_read_it(manifest_path, tmp_path):
    manifest = read_manifest(manifest_path)
    manifest.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == manifest_path.read_bytes()
    assert read_manifest(tmp_path / "again.json") == manifest
    assert len(manifest_path.read_text().splitlines()) > 100


def test_pairs_are_clean_then_adversarial_of_one_source(manifest_path):
    pairs = read_manifest(manifest_path).pairs()
    assert len(pairs) == 5
    for clean, adversarial in pairs:
        assert (clean.kind, adversarial.kind) == ("clean", "adversarial")
        assert (clean.pair, clean.source, clean.label) == (
            adversarial.pair,
            adversarial.source,
            adversarial.label,
        )


def test_a_newer_schema_asks_for_an_update(manifest_path, physadv):
    edit(manifest_path, lambda fields: fields.update(schema_version=fields["schema_version"] + 1))
    error = physadv("print", "mine", "--root", manifest_path.parents[2]).error
    assert str(manifest_path) in error
    assert "newer" in error
    assert "update physadv" in error


@pytest.mark.parametrize("text", [b"", b"{", b"not json", b"\xff\xfe\x00", b'{"name": "mine"', b"[1]", b"7"])
def test_a_manifest_that_is_no_json_object_is_named(manifest_path, physadv, text):
    manifest_path.write_bytes(text)
    assert str(manifest_path) in physadv("print", "mine", "--root", manifest_path.parents[2]).error
    assert manifest_path.read_bytes() == text


def without_a_hash(fields):
    del fields["examples"][0]["sha256"]


def with_a_word_for_a_label(fields):
    fields["examples"][3]["label"] = "stop"


def with_an_unknown_field(fields):
    fields["printer"] = "laser"


def without_one_clean_example(fields):
    del fields["examples"][0]


def with_an_example_twice(fields):
    fields["examples"].append(fields["examples"][0])


def with_a_cell_of_nobody(fields):
    fields["sheets"][0]["cells"][0]["example"] = "0099-clean"


def with_nothing_seen(fields):
    fields["examples"][0]["digital"] = []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (without_a_hash, "examples.0.sha256"),
        (with_a_word_for_a_label, "examples.3.label"),
        (with_an_unknown_field, "printer"),
        (without_one_clean_example, "pair 0001"),
        (with_an_example_twice, "pair 0001"),
        (with_a_cell_of_nobody, "0099-clean"),
        (with_nothing_seen, "examples.0.digital"),
    ],
)
def test_an_edited_field_is_named(manifest_path, physadv, change, named):
    edit(manifest_path, change)
    error = physadv("crop", "mine", "--root", manifest_path.parents[2]).error
    assert str(manifest_path) in error
    assert named in error


@pytest.mark.parametrize("command", ["print", "photograph", "crop", "destruction-rate", "report"])
def test_an_example_edited_by_hand_stops_every_stage(manifest_path, physadv, contents, command):
    example = manifest_path.parent / "adversarial" / "0002.png"
    example.write_bytes((manifest_path.parent / "adversarial" / "0003.png").read_bytes())
    before = contents(manifest_path.parents[2])
    error = physadv(command, "mine", "--root", manifest_path.parents[2]).error
    assert str(example) in error
    assert "SHA-256" in error
    assert contents(manifest_path.parents[2]) == before


def test_a_hash_edited_in_the_manifest_is_found_too(manifest_path, physadv):
    edit(manifest_path, lambda fields: fields["examples"][1].update(sha256="0" * 64))
    error = physadv("print", "mine", "--root", manifest_path.parents[2]).error
    assert "0001.png" in error
    assert str(manifest_path) in error


def test_a_missing_example_is_named(manifest_path, physadv):
    (manifest_path.parent / "clean" / "0004.png").unlink()
    error = physadv("print", "mine", "--root", manifest_path.parents[2]).error
    assert "0004.png: missing" in error


def test_printing_goes_by_the_manifest_not_by_the_folder_s_name(manifest_path):
    folder = manifest_path.parent.rename(manifest_path.parent.with_name("renamed"))
    assert Printout(folder.parents[1], "renamed").printed_manifest().name == "mine"


def test_a_write_that_fails_leaves_the_manifest_as_it_was(manifest_path, monkeypatch):
    before = manifest_path.read_bytes()
    monkeypatch.setattr(Manifest, "model_dump_json", lambda *_, **__: "\ud800")
    with pytest.raises(RunError, match="not a JSON file"):
        read_manifest(manifest_path).write(manifest_path)
    assert manifest_path.read_bytes() == before
    assert not list(manifest_path.parent.glob(".*"))


def test_no_manifest_is_a_run_error(tmp_path):
    with pytest.raises(RunError, match="not found"):
        read_manifest(tmp_path / "manifest.json")
