"""Numbers for other programs: the tables as CSV, JSON, LaTeX or Parquet, and every observation one by one."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from importlib.util import find_spec
from io import StringIO
from itertools import islice, product
from pathlib import Path
from typing import Any, TextIO

from physadv.errors import PhysadvError, unknown_name
from physadv.evaluation.destruction import Row
from physadv.evaluation.intervals import Estimate
from physadv.files import replacing
from physadv.pipeline.examples import TOP
from physadv.pipeline.measure import transfer_matrix
from physadv.pipeline.measurement import Measurement
from physadv.progress import Reporter, silent
from physadv.report.result_tables import PUBLISHED_RATES
from physadv.report.table import Table, to_latex
from physadv.runs import Capture, Manifest, ObservationStore, Printout, RunError
from physadv.runs.folders import writes_run
from physadv.text import csv_cell

FORMATS = ("csv", "json", "latex", "parquet")
OBSERVATION_FORMATS = ("csv", "json", "parquet")
CHUNK = 10_000

Record = dict[str, Any]

_MEASURES = tuple(field.name for field in fields(Row) if field.type is Estimate)
_WHOLE = (
    "eps",
    "top",
    "n",
    "pairs",
    "seed",
    "photo_seed",
    "label",
    "target",
    *(f"label_{k + 1}" for k in range(TOP)),
)
_REAL = ("value", "low", "high", *(f"probability_{k + 1}" for k in range(TOP)))


class ExportError(PhysadvError):
    """A format is unknown, or cannot hold or be written where it was asked."""


def check_format(fmt: str | None, output: Path | None) -> str:
    """Return the format of tables, checked before anything is measured; without one, the output's suffix.

    Raises:
        ExportError: it is unknown, needs a file to go to, or a library that is not installed.
    """
    if fmt is None and output is not None:
        fmt = {".tex": "latex"}.get(output.suffix, output.suffix.removeprefix("."))
    if fmt not in FORMATS:
        raise ExportError(unknown_name("format", str(fmt), FORMATS))
    if fmt == "parquet" and output is None:
        raise ExportError("format parquet is not text; wanted --output FILE with it")
    _check_library(fmt)
    return fmt


def write_tables(measurements: Sequence[Measurement], fmt: str, output: Path) -> None:
    """Write what `tables_as_text` returns, or a Parquet file, to `output`, whole or not at all."""
    with replacing(output, tidy=True) as temporary:
        if fmt == "parquet":
            _write_parquet(temporary, rate_records(measurements))
        else:
            temporary.write_text(tables_as_text(measurements, fmt), encoding="utf-8")


def tables_as_text(measurements: Sequence[Measurement], fmt: str) -> str:
    """Return every measurement's table, and with several the transfer matrix.

    Args:
        measurements: of one or several runs by one or several classifiers.
        fmt: `csv`, one line a measure, as `rate_records`; `json`, everything, nested; or `latex`, a table of
            destruction rates a measurement, for booktabs.
    """
    if fmt == "json":
        nested = [measurement.as_json() for measurement in measurements]
        transfer = [asdict(cell) for cell in transfer_matrix(measurements)]
        several = {"measurements": nested, "transfer": transfer}
        return json.dumps(nested[0] if len(nested) == 1 else several) + "\n"
    if fmt == "latex":
        return "\n".join(to_latex(_published(measurement)) for measurement in measurements)
    text = StringIO()
    _write_csv(text, rate_records(measurements))
    return text.getvalue()


def rate_records(measurements: Iterable[Measurement]) -> Iterator[Record]:
    """Yield one record a measure: whose it is, value, interval, n, and what was discarded for what reason."""
    for measurement in measurements:
        whose = {**measurement.run_facts, "classifier": measurement.classifier}
        for channel, rows in measurement.channels.items():
            for row, name in product(rows, _MEASURES):
                found = asdict(getattr(row, name))
                discarded = json.dumps(found.pop("discarded"))
                which = {"channel": channel, "case": row.case, "top": row.top, "measure": name}
                yield {**whose, **which, **found, "discarded": discarded}


@writes_run
def export_observations(
    printout: Printout, capture: Capture, fmt: str, output: Path | None = None, reporter: Reporter = silent
) -> tuple[Path, int]:
    """Write every observation of a run, one a line, and return the file and how many they are.

    Columns: run, classifier, channel, seed, pair, kind, example, label, target, photo, simulated, the
    photo's condition (preset or camera) and photo_seed, and the top five as label_1 … label_5 and
    probability_1 … probability_5. The format is `csv`, `json` (an array, an object a line) or `parquet`, the
    file captures/NAME/observations.FORMAT by default.

    Raises:
        ExportError: the format is unknown, or needs a library that is not installed.
        RunError: nothing has been observed yet.
    """
    if fmt == "latex":
        raise ExportError("format latex is for tables: physadv destruction-rate NAME --format latex")
    if fmt not in OBSERVATION_FORMATS:
        raise ExportError(unknown_name("format", fmt, OBSERVATION_FORMATS))
    _check_library(fmt)
    manifest = printout.manifest()
    if not capture.store_path.exists():
        raise RunError(f"{capture.store_path}: not found; run 'physadv destruction-rate' first")
    path = output or capture.folder / f"observations.{fmt}"
    with capture.store() as store:
        total = store.total(manifest.code)
        if not total:
            raise RunError(
                f"{capture.store_path}: no observation of this run; run 'physadv destruction-rate'"
            )
        records = reporter.track(_observation_records(store, manifest), total, "observations exported")
        with replacing(path, tidy=True) as temporary:
            if fmt == "parquet":
                _write_parquet(temporary, records)
            else:
                with temporary.open("w", newline="", encoding="utf-8") as file:
                    (_write_csv if fmt == "csv" else _write_json)(file, records)
    return path, total


def _observation_records(store: ObservationStore, manifest: Manifest) -> Iterator[Record]:
    examples = {example.id: example for example in manifest.examples}
    photos = {photo.name: photo for photo in store.photos()}
    for row in store.all_observations(manifest.code):
        example, photo = examples.get(row.example), photos.get(row.photo)
        if example is None:
            raise store.unusable(f"answers on '{row.example}', which is no example of the run")
        top = [*row.labels, *[None] * TOP][:TOP]
        sure = [*row.probabilities, *[None] * TOP][:TOP]
        yield {
            "run": manifest.name,
            "classifier": row.classifier,
            "channel": row.channel,
            "seed": row.seed,
            "pair": example.pair,
            "kind": example.kind,
            "example": example.id,
            "label": example.label,
            "target": example.target,
            "photo": row.photo or None,
            "simulated": photo and photo.simulated,
            "condition": photo and photo.condition,
            "photo_seed": photo and photo.seed,
            **{f"label_{k + 1}": answer for k, answer in enumerate(top)},
            **{f"probability_{k + 1}": probability for k, probability in enumerate(sure)},
        }


def _write_csv(file: TextIO, records: Iterable[Record]) -> None:
    writer: csv.DictWriter[str] | None = None
    for record in records:
        if writer is None:
            writer = csv.DictWriter(file, list(record), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: csv_cell(value) for name, value in record.items()})


def _write_json(file: TextIO, records: Iterable[Record]) -> None:
    for count, record in enumerate(records):
        file.write(("[" if count == 0 else ",") + "\n" + json.dumps(record))
    file.write("\n]\n")


def _write_parquet(path: Path, records: Iterable[Record]) -> None:
    """Write records a chunk at a time: memory does not grow with their number."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    waiting = iter(records)
    chunk = list(islice(waiting, CHUNK))
    types = {
        **dict.fromkeys(_WHOLE, pa.int64()),
        **dict.fromkeys(_REAL, pa.float64()),
        "simulated": pa.bool_(),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in chunk[0]])
    with ParquetWriter(path, schema) as writer:
        while chunk:
            writer.write_table(pa.Table.from_pylist(chunk, schema))
            chunk = list(islice(waiting, CHUNK))


def _check_library(fmt: str) -> None:
    if fmt == "parquet" and find_spec("pyarrow") is None:
        raise ExportError("format parquet needs pyarrow: pip install 'physadv[parquet]'")


def _published(measurement: Measurement) -> Table[Row]:
    attack = measurement.manifest.attack
    title = (
        f"{measurement.manifest.name}: {attack.name}, {attack.budget}, judged by {measurement.classifier}. "
        "Per cent, 95 % intervals; n: observations counted."
    )
    channels = {measurement.channel_name(name): rows for name, rows in measurement.channels.items()}
    return Table(title, PUBLISHED_RATES, channels, "channel")
