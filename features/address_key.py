"""An internet address as a 128-bit key, and prefixes of such keys.

IPv4 addresses are ::ffff:a.b.c.d, so that both families share one table and one search. A key is 16 bytes in
network order (numpy "S16"), which compares like the number. Bottom of the address look-up: knows no data.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.bytes_]
Halves = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MAPPED = bytes(10) + b"\xff\xff"
# [2001:db8::1]:443, 192.0.2.1:8080 or fe80::1%eth0: the address, without port and zone.
_WRAPPED = re.compile(
    r"\[(?P<bracketed>[^\]%]+)(?:%[^\]]*)?\](?::[0-9]{1,5})?"
    r"|(?P<ported>[0-9.]+):[0-9]{1,5}"
    r"|(?P<zoned>[^%\[\]]*:[^%\[\]]*)%.*"
)
_LONGEST = 100  # characters; no address is longer, whatever its zone
_IPV4 = np.uint64(0xFFFFFFFF)


def pack(text: str) -> bytes | None:
    """Give the 16 bytes of an address in network order, IPv4 mapped, or None for a text that is none."""
    text = text[:1000].strip()
    if len(text) > _LONGEST:
        return None
    key = _pack(text)
    if key is None and (wrapped := _WRAPPED.fullmatch(text)):
        key = _pack(wrapped["bracketed"] or wrapped["ported"] or wrapped["zoned"])
    return key


def unpack(key: bytes) -> str:
    """Spell a key: dotted for IPv4, else as RFC 5952 says."""
    return socket.inet_ntop(socket.AF_INET, key[12:]) if key.startswith(_MAPPED) else str(IPv6Address(key))


def join_halves(hi: Halves, lo: Halves) -> Keys:
    """Make keys of their upper and lower 64 bits."""
    halves = np.empty((len(hi), 2), dtype=">u8")
    halves[:, 0] = hi
    halves[:, 1] = lo
    return halves.view("S16").ravel()


def split_halves(keys: Keys) -> tuple[Halves, Halves]:
    """Take keys apart into their upper and lower 64 bits."""
    halves = keys.view(">u8").reshape(-1, 2).astype(np.uint64)
    return halves[:, 0], halves[:, 1]


def is_ipv4(hi: Halves, lo: Halves) -> Flags:
    """Say of each key whether it is a mapped IPv4 address."""
    mapped: Flags = (hi == 0) & (lo >> np.uint64(32) == np.uint64(0xFFFF))
    return mapped


def network_numbers(hi: Halves, lo: Halves) -> Codes:
    """Give a number for the /24 or /48 of each key: both fit into 49 bits, so it is exact without a hash."""
    ipv6 = hi >> np.uint64(16) | np.uint64(1 << 48)
    return np.where(is_ipv4(hi, lo), (lo & _IPV4) >> np.uint64(8), ipv6).astype(np.int64)


def address_numbers(hi: Halves, lo: Halves) -> Codes:
    """Give a number for each key: IPv4 is its own number, IPv6 is 62 mixed bits above all of those."""
    mixed = _mix(_mix(hi) ^ lo) >> np.uint64(2) | np.uint64(1 << 62)
    return np.where(is_ipv4(hi, lo), lo & _IPV4, mixed).astype(np.int64)


def flatten(hi: Halves, lo: Halves, length: npt.NDArray[np.uint8], worst_first: Codes) -> tuple[Keys, Codes]:
    """Turn nested prefixes into disjoint runs: the first key of each, ascending, and the row that wins there.

    Rows are painted in the order `worst_first`, each over those before it; -1 where no prefix is listed.
    """
    first = join_halves(hi, lo)
    after = _first_after(hi, lo, length)
    bounds = np.unique(np.concatenate([np.array([b""], dtype="S16"), first, after]))
    begin = np.searchsorted(bounds, first)
    end = np.where(after == b"", len(bounds), np.searchsorted(bounds, after))  # b"": past the last address
    winner = np.full(len(bounds), -1, dtype=np.int64)
    for row in worst_first.tolist():
        winner[begin[row] : end[row]] = row
    changes = np.concatenate([[True], winner[1:] != winner[:-1]])
    return bounds[changes], winner[changes]


def _first_after(hi: Halves, lo: Halves, length: npt.NDArray[np.uint8]) -> Keys:
    """Give the key behind the last of each prefix; zero behind the very last."""
    bits = 128 - length.astype(np.int64)
    in_lower = bits < 64
    step = np.uint64(1) << (bits % 64).astype(np.uint64)
    after_lo = np.where(in_lower, lo + step, lo)
    carry = (in_lower & (after_lo == 0)).astype(np.uint64)
    return join_halves(hi + np.where(in_lower, carry, step), after_lo)


def _mix(bits: Halves) -> Halves:
    """Spread 64 bits one to one: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _pack(text: str) -> bytes | None:
    try:
        if ":" in text:
            return socket.inet_pton(socket.AF_INET6, text)
        four = socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate inside
        return None
    # Some C libraries read 010.1.1.1; the same file must give the same addresses everywhere.
    return _MAPPED + four if socket.inet_ntop(socket.AF_INET, four) == text else None
