import json
from pathlib import Path

import pytest
import torch

from physadv.keeping import Kept, KeptError


@pytest.mark.parametrize("name", ["state.json", "state.pt"])
def test_what_was_saved_last_is_loaded_until_it_is_forgotten(tmp_path, name):
    kept = Kept(tmp_path / "new" / name, "seed 0")
    assert kept.load() is None
    kept.save({"done": 1})
    kept.save({"done": 2})
    assert Kept(tmp_path / "new" / name, "seed 0").load() == {"done": 2}
    assert len(list(kept.path.parent.iterdir())) == 1
    kept.forget()
    kept.forget()
    assert kept.load() is None


def test_other_inputs_find_nothing(tmp_path):
    Kept(tmp_path / "state.pt", "seed 0").save(1)
    assert Kept(tmp_path / "state.pt", "seed 1").load() is None
    assert Kept(tmp_path / "state.pt").load() is None
    assert Kept(tmp_path / "state.pt", "seed 0").load() == 1


def test_tensors_come_back_as_they_were(tmp_path):
    kept = Kept(tmp_path / "state.pt")
    values = torch.rand(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    kept.save({"values": values, "rows": [(1, "a")]})
    loaded = kept.load()
    assert torch.equal(loaded["values"], values)
    assert loaded["rows"] == [(1, "a")]


def test_without_a_fingerprint_the_file_is_where_it_was_said_to_be(tmp_path):
    Kept(tmp_path / "steps.json").save({"b": 1, "a": 2})
    text = (tmp_path / "steps.json").read_text()
    assert json.loads(text) == {"a": 2, "b": 1}
    assert text.index("a") < text.index("b")


@pytest.mark.parametrize("name", ["state.json", "state.pt"])
def test_damaged_files_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"{no state")
    with pytest.raises(KeptError, match=f"{name} is damaged; delete it"):
        Kept(tmp_path / name).load()


def test_no_code_runs_and_only_the_classes_asked_for_are_made(tmp_path):
    kept = Kept(tmp_path / "state.pt")
    kept.save(Path("somewhere"))
    with pytest.raises(KeptError, match=r"state\.pt"):
        kept.load()
    kept.save(slice(1, 2))
    assert Kept(kept.path, classes=[slice]).load() == slice(1, 2)
