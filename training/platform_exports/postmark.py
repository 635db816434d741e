"""Postmark's webhooks, one body a line.

Of a message only the first open, and of each link in it only the first click, whoever made them: a scanner's
click swallows the person's. Seven digits of a second with an offset; no event ids; a lookup may miss the address.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.export import Simulation
from training.platform_exports.clients import client
from training.platform_exports.iso_times import iso_time
from training.platform_exports.platform import ExportFile, Platform
from training.platform_exports.timeline import Entry, timeline
from training.ranges import Choice

_HOUR_S = 3600


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write postmark.jsonl."""
    file = ExportFile(folder / "postmark.jsonl")
    with file.path.open("w", encoding="utf-8", newline="\n") as stream:
        for entry in _reported(made):
            file.shows.append(entry.position)
            stream.write(json.dumps(_body(entry), separators=(",", ":")) + "\n")
    return [file]


def _reported(made: Simulation) -> Iterator[Entry]:
    """Give what is posted: no sending, and of opens and clicks the first of each kind."""
    met: set[tuple[str, str, str | None]] = set()
    for entry in timeline(made):
        if entry.kind == "sent":
            continue
        if entry.kind in ("open", "click"):
            first = (entry.message, entry.kind, entry.url)
            if first in met:
                continue
            met.add(first)
        yield entry


def _body(entry: Entry) -> dict[str, Any]:
    common = {
        "RecordType": "",
        "MessageStream": "broadcast",
        "ServerID": 23,
        "MessageID": _message(entry.message),
        "Recipient": entry.address,
        "Tag": entry.campaign,
        "Metadata": {"brand": "example"},
    }
    if entry.kind == "delivered":
        details = "smtp;250 2.0.0 OK"
        return common | {"RecordType": "Delivery", "DeliveredAt": _time(entry), "Details": details}
    if entry.kind == "unsubscribe":
        return common | {
            "RecordType": "SubscriptionChange",
            "ChangedAt": iso_time(entry.us, 0) + "Z",
            "Origin": "Recipient",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
        }
    return common | _of_client(entry)


def _of_client(entry: Entry) -> dict[str, Any]:
    described = client(entry.agent)
    seen = {
        "Client": {"Name": described.name, "Company": "", "Family": described.name},
        "OS": {"Name": described.system, "Company": "", "Family": described.system},
        "Platform": described.device.capitalize(),
        "UserAgent": entry.agent or "",
        "Geo": {} if entry.ip is None else {"Country": "Unknown", "Coords": "", "IP": entry.ip},
        "ReceivedAt": _time(entry),
    }
    if entry.kind == "open":
        return {"RecordType": "Open", "FirstOpen": True, "ReadSeconds": 0, **seen}
    return {"RecordType": "Click", "ClickLocation": "HTML", "OriginalLink": entry.url, **seen}


def _message(digits: str) -> str:
    return str(uuid.UUID(bytes=hashlib.blake2b(digits.encode(), digest_size=16).digest()))


def _time(entry: Entry) -> str:
    """Give the time as the East Coast's summer clock, to 100 nanoseconds; the last digit is the event's own chance."""
    return iso_time(entry.us, 7, str(int(entry.event_id[0], 16) % 10), offset_s=-4 * _HOUR_S) + "-04:00"


PLATFORM = Platform(
    world={
        "precision": Choice(("us",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
    },
    write=write,
)
