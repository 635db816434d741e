"""The window contract: what a value may depend on, and what it may not."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from features.facts import DAY, HOUR, SECOND
from tests.features.event_tables import CHROME, at, event, feature_rows, tables

ADDRESSES = [
    "209.222.82.10",
    "40.94.20.7",
    "2a02:8109:9a00::1",
    "84.56.12.9",
    "84.56.12.200",
    "52.95.110.1",
    None,
]
AGENTS = [CHROME.format(120), CHROME.format(64), "Mozilla/5.0", "python-requests/2.32.3", None]
CAMPAIGNS = [
    {
        "campaign_id": "spring",
        "sent_at": at(-20),
        "n_links": 4,
        "honeypot_url": "https://t.example/h",
        "unsubscribe_url": "https://t.example/u",
    },
    {"campaign_id": "summer", "sent_at": at(3 * 86_400)},
]
URLS = [
    "https://t.example/1",
    "https://t.example/2",
    "https://t.example/3",
    "https://t.example/h",
    "https://t.example/u",
]
LAST_DAY = 12


@st.composite
def mailings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of a few recipients over twelve days: some seconds apart, some days."""
    events = []
    for number in range(draw(st.integers(3, 14))):
        seconds = draw(st.sampled_from([0, 1, 40, 3_599, 3_600, 86_399, 86_400, 7 * 86_400, 10 * 86_400]))
        seconds += draw(st.integers(0, 20_000)) / draw(st.sampled_from([1, 1_000]))
        kind = draw(st.sampled_from(["opened", "clicked", "clicked", "clicked", "unsubscribed"]))
        recipient = draw(st.integers(0, 3))
        campaign = draw(st.sampled_from(["spring", "summer"]))
        delivered = 3 * 86_400 if campaign == "summer" else 0
        events.append(
            event(
                kind,
                seconds,
                event_id=f"n{number}",
                delivered_at=at(delivered),
                campaign_id=campaign,
                message_id=f"{campaign}-{recipient}",
                recipient_id=f"r{recipient}",
                recipient_domain=["a.example", "a.example", "b.example", None][recipient],
                url=draw(st.sampled_from(URLS)) if kind == "clicked" else None,
                link_id=draw(st.sampled_from(["1", "2", "3", None])),
                ip=draw(st.sampled_from(ADDRESSES)),
                user_agent=draw(st.sampled_from(AGENTS)),
                http_method=draw(st.sampled_from(["GET", "GET", "HEAD"])),
            )
        )
    return events


@settings(max_examples=15, deadline=None)
@given(mailings(), st.randoms(use_true_random=False))
def test_row_order_changes_nothing(events: list[dict[str, Any]], shuffle: random.Random) -> None:
    shuffled = list(events)
    shuffle.shuffle(shuffled)
    assert feature_rows(tables(shuffled, CAMPAIGNS)) == feature_rows(tables(events, CAMPAIGNS))


@settings(max_examples=15, deadline=None)
@given(mailings(), st.integers(0, 11))
def test_later_events_beyond_the_hour_change_nothing(events: list[dict[str, Any]], position: int) -> None:
    """Values of an event are the same whether or not anything is known of what comes over an hour after it."""
    chosen = sorted(events, key=lambda e: e["timestamp"])[min(position, len(events) - 1)]
    horizon = chosen["timestamp"].timestamp() + HOUR / SECOND
    known = [e for e in events if e["timestamp"].timestamp() <= horizon]
    name = chosen["event_id"]
    assert feature_rows(tables(known, CAMPAIGNS))[name] == feature_rows(tables(events, CAMPAIGNS))[name]


@settings(max_examples=10, deadline=None)
@given(mailings())
def test_scoring_day_by_day_with_context_equals_scoring_at_once(events: list[dict[str, Any]]) -> None:
    """Eight days before and one after are context enough."""
    pieces: dict[str, Any] = {}
    days = {e["event_id"]: int(e["timestamp"].timestamp() * SECOND // DAY) for e in events}
    for day in sorted(set(days.values())):
        mine = [e for e in events if days[e["event_id"]] == day]
        around = [e for e in events if days[e["event_id"]] != day and day - 8 <= days[e["event_id"]] <= day + 1]
        pieces |= feature_rows(tables(mine, CAMPAIGNS, context=around))
    assert pieces == feature_rows(tables(events, CAMPAIGNS))


@settings(max_examples=10, deadline=None)
@given(mailings())
def test_a_file_without_addresses_equals_one_whose_addresses_are_ignored(
    events: list[dict[str, Any]],
) -> None:
    without = frozenset({"agent", "deliveries", "links", "method", "domains"})
    blank = [{**e, "ip": None} for e in events]
    assert feature_rows(tables(events, CAMPAIGNS), without) == feature_rows(tables(blank, CAMPAIGNS), without)
