"""GoPhish: one CSV of events a campaign, as the browser saves it.

Nanoseconds whose last zeros are cut; no links, no deliveries, no unsubscribes, and no HEAD requests: the
server answers those without an event. The first row is of the campaign itself and has no recipient.
"""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from training.export import Simulation
from training.platform_exports.iso_times import iso_time
from training.platform_exports.platform import NONE, ExportFile, Platform
from training.platform_exports.timeline import Entry, campaign_starts, timeline
from training.ranges import Choice
from training.visits import SECOND

_COLUMNS = ("campaign_id", "email", "time", "message", "details")
_WORDS = {"sent": "Email Sent", "open": "Email Opened", "click": "Clicked Link"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PREPARATION_S = 900  # from the making of a campaign to its first mail


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write "<campaign> - Events.csv" of each campaign."""
    numbers = {name: number for number, name in enumerate(made.campaigns["campaign_id"].to_pylist(), 1)}
    starts = campaign_starts(made)
    files: dict[str, ExportFile] = {}
    with ExitStack() as opened:
        rows: dict[str, Any] = {}
        for entry in timeline(made):
            name, number = entry.campaign, numbers[entry.campaign]
            if entry.kind not in _WORDS or entry.method == "HEAD":
                continue
            if name not in files:
                files[name] = ExportFile(folder / f"{name} - Events.csv")
                stream = opened.enter_context(files[name].path.open("w", encoding="utf-8", newline=""))
                rows[name] = csv.writer(stream, lineterminator="\r\n")
                rows[name].writerow(_COLUMNS)
                created = min(starts[name], entry.us) - _PREPARATION_S * SECOND
                rows[name].writerow((number, "", _time(created, ""), "Campaign Created", ""))
                files[name].shows.append(NONE)
            rows[name].writerow(_row(entry, number))
            files[name].shows.append(entry.position)
    return list(files.values())


def _row(entry: Entry, campaign: int) -> tuple[int, str, str, str, str]:
    finer = f"{int(entry.event_id[:4], 16) % 1000:03d}"
    return campaign, entry.address, _time(entry.us, finer), _WORDS[entry.kind], _details(entry)


def _details(entry: Entry) -> str:
    if entry.kind == "sent":
        return ""
    browser = {"address": entry.ip or "", "user-agent": entry.agent or ""}
    return json.dumps({"payload": {"rid": [_result(entry.message)]}, "browser": browser}, separators=(",", ":"))


def _result(message: str) -> str:
    """Give the id of a recipient in a campaign: seven letters and digits."""
    number, letters = int(message, 16), ""
    while len(letters) < 7:
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return letters


def _time(us: int, finer: str) -> str:
    return iso_time(us, 9, finer).rstrip("0").rstrip(".") + "Z"


def _campaigns(campaigns: pa.Table) -> pa.Table:
    """Number the campaigns; without links in the events none can be the hidden one."""
    numbers = pa.array([str(number) for number in range(1, len(campaigns) + 1)], pa.string())
    nothing = pa.nulls(len(campaigns), pa.string())
    known = {"campaign_id": numbers, "honeypot_url": nothing, "unsubscribe_url": nothing}
    return pa.table({name: known.get(name, campaigns[name]) for name in campaigns.column_names})


PLATFORM = Platform(
    world={
        "precision": Choice(("us",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
        "methods": Choice((True,)),
        "missing_address": Choice((0.0,)),
    },
    write=write,
    campaigns=_campaigns,
)
