"""Which AS announces an address, from the tables that people have: iptoasn's TSV, CSV of ranges, MMDB.

MMDB are MaxMind's (GeoLite2-ASN, GeoIP2-ISP) and IPinfo's (Lite), which name their fields differently.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any

import maxminddb

from features import address_key
from features.errors import InputError
from features.reference import MAPPED_IPV4
from features.reference_document import Document

Span = tuple[int, int, int]

_MMDB_MARK = b"\xab\xcd\xefMaxMind.com"
_MMDB_TAIL = 128 << 10  # the format says that the description lies within
_NUMBER = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE)
# A few ranges of one public table overlap by mistake; more of them mean another form of table.
_OVERLAPS_BORNE = 0.01


@dataclass(frozen=True)
class AsTable:
    """Disjoint (first, last, asn) in ascending order, IPv4 mapped, and the names of the AS.

    `source` is iptoasn, asn-csv or what an MMDB calls itself; `date` the day that the file says it is of; `clipped`
    counts ranges that overlapped the one before.
    """

    source: str
    spans: list[Span]
    names: dict[int, str]
    date: date | None
    clipped: int


def is_mmdb(document: Document) -> bool:
    """Say whether a file is a MaxMind database, whoever made it."""
    return _MMDB_MARK in document.content[-_MMDB_TAIL:]


def is_as_rows(document: Document) -> bool:
    """Say whether a text begins with a range and the AS that announces it, with a header or without."""
    head = document.content[:4096].decode("utf-8-sig", "replace").splitlines()[:2]
    rows = csv.reader(head, delimiter=_delimiter(document))
    return any(len(row) >= 3 and _is_address(row[0]) and _is_address(row[1]) for row in rows)


def as_table(documents: list[Document]) -> AsTable:
    """Read the files of one table, such as IPv4 and IPv6 apart, into one.

    Raises InputError for a row that is no range with an AS, for another kind of MMDB, and for ranges that overlap.
    """
    names: dict[int, str] = {}
    spans: list[Span] = []
    days: list[date] = []
    source = ""
    for document in documents:
        if is_mmdb(document):
            with _opened(document) as reader:
                described = reader.metadata()
                days.append(datetime.fromtimestamp(described.build_epoch, UTC).date())
                source = "-".join(re.findall(r"[a-z0-9]+", described.database_type.lower()))[:40]
                found = (_network(document, network, record) for network, record in reader)
                spans.extend(_neighbours_joined(_named(found, names)))
        else:
            source = "iptoasn" if _delimiter(document) == "\t" else "asn-csv"
            spans.extend(_neighbours_joined(_named(_rows(document), names)))
    disjoint, clipped = _disjoint(sorted(spans))
    if clipped > max(1, len(spans) * _OVERLAPS_BORNE):
        raise InputError(
            f"{documents[0].name}: {clipped:,} of {len(spans):,} ranges overlap others; give one table of one day"
        )
    return AsTable(source, disjoint, names, min(days, default=None), clipped)


def _delimiter(document: Document) -> str:
    return "\t" if b"\t" in document.content[:4096].partition(b"\n")[0] else ","


def _named(found: Iterable[tuple[int, int, int, str]], names: dict[int, str]) -> Iterator[Span]:
    """Pass spans on and keep the first name of each AS; AS 0 is nobody."""
    for first, last, asn, name in found:
        if asn:
            if name and not names.get(asn):
                names[asn] = " ".join(name.split())
            names.setdefault(asn, "")
            yield first, last, asn


def _neighbours_joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join what follows one another, so that a table of countries and cities is no larger than one of AS."""
    current: Span | None = None
    for first, last, asn in spans:
        if current and current[2] == asn and current[1] + 1 == first:
            current = (current[0], last, asn)
            continue
        if current:
            yield current
        current = (first, last, asn)
    if current:
        yield current


def _disjoint(spans: list[Span]) -> tuple[list[Span], int]:
    """Clip each range to what lies behind those before it; give the ranges and how many were clipped."""
    found: list[Span] = []
    following = clipped = 0
    for first, last, asn in spans:
        begin = max(first, following)
        clipped += begin > first
        if begin <= last:
            found.append((begin, last, asn))
            following = last + 1
    return found, clipped


# TSV and CSV


def _rows(document: Document) -> Iterator[tuple[int, int, int, str]]:
    """Rows start, end, AS number, name; iptoasn has a country between the two."""
    try:
        lines = StringIO(document.content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise InputError(f"{document.name}: is no UTF-8 text (byte {error.start}); download it again") from error
    tabs = _delimiter(document) == "\t"
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines)
    try:
        for number, row in enumerate(rows, 1):
            if row and not (number == 1 and not _is_address(row[0])):
                yield _row(document, number, row, 4 if tabs else 3)
    except csv.Error as error:
        raise InputError(f"{document.name}, row {rows.line_num}: is broken CSV ({error}); download it again") from error


def _row(document: Document, number: int, row: list[str], name_at: int) -> tuple[int, int, int, str]:
    first, last = (address_key.pack(text) for text in [*row, "", ""][:2])
    asn = _as_number(row[2]) if len(row) > 2 else None
    if first is None or last is None or asn is None or last < first:
        shown = ",".join(row)[:80]
        raise InputError(
            f"{document.name}, row {number}: found {shown!r}, expected first address, last address and AS number;"
            " download it again"
        )
    return int.from_bytes(first), int.from_bytes(last), asn, row[name_at] if len(row) > name_at else ""


def _as_number(text: str) -> int | None:
    found = _NUMBER.fullmatch(text.strip())
    number = int(found[1]) if found else 1 << 32
    return number if number < 1 << 32 else None


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text.strip()))
    except ValueError:
        return False


# MMDB


@contextmanager
def _opened(document: Document) -> Iterator[maxminddb.Reader]:
    """Give a reader of a database; what it finds broken while the block reads is an InputError."""
    # The reader that is written in C wants a file.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.mmdb"
        path.write_bytes(document.content)
        try:
            with maxminddb.open_database(path) as reader:
                yield reader
        except (maxminddb.InvalidDatabaseError, OverflowError, UnicodeDecodeError) as error:
            raise InputError(f"{document.name}: is a broken MMDB; download it again") from error


def _network(document: Document, network: IPv4Network | IPv6Network, record: Any) -> tuple[int, int, int, str]:
    fields = record if isinstance(record, dict) else {}
    number = fields.get("autonomous_system_number", fields.get("asn", 0))
    name = fields.get("autonomous_system_organization", fields.get("as_name", ""))
    asn = _as_number(str(number or 0))
    if asn is None:
        raise InputError(f"{document.name}: {network} has the AS number {number!r}; download it again")
    base = MAPPED_IPV4 if network.version == 4 else 0
    return int(network.network_address) + base, int(network.broadcast_address) + base, asn, str(name or "")
