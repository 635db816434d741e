"""SQL that reads a time however it was written. The connection's TimeZone must be UTC.

Read are ISO 8601 with or without a zone and with 0-9 digits of fraction (cut to microseconds), epoch seconds,
milliseconds, microseconds and nanoseconds told apart by magnitude, the style of access logs
(`10/Oct/2000:13:55:36 -0700`) and Parquet's own timestamps.
"""

from __future__ import annotations

import difflib

import duckdb

from features.errors import InputError
from features.readers.identifiers import quote_text

_NUMBER = r"[+-]?[0-9]{1,19}(\.[0-9]*)?"
# A zone follows the clock time: "Z", "+03:00", "+0300", " +03", " UTC", " Europe/Berlin".
_ZONE = r":[0-9]{2}([.,][0-9]*)?\s*([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z][A-Za-z_/]*)$"
_FIRST = "TIMESTAMPTZ '1990-01-01 00:00:00+00'"
_END = "TIMESTAMPTZ '2101-01-01 00:00:00+00'"
_ZONED = ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")


def prepared(column: str, type_name: str) -> str:
    """Prepare a column for `instant` and `naive`: trimmed text, or Parquet's own timestamp left alone."""
    if _is_native(type_name):
        return column
    if type_name in ("DOUBLE", "FLOAT"):
        # Without an exponent, so that epoch seconds keep their fraction.
        column = f"TRY_CAST({column} AS DECIMAL(38, 6))"
    return f"nullif(trim(CAST({column} AS VARCHAR)), '')"


def instant(column: str, type_name: str, zone: str) -> str:
    """TIMESTAMPTZ expression over a prepared column, NULL for what is no time; `zone` is for naive times."""
    if type_name.startswith(_ZONED):
        return f"CAST({column} AS TIMESTAMPTZ)"
    if _is_native(type_name):
        return f"CAST({column} AS TIMESTAMP) AT TIME ZONE {quote_text(zone)}"
    return _from_text(column, zone)


def naive(column: str, type_name: str) -> str:
    """BOOLEAN expression over a prepared column: the time was written without a zone."""
    if _is_native(type_name):
        return f"{column} IS NOT NULL" if not type_name.startswith(_ZONED) else "FALSE"
    return _naive_text(column)


def sensible(instant_column: str) -> str:
    """Give the instant; NULL outside 1990..2100, where a unit was mistaken or 0001-01-01 means unset."""
    return f"CASE WHEN {instant_column} >= {_FIRST} AND {instant_column} < {_END} THEN {instant_column} END"


def precision(instant_column: str) -> str:
    """VARCHAR expression: s, ms or us, by the digits that the value really has.

    A value that ends in zeros is taken as coarse: ".000000" is what many writers print for whole seconds.
    """
    micros = f"epoch_us({instant_column})"
    return f"CASE WHEN {micros} % 1000000 = 0 THEN 's' WHEN {micros} % 1000 = 0 THEN 'ms' ELSE 'us' END"


def check_zone(con: duckdb.DuckDBPyConnection, zone: str | None) -> str:
    """Give the IANA zone for naive times, UTC by default. Raises InputError for a name that is not one."""
    if zone is None:
        return "UTC"
    names = [str(name) for (name,) in con.execute("SELECT name FROM pg_timezone_names()").fetchall()]
    if zone not in names:
        near = difflib.get_close_matches(zone, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "expected a name such as Europe/Berlin or UTC"
        raise InputError(f"--tz {zone}: there is no such time zone; {hint}")
    return zone


def _is_native(type_name: str) -> bool:
    return type_name.startswith(("TIMESTAMP", "DATE"))


def _naive_text(text: str) -> str:
    return (
        f"CASE WHEN ends_with({text}, 'Z') THEN FALSE"
        f" WHEN regexp_full_match({text}, '{_NUMBER}') THEN FALSE"
        f" ELSE NOT regexp_matches({text}, '{_ZONE}') END"
    )


def _from_text(text: str, zone: str) -> str:
    repaired = f"replace(regexp_replace({text}, '\\s+([+-][0-9])', '\\1'), ',', '.')"
    written = (
        f"coalesce(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST({repaired} AS TIMESTAMPTZ),"
        f" TRY_STRPTIME({text}, '%d/%b/%Y:%H:%M:%S %z'))"
    )
    if zone != "UTC":
        # The session zone is UTC: a naive time was read as UTC, and its clock face belongs to `zone`.
        shifted = f"({written} AT TIME ZONE 'UTC') AT TIME ZONE {quote_text(zone)}"
        written = f"CASE WHEN {_naive_text(text)} THEN {shifted} ELSE {written} END"
    return f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN {_from_epoch(text)} ELSE {written} END"


def _from_epoch(text: str) -> str:
    """Integers only: a double has no room for nanoseconds."""
    whole = f"TRY_CAST(split_part({text}, '.', 1) AS BIGINT)"
    fraction = f"CAST(rpad(left(split_part({text}, '.', 2), 6), 6, '0') AS BIGINT)"
    micros = (
        f"CASE WHEN abs({whole}) >= 100000000000000000 THEN {whole} // 1000"
        f" WHEN abs({whole}) >= 100000000000000 THEN {whole}"
        f" WHEN abs({whole}) >= 100000000000 THEN {whole} * 1000 + {fraction} // 1000"
        f" ELSE {whole} * 1000000 + {fraction} END"
    )
    return f"make_timestamptz({micros})"
