"""The world of one simulated sender: every habit of platform, audience, people and machines, drawn afresh.

The ranges come from what has been published about scanners and readers (the source stands beside the field)
and are drawn independently of each other: a model that learns on many worlds has to find what they share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from training.ranges import Choice, Range, Sometimes, Spread, varies


@dataclass(frozen=True)
class World:
    """What holds for a whole export; units stand in the names, shares are between 0 and 1."""

    # The platform: what its export holds, and how finely.
    precision: str = varies(Choice(("s", "ms", "us"), (0.35, 0.45, 0.2)))  # half of 25 platforms give seconds
    delivered_precision: str = varies(Choice(("same", "s"), (0.8, 0.2)))
    delivered_events: bool = varies(Choice((True, False), (0.8, 0.2)))
    delivered_share: float = varies(Sometimes(0.3, Range(0.6, 0.999), 1.0))  # webhooks get lost
    opens: bool = varies(Choice((True, False), (0.93, 0.07)))  # some senders track clicks alone
    methods: bool = varies(Choice((True, False)))  # only access logs and a few trackers keep the method
    campaign_times: bool = varies(Choice((True, False), (0.88, 0.12)))
    campaign_links: bool = varies(Choice((True, False), (0.85, 0.15)))
    link_positions: bool = varies(Choice((True, False), (0.25, 0.75)))  # as SendGrid and Iterable give them
    url_style: str = varies(Choice(("shared", "query token", "unsubscribe token"), (0.65, 0.12, 0.23)))
    unsubscribe_tracked: bool = varies(Choice((True, False), (0.6, 0.4)))
    unsubscribe_event_url: bool = varies(Choice((True, False)))
    unsubscribe_on_get: float = varies(Sometimes(0.5, Range(0.3, 1.0)))  # else a page asks for confirmation
    missing_address: float = varies(Sometimes(0.2, Range(0.0, 0.02)))
    missing_agent: float = varies(Sometimes(0.4, Range(0.0, 0.015)))
    ordered_rows: bool = varies(Choice((True, False), (0.8, 0.2)))

    # The mailings.
    campaigns: int = varies(Range(1, 20, log=True, whole=True))
    span_days: float = varies(Range(1, 28, log=True))
    export_days: float = varies(Range(2, 14))  # how long the export runs on after the last mailing
    chrome: int = varies(Range(90, 145, whole=True))  # the newest Chrome, which dates the world: 2021-04 to 2026-02
    reach: float = varies(Range(0.3, 1.0))  # share of the list that each mailing goes to
    links: float = varies(Range(1, 25, log=True))  # median number of links of a mailing
    links_sigma: float = varies(Range(0.0, 0.8))
    popularity: float = varies(Range(0.0, 1.8))  # exponent of Zipf's law over the links
    honeypot_share: float = varies(Sometimes(0.55, Range(0.1, 1.0)))  # of the mailings
    queue_s: float = varies(Range(5, 10_800, log=True))  # dispatch of one mailing, first message to last
    deferred_share: float = varies(Range(0.0, 0.08))  # greylisting and full queues: minutes to hours late
    delivered_lag_s: float = varies(Sometimes(0.4, Range(1, 60, log=True), Range(0.01, 1.0, log=True)))

    # The audience.
    business_share: float = varies(Range(0.02, 0.98))  # recipients at organisations; the rest at mailbox providers
    organisation_tail: float = varies(Range(0.55, 1.8))  # Pareto exponent of the sizes: small is heavy-tailed
    organisation_limit: int = varies(Range(60, 5_000, log=True, whole=True))
    gateway_share: float = varies(Range(0.05, 0.9))  # of the organisations
    layered_share: float = varies(Sometimes(0.6, Range(0.02, 0.4)))  # two scanners on one organisation
    consumer_scan_share: float = varies(Sometimes(0.4, Range(0.02, 0.5)))  # mailbox providers that scan
    gateway_kinds: int = varies(Range(2, 14, whole=True))
    # Of all clicks. Published shares run from 3 % (Marketo) over 65 % (Omeda) to more than 90 % (Omnivery).
    automated_clicks: float = varies(Sometimes(0.5, Range(0.6, 0.95), Range(0.05, 0.6)))
    # Where fewer scans than that are wanted: by fewer gateways (1) or by gateways that read less (0).
    unprotected: float = varies(Range(0.0, 1.0))

    # Machines that fetch on somebody's behalf.
    mpp_share: float = varies(Sometimes(0.85, Range(0.03, 0.6)))  # recipients with Apple's mail privacy
    mpp_minute_share: float = varies(Range(0.0, 0.5))  # prefetched within a minute or so; the rest up to a day
    mpp_bare_agent: float = varies(Range(0.8, 1.0))
    gmail_prefetch_share: float = varies(Sometimes(0.7, Range(0.003, 0.08)))  # 1-6 % of Gmail opens (SparkPost)
    preview_share: float = varies(Sometimes(0.7, Range(0.003, 0.06)))  # of people's clicks: the link is shared
    endpoint_share: float = varies(Sometimes(0.45, Range(0.01, 0.35)))  # organisations with agents on the machines
    crawler_share: float = varies(Sometimes(0.5, Range(0.0003, 0.01)))  # messages met by other automation

    # People: how they read.
    read_median_h: float = varies(Range(0.08, 9.0, log=True))  # SendGrid: 3.7 h on phones, 4.5 h on desktops
    read_sigma: float = varies(Range(1.1, 2.3))
    # Readings that begin within the first minute: few in newsletters, many in mails that somebody waits for.
    instant_share: float = varies(Sometimes(0.15, Range(0.1, 0.6), Range(0.0, 0.1)))
    night_share: float = varies(Range(0.2, 1.0))  # night readings that wait for the morning
    image_blocking: float = varies(Range(0.02, 0.65))
    late_images: float = varies(Range(0.0, 0.08))  # opens that come after a minute: images shown on demand
    reopens: float = varies(Range(0.0, 0.5))  # opens that are followed by another
    click_share: float = varies(Range(0.05, 0.6))  # readings that click
    open_to_click_s: float = varies(Range(3, 60, log=True))  # median reading time
    fast_people: float = varies(Sometimes(0.7, Range(0.01, 0.15)))  # who click within a second or three
    next_link_s: float = varies(Range(3, 90, log=True))
    more_links: float = varies(Range(0.03, 0.45))  # chance of one more link after each
    tab_openers: float = varies(Sometimes(0.7, Range(0.005, 0.12)))
    tab_gap_s: float = varies(Range(0.1, 1.2, log=True))  # median between the tabs that are opened in one go
    double_clicks: float = varies(Sometimes(0.7, Range(0.003, 0.08)))
    revisits: float = varies(Range(0.0, 0.15))
    second_device: float = varies(Range(0.0, 0.2))
    forwards: float = varies(Sometimes(0.8, Range(0.003, 0.06)))
    qa_testers: float = varies(Sometimes(0.7, Range(0.0003, 0.012)))  # of recipients: colleagues of the sender
    honeypot_people: float = varies(Sometimes(0.15, Range(0.0005, 0.004)))  # text mode shows the hidden link
    unsubscribes: float = varies(Range(0.0005, 0.02))  # of readings
    one_click_share: float = varies(Range(0.0, 0.8))  # of unsubscribes at the large mailbox providers

    # People: from where and with what.
    phones: float = varies(Range(0.05, 0.85))
    ipv6: float = varies(Range(0.0, 0.6))
    systems: int = varies(Range(2, 12, whole=True))  # main consumer networks
    carrier_pool: int = varies(Range(20, 4_000, log=True, whole=True))  # addresses that one carrier's users share
    office_addresses: int = varies(Range(1, 6, whole=True))  # per organisation
    proxied_offices: float = varies(Sometimes(0.8, Range(0.02, 0.35)))  # security proxy (Zscaler and the like)
    desktop_offices: float = varies(Sometimes(0.7, Range(0.01, 0.2)))  # virtual desktops in a data centre
    shared_egress: float = varies(Range(0.0, 0.5))  # proxied and virtual offices that share one pool
    vpn_people: float = varies(Sometimes(0.8, Range(0.005, 0.1)))
    relay_people: float = varies(Sometimes(0.8, Range(0.01, 0.4)))  # of Apple users: iCloud Private Relay
    shared_lines: float = varies(Range(0.0, 0.2))  # offices of several organisations behind one address
    address_churn: float = varies(Range(0.0, 0.2))  # clicks on phones that have changed network since
    managed_browsers: float = varies(Range(0.0, 0.4))  # organisations where all machines run one build
    outlook_proxy: float = varies(Sometimes(0.4, Range(0.05, 0.6)))  # Outlook on the web loads images itself
    own_programs: float = varies(Range(0.05, 0.6))  # Gmail and Yahoo users who read elsewhere
    webviews: float = varies(Range(0.0, 0.3))
    agent_menu: int = varies(Sometimes(0.25, Range(3, 25, log=True, whole=True), 0))  # agents in all; 0: no limit
    # Chance that a browser is on the newest version left to it.
    update_speed: float = varies(Range(0.15, 0.85))
    stragglers: float = varies(Range(0.01, 0.2))
    time_zone_h: float = varies(Range(-8, 11))
    time_zone_spread_h: float = varies(Range(0, 4))


@dataclass(frozen=True)
class Profile:
    """Narrower ranges for the fields of the world, its scanners, and the weights of the kinds of gateway."""

    world: Mapping[str, Spread] = field(default_factory=dict)
    scanner: Mapping[str, Spread] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


ANYTHING = Profile()
ORDINARY = Profile(
    world={
        "layered_share": Range(0.0, 0.03),
        "consumer_scan_share": Range(0.0, 0.05),
        "endpoint_share": Range(0.0, 0.02),
        "desktop_offices": Range(0.0, 0.04),
        "proxied_offices": Range(0.02, 0.12),
        "delivered_events": Choice((True,)),
        "delivered_lag_s": Range(0.01, 1.0),
        "links": Range(4, 12),
        "tab_openers": Range(0.0, 0.03),
        "automated_clicks": Range(0.4, 0.75),
        "missing_address": Choice((0.0,)),
    },
    scanner={
        "coverage": Range(0.85, 1.0),
        "early_share": Choice((0.0,)),
        "late_share": Range(0.0, 0.03),
        "partial_share": Range(0.0, 0.1),
        "cached_share": Choice((0.0,)),
        "rescan_share": Range(0.0, 0.03),
        "spacing": Choice(("parallel", "quick"), (0.6, 0.4)),
    },
    weights={"residential": 0.0, "on premises": 0.2},
)
HARD = Profile(
    world={
        "layered_share": Range(0.15, 0.5),
        "endpoint_share": Range(0.1, 0.35),
        "desktop_offices": Range(0.1, 0.3),
        "proxied_offices": Range(0.1, 0.35),
        "delivered_lag_s": Range(1, 60, log=True),
        "tab_openers": Range(0.03, 0.12),
        "fast_people": Range(0.05, 0.15),
        "forwards": Range(0.02, 0.06),
        "gateway_kinds": Range(8, 14, whole=True),
    },
    scanner={
        "early_share": Sometimes(0.6, Range(0.1, 0.8)),
        "late_share": Range(0.02, 0.25),
        "partial_share": Sometimes(0.6, Range(0.2, 0.8)),
        "cached_share": Sometimes(0.5, Range(0.5, 1.0)),
        "rescan_share": Range(0.02, 0.3),
    },
    weights={"residential": 2.0, "on premises": 2.0},
)
PROFILES: Mapping[str, Profile] = MappingProxyType({"anything": ANYTHING, "ordinary": ORDINARY, "hard": HARD})
