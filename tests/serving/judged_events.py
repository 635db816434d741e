"""Written-out events with their verdicts, as scoring leaves them on a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tests.features.event_tables import event, tables

_JUDGED = ("probability", "verdict", "actor", "vendor", "vendor_evidence", "reasons")
# What judged a click or an unsubscribe; an event has these beside its own columns.
CISCO = {
    "probability": 0.999,
    "verdict": "automated",
    "actor": "security_scanner",
    "vendor": "cisco",
    "vendor_evidence": "own network",
    "ip": "139.138.1.1",
}
UNNAMED = CISCO | {"vendor": None, "vendor_evidence": None, "ip": "192.0.2.1"}
PERSON = {"probability": 0.01, "verdict": "human", "actor": "human", "ip": "84.56.12.9"}
UNSURE = {"probability": 0.6, "verdict": "unsure", "ip": "84.56.12.9"}


def judged_event(kind: str, seconds: float, by: Mapping[str, Any] | None = None, **columns: Any) -> dict[str, Any]:
    """An event of the kind `seconds` after the message's delivery, as `by` judges it; None where nobody does."""
    return event(kind, seconds, **{**(by or {}), **columns})


def judged(events: Sequence[Mapping[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A connection with the tables `events` and `verdicts` of the events."""
    plain = [{name: value for name, value in row.items() if name not in _JUDGED} for row in events]
    con = tables(plain)
    con.execute(
        "CREATE TEMP TABLE verdicts (event_row BIGINT, probability DOUBLE, verdict VARCHAR, actor VARCHAR,"
        " vendor VARCHAR, vendor_evidence VARCHAR, reasons VARCHAR)"
    )
    for record, row in enumerate(events, 1):
        if row.get("verdict"):
            con.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?)", [record, *map(row.get, _JUDGED)])
    return con
