"""What a person sees in the terminal after scoring: figures with and without machines, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.feature import CAPABILITIES, Capability
from features.readers import ReadSummary
from serving.scoring import Scored

CAMPAIGNS_SHOWN = 20
# What is lost without a capability, in the words of somebody who reads campaign figures.
WITHOUT: Mapping[Capability, str] = {
    "address": "no client addresses: scanners are told by time, pattern and agent alone",
    "agent": "no user agents: Apple's prefetch and old browsers cannot be recognised",
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


def summary(
    read: ReadSummary, scored: Scored, campaigns: pa.Table, machines: pa.Table, seconds: float
) -> RenderableType:
    """All of it, in the order of interest: campaigns, machines, what was missing, how it went."""
    return Group(
        campaign_table(campaigns.to_pylist()),
        Text(),
        machine_table(machines.to_pylist()),
        Text(),
        *(Text(line, style="dim" if line.startswith("  ") else "") for line in facts(read, scored, seconds)),
    )


def campaign_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Unique opens, clicks and unsubscribes of each campaign, raw and by people; the largest campaigns if many."""
    shown = sorted(rows, key=lambda row: -row["messages"])[:CAMPAIGNS_SHOWN]
    more = f", the {len(shown)} largest of {len(rows)}" if len(shown) < len(rows) else ""
    table = Table(title=f"Campaigns: raw figures, and people's{more}", title_justify="left", title_style="bold")
    table.add_column("campaign")
    for heading in (
        "messages",
        "opens",
        "by people",
        "clicks",
        "by people",
        "click rate",
        "by people",
        "unsub.",
        "by people",
    ):
        table.add_column(heading, justify="right", style="bold" if heading == "by people" else None)
    for row in sorted(shown, key=lambda row: str(row["campaign_id"])):
        table.add_row(str(row["campaign_id"]) or "(none)", *_figures(row))
    if len(rows) > 1:
        names = (
            "messages",
            "opens",
            "human_opens",
            "clicks",
            "human_clicks",
            "unsubscribes",
            "human_unsubscribes",
        )
        total = {name: sum(row[name] for row in rows) for name in names}
        delivered = [row["delivered"] for row in rows]
        total["delivered"] = None if None in delivered else sum(delivered)
        table.add_section()
        table.add_row("all", *_figures(total))
    return table


def _figures(row: Mapping[str, Any]) -> list[str]:
    base = row["delivered"] or row["messages"]
    return [
        f"{base:,}",
        f"{row['opens']:,}",
        f"{row['human_opens']:,.0f}",
        f"{row['clicks']:,}",
        f"{row['human_clicks']:,.0f}",
        f"{row['clicks'] / base:.1%}",
        f"{row['human_clicks'] / base:.1%}",
        f"{row['unsubscribes']:,}",
        f"{row['human_unsubscribes']:,.0f}",
    ]


def machine_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Events called automated, by who made them."""
    table = Table(title="Made by machines", title_justify="left", title_style="bold")
    table.add_column("machine")
    table.add_column("whose")
    for heading in ("opens", "clicks", "unsub.", "share of these"):
        table.add_column(heading, justify="right")
    total = sum(row["opens"] + row["clicks"] + row["unsubscribes"] for row in rows)
    for row in rows:
        mine = row["opens"] + row["clicks"] + row["unsubscribes"]
        table.add_row(
            ACTOR_WORDS.get(row["actor"], row["actor"]),
            row["vendor"] or "not known",
            f"{row['opens']:,}",
            f"{row['clicks']:,}",
            f"{row['unsubscribes']:,}",
            f"{mine / total:.1%}",
        )
    return table


def facts(read: ReadSummary, scored: Scored, seconds: float) -> list[str]:
    """What was read and how, a line each."""
    set_aside = sum(read.rejected.values())
    lines = [
        f"{read.records:,} records read from {read.files:,} file{'s' if read.files != 1 else ''}:"
        f" {read.events:,} events, {read.duplicates:,} duplicates folded, {set_aside:,} set aside.",
        f"{scored.judged:,} opens, clicks and unsubscribes judged by model {scored.model_version};"
        f" {scored.provisional:,} provisional (the file ends within the hour after them).",
        f"{seconds:.1f} s, {read.records / max(seconds, 1e-9):,.0f} events/s.",
    ]
    lines += [f"  set aside: {count:,} {reason}" for reason, count in read.rejected.items()]
    lines += [f"  emptied: {count:,} {what}" for what, count in read.nulled.items() if count]
    lines += [
        f"  unknown event word '{word}': {count:,} rows kept, not judged" for word, count in read.unknown_words.items()
    ]
    lines += [f"  {WITHOUT[capability]}" for capability in CAPABILITIES if capability not in read.capabilities]
    lines += [f"  {warning}" for warning in read.warnings]
    return lines
