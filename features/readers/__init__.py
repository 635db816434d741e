"""Event files -> canonical events.

`container` says what a file is, `records` reads it, `generic` makes canonical rows of it (by `columns`,
`times` and `distinct`), `folding` makes one event of its copies, `set_aside` keeps what cannot be used,
`tables` reads labels and campaigns. A platform's own reader is a module of its own beside `generic`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import duckdb

from features.errors import InputError
from features.feature import Capability
from features.readers import folding, generic, set_aside, times
from features.readers.columns import check_mapping
from features.readers.container import detect, find_files
from features.readers.options import ReadOptions
from features.readers.records import InputFile, raw_records, read_together
from features.readers.tables import read_campaigns, read_labels
from features.recipient_key import RecipientKey
from features.schema import COLUMN_ALIASES, UNKNOWN_EVENT

__all__ = ["ReadOptions", "ReadSummary", "read_campaigns", "read_events", "read_labels"]

_CAPABILITIES: Mapping[Capability, str] = {
    "address": "count(ip)",
    "agent": "count(user_agent)",
    "deliveries": "count(delivered_at)",
    "links": "count(coalesce(url, link_id)) FILTER (event_type = 'clicked')",
    "method": "count(http_method)",
    "domains": "count(recipient_domain)",
}


@dataclass(frozen=True)
class ReadSummary:
    """What was read. records = events + context_events + duplicates + all that was set aside (`rejected`).

    `by_type` and `unknown_words` count the events, context left out; capabilities are those with a value
    anywhere in events and context. `nulled` counts values that were given and could not be used, by column.
    """

    files: int
    records: int
    events: int
    context_events: int
    duplicates: int
    rejected: Mapping[str, int]
    nulled: Mapping[str, int]
    by_type: Mapping[str, int]
    unknown_words: Mapping[str, int]
    capabilities: frozenset[Capability]
    warnings: tuple[str, ...]


def read_events(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str | Path],
    options: ReadOptions | None = None,
    *,
    context: Sequence[str | Path] = (),
    recipient_key: RecipientKey | None = None,
    rejected: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReadSummary:
    """Make the temp table `events` from all `paths`; those of `context` are marked is_context.

    Columns are `schema.EVENT_COLUMNS`, then is_context, file_no and record; the order of the rows is not
    promised. Read campaigns first: a message without a sent time of its own gets its campaign's. Addresses
    are hashed with `recipient_key`; without a key, ids hold within this run only, and a warning says so. Sets
    the connection's TimeZone to UTC. `rejected` is where set-aside records are written.

    Raises InputError where a path names nothing, a file is damaged or of another kind, a needed column is
    missing, more records are bad than `options.max_errors`, or nothing can be read.
    """
    options = options or ReadOptions()
    _check_format(options.format)
    con.execute("SET TimeZone = 'UTC'")
    rules = generic.Rules(options.mapping, times.check_zone(con, options.tz), recipient_key or RecipientKey.throwaway())
    check_mapping(options.mapping, COLUMN_ALIASES.keys())
    files, warnings = _input_files(paths, context)
    try:
        addresses = _stage(con, files, rules, progress)
        if addresses and recipient_key is None:
            warnings.append(
                "recipient ids are addresses and no project key was given: their ids hold for this run only"
            )
        rejections = _settle_rejected(con, files, options, rejected)
        nulled, naive = _losses(con)
        if naive and options.tz is None:
            warnings.append(f"{naive:,} rows carry a time without a zone, read as UTC; name their zone with --tz")
        records = sum(rejections.values()) + _one(con, "SELECT count(*) FROM staged")
        folding.make_events(con, generic.SOURCE)
    finally:
        for table in (*generic.TABLES, *folding.TABLES, "set_aside", "reading_files"):
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")
    return ReadSummary(
        files=len(files),
        records=records,
        rejected=rejections,
        nulled=nulled,
        warnings=tuple(warnings),
        **_counts(con),
    )


def _stage(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[InputFile],
    rules: generic.Rules,
    progress: Callable[[str], None] | None,
) -> int:
    """All files into `staged` and `set_aside`; how many distinct addresses were hashed."""
    _register(con, files)
    set_aside.make_set_aside(con)
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged ({generic.STAGED})")
    seen: list[tuple[str, Sequence[str]]] = []
    addresses = 0
    for group in read_together(con, files):
        if progress:
            progress(f"reading {group[0].name}" + (f" and {len(group) - 1} more" if len(group) > 1 else ""))
        with raw_records(con, group) as raw:
            seen.append((group[0].name, raw.columns))
            addresses += generic.stage(con, group[0], raw, rules)
    check_mapping(rules.mapping, COLUMN_ALIASES.keys(), seen)
    return addresses


def _check_format(name: str | None) -> None:
    if name not in (None, generic.SOURCE):
        raise InputError(f"--format {name}: there is no such format; known: {generic.SOURCE}")


def _input_files(paths: Sequence[str | Path], context: Sequence[str | Path]) -> tuple[list[InputFile], list[str]]:
    """Every file with its form; context after the rest, and a file that is both is not context."""
    scored = find_files(paths)
    known = {path.resolve() for path in scored}
    others = [path for path in find_files(context) if path.resolve() not in known] if context else []
    names = Counter(path.name for path in (*scored, *others))
    files, warnings = [], []
    for number, path in enumerate((*scored, *others), start=1):
        name = path.name if names[path.name] == 1 else str(path)
        form = detect(path)
        if form is None:
            warnings.append(f"{name} is empty and was left out")
        else:
            files.append(InputFile(number, path, name, form, is_context=number > len(scored)))
    if all(file.is_context for file in files):
        raise InputError(f"{scored[0]}: is empty; name a file with events, one row an event")
    return files, warnings


def _register(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE reading_files (file_no INTEGER, name VARCHAR, is_context BOOLEAN)")
    rows = [(file.number, file.name, file.is_context) for file in files]
    con.executemany("INSERT INTO reading_files VALUES (?, ?, ?)", rows)


def _settle_rejected(
    con: duckdb.DuckDBPyConnection, files: Sequence[InputFile], options: ReadOptions, path: Path | None
) -> Mapping[str, int]:
    """Write, count and judge what was set aside; InputError where too much was, or nothing else is left."""
    counts = set_aside.reasons(con)
    if path is not None:
        set_aside.write(con, path)
    set_aside.check(con, options.max_errors, counts)
    if _one(con, "SELECT count(*) FROM staged JOIN reading_files USING (file_no) WHERE NOT is_context") == 0:
        name = files[0].name
        if counts:
            raise InputError(
                f"{name}: no event could be read, {sum(counts.values())} records were set aside: "
                f"{set_aside.first_ones(con)}. Check the columns (--map) and the format of the file"
            )
        raise InputError(f"{name}: holds no events, only its columns; name a file with one row an event")
    return counts


def _losses(con: duckdb.DuckDBPyConnection) -> tuple[Mapping[str, int], int]:
    row = con.execute("""
        SELECT count_if(lost_ip), count_if(lost_sent), count_if(lost_delivered), count_if(lost_status),
               count_if(naive)
        FROM staged""").fetchone()
    ip, sent, delivered, status, naive = row or (0, 0, 0, 0, 0)
    nulled = {"ip": ip, "sent_at": sent, "delivered_at": delivered, "http_status": status}
    return {name: int(n) for name, n in nulled.items() if n}, int(naive)


class _Counts(TypedDict):
    events: int
    context_events: int
    duplicates: int
    by_type: Mapping[str, int]
    unknown_words: Mapping[str, int]
    capabilities: frozenset[Capability]


def _counts(con: duckdb.DuckDBPyConnection) -> _Counts:
    given = con.execute(f"SELECT {', '.join(_CAPABILITIES.values())} FROM events").fetchone() or ()
    return {
        "events": _one(con, "SELECT count(*) FROM events WHERE NOT is_context"),
        "context_events": _one(con, "SELECT count(*) FROM events WHERE is_context"),
        "duplicates": _one(con, "SELECT coalesce(sum(dup_count), 0) FROM events"),
        "by_type": _counted(con, "event_type", "NOT is_context"),
        "unknown_words": _counted(con, "event_type_raw", f"NOT is_context AND event_type = '{UNKNOWN_EVENT}'"),
        "capabilities": frozenset(name for name, n in zip(_CAPABILITIES, given, strict=True) if n),
    }


def _counted(con: duckdb.DuckDBPyConnection, column: str, where: str) -> Mapping[str, int]:
    rows = con.execute(f"SELECT {column}, count(*) AS n FROM events WHERE {where} GROUP BY 1 ORDER BY n DESC, 1")
    return {str(value): int(n) for value, n in rows.fetchall()}


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
