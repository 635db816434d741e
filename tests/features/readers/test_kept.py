"""The person's own rows stay as they are, each with its file and record."""

from __future__ import annotations

from features.readers import ReadOptions, kept, read_events

CSV = "Event;Time;Message ID;IP Address\nopen;2026-03-01T10:00:00Z;m1;\nbounce;2026-03-01T10:00:01Z;m2;192.0.2.1\n"


def rows(reading, *paths, **more):
    read_events(reading.con, paths, ReadOptions(), keep_rows=True, **more)
    tables = kept.tables(reading.con)
    return tables, [reading.con.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


def test_every_readable_row_is_kept_under_the_names_of_the_file(reading):
    tables, (made,) = rows(reading, reading.file("events.csv", CSV))
    assert tables == ["kept_csv_1"]
    assert made.columns == [*kept.PLACE, "Event", "Time", "Message ID", "IP Address"]
    assert made.fetchall() == [
        (1, 1, "open", "2026-03-01T10:00:00Z", "m1", None),
        (1, 2, "bounce", "2026-03-01T10:00:01Z", "m2", "192.0.2.1"),
    ]


def test_copies_and_control_records_are_kept_and_context_is_not(reading):
    event = {"event": "click", "timestamp": 1772359200, "sg_event_id": "e", "email": "ann@example.com"}
    scored = reading.lines([event, event], name="a")
    context = reading.lines(event | {"sg_event_id": "f"}, name="b")
    _, (made,) = rows(reading, scored, context=[context])
    assert made.columns[2:] == ["email", "event", "sg_event_id", "timestamp"]
    assert [row[:4] for row in made.fetchall()] == [
        (1, 1, "ann@example.com", "click"),
        (1, 2, "ann@example.com", "click"),
    ]


def test_keys_that_differ_only_in_case_are_kept_apart(reading):
    _, (made,) = rows(
        reading, reading.lines({"event": "open", "ts": 1772359200, "message_id": "m", "url": "a", "URL": "b"})
    )
    assert set(made.columns[2:]) == {"event", "ts", "message_id", "URL", "url_2"}


def test_without_the_wish_nothing_is_kept(reading):
    reading.paths(reading.file("events.csv", CSV))
    assert kept.tables(reading.con) == []
