"""Declarations -> the staged query: the named steps in order, the last of them the feature table.

Aliases that a feature's SQL may use: `f` facts, `m` message_times, `c` message_clicks, `b` message_bursts,
`l` link_times, `v` network_visits, `w` agent_visits, `a` addresses, `g` agents, `n` newest_versions,
`k` campaign_links, `p` link_sightings, and `address_t`, `network_t`, `agent_t`, `domain_t`, `recipient_t` for
the trailing sums.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from features import clicks, facts, network, population, timing, useragent
from features.feature import Capability, Feature, Stage


def stages(
    features: Sequence[Feature], capabilities: Set[Capability], *, coarse_times: bool = False
) -> tuple[Stage, ...]:
    """The steps that end in the table `features`: event_row and one FLOAT column a feature, in the order given.

    A feature that needs a capability not in `capabilities` is NULL in every row.
    """
    return (
        *facts.stages(capabilities, coarse_times=coarse_times),
        *timing.STAGES,
        *clicks.STAGES,
        *network.STAGES,
        *useragent.STAGES,
        *population.STAGES,
        _feature_table(features, capabilities),
    )


def _feature_table(features: Sequence[Feature], capabilities: Set[Capability]) -> Stage:
    columns = ",\n            ".join(
        f"CAST({feature.sql if feature.needs <= capabilities else 'NULL'} AS FLOAT) AS {feature.name}"
        for feature in features
    )
    trailing = "\n        ".join(
        f"LEFT JOIN {group.name}_trailing AS {group.name}_t"
        f" ON f.{group.key} = {group.name}_t.{group.key} AND f.utc_hour = {group.name}_t.utc_hour"
        for group in population.GROUPS
    )
    return Stage(
        "features",
        f"""
        SELECT
            f.event_row,
            {columns}
        FROM facts AS f
        JOIN message_times AS m ON f.event_row = m.event_row
        JOIN message_clicks AS c ON f.event_row = c.event_row
        JOIN message_bursts AS b ON f.event_row = b.event_row
        LEFT JOIN link_times AS l ON f.event_row = l.event_row
        LEFT JOIN network_visits AS v ON f.event_row = v.event_row
        LEFT JOIN agent_visits AS w ON f.event_row = w.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN agents AS g ON f.agent_id = g.agent_id
        LEFT JOIN newest_versions AS n ON g.engine_code = n.engine_code AND f.utc_hour = n.utc_hour
        LEFT JOIN campaign_links AS k ON f.camp = k.camp AND f.utc_hour = k.utc_hour
        LEFT JOIN link_sightings AS p
            ON f.camp = p.camp AND f.campaign_link = p.campaign_link AND f.utc_hour = p.utc_hour
        {trailing}
        WHERE NOT f.is_context
        """,
    )
