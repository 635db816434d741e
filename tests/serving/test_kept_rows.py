"""The person's own rows, as they are, with the verdict of the event that each became."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from features.duckdb_engine import connect
from features.readers import read_campaigns, read_events
from serving.model import bundled
from serving.scoring import VERDICT_COLUMNS, score, write_kept
from tests.serving.scored_files import KEY

OPEN = {"event": "open", "timestamp": 1772359200, "sg_event_id": "a", "email": "ann@example.com", "ip": "192.0.2.1"}
CLICK = OPEN | {"event": "click", "sg_event_id": "b", "timestamp": 1772359300, "url": "https://example.com/x"}
DELIVERED = OPEN | {"event": "delivered", "sg_event_id": "c", "timestamp": 1772359100}


def kept(output: Path, *paths: Path) -> Path:
    con = connect(threads=2)
    read_campaigns(con, None)
    read = read_events(con, paths, recipient_key=KEY, keep_rows=True)
    write_kept(con, output, score(con, bundled(), read.capabilities, threads=2))
    return output


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_of_the_export_comes_back_in_order_and_copies_share_their_verdict(tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    export.write_text(json.dumps([DELIVERED, OPEN, CLICK, OPEN]))
    rows = table(kept(tmp_path / "scored.csv", export))
    assert list(rows[0]) == [
        "email",
        "event",
        "ip",
        "sg_event_id",
        "timestamp",
        "url",
        *VERDICT_COLUMNS,
        "model_version",
    ]
    assert [row["sg_event_id"] for row in rows] == ["c", "a", "b", "a"]
    assert {row["email"] for row in rows} == {"ann@example.com"}
    assert rows[0]["verdict"] == ""
    assert rows[1]["verdict"] == rows[3]["verdict"] != ""
    assert rows[1]["probability"] == rows[3]["probability"]


def test_a_column_of_the_same_name_stays_the_persons(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text("event,timestamp,message_id,Verdict\nopen,1772359200,m,mine\n")
    (row,) = table(kept(tmp_path / "scored.csv", export))
    assert row["Verdict"] == "mine"
    assert row["clicksift_verdict"] in ("human", "automated", "unsure")


def test_cells_of_a_csv_stay_as_they_are_and_those_of_other_files_cannot_become_formulas(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("event,timestamp,message_id,note\nopen,1772359200,m,=1+1\n")
    other = tmp_path / "other.json"
    other.write_text(json.dumps([{"event": "open", "timestamp": 1772359200, "message_id": "n", "note": "=1+1"}]))
    rows = table(kept(tmp_path / "scored.csv", own, other))
    assert [row["note"] for row in rows] == ["=1+1", "'=1+1"]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_files_of_several_formats_are_put_under_each_other(tmp_path: Path, suffix: str) -> None:
    export, plain = tmp_path / "export.json", tmp_path / "plain.csv"
    export.write_text(json.dumps([OPEN]))
    plain.write_text("event_type,timestamp,message_id\nclick,2026-03-01T10:00:00Z,007\n")
    output = kept(tmp_path / f"scored.{suffix}", export, plain)
    rows = duckdb.sql(f"SELECT sg_event_id, event_type, message_id, verdict IS NULL FROM '{output}'").fetchall()
    assert rows == [("a", None, None, False), (None, "click", "007", False)]
