from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
import torch

from reproductions import kept_rows as module
from reproductions.kept_rows import dataclasses_in, kept_rows


def noted(item):
    """Return the row of an item; note beside it that it was made; refuse where it is told to."""
    number, notes = item
    if (notes / "refuse").exists() and number == 2:
        raise RuntimeError("stopped")
    with (notes / "made").open("a") as made:
        made.write(f"{number} ")
    return {"row": number}


@pytest.fixture
def study(tmp_path):
    """A study of three rows: how to run it, its folder, and which rows were made."""
    notes = tmp_path / "notes"
    notes.mkdir()
    items = [(number, notes) for number in range(3)]

    def run(workers=1):
        return list(kept_rows(noted, items, tmp_path / "rows", workers=workers))

    return run, notes, lambda: sorted((notes / "made").read_text().split())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_study_makes_only_what_is_missing(study, workers):
    run, notes, made = study
    (notes / "refuse").touch()
    with pytest.raises(RuntimeError, match="stopped"):
        run()
    assert made() == ["0", "1"]
    (notes / "refuse").unlink()

    assert run(workers) == [{"row": 0}, {"row": 1}, {"row": 2}]
    assert made() == ["0", "1", "2"]


def test_rows_of_other_code_are_made_anew(study, monkeypatch):
    run, _, made = study
    run()
    monkeypatch.setattr(module, "source_digest", lambda: "other")
    run()
    assert made() == ["0", "0", "1", "1", "2", "2"]


@dataclass(frozen=True)
class Part:
    values: torch.Tensor


@dataclass(frozen=True)
class Whole:
    parts: Mapping[str, Sequence[Part]]
    other: Part | None = None


def made_of_parts(number: int) -> Whole:
    return Whole({"a": [Part(torch.full((2,), float(number)))]})


def test_rows_are_the_dataclasses_that_the_function_returns(tmp_path, monkeypatch):
    assert dataclasses_in(Whole | int) == {Whole, Part}
    assert dataclasses_in(int) == set()
    (made,) = kept_rows(made_of_parts, [3], tmp_path, workers=1)
    monkeypatch.setattr(module.Kept, "save", lambda *_: pytest.fail("made anew"))
    (kept,) = kept_rows(made_of_parts, [3], tmp_path, workers=1)
    assert isinstance(kept, Whole)
    assert torch.equal(kept.parts["a"][0].values, made.parts["a"][0].values)
