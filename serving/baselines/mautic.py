"""Mautic 7's two of three: quick, a listed address, a robot's agent.

Its list of addresses is empty as delivered. For Matomo's list of robots stand our kinds of agents that it has too:
crawlers, monitors, previews and, as there, Gmail's and Yahoo's image proxies; no mail scanner.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule, one_of

ROBOTS: tuple[str, ...] = ("crawler", "ai_crawler", "fetcher", "link_preview", "internet_scanner", "image_proxy")

RULES: tuple[Rule, ...] = (
    Rule(
        "mautic",
        "within 2 s and a robot's agent",
        "Mautic 7",
        "time limit 2 s, no listed addresses, 2 of 3 points",
        OPENS_AND_CLICKS,
        f"""
        SELECT
            e.event_row,
            CASE WHEN e.delay_us < {2 * SECOND} AND {one_of("g.kind", ROBOTS)} THEN 'quick and a robot' END AS reason,
            e.delay_us IS NOT NULL OR e.agent_given AS knows
        FROM rule_events AS e
        LEFT JOIN rule_agents AS g ON e.agent_id = g.agent_id
        """,
    ),
)
