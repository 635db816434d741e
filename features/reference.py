"""The reference data that is looked up: networks, AS numbers and user agents.

What travels with the package lies in `features/data/`, is read through importlib.resources once a process, and is
never fetched. `sources.csv` there says where each file comes from; `reference_build` makes the large ones again.
A copy of the user's own (`reference_copy`) stands in for the parts that it has.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from ipaddress import ip_network

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.address_key import Halves
from features.arrow_columns import numbers, strings, to_array
from features.errors import InputError
from features.reference_copy import UserCopy, copy_in_use

# IPv4 lives inside IPv6 as ::ffff:0:0/96, so that one table and one search serve both families.
MAPPED_IPV4 = 0xFFFF << 32


@dataclass(frozen=True)
class Source:
    """Where one data file comes from; `date` is the version that is recorded with scores."""

    name: str
    file: str
    source: str
    url: str
    date: str
    licence: str


@dataclass(frozen=True)
class AgentPattern:
    """One user agent of the mail world; `family` and `vendor` are empty where the pattern does not say.

    `match` is exact, prefix, suffix or contains: how `pattern` is compared with the agent in lower case.
    """

    match: str
    pattern: str
    kind: str
    family: str
    vendor: str


@dataclass(frozen=True)
class MailboxHost:
    """A recipient domain (`match` domain) or an ending of MX names (mx), and whose mailboxes or gateway it means."""

    match: str
    pattern: str
    role: str
    operator: str


@dataclass(frozen=True)
class AsCategory:
    """What an AS is; `weak` where a word of its name says so and nobody has checked."""

    category: str
    vendor: str | None
    weak: bool


@dataclass(frozen=True, eq=False)
class Announcements:
    """Which AS announces an address: `asn` from the key `hi`, `lo` up to the next row; 0 for none."""

    hi: Halves
    lo: Halves
    asn: npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Prefixes:
    """Listed networks: first address in two 64-bit halves, prefix length out of 128, and what is known of it.

    `facts` has the columns kind, operator, service, evidence, source, source_date, one row a prefix.
    """

    hi: Halves
    lo: Halves
    length: npt.NDArray[np.uint8]
    facts: pa.Table


FACTS = ("kind", "operator", "service", "evidence", "source", "source_date")
# Kinds of operators' lists that say what the AS says for nearly all addresses; they are words of its categories.
PLATFORM_KINDS = frozenset({"cloud", "cloud_mailbox", "cdn", "cdn_relay"})


def _bytes(file: str) -> bytes:
    return (resources.files("features") / "data" / file).read_bytes()


def _rows(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_bytes(file).decode("utf-8"))))


def _table(file: str) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(_bytes(file))).read()


@cache
def sources() -> tuple[Source, ...]:
    """Give every data file with its source, date and licence, in the order of `sources.csv`."""
    return tuple(Source(**row) for row in _rows("sources.csv"))


@cache
def user_copy() -> UserCopy | None:
    """Give the user's copy, read once a process; None where there is none or $CLICKSIFT_REFERENCE is "packaged"."""
    return copy_in_use()


@cache
def versions() -> Mapping[str, str]:
    """Give the version of each piece of reference data, to be kept with scores: "asn" -> "2026-06-17".

    ua-parser's own patterns are a package, so theirs is the package's version.
    """
    return versions_with(user_copy())


def versions_with(copy: UserCopy | None) -> Mapping[str, str]:
    """Give the versions where `copy` is in use.

    "asn" -> "iptoasn 2026-11-20"; lists follow a plus: "networks" -> "2026-09+zscaler-cenr 2026-11-17".
    """
    found = {source.name: source.date for source in sources()} | {"ua_parser": metadata.version("ua-parser-builtins")}
    if copy:
        found |= {part.name: f"{part.source} {part.date}" for part in copy.parts if part not in copy.lists}
        found["networks"] = "+".join([found["networks"], *(f"{part.name} {part.date}" for part in copy.lists)])
    return found


@cache
def load_announcements() -> Announcements:
    """Load the address runs and their AS numbers, sorted, the first at address 0."""
    return announcements_with(user_copy())


def announcements_with(copy: UserCopy | None) -> Announcements:
    """Give the address runs where `copy` is in use."""
    table = copy.table("asn") if copy and copy.part("asn") else _table("asn.parquet")
    return Announcements(
        hi=np.cumsum(to_array(table["step_hi"]), dtype=np.uint64),
        lo=np.cumsum(to_array(table["step_lo"]), dtype=np.uint64),  # wraps at 2**64, as it was written
        asn=to_array(table["asn"]),
    )


@cache
def load_as_names() -> tuple[npt.NDArray[np.uint32], pa.StringArray]:
    """Load the AS numbers in ascending order, and the name of each one's organisation."""
    copy = user_copy()
    table = copy.table("as_names") if copy and copy.part("as_names") else _table("as_names.parquet")
    return to_array(table["asn"]), table["name"].combine_chunks()


@cache
def load_as_categories() -> Mapping[int, AsCategory]:
    """Load AS number -> category and vendor, for those that somebody listed."""
    return {
        int(row["asn"]): AsCategory(row["category"], row["vendor"] or None, row["weak"] == "1")
        for row in _rows("as_categories.csv")
    }


@cache
def load_as_keywords() -> tuple[tuple[str, str], ...]:
    """Load (text, category) in order of precedence.

    The text is to be found in a name of lower-case words with spaces around each: " bank ", or " telecom" for
    all words that begin so.
    """
    return tuple(
        (f" {word.removesuffix('*')}" if word.endswith("*") else f" {word} ", row["category"])
        for row in _rows("as_keywords.csv")
        for word in [row["keyword"]]
    )


@cache
def load_agents() -> tuple[AgentPattern, ...]:
    """Load the mail world's own user agents, in order of precedence."""
    fields = ("match", "pattern", "kind", "family", "vendor")
    return tuple(AgentPattern(**{name: row[name] for name in fields}) for row in _rows("agents.csv"))


@cache
def load_mailbox_hosts() -> tuple[MailboxHost, ...]:
    """Load mailbox hosts and gateways; role is host or gateway."""
    fields = ("match", "pattern", "role", "operator")
    return tuple(MailboxHost(**{name: row[name] for name in fields}) for row in _rows("mailbox_hosts.csv"))


@cache
def load_prefixes() -> Prefixes:
    """Load all listed networks but those of clouds and CDNs: the packaged ones and the user's own."""
    return prefixes_with(user_copy())


@cache
def load_platforms() -> Prefixes:
    """Load the networks that clouds and CDNs list as theirs; nobody's without a copy of the user's own."""
    return platforms_with(user_copy())


def prefixes_with(copy: UserCopy | None) -> Prefixes:
    """Give the listed networks where `copy` is in use: its lists, and what they do not replace of the packaged."""
    packaged = _joined(list(packaged_prefixes().values()))
    if copy is None:
        return packaged
    replaced = replaced_sources(copy)
    kept = [not replaced.issuperset(text.split("; ")) for text in packaged.facts["source"].to_pylist()]
    return _joined([_picked(packaged, kept), *_lists(copy, platforms=False)])


def replaced_sources(copy: UserCopy | None) -> frozenset[str]:
    """Give the packaged sources for which `copy` has newer lists."""
    return frozenset(source for part in (copy.lists if copy else ()) for source in part.replaces)


def platforms_with(copy: UserCopy | None) -> Prefixes:
    """Give the networks of clouds and CDNs that `copy` lists."""
    nothing = _picked(packaged_prefixes()["networks"], [])
    return _joined([nothing, *(_lists(copy, platforms=True) if copy else ())])


def from_sources(several: Sequence[Prefixes], sources: Set[str]) -> Prefixes:
    """Give the networks that one of the sources says, alone or beside others."""
    joined = _joined(several)
    return _picked(joined, [not sources.isdisjoint(text.split("; ")) for text in joined.facts["source"].to_pylist()])


@cache
def packaged_prefixes() -> Mapping[str, Prefixes]:
    """Give the networks of the packaged files: "networks", and "relay_vpn" for the relays and VPNs, which are many."""
    rows = _rows("networks.csv")
    hi, lo, length = split_cidrs([row["cidr"] for row in rows])
    listed = pa.table({name: strings(row[name] for row in rows) for name in FACTS})
    return {"networks": Prefixes(hi, lo, length, listed), "relay_vpn": _stepped(_table("relay_vpn.parquet"))}


def packaged_rows(file: str) -> int:
    """Count the rows of a packaged file."""
    return len(_table(file)) if file.endswith(".parquet") else len(_rows(file))


def _lists(copy: UserCopy, *, platforms: bool) -> list[Prefixes]:
    found = [_stepped(copy.table(part.name)) for part in copy.lists]
    return [_picked(one, [(k in PLATFORM_KINDS) == platforms for k in one.facts["kind"].to_pylist()]) for one in found]


def _stepped(table: pa.Table) -> Prefixes:
    """Read prefixes that are stored as differences from one to the next."""
    return Prefixes(
        hi=np.cumsum(to_array(table["step_hi"]), dtype=np.uint64),
        lo=np.cumsum(to_array(table["step_lo"]), dtype=np.uint64),
        length=to_array(table["length"]),
        facts=table.select(list(FACTS)).cast(pa.schema([(name, pa.string()) for name in FACTS])),
    )


def _picked(prefixes: Prefixes, wanted: Sequence[bool]) -> Prefixes:
    rows = np.flatnonzero(wanted)
    return Prefixes(prefixes.hi[rows], prefixes.lo[rows], prefixes.length[rows], prefixes.facts.take(numbers(rows)))


def _joined(parts: Sequence[Prefixes]) -> Prefixes:
    return Prefixes(
        hi=np.concatenate([part.hi for part in parts]),
        lo=np.concatenate([part.lo for part in parts]),
        length=np.concatenate([part.length for part in parts]),
        facts=pa.concat_tables([part.facts for part in parts]),
    )


def split_cidrs(cidrs: list[str]) -> tuple[Halves, Halves, npt.NDArray[np.uint8]]:
    """Split prefixes such as "192.0.2.0/24" into first address (two 64-bit halves) and length, IPv4 mapped.

    Raises InputError for a text that is no prefix or has bits behind its length.
    """
    first: list[int] = []
    length: list[int] = []
    for cidr in cidrs:
        try:
            network = ip_network(cidr)
        except ValueError as error:
            raise InputError(
                f"networks.csv: {cidr!r} is no network prefix ({error}); write it as 192.0.2.0/24 or 2001:db8::/32"
            ) from error
        mapped = network.version == 4
        first.append(int(network.network_address) + (MAPPED_IPV4 if mapped else 0))
        length.append(network.prefixlen + (96 if mapped else 0))
    low = (1 << 64) - 1
    return (
        np.array([value >> 64 for value in first], dtype=np.uint64),
        np.array([value & low for value in first], dtype=np.uint64),
        np.array(length, dtype=np.uint8),
    )
