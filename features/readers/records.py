"""Files of one form -> the view `raw`: every record that can be read, its values still as they were written.

Columns of `raw`: file_no, record, then c0, c1, … for the file's own columns: text, or Parquet's own types.
`record` is 1-based: the row of a Parquet file, the line of JSON lines, the element of an array, the data row
of a CSV file (the header and line breaks inside quotes not counted). What cannot be read goes to `set_aside`.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from features.errors import InputError
from features.readers.columns import folded
from features.readers.container import Form, opened, unique_names
from features.readers.identifiers import quote_name, quote_path, quote_text
from features.schema import COLUMN_ALIASES

# DuckDB reserves 16 times as much for every file that it reads at once.
_LONGEST_LINE = 4 * 2**20
_HEAD_BYTES = 2**16
_OUR_NAMES = frozenset(COLUMN_ALIASES).union(*COLUMN_ALIASES.values())
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


@dataclass(frozen=True)
class RawTable:
    """The file's columns in `raw`: c0 is called `columns[0]` in the file and has the type `types[0]`."""

    columns: tuple[str, ...]
    types: tuple[str, ...]


def read_together(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> list[list[InputFile]]:
    """Group the files by form in the order of their first files; Parquet by columns, JSON by its names for ours.

    One file may say `ts` where another says `timestamp`; read together, one of the two would go unheeded.
    """
    groups: dict[object, list[InputFile]] = {}
    for file in files:
        key: object = file.form
        if file.form.kind == "parquet":
            key = file.number if file.form.gzip else _parquet_columns(con, file)
        elif file.form.kind != "csv":
            key = (file.form, _known_names(file))
        groups.setdefault(key, []).append(file)
    return list(groups.values())


def _known_names(file: InputFile) -> frozenset[str]:
    """The names in the first record of a JSON file that mean a column of ours; none where it cannot be read."""
    with opened(file.path, file.form.gzip) as stream, suppress(OSError, EOFError, ValueError, zlib.error):
        head = stream.read(_HEAD_BYTES).decode("utf-8-sig", errors="replace").lstrip(" \t\r\n[")
        record, _ = json.JSONDecoder().raw_decode(head)
        if isinstance(record, dict):
            return frozenset(name for name in map(folded, record) if name in _OUR_NAMES)
    return frozenset()


@contextmanager
def raw_records(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Iterator[RawTable]:
    """Make `raw` from `files`, which share one form, for the time of the block.

    Raises InputError where a file turns out to be damaged, also when that shows only inside the block.
    """
    with TemporaryDirectory(prefix="clicksift-") as unpacked:
        try:
            yield _load(con, files, Path(unpacked))
        except duckdb.Error as error:
            raise _damaged(files, error) from error
        finally:
            for table in ("raw_files", "raw_text", "raw_lines", "raw_rejects", "raw_scans", "raw_shifts"):
                con.execute(f"DROP TABLE IF EXISTS temp.{table}")
            _drop_raw(con)


def _load(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile], unpacked: Path) -> RawTable:
    form = files[0].form
    if form.kind == "parquet":
        return _load_parquet(con, _unpack(files, unpacked) if form.gzip else files)
    con.execute("CREATE OR REPLACE TEMP TABLE raw_files (path VARCHAR, file_no INTEGER, first BIGINT)")
    con.executemany("INSERT INTO raw_files VALUES (?, ?, 0)", [(str(file.path), file.number) for file in files])
    if form.kind == "csv":
        return _load_csv(con, files)
    return _load_json(con, files)


def _load_parquet(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> RawTable:
    """Make a view: the columns are read when they are needed and never copied as a whole."""
    columns, types = _parquet_columns(con, files[0])
    if {"file_row_number", "clicksift_file"} & {name.lower() for name in columns}:
        raise InputError(f"{files[0].name}: a column is called file_row_number or clicksift_file; rename it")
    values = "".join(
        f", {_plain(quote_name(name), kind)} AS c{k}" for k, (name, kind) in enumerate(zip(columns, types, strict=True))
    )
    numbers = "".join(f" WHEN {quote_text(str(file.path))} THEN {file.number}" for file in files)
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW raw AS
        SELECT
            CAST(CASE clicksift_file{numbers} END AS INTEGER) AS file_no,
            file_row_number + 1 AS record{values}
        FROM read_parquet({_path_list(files)}, binary_as_string=true, union_by_name=false,
                          filename='clicksift_file', file_row_number=true)""")
    return RawTable(columns, types)


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


def _load_csv(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> RawTable:
    form = files[0].form
    names = [f"c{k}" for k in range(len(form.columns))]
    declared = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in names) + "}"
    options = f"delim={quote_text(form.delimiter)}, quote='\"', escape='\"', header=true"
    _read_text(con, files, declared, options)
    shifted = _collect_rejects(con, header_lines=1)
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT {_placed(', '.join(names), shifted)}")
    return RawTable(form.columns, ("VARCHAR",) * len(names))


def _load_json(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> RawTable:
    _load_json_texts(con, files)
    found = con.execute(
        "SELECT DISTINCT unnest(json_keys(line)) AS key FROM raw_lines WHERE kind = 'OBJECT' ORDER BY key"
    ).fetchall()
    keys = [str(key) for (key,) in found]
    paths = ", ".join(quote_text("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    values = "".join(f", v[{k + 1}] AS c{k}" for k in range(len(keys)))
    extract = f"json_extract_string(line, [{paths}])" if keys else "NULL"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw AS
        SELECT file_no, record{values}
        FROM (SELECT file_no, record, {extract} AS v FROM raw_lines WHERE kind = 'OBJECT')""")
    return RawTable(unique_names(keys), ("VARCHAR",) * len(keys))


def _load_json_texts(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    """`raw_lines`: one JSON text a record, and its kind (NULL: no JSON at all); blank lines are left out."""
    shifted = False
    if files[0].form.kind == "lines":
        # A control character cannot stand in a JSON line, so nothing is ever split at this delimiter.
        options = "delim='\x01', quote='', escape='', header=false, strict_mode=false"
        _read_text(con, files, "{'line': 'VARCHAR'}", options)
        shifted = _collect_rejects(con, header_lines=0)
    else:
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE raw_text AS
                SELECT file, CAST(json AS VARCHAR) AS line
                FROM read_json_objects({_path_list(files)}, format='array', filename='file',
                    compression={_compression(files)})"""
        )
        _number_rows(con)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw_lines AS
        SELECT file_no, record, line, TRY(json_type(line)) AS kind
        FROM (SELECT {_placed("trim(line) AS line", shifted)}) WHERE line <> ''""")
    con.execute("DROP TABLE raw_text")
    con.execute("""
        INSERT INTO set_aside
        SELECT file_no, record,
               CASE WHEN kind IS NULL THEN 'not valid JSON' ELSE 'not a JSON object' END, line
        FROM raw_lines WHERE kind IS DISTINCT FROM 'OBJECT'""")


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


def _drop_raw(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "SELECT 'VIEW' FROM duckdb_views() WHERE view_name = 'raw' AND temporary"
        " UNION ALL SELECT 'TABLE' FROM duckdb_tables() WHERE table_name = 'raw' AND temporary"
    ).fetchall()
    for (kind,) in found:
        con.execute(f"DROP {kind} temp.raw")


def _damaged(files: Sequence[InputFile], error: duckdb.Error) -> InputError:
    text = str(error).splitlines()[0]
    named = [file for file in files if str(file.path) in text] or list(files)
    kinds = {"parquet": "Parquet", "csv": "CSV", "lines": "JSON lines", "array": "a JSON array"}
    others = f" (or one of {len(named) - 1} files like it)" if len(named) > 1 else ""
    return InputError(
        f"{named[0].name}{others}: cannot be read as {kinds[named[0].form.kind]}: {text}. "
        "The file is damaged or cut off; copy or export it again"
    )
