"""Mailgun: pages of items, times as floats with microseconds, the platform's own opinion of machines."""

from __future__ import annotations

import json

import pytest

from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import Export, counted, engagement, labelled, simulated

KINDS = {
    "accepted": "sent",
    "delivered": "delivered",
    "opened": "open",
    "clicked": "click",
    "unsubscribed": "unsubscribe",
}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def pages(export: Export) -> list[dict]:
    return [json.loads(line) for line in (export.folder / "mailgun.jsonl").read_text().splitlines()]


def records(export: Export) -> list[dict]:
    return [
        {
            **item,
            "event_type": KINDS[item["event"]],
            "campaign_id": item["tags"][0],
            "address": item["recipient"],
            "us": round(item["timestamp"] * 1_000_000),
            "url": item.get("url"),
            "ip": item.get("ip"),
            "user_agent": item.get("client-info", {}).get("user-agent") or None,
        }
        for page in pages(export)
        for item in page["items"]
    ]


def test_pages_are_full_but_the_last_two_and_the_last_is_empty(export, seed):
    sizes = [len(page["items"]) for page in pages(export("mailgun", seed))]
    assert set(sizes[:-2]) <= {300}
    assert 0 < sizes[-2] <= 300
    assert sizes[-1] == 0
    assert all(set(page) == {"items", "paging"} for page in pages(export("mailgun", seed)))


def test_each_label_is_of_the_record_it_names(export, seed):
    sender = export("mailgun", seed)
    named = labelled(sender, {"mailgun.jsonl": records(sender)})
    wanted = engagement(simulated(sender.made))
    same = ("event_type", "campaign_id", "address", "us", "ip", "user_agent", "automated", "source")
    assert counted(named, *same) == counted(wanted, *same)
    clicks = [[row for row in rows if row["event_type"] == "click"] for rows in (named, wanted)]
    assert counted(clicks[0], "url", "us") == counted(clicks[1], "url", "us")
    assert [row["id"] for row in named] == [label["event_id"] for label in sender.labels]


def test_ids_are_the_events_own(export, seed):
    ids = [row["id"] for row in records(export("mailgun", seed))]
    assert len(set(ids)) == len(ids)


def test_the_bot_field_is_of_opens_and_clicks_and_never_of_people(export, seed):
    sender = export("mailgun", seed)
    bots = set()
    for row in labelled(sender, {"mailgun.jsonl": records(sender)}):
        bot = row["client-info"].get("bot")
        assert (bot is None) == (row["event_type"] == "unsubscribe")
        assert row["automated"] or not bot
        bots.add(bot)
    assert bots <= {None, "", "apple", "gmail", "generic"}
    assert "" in bots


def test_mail_that_is_accepted_or_delivered_has_no_client(export, seed):
    rows = [row for row in records(export("mailgun", seed)) if row["event_type"] in ("sent", "delivered")]
    assert {row["event_type"] for row in rows} == {"sent", "delivered"}
    assert not [row for row in rows if row["ip"] or row["user_agent"]]
    assert {row["envelope"].get("sending-ip") for row in rows if row["event_type"] == "delivered"} == {"198.51.100.25"}
