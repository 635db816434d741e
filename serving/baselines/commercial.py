"""Rules that sellers of mailing software describe: lemlist, ValueBuilder, CustomerMinds, Paminga, Spotler, Trend.

An event before its delivery passes a limit of seconds since the delivery, as it does there. Where a rule asks for
every link of a mail, a mail must have more than one. Spotler's tenth of a second is left out where times are whole
seconds.
"""

from __future__ import annotations

from serving.baselines.rule import OPENS_AND_CLICKS, SECOND, Rule

_LEMLIST = f"""
    SELECT
        event_row,
        CASE
            WHEN delay_us < {5 * SECOND} THEN 'within 5 s of the delivery'
            WHEN kind = 1 AND us - last_open_us < {9 * SECOND} THEN 'within 9 s of the open'
        END AS reason,
        delay_us IS NOT NULL OR (kind = 1 AND last_open_us IS NOT NULL) AS knows
    FROM rule_events
"""
_VALUEBUILDER = f"""
    WITH seen AS (
        SELECT *, min(us) FILTER (kind = 0) OVER (PARTITION BY message) AS first_open_us FROM rule_events
    )
    SELECT
        event_row,
        CASE
            WHEN delay_us <= {2 * SECOND} THEN 'within 2 s of the delivery'
            WHEN kind = 1 AND us < first_open_us AND first_open_us - us <= {30 * SECOND} THEN 'just before the open'
        END AS reason,
        delay_us IS NOT NULL OR (kind = 1 AND first_open_us IS NOT NULL) AS knows
    FROM seen
"""
_CUSTOMERMINDS = """
    WITH clicks AS (
        SELECT
            event_row,
            n_links,
            row_number() OVER (PARTITION BY message, campaign_link ORDER BY us, event_row) AS pass,
            count(DISTINCT CASE WHEN hidden IS NOT TRUE THEN campaign_link END) OVER (PARTITION BY message) AS links
        FROM rule_events
        WHERE kind = 1 AND campaign_link IS NOT NULL
    )
    SELECT
        event_row,
        CASE WHEN links >= n_links AND links >= 3 AND pass = 1 THEN 'first pass over every link' END AS reason,
        n_links IS NOT NULL AS knows
    FROM clicks
"""
_PAMINGA = f"""
    WITH clicks AS (
        SELECT
            *,
            count(DISTINCT CASE WHEN hidden IS NOT TRUE THEN campaign_link END) OVER (
                PARTITION BY message ORDER BY us RANGE BETWEEN {3 * SECOND} PRECEDING AND CURRENT ROW
            ) AS links
        FROM rule_events
        WHERE kind = 1 AND campaign_link IS NOT NULL
    )
    SELECT
        event_row,
        CASE WHEN n_links > 1 AND max(links) OVER (
            PARTITION BY message ORDER BY us RANGE BETWEEN CURRENT ROW AND {3 * SECOND} FOLLOWING
        ) >= n_links THEN 'every link within 3 s' END AS reason,
        n_links > 1 AS knows
    FROM clicks
"""
_SPOTLER = f"""
    WITH pairs AS (
        SELECT event_row, min(url) OVER near <> max(url) OVER near AS is_quick
        FROM rule_events
        WHERE kind = 1 AND url IS NOT NULL AND is_fine
        WINDOW near AS (
            PARTITION BY message ORDER BY us RANGE BETWEEN {SECOND // 10 - 1} PRECEDING AND {SECOND // 10 - 1} FOLLOWING
        )
    ),
    trapped AS (
        SELECT DISTINCT address_id, coalesce(agent_id, -1) AS agent_id
        FROM rule_events
        WHERE kind = 1 AND hidden AND address_id IS NOT NULL
    )
    SELECT
        e.event_row,
        CASE
            WHEN p.is_quick THEN 'two links within 0.1 s'
            WHEN e.delay_us < 0 THEN 'before the delivery'
            WHEN t.address_id IS NOT NULL THEN 'address and agent clicked the hidden link'
        END AS reason,
        p.event_row IS NOT NULL OR e.delay_us IS NOT NULL OR (e.hidden IS NOT NULL AND e.address_id IS NOT NULL)
            AS knows
    FROM rule_events AS e
    LEFT JOIN pairs AS p ON e.event_row = p.event_row
    LEFT JOIN trapped AS t ON e.address_id = t.address_id AND coalesce(e.agent_id, -1) = t.agent_id
"""
_TREND = f"""
    WITH counted AS (
        SELECT
            *,
            count(*) FILTER (kind = 1) OVER (
                PARTITION BY recipient ORDER BY us RANGE BETWEEN {3 * SECOND} PRECEDING AND CURRENT ROW
            ) AS clicks
        FROM rule_events
    ),
    bursts AS (
        SELECT
            event_row,
            max(clicks) OVER (
                PARTITION BY recipient ORDER BY us RANGE BETWEEN CURRENT ROW AND {3 * SECOND} FOLLOWING
            ) > 3 AS is_burst
        FROM counted
        WHERE kind = 1
    ),
    addresses AS (
        SELECT
            address_id,
            count(DISTINCT recipient) AS recipients,
            coalesce(bool_or(hidden AND kind = 1), FALSE) AS is_trapped
        FROM rule_events
        WHERE address_id IS NOT NULL
        GROUP BY 1
    ),
    agents AS (
        SELECT agent_id, contains(text, 'java') OR contains(text, 'python') AS is_library FROM rule_agents
    )
    SELECT
        e.event_row,
        CASE
            WHEN b.is_burst THEN 'more than 3 clicks within 3 s'
            WHEN a.recipients > 2 THEN 'address of more than 2 recipients'
            WHEN g.is_library THEN 'Java or Python'
            WHEN a.is_trapped THEN 'address clicked the hidden link'
        END AS reason,
        e.kind = 1 OR e.address_id IS NOT NULL OR e.agent_given AS knows
    FROM rule_events AS e
    LEFT JOIN bursts AS b ON e.event_row = b.event_row
    LEFT JOIN addresses AS a ON e.address_id = a.address_id
    LEFT JOIN agents AS g ON e.agent_id = g.agent_id
"""

RULES: tuple[Rule, ...] = (
    Rule(
        "lemlist",
        "within 5 s of the delivery, clicks within 9 s of the open",
        "lemlist",
        "as described",
        OPENS_AND_CLICKS,
        _LEMLIST,
    ),
    Rule(
        "valuebuilder",
        "within 2 s of the delivery, clicks up to 30 s before the first open",
        "ValueBuilder",
        "as described",
        OPENS_AND_CLICKS,
        _VALUEBUILDER,
    ),
    Rule(
        "customerminds",
        "the first pass of who clicks every link, at least 3",
        "CustomerMinds",
        "as described",
        ("clicked",),
        _CUSTOMERMINDS,
    ),
    Rule("paminga", "every link within 3 s", "Paminga", "as described", ("clicked",), _PAMINGA),
    Rule(
        "spotler",
        "two links within 0.1 s, before the delivery, who clicked the hidden link",
        "Spotler",
        "as described",
        OPENS_AND_CLICKS,
        _SPOTLER,
    ),
    Rule(
        "trend",
        "more than 3 clicks within 3 s, shared addresses, Java and Python, who clicked the hidden link",
        "Trend",
        "as described",
        OPENS_AND_CLICKS,
        _TREND,
    ),
)
