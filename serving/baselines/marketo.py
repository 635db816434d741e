"""Marketo's proximity: more than two activities of a lead on a mail within N whole seconds.

The list of agents and addresses that Marketo also asks is licensed and cannot be rebuilt.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule

WITHIN_S: tuple[int, ...] = (0, 1, 2, 3)


def _sql(within_s: int) -> str:
    return f"""
    WITH activities AS (
        SELECT event_row, message, us // {SECOND} AS second FROM rule_events WHERE kind < 2
    ),
    counted AS (
        SELECT
            *,
            count(*) OVER (
                PARTITION BY message ORDER BY second RANGE BETWEEN {within_s} PRECEDING AND CURRENT ROW
            ) AS activities
        FROM activities
    )
    SELECT
        event_row,
        CASE WHEN max(activities) OVER (
            PARTITION BY message ORDER BY second RANGE BETWEEN CURRENT ROW AND {within_s} FOLLOWING
        ) > 2 THEN 'proximity' END AS reason,
        TRUE AS knows
    FROM counted
    """


RULES: tuple[Rule, ...] = tuple(
    Rule(
        f"marketo-{within_s}",
        f"more than 2 activities within {within_s} whole seconds",
        "Marketo",
        f"{within_s} s" + (", as delivered" if within_s == 0 else "") + ", without the licensed list",
        OPENS_AND_CLICKS,
        _sql(within_s),
    )
    for within_s in WITHIN_S
)
