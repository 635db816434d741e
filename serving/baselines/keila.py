"""Keila: two agents by their full text. Its time limit exists and is never handed the time, so it is left out."""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, Rule

WINDOWS_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/104.0.0.0"

RULES: tuple[Rule, ...] = (
    Rule(
        "keila",
        "Gmail's prefetch, and one fixed Chrome 104",
        "Keila",
        "as delivered",
        OPENS_AND_CLICKS,
        f"""
        SELECT
            e.event_row,
            CASE
                WHEN g.user_agent LIKE '%Chrome/42.0.2311.135 %Edge/12.246 Mozilla/5.0' THEN 'Gmail prefetch'
                WHEN g.user_agent = '{WINDOWS_CHROME} Safari/537.36' THEN 'the fixed Chrome 104'
            END AS reason,
            e.agent_given AS knows
        FROM rule_events AS e
        LEFT JOIN rule_agents AS g ON e.agent_id = g.agent_id
        """,
    ),
)
