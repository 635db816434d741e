"""The narrow tables that every feature starts from: one row an opened, clicked or unsubscribed event, keys as integers.

`engagement` turns strings into 64-bit keys and times into microseconds; `facts` adds what is known of the address,
the agent and the campaign. Capabilities that are switched off become NULL here, so that a file without addresses and
a file whose addresses are ignored give the same features.
"""

from __future__ import annotations

from collections.abc import Set

from features.feature import Capability, Stage
from features.schema import event_row

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
# The window contract: message features see this far back and this far ahead.
LOOK_BACK = 7 * DAY
LOOK_AHEAD = HOUR


def _key(expression: str) -> str:
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE xxhash64({expression}) END"


def _micros(column: str, coarse: bool) -> str:
    micros = f"unix_micros({column})"
    return f"CAST(floor({micros} / {SECOND}.0) AS BIGINT) * {SECOND}" if coarse else micros


def stages(capabilities: Set[Capability], *, coarse_times: bool = False) -> tuple[Stage, ...]:
    """The two first stages, for these capabilities; `coarse_times` cuts all times to whole seconds."""

    def given(capability: Capability, expression: str, kind: str) -> str:
        return expression if capability in capabilities else f"CAST(NULL AS {kind})"

    honeypot = given(
        "links",
        """CASE WHEN c.honeypot_url IS NOT NULL AND e.url IS NOT NULL
                THEN CAST(e.url = c.honeypot_url OR split_part(e.url, '?', 1) = c.honeypot_url AS INTEGER) END""",
        "INTEGER",
    )
    unsubscribe_link = given(
        "links",
        """(e.url = c.unsubscribe_url
                OR split_part(e.url, '?', 1) = c.unsubscribe_url
                OR lower(e.url) LIKE '%unsubscri%'
                OR lower(e.url) LIKE '%optout%'
                OR lower(e.url) LIKE '%opt-out%')""",
        "BOOLEAN",
    )
    engagement = f"""
        SELECT
            {event_row("e")} AS event_row,
            e.is_context,
            {_micros("e.timestamp", coarse_times)} AS us,
            CASE e.event_type WHEN 'opened' THEN 0 WHEN 'clicked' THEN 1 ELSE 2 END AS kind,
            xxhash64(concat_ws(' ', coalesce(e.message_id, ''), coalesce(e.recipient_id, ''))) AS msg,
            {_key("e.recipient_id")} AS rcpt,
            {given("domains", _key("e.recipient_domain"), "BIGINT")} AS dom,
            {_key("e.campaign_id")} AS camp,
            {given("links", _key("coalesce(e.link_id, e.url)"), "BIGINT")} AS link,
            {given("links", _key("coalesce(e.link_id, split_part(e.url, '?', 1))"), "BIGINT")} AS campaign_link,
            {given("links", "TRY_CAST(e.link_id AS INTEGER)", "INTEGER")} AS link_position,
            {given("address", "e.ip", "VARCHAR(64)")} AS ip,
            {given("agent", "e.user_agent", "VARCHAR(65535)")} AS user_agent,
            {given("deliveries", _micros("e.delivered_at", coarse_times), "BIGINT")} AS delivered_us,
            {_micros("e.sent_at", coarse_times)} AS sent_us,
            {given("method", "upper(e.http_method)", "VARCHAR(16)")} AS method,
            c.n_links,
            {honeypot} AS honeypot,
            CASE WHEN e.event_type = 'unsubscribed' OR {unsubscribe_link} THEN 1 ELSE 0 END AS unsubscribe
        FROM events AS e
        LEFT JOIN campaigns AS c ON e.campaign_id = c.campaign_id
        WHERE e.event_type IN ('opened', 'clicked', 'unsubscribed') AND NOT e.is_synthetic
    """
    facts = f"""
        SELECT
            e.event_row,
            e.is_context,
            e.us,
            CAST(floor(e.us / {HOUR}.0) AS BIGINT) AS utc_hour,
            e.kind,
            e.msg,
            e.rcpt,
            e.dom,
            e.camp,
            e.link,
            e.campaign_link,
            e.link_position,
            e.n_links,
            e.honeypot,
            e.unsubscribe,
            CASE e.method WHEN 'GET' THEN 0 WHEN 'HEAD' THEN 1 WHEN 'POST' THEN 2 END AS method,
            CASE WHEN e.us - e.delivered_us BETWEEN -{LOOK_AHEAD} AND {LOOK_BACK}
                THEN e.delivered_us END AS delivered_us,
            CASE WHEN e.us - e.sent_us BETWEEN -{LOOK_AHEAD} AND {LOOK_BACK} THEN e.sent_us END AS sent_us,
            a.address_id,
            a.net,
            a.rank AS network_rank,
            g.agent_id
        FROM engagement AS e
        LEFT JOIN addresses AS a ON e.ip = a.ip
        LEFT JOIN agents AS g ON e.user_agent = g.user_agent
    """
    return Stage("engagement", engagement), Stage("facts", facts)
