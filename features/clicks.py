"""The click pattern of a message: which of its links were hit, how many at once, from how many places.

Distinct counts inside a window are bits: each link (address, agent) of a message gets a number, its bit is OR-ed over
the window and the bits are counted. Numbers go by first appearance, so that what comes later leaves them as they are.
Beyond 62 links of one message they start again: neighbours in time still have bits of their own, and counts are
capped at 20.
"""

from __future__ import annotations

from features.facts import HOUR, LOOK_AHEAD, LOOK_BACK, SECOND
from features.feature import Capability, Feature, Stage

_MESSAGE = "PARTITION BY msg ORDER BY us RANGE BETWEEN"
# Counts inside one message end here, so that a runaway scanner is no further from a thorough one.
CAP = 20


def _numbered(name: str, item: str) -> Stage:
    """Each distinct item of a message with a bit of its own."""
    return Stage(
        name,
        f"""
        SELECT
            msg,
            {item},
            CAST(
                pow(2, (row_number() OVER (PARTITION BY msg ORDER BY first_us NULLS LAST, {item} NULLS LAST) - 1) % 62)
                AS BIGINT
            ) AS bit
        FROM (
            SELECT msg, {item}, min(us) AS first_us FROM facts WHERE {item} IS NOT NULL GROUP BY msg, {item}
        ) AS items
        """,
    )


def _distinct(bit: str, window: str) -> str:
    return f"coalesce(bit_count(bit_or({bit}) OVER {window}), 0)"


STAGES: tuple[Stage, ...] = (
    _numbered("message_links", "link"),
    _numbered("message_addresses", "address_id"),
    _numbered("message_networks", "net"),
    _numbered("message_agents", "agent_id"),
    Stage(
        "marked",
        """
        SELECT
            f.event_row,
            f.msg,
            f.us,
            f.kind,
            f.honeypot,
            f.unsubscribe,
            f.method,
            CASE WHEN f.kind > 0 THEN l.bit END AS link_bit,
            a.bit AS address_bit,
            n.bit AS net_bit,
            g.bit AS agent_bit
        FROM facts AS f
        LEFT JOIN message_links AS l ON f.msg = l.msg AND f.link = l.link
        LEFT JOIN message_addresses AS a ON f.msg = a.msg AND f.address_id = a.address_id
        LEFT JOIN message_networks AS n ON f.msg = n.msg AND f.net = n.net
        LEFT JOIN message_agents AS g ON f.msg = g.msg AND f.agent_id = g.agent_id
        """,
    ),
    Stage(
        "message_clicks",
        f"""
        SELECT
            event_row,
            count(CASE WHEN kind > 0 THEN 1 END) OVER second AS clicks_1s,
            count(CASE WHEN kind > 0 THEN 1 END) OVER ten AS clicks_10s,
            count(CASE WHEN kind > 0 THEN 1 END) OVER minute AS clicks_60s,
            count(CASE WHEN kind > 0 THEN 1 END) OVER so_far AS clicks_so_far,
            count(CASE WHEN kind = 0 THEN 1 END) OVER minute AS opens_60s,
            count(CASE WHEN kind = 0 THEN 1 END) OVER so_far AS opens_so_far,
            {_distinct("link_bit", "second")} AS links_1s,
            {_distinct("link_bit", "ten")} AS links_10s,
            {_distinct("link_bit", "minute")} AS links_60s,
            {_distinct("link_bit", "just_before")} AS links_before_10s,
            {_distinct("link_bit", "so_far")} AS links_so_far,
            {_distinct("link_bit", "hour_around")} AS links_hour,
            {_distinct("address_bit", "minute")} AS addresses_60s,
            {_distinct("address_bit", "all_seen")} AS addresses,
            {_distinct("net_bit", "all_seen")} AS networks,
            {_distinct("agent_bit", "minute")} AS agents_60s,
            {_distinct("agent_bit", "all_seen")} AS agents,
            max(honeypot) OVER minute AS honeypot_60s,
            max(honeypot) OVER all_seen AS honeypot_message,
            max(CASE WHEN kind = 1 THEN unsubscribe END) OVER minute AS unsubscribe_click_60s,
            max(CASE WHEN kind = 2 THEN 1 ELSE 0 END) OVER minute AS unsubscribed_60s,
            max(CASE WHEN method IS NOT NULL THEN CASE WHEN method = 1 THEN 1 ELSE 0 END END) OVER minute AS head_60s
        FROM marked
        WINDOW
            second AS ({_MESSAGE} {SECOND} PRECEDING AND {SECOND} FOLLOWING),
            ten AS ({_MESSAGE} {10 * SECOND} PRECEDING AND {10 * SECOND} FOLLOWING),
            just_before AS ({_MESSAGE} {10 * SECOND} PRECEDING AND CURRENT ROW),
            minute AS ({_MESSAGE} {60 * SECOND} PRECEDING AND {60 * SECOND} FOLLOWING),
            hour_around AS ({_MESSAGE} {HOUR} PRECEDING AND {LOOK_AHEAD} FOLLOWING),
            so_far AS ({_MESSAGE} {LOOK_BACK} PRECEDING AND CURRENT ROW),
            all_seen AS ({_MESSAGE} {LOOK_BACK} PRECEDING AND {LOOK_AHEAD} FOLLOWING)
        """,
    ),
    Stage(
        "message_bursts",
        f"""
        SELECT
            c.event_row,
            max(c.links_10s) OVER all_seen AS widest_burst,
            max(CASE WHEN c.links_10s >= 3 THEN f.us END) OVER so_far AS burst_us
        FROM message_clicks AS c
        JOIN facts AS f ON c.event_row = f.event_row
        WINDOW
            so_far AS (PARTITION BY f.msg ORDER BY f.us RANGE BETWEEN {LOOK_BACK} PRECEDING AND CURRENT ROW),
            all_seen AS (
                PARTITION BY f.msg ORDER BY f.us
                RANGE BETWEEN {LOOK_BACK} PRECEDING AND {LOOK_AHEAD - 10 * SECOND} FOLLOWING
            )
        """,
    ),
)

_LINKS: frozenset[Capability] = frozenset({"links"})
_MINUTE = "1 minute back and ahead"
_SEEN = "7 days back, 1 hour ahead"


def _capped(expression: str) -> str:
    return f"CASE WHEN {expression} > {CAP} THEN {CAP} ELSE {expression} END"


def _share_of_links(expression: str) -> str:
    n_links = "nullif(coalesce(f.n_links, k.n_links), 0)"
    return f"CASE WHEN {expression} > {n_links} THEN 1 ELSE {expression} / CAST({n_links} AS DOUBLE) END"


def _count(
    name: str, expression: str, description: str, window: str, needs: frozenset[Capability] = frozenset()
) -> Feature:
    return Feature(name, "click pattern", _capped(expression), "count", f"{description}, at most {CAP}.", window, needs)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "event_kind",
        "click pattern",
        "f.kind",
        "code",
        "0 an open, 1 a click, 2 an unsubscribe.",
        "the event itself",
    ),
    _count(
        "n_links",
        "coalesce(f.n_links, k.n_links)",
        "Links in the mail, as the campaigns table says, else as the campaign's clicks of the last 168 hours show",
        "the mail, or 168 hours back",
        _LINKS,
    ),
    _count("clicks_1s", "c.clicks_1s", "Clicks of the message within a second", "1 second back and ahead"),
    _count("clicks_10s", "c.clicks_10s", "Clicks of the message within ten seconds", "10 seconds back and ahead"),
    _count("clicks_60s", "c.clicks_60s", "Clicks of the message within a minute", _MINUTE),
    _count("clicks_so_far", "c.clicks_so_far", "Clicks of the message up to this event", "7 days back"),
    _count("opens_60s", "c.opens_60s", "Opens of the message within a minute", _MINUTE),
    _count("opens_so_far", "c.opens_so_far", "Opens of the message up to this event", "7 days back"),
    _count(
        "links_1s",
        "c.links_1s",
        "Distinct links of the message hit within a second",
        "1 second back and ahead",
        _LINKS,
    ),
    _count(
        "links_10s",
        "c.links_10s",
        "Distinct links of the message hit within ten seconds",
        "10 seconds back and ahead",
        _LINKS,
    ),
    _count("links_60s", "c.links_60s", "Distinct links of the message hit within a minute", _MINUTE, _LINKS),
    Feature(
        "link_share_10s",
        "click pattern",
        _share_of_links("c.links_10s"),
        "share",
        "Share of the mail's links hit within ten seconds; NULL where the number of links is not known.",
        "10 seconds back and ahead",
        _LINKS,
    ),
    Feature(
        "link_share_so_far",
        "click pattern",
        _share_of_links("c.links_so_far"),
        "share",
        "Share of the mail's links hit up to this event; NULL where the number of links is not known.",
        "7 days back",
        _LINKS,
    ),
    Feature(
        "link_share_hour",
        "click pattern",
        _share_of_links("c.links_hour"),
        "share",
        "Share of the mail's links hit within the hour; NULL where the number of links is not known.",
        "1 hour back and ahead",
        _LINKS,
    ),
    _count(
        "widest_burst",
        "b.widest_burst",
        "Most distinct links of the message hit within ten seconds of one of its events",
        _SEEN,
        _LINKS,
    ),
    Feature(
        "since_burst_s",
        "click pattern",
        f"(f.us - b.burst_us) / {SECOND}.0",
        "s",
        "Seconds since the message last saw three links hit within ten seconds; NULL where it did not.",
        "7 days back",
        _LINKS,
    ),
    Feature(
        "honeypot",
        "click pattern",
        "f.honeypot",
        "flag",
        "1 where the link is the campaign's hidden one; NULL where the campaign has none.",
        "the event itself",
        _LINKS,
    ),
    Feature(
        "honeypot_60s",
        "click pattern",
        "c.honeypot_60s",
        "flag",
        "1 where the message's hidden link was hit within a minute; NULL where the campaign has none.",
        _MINUTE,
        _LINKS,
    ),
    Feature(
        "honeypot_message",
        "click pattern",
        "c.honeypot_message",
        "flag",
        "1 where the message's hidden link was hit; NULL where the campaign has none.",
        _SEEN,
        _LINKS,
    ),
    Feature(
        "unsubscribe_link",
        "click pattern",
        "f.unsubscribe",
        "flag",
        "1 for an unsubscribe or a click of the unsubscribe link.",
        "the event itself",
    ),
    Feature(
        "unsubscribe_click_60s",
        "click pattern",
        "c.unsubscribe_click_60s",
        "flag",
        "1 where the message's unsubscribe link was clicked within a minute; NULL where nothing was clicked.",
        _MINUTE,
        _LINKS,
    ),
    Feature(
        "unsubscribed_60s",
        "click pattern",
        "c.unsubscribed_60s",
        "flag",
        "1 where the message saw an unsubscribe within a minute.",
        _MINUTE,
    ),
    Feature(
        "method",
        "click pattern",
        "f.method",
        "code",
        "0 GET, 1 HEAD, 2 POST; NULL where the platform does not say.",
        "the event itself",
        frozenset({"method"}),
    ),
    Feature(
        "head_60s",
        "click pattern",
        "c.head_60s",
        "flag",
        "1 where the message saw a HEAD request within a minute.",
        _MINUTE,
        frozenset({"method"}),
    ),
    Feature(
        "head_before",
        "click pattern",
        "l.head_before",
        "flag",
        "1 where the same link saw a HEAD request in the last minute, this one included; NULL for opens.",
        "1 minute back",
        frozenset({"method", "links"}),
    ),
    _count(
        "addresses_60s",
        "c.addresses_60s",
        "Distinct addresses in the message within a minute",
        _MINUTE,
        frozenset({"address"}),
    ),
    _count("addresses", "c.addresses", "Distinct addresses in the message", _SEEN, frozenset({"address"})),
    _count("networks", "c.networks", "Distinct /24 or /48 networks in the message", _SEEN, frozenset({"address"})),
    _count(
        "agents_60s",
        "c.agents_60s",
        "Distinct user agents in the message within a minute",
        _MINUTE,
        frozenset({"agent"}),
    ),
    _count("agents", "c.agents", "Distinct user agents in the message", _SEEN, frozenset({"agent"})),
    Feature(
        "same_link_other_network",
        "click pattern",
        "CASE WHEN f.net IS NULL OR f.link IS NULL OR f.kind <> 1 THEN NULL"
        " WHEN l.low_net <> f.net OR l.high_net <> f.net THEN 1 ELSE 0 END",
        "flag",
        "1 where the same link of the message was hit from another network within a minute, as in a time-of-click"
        " check beside a person's click; NULL for opens and without an address.",
        _MINUTE,
        frozenset({"address", "links"}),
    ),
    Feature(
        "same_link_other_network_before",
        "click pattern",
        "CASE WHEN f.net IS NULL OR f.link IS NULL OR f.kind <> 1 THEN NULL"
        " WHEN l.low_net_before <> f.net OR l.high_net_before <> f.net THEN 1 ELSE 0 END",
        "flag",
        "1 where that other network's hit came in the minute before; NULL for opens and without an address.",
        "1 minute back",
        frozenset({"address", "links"}),
    ),
    Feature(
        "same_link_machine_network",
        "click pattern",
        "CASE WHEN f.net IS NULL OR f.link IS NULL OR f.kind <> 1 THEN NULL"
        " WHEN l.low_machine_net <> f.net OR l.high_machine_net <> f.net THEN 1 ELSE 0 END",
        "flag",
        "1 where the same link was hit within a minute from another network that is a scanner's or a data centre's.",
        _MINUTE,
        frozenset({"address", "links"}),
    ),
    Feature(
        "same_link_people_network",
        "click pattern",
        "CASE WHEN f.net IS NULL OR f.link IS NULL OR f.kind <> 1 THEN NULL"
        " WHEN l.low_people_net <> f.net OR l.high_people_net <> f.net THEN 1 ELSE 0 END",
        "flag",
        "1 where the same link was hit within a minute from another network where people connect from.",
        _MINUTE,
        frozenset({"address", "links"}),
    ),
    Feature(
        "same_link_other_agent",
        "click pattern",
        "CASE WHEN f.agent_id IS NULL OR f.link IS NULL OR f.kind <> 1 THEN NULL"
        " WHEN l.low_agent <> f.agent_id OR l.high_agent <> f.agent_id THEN 1 ELSE 0 END",
        "flag",
        "1 where the same link of the message was hit by another user agent within a minute.",
        _MINUTE,
        frozenset({"agent", "links"}),
    ),
)
