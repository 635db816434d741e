"""Odoo: words in the agent of a click."""

from __future__ import annotations

from serving.baselines.rule import Rule, contains_any

WORDS: tuple[str, ...] = (
    "bot", "crawl", "slurp", "spider", "curl", "wget", "facebookexternalhit", "whatsapp", "trendsmapresolver",
    "pinterest", "instagram", "google-pagerenderer", "preview",
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule(
        "odoo",
        "words in the agent of a click",
        "Odoo",
        "as delivered",
        ("clicked",),
        f"""
        WITH agents AS (
            SELECT agent_id, {contains_any(WORDS)} AS has_word FROM rule_agents
        )
        SELECT
            e.event_row,
            CASE WHEN g.has_word THEN 'word in the agent' END AS reason,
            e.agent_given AS knows
        FROM rule_events AS e
        LEFT JOIN agents AS g ON e.agent_id = g.agent_id
        """,
    ),
)
