"""Files scored the way the command does it, and a small simulated sender to score."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.duckdb_engine import connect
from features.feature import Capability
from features.readers import read_campaigns, read_events
from features.recipient_key import RecipientKey
from serving.model import bundled
from serving.scoring import Scored, score, write_scored
from training.ranges import Choice, Range
from training.simulation import Simulation, simulate
from training.world import ORDINARY

KEY = RecipientKey(bytes(32))
OURS = ("probability", "verdict", "actor", "vendor", "vendor_evidence", "reasons", "provisional")
_FULL = {"methods": Choice((True,)), "opens": Choice((True,)), "campaigns": Choice((4,))}


def small_sender(seed: int, messages: int = 700, days: float = 3) -> Simulation:
    """An ordinary sender with all capabilities, whose mailings are spread over `days`."""
    world = {**ORDINARY.world, **_FULL, "span_days": Range(days, days + 0.1), "export_days": Range(2, 2.1)}
    return simulate(seed, messages, profile=dataclasses.replace(ORDINARY, world=world))


def scored(
    *events: Path,
    campaigns: Path | None = None,
    context: Sequence[Path] = (),
    capabilities: Set[Capability] | None = None,
) -> tuple[duckdb.DuckDBPyConnection, Scored]:
    """The files scored with the bundled model: the connection with its tables, and what was made."""
    con = connect(threads=2)
    read_campaigns(con, campaigns)
    read = read_events(con, events, context=context, recipient_key=KEY)
    return con, score(con, bundled(), read.capabilities if capabilities is None else capabilities, threads=2)


def score_to(output: Path, *events: Path, **options: Any) -> Path:
    """The path of the scored file."""
    con, made = scored(*events, **options)
    write_scored(con, output, made)
    return output


def by_event(path: Path, columns: Sequence[str] = OURS[:6]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(event_id, event_type) -> our columns, of a scored Parquet file."""
    with duckdb.connect() as con:
        listed = ", ".join(columns)
        rows = con.execute(f"SELECT event_id, event_type, {listed} FROM read_parquet($1)", [str(path)]).fetchall()
    found = {(row[0], row[1]): row[2:] for row in rows}
    assert len(found) == len(rows)
    return found


def write_events(events: pa.Table, path: Path) -> Path:
    """The table as a Parquet file."""
    pq.write_table(events, path)
    return path
