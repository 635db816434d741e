"""What the platform itself calls a machine, beside our verdicts: agreement both ways, never a feature."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from features.schema import event_row


@dataclass(frozen=True)
class Agreement:
    """One flag of a platform on one kind of event, and what our verdicts say of both its answers.

    `machine` and `not_machine` are events that the platform flags and does not; of each, how many we call automated
    and how many human. The rest is unsure.
    """

    flag: str
    event_type: str
    machine: int
    machine_automated: int
    machine_human: int
    not_machine: int
    not_machine_automated: int
    not_machine_human: int


def agreement(con: duckdb.DuckDBPyConnection) -> list[Agreement]:
    """The agreement of every flag that the scored events carry, by kind of event; none where no platform says.

    A flag is named after the platform's field; events for which the platform says nothing are left out.
    """
    rows = con.execute(f"""
        SELECT coalesce(split_part(e.platform_machine_reason, '=', 1), e.source) AS flag, e.event_type,
               count(*) FILTER (e.platform_machine),
               count(*) FILTER (e.platform_machine AND v.verdict = 'automated'),
               count(*) FILTER (e.platform_machine AND v.verdict = 'human'),
               count(*) FILTER (NOT e.platform_machine),
               count(*) FILTER (NOT e.platform_machine AND v.verdict = 'automated'),
               count(*) FILTER (NOT e.platform_machine AND v.verdict = 'human')
        FROM events AS e
        JOIN verdicts AS v ON v.event_row = {event_row("e")}
        WHERE e.platform_machine IS NOT NULL
        GROUP BY ALL ORDER BY flag, e.event_type""").fetchall()
    return [Agreement(*row) for row in rows]
