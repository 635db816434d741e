"""`staged` -> `events`: copies folded, each row with the times of its message, columns as in the schema."""

from __future__ import annotations

import duckdb

from features.readers import times
from features.schema import EVENT_COLUMNS, UNKNOWN_EVENT, event_row

# Words that we do not know stay apart even where their ids agree.
_WORD = f"CASE WHEN s.event_type = '{UNKNOWN_EVENT}' THEN s.event_type_raw ELSE s.event_type END"
# Made on the way; the caller drops them.
TABLES = ("reading_copies", "reading_times", "reading_loose_times")
_PLACE = event_row("s")


def make_events(con: duckdb.DuckDBPyConnection) -> None:
    """Make `events` from `staged`, `reading_files` and, where it exists, `campaigns`.

    Rows with the same event type, event id and message are one event: the first by file and record stays, so
    a context copy never replaces a scored row. sent_at and delivered_at are the row's own, else the earliest
    that the message's rows say, else (sent_at) the campaign's. `folded_copies` says which event each copy became:
    raw_ref, place and event_row, each file and record number in one.
    """
    _find_copies(con)
    _find_times(con)
    campaigns = _exists(con, "campaigns")
    values = {
        "ts_precision": times.precision("s.timestamp"),
        "sent_at": f"coalesce(s.sent_at, t.sent_at, l.sent_at{', g.sent_at' if campaigns else ''})",
        "delivered_at": "coalesce(s.delivered_at, t.delivered_at, l.delivered_at)",
        "dup_count": "s.dup_count + CAST(coalesce(c.n - 1, 0) AS INTEGER)",
        "raw_ref": "coalesce(s.raw_ref, f.name || ':' || s.record)",
    }
    columns = ", ".join(f"CAST({values.get(c.name, f's.{c.name}')} AS {c.type}) AS {c.name}" for c in EVENT_COLUMNS)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE events AS
        SELECT {columns}, f.is_context, s.file_no, s.record
        FROM staged AS s
        JOIN reading_files AS f ON f.file_no = s.file_no
        LEFT JOIN reading_copies AS c
            ON c.event_id = s.event_id AND c.message_id = s.message_id AND c.word = {_WORD}
        LEFT JOIN reading_times AS t
            ON t.message_id = s.message_id AND t.recipient_id = coalesce(s.recipient_id, '')
        LEFT JOIN reading_loose_times AS l ON l.message_id = s.message_id
        {"LEFT JOIN campaigns AS g ON g.campaign_id = s.campaign_id" if campaigns else ""}
        WHERE c.first IS NULL OR c.first = {_PLACE}""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE folded_copies AS
        SELECT coalesce(s.raw_ref, f.name || ':' || s.record) AS raw_ref, {_PLACE} AS place, c.first AS event_row
        FROM staged AS s
        JOIN reading_files AS f ON f.file_no = s.file_no
        JOIN reading_copies AS c
            ON c.event_id = s.event_id AND c.message_id = s.message_id AND c.word = {_WORD}
        WHERE c.first <> {_PLACE}""")


def _find_copies(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE reading_copies AS
        SELECT s.event_id, s.message_id, {_WORD} AS word, min({_PLACE}) AS first, count(*) AS n
        FROM staged AS s GROUP BY ALL HAVING count(*) > 1""")


def _find_times(con: duckdb.DuckDBPyConnection) -> None:
    """Per message and recipient; and per message where some of its rows do not name the recipient."""
    times = """
        min(coalesce(sent_at, CASE WHEN event_type IN ('queued', 'sent') THEN timestamp END)) AS sent_at,
        min(coalesce(delivered_at, CASE WHEN event_type = 'delivered' THEN timestamp END)) AS delivered_at"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE reading_times AS
        SELECT message_id, coalesce(recipient_id, '') AS recipient_id, {times}
        FROM staged GROUP BY ALL HAVING sent_at IS NOT NULL OR delivered_at IS NOT NULL""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE reading_loose_times AS
        SELECT message_id, {times} FROM staged
        WHERE message_id IN (SELECT message_id FROM staged WHERE recipient_id IS NULL) GROUP BY ALL""")


def _exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = con.execute(
        "SELECT 1 FROM duckdb_tables() WHERE table_name = $name UNION ALL"
        " SELECT 1 FROM duckdb_views() WHERE view_name = $name",
        {"name": table},
    ).fetchone()
    return found is not None
