"""What wraps events is taken off, layer by layer, and what holds nothing is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

EVENT = {
    "eventType": "Click",
    "mail": {"messageId": "m1", "timestamp": "2026-03-01T09:59:00Z", "destination": ["ann@example.com"]},
    "click": {"timestamp": "2026-03-01T10:00:00.123Z", "ipAddress": "192.0.2.7", "link": "https://example.com/a"},
}


def notification(message: str) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:x", "Message": message}


SNS = notification(json.dumps(EVENT))
WRAPPED = {
    "bare": EVENT,
    "notification": SNS,
    "notification that ends in a line break": notification(json.dumps(EVENT) + "\n"),
    "event bridge": {"version": "0", "detail-type": "Email Clicked", "source": "aws.ses", "detail": EVENT},
    "function called by a topic": {"Records": [{"EventSource": "aws:sns", "Sns": SNS}]},
    "function called by a queue": {"Records": [{"messageId": "q", "receiptHandle": "r", "body": json.dumps(SNS)}]},
    "messages of a queue": {"Messages": [{"MessageId": "q", "ReceiptHandle": "r", "Body": json.dumps(SNS)}]},
    "list": [EVENT],
    "list of lists": [[EVENT]],
}


@pytest.mark.parametrize("name", WRAPPED)
def test_an_event_is_the_same_whatever_wraps_it(reading, name):
    summary = reading.paths(reading.file("events", json.dumps(WRAPPED[name])))
    assert (summary.records, summary.events, dict(summary.formats)) == (1, 1, {"ses": 1})
    assert reading.column("event_type", "message_id", "ip", "timestamp", "raw_ref") == [
        ("clicked", "m1", "192.0.2.7", "2026-03-01 10:00:00.123+00", "events:1")
    ]


@pytest.mark.parametrize(
    ("wrapper", "reason"),
    [
        (notification("You have chosen to subscribe"), "a notification without an event"),
        ({"Records": []}, "an envelope without events"),
        ([], "an empty list"),
        ({"detail-type": "x", "detail": None, "source": "y"}, "an envelope without events"),
    ],
)
def test_what_holds_no_event_is_counted_by_reason(reading, wrapper, reason):
    summary = reading.paths(reading.lines(wrapper, EVENT))
    assert (summary.records, summary.events, dict(summary.controls)) == (2, 1, {reason: 1})


def test_records_inside_are_numbered_in_order_over_all_lines(reading):
    event = {"event": "click", "timestamp": "2026-03-01T10:00:00Z"}
    lines = [[{**event, "message_id": "a"}, {**event, "message_id": "b"}], [{**event, "message_id": "c"}]]
    reading.paths(reading.file("events", "".join(json.dumps(line) + "\n" for line in lines)))
    assert reading.column("record", "message_id") == [(1, "a"), (2, "b"), (3, "c")]


def test_a_broken_line_beside_envelopes_is_set_aside_and_the_rest_is_read(reading):
    text = json.dumps(SNS) + '\n{"Type": "Notif\n' + json.dumps([3, EVENT]) + "\n"
    summary = reading.paths(reading.file("events", text))
    assert dict(summary.rejected) == {"not valid JSON": 1, "not a JSON object": 1}
    assert (summary.records, summary.events, summary.duplicates) == (4, 1, 1)


def test_wrapped_and_bare_files_are_read_together(reading):
    files = [
        reading.lines(SNS, name="a"),
        reading.lines(EVENT | {"mail": EVENT["mail"] | {"messageId": "m2"}}, name="b"),
    ]
    reading.paths(*files)
    assert reading.column("raw_ref", "message_id") == [("a:1", "m1"), ("b:1", "m2")]
