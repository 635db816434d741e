"""Mailgun's Events API: pages of up to 300 items, saved one a line, with the empty page that ends them.

Microseconds; opens and clicks say which machine the platform takes them for, and of the mail only its id.
"""

from __future__ import annotations

import json
from itertools import chain, islice
from pathlib import Path
from typing import Any

from training.export import Simulation
from training.platform_exports.clients import client
from training.platform_exports.identifiers import SENDER, SENDER_DOMAIN, SENDING_ADDRESS, short_id, subject
from training.platform_exports.platform import ExportFile, Platform
from training.platform_exports.timeline import Entry, share, timeline
from training.ranges import Choice
from training.visits import SECOND

_WORDS = {
    "sent": "accepted",
    "delivered": "delivered",
    "open": "opened",
    "click": "clicked",
    "unsubscribe": "unsubscribed",
}
_PAGE = 300
_BOTS = {"simulated: apple mail privacy": "apple", "simulated: gmail prefetch": "gmail"}
_KNOWN_SCANNERS = ("proofpoint", "mimecast", "cisco", "cloud", "safe links")
_RECOGNISED = 0.4  # of what those scanners do


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write mailgun.jsonl."""
    file = ExportFile(folder / "mailgun.jsonl")
    entries = timeline(made)
    pages = iter(lambda: list(islice(entries, _PAGE)), [])
    with file.path.open("w", encoding="utf-8", newline="\n") as stream:
        for number, page in enumerate(chain(pages, [[]])):
            file.shows.extend(entry.position for entry in page)
            line = {"items": [_item(entry) for entry in page], "paging": _paging(number)}
            stream.write(json.dumps(line, separators=(",", ":")) + "\n")
    return [file]


def _paging(number: int) -> dict[str, str]:
    pages = {"previous": max(0, number - 1), "first": 0, "last": "last", "next": number + 1}
    start = f"https://api.mailgun.net/v3/{SENDER_DOMAIN}/events"
    return {name: f"{start}/{page}" for name, page in pages.items()}


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "event": _WORDS[entry.kind],
        "id": short_id(entry.event_id),
        "timestamp": entry.us / SECOND,  # a double holds the microseconds of today's times
        "log-level": "info",
        "recipient": entry.address,
        "recipient-domain": entry.domain,
        "tags": [entry.campaign, "newsletter"],
        "campaigns": [],
        "user-variables": {"brand": "example"},
        **(_of_mail(entry) if entry.kind in ("sent", "delivered") else _of_client(entry)),
    }


def _of_mail(entry: Entry) -> dict[str, Any]:
    headers = {"to": entry.address, "message-id": _message(entry), "from": SENDER, "subject": subject(entry.campaign)}
    envelope = {"targets": entry.address, "transport": "smtp", "sender": SENDER}
    flags = {"is-authenticated": True, "is-test-mode": False}
    details: dict[str, Any] = {"method": "http"}
    if entry.kind == "delivered":
        envelope["sending-ip"] = SENDING_ADDRESS
        details = {"delivery-status": {"tls": True, "code": 250, "attempt-no": 1, "message": "OK", "description": ""}}
    message = {"headers": headers, "attachments": [], "size": 40_000}
    return {**details, "envelope": envelope, "flags": flags, "message": message}


def _of_client(entry: Entry) -> dict[str, Any]:
    described = client(entry.agent)
    return {
        **({} if entry.ip is None else {"ip": entry.ip}),
        **({"url": entry.url} if entry.kind == "click" else {}),
        "geolocation": {"country": "Unknown", "region": "Unknown", "city": "Unknown"},
        "client-info": {
            "client-type": "browser",
            "client-os": described.system,
            "device-type": described.device,
            "client-name": described.name,
            "user-agent": entry.agent or "",
            **({} if entry.kind == "unsubscribe" else {"bot": _bot(entry)}),
        },
        "message": {"headers": {"message-id": _message(entry)}},
    }


def _message(entry: Entry) -> str:
    return f"{entry.message}@{SENDER_DOMAIN}"


def _bot(entry: Entry) -> str:
    """Give the platform's opinion: rules that know the prefetchers, and some of the scanners' visits."""
    source = entry.source or ""
    if source in _BOTS:
        return _BOTS[source]
    scanner = source.removeprefix("simulated: ").startswith(_KNOWN_SCANNERS)
    return "generic" if scanner and share(entry.event_id) < _RECOGNISED else ""


PLATFORM = Platform(
    world={
        "precision": Choice(("us",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
        "missing_address": Choice((0.0,)),
    },
    write=write,
    event_id=short_id,
)
