"""Canonical events as a file: what an export became, to be read again without its platform's reader."""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.errors import InputError
from features.files import replacing_file
from features.readers.identifiers import quote_text
from features.schema import EVENT_COLUMNS

ROW_GROUP = 122_880


def write_events(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the table `events` as Parquet, columns as in the schema, in the order of its files and records.

    Context is left out. Raises InputError where the file cannot be written.
    """
    names = ", ".join(column.name for column in EVENT_COLUMNS)
    rows = f"SELECT {names} FROM events WHERE NOT is_context ORDER BY file_no, record"
    write_rows(con, rows, path, f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}")


def write_rows(con: duckdb.DuckDBPyConnection, rows: str, path: Path, options: str) -> None:
    """Write what the query `rows` gives to `path`, whole or not at all; `options` are those of DuckDB's COPY.

    Raises InputError where the file cannot be written.
    """
    with replacing_file(path) as temporary:
        try:
            con.execute(f"COPY ({rows}) TO {quote_text(str(temporary))} ({options})")
        except duckdb.IOException as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: cannot be written ({reason}); free the place or name another output") from error
