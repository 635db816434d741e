"""What training labels said of an event's network, system, agent and domain, and who filters its mail, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from features.mailbox_host import GATEWAYS, HOSTS
from serving.reason import Case, Reason, chosen
from serving.reputation import AGENT, ASN, DOMAIN, KINDS, NETWORK

HOST_NAMES: Mapping[str, str] = {
    "microsoft365": "Microsoft 365",
    "outlook": "Outlook.com",
    "google_workspace": "Google Workspace",
    "gmail": "Gmail",
    "yahoo": "Yahoo",
    "apple": "iCloud",
    "gmx": "GMX",
    "proton": "Proton",
    "fastmail": "Fastmail",
    "zoho": "Zoho",
    "yandex": "Yandex",
    "mailru": "Mail.ru",
    "tencent": "Tencent",
    "netease": "NetEase",
    "consumer": "an internet provider",
    "rackspace": "Rackspace",
    "godaddy": "GoDaddy",
    "ionos": "IONOS",
    "ovh": "OVH",
    "amazon": "Amazon",
}
_WHOSE: Mapping[str, str] = {
    NETWORK: "this network",
    ASN: "this network''s operator",
    AGENT: "this agent",
    DOMAIN: "this domain",
}


def _strongest(sign: str) -> Iterator[Case]:
    """One case for each kind, where its reputation is the furthest on this side (`sign` as in > or <)."""
    for kind in KINDS:
        column = f"q.{kind}_reputation"
        others = [f"{column} {sign}= coalesce(q.{other}_reputation, 0)" for other in KINDS if other != kind]
        words = (
            f"'{_WHOSE[kind]}: ' || reason_percent(q.{kind}_share) || ' of '"
            f" || format('{{:,}}', q.{kind}_messages) || ' messages automated in the training labels'"
        )
        yield " AND ".join([f"{column} {sign} 0", *others]), words


def _named(column: str, words: str, names: Sequence[str]) -> Case:
    listed = " ".join(f"WHEN {code} THEN {name}" for code, name in enumerate(names))
    return f"{column} IS NOT NULL", f"'{words} ' || CASE CAST({column} AS INTEGER) {listed} END"


_MAIL = chosen(
    _named("q.mailbox_gateway", "mail of this domain passes", [f"reason_owner('{name}')" for name in GATEWAYS]),
    _named("q.mailbox_host", "mailboxes of this domain are at", [f"'{HOST_NAMES[name]}'" for name in HOSTS]),
)

REPUTATIONS: tuple[Reason, ...] = (
    Reason(
        "training labels",
        tuple(f"{kind}_reputation" for kind in KINDS),
        chosen(*_strongest(">")),
        chosen(*_strongest("<")),
    ),
    Reason("mailbox of the domain", ("mailbox_host", "mailbox_gateway"), _MAIL, _MAIL),
)
