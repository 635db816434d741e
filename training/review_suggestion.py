"""The rows whose review would help a model most, as a file to fill in.

Of the events without a label those count most that the model is unsure of, or that have evidence of both kinds, and
that have many like them: of the same network, agent, recipient domain and type, so that one answer stands for all.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from features.feature import Capability
from features.files import replacing_file
from features.formula import defused
from features.readers.tables import REVIEW_MARK
from features.recipient_key import RecipientKey
from features.schema import ENGAGEMENT, event_row
from serving.model import BotClickModel
from training.labels import REVIEWED, REVIEWED_WEIGHT

# A margin so far from every threshold halves what a row is worth.
HALF_MARGIN = 1.0
REVIEW_COLUMNS: tuple[str, ...] = (
    *("event_id", "raw_ref", "automated", "source", "weight", "event_type", "timestamp", "campaign_id"),
    *("recipient_id", "recipient_domain", "url", "user_agent", "network", "after_delivery_s", "probability"),
    *("verdict", "reasons", "evidence", REVIEW_MARK),
)
_NAMES = ("event_id", "raw_ref")  # by which the labels are read back


@dataclass(frozen=True)
class Suggestion:
    """How many rows are suggested, and how many events without a label are like one of them."""

    rows: int
    similar_events: int


def suggest(
    con: duckdb.DuckDBPyConnection, model: BotClickModel, capabilities: Set[Capability], number: int
) -> Suggestion:
    """Choose up to `number` events to review: makes the table `review_rows` of event_row, similar_events and place.

    Reads what `serving.scoring.score` with this model and `training.labels.label` leave. Of one message at most one
    event is chosen, and of events alike (network, agent, recipient domain, type) the one the model is least sure of.
    Events of a type and network operator come the later the more of these are chosen already.
    """
    doubt = _doubt(model, capabilities)
    candidates = f"""
        SELECT
            v.event_row, f.msg,
            CASE WHEN v.event_row IN (SELECT event_row FROM label_evidence) THEN 1 ELSE {doubt} END AS doubt,
            hash((f.kind, coalesce(a.operator, a.category))) AS stratum,
            hash((f.kind, f.net, f.agent_id, coalesce(f.dom, f.rcpt, f.msg))) AS alike
        FROM verdicts AS v
        JOIN facts AS f ON v.event_row = f.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        WHERE v.event_row NOT IN (SELECT event_row FROM made_labels)"""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE review_rows AS
        SELECT event_row, similar_events, place FROM ({most_instructive(candidates)}) WHERE place <= $number
        """,
        {"number": number},
    )
    [(rows, similar)] = con.execute("SELECT count(*), coalesce(sum(similar_events), 0) FROM review_rows").fetchall()
    return Suggestion(rows, int(similar))


def most_instructive(candidates: str) -> str:
    """SQL of the order in which events teach most: event_row, alike, similar_events, and place from 1 on.

    `candidates` is SQL of event_row, msg, doubt (0 to 1), stratum and alike: equal for events that one answer stands
    for. Of these, and of those of one message, one is chosen; those of a stratum come the later the more are before.
    """
    return f"""
        WITH candidates AS (
            {candidates}
        ),
        clusters AS (
            SELECT alike, arg_max(event_row, (doubt, -event_row)) AS event_row, any_value(stratum) AS stratum,
                   arg_max(msg, (doubt, -event_row)) AS msg, count(*) AS similar_events,
                   max(doubt) * ln(1 + sum(doubt)) AS worth
            FROM candidates
            GROUP BY alike
        ),
        one_a_message AS (
            SELECT *
            FROM clusters
            QUALIFY row_number() OVER (PARTITION BY msg ORDER BY worth DESC, event_row) = 1
        ),
        spread AS (
            SELECT *, worth / sqrt(row_number() OVER (PARTITION BY stratum ORDER BY worth DESC, event_row)) AS claim
            FROM one_a_message
        )
        SELECT event_row, alike, similar_events, row_number() OVER (ORDER BY claim DESC, event_row) AS place
        FROM spread"""


def _doubt(model: BotClickModel, capabilities: Set[Capability]) -> str:
    """SQL from 1 between the thresholds of an event's type down to 0 far from both."""
    odds = "ln(greatest(v.probability, 1e-12) / greatest(1 - v.probability, 1e-12))"
    cases = []
    for kind, event_type in enumerate(ENGAGEMENT):
        at = model.thresholds_for(event_type, capabilities)
        low, high = (f"ln({p!r} / greatest(1 - {p!r}, 1e-12))" for p in (at.human, at.automated))
        cases.append(f"WHEN f.kind = {kind} THEN greatest({low} - {odds}, {odds} - {high}, 0)")
    return f"pow(2, -(CASE {' '.join(cases)} END) / {HALF_MARGIN})"


def has_decisions(path: Path) -> bool:
    """Whether there is a file of rows to review where somebody has filled in something."""
    if not path.is_file():
        return False
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return any((row.get("automated") or "").strip() for row in csv.DictReader(file))


def write_review(con: duckdb.DuckDBPyConnection, path: Path, key: RecipientKey) -> None:
    """Write `review_rows` as CSV (`REVIEW_COLUMNS`), the most helpful row first, `automated` for a person to fill in.

    Email addresses are hashed with `key`, inside links too; text that a spreadsheet would run as a formula gets an
    apostrophe before it. An id of digits alone, which a spreadsheet would round, gives way to file and record. Raises
    InputError where the file cannot be written.
    """
    rows = con.execute(f"""
        WITH evidence AS (
            SELECT event_row, string_agg(source || CASE WHEN automated THEN ': machine' ELSE ': person' END, ', '
                   ORDER BY place, source) AS words
            FROM label_evidence GROUP BY event_row
        ),
        named AS (
            SELECT *, {event_row("n")} AS event_row,
                   event_id_origin = 'vendor' AND NOT regexp_full_match(event_id, '[0-9.eE+]+')
                   AND count(*) OVER (PARTITION BY event_id) = 1 AS by_id
            FROM events AS n
            WHERE event_type IN {ENGAGEMENT} AND NOT is_synthetic
        )
        SELECT
            CASE WHEN e.by_id THEN e.event_id END, CASE WHEN NOT e.by_id THEN e.raw_ref END, NULL,
            '{REVIEWED}', {REVIEWED_WEIGHT}, e.event_type, strftime(e.timestamp, '%Y-%m-%dT%H:%M:%SZ'), e.campaign_id,
            e.recipient_id, e.recipient_domain, e.url, e.user_agent, coalesce(a.operator, a.as_name),
            round((f.us - coalesce(f.delivered_us, f.sent_us)) / 1e6, 1), round(v.probability, 4), v.verdict,
            v.reasons, w.words, r.similar_events
        FROM review_rows AS r
        JOIN named AS e ON r.event_row = e.event_row
        JOIN facts AS f ON r.event_row = f.event_row
        JOIN verdicts AS v ON r.event_row = v.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN evidence AS w ON r.event_row = w.event_row
        ORDER BY r.place""").fetchall()
    with replacing_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, REVIEW_COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(_cells(dict(zip(REVIEW_COLUMNS, row, strict=True)), key))


def _cells(row: Mapping[str, Any], key: RecipientKey) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in row.items():
        if not isinstance(value, str):
            cells[name] = value
            continue
        text = value if name in _NAMES else key.hash_within(value)
        cells[name] = defused(text)
    return cells
