"""Reading as a whole: what is refused, what is said, what is counted."""

from __future__ import annotations

import pytest

from features.errors import InputError
from features.readers import ReadOptions, read_events

ROW = {"event_type": "click", "timestamp": "2026-03-01T10:00:00Z", "message_id": "m"}


@pytest.mark.parametrize("content", ["event_type,timestamp,message_id\n", "[]"], ids=["header only", "empty array"])
def test_a_file_without_rows_is_an_error_with_the_next_step(reading, content):
    with pytest.raises(InputError, match=r"events: (holds no events|no column)"):
        reading.paths(reading.file("events", content))


def test_a_parquet_file_of_no_rows_is_an_error(reading):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = reading.folder / "events"
    pq.write_table(pa.table({name: pa.array([], pa.string()) for name in ROW}), path)
    with pytest.raises(
        InputError, match="events: holds no events, only its columns; name a file with one row an event"
    ):
        reading.paths(path)


def test_context_alone_is_not_enough(reading):
    header = reading.file("a.csv", "event_type,timestamp,message_id\n")
    with pytest.raises(InputError, match=r"a\.csv: holds no events"):
        reading.paths(header, context=(reading.lines(ROW),))


def test_an_unknown_format_is_refused(reading):
    with pytest.raises(InputError, match="--format sendgrit: there is no such format; did you mean sendgrid"):
        reading.paths(reading.lines(ROW), format="sendgrit")


def test_without_a_key_addresses_are_hashed_all_the_same_with_a_warning(reading):
    summary = read_events(reading.con, [reading.lines({**ROW, "email": "bob@example.com"})])
    assert len(reading.column("recipient_id")[0]) == 32
    assert summary.warnings == (
        "recipient ids are addresses and no project key was given: their ids hold for this run only",
    )


def test_progress_names_what_is_read(reading):
    said: list[str] = []
    paths = [
        reading.lines(ROW, name="a"),
        reading.lines(ROW, name="b"),
        reading.file("c.csv", ",".join(ROW) + "\n"),
    ]
    read_events(reading.con, paths, ReadOptions(), progress=said.append)
    assert said == ["reading a and 1 more", "reading c.csv"]


def test_the_same_rows_give_the_same_events_in_every_container(reading):
    rows = [
        {
            **ROW,
            "timestamp": f"2026-03-01T10:00:0{n}.{n}Z",
            "message_id": f"00{n}",
            "ip": f"192.0.2.{n}",
            "note": str(n),
        }
        for n in range(5)
    ]
    text = ",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows)
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), reading.folder / "p")
    paths = [reading.lines(*rows, name="l"), reading.file("c", text), reading.folder / "p"]
    found = []
    for path in paths:
        reading.paths(path)
        found.append(reading.con.execute("SELECT * EXCLUDE (raw_ref) FROM events ORDER BY record").fetchall())
    assert found[0] == found[1] == found[2]


def test_splitting_a_file_changes_nothing_but_the_references(reading):
    rows = [
        {
            **ROW,
            "event_id": str(n // 2),
            "message_id": str(n // 2),
            "event_type": ("delivered", "click")[n % 2],
        }
        for n in range(8)
    ]
    columns = "* EXCLUDE (raw_ref, file_no, record)"
    query = f"SELECT {columns} FROM events ORDER BY event_id, event_type"
    reading.paths(reading.lines(*rows))
    whole = reading.con.execute(query).fetchall()
    reading.paths(reading.lines(*rows[:3], name="a"), reading.lines(*rows[3:], name="b"))
    assert reading.con.execute(query).fetchall() == whole
