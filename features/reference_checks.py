"""What a new list must be before it takes the place of what is in use; InputError says what it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set

import netaddr

from features import address_key
from features.as_tables import AsTable
from features.errors import InputError
from features.operator_lists import Entry
from features.reference import Announcements, Prefixes

# Nobody holds as much as that: a shorter prefix is a slip, and would make a part of the world somebody's.
_SHORTEST = {4: 6, 6: 16}
# Reserved by RFC 6890 and RFC 4291; documentation's ranges are not in it, since examples are made of them.
_RESERVED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("224.0.0.0/3", "::/3", "4000::/2", "8000::/1"),
)
_NOT_PUBLIC = {
    version: [(n.first, n.last) for n in map(netaddr.IPNetwork, _RESERVED) if n.version == version]
    for version in (4, 6)
}
# Less than this of what was known is more likely half a file than half a network.
_LEAST_LEFT = 0.5


def checked_networks(entry: Entry, name: str) -> Iterator[netaddr.IPNetwork]:
    """Give the prefixes of an entry; raises InputError for one that cannot be an operator's network."""
    for network in _networks(entry, name):
        problem = ""
        if network.prefixlen < _SHORTEST[network.version]:
            problem = f"no operator holds a /{network.prefixlen}"
        elif any(network.first <= last and network.last >= first for first, last in _NOT_PUBLIC[network.version]):
            problem = "it is not of the public internet"
        if problem:
            raise InputError(f"{name}, {entry.place}: found {entry.cidr!r}, but {problem}; download the list again")
        yield network


def _networks(entry: Entry, name: str) -> list[netaddr.IPNetwork]:
    first, dash, last = entry.cidr.partition("-")
    try:
        if dash:
            span = netaddr.IPRange(first.strip(), last.strip())
            return list(span.cidrs())
        network = netaddr.IPNetwork(entry.cidr)
        if network.value == network.first:
            return [network]
        problem = "has bits behind its length"
    except (ValueError, netaddr.AddrFormatError):
        problem = "is no network prefix"
    raise InputError(f"{name}, {entry.place}: found {entry.cidr!r}, which {problem}; download the list again")


def check_loss(names: str, new: Mapping[tuple[str, int], int], known: Mapping[tuple[str, int], int]) -> None:
    """Raise InputError where less than half of the rows of a kind and family are left."""
    for (kind, family), count in sorted(known.items()):
        left = new.get((kind, family), 0)
        what = kind if kind == "networks" else f"prefixes of {kind}"
        if left < count * _LEAST_LEFT:
            raise InputError(
                f"{names}: has {left:,} IPv{family} {what} where {count:,} are in use, less than half; give all files"
                " of a list at once, or --force to take it"
            )


def check_age(names: str, what: str, day: str, newest: str) -> None:
    """Raise InputError where a list is older than what is in use."""
    if day < newest:
        raise InputError(f"{names}: {what} of {day} is older than what is in use, of {newest}; --force takes it")


def newest_date(listed: Prefixes, sources: Set[str]) -> str:
    """Give the newest day of rows from these sources, "" where there are none."""
    facts = zip(listed.facts["source"].to_pylist(), listed.facts["source_date"].to_pylist(), strict=True)
    pairs = {pair for texts, days in set(facts) for pair in zip(texts.split("; "), days.split("; "), strict=True)}
    return max((day for source, day in pairs if source in sources), default="")


def quantities(prefixes: Prefixes) -> Counter[tuple[str, int]]:
    """Count the networks of each kind and family."""
    kinds, four = prefixes.facts["kind"].to_pylist(), address_key.is_ipv4(prefixes.hi, prefixes.lo).tolist()
    return Counter((kind, 4 if is_four else 6) for kind, is_four in zip(kinds, four, strict=True))


def check_table(names: str, table: AsTable, announced: Announcements) -> None:
    """Raise InputError where much less is announced than was, or most AS have no name."""
    four = address_key.is_ipv4(announced.hi, announced.lo)[announced.asn > 0]
    known = {("networks", 4): int(four.sum()), ("networks", 6): int((~four).sum())}
    check_loss(names, Counter(("networks", 4 if first >> 32 == 0xFFFF else 6) for first, _, _ in table.spans), known)
    unnamed = sum(not name for name in table.names.values())
    if unnamed > len(table.names) * _LEAST_LEFT:
        raise InputError(f"{names}: {unnamed:,} of {len(table.names):,} AS have no name; give a table with names")
