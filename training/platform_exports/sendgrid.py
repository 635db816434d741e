"""SendGrid's event webhook: POST bodies as receivers store them, one array of a few events a line.

Whole seconds; the address of a delivery is the sending server's; unsubscribes name no link; some bodies are
delivered again, hours later and with the same ids.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.export import Simulation
from training.platform_exports.identifiers import SENDER_DOMAIN, SENDING_ADDRESS, short_id
from training.platform_exports.platform import ExportFile, Platform
from training.platform_exports.timeline import Entry, share, timeline
from training.ranges import Choice
from training.visits import SECOND

_WORDS = {"sent": "processed", "delivered": "delivered", "open": "open", "click": "click"}
_LARGEST_BODY = 10
_LONGEST_WAIT_S = 5
_REDELIVERED = 0.02  # of the bodies
_LINES_LATER = 300


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write sendgrid.jsonl."""
    file = ExportFile(folder / "sendgrid.jsonl")
    with file.path.open("w", encoding="utf-8", newline="\n") as stream:
        for body in _redelivered(_bodies(made)):
            file.shows.extend(entry.position for entry in body)
            stream.write(json.dumps([_event(entry) for entry in body], separators=(",", ":")) + "\n")
    return [file]


def _bodies(made: Simulation) -> Iterator[list[Entry]]:
    """Group what happens within a few seconds, at most ten events a body."""
    body: list[Entry] = []
    for entry in timeline(made):
        if body:
            size = 1 + int(share(body[0].event_id) * _LARGEST_BODY)
            if len(body) == size or entry.us - body[0].us > _LONGEST_WAIT_S * SECOND:
                yield body
                body = []
        body.append(entry)
    if body:
        yield body


def _redelivered(bodies: Iterator[list[Entry]]) -> Iterator[list[Entry]]:
    """Give all bodies, and some of them once or twice more: the receiver's answer came too late."""
    due: list[tuple[int, int, list[Entry]]] = []
    line = -1
    for line, body in enumerate(bodies):
        while due and due[0][0] <= line:
            yield heapq.heappop(due)[2]
        yield body
        chance = share(body[0].event_id[8:])
        if chance < _REDELIVERED:
            heapq.heappush(due, (line + 1 + int(share(body[0].event_id[16:]) * _LINES_LATER), line, body))
        if chance < _REDELIVERED / 4:
            heapq.heappush(due, (line + 2 * _LINES_LATER, line, body))
    while due:
        yield heapq.heappop(due)[2]


def _event(entry: Entry) -> dict[str, Any]:
    message = short_id(entry.message)
    record: dict[str, Any] = {
        "email": entry.address,
        "timestamp": entry.us // SECOND,
        "event": _word(entry),
        "sg_event_id": short_id(entry.event_id),
        "sg_message_id": f"{message}.filter{int(entry.message[:3], 16):04d}p1.{int(entry.message[:4], 16)}.5E0B8.0",
        "category": ["newsletters", "marketing"],
        "singlesend_id": entry.campaign,
        "mc_stats": "singlesend",
        "brand": "example",
    }
    if entry.kind in ("sent", "delivered", "unsubscribe"):
        record["smtp-id"] = f"<{message}@geopod.{SENDER_DOMAIN}>"
    if entry.kind == "delivered":
        return record | {"ip": SENDING_ADDRESS, "response": "250 2.0.0 OK", "tls": 1}
    if record["event"] in ("processed", "unsubscribe"):
        return record
    record |= {key: value for key, value in (("ip", entry.ip), ("useragent", entry.agent)) if value is not None}
    if entry.kind == "open":
        record["sg_machine_open"] = entry.source == "simulated: apple mail privacy"
    if entry.kind == "click":
        record["url"] = entry.url
        if entry.link is not None:
            record["url_offset"] = {"index": int(entry.link) - 1, "type": "html"}
    if entry.kind == "unsubscribe":
        record["asm_group_id"] = 4242
    return record


def _word(entry: Entry) -> str:
    """Name the event: some campaigns let people leave a group of mailings, others the sender."""
    if entry.kind == "unsubscribe":
        return "group_unsubscribe" if zlib.crc32(entry.campaign.encode()) % 2 else "unsubscribe"
    return _WORDS[entry.kind]


PLATFORM = Platform(
    world={
        "precision": Choice(("s",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
        "link_positions": Choice((True,)),
        "methods": Choice((True,)),
        "missing_address": Choice((0.0,)),
    },
    write=write,
    event_id=short_id,
)
