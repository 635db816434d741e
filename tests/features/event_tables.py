"""Small event tables for tests: written-out rows -> the tables that the engine reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import DuckDBEngine, connect
from features.feature import CAPABILITIES
from features.schema import CAMPAIGN_COLUMNS, EVENT_COLUMNS

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # the start of an hour
MICRO = 0.000_001
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
# Whose networks these are is in the packaged reference data.
HOME, HOME_TOO, HOME_6 = "84.56.12.9", "84.56.12.200", "2a02:8109:9a00::1"
OTHER_HOME = "73.1.2.3"
SCANNER, DATA_CENTRE, NOBODY = "40.94.20.7", "52.95.110.1", "192.0.2.1"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
_DEFAULTS: Mapping[str, Any] = {
    "event_id_origin": "vendor",
    "source": "generic",
    "event_type_raw": "",
    "ts_precision": "us",
    "is_synthetic": False,
    "dup_count": 0,
    "raw_ref": "",
    "campaign_id": "spring",
    "message_id": "m1",
    "recipient_id": "r1",
    "recipient_domain": "example.com",
}
_ARROW = {
    "VARCHAR": pa.string(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
}


def at(seconds: float) -> datetime:
    """`seconds` after the delivery of every message in these tests."""
    return START + timedelta(seconds=seconds)


def event(kind: str, seconds: float, **columns: Any) -> dict[str, Any]:
    """One event `seconds` after START; columns not named get plain defaults, `delivered_at` START."""
    return {"event_type": kind, "timestamp": at(seconds), "delivered_at": START, **columns}


opened, clicked, unsubscribed = (partial(event, kind) for kind in ("opened", "clicked", "unsubscribed"))


def link(number: int | str) -> str:
    return f"https://t.example/{number}"


def tables(
    events: Sequence[Mapping[str, Any]],
    campaigns: Sequence[Mapping[str, Any]] = (),
    context: Sequence[Mapping[str, Any]] = (),
) -> duckdb.DuckDBPyConnection:
    """A connection with `events` and `campaigns` in the canonical columns; context rows come after the others."""
    rows = []
    for file_no, part in enumerate((events, context)):
        for record, given in enumerate(part, 1):
            row = {column.name: _DEFAULTS.get(column.name) for column in EVENT_COLUMNS} | dict(given)
            row["event_id"] = row["event_id"] or f"e{file_no}-{record}"
            rows.append(row | {"is_context": file_no == 1, "file_no": file_no, "record": record})
    schema = pa.schema(
        [(c.name, _ARROW[c.type]) for c in EVENT_COLUMNS]
        + [("is_context", pa.bool_()), ("file_no", pa.int32()), ("record", pa.int64())]
    )
    con = connect(threads=1)
    _make(con, "events", pa.Table.from_pylist(rows, schema))
    known = pa.schema([(c.name, _ARROW[c.type]) for c in CAMPAIGN_COLUMNS])
    _make(con, "campaigns", pa.Table.from_pylist([dict(c) for c in campaigns], known))
    return con


def _make(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("made", table)
    con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM made")
    con.unregister("made")


def feature_rows(
    con: duckdb.DuckDBPyConnection, capabilities: frozenset[str] = frozenset(CAPABILITIES), **options: Any
) -> dict[str, dict[str, float | None]]:
    """event_id -> feature name -> value, for the judged events."""
    DuckDBEngine(con).compute(capabilities, **options)
    found = con.sql(
        "SELECT e.event_id, x.* FROM features AS x JOIN events AS e"
        " ON x.event_row = CAST(e.file_no AS BIGINT) * 1099511627776 + e.record"
    ).to_arrow_table()
    return {row["event_id"]: {name: row[name] for name in FEATURE_NAMES} for row in found.to_pylist()}


def features_in_order(events: Sequence[Mapping[str, Any]], **options: Any) -> list[dict[str, float | None]]:
    """Feature rows in the order of the events given; all of them must be judged ones."""
    rows = feature_rows(tables(events, **options))
    return [rows[f"e0-{record}"] for record in range(1, len(events) + 1)]


def check(
    names: str,
    *rows: tuple[Any, ...],
    campaigns: Sequence[Mapping[str, Any]] = (),
    capabilities: frozenset[str] = frozenset(CAPABILITIES),
    **options: Any,
) -> None:
    """A row is an event and what its features `names` must be, None for NULL; an event alone is not looked at."""
    __tracebackhide__ = True
    events = [row[0] for row in rows]
    found = feature_rows(tables(events, campaigns), capabilities, **options)
    wrong = [
        f"row {number}: {name} is {value}, not {wanted}"
        for number, row in enumerate(rows, 1)
        if len(row) > 1
        for name, wanted in zip(names.split(), row[1:], strict=True)
        if not _same(value := found[row[0].get("event_id") or f"e0-{number}"][name], wanted)
    ]
    assert not wrong, "\n".join(wrong)


def _same(value: float | None, wanted: float | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-9)
