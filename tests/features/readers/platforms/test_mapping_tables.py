"""The platforms whose reader is a table of fields: what their small exports give, and what damage costs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest

from features.errors import InputError
from tests.features.readers.platforms.exports import (
    ANN,
    BOB,
    EPOCH,
    EVENTS,
    EXPORTS,
    MAILJET_EVENTS,
    Export,
    lines,
    parquet,
)

SHOWN = (
    *("event_type", "timestamp", "sent_at", "delivered_at", "campaign_id", "message_id", "recipient_id"),
    *("recipient_domain", "url", "link_id", "ip", "user_agent", "referer", "unsubscribe_method"),
    *("platform_machine", "platform_machine_reason", "is_synthetic", "dup_count"),
)
NOT_NULL = {"is_synthetic": False, "dup_count": 0}


def by_name(export):
    return export.name


@pytest.mark.parametrize("export", EXPORTS, ids=by_name)
def test_an_export_gives_its_rows(reading, key_hash, export: Export):
    summary = reading.paths(*(reading.file(name, content) for name, content in export.files.items()))
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(export.rows, found, strict=True)]
    assert summary.controls == export.controls
    assert summary.rejected == {}
    assert set(summary.formats) == {export.platform}
    assert summary.duplicates == sum(row.get("dup_count", 0) for row in export.rows)
    everything = str(reading.con.execute("SELECT * FROM events").fetchall()).lower()
    assert ANN not in everything, "addresses are hashed, wherever they stand"
    assert BOB not in everything


def expected(row: dict[str, Any], actual: dict[str, Any], key_hash) -> dict[str, Any]:
    """The whole row: an address hashed, its domain; a message that the platform does not name is taken as found."""
    full = {**dict.fromkeys(SHOWN), **NOT_NULL, **row}
    full["message_id"] = row.get("message_id", actual["message_id"])
    if "@" in row.get("recipient_id", ""):
        full["recipient_id"] = key_hash(row["recipient_id"])
        full["recipient_domain"] = row["recipient_id"].partition("@")[2]
    return full


ONE_EACH = list({export.platform: export for export in EXPORTS}.values())


@pytest.mark.parametrize("export", ONE_EACH, ids=by_name)
def test_an_export_twice_is_the_same_events(reading, export: Export):
    paths = [reading.file(name, content) for name, content in export.files.items()]
    copies = [reading.file(f"copy/{name}", content) for name, content in export.files.items()]
    summary = reading.paths(*paths, *copies)
    once = len(export.rows)
    assert summary.events == once
    assert summary.duplicates == once + 2 * sum(row.get("dup_count", 0) for row in export.rows)


def test_messages_that_are_not_named_are_told_by_campaign_and_recipient(reading):
    table = "action,campaign_id,member_id,timestamp,list_id\n" + "".join(
        f"open,{campaign},{member},2026-03-02 09:00:0{n},l\n"
        for n, (campaign, member) in enumerate([("c1", "a"), ("c1", "a"), ("c1", "b"), ("c2", "a")])
    )
    reading.paths(reading.file("t.csv", table))
    messages = reading.column("message_id")
    assert messages[0] == messages[1]
    assert len(set(messages)) == 3


def test_two_opens_of_one_client_in_different_seconds_stay_two(reading):
    base = {**EVENTS["sparkpost"][2], "event_id": "1"}
    summary = reading.paths(
        reading.lines(base, {**base, "type": "open", "event_id": "2", "timestamp": str(EPOCH + 61)})
    )
    assert (summary.events, summary.duplicates) == (2, 0)


def test_a_form_body_that_cannot_be_decoded_is_set_aside(reading):
    bodies = "mandrill_events=%5B%5D\nmandrill_events=%ff%5B\nnothing\n" + (
        "mandrill_events=" + quote_plus(json.dumps(EVENTS["mandrill"][:1])) + "\n"
    )
    summary = reading.paths(reading.file("a.txt", bodies))
    assert summary.events == 1
    assert summary.controls == {"an empty list": 1}
    assert sum(summary.rejected.values()) + sum(summary.controls.values()) == 3


def test_ids_beyond_the_reach_of_a_double_are_exact(reading):
    events = [{**MAILJET_EVENTS[0], "MessageID": 2**63 - 1 - n} for n in range(3)]
    reading.paths(reading.lines(*events))
    assert reading.column("message_id") == ["9223372036854775807", "9223372036854775806", "9223372036854775805"]


def test_an_iterable_file_of_unknown_kind_says_what_is_missing(reading):
    table = "createdAt,email,campaignId,templateId,messageId\n2026-03-02 09:00:00 +00:00,a@example.com,1,2,m\n"
    with pytest.raises(InputError, match="no event type"):
        reading.paths(reading.file("t.csv", table))


def test_braze_events_of_other_channels_are_counted_and_left_out(reading):
    events = EVENTS["braze"]
    mail = reading.file("event_type=users.messages.email.Open/p.jsonl", lines(events[1]))
    push = reading.file("event_type=users.messages.pushnotification.Open/p.jsonl", lines(events[2]))
    summary = reading.paths(mail, push)
    assert (summary.events, summary.controls) == (1, {"an event of another channel": 1})


_BRAZE_UNION = {**EVENTS["braze"][0], "url": None, "link_id": None, "link_alias": None,
                "is_suspected_bot_click": None, "machine_open": None}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, None),
        ({"is_suspected_bot_click": False}, None),
        ({"url": ""}, None),
        ({"url": "https://example.com/"}, "clicked"),
        ({"link_id": "l1"}, "clicked"),
        ({"link_alias": "offer"}, "clicked"),
        ({"machine_open": "true"}, "opened"),
        ({"bounce_reason": None}, None),
        ({"bounce_reason": "550 no such user"}, "bounced"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_braze_columns_of_several_kinds_tell_by_their_values(reading, given, kind, form):
    known = {**_BRAZE_UNION, "bounce_reason": None, "id": "i0", "url": "https://example.com/"}
    rows = [known, {**_BRAZE_UNION, "bounce_reason": None, **given}]
    summary = reading.paths(reading.file(f"all.{form}", lines(*rows) if form == "jsonl" else parquet(*rows)))
    assert reading.column("event_type") == ["clicked", *([kind] if kind else [])]
    assert summary.rejected == ({} if kind else {"no event type": 1})


def test_braze_columns_of_one_kind_tell_though_they_are_null(reading):
    base = EVENTS["braze"][0]
    reading.paths(
        reading.lines({**base, "machine_open": None}, name="o"), reading.lines({**base, "url": None}, name="c")
    )
    assert reading.column("event_type") == ["opened", "clicked"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Send.avro", "sent"),
        ("Delivery/p.avro", "delivered"),
        ("Open.avro", "opened"),
        ("Open/2026/p.avro", "opened"),
        ("Click-0001.parquet", "clicked"),
        ("Unsubscribe_1.jsonl.gz", "unsubscribed"),
        ("Bounce", "bounced"),
        ("SoftBounce/p", "bounced"),
        ("MarkAsSpam 2.json", "complained"),
        ("Send/Open.avro", "opened"),
        ("Send/Open/p.avro", "opened"),
        ("event_type=Open/p.avro", "opened"),
        ("users.messages.email.Click.avro", "clicked"),
        ("Send/users.messages.email.Click/p.avro", "clicked"),
        ("Opening.avro", None),
        ("Reopen/p.avro", None),
        ("open/p.avro", None),
    ],
)
def test_braze_files_and_folders_may_be_called_as_their_kind(reading, name, kind):
    known = reading.lines({**_BRAZE_UNION, "id": "i0", "url": "https://example.com/"}, name="known")
    summary = reading.paths(known, reading.file(f"export/{name}", lines(_BRAZE_UNION)))
    assert reading.column("event_type") == ["clicked", *([kind] if kind else [])]
    assert summary.rejected == ({} if kind else {"no event type": 1})


def test_klaviyo_events_without_names_of_metrics_are_told_where_they_can_be(reading):
    page = {"data": EVENTS["klaviyo"][:3], "links": {}}
    summary = reading.paths(reading.file("p.json", json.dumps(page)))
    assert reading.column("event_type") == ["opened", "clicked"]
    assert summary.rejected == {"no event type": 1}


def test_a_marketo_lead_with_a_domain_of_its_own_column(reading):
    table = "lead_id,activity_date,activity_type_id,id,email_domain\n7,2026-03-02 09:00:00,10,1,Example.COM\n"
    reading.paths(reading.file("t.csv", table), mapping={"recipient_domain": "email_domain"})
    assert reading.column("recipient_domain") == ["example.com"]


@pytest.mark.parametrize(
    ("dates", "instants"),
    [
        (["3/2/2026 3:00:00 AM", "4/30/2026 8:05"], ["2026-03-02 09:00:00+00", "2026-04-30 14:05:00+00"]),
        (["3/2/2026 3:00:00 AM", "5/4/2026"], ["2026-03-02 09:00:00+00", "2026-05-04 06:00:00+00"]),
        (["3/2/2026 03:00:00", "30/4/2026 08:05"], ["2026-02-03 09:00:00+00", "2026-04-30 14:05:00+00"]),
    ],
    ids=["month first is proven", "month first is the platform's order", "day first is proven"],
)
def test_salesforce_dates_are_month_first_unless_the_column_proves_otherwise(reading, dates, instants):
    head = "ClientID,SendID,SubscriberKey,EmailAddress,SubscriberID,ListID,EventDate,EventType,BatchID\n"
    table = head + "".join(f"10,{n},K-7,,4007,9,{date},Open,5\n" for n, date in enumerate(dates))
    assert reading.paths(reading.file("Opens.csv", table)).formats == {"salesforce": 2}
    assert reading.column("timestamp") == instants


def test_a_key_called_events_does_not_make_an_envelope_of_a_table(reading):
    reading.events({"events": 3}, {"events": [1], "timestamp": "2026-03-01T10:00:01Z"})
    assert reading.column("event_type") == ["clicked", "clicked"]


@pytest.mark.parametrize("platform", EVENTS)
def test_damaged_fields_cost_their_records_at_most(reading, platform):
    """Every value in turn becomes something else; no record is lost from the counts."""
    good = list(EVENTS[platform])
    bad = [record for event in good for record in damaged(event)]
    summary = reading.paths(reading.lines(*good, *bad))
    assert summary.records == len(good) + len(bad)
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.events + summary.context_events + summary.duplicates + accounted == summary.records
    assert summary.events > 0


def damaged(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in event.items():
        for other in (None, "", "x", 5, -1.5, True, [], [1], {}, {"a": 1}):
            yield {**event, key: other}
        if isinstance(value, dict):
            for inner in damaged(value):
                yield {**event, key: inner}


@pytest.mark.parametrize("platform", EVENTS)
def test_a_record_cut_off_is_set_aside_and_the_rest_is_read(reading, platform):
    text = lines(*EVENTS[platform])
    summary = reading.paths(reading.file("a.jsonl", text + text.splitlines()[0][:-5]))
    assert summary.rejected["not valid JSON"] == 1
    assert summary.records == len(EVENTS[platform]) + 1


TABLES = [export for export in EXPORTS if all(name.endswith(".csv") for name in export.files)]


@pytest.mark.parametrize("export", TABLES, ids=by_name)
def test_damaged_cells_cost_their_rows_at_most(reading, export: Export):
    """Every cell of the first row in turn holds something else."""
    for name, content in export.files.items():
        head, first = list(csv.reader(str(content).removeprefix("\ufeff").splitlines()))[:2]
        cells = ("", "x", "5", '{"a": 1}', "null", "-")
        bad = [[*first[:at], cell, *first[at + 1 :]] for cell in cells for at in range(len(head))]
        table = "".join(
            ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in [head, first, *bad]
        )
        summary = reading.paths(reading.file(name, table))
        accounted = sum((*summary.rejected.values(), *summary.controls.values()))
        assert summary.records == len(bad) + 1
        assert summary.events + summary.duplicates + accounted == len(bad) + 1
