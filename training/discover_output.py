"""What `clicksift discover` shows, and the file that `clicksift reference update` takes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from features.files import replacing_file
from features.formula import defused
from features.operator_lists import SUSPECTED, SUSPECTS, SUSPECTS_HEADER
from serving.campaign_table import printable
from serving.terminal_table import titled_table
from training.discover import Discovery, Group

SHOWN = 20
LONGEST_NAME = 60
COLUMNS = (
    *SUSPECTS_HEADER,
    *("group", "name", "messages", "clicked", "recipients", "domains", "days", "first_seen", "last_seen"),
    *("machine_share", "machine_share_least", "certainty", "signs", "examples"),
)


def discovery_tables(found: Discovery) -> list[RenderableType]:
    """The groups with their reach, each with its signs below; the largest twenty, and how many more there are."""
    if not found.groups:
        return [f"Nothing that is in no list behaves like a scanner ({found.unlisted:,} messages looked at)."]
    table = titled_table(f"Like a scanner, and in no list ({found.unlisted:,} messages looked at)")
    table.add_column("what", no_wrap=True)
    table.add_column("which, and why")
    for heading in ("messages", "recip.", "domains", "days", "like a machine"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("sure", no_wrap=True)
    for group in found.groups[:SHOWN]:
        table.add_row(
            group.kind,
            _which(group),
            *(f"{count:,}" for count in (group.messages, group.recipients, group.domains, group.days)),
            f"{group.share:.0%}, {group.least:.0%}+",
            group.certainty,
        )
    rest = len(found.groups) - SHOWN
    return [table, *([f"{rest:,} more are in the file that --output writes."] if rest > 0 else [])]


def write_networks(path: Path, found: Discovery) -> None:
    """One row a prefix as CSV, its facts first; agents and recipient domains have none. Cells are defused.

    A row is of the day on which its group was last seen. The file is written whole or not at all, and has its header
    where nothing is found. Raises InputError where it cannot be written.
    """
    with replacing_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row for group in found.groups for row in _rows(group))


def _which(group: Group) -> RenderableType:
    name = group.name if len(group.name) <= LONGEST_NAME else f"{group.name[: LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
    more = f", {len(group.cidrs)} networks" if group.kind == "AS" else ""
    return Lines(Text(printable(name) + more), Text("; ".join(group.signs), style="dim"))


def _rows(group: Group) -> Iterator[Sequence[str]]:
    service = group.name if group.kind == "AS" else ""
    facts = (SUSPECTED, "", service, "observed", SUSPECTS, group.last_seen.date().isoformat(), group.kind, group.name)
    counts = (group.messages, group.clicked, group.recipients, group.domains, group.days)
    rest = (
        *map(str, counts),
        group.first_seen.isoformat(),
        group.last_seen.isoformat(),
        f"{group.share:.4f}",
        f"{group.least:.4f}",
        group.certainty,
        "; ".join(group.signs),
        "; ".join(f"{one.raw_ref} (event {one.event_id}, recipient {one.recipient_id})" for one in group.examples),
    )
    for cidr in group.cidrs or ("",):
        yield [defused(cell) for cell in (cidr, *facts, *rest)]
