"""The cases of a scored file whose review teaches most, each with what happened to its message before and after.

Labels that the scores speak against come first; then events without a label in the order of
`training.review_suggestion`. Features are not computed again: what cases have in common is told from the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from features.ip_lookup import locate
from features.schema import ENGAGEMENT, event_row
from features.ua_parse import parse_agents
from training.review_suggestion import HALF_MARGIN, most_instructive

# Where a side of a threshold has no event, it is taken to have one of these log odds.
_FAR = 10


@dataclass(frozen=True)
class TimelineEvent:
    """An event of a message as it is shown; texts are as in the file, whatever is in them.

    `after_s` are seconds after `Case.counted_from`. `network` says whose the address is, `agent` in a few words what
    sent the request. `verdict`, `probability` and `reasons` are None for events that nobody judges.
    """

    event_type: str
    time: datetime
    after_s: float
    link: str | None
    address: str | None
    network: str | None
    user_agent: str | None
    agent: str | None
    method: str | None
    verdict: str | None
    probability: float | None
    actor: str | None
    vendor: str | None
    reasons: str | None


@dataclass(frozen=True)
class Case:
    """An event to decide on: the one at `position` of the timeline of its message.

    Its name is `event_id`, or `raw_ref` where the id is not the platform's own or not unique. `similar_events` are
    those that the answer stands for, itself among them. `given` is the label that the scores speak against, None where
    there is no label. Times count from the message's delivery, its sending or its first event: `counted_from`.
    """

    event_id: str | None
    raw_ref: str | None
    campaign_id: str | None
    recipient_domain: str | None
    position: int
    timeline: tuple[TimelineEvent, ...]
    counted_from: str
    similar_events: int
    given: bool | None

    @property
    def event(self) -> TimelineEvent:
        """The event to decide on."""
        return self.timeline[self.position]


def take_decided(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make the temp table `table` (event_row, automated) of the judged events that the table `labels` names."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH judged AS (
            SELECT {event_row("e")} AS event_row, e.event_id, e.raw_ref
            FROM events AS e SEMI JOIN verdicts AS v ON v.event_row = {event_row("e")}
        ),
        named AS (
            SELECT j.event_row, l.automated FROM labels AS l JOIN judged AS j ON l.raw_ref = j.raw_ref
            UNION ALL
            SELECT j.event_row, l.automated FROM labels AS l JOIN judged AS j ON l.event_id = j.event_id
            WHERE l.raw_ref IS NULL
        )
        SELECT event_row, bool_and(automated) AS automated FROM named GROUP BY event_row""")


def choose_cases(con: duckdb.DuckDBPyConnection, most: int) -> tuple[Case, ...]:
    """At most so many cases, the most instructive first, of the tables that `serving.scored_file.read_scored` makes.

    `review_decided` and `review_given` (see `take_decided`) say what has been decided before, which is not asked again
    nor are events like it, and which labels there are.
    """
    _describe(con)
    _choose(con, most)
    return _cases(con)


def _describe(con: duckdb.DuckDBPyConnection) -> None:
    """`review_messages`: the message of each event; `review_candidates`: the judged ones, and what they have in common.

    Thresholds are told from the verdicts: halfway between the events on either side.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE review_messages AS
        SELECT {event_row("e")} AS event_row,
               CASE WHEN e.message_id IS NULL AND e.recipient_id IS NULL THEN hash({event_row("e")})
                    ELSE hash(coalesce(e.message_id, ''), coalesce(e.recipient_id, '')) END AS msg
        FROM events AS e WHERE NOT e.is_context""")
    addresses = con.execute("SELECT DISTINCT ip FROM events WHERE ip IS NOT NULL ORDER BY ip").fetchall()
    con.register("review_addresses", locate([address for (address,) in addresses]))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE review_candidates AS
        WITH judged AS (
            SELECT v.event_row, m.msg, e.event_type, e.recipient_domain, e.recipient_id, e.user_agent, v.verdict,
                   a.net, coalesce(a.operator, a.category) AS operator,
                   ln(greatest(v.probability, 1e-12) / greatest(1 - v.probability, 1e-12)) AS odds
            FROM events AS e
            JOIN verdicts AS v ON v.event_row = {event_row("e")}
            JOIN review_messages AS m ON v.event_row = m.event_row
            LEFT JOIN review_addresses AS a ON e.ip = a.ip
        ),
        thresholds AS (
            SELECT event_type,
                   (coalesce(max(odds) FILTER (verdict = 'human'), -{_FAR})
                    + coalesce(min(odds) FILTER (verdict <> 'human'), {_FAR})) / 2 AS low,
                   (coalesce(max(odds) FILTER (verdict <> 'automated'), -{_FAR})
                    + coalesce(min(odds) FILTER (verdict = 'automated'), {_FAR})) / 2 AS high
            FROM judged GROUP BY event_type
        )
        SELECT j.event_row, j.msg, j.verdict, j.odds,
               pow(2, -greatest(t.low - j.odds, j.odds - t.high, 0) / {HALF_MARGIN}) AS doubt,
               hash((j.event_type, j.operator)) AS stratum,
               hash((j.event_type, j.net, j.user_agent, coalesce(j.recipient_domain, j.recipient_id,
                     CAST(j.msg AS VARCHAR)))) AS alike,
               g.automated AS given, d.event_row IS NOT NULL AS is_decided
        FROM judged AS j
        JOIN thresholds AS t ON j.event_type = t.event_type
        LEFT JOIN review_given AS g ON j.event_row = g.event_row
        LEFT JOIN review_decided AS d ON j.event_row = d.event_row""")


def _choose(con: duckdb.DuckDBPyConnection, most: int) -> None:
    """`review_chosen`: event_row, similar_events, given and place of the cases.

    The order is made of all events and what has been decided is left out of it then: it stays the same from one sitting
    to the next. Contradicted labels are asked one by one, since one of many alike may be the wrong one.
    """
    unlabelled = "SELECT event_row, msg, doubt, stratum, alike FROM review_candidates WHERE given IS NULL"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE review_chosen AS
        WITH contradicted AS (
            SELECT event_row, given, abs(odds) / sqrt(row_number() OVER alike_ones) AS surprise,
                   count(*) OVER (PARTITION BY alike) AS similar_events, is_decided
            FROM review_candidates
            WHERE (given AND verdict = 'human') OR (NOT given AND verdict = 'automated')
            WINDOW alike_ones AS (PARTITION BY alike ORDER BY abs(odds) DESC, event_row)
        ),
        asked AS (
            SELECT event_row, given, similar_events, 0 AS part,
                   row_number() OVER (ORDER BY surprise DESC, event_row) AS place
            FROM contradicted
            WHERE NOT is_decided
            UNION ALL
            SELECT event_row, NULL, similar_events, 1, place
            FROM ({most_instructive(unlabelled)})
            WHERE alike NOT IN (SELECT alike FROM review_candidates WHERE is_decided)
        )
        SELECT event_row, given, similar_events, row_number() OVER (ORDER BY part, place) AS place
        FROM asked
        QUALIFY row_number() OVER (ORDER BY part, place) <= $most
        """,
        {"most": most},
    )


def _cases(con: duckdb.DuckDBPyConnection) -> tuple[Case, ...]:
    rows = _rows(
        con,
        f"""
        WITH names AS (
            SELECT {event_row("e")} AS event_row,
                   coalesce(e.event_id_origin = 'vendor', FALSE)
                   AND count(*) OVER (PARTITION BY e.event_id) = 1 AS by_id
            FROM events AS e
            WHERE e.event_type IN {ENGAGEMENT} AND NOT coalesce(e.is_synthetic, FALSE)
        )
        SELECT c.place, c.given, c.similar_events, c.event_row AS case_row, {event_row("e")} AS event_row,
               CASE WHEN n.by_id THEN e.event_id END AS event_id,
               CASE WHEN NOT coalesce(n.by_id, FALSE) THEN e.raw_ref END AS raw_ref,
               e.campaign_id, e.recipient_domain, e.event_type, e.timestamp, e.ip, e.user_agent, e.http_method,
               coalesce(e.url, e.link_id) AS link, e.sent_at, e.delivered_at,
               v.verdict, v.probability, v.actor, v.vendor, v.reasons,
               coalesce(a.operator, a.as_name) AS owner, coalesce(a.kind, a.category) AS network_kind
        FROM review_chosen AS c
        JOIN review_messages AS m ON c.event_row = m.event_row
        JOIN review_messages AS o ON m.msg = o.msg
        JOIN events AS e ON o.event_row = {event_row("e")}
        LEFT JOIN names AS n ON o.event_row = n.event_row
        LEFT JOIN verdicts AS v ON o.event_row = v.event_row
        LEFT JOIN review_addresses AS a ON e.ip = a.ip
        ORDER BY c.place, e.timestamp NULLS LAST, o.event_row""",
    )
    con.unregister("review_addresses")
    agents = _agents(rows)
    by_place: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_place.setdefault(row["place"], []).append(row)
    return tuple(_case(message, agents) for message in by_place.values())


def _case(message: Sequence[Mapping[str, Any]], agents: Mapping[str, str]) -> Case:
    start, counted_from = _start(message)
    position = next(k for k, row in enumerate(message) if row["event_row"] == row["case_row"])
    case = message[position]
    return Case(
        **{name: case[name] for name in ("event_id", "raw_ref", "campaign_id", "recipient_domain", "given")},
        similar_events=case["similar_events"],
        position=position,
        counted_from=counted_from,
        timeline=tuple(
            TimelineEvent(
                **{name: row[name] for name in ("event_type", "link", "user_agent")},
                **{name: row[name] for name in ("verdict", "probability", "actor", "vendor", "reasons")},
                time=row["timestamp"],
                after_s=(row["timestamp"] - start).total_seconds(),
                address=row["ip"],
                network=_network(row),
                agent=agents.get(row["user_agent"]),
                method=row["http_method"],
            )
            for row in message
        ),
    )


def _start(message: Sequence[Mapping[str, Any]]) -> tuple[datetime, str]:
    """When the message's time begins, and what that is."""
    delivered = [row["timestamp"] for row in message if row["event_type"] == "delivered"]
    delivered = delivered or [row["delivered_at"] for row in message if row["delivered_at"]]
    sent = [row["sent_at"] for row in message if row["sent_at"]]
    if delivered:
        return min(delivered), "delivery"
    return (min(sent), "sending") if sent else (message[0]["timestamp"], "the first event")


def _network(row: Mapping[str, Any]) -> str | None:
    kind = row["network_kind"] and row["network_kind"].replace("_", " ")
    return f"{row['owner']} ({kind})" if row["owner"] and kind else row["owner"] or kind


def _agents(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What each distinct agent is, in a few words."""
    texts = sorted({row["user_agent"] for row in rows if row["user_agent"]})
    return {found["user_agent"]: _agent(found) for found in parse_agents(texts).to_pylist()}


def _agent(found: Mapping[str, Any]) -> str:
    kind = found["kind"].replace("_", " ")
    if found["kind"] not in ("browser", "mail_client"):
        who = found["vendor"] or found["user_agent"].partition("/")[0]
        return f"{kind}: {who}"
    program = kind if found["family"] == "other" else found["family"].replace("_", " ")
    version = "" if found["engine_version"] is None else f" {found['engine_version']}"
    system = "" if found["os"] == "other" else f", {found['os']}"
    return f"{program}{version}{system}"


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
