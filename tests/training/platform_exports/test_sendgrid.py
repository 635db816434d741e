"""SendGrid: arrays of a few events a line, whole seconds, the sending server's address on deliveries, redeliveries."""

from __future__ import annotations

import json

import pytest

from tests.training.platform_exports.conftest import MESSAGES, SEEDS
from tests.training.platform_exports.exported import Export, counted, engagement, labelled, simulated

WORDS = {"open": "open", "click": "click", "unsubscribe": "unsubscribe", "group_unsubscribe": "unsubscribe"}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def bodies(export: Export) -> list[list[dict]]:
    return [json.loads(line) for line in (export.folder / "sendgrid.jsonl").read_text().splitlines()]


def records(export: Export) -> list[dict]:
    return [
        {
            **event,
            "event_type": WORDS.get(event["event"], event["event"]),
            "campaign_id": event["singlesend_id"],
            "address": event["email"],
            "us": event["timestamp"] * 1_000_000,
            "url": event.get("url"),
            "ip": event.get("ip"),
            "user_agent": event.get("useragent"),
        }
        for body in bodies(export)
        for event in body
    ]


def test_each_label_is_of_the_record_it_names(export, seed):
    sender = export("sendgrid", seed)
    named = labelled(sender, {"sendgrid.jsonl": records(sender)})
    wanted = engagement(simulated(sender.made))
    same = ("event_type", "campaign_id", "address", "us", "automated", "source")
    assert counted(named, *same) == counted(wanted, *same)
    clients = (*same, "ip", "user_agent")
    for kind in ("open", "click"):
        given = [row for row in wanted if row["event_type"] == kind]
        assert counted([r for r in named if r["event_type"] == kind], *clients) == counted(given, *clients)
    left = {(row["us"], row["address"]): row for row in wanted if row["event_type"] == "unsubscribe"}
    for row in named:
        if row["event_type"] == "unsubscribe":
            seen = left[row["us"], row["address"]] if row["event"] == "group_unsubscribe" else {}
            assert (row["ip"], row["user_agent"]) == (seen.get("ip"), seen.get("user_agent"))
    for row, label in zip(named, sender.labels, strict=True):
        assert row["sg_event_id"] == label["event_id"]


def test_clicks_have_their_link_and_its_place_and_unsubscribes_have_none(export, seed):
    sender = export("sendgrid", seed)
    found = labelled(sender, {"sendgrid.jsonl": records(sender)})
    clicks = [{**row, "link_id": str(row["url_offset"]["index"] + 1)} for row in found if row["event_type"] == "click"]
    wanted = [row for row in simulated(sender.made) if row["event_type"] == "click"]
    assert counted(clicks, "url", "link_id", "us") == counted(wanted, "url", "link_id", "us")
    assert not [row for row in found if row["event_type"] == "unsubscribe" and (row["url"] or "url_offset" in row)]


def test_every_message_is_processed_once_before_anything_happens_to_it(export, seed):
    sender = export("sendgrid", seed)
    first: dict[str, dict] = {}
    for row in records(sender):
        first.setdefault(row["sg_message_id"], row)
    assert {row["event"] for row in first.values()} == {"processed"}
    assert len(first) == len(set(sender.made.events["message_id"].to_pylist())) <= MESSAGES


def test_the_address_of_a_delivery_is_the_sending_servers(export, seed):
    delivered = [row for row in records(export("sendgrid", seed)) if row["event"] == "delivered"]
    assert delivered
    assert {row["ip"] for row in delivered} == {"198.51.100.25"}
    assert not any("useragent" in row for row in delivered)


def test_bodies_hold_one_to_ten_events_and_some_come_again_with_the_same_ids(export, seed):
    sender = export("sendgrid", seed)
    sizes = {len(body) for body in bodies(sender)}
    assert 1 <= min(sizes) <= max(sizes) <= 10
    ids = [row["sg_event_id"] for row in records(sender)]
    assert len(set(ids)) < len(ids) < 1.1 * len(set(ids))
    once = {json.dumps(body) for body in bodies(sender)}
    assert sum(len(json.loads(body)) for body in once) == len(set(ids)), "what comes again are whole bodies"


def test_apples_opens_alone_are_flagged(export, seed):
    sender = export("sendgrid", seed)
    for row in labelled(sender, {"sendgrid.jsonl": records(sender)}):
        if row["event_type"] == "open":
            assert row["sg_machine_open"] == (row["source"] == "simulated: apple mail privacy")
        else:
            assert "sg_machine_open" not in row
