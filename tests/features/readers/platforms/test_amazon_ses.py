"""Amazon SES: what its events mean, whatever carried them to the file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from features.errors import InputError
from tests.features.readers.platforms.exports import ANN, BOB, FIREFOX, PROXY, Export, at, lines
from tests.features.readers.platforms.test_mapping_tables import SHOWN, damaged, expected

CARL = "carl@example.net"
READING = {"ipAddress": "192.0.2.10", "userAgent": FIREFOX}


def mail(**more: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-03-02T09:00:00.120Z",
        "source": "News <news@example.com>",
        "sourceIp": "203.0.113.25",
        "sendingAccountId": "123456789012",
        "messageId": "0100018a-ann",
        "destination": [ANN],
        "headersTruncated": False,
        "headers": [{"name": "Subject", "value": "Offer"}, {"name": "To", "value": ANN}],
        "commonHeaders": {"subject": "Offer", "to": [ANN]},
        "tags": {"campaign": ["spring"], "ses:configuration-set": ["marketing"], "ses:source-ip": ["203.0.113.25"]},
        **more,
    }


def event(word: str, name: str, clock: str | None = None, key: str = "eventType", **details: Any) -> dict[str, Any]:
    """An event of Ann's message at this time after nine o'clock; `mail` among the details replaces fields of it."""
    about = mail(**details.pop("mail", {}))
    when = {} if clock is None else {"timestamp": f"2026-03-02T{clock}Z"}
    return {key: word, "mail": about, name: {**when, **details}}


def preferences(everything: bool, *topics: str) -> dict[str, Any]:
    statuses = [{"topicName": f"t{n}", "subscriptionStatus": status} for n, status in enumerate(topics)]
    return {"unsubscribeAll": everything, "topicSubscriptionStatus": statuses}


TO_BOB = {"messageId": "0100018a-bob", "destination": [BOB]}
EVENTS = [
    event("Send", "send"),
    event("DeliveryDelay", "deliveryDelay", "09:00:01.500", delayType="General",
          delayedRecipients=[{"emailAddress": ANN}]),
    event("Delivery", "delivery", "09:00:02.250", recipients=[ANN], remoteMtaIp="203.0.113.9"),
    event("Open", "open", "09:01:00.652", ipAddress="192.0.2.77", userAgent=PROXY),
    event("Click", "click", "09:01:10.570", **READING, link="https://example.com/offer", linkTags={"place": ["top"]}),
    event("Subscription", "subscription", "09:01:20.000", source="UnsubscribeHeader", contactList="all",
          newTopicPreferences=preferences(True, "OptOut"), oldTopicPreferences=preferences(False, "OptIn")),
    event("Complaint", "complaint", "09:01:30.010", userAgent="Feedback-Loop/1.0", complaintFeedbackType="abuse",
          complainedRecipients=[{"emailAddress": ANN}], arrivalDate="2026-03-02T09:01:29.000Z"),
    event("Bounce", "bounce", "09:00:03.000", mail=TO_BOB, bounceType="Permanent",
          bouncedRecipients=[{"emailAddress": BOB, "status": "5.1.1"}]),
    event("Reject", "reject", mail={**TO_BOB, "messageId": "0100018a-virus"}, reason="Bad content"),
    event("Rendering Failure", "failure", mail={**TO_BOB, "messageId": "0100018a-broken"}, templateName="t"),
]  # fmt: skip
_ALL: dict[str, Any] = {
    "campaign_id": "spring",
    "message_id": "0100018a-ann",
    "recipient_id": ANN,
    "sent_at": at("09:00:00.12"),
    "delivered_at": at("09:00:02.25"),
}
_BOB = {"campaign_id": "spring", "recipient_id": BOB, "sent_at": at("09:00:00.12")}
ROWS = [
    {**_ALL, "event_type": "sent", "timestamp": at("09:00:00.12")},
    {**_ALL, "event_type": "deferred", "timestamp": at("09:00:01.5")},
    {**_ALL, "event_type": "delivered", "timestamp": at("09:00:02.25")},
    {**_ALL, "event_type": "opened", "timestamp": at("09:01:00.652"), "ip": "192.0.2.77", "user_agent": PROXY},
    {**_ALL, "event_type": "clicked", "timestamp": at("09:01:10.57"), "ip": "192.0.2.10", "user_agent": FIREFOX,
     "url": "https://example.com/offer"},
    {**_ALL, "event_type": "unsubscribed", "timestamp": at("09:01:20"), "unsubscribe_method": "list_unsubscribe"},
    {**_ALL, "event_type": "complained", "timestamp": at("09:01:30.01")},
    {**_BOB, "event_type": "bounced", "timestamp": at("09:00:03"), "message_id": "0100018a-bob"},
    {**_BOB, "event_type": "rejected", "timestamp": at("09:00:00.12"), "message_id": "0100018a-virus"},
    {**_BOB, "event_type": "rejected", "timestamp": at("09:00:00.12"), "message_id": "0100018a-broken"},
]  # fmt: skip
EXPORTS = (Export("ses", "ses", {"2026/03/02/09/firehose-1": "".join(map(json.dumps, EVENTS))}, ROWS),)


def notification(message: str) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "19ba9823",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail",
        "Subject": "Amazon SES Email Event Notification",
        "Message": message,
        "Timestamp": "2026-03-02T10:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "abc=",
    }


def as_notification(one: dict[str, Any]) -> dict[str, Any]:
    return notification(json.dumps(one) + "\n")


def as_bus_event(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "7bf73129",
        "detail-type": f"Email {one['eventType']}ed",
        "source": "aws.ses",
        "account": "123456789012",
        "time": "2026-03-02T10:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": one,
    }


def as_lambda_event(one: dict[str, Any]) -> dict[str, Any]:
    source = {"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": "arn:aws:sns:x"}
    return {"Records": [{**source, "Sns": as_notification(one)}]}


def as_queue_batch(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    messages = [
        {"messageId": f"m{n}", "receiptHandle": "h", "body": json.dumps(as_notification(one)), "eventSource": "aws:sqs"}
        for n, one in enumerate(events)
    ]
    return {"Records": messages}


def as_received(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    messages = [
        {"MessageId": f"m{n}", "ReceiptHandle": "h", "MD5OfBody": "x", "Body": json.dumps(as_notification(one))}
        for n, one in enumerate(events)
    ]
    return {"Messages": messages}


CARRIED: dict[str, Callable[[], str | bytes]] = {
    "lines": lambda: lines(*EVENTS),
    "records behind each other": lambda: "".join(map(json.dumps, EVENTS)),
    "records behind each other, indented": lambda: "".join(json.dumps(one, indent=1) for one in EVENTS),
    "one array": lambda: json.dumps(EVENTS),
    "SNS": lambda: lines(*map(as_notification, EVENTS)),
    "SNS, behind each other": lambda: "".join(json.dumps(as_notification(one)) for one in EVENTS),
    "EventBridge": lambda: lines(*map(as_bus_event, EVENTS)),
    "Lambda": lambda: lines(*map(as_lambda_event, EVENTS)),
    "SQS to Lambda": lambda: json.dumps(as_queue_batch(EVENTS)),
    "SQS received": lambda: json.dumps(as_received(EVENTS), indent=2),
    "SQS received, a call a line": lambda: lines(as_received(EVENTS[:4]), as_received(EVENTS[4:])),
    "gzip": lambda: gzip.compress("".join(map(json.dumps, EVENTS)).encode()),
    "gzip, in parts": lambda: b"".join(gzip.compress(json.dumps(one).encode()) for one in EVENTS),
}


def check_rows(reading, key_hash, rows: Sequence[dict[str, Any]]) -> None:
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(rows, found, strict=True)]


@pytest.mark.parametrize("content", CARRIED.values(), ids=CARRIED)
def test_the_events_mean_the_same_whatever_carried_them(reading, key_hash, content):
    summary = reading.paths(reading.file("object", content()))
    check_rows(reading, key_hash, ROWS)
    assert (summary.formats, summary.controls, summary.rejected) == ({"ses": 10}, {}, {})
    assert summary.records == 10


def test_a_folder_of_objects_without_extensions_is_one_export(reading, key_hash):
    """By date, some packed, with the markers that other programs leave."""
    for n, one in enumerate(EVENTS):
        text = json.dumps(one).encode()
        name = f"bucket/2026/03/02/{n:02}/firehose-1-2026-03-02-{n}"
        reading.file(name, gzip.compress(text) if n % 2 else text)
    reading.file("bucket/2026/03/02/_SUCCESS", "")
    summary = reading.paths(reading.folder / "bucket")
    assert (summary.files, summary.events) == (10, 10)
    check_rows(reading, key_hash, ROWS)


def test_the_older_notifications_have_another_key(reading, key_hash):
    older = [
        {"notificationType": one["eventType"], **{k: v for k, v in one.items() if k != "eventType"}} for one in EVENTS
    ]
    reading.paths(reading.lines(*map(as_notification, older)))
    check_rows(reading, key_hash, ROWS)


def test_time_is_the_events_own_and_sent_the_mails(reading):
    """Neither the mail's time nor the notification's is when it happened."""
    reading.paths(reading.lines(as_notification(EVENTS[4])))
    assert reading.column("timestamp", "sent_at", "ts_precision") == [(at("09:01:10.57"), at("09:00:00.12"), "ms")]


def test_with_four_recipients_nobody_knows_who_read(reading, key_hash):
    four = {"destination": [ANN, BOB, CARL, "dora@example.org"]}
    summary = reading.paths(
        reading.lines(
            *(event(word, word.lower(), "09:01:00.000", mail=four, **READING) for word in ("Open", "Click")),
            event("Delivery", "delivery", "09:00:02.000", mail=four, recipients=[BOB]),
            event("Delivery", "delivery", "09:00:03.000", mail=four, recipients=[ANN, CARL]),
            event("Bounce", "bounce", "09:00:04.000", mail=four,
                  bouncedRecipients=[{"emailAddress": "dora@example.org"}]),
            event("Complaint", "complaint", "09:02:00.000", mail=four,
                  complainedRecipients=[{"emailAddress": ANN}, {"emailAddress": BOB}]),
        )
    )  # fmt: skip
    assert reading.column("event_type", "recipient_id", "recipient_domain") == [
        ("opened", None, None),
        ("clicked", None, None),
        ("delivered", key_hash(BOB), "example.org"),
        ("delivered", None, None),
        ("bounced", key_hash("dora@example.org"), "example.org"),
        ("complained", None, None),
    ]
    assert summary.rejected == {}


@pytest.mark.parametrize(
    ("new", "old", "word"),
    [
        (preferences(True, "OptOut"), preferences(False, "OptIn"), "unsubscribed"),
        (preferences(False, "OptOut", "OptIn"), preferences(False, "OptIn", "OptIn"), "unsubscribed"),
        (preferences(False, "OptIn", "OptIn"), preferences(False, "OptOut", "OptIn"), "subscribed"),
        (preferences(False, "OptIn"), preferences(True, "OptOut"), "subscribed"),
        (preferences(False), preferences(True), "subscribed"),
    ],
)
def test_a_change_of_subscription_says_which_way(reading, new, old, word):
    changed = {"newTopicPreferences": new, "oldTopicPreferences": old, "source": "UnsubscribeHeader"}
    reading.paths(reading.lines(event("Subscription", "subscription", "09:01:20.000", **changed)))
    assert reading.column("event_type", "event_type_raw") == [(word, "Subscription")]


def test_a_flag_that_is_new_is_kept_and_can_be_mapped(reading):
    """SES marks automated interactions since August 2026; whatever it calls the field."""
    flagged = event("Open", "open", "09:01:00.000", **READING, looksAutomated=True)
    path = reading.lines(flagged, EVENTS[4])
    reading.paths(path)
    assert json.loads(reading.column("extra")[0]) == {"open.looksAutomated": "true"}
    assert reading.column("platform_machine") == [None, None]
    reading.paths(path, mapping={"platform_machine": "open/looksAutomated"})
    assert reading.column("platform_machine", "platform_machine_reason") == [
        (True, "open.looksAutomated=true"),
        (None, None),
    ]


def test_tags_of_the_senders_own_are_kept(reading):
    tagged = mail(tags={"campaign": ["spring"], "plan": ["pro"], "ses:source-ip": ["203.0.113.25"]})
    reading.paths(reading.lines({**EVENTS[4], "mail": tagged}))
    assert json.loads(reading.column("extra")[0]) == {"mail.tags.plan": '["pro"]'}


@pytest.mark.parametrize(
    ("tags", "campaign"),
    [
        ({"campaign": ["spring"], "ses:configuration-set": ["all"]}, "spring"),
        ({"campaign_id": ["c7"], "ses:configuration-set": ["all"]}, "c7"),
        ({"ses:configuration-set": ["all"]}, "all"),
        ({}, None),
        (None, None),
    ],
)
def test_the_campaign_is_a_tag_or_else_the_configuration_set(reading, tags, campaign):
    reading.paths(reading.lines({**EVENTS[4], "mail": mail(tags=tags)}))
    assert reading.column("campaign_id") == [campaign]


def test_equal_records_are_copies_and_a_millisecond_makes_two_events(reading):
    """Firehose and SNS deliver at least once; SES gives no ids."""
    later = event("Click", "click", "09:01:10.571", **READING, link="https://example.com/offer")
    summary = reading.paths(reading.lines(EVENTS[4], EVENTS[4], later, EVENTS[4]))
    assert (summary.records, summary.events, summary.duplicates) == (4, 2, 2)
    assert reading.column("dup_count", "event_id_origin") == [(2, "derived"), (0, "derived")]


def test_what_is_no_event_is_counted_by_reason(reading):
    confirmation = {**notification("You have chosen to subscribe to the topic."), "Type": "SubscriptionConfirmation"}
    succeeded = {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have successfully subscribed"}
    received = {"notificationType": "Received", "mail": mail(), "receipt": {"action": {"type": "SNS"}}, "content": "x"}
    summary = reading.paths(
        reading.lines(*map(as_notification, (EVENTS[4], received, succeeded)), confirmation, {"Records": []})
    )
    assert summary.controls == {
        "a notification without an event": 1,
        "a received mail": 1,
        "a notification that SES can reach the topic": 1,
        "an envelope without events": 1,
    }
    assert (summary.records, summary.events) == (5, 1)


def test_nothing_but_control_records_is_an_error(reading):
    confirmation = {**notification("You have chosen to subscribe to the topic."), "Type": "SubscriptionConfirmation"}
    with pytest.raises(InputError):
        reading.paths(reading.lines(confirmation))


def test_an_address_of_a_reader_may_be_missing_or_none(reading):
    summary = reading.paths(
        reading.lines(
            event("Open", "open", "09:01:00.000", ipAddress="-", userAgent="-"),
            event("Open", "open", "09:01:01.000", ipAddress="2001:DB8::1", userAgent=FIREFOX),
            event("Open", "open", "09:01:02.000", ipAddress="host.example", userAgent=None),
        )
    )
    assert reading.column("ip", "user_agent") == [(None, None), ("2001:db8::1", FIREFOX), (None, None)]
    assert summary.nulled == {"ip": 1}


def test_damaged_fields_cost_their_records_at_most(reading):
    bad = [record for n in (2, 4, 5, 7) for record in damaged(EVENTS[n])]
    summary = reading.paths(reading.lines(*EVENTS, *bad))
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.records == len(EVENTS) + len(bad)
    assert summary.events + summary.duplicates + accounted == summary.records


def test_a_record_cut_off_at_the_end_of_an_object_costs_no_other(reading):
    text = "".join(map(json.dumps, EVENTS))
    summary = reading.paths(reading.file("firehose", text + json.dumps(EVENTS[4])[:-30]))
    assert sum(summary.rejected.values()) == 1
    assert (summary.records, summary.events) == (11, 10)


def test_a_notification_whose_message_is_cut_off_is_counted(reading):
    summary = reading.paths(reading.lines(as_notification(EVENTS[4]), notification(json.dumps(EVENTS[3])[:-9])))
    assert summary.records == 2
    assert (summary.events, summary.controls) == (1, {"a notification without an event": 1})
