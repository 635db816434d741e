"""Events that were written are read again as they were."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from features.canonical import write_events
from features.duckdb_engine import connect
from features.errors import InputError
from features.readers import read_events
from features.recipient_key import RecipientKey
from features.schema import EVENT_COLUMNS

KEY = RecipientKey(bytes(32))
ANN = {"sg_message_id": "m1.f", "email": "ann@example.com"}
OPEN = ANN | {"event": "open", "timestamp": 1772359260, "sg_event_id": "c", "ip": "198.51.100.7"}
ROWS = [
    ANN | {"event": "processed", "timestamp": 1772359200, "sg_event_id": "a"},
    ANN | {"event": "delivered", "timestamp": 1772359201, "sg_event_id": "b", "ip": "192.0.2.9"},
    OPEN | {"useragent": "Mozilla/5.0", "sg_machine_open": True, "team": "ann@example.com"},
    OPEN,
    {
        "sg_message_id": "m2.f",
        "event": "telepathy",
        "timestamp": 1772359300,
        "sg_event_id": "d",
        "email": "b@example.com",
    },
]


def events(path):
    con = connect(threads=2)
    summary = read_events(con, [path], recipient_key=KEY)
    return con, summary


def rows(con):
    names = ", ".join(column.name for column in EVENT_COLUMNS)
    return con.execute(f"SELECT {names} FROM events ORDER BY file_no, record").fetchall()


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "sendgrid.json"
    path.write_text(json.dumps(ROWS))
    return path


def test_events_survive_writing_and_reading_whole(export, tmp_path):
    con, first = events(export)
    write_events(con, tmp_path / "events.parquet")
    again, second = events(tmp_path / "events.parquet")
    assert rows(again) == rows(con)
    assert (second.events, second.duplicates, second.records) == (4, 0, 4)
    assert (first.events, first.duplicates, first.records) == (4, 1, 5)
    assert second.capabilities == first.capabilities


def test_no_address_is_in_the_file(export, tmp_path):
    con, _ = events(export)
    write_events(con, tmp_path / "events.parquet")
    table = pq.read_table(tmp_path / "events.parquet")
    assert table.column_names == [column.name for column in EVENT_COLUMNS]
    assert "@" not in str(table.to_pylist())


def test_a_place_that_cannot_be_written_is_an_error(export, tmp_path):
    con, _ = events(export)
    with pytest.raises(InputError, match=r"sendgrid\.json"):
        write_events(con, export / "events.parquet")
