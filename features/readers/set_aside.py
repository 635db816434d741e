"""Records that cannot be used: kept with their reason, counted, shown to the user, never lost silently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from features.errors import InputError
from features.files import replacing_file

# What to do about a reason, where its words do not say.
ADVICE: Mapping[str, str] = {
    "timestamp is not a time": "times are read as 2026-03-01T10:00:00Z, 01/Mar/2026:10:00:00 +0000 or epoch seconds",
    "date could be day-first or month-first": "write 2026-03-01, or give rows beyond the 12th",
    "dates mix day-first and month-first": "write 2026-03-01",
    "not UTF-8": "save the file as UTF-8",
    "quotes do not match": "double the quotes inside of a quoted field",
    "wrong number of columns": "quote fields that hold the delimiter",
    "line too long": "a line may have 4 MB",
}
_SHOWN = 3
_TEXT_SHOWN = 80


def make_set_aside(con: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table `set_aside`: file_no, record, reason, raw (as written)."""
    con.execute("CREATE OR REPLACE TEMP TABLE set_aside (file_no INTEGER, record BIGINT, reason VARCHAR, raw VARCHAR)")


def reasons(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count the records set aside by reason, the most frequent first."""
    rows = con.execute("SELECT reason, count(*) AS n FROM set_aside GROUP BY reason ORDER BY n DESC, reason").fetchall()
    return {str(reason): int(n) for reason, n in rows}


def write(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write them to `path` as JSON lines (file, record, reason, raw); without any, remove an earlier run's.

    `raw` is the user's own text as it stood, addresses too: what cannot be read cannot be hashed safely.
    """
    if not reasons(con):
        path.unlink(missing_ok=True)
        return
    rows = con.execute("""
        SELECT f.name, s.record, s.reason, s.raw FROM set_aside AS s JOIN reading_files AS f USING (file_no)
        ORDER BY s.file_no, s.record, s.reason""")
    with replacing_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        while batch := rows.fetchmany(10_000):
            for name, record, reason, raw in batch:
                row = {"file": name, "record": record, "reason": reason, "raw": raw}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def check(con: duckdb.DuckDBPyConnection, max_errors: int | None, counts: Mapping[str, int]) -> None:
    """Raise InputError where more records were set aside than `max_errors` allows; None allows any number."""
    total = sum(counts.values())
    if max_errors is not None and total > max_errors:
        raise InputError(
            f"{total} records were set aside, --max-errors allows {max_errors}: {first_ones(con)}. "
            f"Correct them{advised(counts)}, or raise --max-errors"
        )


def first_ones(con: duckdb.DuckDBPyConnection) -> str:
    """Put the first few into words: file, record, reason and the start of the text."""
    rows = con.execute(f"""
        SELECT f.name, s.record, s.reason, coalesce(s.raw, '') FROM set_aside AS s
        JOIN reading_files AS f USING (file_no)
        ORDER BY s.file_no, s.record, s.reason LIMIT {_SHOWN}""").fetchall()
    return "; ".join(f"{name} record {record}: {reason} ({_short(str(raw))})" for name, record, reason, raw in rows)


def _short(raw: str) -> str:
    line = " ".join(raw.split())
    return line if len(line) <= _TEXT_SHOWN else line[:_TEXT_SHOWN] + "…"


def advised(reasons: Iterable[str]) -> str:
    """What to do about the reasons, in brackets; nothing where their words say it."""
    advice = [ADVICE[reason] for reason in reasons if reason in ADVICE]
    return f" ({'; '.join(advice)})" if advice else ""
