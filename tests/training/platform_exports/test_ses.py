"""SES: whole mails in every record, milliseconds, records with nothing between them."""

from __future__ import annotations

import pytest

from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import (
    Export,
    counted,
    engagement,
    iso_us,
    json_values,
    labelled,
    simulated,
)

KINDS = {"Send": "sent", "Delivery": "delivered", "Open": "open", "Click": "click", "Subscription": "unsubscribe"}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def records(export: Export) -> list[dict]:
    rows = []
    for record in json_values((export.folder / "ses-firehose-1").read_text()):
        mail, details = record["mail"], record[record["eventType"].lower()]
        rows.append(
            {
                "event_type": KINDS[record["eventType"]],
                "campaign_id": mail["tags"]["campaign"][0],
                "message": mail["messageId"],
                "address": mail["destination"][0],
                "us": iso_us(details.get("timestamp", mail["timestamp"])),
                "sent_us": iso_us(mail["timestamp"]),
                "url": details.get("link"),
                "ip": details.get("ipAddress"),
                "user_agent": details.get("userAgent"),
                "details": details,
            }
        )
    return rows


def test_records_follow_each_other_without_anything_between(export, seed):
    text = (export("ses", seed).folder / "ses-firehose-1").read_text()
    assert "\n" not in text
    assert text.count('}{"eventType":') == text.count('"eventType":') - 1 > 100


def test_each_label_is_of_the_record_it_names_and_nothing_has_an_id(export, seed):
    sender = export("ses", seed)
    named = labelled(sender, {"ses-firehose-1": records(sender)})
    wanted = engagement(simulated(sender.made))
    same = ("event_type", "campaign_id", "address", "us", "automated", "source")
    assert counted(named, *same) == counted(wanted, *same)
    clients = [row for row in wanted if row["event_type"] != "unsubscribe"]
    found = [row for row in named if row["event_type"] != "unsubscribe"]
    assert counted(found, *same, "ip", "user_agent") == counted(clients, *same, "ip", "user_agent")
    clicks = [[row for row in rows if row["event_type"] == "click"] for rows in (named, wanted)]
    assert counted(clicks[0], "url", "us") == counted(clicks[1], "url", "us")
    assert {label["event_id"] for label in sender.labels} == {None}


def test_an_unsubscribe_has_neither_address_nor_agent(export, seed):
    left = [row for row in records(export("ses", seed)) if row["event_type"] == "unsubscribe"]
    assert not [row for row in left if row["ip"] or row["user_agent"] or row["url"]]


def test_deliveries_are_the_simulated_ones_and_say_how_long_they_took(export, seed):
    sender = export("ses", seed)
    delivered = [row for row in records(sender) if row["event_type"] == "delivered"]
    wanted = [row for row in simulated(sender.made) if row["event_type"] == "delivered"]
    assert counted(delivered, "address", "us") == counted(wanted, "address", "us")
    for row in delivered:
        assert row["details"]["processingTimeMillis"] * 1000 == row["us"] - row["sent_us"] >= 0


def test_all_records_of_a_message_say_that_it_was_sent_at_one_time_before_them(export, seed):
    sent: dict[str, set[int]] = {}
    for row in records(export("ses", seed)):
        sent.setdefault(row["message"], set()).add(row["sent_us"])
        assert row["sent_us"] <= row["us"]
    assert {len(times) for times in sent.values()} == {1}
