"""GoPhish: a CSV a campaign with JSON inside, nanoseconds without last zeros, no links and no HEAD requests."""

from __future__ import annotations

import csv
import json
import re

import pytest

from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import Export, counted, iso_us, labelled, simulated

KINDS = {"Campaign Created": "created", "Email Sent": "sent", "Email Opened": "open", "Clicked Link": "click"}
pytestmark = pytest.mark.parametrize("seed", SEEDS)


def records(export: Export) -> dict[str, list[dict]]:
    files = {}
    for path in export.files:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert list(rows[0]) == ["campaign_id", "email", "time", "message", "details"]
        files[path.name] = [
            {
                **row,
                "event_type": KINDS[row["message"]],
                "campaign": path.name.removesuffix(" - Events.csv"),
                "address": row["email"],
                "us": iso_us(row["time"]),
                "ip": _details(row).get("browser", {}).get("address") or None,
                "user_agent": _details(row).get("browser", {}).get("user-agent") or None,
                "rid": _details(row).get("payload", {}).get("rid"),
            }
            for row in rows
        ]
    return files


def _details(row: dict) -> dict:
    return json.loads(row["details"]) if row["details"] else {}


def given(made) -> list[dict]:
    """What GoPhish makes an event of."""
    return [
        {**row, "campaign": row["campaign_id"]}
        for row in simulated(made)
        if row["event_type"] in ("open", "click") and row["http_method"] != "HEAD"
    ]


def test_each_label_is_of_the_row_it_names(export, seed):
    sender = export("gophish", seed)
    named = labelled(sender, records(sender))
    same = ("event_type", "campaign", "address", "us", "ip", "user_agent", "automated", "source")
    assert counted(named, *same) == counted(given(sender.made), *same)


def test_each_file_begins_with_the_campaign_and_then_its_mail(export, seed):
    for rows in records(export("gophish", seed)).values():
        created, *others = rows
        assert (created["event_type"], created["email"], created["details"]) == ("created", "", "")
        assert others[0]["event_type"] == "sent"
        assert not [row for row in others if row["event_type"] == "created" or "@" not in row["email"]]
        assert [row["us"] for row in rows] == sorted(row["us"] for row in rows)
        sent = [row["email"] for row in others if row["event_type"] == "sent"]
        assert len(set(sent)) == len(sent)
        assert {row["email"] for row in others} == set(sent)


def test_campaigns_have_numbers_and_keep_their_figures(export, seed):
    sender = export("gophish", seed)
    numbers = {rows[0]["campaign"]: {row["campaign_id"] for row in rows} for rows in records(sender).values()}
    told = sender.made.campaigns.to_pylist()
    for row, number in zip(told, sender.campaigns, strict=True):
        assert numbers.get(row["campaign_id"], {number["campaign_id"]}) == {number["campaign_id"]}
        assert (row["sent_at"], row["n_links"]) == (number["sent_at"], number["n_links"])
        assert number["honeypot_url"] is number["unsubscribe_url"] is None


def test_times_are_in_nanoseconds_without_their_last_zeros(export, seed):
    times = [row["time"] for rows in records(export("gophish", seed)).values() for row in rows]
    assert all(re.fullmatch(r"[-\d]{10}T[:\d]{8}(\.\d{0,8}[1-9])?Z", time) for time in times)
    assert {len(time) for time in times} >= {
        len("2026-03-01T10:00:00.123456789Z"),
        len("2026-03-01T10:00:00.12345678Z"),
    }


def test_a_recipient_has_one_result_id_in_a_campaign(export, seed):
    ids: dict[tuple, set] = {}
    for rows in records(export("gophish", seed)).values():
        for row in rows:
            if row["rid"]:
                ids.setdefault((row["campaign_id"], row["email"]), set()).update(row["rid"])
    assert {len(found) for found in ids.values()} == {1}
    assert len(set.union(*ids.values())) == len(ids)
