"""observations.sqlite: photos, crops and classifiers' answers; one transaction per photo file or batch."""

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from physadv.errors import MachineError
from physadv.files import replacing
from physadv.runs.folders import RunError
from physadv.runs.rows import CropRow, ObservationRow, PhotoRow, Row, from_columns, names_of, to_columns

# What SQLite says of memory, permission and disks, and not of what is in the file.
_MACHINE = (
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_IOERR,
)
STORE_VERSION = 7
R = TypeVar("R", PhotoRow, CropRow, ObservationRow)

_TABLES = """
CREATE TABLE IF NOT EXISTS photos (
    name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, run TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
    width INTEGER, height INTEGER, camera TEXT, simulated INTEGER NOT NULL, view TEXT NOT NULL DEFAULT '',
    colour TEXT NOT NULL DEFAULT 'photographed', exposure_stops REAL, red_green REAL, blue_green REAL,
    delta_e TEXT NOT NULL DEFAULT '[]', delta_e_before TEXT NOT NULL DEFAULT '[]', remark TEXT,
    preset TEXT, seed INTEGER, shot INTEGER, stretch REAL, chroma REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crops (
    photo TEXT NOT NULL REFERENCES photos(name), example TEXT NOT NULL, sheet INTEGER NOT NULL,
    cell INTEGER NOT NULL, path TEXT, reason TEXT, residual_px REAL, marks INTEGER NOT NULL,
    sharpness_px REAL, pixels_per_mm REAL, paper_level REAL, clipped REAL, correlation REAL,
    corners_px TEXT NOT NULL, angle_deg REAL, distance_mm REAL, sha256 TEXT, margin REAL,
    corrected_sha256 TEXT,
    PRIMARY KEY (photo, example)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS observations (
    run TEXT NOT NULL, classifier TEXT NOT NULL, channel TEXT NOT NULL, seed INTEGER NOT NULL,
    example TEXT NOT NULL, photo TEXT NOT NULL, labels TEXT NOT NULL, probabilities TEXT NOT NULL,
    PRIMARY KEY (run, classifier, channel, seed, example, photo)
) WITHOUT ROWID;
"""

_IS_VIEW = "(instr({}, '/') > 0)"
"""Whether a photo's name is that of a view and not of a file."""
_ONE_CHANNEL = "run = ? AND classifier = ? AND channel = ? AND seed = ?"


class ObservationStore:
    """The store of one capture; a killed process leaves whole transactions and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path, self._is_new = path, not path.exists()
        with self._faults_named():
            self._connection = sqlite3.connect(path)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        # Work that was refused before anything was stored leaves no store behind.
        held = "SELECT EXISTS (SELECT 1 FROM photos UNION ALL SELECT 1 FROM observations)"
        useless = self._is_new and fault[0] is not None and self.select(held) == [(0,)]
        self.close()
        if useless:
            self.path.unlink(missing_ok=True)

    def _prepare(self) -> None:
        with self._faults_named():
            # Reading rolls back what a killed process left half-written, from the journal beside the file.
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            fault = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if fault != "ok":
                raise sqlite3.DatabaseError(fault.splitlines()[-1])
            # Views and triggers are programs: one that never ends would run as soon as a table is read.
            for kind, name in self._connection.execute("SELECT type, name FROM sqlite_master"):
                if kind in ("view", "trigger"):
                    raise sqlite3.DatabaseError(f"it holds the {kind} '{name}'")
            if version < 0:
                raise sqlite3.DatabaseError(f"it has the version {version}")
            if version > STORE_VERSION:
                raise RunError(
                    f"{self.path}: store version {version} is newer than {STORE_VERSION}; update physadv"
                )
            if version < STORE_VERSION:
                script = self._columns_added() if version else _TABLES
                self._connection.executescript(
                    f"BEGIN; {script} PRAGMA user_version = {STORE_VERSION}; COMMIT;"
                )

    def _columns_added(self) -> str:
        """Return the SQL that gives a store of an earlier version what a new one has."""
        script = []
        with closing(sqlite3.connect(":memory:")) as new:
            new.executescript(_TABLES)
            for table in ("photos", "crops", "observations"):
                own = {column[1] for column in self.select(f"PRAGMA table_info({table})")}
                for _, name, kind, required, default, _ in new.execute(f"PRAGMA table_info({table})"):
                    if name not in own:
                        needed = f"{' NOT NULL' * required}{f' DEFAULT {default}' if default else ''}"
                        script.append(f"ALTER TABLE {table} ADD COLUMN {name} {kind}{needed};")
        return " ".join([*script, "UPDATE photos SET preset = 'real' WHERE simulated = 0;"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def photos(self, *, views: bool = False) -> list[PhotoRow]:
        """Return every photo in the capture's folder, or every view of a test, by name; see `PhotoRow`."""
        return self._rows("photos", PhotoRow, f"{_IS_VIEW.format('name')} = ?", (int(views),))

    def crops(self, *, views: bool = False) -> list[CropRow]:
        """Return every cell of every photo, or every treatment in every view, by photo and example."""
        return self._rows("crops", CropRow, f"{_IS_VIEW.format('photo')} = ?", (int(views),))

    def observations(self, run: str, classifier: str, channel: str, seed: int) -> list[ObservationRow]:
        """Return one classifier's observations of one run through one channel, by example and photo."""
        return self._rows("observations", ObservationRow, _ONE_CHANNEL, (run, classifier, channel, seed))

    def all_observations(self, run: str) -> Iterator[ObservationRow]:
        """Yield a run's observations one by one."""
        query = (
            f"SELECT {', '.join(names_of(ObservationRow))} FROM observations WHERE run = ? "
            "ORDER BY classifier, channel, seed, example, photo"
        )
        for values in self.stream(query, (run,)):
            yield self._row(ObservationRow, values)

    def total(self, run: str) -> int:
        """Return how many observations there are of a run."""
        return int(self.select("SELECT COUNT(*) FROM observations WHERE run = ?", (run,))[0][0])

    def count(self, run: str, classifier: str, channel: str, seed: int) -> int:
        """Return how many observations one classifier has made of one run through one channel."""
        query = f"SELECT COUNT(*) FROM observations WHERE {_ONE_CHANNEL}"
        return int(self.select(query, (run, classifier, channel, seed))[0][0])

    def observed(
        self, run: str, classifier: str, channel: str, seed: int, examples: Sequence[str]
    ) -> set[tuple[str, str]]:
        """Return which (example, photo) one classifier has seen through one channel, of some examples."""
        places = ", ".join("?" * len(examples))
        query = f"SELECT example, photo FROM observations WHERE {_ONE_CHANNEL} AND example IN ({places})"
        return set(self.select(query, (run, classifier, channel, seed, *examples)))

    def digital_channels(self, run: str) -> list[tuple[str, str, int]]:
        """Return (classifier, channel, seed) of all answers on a run's files, photos left out."""
        query = "SELECT DISTINCT classifier, channel, seed FROM observations WHERE run = ? AND photo = ''"
        return self.select(query, (run,))

    def add_file(
        self,
        file: str,
        photos: Iterable[tuple[PhotoRow, Iterable[CropRow]]],
        observations: Sequence[ObservationRow] = (),
    ) -> None:
        """Record the photos in a file, their cells and what was observed in them in one transaction.

        They take the place of what the file held before; without photos the file is forgotten.
        """
        with self._faults_named(), self._connection:
            self._forget(file)
            for photo, crops in photos:
                self._insert("photos", [photo])
                self._insert("crops", list(crops))
            self._insert("observations", observations)

    def add_observations(self, rows: Sequence[ObservationRow]) -> None:
        """Record a batch of observations in one transaction."""
        with self._faults_named(), self._connection:
            self._insert("observations", rows)

    def select(self, query: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a reading query."""
        with self._faults_named():
            return self._connection.execute(query, values).fetchall()

    def stream(self, query: str, values: Sequence[str | int] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a reading query one by one, however many there are."""
        with self._faults_named():
            yield from self._connection.execute(query, values)

    def note_examples(self, examples: Iterable[tuple[str, int, int, int | None, str | None]]) -> None:
        """Put examples where queries find them, in the table `examples`, until the store is closed.

        Args:
            examples: id, place, label, target, and of an adversarial one the id of the pair's clean example.
        """
        with self._faults_named(), self._connection:
            self._connection.execute(
                "CREATE TEMP TABLE IF NOT EXISTS examples "
                "(example TEXT PRIMARY KEY, place INTEGER, label INTEGER, target INTEGER, clean TEXT) "
                "WITHOUT ROWID"
            )
            self._connection.execute("DELETE FROM temp.examples")
            self._connection.executemany("INSERT INTO temp.examples VALUES (?, ?, ?, ?, ?)", examples)

    def compact(self) -> None:
        """Rewrite the file so that its bytes depend on what it holds and not on how it came to hold it."""
        with self._faults_named():
            with replacing(self.path) as temporary:
                # VACUUM writes this number plus one, so that it would count how often the file was rewritten.
                self._connection.execute("PRAGMA schema_version = 1")
                self._connection.execute("VACUUM INTO ?", (str(temporary),))
                self._connection.close()
            self._connection = sqlite3.connect(self.path)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turn what SQLite says into an error that names the file."""
        try:
            yield
        except OverflowError as error:
            raise RunError(f"{self.path}: a number is too large to store; give a seed below 2^63") from error
        except sqlite3.Error as error:
            code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path)) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
                raise RunError(f"{self.path}: in use by another physadv; wait until it has ended") from error
            if code in _MACHINE:
                advice = "nothing in it is lost; mend that and run the same command again"
                raise MachineError(f"{self.path}: {error}; {advice}") from error
            raise self.unusable(str(error)) from error

    def unusable(self, cause: str) -> RunError:
        """Return the error for a store whose content is not what it has to be."""
        return RunError(
            f"{self.path}: not a usable observation store ({cause}); move it away, crop and measure again"
        )

    def _forget(self, file: str) -> None:
        names = self._connection.execute(
            "SELECT name FROM photos WHERE name = CASE view WHEN '' THEN ?1 ELSE ?1 || '#' || view END",
            (file,),
        ).fetchall()
        for table, column in (("observations", "photo"), ("crops", "photo"), ("photos", "name")):
            self._connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", names)

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            names = names_of(type(rows[0]))
            places = ", ".join("?" * len(names))
            query = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({places})"
            self._connection.executemany(query, map(to_columns, rows))

    def _rows(self, table: str, kind: type[R], where: str, values: tuple[str | int, ...]) -> list[R]:
        query = f"SELECT {', '.join(names_of(kind))} FROM {table} WHERE {where}"
        return [self._row(kind, row) for row in self.select(query, values)]

    def _row(self, kind: type[R], values: Sequence[object]) -> R:
        try:
            return from_columns(kind, values)
        except ValueError as error:
            cause = f"{kind.__name__} {values[0]!r:.60}: {' '.join(str(error).split())}"
            raise self.unusable(cause) from error
