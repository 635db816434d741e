"""Mail-security vendors: what is published of each, and the habits that a world draws for it.

The habits are wide for every vendor: most of what is known was seen once, by one sender.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.ranges import Choice, Range, Sometimes, Spread, draw, varies
from training.world import Profile

# Seconds between two links of one scan: all at once (MillionSend: within a few ms), one by one, over hours.
SPACING_S: Mapping[str, tuple[float, float]] = {
    "parallel": (0.0005, 0.05),
    "quick": (0.05, 2.0),
    "in turn": (1.0, 30.0),
    "minutes": (30.0, 600.0),
    "hours": (600.0, 5_000.0),
}


@dataclass(frozen=True)
class Scanner:
    """One vendor's habits in one world; shares are between 0 and 1, delays count from the mail's arrival."""

    kind: str
    coverage: float = varies(Sometimes(0.35, Range(0.05, 0.85), Range(0.85, 1.0)))  # of messages
    # Craft Campaign 546: median 43 s, 0.5 % within 10 s; GoPhish 1555: 1-3 s; quarantine: half an hour.
    delay_s: float = varies(Range(1, 600, log=True))
    delay_sigma: float = varies(Range(0.2, 1.4))
    early_share: float = varies(Sometimes(0.25, Range(0.05, 0.9)))  # scanned before the mailbox takes the mail
    early_s: float = varies(Range(0.2, 90, log=True))
    batch_s: float = varies(Sometimes(0.1, Range(20, 1_800, log=True)))  # an organisation's mail in rounds, 0 for none
    late_share: float = varies(Sometimes(0.5, Range(0.005, 0.25)))
    late_h: float = varies(Range(0.5, 36, log=True))
    opens: str = varies(Choice(("never", "first", "after", "alone"), (0.4, 0.35, 0.1, 0.15)))
    open_share: float = varies(Range(0.3, 1.0))
    open_gap_s: float = varies(Range(0.02, 60, log=True))  # Craft Campaign 546: the burst 33 s after the pixel
    same_agent_opens: bool = varies(Choice((True, False), (0.7, 0.3)))  # warmbly 410: two agents on one address
    links: str = varies(Choice(("all", "first", "some", "one"), (0.5, 0.15, 0.2, 0.15)))
    first_links: int = varies(Range(1, 5, whole=True))
    some_share: float = varies(Range(0.1, 0.9))
    skips_unsubscribe: bool = varies(Choice((True, False), (0.35, 0.65)))
    skips_honeypot: bool = varies(Choice((True, False), (0.25, 0.75)))
    partial_share: float = varies(Sometimes(0.4, Range(0.02, 0.6)))  # scans that stop early
    spacing: str = varies(Choice(tuple(SPACING_S), (0.38, 0.27, 0.2, 0.1, 0.05)))
    order: str = varies(Choice(("mail", "shuffled", "reversed"), (0.55, 0.4, 0.05)))
    repeats: float = varies(Sometimes(0.3, Range(0.05, 0.8)))  # links fetched a second time
    passes: int = varies(Choice((1, 2, 3), (0.75, 0.18, 0.07)))  # whole scans, each from another address and agent
    pass_gap_s: float = varies(Range(0.5, 900, log=True))
    method: str = varies(Choice(("get", "head", "head then get", "mixed"), (0.6, 0.1, 0.18, 0.12)))
    pool: int = varies(Range(1, 500, log=True, whole=True))  # addresses
    blocks: int = varies(Range(1, 40, log=True, whole=True))
    address_per: str = varies(Choice(("message", "link", "organisation"), (0.5, 0.35, 0.15)))
    ipv6: float = varies(Sometimes(0.15, Range(0.05, 0.9)))
    agents: str = varies(
        Choice(
            ("current", "lagging", "several", "any", "blank", "library", "odd", "phones"),
            (0.25, 0.3, 0.17, 0.1, 0.06, 0.05, 0.04, 0.03),
        )
    )
    agent_per: str = varies(Choice(("message", "link"), (0.75, 0.25)))
    lag: int = varies(Range(1, 50, whole=True))
    blank_share: float = varies(Sometimes(0.15, Range(0.03, 0.5)))
    cached_share: float = varies(Sometimes(0.25, Range(0.3, 1.0)))  # scans spared once an organisation's link is known
    cached_after: int = varies(Range(1, 5, whole=True))
    rescan_share: float = varies(Sometimes(0.35, Range(0.005, 0.25)))  # investigations hours and days later
    rescan_h: float = varies(Range(2, 96, log=True))
    check_share: float = varies(Sometimes(0.35, Range(0.1, 1.0)))  # of people's clicks: checked as they happen
    check_gap_s: float = varies(Range(0.1, 15, log=True))
    check_before: float = varies(Range(0.5, 1.0))
    networks: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class Vendor:
    """What is known of a kind of gateway before a world draws its habits."""

    weight: float
    networks: Mapping[str, float]
    habits: Mapping[str, Spread]


_AWS = {"as:16509": 0.4, "as:14618": 0.2}
_LIKE_PEOPLE: Mapping[str, Spread] = {
    "delay_s": Range(60, 20_000, log=True),
    "delay_sigma": Range(0.8, 2.0),
    "early_share": Choice((0.0,)),
    "links": Choice(("one", "first"), (0.7, 0.3)),
    "first_links": Range(1, 2, whole=True),
    "spacing": Choice(("in turn", "minutes")),
    "agents": Choice(("current", "any", "phones"), (0.6, 0.2, 0.2)),
    "method": Choice(("get",)),
    "opens": Choice(("first", "never")),
    "open_gap_s": Range(3, 60, log=True),
    "pool": Range(50, 500, log=True, whole=True),
    "blocks": Range(20, 200, log=True, whole=True),
    "skips_unsubscribe": Choice((True,)),
}
VENDORS: Mapping[str, Vendor] = {
    "safe links": Vendor(
        5.0,
        {"listed:mail_security/microsoft": 1.0, "as:8075": 1.2},
        {
            "agents": Choice(("lagging", "several", "current", "blank", "any"), (0.4, 0.25, 0.15, 0.1, 0.1)),
            "check_share": Sometimes(0.6, Range(0.1, 1.0)),
            "passes": Choice((1, 2, 3), (0.55, 0.3, 0.15)),
        },
    ),
    "proofpoint": Vendor(2.5, {"listed:mail_security/proofpoint": 1.0, "as:22843": 0.4, "as:26211": 0.4, **_AWS}, {}),
    "barracuda": Vendor(
        2.0,
        {"listed:mail_security/barracuda": 1.0, "as:15324": 0.3, **_AWS},
        {
            "links": Choice(("all", "first", "some"), (0.45, 0.4, 0.15)),
            "first_links": Choice((1, 1, 2)),
        },  # Act-On
    ),
    "mimecast": Vendor(2.0, {"listed:mail_security/mimecast": 1.0, "as:30031": 0.4, "as:42427": 0.3, **_AWS}, {}),
    "cisco": Vendor(1.5, {"listed:mail_security/cisco": 1.0, "as:16417": 0.5, **_AWS}, {}),
    "trend micro": Vendor(1.0, {"listed:mail_security/trendmicro": 1.0, "as:16880": 0.3, **_AWS}, {}),
    "sophos": Vendor(0.8, {"listed:mail_security/sophos": 0.6, **_AWS, "as:8075": 0.3}, {}),
    "symantec": Vendor(0.8, {"listed:mail_security/symantec": 1.0, "as:396982": 0.3, **_AWS}, {}),
    "fortinet": Vendor(0.6, {"as:40934": 0.8, "listed:security_vendor/fortinet": 0.5, "category:hosting": 0.3}, {}),
    "hornetsecurity": Vendor(0.5, {"listed:mail_security/hornetsecurity": 1.0, "as:24940": 0.3}, {}),
    "trellix": Vendor(0.4, {"listed:mail_security/trellix": 1.0, **_AWS}, {}),
    "cloud": Vendor(
        2.5,
        {
            "as:16509": 1.0,
            "as:14618": 0.7,
            "as:8075": 0.8,
            "as:396982": 0.8,
            "as:31898": 0.4,
            "as:36351": 0.2,
        },
        {},
    ),
    "hosting": Vendor(
        1.5, {"category:hosting": 1.0, "as:24940": 0.6, "as:16276": 0.6, "as:14061": 0.6, "as:63949": 0.4}, {}
    ),
    "cogent": Vendor(0.4, {"as:174": 1.0, "as:3356": 0.6, "category:unlisted": 0.5}, {}),  # onetimesecret 359
    "on premises": Vendor(1.0, {"own": 1.0}, {"address_per": Choice(("organisation", "message"))}),
    "residential": Vendor(
        1.0,
        {"category:consumer_isp": 1.0, "category:mobile_or_isp": 0.5, "category:unlisted": 0.4},
        _LIKE_PEOPLE,
    ),
    "proxied": Vendor(
        0.5,
        {"category:vpn": 0.5, "category:consumer_isp": 1.0, "as:212238": 0.5},
        {"pool": Range(100, 2_000)},
    ),
}


def hire(rng: Generator, kinds: int, profile: Profile) -> tuple[list[Scanner], NDArray[np.float64]]:
    """Draw the scanners of a world and how common each is; a kind may come twice, with other habits."""
    names = list(VENDORS)
    prior = np.array([profile.weights.get(n, 1.0) * VENDORS[n].weight for n in names]) * rng.lognormal(
        0, 0.7, len(names)
    )
    chosen = rng.choice(len(names), kinds, p=prior / prior.sum())
    scanners = []
    for i in chosen:
        vendor = VENDORS[names[i]]
        networks, shares = _networks(rng, vendor)
        # What sets a vendor apart outranks the profile: a stealthy scanner stays one.
        narrower = {**profile.scanner, **vendor.habits}
        scanners.append(draw(Scanner, rng, narrower, kind=names[i], networks=networks, shares=shares))
    return scanners, np.sqrt([VENDORS[s.kind].weight for s in scanners]) * rng.lognormal(0, 0.8, kinds)


def _networks(rng: Generator, vendor: Vendor) -> tuple[tuple[str, ...], tuple[float, ...]]:
    names, weight = np.array(list(vendor.networks), object), np.array(list(vendor.networks.values()))
    n = min(len(names), int(rng.choice((1, 2, 3), p=(0.45, 0.35, 0.2))))
    chosen = rng.choice(len(names), n, replace=False, p=weight / weight.sum())
    return tuple(names[chosen]), tuple(rng.dirichlet(np.ones(n) * 1.5))
