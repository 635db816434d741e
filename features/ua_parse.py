"""What sent a user agent: kind, family, system, engine. Done once per distinct agent.

The mail world's own agents (`data/agents.csv`) are asked first: no library knows that Gmail's image proxy is
a person's open or that a bare "Mozilla/5.0" is Apple's. ua-parser names browsers and systems of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import ua_parser
from ua_parser import Domain, PartialResult

from features import reference
from features.arrow_columns import NUMPY_TYPES, numbers, strings

# Models hold positions of these tuples: names are only ever appended.
KINDS: tuple[str, ...] = (
    "browser",
    "mail_client",
    "http_client",
    "headless",
    "security_scanner",
    "image_proxy",
    "apple_mpp",
    "gmail_prefetch",
    "link_preview",
    "crawler",
    "other",
    "ai_crawler",
    "fetcher",
    "internet_scanner",
    "mail_server",
    "proxy",
)
FAMILIES: tuple[str, ...] = (
    *(
        "chrome",
        "edge",
        "firefox",
        "safari",
        "samsung",
        "opera",
        "ie",
        "outlook",
        "apple_mail",
        "thunderbird",
    ),
    *("android_webview", "ios_webview", "gmail", "yahoo", "in_app", "other"),
)
OS_FAMILIES: tuple[str, ...] = ("windows", "macos", "ios", "android", "linux", "chromeos", "other")
DEVICES: tuple[str, ...] = ("desktop", "mobile", "tablet", "other")
ENGINES: tuple[str, ...] = ("chromium", "firefox", "safari")

# Agents of these kinds describe a machine somebody could sit at. The others' browser names are decoration:
# GoogleImageProxy's "Firefox/11.0" would pass for the Firefox that people use.
DESCRIBING_KINDS = frozenset({"browser", "mail_client", "headless", "security_scanner", "other"})

_LONGEST = 2_000  # characters looked at; browsers stay below 500, and every rule below is linear in them

_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
}
# Robots nobody listed. CUBOT is a maker of telephones.
_ROBOT = re.compile(r"(?<!cu)bot(?![a-z])|(?:crawler|spider)(?![a-z])|\+https?://")

_FAMILY: Mapping[str, str] = {
    **dict.fromkeys(("Chrome", "Chrome Mobile", "Chrome Mobile iOS", "Chromium", "HeadlessChrome"), "chrome"),
    **dict.fromkeys(("Edge", "Edge Mobile"), "edge"),
    **dict.fromkeys(("Firefox", "Firefox Mobile", "Firefox iOS", "Firefox (Shiretoko)"), "firefox"),
    **dict.fromkeys(("Safari", "Mobile Safari"), "safari"),
    **dict.fromkeys(("Opera", "Opera Mobile", "Opera Mini", "Opera Touch", "Opera Tablet"), "opera"),
    **dict.fromkeys(("IE", "IE Mobile"), "ie"),
    **dict.fromkeys(("Outlook", "Windows Live Mail", "MacOutlook"), "outlook"),
    **dict.fromkeys(("Chrome Mobile WebView", "Android"), "android_webview"),
    **dict.fromkeys(("Facebook", "Instagram", "LinkedIn", "Pinterest", "Snapchat", "Twitter", "Line"), "in_app"),
    "Samsung Internet": "samsung",
    "Apple Mail": "apple_mail",
    "Thunderbird": "thunderbird",
    "Mobile Safari UI/WKWebView": "ios_webview",
}
_OS: Mapping[str, str] = {
    **dict.fromkeys(("Windows", "Windows Phone", "Windows Mobile", "Windows CE"), "windows"),
    **dict.fromkeys(("Mac OS X", "Mac OS"), "macos"),
    **dict.fromkeys(("Linux", "Ubuntu", "Kubuntu", "Fedora", "Debian", "Red Hat", "SUSE", "Linux Mint"), "linux"),
    "iOS": "ios",
    "Android": "android",
    "Chrome OS": "chromeos",
}
# The first release that still gets, or lately got, security fixes or current browsers.
_OLDEST_ALIVE: Mapping[str, tuple[int, int]] = {
    "windows": (10, 0),
    "macos": (10, 13),
    "android": (7, 0),
    "ios": (12, 0),
}

_CHROMIUM = re.compile(r"(?:chrome|chromium|crios)/([0-9]{1,4})")
_FIREFOX = re.compile(r"(?:firefox|fxios)/([0-9]{1,4})")
_SAFARI = re.compile(r"version/([0-9]{1,4})[0-9.]*(?: mobile/[0-9a-z]{1,20})? safari/")
_RV = re.compile(r"rv:([0-9]{1,4})")
_SYSTEM = re.compile(r"\(([^)]*)\)")
_SYSTEMS = ("windows nt", "macintosh", "android", "iphone|ipad|ipod", "cros ")


class Agent(NamedTuple):
    """What one user agent says; the columns of `parse_agents` behind the first."""

    kind: str
    family: str = "other"
    os: str = "other"
    device: str = "other"
    engine: str | None = None
    engine_version: int | None = None
    legacy_os: bool = False
    impossible: bool = False
    vendor: str | None = None


SCHEMA = pa.schema(
    [
        ("user_agent", pa.string()),
        ("kind", pa.string()),
        ("family", pa.string()),
        ("os", pa.string()),
        ("device", pa.string()),
        ("engine", pa.string()),
        ("engine_version", pa.int32()),
        ("legacy_os", pa.bool_()),
        ("impossible", pa.bool_()),
        ("vendor", pa.string()),
    ]
)


def parse_agents(agents: Sequence[str]) -> pa.Table:
    """Describe each user agent: one row an input, in order, with the columns of `SCHEMA`.

    engine and engine_version: of the browser's release train, NULL where no browser is named. legacy_os: a
    system long out of support. impossible: a mix that no real browser sends. vendor: who runs the scanner,
    preview or proxy, or makes the client; NULL where it is open. Any string is taken; of more than 2,000
    characters the first 2,000 are looked at.
    """
    texts = [agent.encode("utf-8", "replace").decode("utf-8") for agent in agents]
    rows = [(text, *parse_agent(text)) for text in texts]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([_column(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def _column(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        return strings(values)
    unknown = np.array([value is None for value in values], dtype=np.bool_)
    return numbers(np.array([value or 0 for value in values], dtype=NUMPY_TYPES[kind]), unknown)


def parse_agent(text: str) -> Agent:
    """Describe one user agent; see `parse_agents`."""
    text = text[:_LONGEST].strip()
    lower = text.lower()
    listed = _listed(lower)
    vendor = (listed.vendor or None) if listed else None
    impossible = is_impossible(lower)
    if listed and listed.kind not in DESCRIBING_KINDS:
        return Agent(listed.kind, listed.family or "other", impossible=impossible, vendor=vendor)
    if not listed and _ROBOT.search(lower):
        return Agent("crawler", impossible=impossible)
    found = _parser()(text, Domain.USER_AGENT | Domain.OS)
    family = _FAMILY.get(found.user_agent.family, "other") if found.user_agent else "other"
    kind = listed.kind if listed else "browser" if lower.startswith(("mozilla/", "opera/")) else "other"
    system = _OS.get(found.os.family, "other") if found.os else "other"
    engine, version = _engine(lower)
    return Agent(
        kind,
        (listed.family if listed else "") or family,
        system,
        _device(lower, system),
        engine,
        version,
        _is_legacy(system, found),
        impossible,
        vendor,
    )


def is_impossible(lower: str) -> bool:
    """Say whether an agent, in lower case, mixes what no real browser sends together."""
    chrome, firefox = "chrome/" in lower, "firefox/" in lower
    apple_mobile = "iphone;" in lower or "ipad;" in lower or "ipod" in lower
    return (
        lower.count("mozilla/5.0") > 1  # Gmail's prefetch
        or (chrome and firefox)
        or (chrome and "applewebkit/" not in lower)
        or (chrome and apple_mobile and "windows phone" not in lower)  # Chrome there is CriOS
        or ("edg/" in lower and not chrome)
        or ("windows nt" in lower and not chrome and (_version(_SAFARI, lower) or 0) > 5)  # its last was 5, 2012
        or _mixes_systems(lower)
        or _mismatched_gecko(lower)
    )


def _mixes_systems(lower: str) -> bool:
    """Say whether the first brackets name two systems; Windows Phone named them all on purpose."""
    if "windows phone" in lower or not (system := _SYSTEM.search(lower)):
        return False
    return sum(any(name in system[1] for name in names.split("|")) for names in _SYSTEMS) > 1


def _mismatched_gecko(lower: str) -> bool:
    """Say whether Firefox 10 or newer disagrees with its own rv, which 110 to 119 kept at 109."""
    firefox, rv = _version(_FIREFOX, lower), _version(_RV, lower)
    if firefox is None or rv is None or firefox < 10 or "seamonkey" in lower or "fxios" in lower:
        return False
    return firefox != rv and not (rv == 109 and 110 <= firefox <= 119)


def _listed(lower: str) -> reference.AgentPattern | None:
    return next((row for matches, row in _patterns() if matches(lower, row.pattern)), None)


@cache
def _patterns() -> tuple[tuple[Callable[[str, str], bool], reference.AgentPattern], ...]:
    return tuple((_MATCHES[row.match], row) for row in reference.load_agents())


@cache
def _parser() -> ua_parser.Parser:
    """Build ua-parser's matcher on first use: it takes 0.1 s. No cache inside: agents come distinct."""
    return ua_parser.Parser(ua_parser.BestAvailableResolver(ua_parser.load_builtins()))


def _version(pattern: re.Pattern[str], lower: str) -> int | None:
    found = pattern.search(lower)
    return int(found[1]) if found else None


def _engine(lower: str) -> tuple[str | None, int | None]:
    """Give the release train and its number: an iPhone's CriOS counts with Chrome, whose numbers it has."""
    for engine, pattern in (("chromium", _CHROMIUM), ("firefox", _FIREFOX), ("safari", _SAFARI)):
        version = _version(pattern, lower)
        if version is not None and not (engine == "safari" and "android" in lower):
            return engine, version
    return None, None


def _device(lower: str, system: str) -> str:
    if "ipad" in lower or "tablet" in lower:
        return "tablet"
    if "mobile" in lower or "iphone" in lower or "ipod" in lower or "windows phone" in lower:
        return "mobile"
    if system == "android":  # browsers on tablets leave "Mobile" out; Android's own runtime never says it
        return "tablet" if lower.startswith("mozilla/") else "mobile"
    return "desktop" if system in {"windows", "macos", "linux", "chromeos"} else "other"


def _is_legacy(system: str, found: PartialResult) -> bool:
    oldest = _OLDEST_ALIVE.get(system)
    if oldest is None or found.os is None or found.os.major is None:
        return False
    if not found.os.major.isdecimal():  # Windows XP, Vista, ME
        return system == "windows"
    if found.os.family != "Windows" and system == "windows":  # Phone, Mobile, CE
        return True
    minor = found.os.minor or ""
    return (int(found.os.major[:6]), int(minor[:6]) if minor.isdecimal() else 0) < oldest
