"""What any rule must beat: everything a person's, everything a machine's, quick events, data centres."""

from __future__ import annotations

from serving.baselines.rule import ALL_EVENTS, SECOND, Rule, one_of

DATA_CENTRES: tuple[str, ...] = ("cloud", "cloud_mailbox", "hosting")

RULES: tuple[Rule, ...] = (
    Rule(
        "all-human",
        "everything is a person's",
        "control",
        "none",
        ALL_EVENTS,
        "SELECT event_row, CAST(NULL AS VARCHAR) AS reason, TRUE AS knows FROM rule_events",
    ),
    Rule(
        "all-machine",
        "everything is a machine's",
        "control",
        "none",
        ALL_EVENTS,
        "SELECT event_row, 'everything' AS reason, TRUE AS knows FROM rule_events",
    ),
    Rule(
        "within-10-s",
        "within 10 s of the delivery",
        "control",
        "10 s",
        ALL_EVENTS,
        f"""
        SELECT
            event_row,
            CASE WHEN delay_us < {10 * SECOND} THEN 'within 10 s' END AS reason,
            delay_us IS NOT NULL AS knows
        FROM rule_events
        """,
    ),
    Rule(
        "data-centre",
        "from the network of a cloud or a hoster",
        "control",
        "by AS number",
        ALL_EVENTS,
        f"""
        SELECT
            e.event_row,
            CASE WHEN {one_of("a.category", DATA_CENTRES)} THEN 'data centre' END AS reason,
            e.address_id IS NOT NULL AS knows
        FROM rule_events AS e
        LEFT JOIN rule_addresses AS a ON e.address_id = a.address_id
        """,
    ),
)
