"""Names and texts of the user's files inside SQL, and the relations made of them on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb


def quote_name(name: str) -> str:
    """Give an SQL identifier that means exactly `name`, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Give an SQL string literal, for the places where a value cannot be bound (views, JSON paths)."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: str) -> str:
    """Give a path for DuckDB's readers, in which "[", "*" and "?" are letters and not a pattern."""
    return re.sub(r"([\[*?])", r"[\1]", path)


def pointer(parts: Sequence[str]) -> str:
    """Give the JSON pointer (RFC 6901) to a value inside objects and lists."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def record_text(value: str) -> str:
    """Give the text of a record without blanks before it. Only where there are some: trimming long texts takes time."""
    return f"CASE WHEN starts_with({value}, '{{') OR starts_with({value}, '[') THEN {value} ELSE trim({value}) END"


def drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop the temporary table or view of this name, where there is one."""
    found = con.execute(
        "SELECT 'VIEW' FROM duckdb_views() WHERE view_name = $name AND temporary"
        " UNION ALL SELECT 'TABLE' FROM duckdb_tables() WHERE table_name = $name AND temporary",
        {"name": name},
    ).fetchall()
    for (kind,) in found:
        con.execute(f"DROP {kind} temp.{quote_name(name)}")
