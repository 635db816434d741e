"""Exports compared with the simulation they were made from: rows of both sides in one plain shape."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.simulation import Simulation

Row = dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A simulation, the folder it was exported to, and the platform's files there."""

    made: Simulation
    folder: Path
    files: tuple[Path, ...]

    @property
    def labels(self) -> list[Row]:
        return pq.read_table(self.folder / "labels.parquet").to_pylist()

    @property
    def campaigns(self) -> list[Row]:
        return pq.read_table(self.folder / "campaigns.parquet").to_pylist()


def simulated(made: Simulation) -> list[Row]:
    """The simulated events with their labels, `us` for the time and `address` for the recipient's."""
    events = made.events.set_column(2, "us", made.events["timestamp"].cast(pa.int64()))
    told = {row["event_id"]: row for row in made.labels.to_pylist()}
    rows = [{"automated": None, "source": None, **row, **told.get(row["event_id"], {})} for row in events.to_pylist()]
    return [{**row, "address": f"{row['recipient_id']}@{row['recipient_domain']}"} for row in rows]


def engagement(rows: Iterable[Row]) -> list[Row]:
    """Opens, clicks and unsubscribes."""
    return [row for row in rows if row["event_type"] in ("open", "click", "unsubscribe")]


def counted(rows: Iterable[Row], *names: str) -> Counter[tuple[Any, ...]]:
    """How many rows have these values."""
    return Counter(tuple(row[name] for name in names) for row in rows)


def labelled(export: Export, records: dict[str, list[Row]]) -> list[Row]:
    """The record that each label names by file and number, counted from 1, with what the label says."""
    rows = []
    for label in export.labels:
        file, number = label["raw_ref"].rsplit(":", 1)
        rows.append({**records[file][int(number) - 1], "automated": label["automated"], "source": label["source"]})
    return rows


def json_values(text: str) -> list[Any]:
    """All JSON values of a text, whatever stands between them."""
    decoder, values, position = json.JSONDecoder(), [], 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        values.append(value)
        while position < len(text) and text[position].isspace():
            position += 1
    return values


def iso_us(text: str) -> int:
    """Microseconds since 1970 of an ISO time with a zone; finer digits are cut."""
    clock, fraction, zone = re.fullmatch(r"([^.]{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text).groups()
    whole = datetime.fromisoformat(clock + zone.replace("Z", "+00:00")).timestamp()
    return int(whole) * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])
