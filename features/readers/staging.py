"""The relation `raw` (see `translation`) -> rows of `staged`: one row a record, values cleaned, nothing folded yet."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from features.readers import distinct, times
from features.readers.distinct import (
    map_addresses,
    map_extras,
    map_ips,
    map_words,
    message_text,
    unless_missing,
    unless_null,
)
from features.readers.identifiers import quote_text
from features.readers.platform import Platform
from features.readers.translation import RawTable
from features.recipient_key import RecipientKey
from features.schema import COLUMN_ALIASES

# Only here the address and agent are a reader's; elsewhere they are the sender's or the receiving server's.
CLIENT_EVENTS = ("opened", "clicked", "unsubscribed", "complained")
_TIMES = ("timestamp", "sent_at", "delivered_at")
# What only our own files say: the rest of a canonical row that was written before.
_OWN = ("event_type_raw", "event_id_origin", "source", "raw_ref", "is_synthetic", "dup_count", "extra")
_IDS = ("message_id", "recipient_id", "campaign_id")
_TEXTS = tuple(name for name in (*COLUMN_ALIASES, *_OWN) if name not in _TIMES)
_TRUE, _FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")

# Made on the way; the caller drops them.
TABLES = ("staged", *distinct.TABLES)
STAGED = """
    file_no INTEGER, record BIGINT, reason VARCHAR, naive BOOLEAN, lost_ip BOOLEAN, lost_sent BOOLEAN,
    lost_delivered BOOLEAN, lost_status BOOLEAN, loose BOOLEAN, event_id VARCHAR, event_id_origin VARCHAR,
    event_type VARCHAR, event_type_raw VARCHAR, timestamp TIMESTAMPTZ, sent_at TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ, campaign_id VARCHAR, message_id VARCHAR, recipient_id VARCHAR,
    recipient_domain VARCHAR, url VARCHAR, link_id VARCHAR, ip VARCHAR, user_agent VARCHAR,
    http_method VARCHAR, http_status SMALLINT, referer VARCHAR, unsubscribe_method VARCHAR,
    platform_machine BOOLEAN, platform_machine_reason VARCHAR, extra VARCHAR, source VARCHAR, raw_ref VARCHAR,
    is_synthetic BOOLEAN, dup_count INTEGER"""

# Without an id of the platform's, two rows are one event only where all of this is equal.
IDENTITY = (
    "event_type",
    "event_type_raw",
    "message_id",
    "recipient_id",
    "recipient_domain",
    "campaign_id",
    "epoch_us(timestamp)",
    "epoch_us(sent_at)",
    "epoch_us(delivered_at)",
    "url",
    "link_id",
    "ip",
    "user_agent",
    "http_method",
    "http_status",
    "referer",
    "unsubscribe_method",
    "platform_machine",
    "platform_machine_reason",
    "extra",
)


@dataclass(frozen=True)
class Rules:
    """What holds for all files of a run: the zone of naive times, None where nobody named one; the addresses' key."""

    zone: str | None
    key: RecipientKey


def stage(con: duckdb.DuckDBPyConnection, raw: RawTable, platform: Platform, rules: Rules) -> int:
    """Append the records of `raw` to `staged`, or to `set_aside` where they cannot be used.

    Gives the number of distinct ids that held an address and were hashed.
    Unknown columns go to `extra`, a JSON object of texts; addresses inside them are replaced by their hashes.
    """
    map_words(con, raw, platform)
    addresses = map_addresses(con, raw, rules.key)
    map_ips(con, raw)
    map_extras(con, raw, rules.key)
    con.execute(_staging(con, raw, platform, rules))
    _set_aside(con, raw)
    return addresses


def _staging(con: duckdb.DuckDBPyConnection, raw: RawTable, platform: Platform, rules: Rules) -> str:
    found, zone = raw.found, rules.zone or platform.zone or "UTC"
    named = [f"{raw.text(found.get(name))} AS {name}" for name in _TEXTS if name not in (*_IDS, "extra")]
    named += [f"{unless_null(raw.text(found.get(name)))} AS {name}" for name in _IDS if name != "message_id"]
    named += [f"{unless_null(message_text(raw))} AS message_id", f"{raw.text(found.get('extra'))} AS own_extra"]
    kinds = {name: raw.types[found[name]] if name in found else "VARCHAR" for name in _TIMES}
    untold = "CAST(NULL AS VARCHAR)"
    for name in _TIMES:
        given = raw.text(found.get(name))
        if name in found and not (raw.clean and kinds[name] == "VARCHAR"):
            given = times.prepared(f"c{found[name]}", kinds[name])
        if name in found:
            written = times.written_dates(con, given, kinds[name], platform.date_order)
            untold = times.untold(given, written) if name == "timestamp" else untold
            # What cannot be told stays as it is, no time, so that it is counted as lost.
            given = f"coalesce({times.as_iso(given, written)}, {given})"
        named.append(f"{given} AS {name}")
    named.append(f"{untold} AS untold")
    named += [f"{raw.text(position)} AS x{position}" for position in raw.unknown]
    instants = [f"{times.instant(f'n.{name}', kinds[name], zone)} AS at_{name}" for name in _TIMES]
    naive = " OR ".join(f"coalesce({times.naive(f'n.{name}', kinds[name])}, FALSE)" for name in _TIMES)
    clients = ", ".join(map(quote_text, CLIENT_EVENTS))
    extra, extra_tables = _extra(con, raw)
    identity = ", ".join(
        f"coalesce(CAST({name} AS VARCHAR), '')"
        for name in (*IDENTITY, *(() if platform.folds else ("file_no", "record")))
    )
    return f"""
        INSERT INTO staged BY NAME
        WITH named AS (SELECT file_no, record, {", ".join(named)} FROM raw),
        read AS (
            SELECT
                n.*,
                {", ".join(instants)},
                {naive if rules.zone is None and platform.zone is None else "FALSE"} AS naive,
                w.word,
                coalesce(w.word IN ({clients}), FALSE) AS by_client,
                i.ip AS client_ip,
                by_client AND i.raw IS NOT NULL AND i.ip IS NULL AS lost_ip,
                coalesce(r.hashed, n.recipient_id) AS recipient,
                coalesce(m.hashed, n.message_id) AS message,
                coalesce(lower(n.recipient_domain), r.domain) AS domain
            FROM named AS n
            LEFT JOIN reading_words AS w ON w.raw = n.event_type
            LEFT JOIN reading_ips AS i ON i.raw = n.ip
            LEFT JOIN reading_addresses AS r ON r.raw = n.recipient_id
            LEFT JOIN reading_addresses AS m ON m.raw = n.message_id
        ),
        cleaned AS (
            SELECT
                file_no,
                record,
                naive,
                untold,
                lost_ip,
                event_id AS given_id,
                word AS event_type,
                coalesce(event_type_raw, event_type) AS event_type_raw,
                {times.sensible("at_timestamp")} AS timestamp,
                {times.sensible("at_sent_at")} AS sent_at,
                {times.sensible("at_delivered_at")} AS delivered_at,
                sent_at IS NOT NULL AND {times.sensible("at_sent_at")} IS NULL AS lost_sent,
                delivered_at IS NOT NULL AND {times.sensible("at_delivered_at")} IS NULL AS lost_delivered,
                campaign_id,
                coalesce(message, md5(coalesce(campaign_id, '') || chr(31) || recipient)) AS message_id,
                message IS NULL AND campaign_id IS NULL AS loose,
                recipient AS recipient_id,
                domain AS recipient_domain,
                {unless_missing("url")} AS url,
                {unless_missing("link_id")} AS link_id,
                CASE WHEN by_client THEN client_ip END AS ip,
                CASE WHEN by_client THEN {unless_missing("user_agent")} END AS user_agent,
                http_method,
                TRY_CAST(http_status AS SMALLINT) AS http_status,
                http_status IS NOT NULL AND TRY_CAST(http_status AS SMALLINT) IS NULL AS lost_status,
                {unless_missing("referer")} AS referer,
                unsubscribe_method,
                {_flag("platform_machine")} AS platform_machine,
                {_reason(raw)} AS platform_machine_reason,
                coalesce(own_extra, {extra}) AS extra,
                coalesce(source, {quote_text(platform.name)}) AS source,
                raw_ref,
                coalesce({_flag("is_synthetic")}, FALSE) AS is_synthetic,
                coalesce(TRY_CAST(dup_count AS INTEGER), 0) AS dup_count,
                event_id_origin AS given_origin
            FROM read{extra_tables}
        )
        SELECT
            * EXCLUDE (given_id, given_origin, untold),
            coalesce(given_id, md5(concat_ws(chr(31), {identity}))) AS event_id,
            coalesce(given_origin, CASE WHEN given_id IS NULL THEN 'derived' ELSE 'vendor' END) AS event_id_origin,
            CASE WHEN event_type_raw IS NULL THEN 'no event type'
                 WHEN untold IS NOT NULL THEN untold
                 WHEN timestamp IS NULL THEN 'timestamp is not a time'
                 WHEN message_id IS NULL THEN 'neither message_id nor recipient_id' END AS reason
        FROM cleaned"""


def _flag(column: str) -> str:
    def among(words: tuple[str, ...]) -> str:
        return f"lower({column}) IN ({', '.join(map(quote_text, words))})"

    return f"CASE WHEN {among(_TRUE)} THEN TRUE WHEN {among(_FALSE)} THEN FALSE END"


def _reason(raw: RawTable) -> str:
    """Give the platform's own reason, else its column and value."""
    if "platform_machine" not in raw.found:
        return "platform_machine_reason"
    column = quote_text(raw.columns[raw.found["platform_machine"]] + "=")
    return f"coalesce(platform_machine_reason, {column} || platform_machine)"


def _extra(con: duckdb.DuckDBPyConnection, raw: RawTable) -> tuple[str, str]:
    """Give the expression of `extra` and the tables that it joins; as little of both as the columns need."""
    unknown = {raw.columns[position]: position for position in raw.unknown}
    if not unknown:
        return "CASE WHEN lost_ip THEN CAST(json_object('ip_raw', ip) AS VARCHAR) END", ""
    values, tables = {"ip_raw": "CASE WHEN lost_ip THEN ip END"}, ""
    hashed = con.execute("SELECT 1 FROM reading_extras LIMIT 1").fetchone() is not None
    for name, position in unknown.items():
        values[name] = f"x{position}"
        if hashed:
            tables += f" LEFT JOIN reading_extras AS h{position} ON h{position}.raw = x{position}"
            values[name] = f"coalesce(h{position}.hashed, x{position})"
    pairs = ", ".join(f"{quote_text(name)}, {values[name]}" for name in sorted(values))
    # Merging into an empty object drops the NULLs.
    return f"nullif(CAST(json_merge_patch('{{}}', json_object({pairs})) AS VARCHAR), '{{}}')", tables


def _set_aside(con: duckdb.DuckDBPyConnection, raw: RawTable) -> None:
    """Rows of this group that cannot be used, with all they said."""
    if con.execute("SELECT 1 FROM staged WHERE reason IS NOT NULL LIMIT 1").fetchone() is None:
        return
    con.execute(f"""
        INSERT INTO set_aside
        SELECT file_no, record, s.reason, {raw.records.written}
        FROM {raw.records.relation} JOIN staged AS s USING (file_no, record) WHERE s.reason IS NOT NULL""")
    con.execute("DELETE FROM staged WHERE reason IS NOT NULL")
