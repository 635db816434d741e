"""The person's own rows, kept beside the events that are made of them, for those who want both in one file.

Tables `kept_1`, `kept_2`, … of a connection (`kept_csv_3` where the file is CSV): file and record number (`PLACE`),
then the columns of the file under their own names: text, or Parquet's own types. Every record of a file to score that
could be read is there, copies and control records too, before anything was hashed.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from features.readers.identifiers import pointer, quote_name, quote_text
from features.readers.translation import Records

PLACE = ("clicksift file", "clicksift record")


def keep(con: duckdb.DuckDBPyConnection, records: Records, files: Sequence[int], *, csv: bool) -> None:
    """Keep the rows of the files with these numbers in the next table; `csv`: that is what they were."""
    names = own_names(records.columns)
    if records.json:
        paths = ", ".join(quote_text(pointer((key,))) for key in records.columns)
        values = ", ".join(f"v[{k + 1}] AS {quote_name(name)}" for k, name in enumerate(names))
        source = f"(SELECT *, json_extract_string(line, [{paths}]) AS v FROM {records.relation})"
    else:
        values = ", ".join(f"c{k} AS {quote_name(name)}" for k, name in enumerate(names))
        source = records.relation
    con.execute(f"""
        CREATE TEMP TABLE kept_{"csv_" if csv else ""}{len(tables(con)) + 1} AS
        SELECT file_no AS {quote_name(PLACE[0])}, record AS {quote_name(PLACE[1])}, {values}
        FROM {source} WHERE file_no IN ({", ".join(map(str, files))})""")


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the tables that were kept so far."""
    rows = con.execute("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'kept_')").fetchall()
    return sorted((str(name) for (name,) in rows), key=lambda name: int(name.rpartition("_")[2]))


def own_names(columns: Sequence[str]) -> list[str]:
    """The names of the columns; those that differ only in case get a number, since a table takes them for one.

    >>> own_names(["url", "URL"])
    ['url', 'URL_2']
    """
    taken = {PLACE[0], PLACE[1]}
    names = []
    for column in columns:
        name, number = column, 1
        while name.lower() in taken:
            number += 1
            name = f"{column}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names
