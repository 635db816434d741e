"""A connection, and small files written out where they are needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.readers import ReadOptions, ReadSummary, read_events
from features.recipient_key import RecipientKey

KEY = RecipientKey(bytes(32))


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


class Reading:
    """Writes small files, reads them, and shows the events in file order."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.con = con
        self.folder = folder

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def lines(self, *rows: dict[str, Any], name: str = "events.jsonl") -> Path:
        return self.file(name, "".join(json.dumps(row) + "\n" for row in rows))

    def events(
        self, *rows: dict[str, Any], mapping: dict[str, str] | None = None, tz: str | None = None
    ) -> ReadSummary:
        """Read rows on top of a click of message m at a fixed time."""
        base = {"event_type": "click", "timestamp": "2026-03-01T10:00:00Z", "message_id": "m"}
        return self.paths(self.lines(*({**base, **row} for row in rows)), mapping=mapping or {}, tz=tz)

    def paths(
        self, *paths: Path | str, context: tuple[Path, ...] = (), rejected: Path | None = None, **options: Any
    ) -> ReadSummary:
        return read_events(
            self.con, paths, ReadOptions(**options), context=context, recipient_key=KEY, rejected=rejected
        )

    def column(self, *names: str) -> list[Any]:
        """Values in file order: single values for one column, tuples for several. Times as ISO text."""
        chosen = ", ".join(
            f"CAST({n} AS VARCHAR)" if n in ("timestamp", "sent_at", "delivered_at") else n for n in names
        )
        rows = self.con.execute(f"SELECT {chosen} FROM events ORDER BY file_no, record").fetchall()
        return [row[0] for row in rows] if len(names) == 1 else rows


@pytest.fixture
def reading(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Reading:
    return Reading(con, tmp_path)


@pytest.fixture
def key_hash() -> Callable[[str], str]:
    return KEY.hash
