"""Numbers for other programs: what is written is what was measured."""

import csv
import io
import json
import sqlite3

import pytest

from physadv.runs import Printout


@pytest.fixture
def root(cropped_root, copy_of):
    return copy_of(cropped_root)


@pytest.fixture
def measured_root(physadv, root):
    physadv("destruction-rate", "mine", "--quiet", "--root", root, "--transform", "blur=1")
    return root


def tables(physadv, root, form, *more):
    answer = physadv(
        "destruction-rate", "mine", "--format", form, "--transform", "blur=1", "--root", root, *more
    )
    assert (answer.code, answer.err) == (0, "")
    return answer.out


def test_csv_holds_every_measure_of_the_json(physadv, root):
    given = json.loads(tables(physadv, root, "json"))
    rows = list(csv.DictReader(io.StringIO(tables(physadv, root, "csv"))))
    assert len(rows) == 2 * 4 * 15
    for row in rows:
        (found,) = (
            other[row["measure"]]
            for other in given["channels"][row["channel"]]["rows"]
            if (other["case"], str(other["top"])) == (row["case"], row["top"])
        )
        assert row["value"] == ("" if found["value"] is None else repr(found["value"]))
        assert row["undefined"] == (found["undefined"] or "")
        assert int(row["n"]) == found["n"]
        assert json.loads(row["discarded"]) == found["discarded"]


def test_json_flag_and_format_are_one(physadv, root):
    assert (
        tables(physadv, root, "json")
        == physadv("destruction-rate", "mine", "--json", "--transform", "blur=1", "--root", root).out
    )


def test_latex_is_a_table_for_booktabs(physadv, root):
    text = tables(physadv, root, "latex")
    lines = text.splitlines()
    assert lines[0] == r"\begin{table}"
    assert lines[-1] == r"\end{table}"
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == 8
    assert all(line.count(" & ") == 9 and line.endswith(r" \\") for line in body)
    assert body[0].startswith("photo (simulated) & average & 1 & ")
    assert "%" not in text.replace(r"\%", "")


def test_parquet_and_csv_hold_the_same(physadv, root, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, physadv[parquet]")
    answer = physadv(
        "destruction-rate",
        "mine",
        "--output",
        tmp_path / "t.parquet",
        "--transform",
        "blur=1",
        "--root",
        root,
    )
    assert answer.out == f"tables: {tmp_path / 't.parquet'}\n"
    rows = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    text = csv.DictReader(io.StringIO(tables(physadv, root, "csv")))
    assert [(r["measure"], r["n"], r["low"]) for r in rows] == [
        (r["measure"], int(r["n"]), float(r["low"]) if r["low"] else None) for r in text
    ]


def test_every_observation_is_exported(physadv, measured_root):
    answer = physadv("export", "mine", "--quiet", "--root", measured_root)
    path = measured_root / "captures" / "mine" / "observations.csv"
    assert answer.out == f"30 observations: {path}\n"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    connection = sqlite3.connect(measured_root / "captures" / "mine" / "observations.sqlite")
    stored = {
        row[:3]: row[3:]
        for row in connection.execute(
            "SELECT channel, example, photo, classifier, labels, probabilities FROM observations"
        )
    }
    connection.close()
    examples = {example.id: example for example in Printout(measured_root, "mine").manifest().examples}
    assert len(rows) == len(stored) == 30
    for row in rows:
        classifier, labels, probabilities = stored[row["channel"], row["example"], row["photo"]]
        assert row["classifier"] == classifier
        assert [int(row[f"label_{k + 1}"]) for k in range(5)] == json.loads(labels)
        assert [float(row[f"probability_{k + 1}"]) for k in range(5)] == json.loads(probabilities)
        example = examples[row["example"]]
        assert (row["pair"], row["kind"], int(row["label"])) == (example.pair, example.kind, example.label)
        assert row["simulated"] == ("True" if row["channel"] == "photo" else "")


def test_json_and_parquet_hold_the_same_observations(physadv, measured_root, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, physadv[parquet]")
    for form in ("json", "parquet"):
        physadv("export", "mine", "--format", form, "--output", tmp_path / form, "--root", measured_root)
    rows = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    assert parquet.read_table(tmp_path / "parquet").to_pylist() == rows
    assert len(rows) == 30


@pytest.mark.parametrize(
    ("command", "options", "named"),
    [
        ("destruction-rate", ["--format", "exel"], "unknown format 'exel'; nearest: "),
        ("destruction-rate", ["--format", "parquet"], "wanted --output FILE"),
        ("destruction-rate", ["--output", "t.xlsx"], "unknown format 'xlsx'"),
        ("export", ["--format", "cvs"], "unknown format 'cvs'; nearest: csv"),
        ("export", ["--format", "latex"], "physadv destruction-rate NAME --format latex"),
        ("export", [], "observations.sqlite: not found; run 'physadv destruction-rate' first"),
    ],
)
def test_bad_formats_are_one_line_before_anything_is_measured(
    physadv, generated_root, command, options, named
):
    error = physadv(command, "mine", "--root", generated_root, *options).error
    assert named in error
    assert not (generated_root / "captures").exists()


def test_a_missing_library_says_what_to_install(physadv, generated_root, monkeypatch, tmp_path):
    monkeypatch.setattr("physadv.report.export.find_spec", lambda name: None)
    for command in ("export", "destruction-rate"):
        error = physadv(
            command, "mine", "--format", "parquet", "--output", tmp_path / "x", "--root", generated_root
        ).error
        assert "pip install 'physadv[parquet]'" in error


def test_nothing_observed_yet_is_said(physadv, root):
    assert "no observation of this run" in physadv("export", "mine", "--root", root).error
    assert not (root / "captures" / "mine" / "observations.csv").exists()
