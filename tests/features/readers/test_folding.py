"""Copies fold into one event, and every event knows when its message was sent and delivered."""

from __future__ import annotations

import itertools

import pytest

from features.readers import read_campaigns

AT = "2026-03-01T{}Z"


def test_copies_with_one_vendor_id_fold_into_the_first(reading):
    summary = reading.events({"event_id": "1", "url": "first"}, {"event_id": "1", "url": "again"},
                             {"event_id": "2"},
                             {"event_id": "1", "timestamp": AT.format("23:00:00")})  # fmt: skip
    assert reading.column("event_id", "event_id_origin", "url", "dup_count", "record") == [
        ("1", "vendor", "first", 2, 1),
        ("2", "vendor", None, 0, 3),
    ]
    assert (summary.records, summary.events, summary.duplicates) == (4, 2, 2)


@pytest.mark.parametrize("difference", [{"event_type": "open"}, {"message_id": "n"}])
def test_an_id_is_an_event_s_only_with_its_type_and_message(reading, difference):
    assert reading.events({"event_id": "1"}, {"event_id": "1", **difference}).events == 2


def test_unknown_words_with_one_id_are_two_events(reading):
    assert (
        reading.events({"event_id": "1", "event_type": "snooze"}, {"event_id": "1", "event_type": "wake"}).events == 2
    )


FULL = {"campaign_id": "c", "recipient_id": "r", "url": "u", "link_id": "1", "ip": "192.0.2.1",
        "user_agent": "A/1",
        "http_method": "GET", "http_status": 200, "referer": "a", "note": "x"}  # fmt: skip


def test_without_ids_identical_rows_fold_and_the_id_is_derived(reading):
    summary = reading.events(FULL, FULL, FULL)
    assert reading.column("event_id_origin", "dup_count") == [("derived", 2)]
    assert (summary.events, summary.duplicates) == (1, 2)


@pytest.mark.parametrize(
    "difference",
    [{"ip": "192.0.2.2"}, {"user_agent": "B"}, {"url": "v"}, {"timestamp": AT.format("10:00:00.001")},
     {"http_method": "HEAD"}, {"link_id": "2"}, {"note": "y"}, {"recipient_id": "s"}, {"ip": None},
     {"event_type": "opened"},
     {"event_type": "clicked"}],
    ids=str,
)  # fmt: skip
def test_without_ids_one_difference_makes_two_events_with_two_ids(reading, difference):
    assert reading.events(FULL, {**FULL, **difference}).events == 2
    assert len(set(reading.column("event_id"))) == 2


def test_a_derived_id_is_the_same_in_every_file_and_run(reading):
    reading.events(FULL)
    first = reading.column("event_id")
    reading.events({"message_id": "other"}, FULL)
    assert reading.column("event_id")[1:] == first


def test_the_kept_copy_is_the_first_by_file_and_record_whatever_the_container(reading):
    line = {"event_type": "click", "timestamp": 1772359200, "message_id": "m", "event_id": "1"}
    csv = reading.file("b.csv", "event_type,timestamp,message_id,event_id,url\nclick,1772359200,m,1,csv\n")
    one, other = (
        reading.lines({**line, "url": "one"}, name="a"),
        reading.lines({**line, "url": "other"}, name="c"),
    )
    for paths in itertools.permutations([csv, one, other]):
        reading.paths(*paths)
        assert reading.column("raw_ref", "dup_count") == [(f"{paths[0].name}:1", 2)]


def test_context_is_marked_comes_last_and_folds_into_what_is_scored(reading):
    row = {"event_type": "click", "timestamp": 1772359200, "event_id": "1", "message_id": "m"}
    context = reading.lines({**row, "url": "context"}, {**row, "event_id": "0"}, name="yesterday")
    scored = reading.lines({**row, "url": "scored"}, {**row, "event_id": "2"}, name="today")
    summary = reading.paths(scored, context=(context,))
    assert reading.column("event_id", "url", "is_context", "file_no", "dup_count") == [
        ("1", "scored", False, 1, 1), ("2", None, False, 1, 0), ("0", None, True, 2, 0),
    ]  # fmt: skip
    assert (summary.records, summary.events, summary.context_events, summary.duplicates) == (4, 2, 1, 1)
    assert summary.by_type == {"clicked": 2}


def test_a_file_that_is_scored_and_context_is_read_once(reading):
    path = reading.lines({"event_type": "click", "timestamp": 1772359200, "message_id": "m"})
    summary = reading.paths(path, context=(path,))
    assert (summary.files, summary.records, summary.duplicates) == (1, 1, 0)


def test_a_capability_may_come_from_context_alone(reading):
    row = {"event_type": "click", "timestamp": 1772359200, "message_id": "m"}
    context = reading.lines({**row, "ip": "192.0.2.1"}, name="context")
    assert reading.paths(reading.lines(row), context=(context,)).capabilities == {"address"}


def test_times_of_the_message_come_from_its_own_events_the_earliest_first(reading):
    reading.events(
        {"event_type": "click", "timestamp": AT.format("10:00:00")},
        {"event_type": "delivered", "timestamp": AT.format("09:00:09")},
        {"event_type": "delivered", "timestamp": AT.format("09:00:05")},
        {"event_type": "processed", "timestamp": AT.format("09:00:01")},
        {"event_type": "sent", "timestamp": AT.format("09:00:02")},
        {"event_type": "click", "message_id": "other"},
    )
    times = ("2026-03-01 09:00:01+00", "2026-03-01 09:00:05+00")
    assert reading.column("sent_at", "delivered_at")[0] == times
    assert reading.column("sent_at", "delivered_at")[-1] == (None, None)


def test_given_times_win_over_the_message_s_events(reading):
    reading.events(
        {"sent_at": AT.format("08:00:00"), "delivered_at": "1772355600"},
        {"event_type": "delivered", "timestamp": AT.format("09:30:00")},
        {"message_id": "m", "url": "later"},
    )
    assert reading.column("sent_at", "delivered_at") == [
        ("2026-03-01 08:00:00+00", "2026-03-01 09:00:00+00"),
        ("2026-03-01 08:00:00+00", "2026-03-01 09:00:00+00"),
        ("2026-03-01 08:00:00+00", "2026-03-01 09:00:00+00"),
    ]


def test_a_message_id_shared_by_recipients_has_a_delivery_for_each(reading):
    reading.events(
        {"event_type": "delivered", "timestamp": AT.format("09:00:00"), "recipient_id": "a"},
        {"event_type": "delivered", "timestamp": AT.format("09:30:00"), "recipient_id": "b"},
        {"recipient_id": "a"},
        {"recipient_id": "b"},
        {"recipient_id": "c"},
    )
    assert reading.column("delivered_at")[2:] == ["2026-03-01 09:00:00+00", "2026-03-01 09:30:00+00", None]


@pytest.mark.parametrize("missing", ["delivered", "click"])
def test_where_one_side_does_not_name_the_recipient_the_message_is_enough(reading, missing):
    rows = {
        "delivered": {"recipient_id": "a", "timestamp": AT.format("09:00:00")},
        "click": {"recipient_id": "a"},
    }
    rows[missing].pop("recipient_id")
    reading.events(*({"event_type": word, **row} for word, row in rows.items()))
    assert reading.column("delivered_at") == ["2026-03-01 09:00:00+00"] * 2


def test_a_delivery_in_context_counts(reading):
    row = {"timestamp": "2026-03-01T10:00:00Z", "message_id": "m"}
    context = reading.lines({**row, "event_type": "delivered", "timestamp": AT.format("09:00:00")}, name="context")
    reading.paths(reading.lines({**row, "event_type": "click"}), context=(context,))
    assert reading.column("delivered_at")[0] == "2026-03-01 09:00:00+00"


def test_the_campaign_s_sent_time_is_used_where_the_message_has_none(reading):
    read_campaigns(reading.con, reading.file("c.csv", "campaign_id,sent_at\nc,2026-03-01T08:00:00Z\n"))
    reading.events(
        {"campaign_id": "c"},
        {"campaign_id": "c", "message_id": "n", "sent_at": AT.format("08:30:00")},
        {"campaign_id": "d", "message_id": "o"},
    )
    assert reading.column("sent_at") == ["2026-03-01 08:00:00+00", "2026-03-01 08:30:00+00", None]


def test_a_given_time_that_is_none_is_null_and_counted(reading):
    summary = reading.events({"sent_at": "yesterday", "delivered_at": "0001-01-01T00:00:00Z"})
    assert reading.column("sent_at", "delivered_at") == [(None, None)]
    assert summary.nulled == {"sent_at": 1, "delivered_at": 1}
