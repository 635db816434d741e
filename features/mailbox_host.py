"""Who hosts a recipient domain's mailboxes, and which gateway its mail passes: from the domain itself or its MX names.

Done once per distinct domain; no name server is asked. What is known are the rows of `mailbox_hosts.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from features.arrow_columns import numbers, strings
from features.reference import load_mailbox_hosts

# Models hold positions of these tuples: names are only ever appended.
HOSTS: tuple[str, ...] = (
    *("microsoft365", "outlook", "google_workspace", "gmail", "yahoo", "apple", "gmx", "proton", "fastmail", "zoho"),
    *("yandex", "mailru", "tencent", "netease", "consumer", "rackspace", "godaddy", "ionos", "ovh", "amazon"),
)
GATEWAYS: tuple[str, ...] = (
    *("proofpoint", "mimecast", "barracuda", "cisco", "symantec", "trendmicro", "sophos", "hornetsecurity"),
    *("trellix", "forcepoint", "spamexperts", "retarus", "appriver", "cloudflare"),
)

_NAME = re.compile(r"[^\s,;|]+")


def mailbox_hosts(domains: Sequence[str], mx: Sequence[str | None]) -> pa.Table:
    """One row a domain, in order: recipient_domain, host_code, gateway_code, is_shared.

    `mx` are the names of its mail exchangers, the preferred first, with blanks, commas or semicolons between; None
    where nobody knows. The codes are positions in `HOSTS` and `GATEWAYS`, NULL where no listed name fits. A domain of
    mailboxes for everybody is known without its exchangers; its recipients have nothing in common (`is_shared`).

    >>> mailbox_hosts(["acme.example", "gmail.com"], ["10 mx1.acme.iphmx.com.", None]).to_pydict()["gateway_code"]
    [3, None]
    """
    names = [_NAME.findall(text.lower()) if text else [] for text in mx]
    own = [_listed("domain").get(domain.lower()) for domain in domains]
    hosts = [found[1] if found else _of_exchangers(given, "host") for found, given in zip(own, names, strict=True)]
    gateways = [_of_exchangers(given, "gateway") for given in names]
    return pa.table(
        {
            "recipient_domain": strings(domains),
            "host_code": _codes(hosts, HOSTS),
            "gateway_code": _codes(gateways, GATEWAYS),
            "is_shared": numbers(np.array([found is not None for found in own], dtype=np.bool_)),
        }
    )


def _of_exchangers(names: Sequence[str], role: str) -> str | None:
    """The operator of the first exchanger that has this role; of its listed endings the longest counts."""
    listed = _listed("mx")
    for name in names:
        labels = name.rstrip(".").split(".")
        for first in range(len(labels) - 1):
            found = listed.get(".".join(labels[first:]))
            if found is not None:
                if found[0] == role:
                    return found[1]
                break
    return None


@cache
def _listed(match: str) -> Mapping[str, tuple[str, str]]:
    """Pattern -> role, operator."""
    return {row.pattern: (row.role, row.operator) for row in load_mailbox_hosts() if row.match == match}


def _codes(values: Sequence[str | None], names: Sequence[str]) -> pa.Array:
    codes = np.array([-1 if value is None else names.index(value) for value in values], dtype=np.int32)
    return numbers(codes, codes < 0)
