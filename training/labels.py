"""Labels that nobody had to make: evidence for machines and for people, source by source, and what they disagree on.

An event with evidence of one kind gets a label that names its sources; with evidence of both it is a conflict, and
has none. What a person has reviewed has the last word. All other events stay unlabelled: no evidence is not evidence
for people. Complaints are none either: who reports a mail need not have clicked, and a report sets scanners off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.canonical import write_rows
from features.facts import SECOND
from features.feature import Capability
from features.readers.columns import folded
from features.schema import ENGAGEMENT, UNKNOWN_EVENT, event_row
from training.dataset import match_labels
from training.label_sources import CONVERSION_MINUTES, ECHO_S, HEAD, PERSON_WORDS, SOURCES

REVIEWED = "reviewed"
REVIEWED_WEIGHT = 20.0
JOINED = " + "
_EXAMPLES = 3


@dataclass(frozen=True)
class SourceCount:
    """The events for which one source speaks, by type (opened, clicked, unsubscribed); conflicts are among them."""

    name: str
    automated: bool
    events: Mapping[str, int]


@dataclass(frozen=True)
class Conflict:
    """Events that one source calls a machine's and another a person's: how many, and some by name."""

    machine: str
    person: str
    events: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class LabelSummary:
    """What `label` found. `automated`, `human` and `unlabelled` count the judged events by type.

    `conflicts` are those that stayed without a label; `overruled` counts reviewed events whose evidence says
    otherwise; `notes` say which sources had nothing to work with.
    """

    automated: Mapping[str, int]
    human: Mapping[str, int]
    unlabelled: Mapping[str, int]
    sources: tuple[SourceCount, ...]
    conflicts: tuple[Conflict, ...]
    conflicting_events: int
    overruled: int
    notes: tuple[str, ...]


def defining_features(sources: Iterable[str]) -> frozenset[str]:
    """The features that the sources of these labels are made of; combined names count as each of their parts.

    Sources that are not ours, and those made of nothing that is a feature, add none.

    >>> sorted(defining_features(["honeypot + conversion", "asked by telephone"]))
    ['honeypot', 'honeypot_60s', 'honeypot_message']
    """
    names = {part for name in set(sources) for part in name.split(JOINED)}
    return frozenset(feature for source in SOURCES if source.name in names for feature in source.defining)


def label(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability], *, has_reviewed: bool = False) -> LabelSummary:
    """Label the judged events of the connection: makes the table `made_labels`, a row a label.

    Columns: event_row, event_id or raw_ref (the latter where the id is not the platform's own, or two events share
    it), automated, source, weight. Reads what `features.duckdb_engine` leaves, `events`, `campaigns`, the table
    `conversions` where there is one and, with `has_reviewed`, the reviewed rows in the table `labels`. Also makes
    `label_evidence`: event_row, source, automated, weight; of labelled and conflicting events alike.
    """
    _gather_person_evidence(con, capabilities)
    _vouch(con)
    _gather_evidence(con)
    _take_reviewed(con, has_reviewed)
    _settle(con)
    return _summary(con, capabilities)


def write_labels(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write `made_labels` as Parquet in the order of the events: event_id, raw_ref, automated, source, weight.

    Raises InputError where the file cannot be written.
    """
    rows = "SELECT event_id, raw_ref, automated, source, weight FROM made_labels ORDER BY event_row"
    write_rows(con, rows, path, "FORMAT parquet, COMPRESSION zstd")


def _gather_person_evidence(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> None:
    """`person_evidence`: what only people do, from `conversions` and from events of other types."""
    con.execute("""
        CREATE TEMP TABLE IF NOT EXISTS conversions (
            event_type VARCHAR, timestamp TIMESTAMPTZ, campaign_id VARCHAR, message_id VARCHAR, recipient_id VARCHAR,
            ip VARCHAR, user_agent VARCHAR
        )""")
    columns = "event_type, timestamp, campaign_id, message_id, recipient_id, ip, user_agent"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE person_evidence AS
        SELECT row_number() OVER () AS number, *, CAST(NULL AS VARCHAR) AS kind
        FROM (
            SELECT {columns}, TRUE AS is_given FROM conversions
            UNION ALL
            SELECT event_type_raw, {columns.partition(", ")[2]}, FALSE FROM events
            WHERE event_type = '{UNKNOWN_EVENT}' AND NOT is_synthetic
        )""")
    words = con.execute("SELECT DISTINCT event_type FROM person_evidence WHERE event_type IS NOT NULL").fetchall()
    kinds = {spelling: kind for kind, spellings in PERSON_WORDS.items() for spelling in (folded(kind), *spellings)}
    known = [(word, kind) for (word,) in words if (kind := kinds.get(folded(word)))]
    con.execute("CREATE OR REPLACE TEMP TABLE person_words (word VARCHAR, kind VARCHAR)")
    if known:
        con.executemany("INSERT INTO person_words VALUES (?, ?)", known)
    # A file of conversions holds conversions, whatever its words; what else an export holds is not our business.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE person_evidence AS
        SELECT p.number, epoch_us(p.timestamp) AS us, p.campaign_id, p.message_id, p.recipient_id,
               {"p.ip" if "address" in capabilities else "NULL"} AS ip,
               {"p.user_agent" if "agent" in capabilities else "NULL"} AS user_agent,
               coalesce(w.kind, CASE WHEN p.is_given THEN 'conversion' END) AS kind
        FROM person_evidence AS p
        LEFT JOIN person_words AS w ON w.word = p.event_type
        WHERE w.kind IS NOT NULL OR p.is_given""")
    con.execute("DROP TABLE person_words")


def _vouch(con: duckdb.DuckDBPyConnection) -> None:
    """`vouched_clicks`: event_row and kind of the click that each row of `person_evidence` shows to be a person's."""
    followed = f"""
        SELECT p.number, p.kind, p.ip, p.user_agent, f.event_row, f.us, f.address_id, f.agent_id, a.ip AS seen_ip,
               e.user_agent AS seen_agent
        FROM person_evidence AS p
        JOIN events AS e ON {{same}}
        JOIN facts AS f ON f.event_row = {event_row("e")}
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        WHERE f.kind = 1 AND f.method IS DISTINCT FROM {HEAD}
            AND f.us BETWEEN p.us - {CONVERSION_MINUTES * 60 * SECOND} AND p.us
            AND coalesce(p.campaign_id = e.campaign_id, TRUE)"""
    by_message = followed.format(same="p.message_id = e.message_id")
    by_recipient = followed.format(same="p.message_id IS NULL AND p.recipient_id = e.recipient_id")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE vouched_clicks AS
        WITH before AS (
            {by_message}
            UNION ALL
            {by_recipient}
        ),
        by_client AS (
            SELECT *
            FROM before
            WHERE coalesce(ip = seen_ip, ip IS NULL) AND coalesce(user_agent = seen_agent, user_agent IS NULL)
        )
        SELECT arg_max(event_row, (us, event_row)) AS event_row, any_value(kind) AS kind
        FROM by_client
        GROUP BY number
        HAVING count(DISTINCT (address_id, agent_id)) = 1
            AND (count(coalesce(address_id, agent_id)) = count(*) OR count(*) = 1)
            AND coalesce(max(us, 2)[1] - max(us, 2)[2] >= {ECHO_S * SECOND}, TRUE)
        """)


def _gather_evidence(con: duckdb.DuckDBPyConnection) -> None:
    parts = " UNION ALL ".join(
        f"SELECT s.event_row, s.name AS source, {source.automated} AS automated,"
        f" CAST({source.weight} AS DOUBLE) AS weight, {place} AS place FROM ({source.sql}) AS s"
        for place, source in enumerate(SOURCES)
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE label_evidence AS
        SELECT DISTINCT p.* FROM ({parts}) AS p JOIN features AS x ON p.event_row = x.event_row""")


def _take_reviewed(con: duckdb.DuckDBPyConnection, has_reviewed: bool) -> None:
    if has_reviewed:
        match_labels(con)
    reviewed = "event_labels" if has_reviewed else "(SELECT NULL AS event_row, FALSE AS automated, 0 AS weight LIMIT 0)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE reviewed_events AS
        SELECT CAST(event_row AS BIGINT) AS event_row, automated,
               CAST(coalesce(weight, {REVIEWED_WEIGHT}) AS DOUBLE) AS weight
        FROM {reviewed}""")


def _settle(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE made_labels AS
        WITH named AS (
            SELECT
                {event_row("e")} AS event_row, e.event_id, e.raw_ref,
                e.event_id_origin = 'vendor' AND count(*) OVER (PARTITION BY e.event_id) = 1 AS by_id
            FROM events AS e
            WHERE e.event_type IN {ENGAGEMENT} AND NOT e.is_synthetic
        ),
        agreed AS (
            SELECT event_row, any_value(automated) AS automated,
                   string_agg(source, '{JOINED}' ORDER BY weight DESC, place, source) AS source, max(weight) AS weight
            FROM label_evidence
            GROUP BY event_row
            HAVING bool_and(automated) = bool_or(automated)
        ),
        settled AS (
            SELECT event_row, automated, '{REVIEWED}' AS source, weight FROM reviewed_events
            UNION ALL
            SELECT * FROM agreed ANTI JOIN reviewed_events USING (event_row)
        )
        SELECT s.event_row, CASE WHEN n.by_id THEN n.event_id END AS event_id,
               CASE WHEN NOT n.by_id THEN n.raw_ref END AS raw_ref, s.automated, s.source, s.weight
        FROM settled AS s
        JOIN named AS n ON s.event_row = n.event_row""")


def _summary(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> LabelSummary:
    state: dict[object, dict[str, int]] = {True: {}, False: {}, None: {}}
    for automated, kind, events in con.execute("""
        SELECT l.automated, f.kind, count(*)
        FROM features AS x JOIN facts AS f ON x.event_row = f.event_row
        LEFT JOIN made_labels AS l ON x.event_row = l.event_row
        GROUP BY ALL ORDER BY 2""").fetchall():
        state[automated][ENGAGEMENT[kind]] = events
    counts: dict[tuple[str, bool], dict[str, int]] = {}
    for name, automated, kind, events in con.execute(f"""
        SELECT s.source, s.automated, f.kind, count(*)
        FROM (
            SELECT event_row, source, automated, place FROM label_evidence
            UNION ALL
            SELECT event_row, '{REVIEWED}', automated, {len(SOURCES)} FROM reviewed_events
        ) AS s
        JOIN facts AS f ON s.event_row = f.event_row
        GROUP BY ALL ORDER BY any_value(s.place), s.source, s.automated DESC, f.kind""").fetchall():
        counts.setdefault((name, automated), {})[ENGAGEMENT[kind]] = events
    conflicts = con.execute(f"""
        SELECT m.source, p.source, count(*), list(coalesce(e.raw_ref, e.event_id) ORDER BY m.event_row)[1:{_EXAMPLES}]
        FROM label_evidence AS m
        JOIN label_evidence AS p ON m.event_row = p.event_row AND m.automated AND NOT p.automated
        JOIN events AS e ON m.event_row = {event_row("e")}
        WHERE m.event_row NOT IN (SELECT event_row FROM reviewed_events)
        GROUP BY ALL ORDER BY 3 DESC, 1, 2""").fetchall()
    [(conflicting, overruled)] = con.execute("""
        SELECT
            (SELECT count(*) FROM (
                SELECT event_row FROM label_evidence ANTI JOIN reviewed_events USING (event_row)
                GROUP BY event_row HAVING bool_and(automated) <> bool_or(automated))),
            (SELECT count(DISTINCT r.event_row) FROM reviewed_events AS r
             JOIN label_evidence AS l ON r.event_row = l.event_row AND r.automated <> l.automated)
        """).fetchall()
    return LabelSummary(
        automated=state[True],
        human=state[False],
        unlabelled=state[None],
        sources=tuple(SourceCount(name, automated, events) for (name, automated), events in counts.items()),
        conflicts=tuple(Conflict(m, p, n, tuple(examples)) for m, p, n, examples in conflicts),
        conflicting_events=conflicting,
        overruled=overruled,
        notes=_notes(con, capabilities),
    )


def _notes(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> tuple[str, ...]:
    """Which sources cannot find anything here, and what would help."""
    notes = [f"{source.name}: {_LACKS[lack]}" for source in SOURCES for lack in sorted(source.needs - capabilities)]
    [(hidden, arrivals, flags, given, vouched)] = con.execute("""
        SELECT
            (SELECT count(*) FROM campaigns WHERE honeypot_url IS NOT NULL),
            (SELECT count(*) FROM facts WHERE coalesce(delivered_us, sent_us) IS NOT NULL),
            (SELECT count(*) FROM events WHERE platform_machine IS NOT NULL),
            (SELECT count(*) FROM person_evidence),
            (SELECT count(*) FROM vouched_clicks)
        """).fetchall()
    if not hidden:
        notes.append("honeypot: no campaign has a hidden link; name them in the column honeypot_url of --campaigns")
    if not arrivals:
        notes.append("burst at delivery: neither delivery nor sending times are known; add sent_at to --campaigns")
    if not flags:
        notes.append("platform flag: the platform says nothing about machines")
    if not given:
        notes.append(
            "conversion, login, form submission, reply: there are none, so that nothing speaks for people; give"
            " --conversions or --reviewed"
        )
    elif vouched < given:
        notes.append(
            f"{given - vouched:,} of {given:,} conversions, logins, form submissions and replies follow no click that"
            f" is surely theirs within {CONVERSION_MINUTES} minutes"
        )
    return tuple(notes)


_LACKS: Mapping[Capability, str] = {
    "address": "the events have no client addresses",
    "agent": "the events have no user agents",
    "links": "the clicks name no links",
}
