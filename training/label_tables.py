"""What a person sees in the terminal after labelling: what each source found, what it disagrees on, what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from features.schema import ENGAGEMENT
from serving.campaign_table import printable
from serving.terminal_table import titled_table
from training.labels import LabelSummary

_WORDS: Mapping[str, str] = {"opened": "opens", "clicked": "clicks", "unsubscribed": "unsubscribes"}
_CONFLICTS_SHOWN = 10


def label_tables(found: LabelSummary) -> list[Table]:
    """Events by source and in all, with their types; and the conflicts by pair of sources, where there are any."""
    return [_sources(found), *([_conflicts(found)] if found.conflicts else [])]


def label_lines(found: LabelSummary) -> list[str]:
    """In sentences: how much is labelled, what stays open, and which sources had nothing to work with."""
    machines, people, rest = (sum(counts.values()) for counts in (found.automated, found.human, found.unlabelled))
    lines = [
        f"{machines + people:,} of {machines + people + rest:,} events are labelled: {people:,} as people's,"
        f" {machines:,} as machines'. The others stay unlabelled."
    ]
    if found.conflicting_events:
        lines.append(
            f"{found.conflicting_events:,} events with evidence of both kinds have no label; review them to settle it."
        )
    if found.overruled:
        lines.append(f"{found.overruled:,} reviewed events have evidence that says otherwise; the review counts.")
    return lines + [f"Note: {note}." for note in found.notes]


def _sources(found: LabelSummary) -> Table:
    table = titled_table("Evidence, and what it makes of the events", has_edge=True)
    table.add_column("source")
    table.add_column("whose")
    for event_type in ENGAGEMENT:
        table.add_column(_WORDS[event_type], justify="right", no_wrap=True)
    for source in found.sources:
        whose = "machines'" if source.automated else "people's"
        table.add_row(Text(printable(source.name)), whose, *_counts(source.events))
    table.add_section()
    table.add_row("labelled", "machines'", *_counts(found.automated))
    table.add_row("", "people's", *_counts(found.human))
    table.add_row("unlabelled", "", *_counts(found.unlabelled))
    return table


def _conflicts(found: LabelSummary) -> Table:
    table = titled_table("Conflicts: evidence for a machine and for a person", has_edge=True)
    table.add_column("a machine's, says")
    table.add_column("a person's, says")
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("as in")
    for pair in found.conflicts[:_CONFLICTS_SHOWN]:
        examples = Text(printable(", ".join(pair.examples)))
        table.add_row(Text(printable(pair.machine)), pair.person, f"{pair.events:,}", examples)
    return table


def _counts(events: Mapping[str, int]) -> list[str]:
    return [f"{events.get(event_type, 0):,}" for event_type in ENGAGEMENT]
