"""Client addresses drawn from real networks: listed prefixes by operator, AS ranges by number or category.

A network is named by a short string: "as:8075", "category:consumer_isp", "listed:mail_security/microsoft" or
"listed:privacy_relay" (any operator). The category "unlisted" is of AS numbers that nobody has classified:
mostly small access networks and enterprises.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

from features import reference
from training.visits import Int

UInt = NDArray[np.uint64]
_SUBNET = np.uint64(0xFFFF)  # IPv6: the 16 bits between a site's /48 and its /64


@dataclass(frozen=True)
class Ranges:
    """Address ranges, ends included; IPv4 sits in `low` with `high` 0. `weight` sums to 1."""

    ipv6: NDArray[np.bool_]
    start_high: UInt
    start_low: UInt
    end_high: UInt
    end_low: UInt
    weight: NDArray[np.float64]

    def family(self, ipv6: bool) -> Ranges | None:
        """Give the ranges of one family, or None when there is none."""
        mask = self.ipv6 == ipv6
        if not mask.any():
            return None
        kept = Ranges(*(getattr(self, f.name)[mask] for f in fields(self)))
        return replace(kept, weight=kept.weight / kept.weight.sum())


class AddressBook:
    """The addresses of one world: hands out codes, and knows in the end what text each code stands for."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._high: list[UInt] = []
        self._low: list[UInt] = []
        self._ipv6: list[NDArray[np.bool_]] = []
        self._count = 0

    def draw(self, network: str, n: int, *, ipv6: float = 0.0, blocks: int | Int | None = None) -> Int:
        """Draw n addresses of a network, a share of them IPv6 where it has any, and give their codes.

        `blocks` says how many neighbourhoods (a /24 or /48 each) they share, or the neighbourhood of each by
        number; every address is on its own when None.
        """
        if blocks is None:
            block = np.arange(n)
        else:
            block = (
                self._rng.integers(0, blocks, n)
                if isinstance(blocks, int)
                else np.unique(blocks, return_inverse=True)[1]
            )
        # Whole neighbourhoods are of one family, as one router's are.
        six = (self._rng.random(n) < ipv6)[block] if n else np.zeros(0, bool)
        high, low = np.zeros(n, np.uint64), np.zeros(n, np.uint64)
        for version in (False, True):
            where = np.flatnonzero(six == version)
            found = networks(network).family(version)
            if found is None:  # the other family serves
                six[where], found = not version, networks(network).family(not version)
            if found is not None and len(where):
                take = _ipv6 if found.ipv6[0] else _ipv4
                high[where], low[where] = take(self._rng, found, block[where])
        return self._add(six, high, low)

    def systems(self, category: str, n: int) -> list[str]:
        """Draw the names of n networks of an AS category, the larger ones likelier."""
        asn, size = _sizes(category)
        chosen = self._rng.choice(asn, min(n, len(asn)), replace=False, p=size / size.sum())
        return [f"as:{a}" for a in chosen]

    def text(self, codes: Int) -> pa.Array:
        """Give the addresses of these codes as text, NULL for negative codes."""
        used, inverse = np.unique(codes, return_inverse=True)
        high, low, six = np.concatenate(self._high), np.concatenate(self._low), np.concatenate(self._ipv6)
        known = used[used >= 0]
        packed = np.stack([high[known], low[known]], axis=1).astype(">u8")
        words = [
            socket.inet_ntop(socket.AF_INET6, p) if v6 else socket.inet_ntop(socket.AF_INET, p[12:])
            for p, v6 in zip((row.tobytes() for row in packed), six[known], strict=True)
        ]
        return pa.array([None] * (len(used) - len(known)) + words, pa.string()).take(pa.array(inverse.ravel()))

    def _add(self, six: NDArray[np.bool_], high: UInt, low: UInt) -> Int:
        self._high.append(high)
        self._low.append(low)
        self._ipv6.append(six)
        self._count += len(high)
        return np.arange(self._count - len(high), self._count)


def _ipv4(rng: Generator, ranges: Ranges, which: Int) -> tuple[UInt, UInt]:
    n = len(which)
    block = rng.choice(len(ranges.weight), int(which.max()) + 1, p=ranges.weight)
    start, size = ranges.start_low[block], ranges.end_low[block] - ranges.start_low[block] + np.uint64(1)
    width = np.minimum(size, 256)
    base = start + np.uint64(256) * rng.integers(0, size // np.uint64(256), endpoint=True, dtype=np.uint64)
    base = np.minimum(base, ranges.end_low[block] + np.uint64(1) - width)
    return np.zeros(n, np.uint64), base[which] + rng.integers(0, width[which], dtype=np.uint64)


def _ipv6(rng: Generator, ranges: Ranges, which: Int) -> tuple[UInt, UInt]:
    n = len(which)
    block = rng.choice(len(ranges.weight), int(which.max()) + 1, p=ranges.weight)
    site = rng.integers(ranges.start_high[block], ranges.end_high[block], endpoint=True, dtype=np.uint64)
    start, end = ranges.start_high[block[which]], ranges.end_high[block[which]]
    high = np.clip((site[which] & ~_SUBNET) | rng.integers(0, 65_536, n, dtype=np.uint64), start, end)
    narrow = start == end
    low = rng.integers(
        np.where(narrow, ranges.start_low[block[which]], np.uint64(1)),
        np.where(narrow, ranges.end_low[block[which]], np.uint64(2**64 - 1)),
        endpoint=True,
        dtype=np.uint64,
    )
    return high, low


@lru_cache(maxsize=512)
def networks(name: str) -> Ranges:
    """Give the address ranges of a named network.

    Raises KeyError when the reference data holds none of that name.
    """
    form, _, value = name.partition(":")
    if form == "listed":
        kind, _, operator = value.partition("/")
        table = _listed()
        mask = (table["kind"] == kind) & ((table["operator"] == operator) | (operator == ""))
    else:
        table = _systems()
        mask = table["asn"] == int(value) if form == "as" else table["category"] == value
    if not mask.any():
        raise KeyError(f"the reference data holds no network {name!r}")
    part = {key: column[mask] for key, column in table.items()}
    size = np.where(
        part["ipv6"],
        (part["end_high"] - part["start_high"]) / 65536 + 1.0,
        part["end_low"] - part["start_low"] + 1.0,
    )
    # The root keeps one operator's largest block from drowning the others.
    return Ranges(
        part["ipv6"],
        part["start_high"],
        part["start_low"],
        part["end_high"],
        part["end_low"],
        np.sqrt(size) / np.sqrt(size).sum(),
    )


@lru_cache(maxsize=32)
def _sizes(category: str) -> tuple[Int, NDArray[np.float64]]:
    table = _systems()
    mask = (table["category"] == category) & ~table["ipv6"]
    asn, inverse = np.unique(table["asn"][mask], return_inverse=True)
    size = np.bincount(inverse, (table["end_low"] - table["start_low"])[mask].astype(float) + 1.0)
    return asn, np.sqrt(size)


@cache
def _systems() -> dict[str, NDArray[Any]]:
    """Give the announced ranges with AS number and category, "unlisted" where nobody has classified it."""
    table = reference.load_announcements()
    last = np.uint64(2**64 - 1)
    next_high, next_low = np.append(table.hi[1:], last), np.append(table.lo[1:], last)
    end_low = next_low - np.uint64(1)  # wraps to the last address of the range before
    end_high = next_high - (next_low == 0)
    known = reference.load_as_categories()
    numbers, inverse = np.unique(table.asn, return_inverse=True)
    category = np.array([known[n].category if n in known else "unlisted" for n in numbers.tolist()], object)
    ranges = _unmapped(table.hi, table.lo, end_high, end_low)
    announced = table.asn > 0
    columns = {**ranges, "asn": table.asn.astype(np.int64), "category": category[inverse]}
    return {name: column[announced] for name, column in columns.items()}


@cache
def _listed() -> dict[str, NDArray[Any]]:
    """Give the listed prefixes with kind and operator."""
    table = reference.load_prefixes()
    length = table.length.astype(np.int64)
    every = np.uint64(2**64 - 1)
    host_high = np.where(length >= 64, 0, every >> np.minimum(length, 63).astype(np.uint64)).astype(np.uint64)
    host_low = np.where(length <= 64, every, every >> np.clip(length - 64, 0, 63).astype(np.uint64))
    host_low = np.where(length == 128, 0, host_low).astype(np.uint64)
    facts = {name: np.array(table.facts[name].to_pylist(), object) for name in ("kind", "operator")}
    return {**_unmapped(table.hi, table.lo, table.hi | host_high, table.lo | host_low), **facts}


def _unmapped(high: UInt, low: UInt, end_high: UInt, end_low: UInt) -> dict[str, NDArray[Any]]:
    """Give the ranges with IPv4 taken out of ::ffff:0:0/96, where the reference data keeps it."""
    four = (high == 0) & (low >> np.uint64(32) == 0xFFFF)
    mask = np.where(four, np.uint64(2**32 - 1), np.uint64(2**64 - 1))
    return {
        "ipv6": ~four,
        "start_high": high,
        "start_low": low & mask,
        "end_high": end_high,
        "end_low": end_low & mask,
    }
