"""Whose address it is: AS, kind of network, operator. Done once per distinct address.

Everything is a binary search in a sorted table of 128-bit keys; see `address_key`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa

from features import address_key, reference
from features.address_key import Codes, Flags, Keys
from features.arrow_columns import numbers, strings
from features.errors import InputError

# Models hold positions of these tuples: names are only ever appended.
KINDS: tuple[str, ...] = (
    "mail_security",
    "image_proxy",
    "privacy_relay",
    "link_preview",
    "security_proxy",
    "security_vendor",
    "security_service",
    "virtual_desktop",
    "crawler",
    "ai_crawler",
    "fetcher",
    "phish_sim",
    "mailbox_provider",
    "vpn",
    "suspected_scanner",
)
CATEGORIES: tuple[str, ...] = (
    "mail_security",
    "security_proxy",
    "security_vendor",
    "cloud",
    "cloud_mailbox",
    "mailbox_provider",
    "cdn_relay",
    "cdn",
    "link_preview",
    "hosting",
    "vpn",
    "saas",
    "apple",
    "internet_scanner",
    "consumer_isp",
    "mobile_or_isp",
    "isp",
    "education",
    "government",
    "enterprise",
)
# From the strongest to the weakest word for it; "observed" is seen in request logs and named by nobody.
EVIDENCE: tuple[str, ...] = ("official", "published", "spf", "asn", "derived", "community", "observed")
OPERATORS: tuple[str, ...] = (
    *("microsoft", "google", "apple", "yahoo", "proton", "fastmail"),
    *("proofpoint", "mimecast", "barracuda", "cisco", "trendmicro", "sophos", "symantec", "hornetsecurity"),
    *("abnormal", "appriver", "avast", "bitdefender", "cyren", "eset", "heimdal", "kaspersky", "netcraft"),
    *("retarus", "spamexperts", "trellix", "trustwave", "webroot", "withsecure", "zix"),
    *(
        "zscaler",
        "netskope",
        "forcepoint",
        "iboss",
        "menlo",
        "skyhigh",
        "cato",
        "checkpoint",
        "cisco_umbrella",
    ),
    *("paloalto", "fortinet", "crowdstrike", "secureworks", "sonicwall", "knowbe4", "censys"),
    *("meta", "linkedin", "telegram", "twitter", "duckduckgo", "openai"),
    *("amazon", "google_cloud", "oracle", "ibm", "alibaba", "tencent", "akamai", "cloudflare", "fastly"),
    *("imperva", "salesforce", "act_on", "github", "protonvpn"),
)

# A person's mail comes through these, or a scanner does: they win over whatever else they overlap.
FIRST_KINDS = frozenset({"privacy_relay", "mail_security", "image_proxy"})


def canonical(values: Sequence[str | None]) -> list[str | None]:
    """Give each address in its one canonical spelling, None where it is none.

    IPv4-mapped IPv6 becomes IPv4; brackets, ports, zones and surrounding blanks go; leading zeros make an
    IPv4 address invalid, since nobody knows whether they mean octal.
    """
    keys = [None if value is None else address_key.pack(value) for value in values]
    return [None if key is None else address_key.unpack(key) for key in keys]


def locate(addresses: Sequence[str]) -> pa.Table:
    """Look up each address: one row an input, in order; all but `ip` NULL for a text that is no address.

    asn, as_name, category: the AS that announces it, NULL for none; category_weak: a word of the AS's name
    is all there is for it. kind, evidence: of the listed prefix that wins, NULL where none is listed.
    listed_on: the date of its source. operator: of that prefix, else of the AS. net: a number for the /24 or
    /48; address_key: for the address.
    """
    packed = [address_key.pack(address) for address in addresses]
    unknown = np.array([key is None for key in packed], dtype=bool)
    keys = np.array([key or bytes(16) for key in packed], dtype="S16")
    hi, lo = address_key.split_halves(keys)
    asn, name, category, weak, vendor = _announced(keys)
    row = _listed(keys)
    kind, operator, evidence = (codes[row] for codes in _fact_codes())
    operator = np.where(operator < 0, vendor, operator)
    return pa.table(
        {
            "ip": strings(_encodable(address) for address in addresses),
            "ipv6": numbers(~address_key.is_ipv4(hi, lo), unknown),
            "asn": numbers(asn, unknown | (asn == 0)),
            "as_name": reference.load_as_names()[1].take(numbers(name, unknown | (name < 0))),
            "category": _words(CATEGORIES, category, unknown),
            "category_weak": numbers(weak, unknown | (category < 0)),
            "kind": _words(KINDS, kind, unknown),
            "operator": _words(OPERATORS, operator, unknown),
            "evidence": _words(EVIDENCE, evidence, unknown),
            "listed_on": _listed_dates().take(numbers(row, unknown | (row < 0))),
            "net": numbers(address_key.network_numbers(hi, lo), unknown),
            "address_key": numbers(address_key.address_numbers(hi, lo), unknown),
        }
    )


@lru_cache(maxsize=200_000)
def weak_category(as_name: str) -> str | None:
    """Guess what an AS is from the words of its name; None where no known word is in it."""
    words = " ".join(["", *re.findall(r"[^\W_]+", as_name.lower()), ""])
    return next((category for text, category in reference.load_as_keywords() if text in words), None)


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _words(names: tuple[str, ...], codes: Codes, unknown: Flags) -> pa.Array:
    return strings(names).take(numbers(codes, unknown | (codes < 0)))


def _codes(names: tuple[str, ...], words: Sequence[str]) -> Codes:
    """Give positions in `names`, -1 for the empty word; InputError where the data hold a word of no tuple."""
    position = {"": -1} | {name: code for code, name in enumerate(names)}
    try:
        return np.array([position[word] for word in words], dtype=np.int64)
    except KeyError as error:  # a user's copy that a newer clicksift wrote; the packaged data is tested
        raise InputError(
            f"reference data: this clicksift does not know the word {error}; run clicksift reference update again"
        ) from error


@cache
def _announcement_keys() -> Keys:
    table = reference.load_announcements()
    return address_key.join_halves(table.hi, table.lo)


@cache
def _as_codes() -> tuple[Codes, Flags, Codes]:
    """Give category, weakness and vendor of each AS in the order of the names; -1 where nobody listed it.

    The row behind the last name stands for addresses that no AS announces.
    """
    asns, _ = reference.load_as_names()
    row = {number: position for position, number in enumerate(asns.tolist())}
    category = np.full(len(asns) + 1, -1, dtype=np.int64)
    weak = np.zeros(len(asns) + 1, dtype=bool)
    vendor = np.full(len(asns) + 1, -1, dtype=np.int64)
    for number, fact in reference.load_as_categories().items():
        if (position := row.get(number)) is not None:
            category[position] = CATEGORIES.index(fact.category)
            weak[position] = fact.weak
            vendor[position] = OPERATORS.index(fact.vendor) if fact.vendor else -1
    return category, weak, vendor


def _announced(keys: Keys) -> tuple[Codes, Codes, Codes, Flags, Codes]:
    """Give AS number (0 for none), position of its name (-1), category, its weakness, vendor."""
    asn = reference.load_announcements().asn[np.searchsorted(_announcement_keys(), keys, side="right") - 1]
    listed_asns, names = reference.load_as_names()
    at = np.searchsorted(listed_asns, asn).astype(np.int64)
    at[listed_asns[np.minimum(at, len(listed_asns) - 1)] != asn] = -1
    listed, listed_weak, vendors = _as_codes()
    category, weak, vendor = listed[at], listed_weak[at], vendors[at]
    unlisted = np.flatnonzero((at >= 0) & (category < 0))
    distinct, inverse = np.unique(at[unlisted], return_inverse=True)
    guesses = [weak_category(name) or "" for name in names.take(numbers(distinct)).to_pylist()]
    category[unlisted] = _codes(CATEGORIES, guesses)[inverse]
    weak[unlisted] = True
    _fill_from_platforms(keys, category, weak, vendor)
    return asn.astype(np.int64), at, category, weak, vendor


def _fill_from_platforms(keys: Keys, category: Codes, weak: Flags, vendor: Codes) -> None:
    """Let clouds and CDNs say whose an address is where the AS is unknown, or only the words of its name are known.

    What somebody checked of an AS stays: it is what models have learnt from.
    """
    starts, winner, categories, operators = _platforms()
    row = winner[np.searchsorted(starts, keys, side="right") - 1]
    open_ = (row >= 0) & ((category < 0) | weak)
    category[open_], weak[open_], vendor[open_] = categories[row[open_]], False, operators[row[open_]]


@cache
def _platforms() -> tuple[Keys, Codes, Codes, Codes]:
    """Flatten the networks of clouds and CDNs, and give category and operator of each row.

    The longer prefix wins, a CDN over the cloud that it is part of. What Google lists as all of Google's gives way
    to everything: its customers' networks are inside.
    """
    listed = reference.load_platforms()
    category, operator = (
        _codes(names, listed.facts[column].to_pylist())
        for names, column in ((CATEGORIES, "kind"), (OPERATORS, "operator"))
    )
    is_cdn = np.isin(category, _codes(CATEGORIES, ["cdn", "cdn_relay"]))
    partly = category != CATEGORIES.index("cloud_mailbox")
    worst_first = np.lexsort((operator, is_cdn, listed.length, partly))
    return (*address_key.flatten(listed.hi, listed.lo, listed.length, worst_first), category, operator)


@cache
def _fact_codes() -> tuple[Codes, Codes, Codes]:
    """Give kind, operator and evidence of each listed prefix; the row behind the last means none."""
    facts = reference.load_prefixes().facts
    named = ((KINDS, "kind"), (OPERATORS, "operator"), (EVIDENCE, "evidence"))
    kind, operator, evidence = (np.append(_codes(names, facts[column].to_pylist()), -1) for names, column in named)
    return kind, operator, evidence


@cache
def _listed_runs() -> tuple[Keys, Codes]:
    """Flatten the listed prefixes: first kinds win, then the longer prefix, then the better evidence."""
    prefixes = reference.load_prefixes()
    kind, operator, evidence = (codes[:-1] for codes in _fact_codes())
    first = np.isin(kind, _codes(KINDS, sorted(FIRST_KINDS)))
    worst_first = np.lexsort((-operator, -kind, -evidence, prefixes.length, first))
    return address_key.flatten(prefixes.hi, prefixes.lo, prefixes.length, worst_first)


@cache
def _listed_dates() -> pa.StringArray:
    """Give the date of each listed prefix, the last where several sources list it; NULL for "undated"."""
    dates = reference.load_prefixes().facts["source_date"].combine_chunks().dictionary_encode()
    several = (text.split("; ") for text in dates.dictionary.to_pylist())
    last = strings(max((date for date in each if date[:1].isdigit()), default=None) for each in several)
    return last.take(dates.indices)


def _listed(keys: Keys) -> Codes:
    """Give the row of the winning prefix, -1 where no prefix is listed."""
    starts, winner = _listed_runs()
    return winner[np.searchsorted(starts, keys, side="right") - 1]
