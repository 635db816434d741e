"""The hidden link: who clicks it is a machine, and so is all of that message within ten seconds around.

Abstains where the campaign has no hidden link.
"""

from __future__ import annotations

from serving.baselines.rule import ALL_EVENTS, SECOND, Rule


def _sql(partition: str) -> str:
    return f"""
    SELECT
        event_row,
        CASE WHEN bool_or(hidden AND kind = 1) OVER (
            PARTITION BY {partition} ORDER BY us RANGE BETWEEN {10 * SECOND} PRECEDING AND {10 * SECOND} FOLLOWING
        ) THEN 'hidden link' END AS reason,
        hidden IS NOT NULL AS knows
    FROM rule_events
    """


RULES: tuple[Rule, ...] = (
    Rule(
        "honeypot",
        "within 10 s of a click on the hidden link",
        "senders with a hidden link",
        "10 s, any address",
        ALL_EVENTS,
        _sql("campaign_id, message"),
    ),
    Rule(
        "honeypot-same-ip",
        "the same, from the address that clicked it",
        "senders with a hidden link",
        "10 s, the same address",
        ALL_EVENTS,
        # Without an address of its own an event is compared with none.
        f"SELECT event_row, CASE WHEN ip IS NOT NULL THEN reason END AS reason, knows AND ip IS NOT NULL AS knows"
        f" FROM ({_sql('campaign_id, message, ip')}) JOIN rule_events USING (event_row)",
    ),
)
