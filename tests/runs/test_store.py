import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from physadv.runs import CropRow, ObservationRow, ObservationStore, PhotoRow, RunError

VERSION_1 = f"""
CREATE TABLE photos (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, run TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
    width INTEGER, height INTEGER, camera TEXT, simulated INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE crops (
    photo TEXT NOT NULL REFERENCES photos(name), example TEXT NOT NULL, sheet INTEGER NOT NULL,
    cell INTEGER NOT NULL, path TEXT, reason TEXT, residual_px REAL, marks INTEGER NOT NULL,
    sharpness_px REAL, pixels_per_mm REAL, paper_level REAL, clipped REAL, correlation REAL,
    corners_px TEXT NOT NULL, PRIMARY KEY (photo, example)
) WITHOUT ROWID;
CREATE TABLE observations (
    run TEXT NOT NULL, classifier TEXT NOT NULL, channel TEXT NOT NULL, seed INTEGER NOT NULL,
    example TEXT NOT NULL, photo TEXT NOT NULL, labels TEXT NOT NULL, probabilities TEXT NOT NULL,
    PRIMARY KEY (run, classifier, channel, seed, example, photo)
) WITHOUT ROWID;
INSERT INTO photos VALUES ('a.jpg', '{"ab" * 32}', 'ABC123', 'used', NULL, 4032, 3024, 'a phone', 1);
INSERT INTO crops VALUES (
    'a.jpg', '0001-clean', 0, 3, 'crops/x.png', NULL, 0.05, 5, 0.8, 13.5, 201.0, 0.0, 0.98,
    '[[0.5, 1.0], [10.25, 1.0], [10.25, 9.0], [0.5, 9.0]]'
);
PRAGMA user_version = 1;
"""
LATER_COLUMNS = {
    2: (
        ("photos", "view TEXT NOT NULL DEFAULT ''"),
        ("photos", "colour TEXT NOT NULL DEFAULT 'photographed'"),
        ("photos", "exposure_stops REAL"),
        ("photos", "red_green REAL"),
        ("photos", "blue_green REAL"),
        ("photos", "delta_e TEXT NOT NULL DEFAULT '[]'"),
        ("photos", "delta_e_before TEXT NOT NULL DEFAULT '[]'"),
    ),
    3: (("photos", "remark TEXT"), ("crops", "angle_deg REAL"), ("crops", "distance_mm REAL")),
    4: (("crops", "sha256 TEXT"),),
    5: (
        ("photos", "preset TEXT"),
        ("photos", "seed INTEGER"),
        ("photos", "shot INTEGER"),
        ("crops", "margin REAL"),
    ),
    6: (("photos", "stretch REAL"),),
}
"""What each version of the store brought with it."""


def photo(name, reason=None):
    status = "refused" if reason else "used"
    return PhotoRow(name, "ab" * 32, "ABC123", status, reason, 4032, 3024, "a phone", simulated=True)


def cell(photo_name, example, path="crops/x.png"):
    corners = ((0.5, 1.0), (10.25, 1.0), (10.25, 9.0), (0.5, 9.0))
    return CropRow(photo_name, example, 0, 3, path, None, 0.05, 5, 0.8, 13.5, 201.0, 0.0, 0.98, corners)


def seen(example, photo_name="", *, run="RUN111", channel="photo", seed=0):
    return ObservationRow(run, "signs", channel, seed, example, photo_name, (14, 1, 2), (0.9, 0.05, 0.01))


def add(store, row, cells):
    store.add_file(row.file, [(row, cells)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "observations.sqlite"


def test_rows_come_back_as_they_went_in(path):
    with ObservationStore(path) as store:
        add(store, photo("a.jpg"), [cell("a.jpg", "0001-clean"), cell("a.jpg", "0001-adversarial")])
        add(store, photo("b.jpg", "shows no sheet"), [])
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
        add(store, photo("a.jpg"), [cell("a.jpg", "0001-clean"), cell("a.jpg", "0002-clean")])
        add(store, photo("b.jpg"), [cell("b.jpg", "0001-clean")])
        store.add_observations([seen("0001-clean", "a.jpg"), seen("0001-clean", "b.jpg")])
        add(store, photo("a.jpg"), [cell("a.jpg", "0002-clean")])
        assert store.crops() == [cell("a.jpg", "0002-clean"), cell("b.jpg", "0001-clean")]
        assert store.observations("RUN111", "signs", "photo", 0) == [seen("0001-clean", "b.jpg")]
        store.add_file("b.jpg", [])
        assert store.photos() == [photo("a.jpg")]
        assert store.observations("RUN111", "signs", "photo", 0) == []


def test_the_frames_of_a_video_are_added_and_forgotten_together(path):
    def frame(number):
        return replace(photo(f"clip.mp4#{number}"), view=str(number))

    with ObservationStore(path) as store:
        store.add_file("clip.mp4", [(frame(k), [cell(f"clip.mp4#{k}", "0001-clean")]) for k in (4, 31)])
        # Stills whose names begin like the video's, or look like one of its frames.
        add(store, photo("clip.mp4.jpg"), [])
        add(store, photo("clip.mp4#7"), [])
        assert {row.file for row in store.photos()} == {"clip.mp4", "clip.mp4.jpg", "clip.mp4#7"}
        store.add_file("clip.mp4", [(frame(5), [])])
        assert [row.name for row in store.photos()] == ["clip.mp4#5", "clip.mp4#7", "clip.mp4.jpg"]
        assert store.crops() == []
        store.add_file("clip.mp4", [])
        assert [row.name for row in store.photos()] == ["clip.mp4#7", "clip.mp4.jpg"]


def test_what_was_measured_and_remarked_comes_back(path):
    row = replace(
        photo("a.jpg"),
        colour="corrected",
        exposure_stops=-0.5,
        red_green=1.02,
        blue_green=0.94,
        delta_e=(1.5, 2.25),
        delta_e_before=(7.0, 9.5),
        remark="also shows 2 QR codes not of this program",
    )
    seen_from = replace(cell("a.jpg", "0001-clean"), angle_deg=12.5, distance_mm=410.0)
    with ObservationStore(path) as store:
        add(store, row, [seen_from])
        assert store.photos() == [row]
        assert store.crops() == [seen_from]


def test_a_store_of_version_1_is_taken_over_with_all_it_holds(path):
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    connection.close()
    with ObservationStore(path) as store:
        (row,) = store.photos()
        assert row == replace(photo("a.jpg"), view="", colour="photographed", delta_e=())
        assert store.crops() == [cell("a.jpg", "0001-clean")]
        add(store, replace(photo("b.jpg"), colour="corrected"), [])
    with ObservationStore(path) as store:
        assert [row.colour for row in store.photos()] == ["photographed", "corrected"]


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_a_store_of_an_earlier_version_is_taken_over_with_the_columns_of_a_new_one(path, version):
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    for table, column in (each for later in range(2, version + 1) for each in LATER_COLUMNS[later]):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.execute("UPDATE photos SET simulated = 0")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    with ObservationStore(path) as store:
        assert store.photos() == [replace(photo("a.jpg"), simulated=False, preset="real")]
        assert store.crops() == [cell("a.jpg", "0001-clean")]
    new = path.with_name("new.sqlite")
    with ObservationStore(new) as store:
        store.add_observations([seen("0001-clean")])
    for table in ("photos", "crops", "observations"):
        columns = []
        for file in (path, new):
            with closing(sqlite3.connect(file)) as connection:
                columns.append({tuple(row[1:]) for row in connection.execute(f"PRAGMA table_info({table})")})
        assert columns[0] == columns[1]


def test_a_photo_and_its_cells_are_one_transaction(path):
    with ObservationStore(path) as store:
        add(store, photo("a.jpg"), [cell("a.jpg", "0001-clean")])

        def cells():
            yield cell("b.jpg", "0001-clean")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            add(store, photo("b.jpg"), cells())
    with ObservationStore(path) as store:
        assert store.photos() == [photo("a.jpg")]
        assert store.crops() == [cell("a.jpg", "0001-clean")]


def test_compacted_bytes_depend_on_the_rows_and_not_on_their_history(tmp_path):
    names = ("a.jpg", "b.jpg", "c.jpg")
    with ObservationStore(tmp_path / "straight") as store:
        for name in names:
            add(store, photo(name), [cell(name, "0001-clean")])
        store.compact()
    for name in reversed(names):
        with ObservationStore(tmp_path / "winding") as store:
            add(store, photo("extra.jpg"), [cell("extra.jpg", f"{k:04d}-clean") for k in range(500)])
            store.compact()
            add(store, photo(name, "refused first"), [])
            add(store, photo(name), [cell(name, "0001-clean")])
            store.add_file("extra.jpg", [])
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
        add(store, photo("a.jpg"), [cell("a.jpg", f"{k:04d}-clean") for k in range(200)])
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
            add(other, photo("a.jpg"), [])


@pytest.mark.parametrize("command", ["crop", "destruction-rate", "report"])
def test_stages_say_so_in_one_line(physadv, photographed_root, copy_of, command):
    root = copy_of(photographed_root)
    store = root / "captures" / "mine" / "observations.sqlite"
    store.write_text("not a database, but long enough to be read as one" * 100)
    assert str(store) in physadv(command, "mine", "--quiet", "--root", root).error
    assert len(list((root / "captures" / "mine" / "photos").iterdir())) == 1
