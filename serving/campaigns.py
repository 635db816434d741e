"""What a campaign's figures become without machines: unique opens, clicks and unsubscribes, raw and by people."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from features.schema import event_row

# A message counts as clicked by a person with the highest probability that one of its clicks was a person's.
_FIGURES = f"""
    WITH judged AS (
        SELECT
            coalesce(e.campaign_id, '') AS campaign_id, f.msg, f.kind,
            max(1 - v.probability) AS human,
            max(CASE WHEN v.verdict = 'human' THEN 1 ELSE 0 END) AS surely_human,
            max(CASE WHEN v.verdict = 'unsure' THEN 1 ELSE 0 END) AS unsure
        FROM verdicts AS v
        JOIN facts AS f ON v.event_row = f.event_row
        JOIN events AS e ON v.event_row = {event_row("e")}
        GROUP BY 1, 2, 3
    ),
    delivered AS (
        SELECT coalesce(campaign_id, '') AS campaign_id,
            count(DISTINCT (message_id, recipient_id)) FILTER (WHERE event_type = 'delivered') AS delivered,
            count(DISTINCT (message_id, recipient_id)) AS messages
        FROM events
        WHERE NOT is_context
        GROUP BY 1
    )
    SELECT
        d.campaign_id,
        CASE WHEN d.delivered > 0 THEN d.delivered END AS delivered,
        d.messages,
        count(*) FILTER (WHERE kind = 0) AS opens,
        coalesce(sum(human) FILTER (WHERE kind = 0), 0) AS human_opens,
        count(*) FILTER (WHERE kind = 1) AS clicks,
        coalesce(sum(human) FILTER (WHERE kind = 1), 0) AS human_clicks,
        count(*) FILTER (WHERE kind = 1 AND unsure = 1 AND surely_human = 0) AS unsure_clicks,
        count(*) FILTER (WHERE kind = 2) AS unsubscribes,
        coalesce(sum(human) FILTER (WHERE kind = 2), 0) AS human_unsubscribes
    FROM delivered AS d
    LEFT JOIN judged AS j ON d.campaign_id = j.campaign_id
    GROUP BY ALL
    ORDER BY d.campaign_id
"""


def campaign_figures(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row a campaign, from the tables that `serving.scoring.score` leaves on the connection.

    Opens, clicks and unsubscribes are unique (messages with at least one); `human_…` is the expected number of those
    made by a person; `unsure_clicks` messages whose only hope of a person is an unsure click. `delivered` is NULL
    where no delivery is in the file. Events without a campaign are the campaign ''.
    """
    return con.sql(_FIGURES).to_arrow_table()


def machine_shares(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Events called automated by actor, vendor and type: actor, vendor (NULL unknown), opens, clicks, unsubscribes."""
    return con.sql(
        """
        SELECT
            v.actor,
            v.vendor,
            count(*) FILTER (WHERE f.kind = 0) AS opens,
            count(*) FILTER (WHERE f.kind = 1) AS clicks,
            count(*) FILTER (WHERE f.kind = 2) AS unsubscribes
        FROM verdicts AS v
        JOIN facts AS f ON v.event_row = f.event_row
        WHERE v.verdict = 'automated'
        GROUP BY 1, 2
        ORDER BY clicks DESC, opens DESC, 1, 2
        """
    ).to_arrow_table()
