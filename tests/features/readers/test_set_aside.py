"""Records that cannot be used are counted, written for the user, and limited on request."""

from __future__ import annotations

import json

import pytest

from features.errors import InputError

BAD = {"event_type": "", "note": "bob@example.com"}


def test_they_are_written_with_file_record_reason_and_text(reading):
    path = reading.folder / "out" / "rejected.jsonl"
    reading.lines({"event_type": "click", "timestamp": 1772359200, "message_id": "m"}, BAD)
    summary = reading.paths(reading.folder / "events.jsonl", rejected=path)
    assert summary.rejected == {"no event type": 1}
    (line,) = path.read_text().splitlines()
    row = json.loads(line)
    assert (row["file"], row["record"], row["reason"]) == ("events.jsonl", 2, "no event type")
    assert json.loads(row["raw"])["note"] == "bob@example.com"
    assert [file.name for file in path.parent.iterdir()] == ["rejected.jsonl"]


def test_without_any_the_file_of_an_earlier_run_is_removed(reading):
    path = reading.file("rejected.jsonl", "old")
    reading.paths(reading.lines({"event_type": "click", "timestamp": 1772359200, "message_id": "m"}), rejected=path)
    assert not path.exists()


def test_more_than_allowed_is_an_error_that_shows_the_first_and_the_file_is_still_written(reading):
    rows = [{"event_type": "click", "timestamp": time, "message_id": "m"} for time in (1772359200, "soon", "later")]
    path, rejected = reading.lines(*rows), reading.folder / "rejected.jsonl"
    assert reading.paths(path, max_errors=2).events == 1
    with pytest.raises(InputError) as error:
        reading.paths(path, max_errors=1, rejected=rejected)
    assert str(error.value).startswith(
        "2 records were set aside, --max-errors allows 1: events.jsonl record 2: timestamp is not a time"
    )
    assert len(rejected.read_text().splitlines()) == 2


def test_when_nothing_can_be_read_the_error_says_why(reading):
    with pytest.raises(
        InputError, match=r"no event could be read, 2 records were set aside: .* record 1: no event type"
    ):
        reading.events(BAD, BAD)


def test_records_are_events_duplicates_and_set_aside(reading):
    summary = reading.events({}, {}, {"message_id": "n"}, {"timestamp": "soon"}, {"event_type": None}, BAD)
    assert summary.records == 6
    assert (summary.events, summary.duplicates, summary.rejected) == (
        2, 1, {"no event type": 2, "timestamp is not a time": 1},
    )  # fmt: skip
