"""The labels that a person gives one by one: a file that is only appended to, a line a decision.

Each line is on the disk before the next case is shown. Of several decisions on one event the last counts, and one that
is empty takes them back; `features.readers.read_labels` sees to that.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from features.errors import InputError
from features.files import append_line, check_writable
from features.formula import defused
from features.readers import read_labels
from features.readers.tables import REVIEW_MARK
from training.labels import REVIEWED, REVIEWED_WEIGHT

LOG_COLUMNS = ("event_id", "raw_ref", "automated", "source", "weight", "who", "when", "why", REVIEW_MARK)
_CSV = ".csv"
_SUFFIXES = (".jsonl", ".ndjson", _CSV)
_SHOWN = 60


@dataclass(frozen=True)
class Decision:
    """What a person says of an event, named by its id or by file and record; `automated` None takes it back.

    `similar_events` is how many events the case stood for, itself among them.
    """

    event_id: str | None
    raw_ref: str | None
    automated: bool | None
    similar_events: int
    who: str | None = None
    why: str | None = None


class ReviewLog:
    """The decisions in a file, JSON lines or CSV by its suffix.

    A last line that a crash cut off is removed when the file is opened; `note` then says so, and is None otherwise.
    Raises InputError where the file is of another kind, has other columns or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note: str | None = None
        if path.suffix.lower() not in _SUFFIXES:
            raise InputError(
                f"{path}: decisions are appended as JSON lines or CSV; name it {path.with_suffix(_SUFFIXES[0]).name}"
            )
        self._is_csv = path.suffix.lower() == _CSV
        check_writable(path)
        if self._has_content():
            self._mend()

    def append(self, decision: Decision) -> None:
        """Write a decision and wait until it is on the disk; InputError where it cannot be written."""
        row = {
            "event_id": decision.event_id,
            "raw_ref": decision.raw_ref,
            "automated": decision.automated,
            "source": REVIEWED,
            "weight": REVIEWED_WEIGHT,
            "who": decision.who,
            "when": datetime.now(UTC).isoformat(timespec="microseconds"),
            "why": decision.why and " ".join(decision.why.split()),
            REVIEW_MARK: decision.similar_events,
        }
        if self._is_csv:
            text = "" if self._has_content() else _csv_line(LOG_COLUMNS)
            text += _csv_line(_cell(row[name]) for name in LOG_COLUMNS)
        else:
            text = json.dumps(row) + "\n"
        append_line(self.path, text.encode("utf-8", "replace"))

    def decisions(self, con: duckdb.DuckDBPyConnection) -> int:
        """Make the temp table `labels` of the decisions that count, empty where there are none; their number."""
        if self._has_content():
            return read_labels(con, self.path, may_be_none=True)
        con.execute("CREATE OR REPLACE TEMP TABLE labels (event_id VARCHAR, raw_ref VARCHAR, automated BOOLEAN)")
        return 0

    def _has_content(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def _mend(self) -> None:
        """End the last line, or remove it where it is not whole."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror}); name another file") from error
        whole, newline, tail = content.rpartition(b"\n")
        if self._is_csv and content:
            self._check_header(content.partition(b"\n")[0])
        if not tail.strip():
            return
        if self._is_whole(tail.decode("utf-8", "replace")):
            append_line(self.path, b"\n")
            return
        os.truncate(self.path, len(whole + newline))
        text = tail.decode("utf-8", "replace")
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        self.note = f"{self.path}: the last line was cut off while it was written and is removed: {shown}"

    def _check_header(self, line: bytes) -> None:
        found = next(csv.reader([line.decode("utf-8-sig", "replace").strip()]), [])
        if tuple(found) != LOG_COLUMNS:
            raise InputError(
                f"{self.path}: has the columns {', '.join(found)}, and decisions have {', '.join(LOG_COLUMNS)};"
                " name another file"
            )

    def _is_whole(self, line: str) -> bool:
        if self._is_csv:
            with suppress(csv.Error):
                return len(next(csv.reader([line], strict=True), [])) == len(LOG_COLUMNS)
            return False
        with suppress(json.JSONDecodeError):
            return isinstance(json.loads(line), dict)
        return False


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(value: object) -> object:
    """The value as a spreadsheet may have it: a text that it would run as a formula gets an apostrophe before it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return defused(value) if isinstance(value, str) else value
