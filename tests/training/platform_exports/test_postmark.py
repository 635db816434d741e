"""Postmark: the first open of a message and the first click of each of its links, and no others."""

from __future__ import annotations

import json
import re

import pytest

from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import Export, counted, engagement, iso_us, labelled, simulated

KINDS = {"Delivery": "delivered", "Open": "open", "Click": "click", "SubscriptionChange": "unsubscribe"}
TIMES = {"Delivery": "DeliveredAt", "Open": "ReceivedAt", "Click": "ReceivedAt", "SubscriptionChange": "ChangedAt"}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def records(export: Export) -> list[dict]:
    bodies = [json.loads(line) for line in (export.folder / "postmark.jsonl").read_text().splitlines()]
    return [
        {
            **body,
            "event_type": KINDS[body["RecordType"]],
            "campaign_id": body["Tag"],
            "address": body["Recipient"],
            "time": body[TIMES[body["RecordType"]]],
            "us": iso_us(body[TIMES[body["RecordType"]]]),
            "url": body.get("OriginalLink"),
            "ip": body.get("Geo", {}).get("IP"),
            "user_agent": body.get("UserAgent") or None,
        }
        for body in bodies
    ]


def first_ones(made) -> list[dict]:
    """What Postmark posts of the simulated events, written as its page says it."""
    kept, met = [], set()
    for row in sorted(engagement(simulated(made)), key=lambda row: row["us"]):
        thing = (row["message_id"], row["event_type"], row["url"])
        if row["event_type"] == "unsubscribe" or thing not in met:
            kept.append(row)
        met.add(thing)
    return kept


def test_only_the_first_of_each_is_posted_and_each_label_is_of_the_record_it_names(export, seed):
    sender = export("postmark", seed)
    named = labelled(sender, {"postmark.jsonl": records(sender)})
    wanted = first_ones(sender.made)
    assert 0 < len(wanted) < len(engagement(simulated(sender.made))), "something is lost"
    same = ("event_type", "campaign_id", "address", "automated", "source")
    assert counted(named, *same) == counted(wanted, *same)
    seen = [[row for row in rows if row["event_type"] != "unsubscribe"] for rows in (named, wanted)]
    clients = ("event_type", "address", "us", "ip", "user_agent", "automated")
    assert counted(seen[0], *clients) == counted(seen[1], *clients)
    clicks = [[row for row in rows if row["event_type"] == "click"] for rows in (named, wanted)]
    assert counted(clicks[0], "url", "us") == counted(clicks[1], "url", "us")


def test_times_have_seven_digits_and_an_offset(export, seed):
    for row in records(export("postmark", seed)):
        if row["event_type"] == "unsubscribe":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"])
        else:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}-04:00", row["time"])


def test_unsubscribes_are_changes_that_stop_the_sending(export, seed):
    for row in records(export("postmark", seed)):
        if row["event_type"] == "unsubscribe":
            assert (row["SuppressSending"], row["SuppressionReason"]) == (True, "ManualSuppression")


def test_nothing_is_posted_of_the_sending(export, seed):
    rows = records(export("postmark", seed))
    assert "delivered" in {row["event_type"] for row in rows}
    assert "sent" not in {row["event_type"] for row in rows}
    assert {label["event_id"] for label in export("postmark", seed).labels} == {None}
