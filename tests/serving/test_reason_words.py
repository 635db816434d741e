"""What the reasons say of written-out values, and that they say nothing of what is not known."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import ip_lookup, ua_parse
from features.catalog import FEATURE_NAMES, FEATURES
from features.tags import agent_table
from serving import reason_names
from serving.reason_words import ADDRESS_WORDS, AGENT_WORDS, LONGEST_QUOTE, MACROS, REASONS
from serving.reputation import KINDS, REPUTATION_NAMES

LEARNT = {
    **dict.fromkeys((*REPUTATION_NAMES, *(f"{kind}_share" for kind in KINDS)), "FLOAT"),
    **{f"{kind}_messages": "BIGINT" for kind in KINDS},
}
BY_NAME = {reason.name: reason for reason in REASONS}
CHROME_42 = "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.90 Safari/537.36"
BARRACUDA = {"kind": "mail_security", "operator": "barracuda", "evidence": "published", "listed_on": "2026-05"}
ADDRESS = {
    "kind": "VARCHAR",
    "operator": "VARCHAR",
    "evidence": "VARCHAR",
    "listed_on": "VARCHAR",
    "category": "VARCHAR",
    "category_weak": "BOOLEAN",
    "asn": "BIGINT",
    "as_name": "VARCHAR",
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """A connection with the macros."""
    made = duckdb.connect()
    for macro in MACROS:
        made.execute(f"CREATE TEMP MACRO {macro}")
    return made


def said(
    con: duckdb.DuckDBPyConnection,
    words: str,
    x: dict[str, float] | None = None,
    kind: int = 1,
    net: int | None = None,
    address: dict[str, Any] | None = None,
    agent: str | None = None,
) -> str | None:
    """What a sentence says of an event with these features, address and agent; all else is not known."""
    con.register("agent", agent_table([] if agent is None else [agent]))
    known = x or {}
    features = ", ".join(f"CAST({known.get(name, 'NULL')} AS FLOAT) AS {name}" for name in FEATURE_NAMES)
    learnt = ", ".join(f"CAST({known.get(name, 'NULL')} AS {type_}) AS {name}" for name, type_ in LEARNT.items())
    of_address = ", ".join(f"CAST(${name} AS {type_}) AS {name}" for name, type_ in ADDRESS.items())
    query = f"""
        SELECT {words}
        FROM (SELECT $event_kind AS kind, CAST($net AS BIGINT) AS net) AS f
        CROSS JOIN (SELECT {features}) AS x
        CROSS JOIN (SELECT {learnt}) AS q
        LEFT JOIN (SELECT {ADDRESS_WORDS} AS words FROM (SELECT {of_address} WHERE $located) AS a) AS a ON TRUE
        LEFT JOIN (SELECT *, {AGENT_WORDS} AS words FROM agent AS g) AS g ON TRUE
    """
    values: dict[str, Any] = {name: (address or {}).get(name) for name in ADDRESS}
    values |= {"event_kind": kind, "net": net, "located": address is not None}
    [(text,)] = con.execute(query, values).fetchall()
    return text


# Which reasons there are


def test_every_feature_belongs_to_one_reason() -> None:
    counted = Counter(name for reason in REASONS for name in reason.features)
    assert counted == Counter((*FEATURE_NAMES, *REPUTATION_NAMES))


def test_reasons_have_names_of_their_own_and_fit_into_a_byte() -> None:
    assert len(BY_NAME) == len(REASONS) < 255


def test_a_habit_is_a_share_of_its_group() -> None:
    group = {feature.name: feature.group for feature in FEATURES}
    for reason in REASONS:
        if reason.name.startswith("habits"):
            assert {group[name] for name in reason.features} == {"population"}


@pytest.mark.parametrize(
    ("codes", "names", "left_out"),
    [
        (ip_lookup.KINDS, reason_names.NETWORK_KINDS, set()),
        (ip_lookup.EVIDENCE, reason_names.EVIDENCE, set()),
        (ip_lookup.CATEGORIES, reason_names.CATEGORIES, set()),
        (
            ua_parse.KINDS,
            reason_names.AGENT_KINDS,
            {"browser", "mail_client", "apple_mpp", "gmail_prefetch"},
        ),
        (ua_parse.FAMILIES, reason_names.FAMILIES, set()),
        (ua_parse.OS_FAMILIES, reason_names.SYSTEMS, {"other"}),
        (ua_parse.ENGINES, reason_names.ENGINES, set()),
    ],
    ids=["kinds", "evidence", "categories", "agents", "families", "systems", "engines"],
)
def test_every_code_has_a_name(codes: tuple[str, ...], names: dict[str, str], left_out: set[str]) -> None:
    assert set(names) == set(codes) - left_out


# Wording. Reason, side, what is known, what is said.

WORDS: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("time since arrival", "machine", {"x": {"since_delivery_s": 43}}, "43 s after delivery"),
    ("time since arrival", "machine", {"x": {"since_delivery_s": -2.5}}, "2.5 s before delivery"),
    ("time since arrival", "person", {"x": {"since_sent_s": 7300}}, "2 h after sending"),
    ("time since arrival", "person", {"x": {"since_delivery_s": 400_000}}, "5 days after delivery"),
    (
        "burst over links",
        "machine",
        {"x": {"links_60s": 8, "clicks_60s": 9, "click_pace_s": 0.05, "n_links": 9}},
        "8 of 9 links within 0.4 s",
    ),
    (
        "burst over links",
        "machine",
        {"x": {"links_60s": 3, "clicks_60s": 3, "click_pace_s": 0, "n_links": 3}},
        "3 of 3 links at one instant",
    ),
    (
        "burst over links",
        "machine",
        {"x": {"links_60s": 20, "clicks_60s": 20, "click_pace_s": 0.1, "links_1s": 20, "n_links": 20}},
        "20 or more links within 1 s of this event",
    ),
    (
        "burst over links",
        "machine",
        {"x": {"links_60s": 2, "clicks_60s": 2, "click_pace_s": 50}},
        "2 links within a minute of this event",
    ),
    ("burst over links", "machine", {"x": {"links_60s": 1, "clicks_60s": 1}}, None),
    (
        "burst over links",
        "machine",
        {"kind": 0, "x": {"widest_burst": 4, "n_links": 9}},
        "4 of 9 links of the message within 10 s",
    ),
    ("burst over links", "person", {"x": {"clicks_60s": 1}}, "no other click within a minute"),
    (
        "whole mail",
        "machine",
        {"x": {"link_share_hour": 1, "n_links": 9}},
        "all 9 links of the mail clicked within the hour",
    ),
    ("whole mail", "machine", {"x": {"link_share_hour": 1, "n_links": 1}}, None),
    (
        "whole mail",
        "machine",
        {"x": {"link_share_hour": 2 / 3, "n_links": 9}},
        "66 % of the mail's links clicked within the hour",
    ),
    (
        "whole mail",
        "person",
        {"x": {"link_share_hour": 1 / 9, "n_links": 9}},
        "11 % of the mail's links clicked within the hour",
    ),
    (
        "neighbouring events",
        "machine",
        {"x": {"since_previous_s": 0.02, "until_next_s": 3}},
        "under 0.1 s after the message's previous event",
    ),
    (
        "neighbouring events",
        "machine",
        {"x": {"since_previous_s": 90, "until_next_s": 3}},
        "3 s before the message's next event",
    ),
    ("order of open and click", "machine", {}, "clicked without an open before"),
    ("order of open and click", "machine", {"kind": 2}, "unsubscribed without an open before"),
    (
        "order of open and click",
        "machine",
        {"net": 1, "x": {"since_last_open_s": 600}},
        "opened 10 min before, from another network",
    ),
    (
        "order of open and click",
        "person",
        {"net": 1, "x": {"since_last_open_s": 5, "since_network_open_s": 40}},
        "opened 40 s before from the same network",
    ),
    ("order of open and click", "person", {}, None),
    ("order of open and click", "machine", {"kind": 0, "x": {"opens_so_far": 3}}, "3 opens of the message so far"),
    (
        "same link again",
        "machine",
        {"x": {"same_link_machine_network": 1, "since_same_link_s": 2}},
        "same link hit from a scanner's network or a data centre within a minute",
    ),
    ("same link again", "machine", {"x": {"since_same_link_s": 2}}, "same link hit 2 s before"),
    ("several visitors", "machine", {"x": {"networks": 4, "agents": 3}}, "4 networks and 3 agents on the message"),
    ("several visitors", "machine", {"x": {"networks": 1, "agents": 1}}, None),
    ("several visitors", "person", {"x": {"networks": 1, "agents": 1}}, "one network and one agent on the message"),
    ("hidden link", "machine", {"x": {"honeypot": 1}}, "hidden link clicked"),
    ("hidden link", "machine", {"x": {"honeypot": 0, "honeypot_message": 1}}, "hidden link of the message clicked"),
    ("hidden link", "machine", {"x": {"honeypot": 0, "honeypot_message": 0}}, None),
    ("unsubscribing", "machine", {"x": {"unsubscribe_link": 1}}, "unsubscribe link clicked"),
    ("unsubscribing", "machine", {"kind": 2, "x": {"unsubscribe_link": 1}}, "unsubscribed without a click of the link"),
    ("request method", "machine", {"x": {"method": 1}}, "HEAD request"),
    ("request method", "machine", {"x": {"method": 0}}, None),
    ("request method", "person", {"x": {"method": 0}}, "GET request, no HEAD"),
    (
        "network",
        "machine",
        {"x": {"network_rank": 2}, "address": BARRACUDA},
        "address in Barracuda's published range (mail security, 2026-05)",
    ),
    (
        "network",
        "machine",
        {"x": {"network_rank": 1}, "address": {"kind": "vpn", "evidence": "community"}},
        "address in a range as trackers list it (VPN)",
    ),
    (
        "network",
        "machine",
        {
            "x": {"network_rank": 2},
            "address": {"category": "hosting", "category_weak": True, "as_name": "Example Hosting"},
        },
        "address in a hosting network by its name (Example Hosting)",
    ),
    ("network", "machine", {"x": {"network_rank": 0}, "address": {"category": "isp"}}, None),
    (
        "network",
        "person",
        {"x": {"network_rank": 0}, "address": {"category": "isp"}},
        "address in an internet provider's network",
    ),
    ("network", "person", {"x": {"network_rank": 2}, "address": BARRACUDA}, None),
    ("network", "machine", {"x": {"network_rank": 1}, "address": {}}, "address that no network announces"),
    ("network", "machine", {}, None),
    ("agent", "machine", {"x": {"agent_missing": 1}}, "no user agent"),
    ("agent", "machine", {"agent": "python-requests/2.31.0"}, "agent: HTTP library (python-requests/2.31.0)"),
    (
        "agent",
        "machine",
        {"kind": 0, "agent": "Mozilla/5.0"},
        "bare agent (Mozilla/5.0) of Apple's Mail Privacy Protection",
    ),
    ("agent", "machine", {"agent": "Mozilla/5.0"}, "bare agent (Mozilla/5.0)"),
    (
        "agent",
        "machine",
        {"agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
        "agent: security scanner of Barracuda",
    ),
    ("agent", "person", {"agent": CHROME_42, "x": {"agent_impossible": 0}}, "agent Chrome 42 on Windows"),
    ("agent", "person", {"agent": "python-requests/2.31.0", "x": {"agent_impossible": 0}}, None),
    (
        "age of the browser",
        "machine",
        {"agent": CHROME_42, "x": {"version_lag": 53}},
        "Chrome 42, 53 versions behind the newest in use here",
    ),
    (
        "age of the browser",
        "machine",
        {"agent": CHROME_42, "x": {"version_lag": 60}},
        "Chrome 42, 60 or more versions behind the newest in use here",
    ),
    (
        "age of the browser",
        "machine",
        {"agent": CHROME_42, "x": {"os_legacy": 1}},
        "Windows version long out of support",
    ),
    ("age of the browser", "machine", {"agent": CHROME_42, "x": {"version_lag": 0, "os_legacy": 0}}, None),
    (
        "age of the browser",
        "person",
        {"agent": CHROME_42, "x": {"version_lag": 0, "os_legacy": 0}},
        "current browser (Chrome 42)",
    ),
    (
        "popularity of the link",
        "machine",
        {"x": {"link_popularity": 0.25}},
        "link clicked 0.2 times as often as the campaign's mean link",
    ),
    (
        "habits of the network",
        "machine",
        {"x": {"address_click_share": 0.5, "network_click_share": 0.96}},
        "clicks in at least 96 % of the messages seen from this network",
    ),
    (
        "habits of the network",
        "machine",
        {"x": {"address_burst_share": 0.6, "network_burst_share": 0.5, "network_click_share": 0.96}},
        "three links within 10 s in at least 60 % of the messages clicked from this address",
    ),
    ("habits of the network", "machine", {"x": {"address_burst_share": 1 / 3, "network_burst_share": 1 / 3}}, None),
    (
        "habits of the network",
        "person",
        {"x": {"network_click_share": 0.2, "network_burst_share": 0.0}},
        "never three links within 10 s from this network in 7 days",
    ),
    (
        "habits of the agent",
        "machine",
        {"x": {"agent_networks": 0.75}},
        "at least 0.7 networks for each message seen with this agent",
    ),
    (
        "habits of the domain",
        "machine",
        {"x": {"domain_machine_network_share": 0.4}},
        "a click from a scanner's network or a data centre in at least 40 % of the messages clicked at this domain",
    ),
    (
        "habits of the recipient",
        "person",
        {"x": {"recipient_opened_share": 0.5}},
        "an open before in at least 50 % of the messages clicked by this recipient",
    ),
    (
        "training labels",
        "machine",
        {
            "x": {
                "network_reputation": 3.1,
                "network_share": 0.96,
                "network_messages": 1_214,
                "agent_reputation": 0.4,
                "domain_reputation": -1.0,
            }
        },
        "this network: 96 % of 1,214 messages automated in the training labels",
    ),
    (
        "training labels",
        "person",
        {"x": {"asn_reputation": 0.2, "domain_reputation": -1.5, "domain_share": 0.04, "domain_messages": 25}},
        "this domain: 4 % of 25 messages automated in the training labels",
    ),
    ("training labels", "machine", {"x": {"asn_reputation": -0.2}}, None),
    (
        "mailbox of the domain",
        "machine",
        {"x": {"mailbox_gateway": 5, "mailbox_host": 0}},
        "mail of this domain passes Trend Micro",
    ),
    ("mailbox of the domain", "person", {"x": {"mailbox_host": 3}}, "mailboxes of this domain are at Gmail"),
]


@pytest.mark.parametrize(("reason", "side", "known", "expected"), WORDS)
def test_a_reason_says_its_values(
    con: duckdb.DuckDBPyConnection, reason: str, side: str, known: dict[str, Any], expected: str | None
) -> None:
    assert said(con, getattr(BY_NAME[reason], side), **known) == expected


def test_every_reason_is_among_the_words_above() -> None:
    assert {reason for reason, *_, expected in WORDS if expected} == set(BY_NAME)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.04, "under 0.1 s"),
        (0.05, "0.1 s"),
        (0.96, "1 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_100, "118 min"),
        (7_200, "2 h"),
        (170_000, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_spans_are_said_in_their_own_unit(con: duckdb.DuckDBPyConnection, seconds: float, words: str) -> None:
    assert con.execute("SELECT reason_span(CAST(? AS FLOAT))", [seconds]).fetchall() == [(words,)]


# What is not known

_UNITS = {"share": st.sampled_from([0.0, 0.2, 0.34, 0.99, 1.0]), "flag": st.sampled_from([0, 1])}
_SECONDS = st.sampled_from([0.0, 0.004, 5.25, 61.0, 5_000.0, 600_000.0])
_COUNTS = st.sampled_from([0, 1, 2, 7, 20])
_EVENTS = st.fixed_dictionaries(
    {}, optional={f.name: _UNITS.get(f.unit, _SECONDS if f.unit == "s" else _COUNTS) for f in FEATURES}
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(x=_EVENTS, kind=st.integers(0, 2))
def test_sentences_are_short_and_name_no_unknown_value(
    con: duckdb.DuckDBPyConnection, x: dict[str, float], kind: int
) -> None:
    both = [words for reason in REASONS for words in (reason.machine, reason.person)]
    texts = said(con, f"[{', '.join(both)}]", x, kind)
    assert texts is not None
    for text in texts:
        assert text is None or re.fullmatch(r"[A-Za-z0-9][^;]{4,130}", text), text
        assert text is None or not re.search(r"nan|null|none|  | %%|inf\b", text.lower()), text


def test_of_an_event_of_which_nothing_is_known_no_number_is_said(con: duckdb.DuckDBPyConnection) -> None:
    for kind in range(3):
        for reason in REASONS:
            for words in (reason.machine, reason.person):
                assert not re.search(r"[0-9]", said(con, words, kind=kind) or ""), reason.name


# Text of files

NASTY = [
    "",
    " ",
    "curl/8.0\x1b[31mred\x1b[0m",
    "a;b; c",
    "=cmd|'/C calc'!A0",
    "evil\u202etxt",
    "zero\u200bwidth\ufeff",
    "line\nbreak\r\ttab",
    "\U0001f600" * 50,
    "\ue000private",
    "x" * 5_000,
    "Mozilla/5.0",
    "bot" + "\u2028" + "spider",
]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=30))
def test_quoted_text_breaks_neither_a_terminal_nor_the_list(con: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    given_texts = [text.encode("utf-8", "replace").decode() for text in [*NASTY, *texts]]
    con.register("texts", agent_table(given_texts))
    rows = con.execute(f"SELECT reason_quoted(user_agent), {AGENT_WORDS} FROM texts AS g").fetchall()
    assert len(rows) == len(given_texts)
    for quoted, words in rows:
        for text in (quoted, words):
            # The regular expression knows letters of newer versions of Unicode than some Python.
            assert all(char.isprintable() or unicodedata.category(char) == "Cn" for char in text)
            assert ";" not in text
        assert len(quoted) <= LONGEST_QUOTE + 1
        assert not words.startswith(("=", "+", "-", "@"))


def test_an_owner_without_a_spelling_of_its_own_gets_a_capital(con: duckdb.DuckDBPyConnection) -> None:
    rows = [
        con.execute("SELECT reason_owner(?)", [name]).fetchall()[0][0] for name in ("cisco", "trendmicro", "new_one")
    ]
    assert rows == ["Cisco", "Trend Micro", "New one"]
