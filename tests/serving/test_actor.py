"""Who made an event: written-out evidence -> actor and vendor."""

from typing import Any

import duckdb
import pytest

from features.duckdb_engine import DuckDBEngine
from features.feature import CAPABILITIES
from serving.actor import ACTOR_SQL, ACTORS, VENDOR_EVIDENCE, VENDOR_EVIDENCE_SQL, VENDOR_SQL, name_gateways
from tests.features.event_tables import CHROME, DATA_CENTRE, HOME, event, tables

OPEN, CLICK, UNSUBSCRIBE = 0, 1, 2
# What is known of an automated click by an ordinary browser from an unlisted network; cases change some of it.
KNOWN: dict[str, dict[str, Any]] = {
    "v": {"verdict": "automated"},
    "f": {"kind": CLICK},
    "g": {"kind": "browser", "vendor": None},
    "a": {"kind": None, "category": "isp", "operator": None, "evidence": None, "rank": 0},
    "x": {"widest_burst": 1.0, "honeypot_message": 0.0, "domain_burst_share": 0.0},
}
TYPES = {"f": "INTEGER", "x": "FLOAT", "rank": "INTEGER"}


def judged(**changes: dict[str, Any]) -> tuple[str | None, str | None]:
    """(actor, vendor) of one event whose evidence is KNOWN with the changes."""
    actor, vendor = answers(ACTOR_SQL, VENDOR_SQL, **changes)
    return actor, vendor


def answers(*expressions: str, **changes: dict[str, Any]) -> tuple[str | None, ...]:
    """What the expressions give for that event."""
    evidence = {alias: {**columns, **changes.get(alias, {})} for alias, columns in KNOWN.items()}
    sources: list[str] = []
    values: list[Any] = []
    for alias, columns in evidence.items():
        listed = ", ".join(f"CAST(? AS {TYPES.get(n, TYPES.get(alias, 'VARCHAR'))}) AS {n}" for n in columns)
        sources.append(f"(SELECT {listed}) AS {alias}")
        values += columns.values()
    with duckdb.connect() as con:
        [found] = con.execute(f"SELECT {', '.join(expressions)} FROM {', '.join(sources)}", values).fetchall()
    return tuple(found)


CASES: dict[str, tuple[dict[str, dict[str, Any]], str | None, str | None]] = {
    "a person": ({"v": {"verdict": "human"}}, "human", None),
    "a person on a scanner's network": (
        {"v": {"verdict": "human"}, "a": {"kind": "mail_security", "operator": "cisco"}}, "human", None,
    ),
    "unsure": ({"v": {"verdict": "unsure"}, "g": {"kind": "crawler", "vendor": "google"}}, None, None),
    "no verdict": ({"v": {"verdict": None}}, None, None),
    "a scanner that says so": (
        {"g": {"kind": "security_scanner", "vendor": "barracuda"}}, "security_scanner", "barracuda",
    ),
    "a scanner's agent without a name": ({"g": {"kind": "security_scanner"}}, "security_scanner", None),
    "a scanner's agent on another's network": (
        {"g": {"kind": "security_scanner", "vendor": "mimecast"}, "a": {"kind": "mail_security", "operator": "cisco"}},
        "security_scanner", "mimecast",
    ),
    "Apple's prefetch": (
        {"f": {"kind": OPEN}, "g": {"kind": "apple_mpp", "vendor": "apple"}, "a": {"category": "cdn_relay"}},
        "privacy_proxy", "apple",
    ),
    "Apple's prefetch without an address": (
        {"f": {"kind": OPEN}, "g": {"kind": "apple_mpp", "vendor": "apple"}, "a": {"category": None}},
        "privacy_proxy", "apple",
    ),
    "Apple's agent on a click from a scanner": (
        {"g": {"kind": "apple_mpp", "vendor": "apple"}, "a": {"kind": "mail_security", "operator": "proofpoint"}},
        "security_scanner", "proofpoint",
    ),
    "Gmail's prefetch": (
        {"f": {"kind": OPEN}, "g": {"kind": "gmail_prefetch", "vendor": "google"}}, "privacy_proxy", "google",
    ),
    "an open through a relay": (
        {"f": {"kind": OPEN}, "a": {"kind": "privacy_relay", "operator": "apple"}}, "privacy_proxy", "apple",
    ),
    "a preview by its agent": ({"g": {"kind": "link_preview", "vendor": "slack"}}, "link_preview", "slack"),
    "a preview by its network": (
        {"a": {"kind": "link_preview", "operator": "telegram"}}, "link_preview", "telegram",
    ),
    "a listed scanner": (
        {"a": {"kind": "mail_security", "operator": "trendmicro"}}, "security_scanner", "trendmicro",
    ),
    "a security vendor's AS": (
        {"a": {"category": "mail_security", "operator": "cyren"}}, "security_scanner", "cyren",
    ),
    "a search engine's crawler": ({"g": {"kind": "crawler", "vendor": "google"}}, "other_automation", "google"),
    "a language model's crawler": (
        {"g": {"kind": "ai_crawler", "vendor": "openai"}, "a": {"category": "cloud", "rank": 2}},
        "other_automation", "openai",
    ),
    "a crawler's network": (
        {"a": {"kind": "ai_crawler", "operator": "openai", "rank": 2}}, "other_automation", "openai",
    ),
    "a burst over links": ({"x": {"widest_burst": 3.0}}, "security_scanner", None),
    "a burst from a cloud": (
        {"x": {"widest_burst": 3.0}, "a": {"category": "cloud", "operator": "amazon", "rank": 2}},
        "security_scanner", None,  # the cloud's owner is not the scanner's
    ),
    "a burst from Microsoft": (
        {"x": {"widest_burst": 3.0}, "a": {"category": "cloud_mailbox", "operator": "microsoft", "rank": 2}},
        "security_scanner", "microsoft",
    ),
    "the hidden link": ({"x": {"honeypot_message": 1.0}, "f": {"kind": OPEN}}, "security_scanner", None),
    "a gateway's domain": (
        {"x": {"domain_burst_share": 0.5}, "f": {"kind": UNSUBSCRIBE}}, "security_scanner", None,
    ),
    "a script at home": (
        {"g": {"kind": "http_client"}, "x": {"widest_burst": None, "domain_burst_share": None}},
        "other_automation", None,
    ),
    "a lone click": ({}, "security_scanner", None),
    "a lone open": ({"f": {"kind": OPEN}}, "other_automation", None),
    "nothing known of address and agent": (
        {"g": {"kind": None}, "a": {"category": None, "rank": None}, "f": {"kind": OPEN}}, "other_automation", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "actor", "vendor"), CASES.values(), ids=CASES)
def test_evidence_names_actor_and_vendor(
    evidence: dict[str, dict[str, Any]], actor: str | None, vendor: str | None
) -> None:
    assert judged(**evidence) == (actor, vendor)


def test_every_actor_has_a_case() -> None:
    assert {actor for _, actor, _ in CASES.values()} == {*ACTORS, None}


CISCO = {"kind": "mail_security", "operator": "cisco"}
EVIDENCE: dict[str, tuple[dict[str, dict[str, Any]], str | None, str | None]] = {
    "nothing": ({}, None, None),
    "a person on a scanner's network": ({"v": {"verdict": "human"}, "a": CISCO | {"evidence": "asn"}}, None, None),
    "its AS": ({"a": {"category": "mail_security", "operator": "cyren"}}, "cyren", "own network"),
    "its routes": ({"a": CISCO | {"evidence": "asn"}}, "cisco", "own network"),
    "its SPF record": ({"a": CISCO | {"evidence": "spf"}}, "cisco", "own network"),
    "its own list": ({"a": CISCO | {"evidence": "official"}}, "cisco", "official list"),
    "its help page": ({"a": CISCO | {"evidence": "published"}}, "cisco", "official list"),
    "others' list": ({"a": CISCO | {"evidence": "community"}}, "cisco", "community list"),
    "what it calls itself": ({"g": {"kind": "security_scanner", "vendor": "barracuda"}}, "barracuda", "agent"),
    "what it calls itself, and its network": (
        {"g": {"kind": "security_scanner", "vendor": "cisco"}, "a": CISCO | {"evidence": "asn"}},
        "cisco", "own network",
    ),
    "what it calls itself, and others' list": (
        {"g": {"kind": "security_scanner", "vendor": "cisco"}, "a": CISCO | {"evidence": "observed"}}, "cisco", "agent",
    ),
    "what it calls itself in another's network": (
        {"g": {"kind": "security_scanner", "vendor": "mimecast"}, "a": CISCO | {"evidence": "asn"}},
        "mimecast", "agent",
    ),
    "Microsoft's cloud, where anybody's programs run": (
        {"a": {"category": "cloud_mailbox", "operator": "microsoft", "rank": 2}}, "microsoft", "shared network",
    ),
    "Microsoft's cloud, a virtual desktop there": (
        {"a": {"kind": "virtual_desktop", "category": "cloud_mailbox", "operator": "microsoft", "evidence": "asn"}},
        "microsoft", "shared network",
    ),
    "Apple's prefetch": (
        {"f": {"kind": OPEN}, "g": {"kind": "apple_mpp", "vendor": "apple"}, "a": {"category": "cdn_relay"}},
        "apple", "agent",
    ),
    "Apple's relay": (
        {"f": {"kind": OPEN}, "a": {"kind": "privacy_relay", "operator": "apple", "evidence": "official"}},
        "apple", "official list",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "vendor", "how"), EVIDENCE.values(), ids=EVIDENCE)
def test_it_is_said_how_the_vendor_is_known(
    evidence: dict[str, dict[str, Any]], vendor: str | None, how: str | None
) -> None:
    assert answers(VENDOR_SQL, VENDOR_EVIDENCE_SQL, **evidence) == (vendor, how)


def scanned(
    *rows: tuple[str | None, str, str, str | None, str | None], domains: dict[str, str] | None = None
) -> list[tuple[str | None, str | None]]:
    """(vendor, evidence) after gateways were named, of scanners' clicks: domain, message, address, vendor, evidence."""
    con = tables(
        [
            event("clicked", n, recipient_domain=domain, message_id=message, recipient_id=message, ip=ip)
            for n, (domain, message, ip, _, _) in enumerate(rows)
        ]
    )
    DuckDBEngine(con).compute(frozenset(CAPABILITIES))
    if domains is not None:
        con.execute("CREATE TEMP TABLE domains (recipient_domain VARCHAR, mx VARCHAR)")
        con.executemany("INSERT INTO domains VALUES (?, ?)", list(domains.items()))
    con.execute("CREATE TEMP TABLE verdicts (event_row BIGINT, actor VARCHAR, vendor VARCHAR, vendor_evidence VARCHAR)")
    for record, (*_, vendor, evidence) in enumerate(rows, 1):
        con.execute("INSERT INTO verdicts VALUES (?, 'security_scanner', ?, ?)", [record, vendor, evidence])
    name_gateways(con)
    return con.execute("SELECT vendor, vendor_evidence FROM verdicts ORDER BY event_row").fetchall()


SEEN = ("proofpoint", "own network")
OPEN_ONE = ("acme.example", "m9", DATA_CENTRE, None, None)


def of_proofpoint(n: int, domain: str = "acme.example") -> list[tuple[str, str, str, str, str]]:
    return [(domain, f"m{i}", DATA_CENTRE, *SEEN) for i in range(n)]


def test_a_scanner_that_gives_nothing_away_is_the_gateways_of_its_domain() -> None:
    assert scanned(*of_proofpoint(3), OPEN_ONE) == [SEEN] * 3 + [("proofpoint", "gateway of the domain")]


@pytest.mark.parametrize(
    "rows",
    [
        [*of_proofpoint(2), OPEN_ONE],
        [*of_proofpoint(3, "other.example"), OPEN_ONE],
        [*of_proofpoint(3), ("acme.example", "m8", DATA_CENTRE, "cisco", "own network"), OPEN_ONE],
        [("acme.example", f"m{n}", DATA_CENTRE, "microsoft", "shared network") for n in range(3)] + [OPEN_ONE],
        [*of_proofpoint(3), ("acme.example", "m9", HOME, None, None)],
        [*of_proofpoint(3, "gmail.com"), ("gmail.com", "m9", DATA_CENTRE, None, None)],
        [OPEN_ONE],
    ],
    ids=[
        "too few messages",
        "of another domain",
        "two vendors",
        "a vendor that is not sure itself",
        "on a reader's own line",
        "where everybody has mailboxes",
        "nothing else",
    ],
)
def test_a_gateway_is_not_named_on_little(rows: list[tuple[str, str, str, str | None, str | None]]) -> None:
    assert scanned(*rows)[-1] == (None, None)


def test_mail_exchangers_say_whose_the_gateway_is() -> None:
    found = scanned(*of_proofpoint(3), OPEN_ONE, domains={"acme.example": "10 mx1.acme.iphmx.com."})
    assert found[-1] == ("cisco", "gateway of the domain")
    assert found[:3] == [SEEN] * 3


def test_words_of_evidence_go_from_sure_to_less_sure() -> None:
    assert VENDOR_EVIDENCE[:3] == ("own network", "official list", "agent")
    assert {how for _, _, how in EVIDENCE.values()} <= {None, *VENDOR_EVIDENCE}


REQUESTS = (
    # ip, user agent, kind of event -> actor, vendor
    ("209.222.82.10", CHROME.format(120), "clicked", "security_scanner", "barracuda"),
    ("40.94.20.7", CHROME.format(120), "clicked", "security_scanner", "microsoft"),
    ("185.183.30.70", CHROME.format(120), "clicked", "security_scanner", "proofpoint"),
    ("104.28.1.1", "Mozilla/5.0", "opened", "privacy_proxy", "apple"),
    ("66.102.6.1", CHROME.format(42) + " Edge/12.246 Mozilla/5.0", "opened", "privacy_proxy", "google"),
    ("52.95.110.1", "Slackbot-LinkExpanding 1.0", "clicked", "link_preview", "slack"),
    ("84.56.12.9", "WhatsApp/2.23.20.0", "clicked", "link_preview", "whatsapp"),
    ("149.154.161.200", None, "clicked", "link_preview", "telegram"),
    ("84.56.12.9", "python-requests/2.32.3", "clicked", "other_automation", None),
    (None, "Barracuda Sentinel (EE)", "clicked", "security_scanner", "barracuda"),
)


def test_addresses_and_agents_as_they_come_name_actor_and_vendor() -> None:
    rows = [
        event(kind, 60 * n, message_id=f"m{n}", recipient_id=f"r{n}", recipient_domain=None, ip=ip, user_agent=agent)
        for n, (ip, agent, kind, _, _) in enumerate(REQUESTS)
    ]
    con = tables(rows)
    DuckDBEngine(con).compute(frozenset(CAPABILITIES))
    found = con.execute(
        f"""
        SELECT {ACTOR_SQL}, {VENDOR_SQL}
        FROM facts AS f
        JOIN features AS x ON f.event_row = x.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN agents AS g ON f.agent_id = g.agent_id
        CROSS JOIN (SELECT 'automated' AS verdict) AS v
        ORDER BY f.event_row
        """
    ).fetchall()
    assert found == [(actor, vendor) for *_, actor, vendor in REQUESTS]
