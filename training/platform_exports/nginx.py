"""The access log of a tracking domain, in nginx's combined format.

Paths: /o/<campaign>/<recipient>.gif is a mail's pixel, /c/<campaign>/<recipient>/<link> a link by its number in
the mail, /u/<campaign>/<recipient> the page to unsubscribe. Whole seconds and methods; neither deliveries nor
domains; between the lines what every server meets: icons, robots, probes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from training.export import Simulation
from training.platform_exports.platform import NONE, ExportFile, Platform
from training.platform_exports.timeline import Entry, share, timeline
from training.ranges import Choice
from training.visits import SECOND

_ZONE, _ZONE_S = "+0100", 3600
_NOISE = 0.02  # lines of others, for each line of ours
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
# Request, status, bytes, referer, agent.
_OTHERS = (
    ("GET /favicon.ico HTTP/1.1", 404, 153, "https://go.example.com/", _BROWSER),
    ("GET /robots.txt HTTP/1.1", 200, 26, "-", "examplebot/1.0 (+https://bot.example.net/)"),
    (r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 400, 157, "-", "-"),
    ("GET /wp-login.php HTTP/1.1", 404, 153, "-", _BROWSER),
    ("GET / HTTP/1.0", 200, 612, "-", "-"),
    ("", 400, 0, "-", "-"),
    ("GET /o/unknown.gif HTTP/1.1", 404, 153, "-", _BROWSER),
)
_UNSAFE = re.compile(r'["\\]|[^\x20-\x7e]')


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write access.log."""
    file = ExportFile(folder / "access.log")
    links: dict[str, dict[str, int]] = {}
    with file.path.open("w", encoding="utf-8", newline="\n") as stream:
        for entry in _requests(made):
            if share(entry.event_id) < _NOISE:
                file.shows.append(NONE)
                stream.write(_others(entry))
            file.shows.append(entry.position)
            stream.write(_line(entry, links))
    return [file]


def _requests(made: Simulation) -> Iterator[Entry]:
    return (entry for entry in timeline(made) if entry.kind not in ("sent", "delivered"))


def _line(entry: Entry, links: dict[str, dict[str, int]]) -> str:
    method = entry.method or "GET"
    path, status, size = _answer(entry, links)
    protocol = "HTTP/2.0" if share(entry.event_id[8:]) < 0.3 else "HTTP/1.1"
    return _combined(
        # Behind a socket the server does not know its client.
        entry.ip or "unix:",
        entry.us,
        f"{method} {path} {protocol}",
        status,
        0 if method == "HEAD" else size,
        "-",
        _UNSAFE.sub(_escaped, entry.agent or "-"),
    )


def _answer(entry: Entry, links: dict[str, dict[str, int]]) -> tuple[str, int, int]:
    """Give path, status and size of the answer."""
    whom = f"{entry.campaign}/{entry.recipient}"
    if entry.kind == "open":
        return f"/o/{whom}.gif", 200, 43
    if entry.kind == "unsubscribe":
        return f"/u/{whom}", 200, 1_840
    return f"/c/{whom}/{entry.link or _number(entry, links)}", 302, 145


def _number(entry: Entry, links: dict[str, dict[str, int]]) -> int:
    """Number the links of a campaign as they are met, where their places in the mail are not known."""
    of_campaign = links.setdefault(entry.campaign, {})
    return of_campaign.setdefault((entry.url or "").partition("?")[0], len(of_campaign) + 1)


def _others(entry: Entry) -> str:
    """A line of somebody else at about the time of the entry."""
    chance = int(entry.event_id[8:16], 16)
    request, status, size, referer, agent = _OTHERS[chance % len(_OTHERS)]
    return _combined(f"203.0.113.{chance % 250 + 1}", entry.us, request, status, size, referer, agent)


def _combined(ip: str, us: int, request: str, status: int, size: int, referer: str, agent: str) -> str:
    return f'{ip} - - [{_clock(us // SECOND)}] "{request}" {status} {size} "{referer}" "{agent}"\n'


@lru_cache(maxsize=4096)
def _clock(seconds: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S ", time.gmtime(seconds + _ZONE_S)) + _ZONE


def _escaped(found: re.Match[str]) -> str:
    return "".join(rf"\x{byte:02X}" for byte in found[0].encode())


def _campaigns(campaigns: pa.Table) -> pa.Table:
    """Leave out the links' addresses: in the log every recipient has paths of their own."""
    nothing = pa.nulls(len(campaigns), pa.string())
    known = {"honeypot_url": nothing, "unsubscribe_url": nothing}
    return pa.table({name: known.get(name, campaigns[name]) for name in campaigns.column_names})


PLATFORM = Platform(
    world={
        "precision": Choice(("s",)),
        "link_positions": Choice((True,)),
        "methods": Choice((True,)),
        "missing_address": Choice((0.0,)),
    },
    write=write,
    campaigns=_campaigns,
)
