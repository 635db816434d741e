"""Tables of what people did after a click: under many names, with ids as the events have them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from features.errors import InputError
from features.readers import ReadOptions, read_conversions
from tests.features.readers.conftest import KEY


def rows(reading, content, **options):
    """event_type, timestamp, campaign_id, message_id, recipient_id, ip, user_agent of each."""
    path = reading.file("c.csv", content)
    assert read_conversions(reading.con, [path], ReadOptions(**options), recipient_key=KEY) >= 1
    return reading.con.execute("SELECT * FROM conversions ORDER BY timestamp").fetchall()


def test_all_columns_are_read_under_the_names_that_events_have(reading):
    content = (
        "event,ts,campaign,msg_id,email,client_ip,ua\n"
        "Placed Order,2026-03-01T10:00:00Z,spring,<m1>,Bob <bob@x.test>,::ffff:84.56.12.9,Firefox\n"
        ",1772359260,,,r2,no address,-\n"
    )
    assert rows(reading, content) == [
        (
            *("Placed Order", datetime(2026, 3, 1, 10, tzinfo=UTC), "spring", "m1", KEY.hash("bob@x.test")),
            *("84.56.12.9", "Firefox"),
        ),
        (None, datetime(2026, 3, 1, 10, 1, tzinfo=UTC), None, None, "r2", None, None),
    ]


def test_ids_are_those_of_events(reading):
    reading.events({"message_id": "<a@mail.test>", "recipient_id": "BOB@x.test"})
    [events] = reading.con.execute("SELECT message_id, recipient_id FROM events").fetchall()
    [found] = rows(reading, "timestamp,message_id,recipient_id\n2026-03-01T10:00:00Z,<a@mail.test>,bob@x.test\n")
    assert (found[3], found[4]) == events


def test_times_without_a_zone_are_of_the_zone_that_is_named(reading):
    [found] = rows(reading, "timestamp,message_id\n2026-03-01 10:00:00,m\n", tz="Europe/Berlin")
    assert found[1] == datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("timestamp,message_id\nsoon,m\n", "c: record 1 has 'soon'; timestamp must be a time"),
        ("timestamp,message_id\n,m\n", "c: record 1 has an empty value; timestamp must be a time"),
        ("timestamp,message_id,email\n2026-03-01,m,\n2026-03-01,,\n", "c: record 2 .* fill message_id or recipient_id"),
        ("message_id\nm\n", "c: no column for timestamp"),
        ("timestamp,order\n2026-03-01,1\n", "c: no column for message_id or recipient_id"),
        ("timestamp,message_id\n", "c: holds no conversions"),
    ],
)
def test_what_cannot_be_used_is_refused(reading, content, words):
    with pytest.raises(InputError, match=words):
        read_conversions(reading.con, [reading.file("c", content)])
