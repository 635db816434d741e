"""What the platform itself calls a machine, where it says so: SendGrid's and Mailgun's flags among others."""

from __future__ import annotations

from serving.baselines.rule import ALL_EVENTS, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "platform-flag",
        "the flag in the export",
        "the platform of the export",
        "as exported",
        ALL_EVENTS,
        """
        SELECT
            event_row,
            CASE WHEN platform_machine THEN coalesce(platform_machine_reason, 'flagged') END AS reason,
            platform_machine IS NOT NULL AS knows
        FROM rule_events
        """,
    ),
)
