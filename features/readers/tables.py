"""The small tables beside the events: labels and campaigns, in the same containers as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from features.errors import InputError
from features.readers import json_scan, set_aside, times
from features.readers.columns import listed, missing, resolve
from features.readers.container import detect, find_files
from features.readers.distinct import map_addresses, map_ips, message_text, unless_missing, unless_null
from features.readers.envelopes import unwrap
from features.readers.identifiers import drop, quote_text
from features.readers.options import ReadOptions
from features.readers.platform import Path as FieldPath
from features.readers.platform import Platform
from features.readers.records import InputFile, loaded, read_together
from features.readers.translation import RawTable, Records, translate
from features.recipient_key import RecipientKey
from features.schema import (
    CAMPAIGN_ALIASES,
    CAMPAIGN_COLUMNS,
    COLUMN_ALIASES,
    CONVERSION_COLUMNS,
    DOMAIN_ALIASES,
    DOMAIN_COLUMNS,
    LABEL_ALIASES,
    LABEL_COLUMNS,
    Column,
    event_row,
)

_AUTOMATED = ("true", "t", "1", "1.0", "yes", "y", "automated", "bot", "machine")
_HUMAN = ("false", "f", "0", "0.0", "no", "n", "human", "person")
_NAMES = ("event_id", "raw_ref")
# The column that tells a file of rows to review from other labels: rows left empty there are no mistake.
REVIEW_MARK = "similar_events"
# When a person decided. A file to review that has it is appended to, and may have several labels of one event.
_REVIEWED_AT = Column("reviewed_at", "TIMESTAMPTZ", True, "NULL for labels of other kinds")
_READ_LABEL_ALIASES = {**LABEL_ALIASES, _REVIEWED_AT.name: ("when",)}
_REVIEW_ID = "regexp_replace({}, '^''([=+@\\-\uff1d\uff0b\uff0d\uff20])', '\\1')"
_SHOWN = 5


def read_labels(
    con: duckdb.DuckDBPyConnection, paths: str | Path | Sequence[str | Path], *, may_be_none: bool = False
) -> int:
    """Make the temp table `labels` (`schema.LABEL_COLUMNS`), one row an event; how many there are.

    A label names its event by `raw_ref`, file and record number; where that is empty or not given, by `event_id`.
    Of the two only the one that counts is kept. Equal labels of one event are one. Rows of a file to review that
    nobody filled in are no labels; the temp table `unfilled_labels` then has their number. What a person decided at a
    known time overrules all other labels of the event, and the last such decision those before it; one that is empty
    takes them back. A decision that was cut off while it was written is none; `torn_labels` has the number of these.
    Raises InputError where a value is neither automated nor human, a label names no event, an event is labelled both
    ways, a column is missing, or there are no labels unless there `may_be_none`.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    _make(con, "labels_read", (*LABEL_COLUMNS, _REVIEWED_AT, Column("place", "BIGINT", False, "in the files")))
    for table in ("unfilled_labels", "torn_labels"):
        drop(con, table)
    for file, raw, found in _groups(con, paths, _READ_LABEL_ALIASES, (_NAMES, ("automated",))):
        automated = f"lower({raw.text(found['automated'])})"
        accepted = f"{automated} IN ({_listed(_AUTOMATED + _HUMAN)})"
        event_id, raw_ref, weight = (raw.text(found.get(name)) for name in (*_NAMES, "weight"))
        is_filled, is_kept, reviewed_at = "TRUE", "TRUE", "NULL"
        if REVIEW_MARK in raw.columns:
            is_filled = f"{automated} IS NOT NULL"
            reviewed_at = f"TRY_CAST({raw.text(found.get(_REVIEWED_AT.name))} AS TIMESTAMPTZ)"
            is_kept = f"({is_filled} OR {reviewed_at} IS NOT NULL)"
            # The file has an apostrophe before what a spreadsheet would take for a formula.
            event_id, raw_ref = (_REVIEW_ID.format(name) for name in (event_id, raw_ref))
            con.execute("CREATE TEMP TABLE IF NOT EXISTS unfilled_labels (rows BIGINT)")
            con.execute(f"INSERT INTO unfilled_labels SELECT count(*) FROM raw WHERE NOT ({is_kept})")
        name = f"coalesce({raw_ref}, {event_id})"
        _refuse(
            con,
            file,
            f"{is_filled} AND NOT coalesce({accepted}, FALSE)",
            raw.text(found["automated"]),
            f"column {raw.columns[found['automated']]!r} must say true or false, bot or human, 1 or 0",
        )
        _refuse(con, file, f"{name} IS NULL", name, "every label names its event; fill event_id or raw_ref")
        _refuse(
            con,
            file,
            f"{weight} IS NOT NULL AND NOT coalesce(TRY_CAST({weight} AS DOUBLE) >= 0, FALSE)",
            weight,
            "weight must be a number, 0 or more",
        )
        con.execute(f"""
            INSERT INTO labels_read
            SELECT CASE WHEN {raw_ref} IS NULL THEN {event_id} END, {raw_ref},
                   {automated} IN ({_listed(_AUTOMATED)}), {raw.text(found.get("actor"))},
                   {raw.text(found.get("source"))}, TRY_CAST({weight} AS DOUBLE), {reviewed_at}, {event_row("raw")}
            FROM raw WHERE {is_kept}""")
    _let_reviews_overrule(con)
    _refuse_contradictions(con)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE labels AS
        SELECT event_id, raw_ref, any_value(automated) AS automated, min(actor) AS actor, min(source) AS source,
               max(weight) AS weight
        FROM labels_read GROUP BY event_id, raw_ref""")
    con.execute("DROP TABLE temp.labels_read")
    return _count(con, "labels", paths, fewest=0 if may_be_none else 1)


def read_campaigns(con: duckdb.DuckDBPyConnection, path: str | Path | None, options: ReadOptions | None = None) -> int:
    """Make the temp table `campaigns` (`schema.CAMPAIGN_COLUMNS`), empty without `path`; their number.

    Of `options` the zone counts. Raises InputError where a campaign stands twice, a time or number is none, a
    column is missing, or there are no campaigns.
    """
    con.execute("SET TimeZone = 'UTC'")
    _make(con, "campaigns", CAMPAIGN_COLUMNS)
    if path is None:
        return 0
    zone = times.check_zone(con, options.tz if options else None)
    for file, raw, found in _groups(con, [path], CAMPAIGN_ALIASES, (("campaign_id",),)):
        campaign_id, links = raw.text(found["campaign_id"]), raw.text(found.get("n_links"))
        sent, sent_at = raw.text(found.get("sent_at")), "CAST(NULL AS TIMESTAMPTZ)"
        written = times.WrittenDates()
        if "sent_at" in found:
            kind = raw.types[found["sent_at"]]
            given = times.prepared(f"c{found['sent_at']}", kind)
            written = times.written_dates(con, given, kind)
            sent_at = times.sensible(times.instant(times.as_iso(given, written), kind, zone))
        number = f"TRY_CAST(TRY_CAST({links} AS DOUBLE) AS INTEGER)"
        _refuse(con, file, f"{campaign_id} IS NULL", campaign_id, "every campaign has an id; fill campaign_id")
        if written.problem:
            advice = f"sent_at: {written.problem}; {set_aside.ADVICE[written.problem]}"
            _refuse(con, file, f"{times.untold(sent, written)} IS NOT NULL", sent, advice)
        _refuse(
            con,
            file,
            f"{sent} IS NOT NULL AND {sent_at} IS NULL",
            sent,
            "sent_at must be a time such as 2026-03-01T09:00:00Z",
        )
        _refuse(
            con,
            file,
            f"{links} IS NOT NULL AND NOT coalesce({number} >= 0, FALSE)",
            links,
            "n_links must be a whole number, 0 or more",
        )
        con.execute(f"""
            INSERT INTO campaigns
            SELECT {campaign_id}, {sent_at}, {number}, {raw.text(found.get("honeypot_url"))},
                   {raw.text(found.get("unsubscribe_url"))}
            FROM raw""")
    _refuse_twins(con, path)
    return _count(con, "campaigns", [path])


def read_conversions(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str | Path],
    options: ReadOptions | None = None,
    *,
    recipient_key: RecipientKey | None = None,
) -> int:
    """Make the temp table `conversions` (`schema.CONVERSION_COLUMNS`) of what people did after a click; their number.

    Of `options` the zone counts. Recipients' addresses are hashed as those of events are; without `recipient_key`
    they match none of them. Raises InputError where a time is none, a row names neither message nor recipient, a
    column is missing, or there are no rows.
    """
    con.execute("SET TimeZone = 'UTC'")
    key = recipient_key or RecipientKey.throwaway()
    zone = times.check_zone(con, options.tz if options else None)
    _make(con, "conversions", CONVERSION_COLUMNS)
    aliases = {column.name: COLUMN_ALIASES[column.name] for column in CONVERSION_COLUMNS}
    needed = (("timestamp",), ("message_id", "recipient_id"))
    for file, raw, found in _groups(con, list(paths), aliases, needed):
        kind = raw.types[found["timestamp"]]
        given = times.prepared(f"c{found['timestamp']}", kind)
        written = times.written_dates(con, given, kind)
        at = times.sensible(times.instant(times.as_iso(given, written), kind, zone))
        shown = f"CAST({given} AS VARCHAR)"
        _refuse(con, file, f"{at} IS NULL", shown, "timestamp must be a time such as 2026-03-01T09:00:00Z")
        message, recipient = unless_null(message_text(raw)), unless_null(raw.text(found.get("recipient_id")))
        name = f"coalesce({message}, {recipient})"
        _refuse(con, file, f"{name} IS NULL", name, "every row names its mail; fill message_id or recipient_id")
        map_addresses(con, raw, key)
        map_ips(con, raw)
        con.execute(f"""
            INSERT INTO conversions
            SELECT {raw.text(found.get("event_type"))}, {at}, {raw.text(found.get("campaign_id"))},
                   coalesce(m.hashed, {message}), coalesce(r.hashed, {recipient}), i.ip,
                   {unless_missing(raw.text(found.get("user_agent")))}
            FROM raw
            LEFT JOIN reading_addresses AS m ON m.raw = {message}
            LEFT JOIN reading_addresses AS r ON r.raw = {recipient}
            LEFT JOIN reading_ips AS i ON i.raw = {raw.text(found.get("ip"))}""")
        for table in ("reading_addresses", "reading_ips"):
            drop(con, table)
    return _count(con, "conversions", paths)


def read_domains(con: duckdb.DuckDBPyConnection, path: str | Path | None) -> int:
    """Make the temp table `domains` (`schema.DOMAIN_COLUMNS`), one row a domain, empty without `path`; their number.

    A domain may have a row for each of its mail exchangers, or all of them in one. Raises InputError where a row names
    no domain or an address instead of one, a column is missing, or there are no domains.
    """
    _make(con, "domains", DOMAIN_COLUMNS)
    if path is None:
        return 0
    _make(con, "domains_read", (*DOMAIN_COLUMNS, Column("place", "BIGINT", False, "in the file")))
    for file, raw, found in _groups(con, [path], DOMAIN_ALIASES, (("recipient_domain",), ("mx",))):
        domain = f"nullif(rtrim(lower(trim({raw.text(found['recipient_domain'])})), '.'), '')"
        _refuse(con, file, f"{domain} IS NULL", domain, "every row names a domain; fill recipient_domain")
        _refuse(
            con,
            file,
            f"contains({domain}, '@')",
            domain,
            "recipient_domain is what stands after the @ of an address; leave the rest out",
        )
        con.execute(f"""
            INSERT INTO domains_read
            SELECT {domain}, nullif(lower(trim({raw.text(found["mx"])})), ''), {event_row("raw")}
            FROM raw""")
    con.execute("""
        INSERT INTO domains
        SELECT recipient_domain, string_agg(mx, ' ' ORDER BY place) FROM domains_read GROUP BY recipient_domain""")
    con.execute("DROP TABLE temp.domains_read")
    return _count(con, "domains", [path])


@contextmanager
def _reading(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> Iterator[None]:
    """Keep the tables that `records` and `set_aside` fill, for the time of the block."""
    set_aside.make_set_aside(con)
    con.execute("CREATE OR REPLACE TEMP TABLE reading_files (file_no INTEGER, name VARCHAR)")
    con.executemany("INSERT INTO reading_files VALUES (?, ?)", [(file.number, file.name) for file in files])
    con.execute("CREATE OR REPLACE TEMP TABLE reading_controls (file_no INTEGER, reason VARCHAR, records BIGINT)")
    try:
        yield
    finally:
        for table in ("reading_files", "reading_controls", "set_aside"):
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _groups(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str | Path],
    aliases: Mapping[str, Sequence[str]],
    needed: Sequence[Sequence[str]],
) -> Iterator[tuple[InputFile, RawTable, Mapping[str, int]]]:
    """`raw` of each group of files, with its columns found; InputError where a row cannot be read at all."""
    files = [
        InputFile(number, path, path.name, form)
        for number, path in enumerate(find_files(paths), start=1)
        if (form := detect(path)) is not None
    ]
    if not files:
        raise InputError(f"{paths[0]}: is empty; name a file with a header and rows")
    with _reading(con, files):
        for group in read_together(con, files):
            with loaded(con, group) as opened:
                records = _with_keys(con, opened) if opened.json else opened
                found = resolve(records.columns, aliases)
                for names in needed:
                    if not found.keys() & set(names):
                        raise missing(group[0].name, records.columns, names, aliases, can_map=False)
                if _REVIEWED_AT.name in found and REVIEW_MARK in records.columns:
                    _forgive_torn(con)
                set_aside.check(con, 0, set_aside.reasons(con))
                columns = {name: FieldPath((records.columns[k],)) for name, k in found.items()}
                raw = translate(con, records, Platform("table", "", (), columns), [file.number for file in group])
                yield group[0], raw, raw.found


def _with_keys(con: duckdb.DuckDBPyConnection, records: Records) -> Records:
    unwrap(con, ())
    rows = con.execute("SELECT DISTINCT unnest(keys) AS key FROM raw_shapes ORDER BY key").fetchall()
    names = tuple(str(key) for (key,) in rows)
    return Records(records.relation, names, ("VARCHAR",) * len(names), json=True)


def _refuse(con: duckdb.DuckDBPyConnection, file: InputFile, condition: str, value: str, expected: str) -> None:
    row = con.execute(f"""
        SELECT f.name, record, {value} FROM raw JOIN reading_files AS f USING (file_no)
        WHERE {condition} ORDER BY file_no, record LIMIT 1""").fetchone()
    if row is not None:
        found = "an empty value" if row[2] is None else repr(row[2])
        raise InputError(f"{row[0]}: record {row[1]} has {found}; {expected}")


def _forgive_torn(con: duckdb.DuckDBPyConnection) -> None:
    """Count records that a crash cut off while they were appended: they were never whole, and nothing is lost."""
    con.execute("CREATE TEMP TABLE IF NOT EXISTS torn_labels (rows BIGINT)")
    con.execute(f"INSERT INTO torn_labels SELECT count(*) FROM set_aside WHERE reason = '{json_scan.CUT_OFF}'")
    con.execute(f"DELETE FROM set_aside WHERE reason = '{json_scan.CUT_OFF}'")


def _let_reviews_overrule(con: duckdb.DuckDBPyConnection) -> None:
    """Leave the last decision of a person on each event, in place of all labels it has, and nothing of empty ones."""
    name = "coalesce('record ' || {0}.raw_ref, 'id ' || {0}.event_id)"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE labels_read AS
        WITH last_reviews AS (
            SELECT *
            FROM labels_read
            WHERE reviewed_at IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY event_id, raw_ref ORDER BY reviewed_at DESC, place DESC) = 1
        ),
        reviews AS (
            SELECT * FROM last_reviews WHERE automated IS NOT NULL
        )
        SELECT * FROM reviews
        UNION ALL
        SELECT l.*
        FROM labels_read AS l
        ANTI JOIN reviews AS r ON {name.format("l")} = {name.format("r")}
        WHERE l.reviewed_at IS NULL""")


def _refuse_contradictions(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT coalesce(raw_ref, event_id) FROM labels_read GROUP BY event_id, raw_ref"
        " HAVING min(automated) <> max(automated) ORDER BY 1"
    ).fetchall()
    if rows:
        ids = [str(row[0]) for row in rows]
        raise InputError(
            f"labels: {len(ids)} events are labelled both automated and human: {listed(ids[:_SHOWN])}; "
            "keep one label an event"
        )


def _refuse_twins(con: duckdb.DuckDBPyConnection, path: str | Path) -> None:
    rows = con.execute(
        "SELECT campaign_id FROM campaigns GROUP BY campaign_id HAVING count(*) > 1 ORDER BY campaign_id"
    ).fetchall()
    if rows:
        ids = [str(row[0]) for row in rows]
        raise InputError(f"{path}: {len(ids)} campaigns stand twice: {listed(ids[:_SHOWN])}; keep one row a campaign")


def _make(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column]) -> None:
    declared = ", ".join(f"{column.name} {column.type}" for column in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({declared})")


def _count(con: duckdb.DuckDBPyConnection, table: str, paths: Sequence[str | Path], fewest: int = 1) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    if row is None or row[0] < fewest:
        raise InputError(f"{paths[0]}: holds no {table}; name a file with one row each")
    return int(row[0])


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(quote_text, words))
