"""Velocity: an address that clicks five links within ten seconds, or the hidden link, is a machine in all it does.

It also asks for robots' words in the agent; which ones is not known, and our kinds of agents stand for them.
"""

from __future__ import annotations

from serving.baselines.rule import ALL_EVENTS, SECOND, Rule, one_of

ROBOTS: tuple[str, ...] = (
    *("crawler", "ai_crawler", "fetcher", "link_preview", "internet_scanner"),
    *("security_scanner", "http_client", "headless"),
)

RULES: tuple[Rule, ...] = (
    Rule(
        "velocity",
        "addresses that click 5 links within 10 s or the hidden link; robots' agents",
        "trackers with a limit on clicks by address",
        "5 links, 10 s",
        ALL_EVENTS,
        f"""
        WITH clicks AS (
            SELECT
                address_id,
                hidden,
                count(DISTINCT url) OVER (
                    PARTITION BY address_id ORDER BY us RANGE BETWEEN {10 * SECOND} PRECEDING AND CURRENT ROW
                ) AS links
            FROM rule_events
            WHERE kind = 1 AND address_id IS NOT NULL
        ),
        addresses AS (
            SELECT address_id, max(links) >= 5 AS is_fast, coalesce(bool_or(hidden), FALSE) AS is_trapped
            FROM clicks
            GROUP BY 1
        )
        SELECT
            e.event_row,
            CASE
                WHEN a.is_fast THEN 'address clicked 5 links within 10 s'
                WHEN {one_of("g.kind", ROBOTS)} THEN 'robot''s agent'
                WHEN a.is_trapped THEN 'address clicked the hidden link'
            END AS reason,
            e.address_id IS NOT NULL OR e.agent_given AS knows
        FROM rule_events AS e
        LEFT JOIN addresses AS a ON e.address_id = a.address_id
        LEFT JOIN rule_agents AS g ON e.agent_id = g.agent_id
        """,
    ),
)
