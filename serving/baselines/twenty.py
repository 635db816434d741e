"""Twenty: clicks with three or more links of the same delivery clicked within ten seconds around."""

from __future__ import annotations

from serving.baselines.rule import SECOND, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "twenty",
        "3 links of a message within 10 s around",
        "Twenty",
        "as delivered",
        ("clicked",),
        f"""
        SELECT
            event_row,
            CASE WHEN count(DISTINCT url) OVER ten_s >= 3 THEN 'burst of links' END AS reason,
            TRUE AS knows
        FROM rule_events
        WHERE kind = 1 AND url IS NOT NULL
        WINDOW ten_s AS (
            PARTITION BY campaign_id, message ORDER BY us
            RANGE BETWEEN {10 * SECOND} PRECEDING AND {10 * SECOND} FOLLOWING
        )
        """,
    ),
)
