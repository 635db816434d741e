"""What each distinct value of `raw` becomes, worked out once: event words, addresses of clients, ids to hash.

Each `map_…` makes a small table to join: `reading_words` (raw, word), `reading_ips` (raw, ip; NULL where it
is no address), `reading_addresses` (raw, hashed, domain), `reading_extras` (raw, hashed).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

import duckdb
import pyarrow as pa

from features import ip_lookup
from features.arrow_columns import strings
from features.readers.columns import folded
from features.readers.identifiers import quote_text
from features.readers.platform import Platform
from features.readers.shared_address import PRIVATE
from features.readers.translation import RawTable
from features.recipient_key import RecipientKey, address_in, domain_of
from features.schema import EVENT_WORDS, UNKNOWN_EVENT

Columns = Mapping[str, Sequence[str | None]]

# Made on the way; the caller drops them.
TABLES = ("reading_words", "reading_ips", "reading_addresses", "reading_extras")
# So many values are worked out at a time: their texts lie in memory twice.
_TOGETHER = 100_000
_HOLDS_ADDRESS = "contains(v, '@')"
# An IPv4 address without zeros in front: spelt as it should be.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IS_IPV4 = f"regexp_full_match(v, '(?:{_OCTET}\\.){{3}}{_OCTET}')"
# How databases and data frames write NULL, and how people do.
_NULLS = ("\\N", "NULL", "null", "nan", "NaN", "<NA>")
_MISSING = ("-", "n/a", "unknown", "none", "(none)", "(null)", "undefined", *dict.fromkeys(map(str.lower, _NULLS)))


def message_text(raw: RawTable) -> str:
    """Give the message id as text, without the <> of mail headers."""
    value = raw.text(raw.found.get("message_id"))
    return f"CASE WHEN regexp_matches({value}, '[<>]') THEN nullif(trim({value}, '<> '), '') ELSE {value} END"


def unless_missing(value: str) -> str:
    """Give the text, NULL where it only spells out that there is none ("-", "N/A", "Unknown", …)."""
    return f"CASE WHEN lower({value}) NOT IN ({', '.join(map(quote_text, _MISSING))}) THEN {value} END"


def unless_null(value: str) -> str:
    """Give the text, NULL where it is a database's way to write that: for ids, of which "unknown" may be one."""
    return f"CASE WHEN {value} NOT IN ({', '.join(map(quote_text, _NULLS))}) THEN {value} END"


def map_words(con: duckdb.DuckDBPyConnection, raw: RawTable, platform: Platform) -> None:
    """Make `reading_words`: the canonical word of each event word, the platform's own first, else `unknown`."""
    known = {spelling: word for word, spellings in EVENT_WORDS.items() for spelling in (word, *spellings)}
    known |= {folded(spelling): word for spelling, word in platform.words.items()}

    def of(words: Sequence[str]) -> Columns:
        return {"raw": words, "word": [known.get(folded(word), UNKNOWN_EVENT) for word in words]}

    _map(con, "reading_words", [_values(raw.text(raw.found.get("event_type")))], of)


def map_ips(con: duckdb.DuckDBPyConnection, raw: RawTable) -> None:
    """Make `reading_ips`: the canonical form of each address."""

    def of(ips: Sequence[str]) -> Columns:
        return {"raw": ips, "ip": ip_lookup.canonical([_client_in(ip) for ip in ips]) if ips else []}

    _map(con, "reading_ips", [_values(unless_missing(raw.text(raw.found.get("ip"))))], of, unchanged=_IS_IPV4)


def map_addresses(con: duckdb.DuckDBPyConnection, raw: RawTable, key: RecipientKey) -> int:
    """Ids that hold an address, their hashes, and the domains: for recipients and for messages; their number."""

    def of(ids: Sequence[str]) -> Columns:
        pairs = [(value, address) for value in ids if (address := address_in(value)) is not None]
        return {
            "raw": [value for value, _ in pairs],
            "hashed": [key.hash(address) for _, address in pairs],
            "domain": [domain_of(address) for _, address in pairs],
        }

    ids = [raw.text(raw.found.get("recipient_id")), message_text(raw)]
    return _map(con, "reading_addresses", [_values(value, _HOLDS_ADDRESS) for value in ids], of)


def map_extras(con: duckdb.DuckDBPyConnection, raw: RawTable, key: RecipientKey) -> None:
    """Make `reading_extras`: texts of unknown columns that hold an address, with it hashed."""

    def of(values: Sequence[str]) -> Columns:
        pairs = [(value, hashed) for value in values if (hashed := key.hash_within(value)) != value]
        return {"raw": [value for value, _ in pairs], "hashed": [hashed for _, hashed in pairs]}

    _map(con, "reading_extras", [_values(raw.text(position), _HOLDS_ADDRESS) for position in raw.unknown], of)


def _client_in(forwarded: str) -> str:
    """The client in a list of forwarding proxies: the first public address; a single address is itself."""
    if "," not in forwarded:
        return forwarded
    addresses = [address.strip() for address in forwarded.split(",")]
    return next((address for address in addresses if _is_public(address)), addresses[0])


def _is_public(address: str) -> bool:
    try:
        return not re.search(PRIVATE, str(ip_address(address)))
    except ValueError:
        return False


def _values(value: str, where: str = "v IS NOT NULL") -> str:
    return f"SELECT {value} AS v FROM raw WHERE {where}"


def _map(
    con: duckdb.DuckDBPyConnection,
    name: str,
    sources: Sequence[str],
    of: Callable[[Sequence[str]], Columns],
    unchanged: str = "FALSE",
) -> int:
    """Make the table `name` of what the distinct values of `sources` become, some at a time; how many rows.

    The values `v` for which the condition `unchanged` holds need no working out (and are not among those rows).
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(f'{column} VARCHAR' for column in of([]))})")
    if not sources:
        return 0
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE reading_distinct AS
        SELECT DISTINCT v FROM ({" UNION ALL ".join(sources)}) WHERE v IS NOT NULL""")
    if unchanged != "FALSE":
        con.execute(f"INSERT INTO {name} SELECT v, v FROM reading_distinct WHERE {unchanged}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE reading_distinct AS FROM reading_distinct WHERE NOT {unchanged}")
    rows = first = 0
    while batch := con.execute(
        f"SELECT v FROM reading_distinct WHERE rowid >= {first} AND rowid < {first + _TOGETHER}"
    ).fetchall():
        made = pa.table({column: strings(values) for column, values in of([str(v) for (v,) in batch]).items()})
        con.register("reading_values", made)
        con.execute(f"INSERT INTO {name} SELECT * FROM reading_values")
        con.unregister("reading_values")
        rows += made.num_rows
        first += _TOGETHER
    con.execute("DROP TABLE reading_distinct")
    return rows
