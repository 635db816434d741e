"""What each distinct value of `raw` becomes, worked out once: event words, addresses of clients, ids to hash.

Each `map_…` makes a small table to join: `reading_words` (raw, word), `reading_ips` (raw, ip; NULL where it
is no address), `reading_addresses` (raw, hashed, domain), `reading_extras` (raw, hashed).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import pyarrow as pa

from features import ip_lookup
from features.arrow_columns import strings
from features.readers.columns import folded
from features.readers.identifiers import quote_text
from features.readers.records import RawTable
from features.recipient_key import RecipientKey, address_in, domain_of
from features.schema import EVENT_WORDS, UNKNOWN_EVENT

# Made on the way; the caller drops them.
TABLES = ("reading_words", "reading_ips", "reading_addresses", "reading_extras")
_MISSING = ("-", "n/a", "unknown", "none", "null")


def text(position: int | None) -> str:
    """Give the column as trimmed text, NULL where it is empty or the file does not have it."""
    return "CAST(NULL AS VARCHAR)" if position is None else f"nullif(trim(CAST(c{position} AS VARCHAR)), '')"


def message_text(found: Mapping[str, int]) -> str:
    """Give the message id as text, without the <> of mail headers."""
    value = text(found.get("message_id"))
    return f"nullif(trim({value}, '<> '), '')"


def unless_missing(value: str) -> str:
    """Give the text, NULL where it only spells out that there is none ("-", "N/A", "Unknown", …)."""
    return f"CASE WHEN lower({value}) NOT IN ({', '.join(map(quote_text, _MISSING))}) THEN {value} END"


def unknown_columns(raw: RawTable, found: Mapping[str, int]) -> list[int]:
    """Positions of the columns that serve no canonical name."""
    used = set(found.values())
    return [position for position in range(len(raw.columns)) if position not in used]


def map_words(con: duckdb.DuckDBPyConnection, found: Mapping[str, int]) -> None:
    """Make `reading_words`: the canonical word of each event word, `unknown` for the rest."""
    known = {spelling: word for word, spellings in EVENT_WORDS.items() for spelling in (word, *spellings)}
    words = _distinct(con, text(found["event_type"]))
    _lookup(con, "reading_words", raw=words, word=[known.get(folded(word), UNKNOWN_EVENT) for word in words])


def map_ips(con: duckdb.DuckDBPyConnection, found: Mapping[str, int]) -> None:
    """Make `reading_ips`: the canonical form of each address."""
    ips = _distinct(con, unless_missing(text(found["ip"]))) if "ip" in found else []
    _lookup(con, "reading_ips", raw=ips, ip=ip_lookup.canonical(ips) if ips else [])


def map_addresses(con: duckdb.DuckDBPyConnection, found: Mapping[str, int], key: RecipientKey) -> int:
    """Ids that hold an address, their hashes, and the domains: for recipients and for messages."""
    ids: set[str] = set()
    if "recipient_id" in found:
        ids.update(_distinct(con, text(found["recipient_id"]), "contains(v, '@')"))
    if "message_id" in found:
        ids.update(_distinct(con, message_text(found), "contains(v, '@')"))
    pairs = [(value, address) for value in sorted(ids) if (address := address_in(value)) is not None]
    _lookup(
        con,
        "reading_addresses",
        raw=[value for value, _ in pairs],
        hashed=[key.hash(address) for _, address in pairs],
        domain=[domain_of(address) for _, address in pairs],
    )
    return len(pairs)


def map_extras(con: duckdb.DuckDBPyConnection, raw: RawTable, found: Mapping[str, int], key: RecipientKey) -> None:
    """Make `reading_extras`: texts of unknown columns that hold an address, with it hashed."""
    values: set[str] = set()
    for position in unknown_columns(raw, found):
        values.update(_distinct(con, text(position), "contains(v, '@')"))
    pairs = [(value, hashed) for value in sorted(values) if (hashed := key.hash_within(value)) != value]
    _lookup(con, "reading_extras", raw=[value for value, _ in pairs], hashed=[hashed for _, hashed in pairs])


def _distinct(con: duckdb.DuckDBPyConnection, value: str, where: str = "TRUE") -> list[str]:
    rows = con.execute(f"SELECT DISTINCT {value} AS v FROM raw WHERE v IS NOT NULL AND {where}").fetchall()
    return [str(row[0]) for row in rows]


def _lookup(con: duckdb.DuckDBPyConnection, name: str, **columns: Iterable[str | None]) -> None:
    """Make a small table to join: what one distinct value became."""
    source = pa.table({column: strings(values) for column, values in columns.items()})
    con.register("reading_values", source)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM reading_values")
    con.unregister("reading_values")
