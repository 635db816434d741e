"""SendGrid's Event Webhook: what its events mean, however their bodies were stored."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest

from tests.features.readers.platforms.exports import ANN, BOB, EPOCH, FIREFOX, PROXY, Export, at, lines
from tests.features.readers.platforms.test_mapping_tables import SHOWN, damaged, expected

SENDING = "203.0.113.25"
READING = {"ip": "192.0.2.10", "useragent": FIREFOX}


def event(word: str, seconds: int, number: int, **more: Any) -> dict[str, Any]:
    """An event of Ann's message, so many seconds after nine o'clock."""
    return {
        "email": ANN,
        "timestamp": EPOCH + seconds,
        "event": word,
        "sg_event_id": f"ev{number:02}",
        "sg_message_id": "msgA.filter0012p1.1234.5E0B8.0",
        "category": ["spring", "news"],
        **more,
    }


EVENTS = [
    event("processed", 0, 1, **{"smtp-id": "<msgA@geopod.example.com>"}),
    event("deferred", 1, 2, ip=SENDING, response="451 try again", attempt="1"),
    event("delivered", 2, 3, ip=SENDING, response="250 2.0.0 OK", tls=1),
    event("open", 60, 4, ip="192.0.2.77", useragent=PROXY, sg_machine_open=True),
    event("open", 65, 5, **READING, sg_machine_open=False),
    event("click", 70, 6, **READING, url="https://example.com/offer", url_offset={"index": 2, "type": "html"}),
    event("unsubscribe", 80, 7),
    event("group_unsubscribe", 81, 8, **READING, url="https://example.com/leave", asm_group_id=10),
    event("group_resubscribe", 82, 9, **READING, url="https://example.com/back", asm_group_id=10),
    event("spamreport", 90, 10),
    event(
        "bounce", 2, 11, email=BOB, sg_message_id="msgB.filter0012p1.1.2.0", ip=SENDING, status="5.1.1", type="bounce"
    ),
    event("dropped", 3, 12, email=BOB, sg_message_id="msgC.filter0012p1.1.2.0", reason="Bounced Address"),
    event("account_status_change", 99, 13, type="compliance_suspend"),
]
_ALL: dict[str, Any] = {
    "campaign_id": "spring",
    "message_id": "msgA",
    "recipient_id": ANN,
    "sent_at": at("09:00:00"),
    "delivered_at": at("09:00:02"),
}
_CLIENT = {"ip": "192.0.2.10", "user_agent": FIREFOX}
_BOB = {"campaign_id": "spring", "recipient_id": BOB}
ROWS = [
    {**_ALL, "event_type": "queued", "timestamp": at("09:00:00")},
    {**_ALL, "event_type": "deferred", "timestamp": at("09:00:01")},
    {**_ALL, "event_type": "delivered", "timestamp": at("09:00:02")},
    {
        **_ALL,
        "event_type": "opened",
        "timestamp": at("09:01:00"),
        "ip": "192.0.2.77",
        "user_agent": PROXY,
        "platform_machine": True,
        "platform_machine_reason": "sg_machine_open=true",
    },
    {
        **_ALL,
        **_CLIENT,
        "event_type": "opened",
        "timestamp": at("09:01:05"),
        "platform_machine": False,
        "platform_machine_reason": "sg_machine_open=false",
    },
    {
        **_ALL,
        **_CLIENT,
        "event_type": "clicked",
        "timestamp": at("09:01:10"),
        "url": "https://example.com/offer",
        "link_id": "2",
    },
    {**_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"), "unsubscribe_method": "link"},
    {
        **_ALL,
        **_CLIENT,
        "event_type": "unsubscribed",
        "timestamp": at("09:01:21"),
        "url": "https://example.com/leave",
        "unsubscribe_method": "link",
    },
    {**_ALL, "event_type": "subscribed", "timestamp": at("09:01:22"), "url": "https://example.com/back"},
    {**_ALL, "event_type": "complained", "timestamp": at("09:01:30")},
    {**_BOB, "event_type": "bounced", "timestamp": at("09:00:02"), "message_id": "msgB"},
    {**_BOB, "event_type": "rejected", "timestamp": at("09:00:03"), "message_id": "msgC"},
]
CONTROLS = {"a change of the account": 1}
EXPORTS = (Export("sendgrid", "sendgrid", {"bodies.jsonl": lines(EVENTS[:3], EVENTS[3:])}, ROWS, CONTROLS),)


def as_table() -> str:
    """The events as a warehouse has them: a column a field, objects as JSON, "_" for "-"."""
    names = list(dict.fromkeys(name for one in EVENTS for name in one))
    target = io.StringIO()
    rows = csv.writer(target)
    rows.writerow([name.replace("-", "_") for name in names])
    for one in EVENTS:
        cells = [one.get(name, "") for name in names]
        rows.writerow([json.dumps(cell) if isinstance(cell, dict | list | bool) else cell for cell in cells])
    return target.getvalue()


LAYOUTS: dict[str, str | bytes] = {
    "one array": json.dumps(EVENTS),
    "one array, indented": json.dumps(EVENTS, indent=2),
    "an array a line": lines(EVENTS[:3], EVENTS[3:]),
    "an array a line, unpacked by a shell": "".join(f"  {json.dumps([one])} \r\n" for one in EVENTS),
    "an object a line": lines(*EVENTS),
    "arrays behind each other": json.dumps(EVENTS[:5]) + json.dumps(EVENTS[5:]),
    "objects behind each other": "".join(map(json.dumps, EVENTS)),
    "an array with a comma too many": json.dumps(EVENTS)[:-1] + ",]",
    "gzip": gzip.compress(lines(EVENTS).encode()),
    "a warehouse's table": as_table(),
}


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
def test_the_events_mean_the_same_however_they_were_stored(reading, key_hash, content):
    summary = reading.paths(reading.file("stored", content))
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(ROWS, found, strict=True)]
    assert (summary.formats, summary.controls, summary.rejected) == ({"sendgrid": 12}, CONTROLS, {})
    assert summary.records == 13


def test_events_keep_the_platforms_ids_and_words(reading):
    reading.paths(reading.lines(*EVENTS))
    assert reading.column("event_id", "event_id_origin", "event_type_raw")[:4] == [
        ("ev01", "vendor", "processed"),
        ("ev02", "vendor", "deferred"),
        ("ev03", "vendor", "delivered"),
        ("ev04", "vendor", "open"),
    ]


def test_a_body_delivered_46_times_is_one_event(reading):
    summary = reading.paths(reading.file("bodies", lines(*([EVENTS[5]] for _ in range(46)))))
    assert (summary.records, summary.events, summary.duplicates) == (46, 1, 45)
    assert reading.column("event_type", "dup_count") == [("clicked", 45)]


def test_two_requests_in_one_second_stay_two_events(reading):
    summary = reading.paths(reading.lines(EVENTS[5], {**EVENTS[5], "sg_event_id": "other"}))
    assert (summary.events, summary.duplicates) == (2, 0)


def test_an_id_shared_by_different_events_does_not_fold_them(reading):
    summary = reading.paths(reading.lines(*({**EVENTS[n], "sg_event_id": "same"} for n in (3, 5))))
    assert (summary.events, summary.duplicates) == (2, 0)


def test_the_sending_servers_address_is_never_a_clients(reading):
    reading.paths(reading.lines(*EVENTS))
    addresses = dict(zip(reading.column("event_type"), reading.column("ip"), strict=True))
    assert addresses["delivered"] is addresses["deferred"] is addresses["bounced"] is None
    assert SENDING not in reading.column("ip")


@pytest.mark.parametrize(
    ("timestamp", "read"),
    [
        (EPOCH, "2026-03-02 09:00:00+00"),
        (str(EPOCH), "2026-03-02 09:00:00+00"),
        (EPOCH * 1000 + 372, "2026-03-02 09:00:00.372+00"),
        (str(EPOCH * 1000 + 372), "2026-03-02 09:00:00.372+00"),
        (EPOCH * 1_000_000 + 372_001, "2026-03-02 09:00:00.372001+00"),
    ],
)
def test_the_unit_of_a_timestamp_is_told_by_its_size(reading, timestamp, read):
    reading.paths(reading.lines({**EVENTS[5], "timestamp": timestamp, "send_at": str(EPOCH)}))
    assert reading.column("timestamp") == [read]


def test_precision_is_each_events_own(reading):
    reading.paths(reading.lines(EVENTS[4], {**EVENTS[5], "timestamp": (EPOCH + 70) * 1000 + 372}))
    assert reading.column("ts_precision") == ["s", "ms"]


@pytest.mark.parametrize("agent", [None, "", " ", "-", "N/A", "Unknown", "unknown"])
def test_a_missing_agent_is_missing_however_it_is_spelt(reading, agent):
    summary = reading.paths(reading.lines({**EVENTS[4], "useragent": agent}, {**EVENTS[5], "sg_event_id": "x"}))
    assert reading.column("user_agent") == [None, FIREFOX]
    assert "agent" in summary.capabilities


def test_a_file_without_agents_does_not_have_the_capability(reading):
    summary = reading.paths(reading.lines(*({**EVENTS[n], "useragent": None} for n in (4, 5))))
    assert summary.capabilities == {"address", "links", "domains"}


@pytest.mark.parametrize(
    ("given", "flag", "reason"),
    [
        ({"sg_machine_open": True}, True, "sg_machine_open=true"),
        ({"sg_machine_open": "true"}, True, "sg_machine_open=true"),
        ({"sg_machine_open": False}, False, "sg_machine_open=false"),
        ({"sg_machine_open": None}, None, None),
        ({"sg_machine_open": ""}, None, None),
        ({}, None, None),
    ],
)
def test_the_platforms_flag_is_true_false_or_not_said(reading, given, flag, reason):
    reading.paths(reading.lines({**event("open", 60, 4, **READING), **given}))
    assert reading.column("platform_machine", "platform_machine_reason") == [(flag, reason)]


@pytest.mark.parametrize(
    ("given", "campaign"),
    [
        ({"category": "cat facts"}, "cat facts"),
        ({"category": ["spring", "news"]}, "spring"),
        ({"category": []}, None),
        ({"category": ["spring"], "marketing_campaign_id": 12345}, "12345"),
        ({"category": ["spring"], "singlesend_id": "27c21bbf"}, "27c21bbf"),
        ({"category": None, "campaign_id": "mine"}, "mine"),
    ],
)
def test_the_campaign_is_the_most_exact_name_that_an_event_has(reading, given, campaign):
    reading.paths(reading.lines({**EVENTS[5], **given}))
    assert reading.column("campaign_id") == [campaign]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sg_message_id": "msgA.filter0012p1.1234.5E0B8.0"}, "msgA"),
        ({"sg_message_id": "msgA.recvd-6f6d-1-5F.0"}, "msgA"),
        ({"sg_message_id": "msgA"}, "msgA"),
        ({"sg_message_id": "14a5b0c1d23.dfd.64b469.filter0001.1.2"}, "14a5b0c1d23.dfd.64b469"),
        ({"sg_message_id": "14a5b0c1d23.dfd.64b469.recvd-6f6d-1-5F.0"}, "14a5b0c1d23.dfd.64b469"),
        ({"sg_message_id": "msgA.geopod-ismtpd-1.0"}, "msgA"),
        ({"sg_message_id": None, "smtp-id": "<msgA>"}, "msgA"),
    ],
)
def test_the_message_is_what_stands_before_the_servers_suffix(reading, given, message):
    reading.paths(reading.lines({**EVENTS[5], **given}))
    assert reading.column("message_id") == [message]


def test_recipients_of_one_request_share_its_id_and_keep_their_own_times(reading):
    """One request to the API may be a message to each of a thousand people."""
    reading.paths(
        reading.lines(
            event("delivered", 2, 1),
            event("delivered", 9, 2, email=BOB),
            event("click", 70, 3, email=BOB, **READING),
        )
    )
    assert reading.column("delivered_at")[-1] == at("09:00:09")


def test_a_delivery_that_comes_after_the_click_in_the_file_is_still_its_delivery(reading):
    reading.paths(reading.lines(EVENTS[5], EVENTS[0], EVENTS[2]))
    assert reading.column("sent_at", "delivered_at")[0] == (at("09:00:00"), at("09:00:02"))


def test_an_address_that_is_none_is_kept_aside_and_counted(reading):
    summary = reading.paths(reading.lines({**EVENTS[5], "ip": "unix:"}, {**EVENTS[4], "ip": "::ffff:192.0.2.10"}))
    assert reading.column("ip") == [None, "192.0.2.10"]
    assert json.loads(reading.column("extra")[0])["ip_raw"] == "unix:"
    assert summary.nulled == {"ip": 1}


def test_custom_arguments_are_kept_without_the_addresses_in_them(reading, key_hash):
    reading.paths(reading.lines({**EVENTS[5], "plan": "pro", "order": 2**63, "owner": "owner@example.net"}))
    assert json.loads(reading.column("extra")[0]) == {
        "plan": "pro",
        "order": str(2**63),
        "owner": key_hash("owner@example.net"),
    }


def test_a_word_that_is_new_keeps_its_row(reading):
    summary = reading.paths(reading.lines(event("bot_check", 60, 4, **READING), EVENTS[5]))
    assert reading.column("event_type", "event_type_raw")[0] == ("unknown", "bot_check")
    assert summary.unknown_words == {"bot_check": 1}


def test_damaged_fields_cost_their_records_at_most(reading):
    bad = [record for good in EVENTS for record in damaged(good)]
    summary = reading.paths(reading.lines(*EVENTS, *bad))
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.records == len(EVENTS) + len(bad)
    assert summary.events + summary.duplicates + accounted == summary.records


def test_a_body_cut_off_costs_no_other(reading):
    text = lines(EVENTS[:3], EVENTS[3:])
    summary = reading.paths(reading.file("bodies", text + json.dumps(EVENTS)[:-200]))
    assert sum(summary.rejected.values()) == 1
    assert (summary.records, summary.events) == (14, 12)
