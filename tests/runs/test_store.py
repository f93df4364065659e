import sqlite3

import pytest

from physadv.runs import CropRow, ObservationRow, ObservationStore, PhotoRow, RunError


def photo(name, reason=None):
    status = "refused" if reason else "used"
    return PhotoRow(name, "ab" * 32, "ABC123", status, reason, 4032, 3024, "a phone", simulated=True)


def cell(photo_name, example, path="crops/x.png"):
    corners = ((0.5, 1.0), (10.25, 1.0), (10.25, 9.0), (0.5, 9.0))
    return CropRow(photo_name, example, 0, 3, path, None, 0.05, 5, 0.8, 13.5, 201.0, 0.0, 0.98, corners)


def seen(example, photo_name="", *, run="RUN111", channel="photo", seed=0):
    return ObservationRow(run, "signs", channel, seed, example, photo_name, (14, 1, 2), (0.9, 0.05, 0.01))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "observations.sqlite"


def test_rows_come_back_as_they_went_in(path):
    with ObservationStore(path) as store:
        store.add_photo(photo("a.jpg"), [cell("a.jpg", "0001-clean"), cell("a.jpg", "0001-adversarial")])
        store.add_photo(photo("b.jpg", "shows no sheet"), [])
        store.add_observations([seen("0001-clean", "a.jpg")])
    with ObservationStore(path) as store:
        assert store.photos() == [photo("a.jpg"), photo("b.jpg", "shows no sheet")]
        assert store.crops() == [cell("a.jpg", "0001-adversarial"), cell("a.jpg", "0001-clean")]
        assert store.observations("RUN111", "signs", "photo", 0) == [seen("0001-clean", "a.jpg")]


def test_observations_of_another_run_channel_or_seed_are_kept_apart(path):
    rows = [
        seen("0001-clean", channel="noise=10"),
        seen("0001-clean", channel="noise=10", seed=1),
        seen("0001-clean", channel="noise=10", run="RUN222"),
        seen("0001-clean", channel="blur=1"),
    ]
    with ObservationStore(path) as store:
        store.add_observations(rows)
        for row in rows:
            assert store.observations(row.run, "signs", row.channel, row.seed) == [row]


def test_a_photo_added_again_or_forgotten_takes_its_cells_and_observations_along(path):
    with ObservationStore(path) as store:
        store.add_photo(photo("a.jpg"), [cell("a.jpg", "0001-clean"), cell("a.jpg", "0002-clean")])
        store.add_photo(photo("b.jpg"), [cell("b.jpg", "0001-clean")])
        store.add_observations([seen("0001-clean", "a.jpg"), seen("0001-clean", "b.jpg")])
        store.add_photo(photo("a.jpg"), [cell("a.jpg", "0002-clean")])
        assert store.crops() == [cell("a.jpg", "0002-clean"), cell("b.jpg", "0001-clean")]
        assert store.observations("RUN111", "signs", "photo", 0) == [seen("0001-clean", "b.jpg")]
        store.forget_photo("b.jpg")
        assert store.photos() == [photo("a.jpg")]
        assert store.observations("RUN111", "signs", "photo", 0) == []


def test_a_photo_and_its_cells_are_one_transaction(path):
    with ObservationStore(path) as store:
        store.add_photo(photo("a.jpg"), [cell("a.jpg", "0001-clean")])

        def cells():
            yield cell("b.jpg", "0001-clean")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.add_photo(photo("b.jpg"), cells())
    with ObservationStore(path) as store:
        assert store.photos() == [photo("a.jpg")]
        assert store.crops() == [cell("a.jpg", "0001-clean")]


def test_compacted_bytes_depend_on_the_rows_and_not_on_their_history(tmp_path):
    names = ("a.jpg", "b.jpg", "c.jpg")
    with ObservationStore(tmp_path / "straight") as store:
        for name in names:
            store.add_photo(photo(name), [cell(name, "0001-clean")])
        store.compact()
    for name in reversed(names):
        with ObservationStore(tmp_path / "winding") as store:
            store.add_photo(photo("extra.jpg"), [cell("extra.jpg", f"{k:04d}-clean") for k in range(500)])
            store.compact()
            store.add_photo(photo(name, "refused first"), [])
            store.add_photo(photo(name), [cell(name, "0001-clean")])
            store.forget_photo("extra.jpg")
            store.compact()
            assert len(store.photos()) >= 1
    assert (tmp_path / "straight").read_bytes() == (tmp_path / "winding").read_bytes()
    assert {entry.name for entry in tmp_path.iterdir()} == {"straight", "winding"}


@pytest.mark.parametrize("size", [600, 5000])
def test_a_file_that_is_no_database_is_named_and_left_alone(path, size):
    path.write_bytes(b"x" * size)
    with pytest.raises(RunError, match=r"observations\.sqlite: not a usable"):
        ObservationStore(path)
    assert path.read_bytes() == b"x" * size


def test_a_damaged_database_is_named(path):
    with ObservationStore(path) as store:
        store.add_photo(photo("a.jpg"), [cell("a.jpg", f"{k:04d}-clean") for k in range(200)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(RunError, match=r"observations\.sqlite: not a usable .* move it away"):
        ObservationStore(path)


def test_damage_that_no_query_would_meet_is_found_on_opening(path):
    """A page in the middle of a table with its cells in another order: every query would still answer."""
    with ObservationStore(path) as store:
        store.add_observations([seen(f"{k:05d}-clean") for k in range(2000)])
    whole = bytearray(path.read_bytes())
    page = next(n for n in range(3, len(whole) // 4096) if whole[n * 4096] == 10)
    first = page * 4096 + 8
    whole[first : first + 4] = whole[first + 2 : first + 4] + whole[first : first + 2]
    path.write_bytes(whole)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT COUNT(*) FROM observations").fetchone() == (2000,)
    connection.close()
    with pytest.raises(RunError, match="order") as raised:
        ObservationStore(path)
    assert "\n" not in str(raised.value)


def test_a_transaction_cut_short_is_taken_back_from_the_journal(tmp_path, path):
    """A power cut leaves pages of an unfinished transaction in the file, the old ones in its journal."""
    with ObservationStore(path) as store:
        store.add_observations([seen(f"{k:05d}-clean") for k in range(500)])
        whole = path.read_bytes()
        store._connection.execute("PRAGMA cache_size = 1")
        store._connection.execute("BEGIN")
        store._connection.execute("UPDATE observations SET labels = '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]'")
        crashed = tmp_path / "crashed.sqlite"
        crashed.write_bytes(path.read_bytes())
        journal = path.with_name(f"{path.name}-journal").read_bytes()
        store._connection.execute("ROLLBACK")
    assert crashed.read_bytes() != whole
    (tmp_path / "crashed.sqlite-journal").write_bytes(journal)
    with ObservationStore(crashed) as store:
        rows = store.observations("RUN111", "signs", "photo", 0)
    assert rows == [seen(f"{k:05d}-clean") for k in range(500)]
    assert not (tmp_path / "crashed.sqlite-journal").exists()


def test_a_newer_store_asks_for_an_update(path):
    ObservationStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match=r"99 is newer than .*update physadv"):
        ObservationStore(path)


def test_a_store_in_use_is_said_to_be_so(path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file: connect(file, timeout=0.01))
    with ObservationStore(path) as mine, ObservationStore(path) as other:
        mine._connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RunError, match="in use"):
            other.add_photo(photo("a.jpg"), [])


@pytest.mark.parametrize("command", ["crop", "destruction-rate", "report"])
def test_stages_say_so_in_one_line(physadv, photographed_root, copy_of, command):
    root = copy_of(photographed_root)
    store = root / "captures" / "mine" / "observations.sqlite"
    store.write_text("not a database, but long enough to be read as one" * 100)
    assert str(store) in physadv(command, "mine", "--quiet", "--root", root).error
    assert len(list((root / "captures" / "mine" / "photos").iterdir())) == 1
