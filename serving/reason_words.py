"""The reasons that a verdict can have, and how each says its values: one short sentence with units.

Every feature belongs to one reason, and so does every column of `serving.reputation`.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.clicks import CAP
from serving import reason_names
from serving.reason import Case, Reason, chosen
from serving.reason_habits import HABITS
from serving.reason_reputation import REPUTATIONS

# Texts of a file are cut here.
LONGEST_QUOTE = 40


def _reason(name: str, features: str, machine: str, person: str) -> Reason:
    return Reason(name, tuple(features.split()), machine, person)


def _named(column: str, names: Mapping[str, str]) -> str:
    listed = " ".join(f"WHEN '{code}' THEN '{text}'" for code, text in names.items())
    return f"CASE {column} {listed} END"


# Only what a terminal prints stays, and nothing that looks like the end of a reason.
_UNPRINTABLE = r"[^\p{L}\p{M}\p{N}\p{P}\p{S} ]"

# What the sentences call, as DuckDB's macros.
MACROS: tuple[str, ...] = (
    """reason_span(s) AS CASE
        WHEN s > 0 AND s < 0.05 THEN 'under 0.1 s'
        WHEN s < 9.95 THEN replace(format('{:.1f}', CAST(s AS DOUBLE)), '.0', '') || ' s'
        WHEN s < 119.5 THEN CAST(round(s) AS BIGINT) || ' s'
        WHEN s < 7170 THEN CAST(round(s / 60) AS BIGINT) || ' min'
        WHEN s < 171000 THEN CAST(round(s / 3600) AS BIGINT) || ' h'
        ELSE CAST(round(s / 86400) AS BIGINT) || ' days'
    END""",
    # A FLOAT of 0.29 is a little less; the share that is meant is not 28 %.
    "reason_percent(share) AS CAST(floor(share * 100 + 1e-4) AS INTEGER) || ' %'",
    "reason_tenths(ratio) AS format('{:.1f}', floor(ratio * 10 + 1e-4) / 10)",
    f"""reason_count(n, one, many) AS CASE
        WHEN n >= {CAP} THEN '{CAP} or more ' || many
        WHEN n = 1 THEN '1 ' || one
        ELSE CAST(n AS INTEGER) || ' ' || many
    END""",
    f"""reason_links(n, all_links) AS CASE
        WHEN n < {CAP} AND all_links >= n AND all_links < {CAP}
        THEN CAST(n AS INTEGER) || ' of ' || reason_count(all_links, 'link', 'links')
        ELSE reason_count(n, 'link', 'links')
    END""",
    f"""reason_owner(name) AS coalesce(
        {_named("name", reason_names.OWNERS)},
        upper(left(name, 1)) || replace(substr(name, 2), '_', ' ')
    )""",
    f"""reason_quoted(text) AS
        replace(regexp_replace(left(text, {LONGEST_QUOTE}), '{_UNPRINTABLE}', chr(65533), 'g'), ';', ',')
        || CASE WHEN length(text) > {LONGEST_QUOTE} THEN chr(8230) ELSE '' END""",
)


def _since(column: str, what: str, before: str = "after") -> Case:
    """The case that the time is known, and the time."""
    return f"x.{column} IS NOT NULL", f"reason_span(x.{column}) || ' {before} {what}'"


ARRIVAL = chosen(
    ("x.since_delivery_s < 0", "reason_span(-x.since_delivery_s) || ' before delivery'"),
    _since("since_delivery_s", "delivery"),
    ("x.since_sent_s < 0", "reason_span(-x.since_sent_s) || ' before sending'"),
    _since("since_sent_s", "sending"),
)

# The clicks of the minute took their mean gap times one less than their number, where the cap does not hide that.
_MINUTE = f"x.links_60s >= 2 AND x.clicks_60s < {CAP} AND x.click_pace_s * (x.clicks_60s - 1)"
BURST = chosen(
    (f"{_MINUTE} = 0", "reason_links(x.links_60s, x.n_links) || ' at one instant'"),
    (
        f"{_MINUTE} < 10",
        "reason_links(x.links_60s, x.n_links) || ' within ' || reason_span(x.click_pace_s * (x.clicks_60s - 1))",
    ),
    ("x.links_1s >= 3", "reason_links(x.links_1s, x.n_links) || ' within 1 s of this event'"),
    ("x.links_10s >= 2", "reason_links(x.links_10s, x.n_links) || ' within 10 s of this event'"),
    ("x.links_60s >= 2", "reason_links(x.links_60s, x.n_links) || ' within a minute of this event'"),
    ("x.since_burst_s > 0", "'three links within 10 s, ' || reason_span(x.since_burst_s) || ' before'"),
    ("x.widest_burst >= 2", "reason_links(x.widest_burst, x.n_links) || ' of the message within 10 s'"),
    ("x.clicks_10s >= 2", "reason_count(x.clicks_10s, 'click', 'clicks') || ' within 10 s of this event'"),
    ("x.since_previous_click_s < 60", "reason_span(x.since_previous_click_s) || ' after the previous click'"),
    ("x.until_next_click_s < 60", "reason_span(x.until_next_click_s) || ' before the next click'"),
)
NO_BURST = chosen(
    ("f.kind > 0 AND x.clicks_60s = 1", "'no other click within a minute'"),
    ("x.since_previous_click_s >= 60", "reason_span(x.since_previous_click_s) || ' after the previous click'"),
    ("x.widest_burst <= 1", "'no burst of clicks on the message'"),
)

WHOLE_MAIL = chosen(
    (
        f"x.link_share_hour > 0.999 AND x.n_links >= 2 AND x.n_links < {CAP}",
        "'all ' || reason_count(x.n_links, 'link', 'links') || ' of the mail clicked within the hour'",
    ),
    (
        "x.link_share_hour >= 0.5 AND x.n_links >= 2",
        "reason_percent(x.link_share_hour) || ' of the mail''s links clicked within the hour'",
    ),
    (
        "x.link_share_so_far >= 0.5 AND x.n_links >= 2",
        "reason_percent(x.link_share_so_far) || ' of the mail''s links clicked so far'",
    ),
    ("x.clicks_so_far >= 3", "reason_count(x.clicks_so_far, 'click', 'clicks') || ' on the message so far'"),
)
PART_OF_MAIL = chosen(
    (
        "x.link_share_hour > 0 AND x.link_share_hour < 0.5",
        "reason_percent(x.link_share_hour) || ' of the mail''s links clicked within the hour'",
    ),
    ("f.kind = 1 AND x.clicks_so_far = 1", "'first click on the message'"),
)

RHYTHM = chosen(
    (
        "x.since_previous_s <= coalesce(x.until_next_s, x.since_previous_s)",
        "reason_span(x.since_previous_s) || ' after the message''s previous event'",
    ),
    _since("until_next_s", "the message''s next event", "before"),
    ("x.since_first_event_s = 0", "'nothing else on the message before it or in the hour after'"),
    _since("since_first_event_s", "the message''s first event"),
)

_VERB = "CASE f.kind WHEN 2 THEN 'unsubscribed' ELSE 'clicked' END"
_OPEN_COUNT = ("x.opens_so_far >= 2", "reason_count(x.opens_so_far, 'open', 'opens') || ' of the message so far'")


def _opened(column: str, how: str = "") -> Case:
    return f"f.kind > 0 AND x.{column} IS NOT NULL", f"'opened ' || reason_span(x.{column}) || ' before{how}'"


UNOPENED = chosen(
    ("f.kind > 0 AND x.since_last_open_s IS NULL", f"{_VERB} || ' without an open before'"),
    (
        "f.kind > 0 AND f.net IS NOT NULL AND x.since_network_open_s IS NULL",
        "'opened ' || reason_span(x.since_last_open_s) || ' before, from another network'",
    ),
    _opened("since_last_open_s"),
    ("x.opens_60s >= 2", "reason_count(x.opens_60s, 'open', 'opens') || ' within a minute'"),
    ("x.opens_so_far = 1", "'first open of the message'"),
    _OPEN_COUNT,
)
OPENED = chosen(
    _opened("since_network_open_s", " from the same network"),
    _opened("since_agent_open_s", " with the same agent"),
    _opened("since_last_open_s"),
    ("f.kind = 0 AND x.opens_so_far = 1", "'first open of the message'"),
    (f"f.kind = 0 AND {_OPEN_COUNT[0]}", _OPEN_COUNT[1]),
)

_PEOPLE_TOO = (
    "x.same_link_people_network = 1",
    "'same link hit from a consumer''s or an office''s network within a minute'",
)
REPEATED = chosen(
    ("x.same_link_machine_network = 1", "'same link hit from a scanner''s network or a data centre within a minute'"),
    _PEOPLE_TOO,
    ("x.same_link_other_network = 1", "'same link hit from another network within a minute'"),
    ("x.same_link_other_agent = 1", "'same link hit by another agent within a minute'"),
    ("x.since_same_link_s IS NOT NULL", "'same link hit ' || reason_span(x.since_same_link_s) || ' before'"),
    ("x.until_same_link_s IS NOT NULL", "'same link hit again ' || reason_span(x.until_same_link_s) || ' later'"),
)
HIT_ONCE = chosen(
    _PEOPLE_TOO,
    ("x.same_link_other_network = 0 AND x.same_link_other_agent = 0", "'same link hit by nobody else within a minute'"),
)

SEVERAL_VISITORS = chosen(
    (
        "x.networks >= 2 AND x.agents >= 2",
        "reason_count(x.networks, 'network', 'networks') || ' and '"
        " || reason_count(x.agents, 'agent', 'agents') || ' on the message'",
    ),
    ("x.networks >= 2", "reason_count(x.networks, 'network', 'networks') || ' on the message'"),
    ("x.agents >= 2", "reason_count(x.agents, 'agent', 'agents') || ' on the message'"),
    ("x.addresses >= 2", "reason_count(x.addresses, 'address', 'addresses') || ' on the message'"),
    (
        "x.since_network_click_s IS NOT NULL",
        "'clicked ' || reason_span(x.since_network_click_s) || ' before from the same network'",
    ),
    (
        "x.since_agent_click_s IS NOT NULL",
        "'clicked ' || reason_span(x.since_agent_click_s) || ' before with the same agent'",
    ),
)
ONE_VISITOR = chosen(
    ("x.networks = 1 AND x.agents = 1", "'one network and one agent on the message'"),
    ("x.networks = 1", "'one network on the message'"),
    ("x.agents = 1", "'one agent on the message'"),
)

HIDDEN_LINK = chosen(
    ("x.honeypot = 1", "'hidden link clicked'"),
    ("x.honeypot_60s = 1", "'hidden link of the message clicked within a minute'"),
    ("x.honeypot_message = 1", "'hidden link of the message clicked'"),
)
HIDDEN_LINK_LEFT = chosen(("x.honeypot_message = 0", "'hidden link of the message left alone'"))

UNSUBSCRIBING = chosen(
    ("f.kind = 1 AND x.unsubscribe_link = 1", "'unsubscribe link clicked'"),
    ("f.kind = 2 AND coalesce(x.unsubscribe_click_60s, 0) = 0", "'unsubscribed without a click of the link'"),
    ("x.unsubscribe_click_60s = 1", "'unsubscribe link of the message clicked within a minute'"),
    ("f.kind < 2 AND x.unsubscribed_60s = 1", "'unsubscribed within a minute'"),
)
UNSUBSCRIBE_LEFT = chosen(("f.kind = 1 AND x.unsubscribe_click_60s = 0", "'unsubscribe link left alone'"))

HEAD_REQUEST = chosen(
    ("x.method = 1", "'HEAD request'"),
    ("x.head_before = 1", "'HEAD request on the same link in the minute before'"),
    ("x.head_60s = 1", "'HEAD request on the message within a minute'"),
    ("x.method = 2", "'POST request'"),
)
GET_REQUEST = chosen(("x.method = 0 AND coalesce(x.head_60s, 0) = 0", "'GET request, no HEAD'"))

_LISTED = f"""'address in ' || coalesce(reason_owner(a.operator) || '''s ', 'a ')
    || {_named("a.evidence", reason_names.EVIDENCE)} || ' (' || {_named("a.kind", reason_names.NETWORK_KINDS)}
    || coalesce(', ' || a.listed_on, '') || ')'"""
_CATEGORY = f"""'address in ' || {_named("a.category", reason_names.CATEGORIES)}
    || CASE WHEN a.category_weak THEN ' by its name' ELSE '' END
    || coalesce(' (' || reason_quoted(a.as_name) || ')', '')"""
# Once for each distinct address: SQL over `a`, the table of addresses.
ADDRESS_WORDS = chosen(
    ("a.kind IS NOT NULL", _LISTED),
    ("a.category IS NOT NULL", _CATEGORY),
    ("a.asn IS NULL", "'address that no network announces'"),
    ("a.as_name IS NOT NULL", "'address of ' || reason_quoted(a.as_name)"),
)
MACHINES_NETWORK = chosen(("x.network_rank > 0", "a.words"))
PEOPLES_NETWORK = chosen(("x.network_rank < 2", "a.words"))

_FIRST_WORD = "' (' || reason_quoted(split_part(trim(g.user_agent), ' ', 1)) || ')'"
# "Mozilla/5.0" says nothing but where it is all there is.
_OF_WHOM = chosen(
    ("g.vendor IS NOT NULL", "' of ' || reason_owner(g.vendor)"),
    ("g.user_agent LIKE 'Mozilla/_._ %'", "''"),
    ("TRUE", _FIRST_WORD),
)
# Once for each distinct agent: SQL over `g`, the table of agents.
AGENT_WORDS = chosen(
    ("g.kind = 'apple_mpp'", f"'bare agent' || {_FIRST_WORD}"),
    ("g.kind = 'gmail_prefetch'", "'agent of Gmail''s prefetch'"),
    ("g.impossible AND g.kind IN ('browser', 'mail_client')", "'agent that no real browser sends'"),
    (
        "g.kind IN ('browser', 'mail_client')",
        f"""'agent ' || {_named("g.family", reason_names.FAMILIES)} || coalesce(' ' || g.engine_version, '')
        || coalesce(' on ' || {_named("g.os", reason_names.SYSTEMS)}, '')""",
    ),
    ("g.kind IS NOT NULL", f"'agent: ' || {_named('g.kind', reason_names.AGENT_KINDS)} || {_OF_WHOM}"),
)
MACHINES_AGENT = chosen(
    ("x.agent_missing = 1", "'no user agent'"),
    ("f.kind = 0 AND g.kind = 'apple_mpp'", "g.words || ' of Apple''s Mail Privacy Protection'"),
    ("TRUE", "g.words"),
)
PERSONS_AGENT = chosen(("g.kind IN ('browser', 'mail_client') AND x.agent_impossible = 0", "g.words"))

_VERSION = f"{_named('g.engine', reason_names.ENGINES)} || ' ' || g.engine_version"
_BEHIND = f"""{_VERSION} || ', '
    || CASE WHEN x.version_lag >= 60 THEN '60 or more' ELSE CAST(CAST(x.version_lag AS INTEGER) AS VARCHAR) END
    || ' versions behind the newest in use here'"""
OLD_BROWSER = chosen(
    ("x.version_lag >= 10", _BEHIND),
    (
        "x.os_legacy = 1",
        f"coalesce({_named('g.os', reason_names.SYSTEMS)}, 'operating system') || ' version long out of support'",
    ),
    ("x.version_lag >= 3", _BEHIND),
)
CURRENT_BROWSER = chosen(("x.version_lag < 3 AND x.os_legacy = 0", f"'current browser (' || {_VERSION} || ')'"))

POPULARITY = chosen(
    (
        "x.link_popularity IS NOT NULL",
        "'link clicked ' || reason_tenths(x.link_popularity) || ' times as often as the campaign''s mean link'",
    ),
)

# Their order is the order of equals.
REASONS: tuple[Reason, ...] = (
    _reason(
        "time since arrival",
        "since_delivery_s since_sent_s since_arrival_s first_event_delay_s first_click_delay_s",
        ARRIVAL,
        ARRIVAL,
    ),
    _reason(
        "burst over links",
        "clicks_1s clicks_10s clicks_60s links_1s links_10s links_60s link_share_10s click_pace_s mail_order"
        " widest_burst since_burst_s since_previous_click_s until_next_click_s",
        BURST,
        NO_BURST,
    ),
    _reason("whole mail", "link_share_so_far link_share_hour clicks_so_far n_links", WHOLE_MAIL, PART_OF_MAIL),
    _reason("neighbouring events", "since_previous_s until_next_s since_first_event_s", RHYTHM, RHYTHM),
    _reason(
        "order of open and click",
        "event_kind since_first_open_s since_last_open_s until_next_open_s opens_so_far opens_60s"
        " since_network_open_s since_agent_open_s",
        UNOPENED,
        OPENED,
    ),
    _reason(
        "same link again",
        "since_same_link_s until_same_link_s same_link_other_network same_link_other_network_before"
        " same_link_machine_network same_link_people_network same_link_other_agent",
        REPEATED,
        HIT_ONCE,
    ),
    _reason(
        "several visitors",
        "addresses_60s addresses networks agents_60s agents since_network_click_s since_agent_click_s",
        SEVERAL_VISITORS,
        ONE_VISITOR,
    ),
    _reason("hidden link", "honeypot honeypot_60s honeypot_message", HIDDEN_LINK, HIDDEN_LINK_LEFT),
    _reason(
        "unsubscribing", "unsubscribe_link unsubscribe_click_60s unsubscribed_60s", UNSUBSCRIBING, UNSUBSCRIBE_LEFT
    ),
    _reason("request method", "method head_60s head_before", HEAD_REQUEST, GET_REQUEST),
    _reason(
        "network",
        "network_kind network_operator network_evidence as_category as_category_weak as_unknown network_rank ipv6",
        MACHINES_NETWORK,
        PEOPLES_NETWORK,
    ),
    _reason("agent", "agent_kind browser os device agent_missing agent_impossible", MACHINES_AGENT, PERSONS_AGENT),
    _reason("age of the browser", "version_lag os_legacy", OLD_BROWSER, CURRENT_BROWSER),
    _reason("popularity of the link", "link_popularity", POPULARITY, POPULARITY),
    *HABITS,
    *REPUTATIONS,
)
