"""Cases that decide whether figures can be believed, written out and judged by the bundled model end to end.

Each case is a message of its own among the ordinary traffic of forty organisations; what is said of an event is its
verdict, actor, vendor, and how the vendor is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from features.feature import CAPABILITIES
from features.schema import event_row
from serving.model import bundled
from serving.scoring import score
from tests.features.event_tables import CHROME, clicked, event, link, opened, tables, unsubscribed

Events = list[dict[str, Any]]
HOMES = ("84.56.12.{}", "73.1.2.{}", "91.0.3.{}", "86.1.7.{}", "90.3.4.{}")
SAFE_LINKS, PROOFPOINT, BARRACUDA, MIMECAST = "40.94.20.7", "185.183.30.70", "209.222.82.10", "207.211.31.10"
CLOUD, GOOGLE, YAHOO, APPLE = "52.95.110.1", "66.249.93.1", "87.248.116.1", "104.28.1.1"
GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GOOGLE_PREFETCH = CHROME.format(42) + " Edge/12.246 Mozilla/5.0"
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
BROWSER = CHROME.format(120)
PERSON = ("human", "human", None, None)
OPT_OUT = "https://t.example/unsubscribe/x"


def scanner(vendor: str | None, evidence: str | None) -> tuple[str, str, str | None, str | None]:
    return "automated", "security_scanner", vendor, evidence


def prefetch(vendor: str) -> tuple[str, str, str, str]:
    return "automated", "privacy_proxy", vendor, "agent"


@dataclass(frozen=True)
class Case:
    """A message's events, each with what must be found of it, and the recipient's domain."""

    events: Sequence[tuple[dict[str, Any], tuple[str, str, str | None, str | None]]]
    domain: str = "acme.example"


def beside_a_persons_click(address: str, gap_s: float, found: tuple[str, str, str | None, str | None]) -> Case:
    """A person opens and clicks after an hour and a half; a machine clicks the same link `gap_s` seconds from it."""
    return Case(
        [
            (opened(5_000), PERSON),
            (clicked(5_030, url=link(1)), PERSON),
            (clicked(5_030 + gap_s, url=link(1), ip=address, user_agent=BROWSER), found),
        ]
    )


def in_a_burst(unsubscribe: dict[str, Any]) -> Case:
    """A scanner takes six links within a second, and unsubscribes, 20 s after delivery."""
    found = scanner("microsoft", "community list")
    by = {"ip": SAFE_LINKS, "user_agent": BROWSER}
    burst = [(clicked(20 + n / 5, url=link(n), **by), found) for n in range(6)]
    return Case([*burst, (by | unsubscribe, found)])


def one_click(seconds: float, address: str | None, agent: str | None = None) -> dict[str, Any]:
    return unsubscribed(seconds, ip=address, user_agent=agent, unsubscribe_method="one_click", http_method="POST")


CASES: dict[str, Case] = {
    # Checks at the time of the click: the person stays, the shadow goes.
    "Safe Links, 3 s after": beside_a_persons_click(SAFE_LINKS, 3, scanner("microsoft", "community list")),
    "Proofpoint, 2 s before": beside_a_persons_click(PROOFPOINT, -2, scanner("proofpoint", "own network")),
    "Barracuda, 1 s after": beside_a_persons_click(BARRACUDA, 1, scanner("barracuda", "official list")),
    "Mimecast, 4 s after": beside_a_persons_click(MIMECAST, 4, scanner("mimecast", "own network")),
    "a cloud, 2 s after": beside_a_persons_click(CLOUD, 2, scanner(None, None)),
    "a cloud, half a second before": beside_a_persons_click(CLOUD, -0.5, scanner(None, None)),
    # Image proxies show what a person opens; prefetch opens what nobody asked for.
    "Gmail's image proxy": Case([(opened(4_000, ip=GOOGLE, user_agent=GOOGLE_PROXY), PERSON)], "gmail.com"),
    "Yahoo's image proxy": Case([(opened(4_000, ip=YAHOO, user_agent=YAHOO_PROXY), PERSON)], "yahoo.com"),
    "Gmail's prefetch": Case(
        [(opened(3, ip="66.102.6.1", user_agent=GOOGLE_PREFETCH), prefetch("google"))], "gmail.com"
    ),
    "Apple's prefetch": Case([(opened(40, ip=APPLE, user_agent="Mozilla/5.0"), prefetch("apple"))], "icloud.com"),
    "Apple's prefetch hours later": Case(
        [(opened(9_000, ip=APPLE, user_agent="Mozilla/5.0"), prefetch("apple"))], "icloud.com"
    ),
    # Unsubscribes: a mailbox provider's POST is its reader's.
    "one click at Gmail": Case([(one_click(7_200, GOOGLE, GOOGLE_PROXY), PERSON)], "gmail.com"),
    "one click at Gmail, no agent": Case([(one_click(7_200, GOOGLE), PERSON)], "gmail.com"),
    "one click at Gmail, a minute after delivery": Case([(one_click(60, GOOGLE), PERSON)], "gmail.com"),
    "one click at Yahoo": Case([(one_click(5_400, YAHOO, "Yahoo Mail"), PERSON)], "yahoo.com"),
    "one click, nothing known of the client": Case([(one_click(5_400, None), PERSON)], "gmail.com"),
    "one click from Microsoft's mail servers": Case([(one_click(9_000, "40.107.5.5"), PERSON)], "outlook.com"),
    "one click in a scanner's burst": in_a_burst(one_click(20.7, SAFE_LINKS, BROWSER)),
    "the unsubscribe link in a scanner's burst": in_a_burst(
        unsubscribed(20.7, ip=SAFE_LINKS, user_agent=BROWSER, unsubscribe_method="link", http_method="GET", url=OPT_OUT)
    ),
    "a person's, hours after a scanner's burst": Case(
        [
            *in_a_burst(unsubscribed(20.7, ip=SAFE_LINKS, user_agent=BROWSER, url=OPT_OUT)).events,
            (unsubscribed(9_000, unsubscribe_method="link", http_method="GET", url=OPT_OUT), PERSON),
        ]
    ),
    "one click at Gmail, hours after a scanner's burst": Case(
        [*in_a_burst(one_click(20.7, SAFE_LINKS, BROWSER)).events, (one_click(9_000, GOOGLE), PERSON)]
    ),
    "on the page, by a person who did nothing else": Case([(unsubscribed(9_000, unsubscribe_method="page"), PERSON)]),
}


def everyday() -> Events:
    """Deliveries to forty organisations: people open half and click in some, each from a place of their own."""
    events: Events = []
    for n in range(120):
        message = {"message_id": f"b{n}", "recipient_id": f"b{n}", "recipient_domain": f"firm{n % 40}.example"}
        client = {"ip": HOMES[n % 5].format(n + 1), "user_agent": CHROME.format(118 + n % 4)}
        events.append(event("delivered", 0, **message))
        if n % 2 == 0:
            events.append(opened(600 + 137 * n, **message, **client))
        if n % 6 == 0:
            events.append(clicked(625 + 137 * n, url=link(n % 5), **message, **client))
    return events


@pytest.fixture(scope="module")
def judged() -> Callable[[str], list[tuple[Any, ...]]]:
    """What was found of a case's events, in their order."""
    events: Events = []
    places: dict[str, range] = {}
    for number, (name, case) in enumerate(CASES.items()):
        # The recipients of acme.example are several people, each at home somewhere else.
        message = {"message_id": name, "recipient_id": name, "recipient_domain": case.domain}
        home = {"ip": HOMES[number % 5].format(130 + number), "user_agent": CHROME.format(118 + number % 4)}
        events.append(event("delivered", 0, **message))
        places[name] = range(len(events) + 1, len(events) + 1 + len(case.events))
        events += [message | home | written for written, _ in case.events]
        for row, (written, _) in zip(events[-len(case.events) :], case.events, strict=True):
            row.update({key: written[key] for key in ("ip", "user_agent") if key in written})
            row.update(message)
    con = tables([*events, *everyday()])
    score(con, bundled(), frozenset(CAPABILITIES), threads=1, reasons=False)
    rows = con.execute(
        f"""
        SELECT e.record, v.verdict, v.actor, v.vendor, v.vendor_evidence
        FROM events AS e
        JOIN verdicts AS v ON v.event_row = {event_row("e")}
        """
    ).fetchall()
    found = {record: tuple(judgement) for record, *judgement in rows}
    return lambda name: [found[record] for record in places[name]]


@pytest.mark.parametrize("name", CASES)
def test_each_event_is_judged_as_written(judged: Callable[[str], list[tuple[Any, ...]]], name: str) -> None:
    assert judged(name) == [written for _, written in CASES[name].events]
