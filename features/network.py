"""Where from: what is published about the client's address, and whether the message saw it before."""

from __future__ import annotations

from features.facts import LOOK_BACK
from features.feature import Capability, Feature, Stage

STAGES: tuple[Stage, ...] = (
    Stage(
        "network_visits",
        f"""
        SELECT
            event_row,
            max(CASE WHEN kind = 0 THEN us END) OVER earlier AS last_open_us,
            max(CASE WHEN kind > 0 THEN us END) OVER earlier AS last_click_us
        FROM facts
        WHERE net IS NOT NULL
        WINDOW earlier AS (PARTITION BY msg, net ORDER BY us RANGE BETWEEN {LOOK_BACK} PRECEDING AND 1 PRECEDING)
        """,
    ),
)

_ADDRESS: frozenset[Capability] = frozenset({"address"})
_ITSELF = "the event itself"

FEATURES: tuple[Feature, ...] = (
    Feature(
        "network_kind",
        "network",
        "a.kind_code",
        "code",
        "Kind of the listed prefix that holds the address (mail security, image proxy, privacy relay, …);"
        " NULL where no listed prefix does.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "network_operator",
        "network",
        "a.operator_code",
        "code",
        "Operator of that prefix, or of the AS where it is a security vendor's; NULL where neither is listed.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "network_evidence",
        "network",
        "a.evidence_code",
        "code",
        "How the listed prefix is known: the operator's own list, its help page, its SPF record, routes, trackers.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "as_category",
        "network",
        "a.category_code",
        "code",
        "Category of the autonomous system (cloud, hosting, mobile, consumer, …); NULL where it is not known.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "as_category_weak",
        "network",
        "CAST(a.category_weak AS INTEGER)",
        "flag",
        "1 where that category was read from the name of the AS alone.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "as_unknown",
        "network",
        "CASE WHEN a.address_id IS NULL THEN NULL WHEN a.asn IS NULL THEN 1 ELSE 0 END",
        "flag",
        "1 where no AS announces the address; NULL without an address.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature(
        "network_rank",
        "network",
        "a.rank",
        "code",
        "0 where people connect from (consumer, mobile, office), 2 a scanner's network or a data centre, 1 neither.",
        _ITSELF,
        _ADDRESS,
    ),
    Feature("ipv6", "network", "CAST(a.ipv6 AS INTEGER)", "flag", "1 for an IPv6 address.", _ITSELF, _ADDRESS),
    Feature(
        "since_network_open_s",
        "network",
        "(f.us - v.last_open_us) / 1000000.0",
        "s",
        "Seconds since the message was opened from the same network; NULL where it was not.",
        "7 days back",
        _ADDRESS,
    ),
    Feature(
        "since_network_click_s",
        "network",
        "(f.us - v.last_click_us) / 1000000.0",
        "s",
        "Seconds since a link of the message was clicked from the same network; NULL where none was.",
        "7 days back",
        _ADDRESS,
    ),
)
