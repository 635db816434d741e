"""The lists that operators publish of their own networks: how each is recognised, and what it says.

A list is recognised by its content, never by its name. Some have a form that others have too (Google's crawlers and
Bing's; Apple's relay and every geofeed): those are told by their addresses, see `reference_update`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from features.errors import InputError
from features.reference_document import Document


@dataclass(frozen=True)
class Entry:
    """One prefix (or first-last range) of a list, as it is written there; `place` is where."""

    cidr: str
    kind: str
    operator: str
    service: str
    place: str


# The list that `clicksift discover` writes of somebody's own events, and the kind of all its networks.
SUSPECTS, SUSPECTED = "suspected-networks", "suspected_scanner"
# What a file holds: a JSON value, or rows of fields.
Content = Any
Read = Callable[[Content], Iterator[Entry]]


@dataclass(frozen=True)
class OperatorList:
    """A published list. `replaces` are the packaged sources that it stands in for; `page` is where it is published.

    `shared_form`: other lists look alike. `several`: one list comes in several files. `date` finds the day that the
    file says it is of. `evidence` is how its networks are known; `renewal` how to get it where nobody publishes it.
    """

    name: str
    publisher: str
    page: str
    fits: Callable[[Content], bool]
    read: Read
    date: Callable[[Content], str | None] = lambda content: None
    replaces: tuple[str, ...] = ()
    shared_form: bool = False
    several: bool = False
    evidence: str = "official"
    renewal: str = ""

    @property
    def again(self) -> str:
        """What to do where a file of it is no good."""
        return self.renewal or f"download it again from {self.page}"


class MisshapenError(ValueError):
    """A part of a file is not what its form asks for; the message says where and what was found."""


def content_of(document: Document) -> Content:
    """Give a JSON value, or the rows of a text of comma-separated fields.

    Raises InputError for what is neither, such as the web page that a browser saved instead of the list.
    """
    head = document.content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        raise InputError(f"{document.name}: is a web page; save the file that the page links to")
    if head.startswith(b"PK") or document.content[257:262] == b"ustar":
        raise InputError(f"{document.name}: is an archive; unpack it and name the file inside")
    try:
        text = document.content.decode("utf-8-sig")
        if head.startswith((b"{", b"[")):
            return json.loads(text)
    except UnicodeDecodeError as error:
        raise InputError(f"{document.name}: is no text (byte {error.start}); {_SUPPORTED}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{document.name}: is broken JSON ({error}); download it again") from error
    try:
        return [row for row in csv.reader(StringIO(text, newline="")) if any(field.strip() for field in row)]
    except csv.Error as error:
        raise InputError(f"{document.name}: is broken CSV ({error}); download it again") from error


def entries_of(one: OperatorList, document: Document, content: Content) -> list[Entry]:
    """Give all prefixes of a list; raises InputError where the file is not of the list's form, or holds none."""
    try:
        found = list(one.read(content))
    except MisshapenError as error:
        raise InputError(f"{document.name}: {error}; {one.again}") from error
    if not found:
        raise InputError(f"{document.name}: holds no prefix of {one.name}; {one.again}")
    return found


def fitting(content: Content) -> list[OperatorList]:
    """Give the lists whose form the content has: none, one, or those that look alike."""
    return [one for one in LISTS if one.fits(content)]


_SUPPORTED = "docs/reference.md says which lists are taken"


# Walking what somebody else wrote


def _objects(value: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the objects of an array, each with its place; MisshapenError where it is none."""
    if not isinstance(value, list):
        raise MisshapenError(f"{place} is {_found(value)}, expected an array")
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise MisshapenError(f"{place}[{number}] is {_found(item)}, expected an object")
        yield f"{place}[{number}]", item


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Give the texts of an array, each with its place; MisshapenError where it is none."""
    if not isinstance(value, list):
        raise MisshapenError(f"{place} is {_found(value)}, expected an array")
    for number, item in enumerate(value):
        yield f"{place}[{number}]", _text(item, f"{place}[{number}]")


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise MisshapenError(f"{place} is {_found(value)}, expected a text")
    return value


def _found(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "missing"}
    return names.get(type(value), "a number")


def _has(content: Content, *keys: str) -> bool:
    return isinstance(content, dict) and all(key in content for key in keys)


def _day_at(key: str) -> Callable[[Content], str | None]:
    """Give a function that takes the day out of a time under `key`: 2026-08-21-07-37-05, 2026-08-21T01:05:42."""

    def day(content: Content) -> str | None:
        found = re.match(r"\d{4}-\d\d-\d\d", str(content.get(key)))
        return found[0] if found else None

    return day


# Amazon


def _aws(content: Content) -> Iterator[Entry]:
    for key, prefix in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for place, item in _objects(content.get(key, []), key):
            cdn = str(item.get("service")).startswith("CLOUDFRONT")
            kind, service = ("cdn", "CloudFront") if cdn else ("cloud", "AWS")
            yield Entry(_text(item.get(prefix), f"{place}.{prefix}"), kind, "amazon", service, place)


# Microsoft

# The rest of some thousand tags are services inside AzureCloud, or parts of these.
_AZURE_TAGS: Mapping[str, str] = {
    "AzureCloud": "cloud",
    "AzureFrontDoor.Frontend": "cdn",
    "EOPExternalPublishedIPs": "mail_security",
    "MicrosoftCloudAppSecurity": "security_proxy",
    "MicrosoftDefenderForEndpoint": "mail_security",
    "SCCservice": "security_service",
    "Scuba": "security_service",
    "WindowsVirtualDesktop": "virtual_desktop",
}


def _azure(content: Content) -> Iterator[Entry]:
    if content.get("cloud") != "Public":
        raise MisshapenError(f"cloud is {content.get('cloud')!r}, expected the service tags of the public cloud")
    for place, item in _objects(content["values"], "values"):
        kind = _AZURE_TAGS.get(tag := str(item.get("name")))
        if kind:
            properties = item.get("properties")
            if not isinstance(properties, dict):
                raise MisshapenError(f"{place}.properties is {_found(properties)}, expected an object")
            for at, cidr in _texts(properties.get("addressPrefixes"), f"{place}.properties.addressPrefixes"):
                yield Entry(cidr, kind, "microsoft", tag, at)


_PROTECTION = re.compile(r"(\*\.)?(mail\.)?protection\.outlook\.com|(\*\.)?mx\.microsoft")


def _m365(content: Content) -> Iterator[Entry]:
    """Exchange alone: its protection services, which scan, and its mailboxes."""
    for place, item in _objects(content, "list"):
        if item.get("serviceArea") != "Exchange" or "ips" not in item:
            continue
        urls = [url for _, url in _texts(item.get("urls", []), f"{place}.urls")]
        scans = any(_PROTECTION.fullmatch(url) for url in urls)
        kind, service = (
            ("mail_security", "M365 Exchange Online Protection")
            if scans
            else ("mailbox_provider", "M365 Exchange Online")
        )
        for at, cidr in _texts(item["ips"], f"{place}.ips"):
            yield Entry(cidr, kind, "microsoft", service, at)


# Google, and the form that its lists have made common


def _prefixes(kind: str, operator: str, service: str) -> Read:
    """Give a reader of {"prefixes": [{"ipv4Prefix": …}, {"ipv6Prefix": …}]}."""

    def read(content: Content) -> Iterator[Entry]:
        for place, item in _objects(content["prefixes"], "prefixes"):
            cidr = item.get("ipv4Prefix") or item.get("ipv6Prefix")
            yield Entry(_text(cidr, f"{place}.ipv4Prefix"), kind, operator, service, place)

    return read


def _is_google_cloud(content: Content) -> bool:
    return _has(content, "creationTime", "prefixes") and "Google Cloud" in _services(content)


def _is_goog(content: Content) -> bool:
    return _has(content, "creationTime", "prefixes", "syncToken") and not _services(content)


def _is_crawler(content: Content) -> bool:
    return _has(content, "creationTime", "prefixes") and "syncToken" not in content


def _services(content: Content) -> set[str]:
    prefixes = content["prefixes"]
    listed = prefixes if isinstance(prefixes, list) else []
    return {str(item["service"]) for item in listed if isinstance(item, dict) and "service" in item}


# Others


def _apple(content: Content) -> Iterator[Entry]:
    for number, row in enumerate(content, 1):
        yield Entry(row[0], "privacy_relay", "apple", "iCloud Private Relay egress", f"row {number}")


def _is_geofeed(content: Content) -> bool:
    """RFC 8805: prefix, country, region, city, and a postal code that nobody fills."""
    first = content[0] if _is_rows(content) else []
    return 4 <= len(first) <= 5 and "/" in first[0] and len(first[1]) in (0, 2)


def _cloudflare(content: Content) -> Iterator[Entry]:
    if isinstance(content, dict):
        for family in ("ipv4_cidrs", "ipv6_cidrs"):
            for place, cidr in _texts(content["result"].get(family), f"result.{family}"):
                yield Entry(cidr, "cdn_relay", "cloudflare", "edge", place)
        return
    for number, row in enumerate(content, 1):
        yield Entry(row[0].strip(), "cdn_relay", "cloudflare", "edge", f"row {number}")


def _is_cloudflare(content: Content) -> bool:
    """One prefix a line, or the answer of its API."""
    if isinstance(content, dict):
        return _has(content.get("result"), "ipv4_cidrs", "ipv6_cidrs")
    return _is_rows(content) and all(len(row) == 1 for row in content) and "/" in content[0][0]


def _fastly(content: Content) -> Iterator[Entry]:
    for key in ("addresses", "ipv6_addresses"):
        for place, cidr in _texts(content[key], key):
            yield Entry(cidr, "cdn_relay", "fastly", "edge", place)


def _oracle(content: Content) -> Iterator[Entry]:
    for region, listed in _objects(content["regions"], "regions"):
        for place, item in _objects(listed.get("cidrs"), f"{region}.cidrs"):
            yield Entry(_text(item.get("cidr"), f"{place}.cidr"), "cloud", "oracle", "OCI", place)


def _zscaler(content: Content) -> Iterator[Entry]:
    """A cloud holds continents, those hold cities, and those a list of nodes; a continent without cities is [].

    Beside the cloud stand its VPN addresses, which are inside the nodes' ranges.
    """
    for cloud, continents in content.items():
        for continent, cities in _members(continents, cloud) if isinstance(continents, dict) else ():
            for city, nodes in _members(cities, f"{cloud}.{continent}"):
                for place, node in _objects(nodes, f"{cloud}.{continent}.{city}"):
                    cidr = _text(node.get("range"), f"{place}.range")
                    if cidr:
                        yield Entry(cidr, "security_proxy", "zscaler", "ZIA enforcement node", place)


# What `clicksift discover` writes: one row a prefix, and rows of agents and domains, which have none.
SUSPECTS_HEADER = ("cidr", "kind", "operator", "service", "evidence", "source", "source_date")


def _suspects(content: Content) -> Iterator[Entry]:
    for number, row in enumerate(content[1:], 2):
        cells = dict(zip(content[0], row, strict=False))
        if cells.get("kind") != SUSPECTED:
            raise MisshapenError(f"row {number}: kind is {cells.get('kind')!r}, expected {SUSPECTED}")
        if cells["cidr"]:
            yield Entry(cells["cidr"], SUSPECTED, "", cells.get("service", ""), f"row {number}")


def _suspects_day(content: Content) -> str | None:
    place = SUSPECTS_HEADER.index("source_date")
    return max((row[place] for row in content[1:] if len(row) > place), default=None)


def _is_suspects(content: Content) -> bool:
    return _is_rows(content) and tuple(content[0][: len(SUSPECTS_HEADER)]) == SUSPECTS_HEADER


def _members(value: Any, place: str) -> Iterable[tuple[str, Any]]:
    if value == []:
        return ()
    if not isinstance(value, dict):
        raise MisshapenError(f"{place} is {_found(value)}, expected an object")
    return value.items()


def _is_zscaler(content: Content) -> bool:
    clouds = [part for part in content.values() if isinstance(part, dict)] if isinstance(content, dict) else []
    return bool(clouds) and all(any(key.startswith("continent") for key in cloud) for cloud in clouds)


def _is_m365(content: Content) -> bool:
    return isinstance(content, list) and bool(content) and _has(content[0], "serviceArea", "id")


def _is_rows(content: Content) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(row, list) and row for row in content)


def _crawler(name: str, publisher: str, page: str, read: Read, *replaces: str) -> OperatorList:
    day = _day_at("creationTime")
    return OperatorList(name, publisher, page, _is_crawler, read, day, replaces, shared_form=True)


_GOOGLE_CRAWLERS = "https://developers.google.com/search/docs/crawling-indexing/verifying-googlebot"
_GOOGLE_RANGES = "https://support.google.com/a/answer/10026322"

LISTS: tuple[OperatorList, ...] = (
    OperatorList(
        "aws-ip-ranges",
        "AWS",
        "https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html",
        lambda content: _has(content, "createDate", "prefixes"),
        _aws,
        _day_at("createDate"),
    ),
    OperatorList(
        "azure-service-tags",
        "Microsoft",
        "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
        lambda content: _has(content, "changeNumber", "values"),
        _azure,
        replaces=("azure-service-tags",),
    ),
    OperatorList(
        "m365-endpoints",
        "Microsoft",
        "https://learn.microsoft.com/en-us/microsoft-365/enterprise/microsoft-365-ip-web-service",
        _is_m365,
        _m365,
        replaces=("m365-endpoints",),
    ),
    _crawler(
        "microsoft-bingbot",
        "Microsoft",
        "https://www.bing.com/webmasters/help/how-to-verify-bingbot-3905dc26",
        _prefixes("crawler", "microsoft", "bingbot"),
        "ipranges-bing",
    ),
    OperatorList(
        "google-goog",
        "Google",
        _GOOGLE_RANGES,
        _is_goog,
        _prefixes("cloud_mailbox", "google", "all of Google"),
        _day_at("creationTime"),
    ),
    OperatorList(
        "google-cloud",
        "Google",
        _GOOGLE_RANGES,
        _is_google_cloud,
        _prefixes("cloud", "google_cloud", "Google Cloud"),
        _day_at("creationTime"),
    ),
    _crawler(
        "google-googlebot",
        "Google",
        _GOOGLE_CRAWLERS,
        _prefixes("crawler", "google", "googlebot"),
        "google-googlebot.json",
    ),
    _crawler(
        "google-special-crawlers",
        "Google",
        _GOOGLE_CRAWLERS,
        _prefixes("crawler", "google", "special-crawlers"),
        "google-googlesc.json",
    ),
    _crawler(
        "google-user-triggered-fetchers",
        "Google",
        _GOOGLE_CRAWLERS,
        _prefixes("fetcher", "google", "user-triggered-fetchers"),
        "google-googleutf.json",
    ),
    _crawler(
        "apple-applebot",
        "Apple",
        "https://support.apple.com/en-us/119829",
        _prefixes("crawler", "apple", "applebot"),
        "goodbots-applebot",
    ),
    OperatorList(
        "apple-egress-ip-ranges",
        "Apple",
        "https://developer.apple.com/icloud/prepare-your-network-for-icloud-private-relay/",
        _is_geofeed,
        _apple,
        replaces=("ipranges-apple-proxy",),
        shared_form=True,
    ),
    OperatorList(
        "cloudflare-ips",
        "Cloudflare",
        "https://www.cloudflare.com/ips/",
        _is_cloudflare,
        _cloudflare,
        shared_form=True,
        several=True,
    ),
    OperatorList(
        "fastly-public-ip-list",
        "Fastly",
        "https://www.fastly.com/documentation/reference/api/utils/public-ip-list/",
        lambda content: _has(content, "addresses", "ipv6_addresses"),
        _fastly,
    ),
    OperatorList(
        "zscaler-cenr",
        "Zscaler",
        "https://config.zscaler.com/zscaler.net/cenr",
        _is_zscaler,
        _zscaler,
        replaces=("zscaler-cenr",),
        several=True,
    ),
    OperatorList(
        "oracle-public-ip-ranges",
        "Oracle",
        "https://docs.oracle.com/en-us/iaas/Content/General/Concepts/addressranges.htm",
        lambda content: _has(content, "last_updated_timestamp", "regions"),
        _oracle,
        _day_at("last_updated_timestamp"),
    ),
    OperatorList(
        SUSPECTS,
        "you",
        "clicksift discover",
        _is_suspects,
        _suspects,
        _suspects_day,
        several=True,
        evidence="observed",
        renewal="write it again with clicksift discover",
    ),
)
BY_NAME: Mapping[str, OperatorList] = {one.name: one for one in LISTS}
