"""What wraps events on their way to a file: arrays of a request's body, notifications, pages of an API.

`unwrap` takes it off until every record of `raw_lines` is one event, or something that no envelope is known for.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from features.readers.identifiers import drop, pointer, quote_text, record_text
from features.readers.platform import Envelope, Path, Platform, filled

# Envelopes lie in envelopes: a queue's message holds a notification that holds an event.
_DEEPEST = 5
# DuckDB parses 2,048 records at once, however long they are: pages longer than this, on average, are given to it in
# parts of so many bytes.
_LONG = 2**15
_PARSED = 8 * 2**20
# Those of carriers, which wrap any platform's events. Amazon's are described in the guides of SNS ("Message and JSON
# formats"), EventBridge ("event structure"), SQS ("ReceiveMessage") and Lambda ("Using Lambda with SNS, SQS").
CARRIERS: tuple[Envelope, ...] = (
    Envelope(("Type", "MessageId", "TopicArn", "Message"), "Message", empty="a notification without an event"),
    Envelope(("detail-type", "detail", "source"), "detail"),
    Envelope(("Records",), "Records"),
    Envelope(("EventSource", "Sns"), "Sns"),
    Envelope(("messageId", "receiptHandle", "body"), "body"),
    Envelope(("Messages",), "Messages"),
    Envelope(("MessageId", "ReceiptHandle", "Body"), "Body"),
)


def unwrap(con: duckdb.DuckDBPyConnection, platforms: Sequence[Platform]) -> None:
    """Take the envelopes of carriers and platforms off the records of `raw_lines`; makes `raw_shapes`.

    `raw_shapes` has file_no, keys (of objects; NULL where a record is no object), records, and the first
    record of each. The records of a file that was unwrapped are numbered anew, in order. Values that are no
    objects go to `set_aside`, envelopes without anything inside are counted in `reading_controls`.
    """
    envelopes = [*CARRIERS, *(envelope for platform in platforms for envelope in platform.envelopes)]
    for _ in range(_DEEPEST):
        _find_shapes(con)
        if not _take_off(con, envelopes):
            break
    _set_aside(con)


def _find_shapes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE raw_shapes
            (file_no INTEGER, keys VARCHAR[], list_first BOOLEAN, records BIGINT, first BIGINT)""")
    parts = _parts(con)
    for part in parts:
        con.execute(f"""
            INSERT INTO raw_shapes
            SELECT file_no, keys, list_first, count(*) AS records, min(record) AS first
            FROM (
                SELECT file_no, record, starts_with(line, '[') AS list_first,
                       CASE WHEN starts_with(line, '{{') THEN TRY(json_keys(line)) END AS keys
                FROM {part}
            ) GROUP BY ALL""")
    if len(parts) > 1:
        con.execute("""
            CREATE OR REPLACE TEMP TABLE raw_shapes AS
            SELECT file_no, keys, list_first, CAST(sum(records) AS BIGINT) AS records, min(first) AS first
            FROM raw_shapes GROUP BY ALL""")


def _parts(con: duckdb.DuckDBPyConnection) -> list[str]:
    """`raw_lines` in one part, or in several that follow each other where its records are long."""
    count, size = con.execute("SELECT count(*), coalesce(sum(strlen(line)), 0) FROM raw_lines").fetchall()[0]
    if size <= count * _LONG:
        return ["raw_lines"]
    step = max(1, count * _PARSED // size)
    return [f"(SELECT * FROM raw_lines LIMIT {step} OFFSET {first})" for first in range(0, count, step)]


def _take_off(con: duckdb.DuckDBPyConnection, envelopes: Sequence[Envelope]) -> bool:
    """One layer off every record that has one; whether there was any."""
    shapes = con.execute("SELECT DISTINCT keys, list_first FROM raw_shapes").fetchall()
    present = [set(keys) for keys, _ in shapes if keys is not None]
    found = [envelope for envelope in envelopes if any(_fits(envelope, keys) for keys in present)]
    if not found and not any(list_first for _, list_first in shapes):
        return False
    # Where every record is in the same envelope, none needs to be asked.
    all_fit = len(found) == 1 and len(present) == len(shapes) and all(_fits(found[0], keys) for keys in present)
    fitting = [(envelope, "TRUE" if all_fit else _has(envelope)) for envelope in found]
    inside = " ".join(f"WHEN {fits} THEN {_inside(envelope)}" for envelope, fits in fitting)
    empty = " ".join(f"WHEN {fits} THEN {quote_text(envelope.empty)}" for envelope, fits in fitting)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE raw_opened
            (file_no INTEGER, record BIGINT, opened BOOLEAN, control VARCHAR, line VARCHAR)""")
    for part in _parts(con):
        con.execute(f"INSERT INTO raw_opened {_opening(part, inside, empty)}")
    opened = con.execute("SELECT DISTINCT file_no FROM raw_opened WHERE opened").fetchall()
    if opened:
        con.execute("""
            INSERT INTO reading_controls
            SELECT file_no, control, count(*) FROM raw_opened WHERE control IS NOT NULL GROUP BY ALL""")
        _renumber(con, [int(number) for (number,) in opened])
    con.execute("DROP TABLE IF EXISTS raw_opened")
    return bool(opened)


def _opening(part: str, inside: str, empty: str) -> str:
    """SELECT a row for each value inside, the record itself where nothing opens it, and one where nothing is inside."""
    return f"""
        SELECT file_no, record, opened, control, {record_text("part")} AS line
        FROM (
            SELECT file_no, record, inner_texts IS NOT NULL AS opened,
                   CASE WHEN len(inner_texts) = 0
                        THEN CASE WHEN list_first THEN 'an empty list' {empty} END END AS control,
                   unnest(CASE WHEN inner_texts IS NULL THEN [line]
                               WHEN len(inner_texts) = 0 THEN [NULL] ELSE inner_texts END) AS part
            FROM (
                SELECT *, CAST(CASE WHEN list_first THEN TRY(json_extract(line, '$[*]')) {inside} END
                               AS VARCHAR[]) AS inner_texts
                FROM (
                    SELECT *, starts_with(line, '[') AS list_first,
                           CASE WHEN starts_with(line, '{{') THEN TRY(json_keys(line)) END AS keys
                    FROM {part}
                )
            )
        )"""


def _renumber(con: duckdb.DuckDBPyConnection, opened: Sequence[int]) -> None:
    """`raw_lines` of what was inside. A table keeps the order of its rows, so a file's records follow each other."""
    if con.execute("SELECT 1 FROM raw_opened WHERE control IS NOT NULL LIMIT 1").fetchone():
        con.execute("""
            CREATE OR REPLACE TEMP TABLE raw_opened AS
            SELECT file_no, record, line FROM raw_opened WHERE control IS NULL""")
    for name in ("raw_lines", "raw_parts", "raw_text"):
        drop(con, name)
    con.execute("ALTER TABLE raw_opened RENAME TO raw_parts")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE raw_numbers AS
        SELECT file_no, min(rowid) AS first, file_no IN ({", ".join(map(str, opened))}) AS anew
        FROM raw_parts GROUP BY file_no""")
    con.execute("""
        CREATE TEMP VIEW raw_lines AS
        SELECT file_no, CASE WHEN f.anew THEN p.rowid - f.first + 1 ELSE p.record END AS record, p.line
        FROM raw_parts AS p JOIN raw_numbers AS f USING (file_no)""")


def _fits(envelope: Envelope, keys: set[str]) -> bool:
    return keys == set(envelope.keys) if envelope.only else keys >= set(envelope.keys)


def _has(envelope: Envelope) -> str:
    number = f" AND len(keys) = {len(envelope.keys)}" if envelope.only else ""
    return f"list_has_all(keys, [{', '.join(map(quote_text, envelope.keys))}]){number}"


def _inside(envelope: Envelope) -> str:
    """The list of texts inside: the elements of a list, the object, or the object that a text holds."""
    *above, last = parts = Path.of(envelope.inside).parts
    if last == "*":
        return f"json_extract(line, {quote_text(_query(above) + '.*')})"
    at, text = quote_text(pointer(parts)), _text(Path(parts))
    pairs = ", ".join(f"{quote_text(key)}, {filled(template, _text)}" for key, template in envelope.added.items())
    elements = f"""
        CASE json_type(line, {at})
            WHEN 'ARRAY' THEN json_extract(line, {quote_text(_query(parts) + "[*]")})
            WHEN 'OBJECT' THEN [json_extract(line, {at})]
            WHEN 'VARCHAR' THEN CASE WHEN regexp_matches({text}, '^[[:space:]]*[{{[]') AND TRY(json_valid({text}))
                THEN [CAST({text} AS JSON)] ELSE [] END
            ELSE [] END"""
    return f"list_transform({elements}, lambda e: json_merge_patch(e, json_object({pairs})))" if pairs else elements


def _query(parts: Sequence[str]) -> str:
    return "$" + "".join(f'."{part}"' for part in parts)


def _text(path: Path) -> str:
    return f"json_extract_string(line, {quote_text(pointer(path.parts))})"


def _set_aside(con: duckdb.DuckDBPyConnection) -> None:
    if con.execute("SELECT 1 FROM raw_shapes WHERE keys IS NULL LIMIT 1").fetchone() is None:
        return
    bad = "NOT starts_with(line, '{') OR TRY(json_keys(line)) IS NULL"
    con.execute(f"""
        INSERT INTO set_aside
        SELECT file_no, record, CASE WHEN TRY(json_valid(line)) THEN 'not a JSON object' ELSE 'not valid JSON' END, line
        FROM raw_lines WHERE {bad}""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE raw_objects AS SELECT * FROM raw_lines WHERE NOT ({bad})")
    for name in ("raw_lines", "raw_parts"):
        drop(con, name)
    con.execute("ALTER TABLE raw_objects RENAME TO raw_lines")
    con.execute("DELETE FROM raw_shapes WHERE keys IS NULL")
