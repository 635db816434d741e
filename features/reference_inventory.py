"""What reference data is in use, how old it is, and what of it wants renewing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rich import box
from rich.table import Table

from features import reference
from features.reference_copy import UserCopy

# Clouds publish anew every week: after half a year some networks have moved, after a year many.
OLD_DAYS = 180
WARNED_DAYS = 365
# Only a release of clicksift brings these anew; the others have an official list or table.
_OURS = frozenset({"as_categories", "as_keywords", "agents"})


@dataclass(frozen=True)
class Holding:
    """One source in one file: the day that it is of, how many rows it has, and whether the user brought it."""

    source: str
    file: str
    date: str
    rows: int
    yours: bool


def age_days(text: str, today: date) -> int | None:
    """Days since "2026-11-20"; since the first day of "2026-11", of "2026", or of the later year of "2020-2023".

    None for "undated".
    """
    found = re.fullmatch(r"(?:\d{4}-)?(?P<year>\d{4})|(?P<of>\d{4})-(?P<month>\d\d)(?:-(?P<day>\d\d))?", text)
    if not found:
        return None
    first = date(int(found["year"] or found["of"]), int(found["month"] or 1), int(found["day"] or 1))
    return max(0, (today - first).days)


def inventory(copy: UserCopy | None) -> list[Holding]:
    """Give every source that is looked up where `copy` is in use, the user's first; a file may have many."""
    parts = copy.parts if copy else ()
    holdings = [Holding(part.source, part.file, part.date, part.rows, yours=True) for part in parts]
    for source in reference.sources():
        if source.name in reference.packaged_prefixes():
            holdings += _lists(source, reference.replaced_sources(copy))
        elif source.name not in {part.name for part in parts}:
            rows = reference.packaged_rows(source.file)
            holdings.append(Holding(source.source, source.file, source.date, rows, yours=False))
    return holdings


def _lists(source: reference.Source, replaced: Iterable[str]) -> list[Holding]:
    """Count the rows of each source in a file of networks, less what newer lists stand in for."""
    facts = reference.packaged_prefixes()[source.name].facts
    counts = Counter(
        pair
        for texts, days in zip(facts["source"].to_pylist(), facts["source_date"].to_pylist(), strict=True)
        for pair in zip(texts.split("; "), days.split("; "), strict=True)
    )
    return [
        Holding(name, source.file, day, rows, yours=False)
        for (name, day), rows in sorted(counts.items())
        if name not in replaced
    ]


def inventory_table(holdings: Iterable[Holding], today: date) -> Table:
    """A line for each source; those older than half a year say so."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("source")
    table.add_column("file", no_wrap=True)
    table.add_column("date", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("whose", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in holdings:
        age = age_days(one.date, today)
        old = age is None or age > OLD_DAYS
        table.add_row(
            one.source,
            one.file,
            one.date,
            "not known" if age is None else f"{age:,} d",
            f"{one.rows:,}",
            "yours" if one.yours else "packaged",
            "old" if old else "",
        )
    return table


def old_data(copy: UserCopy | None, today: date) -> str | None:
    """One line about what is older than a year where `copy` is in use, and how to renew it; None where nothing is.

    Rows that travel with the package count as of the date of their file.
    """
    parts = copy.parts if copy else ()
    days = {source.name: source.date for source in reference.sources()} | {part.name: part.date for part in parts}
    ages = {name: age_days(day, today) for name, day in days.items() if name != "as_names"}  # as old as asn
    old = {name: age for name, age in ages.items() if age is not None and age > WARNED_DAYS}
    if not old:
        return None
    ways = []
    if old.keys() - _OURS:
        ways.append("clicksift reference update FILE")
    if old.keys() & {*_OURS, *reference.packaged_prefixes()}:
        ways.append("a newer clicksift")
    said = " and of ".join(f"{name} is {age:,} days old" for name, age in old.items())
    return f"reference data of {said}; {' or '.join(ways)}"
