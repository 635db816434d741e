"""The rules that are in use today, to be measured beside a model: one module a system, each rule an SQL of its own.

Each rule is written again from what its makers say of it, with their limits and their order; what event files cannot
tell, as reverse DNS, is left out, and the module says so. `evidence` makes the tables that the rules read.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from serving.baselines import (
    commercial,
    controls,
    gocheck,
    honeypot,
    keila,
    marketo,
    mautic,
    millionsend,
    notifuse,
    odoo,
    platform_flag,
    score70,
    twenty,
    velocity,
    warmbly,
)
from serving.baselines.evidence import drop_tables, make_tables
from serving.baselines.rule import Rule, one_of

__all__ = ["RULES", "Rule", "drop_tables", "make_tables", "verdicts"]

RULES: tuple[Rule, ...] = (
    *gocheck.RULES,
    *warmbly.RULES,
    *mautic.RULES,
    *notifuse.RULES,
    *keila.RULES,
    *odoo.RULES,
    *millionsend.RULES,
    *twenty.RULES,
    *score70.RULES,
    *velocity.RULES,
    *marketo.RULES,
    *commercial.RULES,
    *honeypot.RULES,
    *platform_flag.RULES,
    *controls.RULES,
)


def verdicts(con: duckdb.DuckDBPyConnection, rule: Rule) -> pa.Table:
    """What the rule says of each open, click and unsubscribe that is not context, by ascending event_row.

    machine: NULL where the rule abstains, because it does not look at such events or the row has nothing of what it
    looks at. reason: why it calls the event a machine's, else NULL. Needs the tables of `make_tables`.
    """
    if rule.steps:
        rule.steps(con)
    return con.sql(f"""
        SELECT
            e.event_row,
            CASE WHEN r.reason IS NOT NULL THEN TRUE WHEN r.knows THEN FALSE END AS machine,
            r.reason
        FROM rule_events AS e
        LEFT JOIN ({rule.sql}) AS r ON e.event_row = r.event_row AND {one_of("e.event_type", rule.judges)}
        WHERE NOT e.is_context
        ORDER BY e.event_row
        """).to_arrow_table()
