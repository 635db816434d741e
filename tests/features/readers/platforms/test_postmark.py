"""Postmark: what its events mean, by webhook or from the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.features.readers.platforms.exports import ANN, BOB, FIREFOX, PROXY, Export, at, lines
from tests.features.readers.platforms.test_mapping_tables import SHOWN, damaged, expected

MESSAGE = "883953f4-0000-4000-8000-000000000001"
READING = {
    "UserAgent": FIREFOX,
    "Geo": {"CountryISOCode": "NO", "City": "Oslo", "Coords": "59.9,10.7", "IP": "192.0.2.10"},
    "Client": {"Name": "Firefox", "Company": "Mozilla", "Family": "Firefox"},
    "OS": {"Name": "Linux"},
    "Platform": "Desktop",
}


def event(record_type: str, time: str, clock: str, **more: Any) -> dict[str, Any]:
    """An event of Ann's message at this time after nine o'clock UTC, written with the east coast's offset."""
    return {
        "RecordType": record_type,
        "MessageID": MESSAGE,
        "Recipient": ANN,
        "Tag": "spring",
        "MessageStream": "broadcast",
        "ServerID": 23,
        "Metadata": {"cohort": "B"},
        time: f"2026-03-02T{clock}",
        **more,
    }


def change(clock: str = "09:01:20Z", **more: Any) -> dict[str, Any]:
    given = {"Origin": "Recipient", "SuppressSending": True, "SuppressionReason": "ManualSuppression", **more}
    return event("SubscriptionChange", "ChangedAt", clock, **given)


def bounce(kind: str, number: int, **more: Any) -> dict[str, Any]:
    about = event("Bounce", "BouncedAt", "04:00:03.3963933-05:00", ID=number, Type=kind, TypeCode=1, Email=BOB, **more)
    return {name: value for name, value in about.items() if name != "Recipient"} | {"From": "news@example.com"}


EVENTS = [
    event("Delivery", "DeliveredAt", "04:00:02.2735393-05:00", ServerId=23, Details="smtp;250 OK"),
    event("Open", "ReceivedAt", "04:01:00.2493688-05:00", FirstOpen=True, ReadSeconds=0, UserAgent=PROXY, Geo={}),
    event(
        "Click",
        "ReceivedAt",
        "09:01:10.9065619Z",
        ClickLocation="HTML",
        OriginalLink="https://example.com/offer",
        **READING,
    ),
    change(),
    change(SuppressSending=False, SuppressionReason=None),
    change(SuppressionReason="HardBounce"),
    change(SuppressionReason="SpamComplaint"),
    bounce("HardBounce", 901542550),
    bounce("Unsubscribe", 901542551, MessageID="883953f4-0000-4000-8000-000000000002"),
    event("SpamComplaint", "BouncedAt", "09:01:30Z", ID=901542552, Type="SpamComplaint", Email=ANN),
    change(Origin="Customer", MessageID=None),
]
_ALL: dict[str, Any] = {
    "campaign_id": "spring",
    "message_id": MESSAGE,
    "recipient_id": ANN,
    "delivered_at": at("09:00:02.273539"),
}
_BOB = {"campaign_id": "spring", "recipient_id": BOB, "timestamp": at("09:00:03.396393")}
ROWS = [
    {**_ALL, "event_type": "delivered", "timestamp": at("09:00:02.273539")},
    {**_ALL, "event_type": "opened", "timestamp": at("09:01:00.249368"), "user_agent": PROXY},
    {**_ALL, "event_type": "clicked", "timestamp": at("09:01:10.906561"), "url": "https://example.com/offer",
     "ip": "192.0.2.10", "user_agent": FIREFOX},
    {**_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
    {**_ALL, "event_type": "subscribed", "timestamp": at("09:01:20")},
    {**_ALL, "event_type": "bounced", "timestamp": at("09:01:20")},
    {**_ALL, "event_type": "complained", "timestamp": at("09:01:20")},
    {**_BOB, "event_type": "bounced", "message_id": MESSAGE},
    {**_BOB, "event_type": "unsubscribed", "message_id": "883953f4-0000-4000-8000-000000000002",
     "unsubscribe_method": "list_unsubscribe"},
    {**_ALL, "event_type": "complained", "timestamp": at("09:01:30")},
]  # fmt: skip
CONTROLS = {"an address that the sender blocked or freed": 1}
EXPORTS = (Export("postmark", "postmark", {"bodies.jsonl": lines(*EVENTS)}, ROWS, CONTROLS),)
STORED = {
    "a body a line": lines(*EVENTS),
    "bodies behind each other": "".join(map(json.dumps, EVENTS)),
    "an array": json.dumps(EVENTS, indent=1),
}


@pytest.mark.parametrize("content", STORED.values(), ids=STORED)
def test_the_events_mean_the_same_however_they_were_stored(reading, key_hash, content):
    summary = reading.paths(reading.file("stored", content))
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(ROWS, found, strict=True)]
    assert (summary.formats, summary.controls, summary.rejected) == ({"postmark": 10}, CONTROLS, {})
    assert summary.records == 11


def without(one: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in names}


def test_answers_of_the_api_mean_what_the_webhooks_do(reading, key_hash):
    """Their elements need not say what they are."""
    opens = {"TotalCount": 1, "Opens": [without(EVENTS[1], "RecordType")]}
    clicks = {"TotalCount": 1, "Clicks": [EVENTS[2]]}
    bounces = {"TotalCount": 2, "Bounces": [without(EVENTS[7], "RecordType"), without(EVENTS[8], "RecordType")]}
    summary = reading.paths(
        *(reading.file(f"{n}.json", json.dumps(one)) for n, one in enumerate((EVENTS[0], opens, clicks, bounces)))
    )
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    rows = [*ROWS[:3], *ROWS[7:9]]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(rows, found, strict=True)]
    assert summary.formats == {"postmark": 5}


def test_a_page_without_events_is_counted(reading):
    summary = reading.paths(reading.lines({"TotalCount": 0, "Opens": []}, {"TotalCount": 1, "Clicks": [EVENTS[2]]}))
    assert (summary.records, summary.events, summary.controls) == (2, 1, {"a page without events": 1})


def test_a_webhook_and_the_api_agree_on_what_an_event_is(reading):
    summary = reading.paths(reading.lines(EVENTS[2], {"TotalCount": 1, "Clicks": [without(EVENTS[2], "RecordType")]}))
    assert (summary.events, summary.duplicates) == (1, 1)


def test_bodies_delivered_again_are_folded_and_other_links_are_not(reading):
    other = {**EVENTS[2], "OriginalLink": "https://example.com/help"}
    summary = reading.paths(reading.lines(EVENTS[2], other, EVENTS[2], other, EVENTS[7], EVENTS[7]))
    assert (summary.events, summary.duplicates) == (3, 3)
    assert reading.column("event_id", "event_id_origin")[-1] == ("901542550", "vendor")


def test_what_the_platform_leaves_out_is_said(reading):
    summary = reading.paths(reading.lines(*EVENTS))
    said = [warning for warning in summary.warnings if "Postmark" in warning]
    assert len(said) == 1
    assert "only a message's first click" in said[0]
    assert "\n" not in said[0]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-03-02T04:01:00.2493688-05:00", at("09:01:00.249368")),
        ("2026-03-02T05:01:00.9999999-04:00", at("09:01:00.999999")),
        ("2026-03-02T09:01:00.2Z", at("09:01:00.2")),
        ("2026-03-02T09:01:00Z", at("09:01:00")),
        ("2026-03-02T14:31:00.0000001+05:30", at("09:01:00")),
    ],
)
def test_seven_digits_and_an_offset_are_a_time(reading, given, read):
    summary = reading.paths(reading.lines({**EVENTS[2], "ReceivedAt": given}))
    assert reading.column("timestamp") == [read]
    assert not any("zone" in warning for warning in summary.warnings)


@pytest.mark.parametrize("geo", [{}, None, {"IP": ""}, {"Country": "Norway"}, []])
def test_an_address_that_could_not_be_located_is_missing_alone(reading, geo):
    reading.paths(reading.lines({**EVENTS[2], "Geo": geo}))
    assert reading.column("ip", "user_agent") == [(None, FIREFOX)]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("HardBounce", "bounced"),
        ("SoftBounce", "bounced"),
        ("Transient", "deferred"),
        ("DnsError", "deferred"),
        ("SpamComplaint", "complained"),
        ("SpamNotification", "complained"),
        ("Unsubscribe", "unsubscribed"),
        ("Subscribe", "subscribed"),
        ("Blocked", "rejected"),
        ("TemplateRenderingFailed", "failed"),
        ("AutoResponder", "unknown"),
    ],
)
def test_a_bounce_is_what_its_type_says(reading, kind, word):
    reading.paths(reading.lines(bounce(kind, 1)))
    assert reading.column("event_type", "event_type_raw") == [(word, kind)]


@pytest.mark.parametrize(
    ("given", "campaign"),
    [
        ({}, "spring"),
        ({"Tag": ""}, "broadcast"),
        ({"Tag": None, "Metadata": {"campaign_id": "c7"}}, "c7"),
        ({"Tag": None, "MessageStream": None}, None),
    ],
)
def test_the_campaign_is_the_tag_the_metadata_or_the_stream(reading, given, campaign):
    reading.paths(reading.lines({**EVENTS[2], **given}))
    assert reading.column("campaign_id") == [campaign]


def test_metadata_is_kept_and_the_content_of_mails_is_not(reading):
    reading.paths(reading.lines(bounce("HardBounce", 1, Content="Dear Bob", Subject="Offer", Details="smtp;550 bob")))
    assert json.loads(reading.column("extra")[0]) == {"Metadata.cohort": "B"}


def test_a_bounce_without_time_and_recipient_is_set_aside(reading):
    summary = reading.paths(reading.lines(EVENTS[2], without(EVENTS[8], "BouncedAt", "Email")))
    assert (summary.events, summary.rejected) == (1, {"timestamp is not a time": 1})


def test_damaged_fields_cost_their_records_at_most(reading):
    bad = [record for n in (1, 2, 3, 7) for record in damaged(EVENTS[n])]
    summary = reading.paths(reading.lines(*EVENTS, *bad))
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.records == len(EVENTS) + len(bad)
    assert summary.events + summary.duplicates + accounted == summary.records


def test_a_body_cut_off_is_set_aside_and_the_rest_is_read(reading):
    summary = reading.paths(reading.file("bodies", lines(*EVENTS) + json.dumps(EVENTS[2])[:-20]))
    assert sum(summary.rejected.values()) == 1
    assert (summary.records, summary.events) == (12, 10)
