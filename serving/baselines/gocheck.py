"""GoCheck: points of each recipient and address in a campaign, for network, timing and agent; below 40 is a machine.

Its verdict on a group is that of all the group's opens and clicks. Packaged AS names and categories stand for its web
look-up of addresses, and the categories for those words of security firms and clouds that are not known. Left out are
its list of allowed countries (one country as delivered, all of them here: event files tell no country), its whitelist
of addresses, which fills over months and is empty at the start, and the points that a VPN gets back where it has 50
already, which change no verdict.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from features.arrow_columns import numbers, to_array
from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule, contains_any, one_of

AGENT_WORDS: tuple[str, ...] = (
    "bot", "crawler", "spider", "scan", "check", "monitor", "validation", "test", "probe", "fetch",
)  # fmt: skip
SECURITY_WORDS: tuple[str, ...] = (
    "security", "protection", "safe", "guard", "threat", "sandbox", "analyzer", "scanner",
)  # fmt: skip
CLOUD_WORDS: tuple[str, ...] = ("google", "microsoft", "amazon", "cloudflare", "akamai", "ovh")
HOSTING_WORDS: tuple[str, ...] = ("datacenter", "hosting", "server")
SECURITY_CATEGORIES: tuple[str, ...] = ("mail_security", "security_vendor", "security_proxy")
CLOUD_CATEGORIES: tuple[str, ...] = ("cloud", "cloud_mailbox", "cdn", "cdn_relay")


def _drop_repeats(con: duckdb.DuckDBPyConnection) -> None:
    """Make `rule_gocheck_kept` (event_row): what is left of each group without repeats of a kind within two seconds.

    A repeat is measured from the last event that was kept, so that one pass over the events must find them.
    """
    ordered = con.sql("""
        SELECT event_row, hash(campaign_id, recipient, ip) AS visitor, kind, us
        FROM rule_events
        WHERE kind < 2
        ORDER BY visitor, us, kind, event_row
        """).to_arrow_table()
    rows = to_array(ordered["event_row"])
    kept = np.ones(len(rows), dtype=bool)
    columns = (to_array(ordered[name]).tolist() for name in ("visitor", "kind", "us"))
    last: tuple[int, int, int] = (-1, -1, 0)
    for position, (visitor, kind, us) in enumerate(zip(*columns, strict=True)):
        if visitor == last[0] and kind == last[1] and 0 < us - last[2] < 2 * SECOND:
            kept[position] = False
        else:
            last = (visitor, kind, us)
    con.register("gocheck_rows", pa.table({"event_row": numbers(rows[kept])}))
    con.execute("CREATE OR REPLACE TEMP TABLE rule_gocheck_kept AS SELECT * FROM gocheck_rows")
    con.unregister("gocheck_rows")


_SQL = f"""
    WITH agents AS (
        SELECT
            agent_id,
            CASE
                WHEN {contains_any(AGENT_WORDS)} THEN 80
                WHEN {contains_any(SECURITY_WORDS)} THEN 70
                WHEN starts_with(text, 'mozilla/') OR starts_with(text, 'opera/') OR kind = 'mail_client' THEN 0
                ELSE 25
            END AS penalty
        FROM rule_agents
    ),
    named AS (
        SELECT address_id, category, coalesce(lower(as_name), '') AS org FROM rule_addresses
    ),
    addresses AS (
        SELECT
            address_id,
            CASE
                WHEN {one_of("category", SECURITY_CATEGORIES)} THEN 'security_scanner'
                WHEN {one_of("category", CLOUD_CATEGORIES)} OR {contains_any(CLOUD_WORDS, "org")} THEN 'cloud'
                WHEN category = 'hosting' OR {contains_any(HOSTING_WORDS, "org")} THEN 'datacenter'
                WHEN category = 'vpn' OR {contains_any(("vpn", "proxy"), "org")} THEN 'vpn'
                WHEN org = '' THEN 'unknown'
                ELSE 'other'
            END AS class
        FROM named
    ),
    groups AS (
        SELECT *, hash(campaign_id, recipient, ip) AS visitor FROM rule_events WHERE kind < 2
    ),
    events AS (
        SELECT
            e.*,
            row_number() OVER ordered AS position,
            lag(e.kind) OVER ordered AS kind_before,
            e.us - lag(e.us) OVER ordered AS gap_us,
            e.us - max(e.us) FILTER (e.kind = 0) OVER (
                PARTITION BY e.visitor
                ORDER BY e.us, e.kind, e.event_row
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS since_open_us
        FROM groups AS e
        JOIN rule_gocheck_kept AS k ON e.event_row = k.event_row
        WINDOW ordered AS (PARTITION BY e.visitor ORDER BY e.us, e.kind, e.event_row)
    ),
    visitors AS (
        SELECT
            e.visitor,
            any_value(e.address_id) AS address_id,
            coalesce(arg_min(a.penalty, e.position) FILTER (a.penalty IS NOT NULL), 25) AS agent_penalty,
            bool_or(e.kind = 1) AS has_click,
            bool_or(e.address_id IS NOT NULL OR e.agent_given OR e.delay_us IS NOT NULL) AS is_known,
            max(CASE
                WHEN e.kind = 1 AND e.since_open_us < {SECOND} THEN 95
                WHEN e.position = 1 AND e.kind = 0 AND e.delay_us < {2 * SECOND} THEN 95
                WHEN e.kind = 1 AND e.kind_before = 1 AND e.gap_us < {SECOND} THEN 90
                WHEN e.kind = 0 AND e.kind_before = 0 AND e.gap_us < {2 * SECOND} THEN 80
                WHEN e.position = 1 AND e.kind = 0 AND e.delay_us < {10 * SECOND} THEN 70
                WHEN e.kind = 1 AND e.since_open_us < {3 * SECOND} THEN 40
                WHEN e.kind = 1 AND e.kind_before = 1 AND e.gap_us < {5 * SECOND} THEN 20
                WHEN e.position = 1 AND e.delay_us IS NULL THEN 10
                ELSE 0
            END) AS event_penalty,
            -- The gaps between the opens add up to the time from the first to the last.
            CASE WHEN count(*) FILTER (e.kind = 0) > 3
                    AND (max(e.us) FILTER (e.kind = 0) - min(e.us) FILTER (e.kind = 0))
                        < {5 * SECOND} * (count(*) FILTER (e.kind = 0) - 1)
                THEN 50 ELSE 0 END AS opens_penalty
        FROM events AS e
        LEFT JOIN agents AS a ON e.agent_id = a.agent_id
        GROUP BY 1
    ),
    timed AS (
        SELECT
            v.*,
            coalesce(a.class, 'unknown') AS class,
            greatest(v.event_penalty, v.opens_penalty) AS timing_penalty
        FROM visitors AS v
        LEFT JOIN addresses AS a ON v.address_id = a.address_id
    ),
    pointed AS (
        SELECT
            *,
            100
                - CASE class
                    WHEN 'security_scanner' THEN 95
                    WHEN 'cloud' THEN 80
                    WHEN 'datacenter' THEN 75
                    WHEN 'vpn' THEN 40
                    WHEN 'unknown' THEN 30
                    ELSE 0
                END
                - timing_penalty
                - agent_penalty
                + CASE WHEN has_click THEN 10 ELSE 0 END AS points
        FROM timed
    ),
    verdicts AS (
        SELECT
            visitor,
            is_known,
            CASE
                WHEN timing_penalty >= 50 THEN 'timing'
                WHEN class IN ('security_scanner', 'cloud') THEN class
                WHEN is_known AND points < 40 THEN 'score ' || points
            END AS reason
        FROM pointed
    )
    SELECT g.event_row, v.reason, v.is_known AS knows
    FROM groups AS g
    JOIN verdicts AS v ON g.visitor = v.visitor
"""

RULES: tuple[Rule, ...] = (
    Rule(
        "gocheck",
        "points for network, timing and agent of a recipient and address",
        "GoCheck",
        "all countries, empty whitelist, packaged AS names",
        OPENS_AND_CLICKS,
        _SQL,
        _drop_repeats,
    ),
)
