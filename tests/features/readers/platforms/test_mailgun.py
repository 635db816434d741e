"""Mailgun: what its events mean, from the API or by webhook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.features.readers.platforms.exports import ANN, BOB, EPOCH, FIREFOX, PROXY, Export, at, lines
from tests.features.readers.platforms.test_mapping_tables import SHOWN, damaged, expected

SENDING = "203.0.113.25"
MESSAGE = "20260302090000.1.AB12@mail.example.com"
READING = {"ip": "192.0.2.10", "client-info": {"user-agent": FIREFOX, "client-type": "browser", "bot": ""}}


def event(word: str, seconds: float, number: int, message: str = MESSAGE, **more: Any) -> dict[str, Any]:
    """An event of Ann's message, so many seconds after nine o'clock."""
    return {
        "event": word,
        "id": f"id{number:02}",
        "timestamp": EPOCH + seconds,
        "log-level": "info",
        "recipient": ANN,
        "recipient-domain": "example.com",
        "tags": ["spring", "news"],
        "campaigns": [],
        "user-variables": {},
        "message": {"headers": {"message-id": message}},
        **more,
    }


TO_BOB = {"recipient": BOB, "recipient-domain": "example.org"}
ENVELOPE = {"transport": "smtp", "sender": "news@example.com", "sending-ip": SENDING, "targets": ANN}
EVENTS = [
    event("accepted", 0.125, 1, method="http", envelope=ENVELOPE),
    event("failed", 1, 2, severity="temporary", reason="generic", envelope=ENVELOPE),
    event(
        "delivered", 2.000001, 3, envelope=ENVELOPE, **{"delivery-status": {"code": 250, "mx-host": "mx.example.com"}}
    ),
    event("opened", 60.5, 4, ip="192.0.2.77", **{"client-info": {"user-agent": PROXY, "bot": "gmail"}}),
    event("clicked", 70.094891, 5, **READING, url="https://example.com/offer", geolocation={"country": "NO"}),
    event("unsubscribed", 80, 6, ip="192.0.2.10", **{"client-info": {"user-agent": FIREFOX}}),
    event("complained", 90, 7),
    event("failed", 3, 8, "bob@mail.example.com", severity="permanent", reason="bounce", **TO_BOB),
    event("rejected", 3, 9, "no@mail.example.com", reject={"reason": "Sandbox"}, **TO_BOB),
    event("stored", 99, 10, "in@mail.example.net", storage={"key": "k"}),
    {
        "event": "list_member_uploaded",
        "id": "id11",
        "timestamp": EPOCH,
        "log-level": "info",
        "member": {"address": BOB},
    },
]


def rows(key_hash) -> list[dict[str, Any]]:
    """Ids of messages look like addresses and are hashed like them."""
    ann = {
        "campaign_id": "spring",
        "message_id": key_hash(MESSAGE),
        "recipient_id": ANN,
        "sent_at": at("09:00:00.125"),
        "delivered_at": at("09:00:02.000001"),
    }
    bob = {"campaign_id": "spring", "recipient_id": BOB, "timestamp": at("09:00:03")}
    reader = {"ip": "192.0.2.10", "user_agent": FIREFOX}
    machine = {"platform_machine": True, "platform_machine_reason": "client-info.bot=gmail"}
    return [
        {**ann, "event_type": "queued", "timestamp": at("09:00:00.125")},
        {**ann, "event_type": "deferred", "timestamp": at("09:00:01")},
        {**ann, "event_type": "delivered", "timestamp": at("09:00:02.000001")},
        {
            **ann,
            **machine,
            "event_type": "opened",
            "timestamp": at("09:01:00.5"),
            "ip": "192.0.2.77",
            "user_agent": PROXY,
        },
        {
            **ann,
            **reader,
            "event_type": "clicked",
            "timestamp": at("09:01:10.094891"),
            "url": "https://example.com/offer",
        },
        {**ann, **reader, "event_type": "unsubscribed", "timestamp": at("09:01:20")},
        {**ann, "event_type": "complained", "timestamp": at("09:01:30")},
        {**bob, "event_type": "bounced", "message_id": key_hash("bob@mail.example.com")},
        {**bob, "event_type": "rejected", "message_id": key_hash("no@mail.example.com")},
    ]


def page(events: list[dict[str, Any]]) -> dict[str, Any]:
    links = {name: f"https://api.example.net/v3/{name}" for name in ("first", "next", "last", "previous")}
    return {"items": events, "paging": links}


def webhook(one: dict[str, Any]) -> dict[str, Any]:
    signature = {"timestamp": str(EPOCH + 200), "token": f"token-{one.get('id')}", "signature": "abc"}
    return {"signature": signature, "event-data": one}


def as_logged(one: dict[str, Any]) -> dict[str, Any]:
    """As the Logs API gives it: the time written out."""
    seconds = f"{one['timestamp'] - EPOCH:09.6f}"
    minutes, rest = divmod(float(seconds), 60)
    clock = f"2026-03-02T09:{int(minutes):02}:{rest:09.6f}Z"
    return {"@timestamp": clock, **{name: value for name, value in one.items() if name != "timestamp"}}


CONTROLS = {"no event of a sent message": 2}
EXPORTS = (Export("mailgun", "mailgun", {"page.json": json.dumps(page(EVENTS))}, (), CONTROLS),)
STORED = {
    "a page": json.dumps(page(EVENTS), indent=2),
    "a page a line": lines(page(EVENTS[:4]), page(EVENTS[4:])),
    "pages behind each other": json.dumps(page(EVENTS[:4])) + json.dumps(page(EVENTS[4:])),
    "webhooks": lines(*map(webhook, EVENTS)),
    "webhooks in an array": json.dumps(list(map(webhook, EVENTS))),
    "events": lines(*EVENTS),
    "the Logs API": json.dumps({"start": "x", "end": "y", "items": list(map(as_logged, EVENTS)), "pagination": {}}),
}


@pytest.mark.parametrize("content", STORED.values(), ids=STORED)
def test_the_events_mean_the_same_from_api_and_webhook(reading, key_hash, content):
    summary = reading.paths(reading.file("stored", content))
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(rows(key_hash), found, strict=True)]
    assert (summary.formats, summary.controls, summary.rejected) == ({"mailgun": 9}, CONTROLS, {})
    assert summary.records == 11


def test_a_webhook_and_the_api_agree_on_what_an_event_is(reading):
    summary = reading.paths(reading.lines(webhook(EVENTS[4]), EVENTS[4], page([EVENTS[4]])))
    assert (summary.events, summary.duplicates) == (1, 2)


def test_an_id_counts_within_its_day(reading):
    next_day = {**EVENTS[4], "timestamp": EVENTS[4]["timestamp"] + 86400}
    summary = reading.paths(reading.lines(EVENTS[4], next_day, EVENTS[4], as_logged(EVENTS[4])))
    assert reading.column("event_id", "dup_count") == [("id05:2026-03-02", 2), ("id05:2026-03-03", 0)]
    assert summary.duplicates == 2


def test_a_webhook_without_an_id_has_the_token_of_its_request(reading):
    bare = {name: value for name, value in EVENTS[4].items() if name != "id"}
    reading.paths(reading.lines(webhook(bare)))
    assert reading.column("event_id", "event_id_origin") == [("token-None", "vendor")]


@pytest.mark.parametrize(
    ("bot", "flag", "reason"),
    [
        ({"bot": "apple"}, True, "client-info.bot=apple"),
        ({"bot": "gmail"}, True, "client-info.bot=gmail"),
        ({"bot": "generic"}, True, "client-info.bot=generic"),
        ({"bot": ""}, None, None),
        ({"bot": None}, None, None),
        ({}, None, None),
    ],
)
def test_the_platforms_flag_names_the_machine_also_for_clicks(reading, bot, flag, reason):
    client = {"user-agent": FIREFOX, **bot}
    reading.paths(reading.lines(*({**EVENTS[n], "client-info": client} for n in (3, 4))))
    assert reading.column("platform_machine", "platform_machine_reason") == [(flag, reason)] * 2


@pytest.mark.parametrize(("severity", "word"), [("permanent", "bounced"), ("temporary", "deferred"), (None, "failed")])
def test_a_failure_is_permanent_temporary_or_not_said(reading, severity, word):
    reading.paths(reading.lines(event("failed", 1, 1, severity=severity), EVENTS[4]))
    assert reading.column("event_type", "event_type_raw")[0] == (word, "failed")


@pytest.mark.parametrize("given", ["123.123.123.321", "888.222.444.111", "unix:", "localhost"])
def test_an_address_of_the_documentation_is_none_and_the_row_stays(reading, given):
    summary = reading.paths(reading.lines({**EVENTS[4], "ip": given}))
    assert (summary.events, summary.nulled) == (1, {"ip": 1})
    assert reading.column("ip") == [None]
    assert json.loads(reading.column("extra")[0]) == {"ip_raw": given}


def test_the_sending_servers_address_is_never_a_clients(reading):
    reading.paths(reading.lines(*EVENTS[:3]))
    assert reading.column("ip") == [None, None, None]


@pytest.mark.parametrize(
    ("given", "campaign"),
    [
        ({"tags": ["spring", "news"]}, "spring"),
        ({"tags": []}, None),
        ({"tags": None}, None),
        ({"campaigns": [{"id": "fvk8o", "name": "Spring"}]}, "fvk8o"),
        ({"user-variables": {"campaign_id": 77}}, "77"),
    ],
)
def test_the_campaign_is_a_variable_a_campaign_or_the_first_tag(reading, given, campaign):
    reading.paths(reading.lines({**EVENTS[4], **given}))
    assert reading.column("campaign_id") == [campaign]


def test_the_senders_variables_are_kept_without_the_addresses_in_them(reading, key_hash):
    reading.paths(reading.lines({**EVENTS[4], "user-variables": {"cohort": "B", "owner": "o@example.net"}}))
    assert json.loads(reading.column("extra")[0]) == {
        "user-variables.cohort": "B",
        "user-variables.owner": key_hash("o@example.net"),
    }


def test_the_flat_bodies_of_older_webhooks_are_read(reading, key_hash):
    signed = {"timestamp": str(EPOCH + 70), "token": "t1", "signature": "abc", "domain": "mail.example.com"}
    older = {
        "event": "clicked",
        "recipient": ANN,
        "ip": "192.0.2.10",
        "user-agent": FIREFOX,
        "url": "https://example.com/offer",
        "Message-Id": f"<{MESSAGE}>",
        "tag": "spring",
        "country": "NO",
        "client-type": "browser",
        **signed,
    }
    reading.paths(reading.lines(older, {**older, "event": "dropped", "token": "t2"}))
    shown = ("event_type", "event_id", "timestamp", "message_id", "recipient_id", "recipient_domain", "campaign_id")
    everywhere = (at("09:01:10"), key_hash(MESSAGE), key_hash(ANN), "example.com", "spring")
    assert reading.column(*shown) == [
        ("clicked", "t1", *everywhere),
        ("rejected", "t2", *everywhere),
    ]
    assert reading.column("url", "ip", "user_agent")[0] == ("https://example.com/offer", "192.0.2.10", FIREFOX)


def test_long_pages_are_read_in_parts_and_in_order(reading):
    """Pages of 300 events are parsed a few at a time, so that memory does not grow with their number."""
    pages = [[{**EVENTS[4], "id": f"{n}-{k}", "note": "x" * 500} for k in range(300)] for n in range(60)]
    pages[7] = []
    summary = reading.paths(reading.file("pages", lines(*map(page, pages))))
    assert (summary.records, summary.events, summary.controls) == (59 * 300 + 1, 59 * 300, {"a page without events": 1})
    ids = [one["id"] for part in pages for one in part]
    assert [given.partition(":")[0] for given in reading.column("event_id")] == ids


def test_the_last_page_is_empty_and_counted(reading):
    summary = reading.paths(reading.lines(page(EVENTS[:3]), page([])))
    assert (summary.records, summary.events, summary.controls) == (4, 3, {"a page without events": 1})


def test_microseconds_are_kept(reading):
    reading.paths(reading.lines(EVENTS[2], EVENTS[4]))
    assert reading.column("timestamp", "ts_precision") == [
        (at("09:00:02.000001"), "us"),
        (at("09:01:10.094891"), "us"),
    ]


def test_damaged_fields_cost_their_records_at_most(reading):
    bad = [record for n in (3, 4, 7) for record in damaged(EVENTS[n])]
    summary = reading.paths(reading.lines(*EVENTS, *bad))
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.records == len(EVENTS) + len(bad)
    assert summary.events + summary.duplicates + accounted == summary.records


@pytest.mark.parametrize("timestamp", [1e300, -1e300, "nan", "inf", "1e19", 2**70])
def test_a_timestamp_beyond_all_times_is_set_aside(reading, timestamp):
    summary = reading.paths(reading.lines(EVENTS[4], {**EVENTS[4], "timestamp": timestamp}))
    assert summary.rejected == {"timestamp is not a time": 1}


def test_a_page_cut_off_is_set_aside_and_the_rest_is_read(reading):
    summary = reading.paths(reading.file("pages", lines(page(EVENTS[:3])) + json.dumps(page(EVENTS[3:]))[:-40]))
    assert sum(summary.rejected.values()) == 1
    assert (summary.records, summary.events) == (4, 3)
