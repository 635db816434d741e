"""Files of one form -> their records, values still as they were written (`translation.Records`).

`record` is 1-based: the row of a Parquet file, the data row of a CSV file (the header and line breaks inside quotes
not counted), the line of JSON lines, the value of any other JSON file. What cannot be read goes to `set_aside`.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa

from features.arrow_columns import numbers, strings
from features.errors import InputError
from features.readers import avro, json_scan
from features.readers.container import Form, opened
from features.readers.identifiers import drop, quote_name, quote_path, quote_text, record_text
from features.readers.translation import Records, trimmed_column

# DuckDB reserves 16 times as much for every file that it reads at once.
_LONGEST_LINE = 4 * 2**20
# Made of the files of one form, and dropped with them.
_MADE = (
    "raw",
    "raw_table",
    "raw_lines",
    "raw_files",
    "raw_text",
    "raw_rejects",
    "raw_scans",
    "raw_shifts",
    "raw_shapes",
    "raw_parts",
    "raw_numbers",
)
_BATCH_CHARACTERS = 16 * 2**20
# The first field of a form as an object; NULL for a line without one, or that cannot be decoded.
_FORM_FIELD = """
    '{' || to_json(split_part(line, '=', 1)) || ':' || to_json(nullif(
        TRY(url_decode(replace(split_part(split_part(line, '=', 2), '&', 1), '+', ' '))), '')) || '}'"""
_REJECT_REASONS = """
    CASE WHEN error_type IN ('MISSING COLUMNS', 'TOO MANY COLUMNS') THEN 'wrong number of columns'
         WHEN error_type = 'UNQUOTED VALUE' THEN 'quotes do not match'
         WHEN error_type = 'INVALID ENCODING' THEN 'not UTF-8'
         WHEN error_type = 'LINE SIZE OVER MAXIMUM' THEN 'line too long'
         ELSE lower(CAST(error_type AS VARCHAR)) END"""


@dataclass(frozen=True)
class InputFile:
    """One file to read: its number (order of reading), path, and the name that messages and `raw_ref` use."""

    number: int
    path: Path
    name: str
    form: Form
    is_context: bool = False


def read_together(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[list[InputFile]]:
    """Group the files by form in the order of their first files; Parquet by its columns too."""
    groups: dict[object, list[InputFile]] = {}
    for file in files:
        key: object = file.form
        if file.form.kind == "parquet":
            key = file.number if file.form.gzip else _parquet_columns(con, file)
        groups.setdefault(key, []).append(file)
    return list(groups.values())


@contextmanager
def loaded(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Iterator[Records]:
    """Load `files`, which share one form, for the time of the block.

    A table has its columns; JSON has one text a record in `raw_lines` (file_no, record, line), blank lines left out,
    and its columns are not known yet. Raises InputError where a file turns out to be damaged, also when that shows
    only inside the block.
    """
    with TemporaryDirectory(prefix="clicksift-") as unpacked:
        try:
            yield _load(con, files, Path(unpacked))
        except duckdb.OutOfMemoryException as error:
            raise InputError(
                f"{files[0].name}: there is not enough memory to read it; allow more with --memory, as in --memory 2GB"
            ) from error
        except duckdb.Error as error:
            raise _damaged(files, error) from error
        finally:
            for name in _MADE:
                drop(con, name)


def _load(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile], unpacked: Path) -> Records:
    form = files[0].form
    if form.kind == "parquet":
        return _load_parquet(con, _unpack(files, unpacked) if form.gzip else files)
    con.execute("CREATE OR REPLACE TEMP TABLE raw_files (path VARCHAR, file_no INTEGER, first BIGINT)")
    con.executemany("INSERT INTO raw_files VALUES (?, ?, 0)", [(str(file.path), file.number) for file in files])
    if form.kind == "csv":
        return _load_csv(con, files)
    if form.kind == "log":
        return _load_log(con, files)
    if form.kind in ("lines", "form"):
        _load_lines(con, files)
    elif form.kind == "avro":
        _load_avro(con, files)
    else:
        _load_values(con, files)
    return Records("raw_lines", (), (), json=True)


def _load_parquet(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Records:
    """Make a view: the columns are read when they are needed and never copied as a whole."""
    columns, types = _parquet_columns(con, files[0])
    if {"file_row_number", "clicksift_file"} & {name.lower() for name in columns}:
        raise InputError(f"{files[0].name}: a column is called file_row_number or clicksift_file; rename it")
    values = "".join(
        f", {_plain(quote_name(name), kind)} AS c{k}" for k, (name, kind) in enumerate(zip(columns, types, strict=True))
    )
    numbers = "".join(f" WHEN {quote_text(str(file.path))} THEN {file.number}" for file in files)
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW raw_table AS
        SELECT
            CAST(CASE clicksift_file{numbers} END AS INTEGER) AS file_no,
            file_row_number + 1 AS record{values}
        FROM read_parquet({_path_list(files)}, binary_as_string=true, union_by_name=false,
                          filename='clicksift_file', file_row_number=true)""")
    return Records("raw_table", columns, types)


def _parquet_columns(con: duckdb.DuckDBPyConnection, file: InputFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    source = f"read_parquet({_path_list([file])}, binary_as_string=true)"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        raise _damaged([file], error) from error
    return tuple(str(row[0]) for row in described), tuple(str(row[1]) for row in described)


def _plain(column: str, type_name: str) -> str:
    """Nested values as JSON text; scalars as they are."""
    nested = type_name.startswith(("STRUCT", "MAP")) or type_name.endswith("]")
    return f"CAST(to_json({column}) AS VARCHAR)" if nested else column


def _load_csv(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Records:
    form = files[0].form
    names = [f"c{k}" for k in range(len(form.columns))]
    declared = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in names) + "}"
    options = f"delim={quote_text(form.delimiter)}, quote='\"', escape='\"', header=true"
    _read_text(con, files, declared, options)
    shifted = _collect_rejects(con, header_lines=1)
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw_table AS SELECT {_placed(', '.join(names), shifted)}")
    return Records("raw_table", form.columns, ("VARCHAR",) * len(names))


def _load_log(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Records:
    """A table with one column, `line`: what stands in it is the reader's business."""
    shifted = _read_lines(con, files)
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW raw_table AS
        SELECT * FROM (SELECT {_placed(f"{trimmed_column('line')} AS c0", shifted)}) WHERE c0 IS NOT NULL""")
    return Records("raw_table", ("line",), ("VARCHAR",), clean=True)


def _load_lines(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    shifted = _read_lines(con, files)
    value = f"coalesce({_FORM_FIELD}, line)" if files[0].form.kind == "form" else "line"
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW raw_lines AS
        SELECT * FROM (SELECT {_placed(f"{record_text(value)} AS line", shifted)}) WHERE line <> ''""")


def _load_values(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    """Arrays, and values behind each other: by DuckDB; a file at which it stops is read again by hand."""
    try:
        _read_values(con, files)
        con.execute(f"CREATE OR REPLACE TEMP VIEW raw_lines AS SELECT {_placed('line', shifted=False)}")
        return
    except duckdb.Error:
        con.execute("CREATE OR REPLACE TEMP TABLE raw_lines (file_no INTEGER, record BIGINT, line VARCHAR)")
    for file in files:
        try:
            _read_values(con, [file])
        except duckdb.Error:
            _scan(con, file)
        else:
            con.execute(f"INSERT INTO raw_lines SELECT {_placed('line', shifted=False)}")


def _read_values(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    layout = "array" if files[0].form.kind == "array" else "unstructured"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw_text AS
        SELECT file, CAST(json AS VARCHAR) AS line
        FROM read_json_objects({_path_list(files)}, format='{layout}', filename='file',
            compression={_compression(files)})""")
    _number_rows(con)


def _scan(con: duckdb.DuckDBPyConnection, file: InputFile) -> None:
    try:
        with opened(file.path, file.form.gzip) as stream:
            _insert(con, file, ((piece.text, piece.reason) for piece in json_scan.scan(stream)))
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{file.name}: the gzip data is damaged or cut off ({error}); copy the file again") from error


def _load_avro(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE raw_lines (file_no INTEGER, record BIGINT, line VARCHAR)")
    for file in files:
        _insert(con, file, _avro_texts(file))


def _avro_texts(file: InputFile) -> Iterator[tuple[str, str | None]]:
    try:
        for text in avro.records(file.path):
            yield text, None
    except avro.Damaged as error:
        yield f"{error}", "the file is damaged from here on"


def _insert(con: duckdb.DuckDBPyConnection, file: InputFile, texts: Iterator[tuple[str, str | None]]) -> None:
    """Number the records of a file that was read by hand; those with a reason are set aside."""
    first = 1
    for batch in _batches(texts):
        scanned = pa.table(
            {
                "record": numbers(np.arange(first, first + len(batch), dtype=np.int64)),
                "line": strings(text for text, _ in batch),
                "reason": strings(reason for _, reason in batch),
            }
        )
        con.register("scanned", scanned)
        con.execute(f"INSERT INTO raw_lines SELECT {file.number}, record, line FROM scanned WHERE reason IS NULL")
        con.execute(f"""
            INSERT INTO set_aside
            SELECT {file.number}, record, reason, line FROM scanned WHERE reason IS NOT NULL""")
        con.unregister("scanned")
        first += len(batch)


def _batches(texts: Iterator[tuple[str, str | None]]) -> Iterator[list[tuple[str, str | None]]]:
    batch: list[tuple[str, str | None]] = []
    size = 0
    for pair in texts:
        batch.append(pair)
        size += len(pair[0])
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read_lines(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> bool:
    """All lines of text into `raw_text`; whether some were set aside."""
    # A control character cannot stand in a JSON line, so nothing is ever split at this delimiter.
    options = "delim='\x01', quote='', escape='', header=false, strict_mode=false"
    _read_text(con, files, "{'line': 'VARCHAR'}", options)
    return _collect_rejects(con, header_lines=0)


def _read_text(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile], declared: str, options: str) -> None:
    """All rows into `raw_text`, in file order; the lines that do not parse into `raw_rejects`."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw_text AS
        SELECT * FROM read_csv({_path_list(files)}, auto_detect=false, columns={declared}, {options},
            filename='file', compression={_compression(files)}, max_line_size={_LONGEST_LINE},
            store_rejects=true, rejects_table='raw_rejects', rejects_scan='raw_scans')""")
    _number_rows(con)


def _number_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        UPDATE raw_files SET first = t.first
        FROM (SELECT file, min(rowid) AS first FROM raw_text GROUP BY file) AS t
        WHERE raw_files.path = t.file""")


def _collect_rejects(con: duckdb.DuckDBPyConnection, header_lines: int) -> bool:
    """Rejected lines into `set_aside`, and into `raw_shifts` how far they push the rows behind them.

    `line` counts rows, the header among them; a row can be rejected for several reasons and is counted once.
    False where there are none.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw_shifts AS
        WITH bad AS (
            SELECT f.file_no, f.path, r.line - {header_lines} AS record, min({_REJECT_REASONS}) AS reason,
                   min(r.csv_line) AS raw
            FROM raw_rejects AS r
            JOIN raw_scans AS s USING (scan_id, file_id)
            JOIN raw_files AS f ON f.path = s.file_path
            GROUP BY ALL
        )
        SELECT *, row_number() OVER (PARTITION BY file_no ORDER BY record) AS shift FROM bad""")
    con.execute("INSERT INTO set_aside SELECT file_no, record, reason, raw FROM raw_shifts")
    return con.execute("SELECT 1 FROM raw_shifts LIMIT 1").fetchone() is not None


def _placed(columns: str, shifted: bool) -> str:
    """SELECT list and FROM: file_no, record, then `columns` of `raw_text`.

    Where lines were rejected (`shifted`), a row's number counts the rejected ones before it.
    """
    rows = "(SELECT *, rowid AS position FROM raw_text) AS t JOIN raw_files AS f ON f.path = t.file"
    if not shifted:
        return f"f.file_no, t.position - f.first + 1 AS record, {columns} FROM {rows}"
    return f"""f.file_no, t.position - f.first + 1 + coalesce(s.shift, 0) AS record, {columns} FROM {rows}
        ASOF LEFT JOIN (SELECT path, shift, record - shift AS good_before FROM raw_shifts) AS s
        ON s.path = t.file AND s.good_before <= t.position - f.first"""


def _unpack(files: Sequence[InputFile], folder: Path) -> list[InputFile]:
    """Parquet is read from its end, which gzip does not allow: unpacked copies, gone after the block."""
    copies = []
    for file in files:
        copy = folder / f"{file.number}.parquet"
        with opened(file.path, packed=True) as source, copy.open("wb") as target:
            try:
                shutil.copyfileobj(source, target, 2**20)
            except (EOFError, OSError) as error:
                raise InputError(
                    f"{file.name}: the gzip data is damaged or cut off ({error}); copy the file again"
                ) from error
        copies.append(InputFile(file.number, copy, file.name, file.form, file.is_context))
    return copies


def _path_list(files: Sequence[InputFile]) -> str:
    return "[" + ", ".join(quote_text(quote_path(str(file.path))) for file in files) + "]"


def _compression(files: Sequence[InputFile]) -> str:
    return "'gzip'" if files[0].form.gzip else "'none'"


def _damaged(files: Sequence[InputFile], error: duckdb.Error) -> InputError:
    text = str(error).splitlines()[0]
    named = [file for file in files if str(file.path) in text] or list(files)
    kinds = {
        "parquet": "Parquet",
        "csv": "CSV",
        "lines": "JSON lines",
        "form": "bodies of forms",
        "array": "a JSON array",
        "values": "JSON",
        "avro": "Avro",
        "log": "an access log",
    }
    others = f" (or one of {len(named) - 1} files like it)" if len(named) > 1 else ""
    return InputError(
        f"{named[0].name}{others}: cannot be read as {kinds[named[0].form.kind]}: {text}. "
        "The file is damaged or cut off; copy or export it again"
    )
