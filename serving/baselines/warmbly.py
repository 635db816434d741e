"""Warmbly's tracking server: agents it drops at the edge, scanners' networks, the first seconds, bursts.

HEAD requests and prefetch headers, which it drops at the edge too, are not in event files. An empty agent is dropped
there, so that what it says later of empty agents never comes to pass.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule, contains_any, one_of, within

DROPPED_AGENTS: tuple[str, ...] = (
    "bot", "spider", "crawl", "curl/", "wget/", "python-requests", "python/", "go-http-client", "okhttp", "java/",
    "headless", "phantomjs", "validator", "pingdom", "uptime", "statuscake", "site24x7", "bingpreview",
    "skypeuripreview", "whatsapp", "telegram", "urldefense", "safelinks", "barracuda", "mimecast", "proofpoint",
    "forcepoint", "symantec", "trendmicro", "sophos", "zscaler",
)  # fmt: skip
# Exchange Online Protection, then Barracuda.
CERTAIN_NETWORKS: tuple[str, ...] = (
    "40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "52.238.78.88/32", "104.47.0.0/17", "2a01:111:f400::/48",
    "2a01:111:f403::/48",
    "3.24.133.128/25", "15.222.16.128/25", "35.157.190.224/27", "18.185.115.192/26", "18.184.203.224/27",
    "13.200.136.128/25", "35.176.92.96/27", "18.133.136.128/26", "18.133.136.96/27", "209.222.82.0/24",
)  # fmt: skip
# Proofpoint, Mimecast, Cisco IronPort.
PROBABLE_ASNS: tuple[int, ...] = (22843, 26211, 52129, 30031, 39588, 42427, 60492, 16417)
# Microsoft and Google: off by default, for clicks only.
CLOUD_ASNS: tuple[int, ...] = (8075, 8074, 12076, 15169)


def _sql(clouds: bool) -> str:
    cloud = one_of("asn", CLOUD_ASNS) if clouds else "FALSE"
    return f"""
    WITH agents AS (
        SELECT
            agent_id,
            {contains_any(DROPPED_AGENTS)} AS is_dropped,
            ends_with(text, '(khtml, like gecko)') AS is_prefetch
        FROM rule_agents
    ),
    addresses AS (
        SELECT
            address_id,
            {within(CERTAIN_NETWORKS)} AS is_certain,
            coalesce({one_of("asn", PROBABLE_ASNS)}, FALSE) AS is_probable,
            coalesce({cloud}, FALSE) AS is_cloud
        FROM rule_addresses
    ),
    seen AS (
        SELECT
            e.*,
            e.no_agent OR coalesce(g.is_dropped, FALSE) AS is_dropped,
            coalesce(g.is_prefetch, FALSE) AS is_prefetch,
            coalesce(a.is_certain, FALSE) AS is_certain,
            coalesce(a.is_probable OR (a.is_cloud AND e.kind = 1), FALSE) AS is_probable
        FROM rule_events AS e
        LEFT JOIN agents AS g ON e.agent_id = g.agent_id
        LEFT JOIN addresses AS a ON e.address_id = a.address_id
        WHERE e.kind < 2
    ),
    bursts AS (
        SELECT event_row, min(url) OVER five_s <> max(url) OVER five_s AS is_burst
        FROM seen
        WHERE kind = 1 AND NOT is_dropped AND ip IS NOT NULL AND url IS NOT NULL
        WINDOW five_s AS (
            PARTITION BY message, ip ORDER BY us
            RANGE BETWEEN {5 * SECOND} PRECEDING AND {5 * SECOND} FOLLOWING
        )
    )
    SELECT
        s.event_row,
        CASE
            WHEN s.is_dropped THEN 'agent of a scanner or none'
            WHEN s.is_certain THEN 'network of a scanner'
            WHEN s.kind = 0 AND s.is_prefetch THEN 'agent of a prefetch'
            WHEN s.is_probable AND s.delay_us >= 0 AND s.delay_us < {600 * SECOND}
                THEN 'probable network within 600 s'
            WHEN s.delay_us >= 0 AND s.delay_us < CASE s.kind WHEN 0 THEN 60 ELSE 30 END * {SECOND} THEN 'instant'
            WHEN b.is_burst THEN 'burst'
        END AS reason,
        s.agent_given OR s.address_id IS NOT NULL OR s.delay_us IS NOT NULL AS knows
    FROM seen AS s
    LEFT JOIN bursts AS b ON s.event_row = b.event_row
    """


RULES: tuple[Rule, ...] = (
    Rule(
        "warmbly",
        "agents, scanners' networks, first 30 or 60 s, bursts",
        "Warmbly",
        "as delivered",
        OPENS_AND_CLICKS,
        _sql(clouds=False),
    ),
    Rule(
        "warmbly-clouds",
        "the same, and clicks from Microsoft's and Google's networks in 600 s",
        "Warmbly",
        "with the networks of Microsoft and Google",
        OPENS_AND_CLICKS,
        _sql(clouds=True),
    ),
)
