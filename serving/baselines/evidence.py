"""What the rules may look at: events, addresses and agents of a connection in the shape that their SQL reads."""

from __future__ import annotations

from collections.abc import Set

import duckdb
import numpy as np
import pyarrow as pa

from features.address_key import pack, split_halves
from features.arrow_columns import numbers
from features.feature import Capability
from features.ip_lookup import locate
from features.schema import event_row
from features.ua_parse import parse_agents

# The last is made by the steps of GoCheck.
TABLES: tuple[str, ...] = ("rule_events", "rule_addresses", "rule_agents", "rule_gocheck_kept")


def make_tables(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> None:
    """Make what rules read of the tables `events` and `campaigns`; what is not in `capabilities` counts as not given.

    `rule_events`, a row an open, click or unsubscribe, context too: event_row, is_context, event_type, kind (0, 1, 2),
    us (microseconds since 1970), is_fine (finer than seconds), campaign_id, message and recipient (keys), url and
    campaign_link (keys of the link in the message and over a campaign), hidden (whether it is the hidden link, NULL
    where the campaign has none), n_links (given, else the campaign's distinct links that are clicked), delay_us since
    delivery, else sending, last_open_us before it in the message, ip, address_id, agent_id, agent_given (whether the
    file names agents), no_agent (it does, and this row has none), platform_machine and platform_machine_reason.
    `rule_addresses`: address_id, ip, hi and lo (its halves), asn, as_name, category. `rule_agents`: agent_id,
    user_agent, text (in lower case), kind.
    """
    _make_events(con, capabilities)
    _make_addresses(con)
    _make_agents(con)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE rule_events AS
        SELECT e.*, a.address_id, g.agent_id
        FROM plain_rule_events AS e
        LEFT JOIN rule_addresses AS a ON e.ip = a.ip
        LEFT JOIN rule_agents AS g ON e.user_agent = g.user_agent
        """)
    con.execute("DROP TABLE plain_rule_events")


def drop_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Forget what `make_tables` made."""
    for table in TABLES:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _make_events(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> None:
    def given(capability: Capability, expression: str) -> str:
        return expression if capability in capabilities else "NULL"

    hidden = "e.url = c.honeypot_url OR split_part(e.url, '?', 1) = c.honeypot_url"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE plain_rule_events AS
        WITH engagement AS (
            SELECT
                {event_row("e")} AS event_row,
                e.is_context,
                e.event_type,
                CASE e.event_type WHEN 'opened' THEN 0 WHEN 'clicked' THEN 1 ELSE 2 END AS kind,
                epoch_us(e.timestamp) AS us,
                e.ts_precision <> 's' AS is_fine,
                e.campaign_id,
                hash(e.message_id, e.recipient_id) AS message,
                hash(coalesce(e.recipient_id, e.message_id)) AS recipient,
                CAST({given("links", "coalesce(e.url, e.link_id)")} AS VARCHAR) AS link,
                CAST({given("links", "coalesce(e.link_id, split_part(e.url, '?', 1))")} AS VARCHAR) AS campaign_text,
                CASE WHEN {given("links", "c.honeypot_url")} IS NOT NULL THEN coalesce({hidden}, FALSE) END AS hidden,
                c.n_links AS given_links,
                epoch_us(e.timestamp)
                    - coalesce({given("deliveries", "epoch_us(e.delivered_at)")}, epoch_us(e.sent_at)) AS delay_us,
                CAST({given("address", "e.ip")} AS VARCHAR) AS ip,
                CAST({given("agent", "e.user_agent")} AS VARCHAR) AS user_agent,
                e.platform_machine,
                e.platform_machine_reason
            FROM events AS e
            LEFT JOIN campaigns AS c ON e.campaign_id = c.campaign_id
            WHERE e.event_type IN ('opened', 'clicked', 'unsubscribed') AND NOT e.is_synthetic
        ),
        campaign_links AS (
            SELECT campaign_id, count(DISTINCT campaign_text) AS seen_links
            FROM engagement
            WHERE kind = 1 AND hidden IS NOT TRUE AND campaign_id IS NOT NULL
            GROUP BY 1
        )
        SELECT
            e.* EXCLUDE (link, campaign_text, given_links),
            CASE WHEN e.link IS NOT NULL THEN hash(e.link) END AS url,
            CASE WHEN e.campaign_text IS NOT NULL THEN hash(e.campaign_text) END AS campaign_link,
            coalesce(e.given_links, nullif(k.seen_links, 0)) AS n_links,
            {"TRUE" if "agent" in capabilities else "FALSE"} AS agent_given,
            {"e.user_agent IS NULL" if "agent" in capabilities else "FALSE"} AS no_agent,
            max(e.us) FILTER (e.kind = 0) OVER (
                PARTITION BY e.message
                ORDER BY e.us, e.kind, e.event_row
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS last_open_us
        FROM engagement AS e
        LEFT JOIN campaign_links AS k ON e.campaign_id = k.campaign_id
        """)


def _make_addresses(con: duckdb.DuckDBPyConnection) -> None:
    addresses = _distinct(con, "ip")
    found = locate(addresses)
    hi, lo = split_halves(np.array([pack(address) or bytes(16) for address in addresses], dtype="S16"))
    columns = {
        "address_id": numbers(np.arange(len(addresses), dtype=np.int32)),
        **{name: found[name] for name in ("ip", "asn", "as_name", "category")},
        "hi": numbers(hi),
        "lo": numbers(lo),
    }
    _register(con, "rule_addresses", pa.table(columns), "*")


def _make_agents(con: duckdb.DuckDBPyConnection) -> None:
    agents = parse_agents(_distinct(con, "user_agent")).select(["user_agent", "kind"])
    ids = numbers(np.arange(len(agents), dtype=np.int32))
    _register(con, "rule_agents", agents.append_column("agent_id", ids), "*, lower(user_agent) AS text")


def _distinct(con: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    query = f"SELECT DISTINCT {column} FROM plain_rule_events WHERE {column} IS NOT NULL ORDER BY 1"
    values: list[str] = con.sql(query).to_arrow_table().column(0).to_pylist()
    return values


def _register(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table, columns: str) -> None:
    con.register("looked_up", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM looked_up")
    con.unregister("looked_up")
