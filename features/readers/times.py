"""SQL that reads a time however it was written. The connection's TimeZone must be UTC.

Read are ISO 8601 with or without a zone and with 0-9 digits of fraction (cut to microseconds), epoch seconds,
milliseconds, microseconds and nanoseconds told apart by magnitude, the style of access logs
(`10/Oct/2000:13:55:36 -0700`) and Parquet's own timestamps. `03/11/2025 8:05 PM` is read where the column or the
platform says which number is the month, `13.11.2025 02:14` always with the day first.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import duckdb

from features.errors import InputError
from features.readers.identifiers import quote_text
from features.readers.platform import DateOrder

MIXED = "dates mix day-first and month-first"
UNTOLD = "date could be day-first or month-first"

_NUMBER = r"[+-]?[0-9]{1,19}(\.[0-9]*)?"
# A zone follows the clock time: "Z", "+03:00", "+0300", " +03", " UTC", " Europe/Berlin".
_ZONE_NAME = r"([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z][A-Za-z_/]*)"
_ZONE = rf":[0-9]{{2}}([.,][0-9]*)?\s*{_ZONE_NAME}$"
# What may follow the year of a date with slashes or dots.
_CLOCK = rf"(\s+[0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]*)?)?(\s*[AaPp][Mm])?(\s*{_ZONE_NAME})?)?"
_ANY, _TO_12, _FROM_13 = "[0-9]{1,2}", "(0?[1-9]|1[0-2])", "(1[3-9]|2[0-9]|3[01])"
_SLASHED = f"{_ANY}/{_ANY}/[0-9]{{4}}{_CLOCK}"
_DAY_FIRST = f"{_FROM_13}/{_TO_12}/[0-9]{{4}}{_CLOCK}"
_MONTH_FIRST = f"{_TO_12}/{_FROM_13}/[0-9]{{4}}{_CLOCK}"
_EITHER = f"{_TO_12}/{_TO_12}/[0-9]{{4}}{_CLOCK}"
_DOTTED = rf"{_ANY}\.{_ANY}\.[0-9]{{4}}{_CLOCK}"
_HOUR = rf"\s+({_ANY}):"
_HALF, _PM = r"([0-9.,])\s*[AaPp][Mm]\b", r"[0-9.,]\s*[Pp][Mm]\b"
_TO_12_OCLOCK = rf"\s{_TO_12}:[0-9:.,]*\s*[AaPp][Mm]\b"
_FIRST = "TIMESTAMPTZ '1990-01-01 00:00:00+00'"
_END = "TIMESTAMPTZ '2101-01-01 00:00:00+00'"
_ZONED = ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")


@dataclass(frozen=True)
class WrittenDates:
    """How a column of texts writes dates such as 03/11/2025 and 13.11.2025; without any, nothing is to be done.

    `order` of those with slashes; where it cannot be told, `problem` is why. `dotted`: there are some with dots.
    """

    order: DateOrder = ""
    problem: str = ""
    dotted: bool = False


def written_dates(con: duckdb.DuckDBPyConnection, text: str, type_name: str, declared: DateOrder = "") -> WrittenDates:
    """Tell the order of day and month from all values of a prepared column of `raw`.

    One date that has a sense in one order only decides for the column; without such a date, `declared` does.
    """
    if type_name != "VARCHAR":
        return WrittenDates()
    patterns = (_DAY_FIRST, _MONTH_FIRST, _EITHER, _DOTTED)
    seen = ", ".join(f"coalesce(bool_or(regexp_full_match(v, '{pattern}')), FALSE)" for pattern in patterns)
    # LIKE costs a fraction of a regular expression; the times of access logs are out of the question, too.
    row = con.execute(f"""
        SELECT {seen} FROM (SELECT {text} AS v FROM raw)
        WHERE (v LIKE '_/%' OR v LIKE '__/%' OR v LIKE '_.%' OR v LIKE '__.%') AND v NOT LIKE '__/___/%'""").fetchone()
    day, month, either, dotted = row or (False, False, False, False)
    if day and month:
        return WrittenDates(problem=MIXED, dotted=dotted)
    order: DateOrder = "day" if day else "month" if month else declared if either else ""
    return WrittenDates(order, UNTOLD if either and not order else "", dotted)


def as_iso(text: str, written: WrittenDates) -> str:
    """VARCHAR expression: the prepared text, its dates with slashes or dots written as ISO 8601 where it is known how.

    Those of which it is not known are NULL: DuckDB must not guess.
    """
    cases = ""
    if written.order:
        year_first = r"\3-\1-\2" if written.order == "month" else r"\3-\2-\1"
        cases += _rewritten(text, _SLASHED, "/", year_first)
    if written.problem:
        cases += f" WHEN regexp_full_match({text}, '{_SLASHED}') THEN NULL"
    if written.dotted:
        cases += _rewritten(text, _DOTTED, r"\.", r"\3-\2-\1")
    return f"CASE{cases} ELSE {text} END" if cases else text


def untold(text: str, written: WrittenDates) -> str:
    """VARCHAR expression over a prepared column: why its date cannot be read, NULL for what is no such date."""
    if not written.problem:
        return "CAST(NULL AS VARCHAR)"
    dates = "|".join((_DAY_FIRST, _MONTH_FIRST, _EITHER))
    return f"CASE WHEN regexp_full_match({text}, '{dates}') THEN {quote_text(written.problem)} END"


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


def _rewritten(text: str, pattern: str, mark: str, year_first: str) -> str:
    """A case: what matches the pattern, written as ISO 8601, with the hours of AM and PM counted to 24.

    An hour such as 13 PM stays as it is, and is no time.
    """
    turned = f"regexp_replace({text}, '^({_ANY}){mark}({_ANY}){mark}([0-9]{{4}})', '{year_first}')"
    later = f"CASE WHEN regexp_matches({text}, '{_PM}') THEN 12 ELSE 0 END"
    hour = f"TRY_CAST(regexp_extract({text}, '{_HOUR}', 1) AS INTEGER) % 12 + {later}"
    without_half = rf"regexp_replace({turned}, '{_HALF}', '\1')"
    whole_day = f"regexp_replace({without_half}, '{_HOUR}', ' ' || ({hour}) || ':')"
    written = f"CASE WHEN regexp_matches({text}, '{_TO_12_OCLOCK}') THEN {whole_day} ELSE {turned} END"
    return f" WHEN regexp_full_match({text}, '{pattern}') THEN {written}"


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
