"""What a person sees in the terminal after scoring: figures with and without machines, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features import reference
from features.feature import CAPABILITIES, Capability
from features.readers import ReadSummary
from features.readers.set_aside import advised
from features.reference_inventory import old_data
from serving.actor import PRIVACY
from serving.campaign_table import campaign_table, printable, totals
from serving.platform_flags import Agreement
from serving.scoring import Scored
from serving.terminal_table import titled_table

MACHINES_SHOWN = 12
# What is lost without a capability, in the words of somebody who reads campaign figures.
WITHOUT: Mapping[Capability, str] = {
    "address": "no client addresses: scanners are told by time, pattern and agent alone",
    "agent": "no user agents: old browsers, prefetch and scanners that name themselves are harder to recognise",
    "deliveries": "no delivery times: delays count from sending, which comes earlier",
    "links": "no link addresses: bursts over many links, hidden and unsubscribe links go unseen",
    "method": "no HTTP methods: HEAD requests cannot be told from visits",
    "domains": "no recipient domains: what a whole organisation's gateway does goes unseen",
}
ACTOR_WORDS: Mapping[str, str] = {
    "security_scanner": "security scanner",
    "privacy_proxy": "privacy proxy",
    "link_preview": "link preview",
    "other_automation": "other automation",
}
_EVENTS = ("opens", "clicks", "unsubscribes")

Row = Mapping[str, Any]


def summary(
    read: ReadSummary,
    scored: Scored,
    campaigns: pa.Table,
    machines: pa.Table,
    seconds: float,
    width: int = 100,
    today: date | None = None,
    flags: Sequence[Agreement] = (),
) -> RenderableType:
    """All of it, in the order of interest: the sentence, campaigns, machines, what was missing, how it went.

    `width` is the terminal's, in characters; reference data that is old on the day `today` is pointed out.
    """
    figures, makers = campaigns.to_pylist(), machines.to_pylist()
    shown: list[RenderableType] = [Text(line) for line in headline(figures, makers)]
    if scored.judged:
        shown += [Text(), campaign_table(figures, width)]
    if makers:
        shown += [Text(), machine_table(makers)]
    if flags:
        shown += [Text(), flag_table(flags)]
    shown += [Text(), reading_table(read)]
    lines = facts(read, scored, seconds, today)
    return Group(*shown, Text(), *(Text(line, style="dim" if line.startswith("  ") else "") for line in lines))


def headline(campaigns: Sequence[Row], machines: Sequence[Row]) -> list[str]:
    """What machines did to the clicks of all campaigns (a message counts once), and which opens say nothing."""
    total = totals(campaigns)
    clicks, human = total["clicks"], round(total["human_clicks"])
    whose = "none was a person's" if not human else "1 was a person's" if human == 1 else f"{human:,} were people's"
    lines = ["There are no clicks to judge."]
    if clicks:
        share = f"machines made {1 - total['human_clicks'] / clicks:.0%} of them"
        lines = [f"Of {counted(clicks, 'unique click')}, {whose}: {share}."]
    prefetched = sum(row["opens"] for row in machines if (row["actor"], row["vendor"]) == (PRIVACY, "apple"))
    if prefetched:
        verb = "says" if prefetched == 1 else "say"
        lines.append(
            f"{counted(prefetched, 'open')} came from Apple's prefetch and {verb} nothing about people either way."
        )
    return lines


def machine_table(rows: Sequence[Row]) -> Table:
    """Events called automated, by who made them; those who made few in one line."""
    ordered = sorted(rows, key=_events, reverse=True)
    kept = len(ordered) if len(ordered) <= MACHINES_SHOWN else MACHINES_SHOWN - 1
    total = sum(map(_events, rows))
    table = titled_table("Events made by machines")
    table.add_column("machine", no_wrap=True)
    table.add_column("whose")
    for heading in ("opens", "clicks", "unsub.", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in ordered[:kept]:
        table.add_row(ACTOR_WORDS.get(row["actor"], row["actor"]), row["vendor"] or "not known", *_counts(row, total))
    if rest := ordered[kept:]:
        table.add_row("others", f"{len(rest)} kinds", *_counts({n: sum(r[n] for r in rest) for n in _EVENTS}, total))
    return table


def reading_summary(read: ReadSummary) -> RenderableType:
    """What was read alone, without verdicts: what became of the records, and what was lost on the way."""
    return Group(reading_table(read), Text(), *(Text(line, style="dim") for line in losses(read)))


def flag_table(flags: Sequence[Agreement]) -> Table:
    """What the platform flags as machines, and our verdicts on the same events, both ways."""
    table = titled_table("The platform's own flags beside these verdicts")
    table.add_column("flag")
    table.add_column("on", no_wrap=True)
    for heading in ("flagged", "automated", "human", "not flagged", "automated", "human"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in flags:
        counts = (
            row.machine,
            row.machine_automated,
            row.machine_human,
            row.not_machine,
            row.not_machine_automated,
            row.not_machine_human,
        )
        table.add_row(printable(row.flag), row.event_type, *(f"{count:,}" for count in counts))
    return table


def reading_table(read: ReadSummary) -> Table:
    """What became of every record of the files: the lines add up to all of them."""
    table = titled_table("What was read")
    table.add_column("records", justify="right", no_wrap=True)
    table.add_column("became")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in read.by_type.items())
    table.add_row(f"{read.events:,}", f"events: {kinds}")
    if read.context_events:
        table.add_row(f"{read.context_events:,}", "events of context, not scored")
    if read.duplicates:
        table.add_row(f"{read.duplicates:,}", "copies of an event, folded into it")
    for reason, count in read.controls.items():
        table.add_row(f"{count:,}", printable(f"no event: {reason}"))
    for reason, count in read.rejected.items():
        table.add_row(f"{count:,}", printable(f"set aside: {reason}{advised([reason])}"))
    formats = ", ".join(f"{name} ({count:,})" for name, count in read.formats.items())
    table.add_row(f"{read.records:,}", printable(f"in {counted(read.files, 'file')}, read as {formats}"))
    return table


def _events(row: Row) -> int:
    return sum(int(row[name]) for name in _EVENTS)


def _counts(row: Row, total: int) -> list[str]:
    share = _events(row) / total
    return [*(f"{row[name]:,}" for name in _EVENTS), f"{share:.1%}" if share >= 0.0005 else "<0.1%"]


def facts(read: ReadSummary, scored: Scored, seconds: float, today: date | None = None) -> list[str]:
    """What was read and how, a line each; and which reference data is more than a year old `today`."""
    after = "it" if scored.provisional == 1 else "them"
    lines = [
        f"{counted(scored.judged, 'open, click or unsubscribe', 'opens, clicks and unsubscribes')} judged by model"
        f" {scored.model_version}; {scored.provisional:,} provisional (the file ends within the hour after {after}).",
        f"{seconds:.1f} s, {read.records / max(seconds, 1e-9):,.0f} events/s.",
    ]
    lines += losses(read)
    lines += [f"  {WITHOUT[capability]}" for capability in CAPABILITIES if capability not in scored.capabilities]
    if today and (old := old_data(reference.user_copy(), today)):
        lines.append(f"  {old}")
    return [printable(line) for line in lines]


def losses(read: ReadSummary) -> list[str]:
    """What could not be used of the rows that were kept, and what to know of the file, a line each."""
    lines = [f"  emptied: {count:,} {what}" for what, count in read.nulled.items() if count]
    lines += [
        f"  unknown event word '{word}': {counted(count, 'row')} kept, not judged"
        for word, count in read.unknown_words.items()
    ]
    return [printable(line) for line in (*lines, *(f"  {warning}" for warning in read.warnings))]


def counted(count: int, one: str, many: str = "") -> str:
    """The number with its noun: '1 click', '2,000 clicks'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
