"""The table of campaigns, or of what else figures are of: as much as the width allows, every number in it whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

CAMPAIGNS_SHOWN = 20
SHORTEST_NAME = 8
_SUMMED = ("messages", "opens", "human_opens", "clicks", "human_clicks", "unsubscribes", "human_unsubscribes")
_ENDS = ("human_clicks_low", "human_clicks_high")
# What rows are of: the heading of their names, what they are called in the title, and the column of their names.
_OF: Mapping[str, tuple[str, str, str]] = {
    "campaign": ("campaign", "Campaigns", "campaign_id"),
    "link": ("link", "Links of campaigns", "link"),
    "domain": ("domain", "Recipient domains", "recipient_domain"),
    "host": ("mailbox host", "Mailbox hosts", "mailbox_host"),
    "vendor": ("vendor", "Messages that a vendor's machines touched", "vendor"),
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Column:
    """A column of figures: its heading in two lines, and what it shows of a campaign."""

    heading: tuple[str, str]
    value: Callable[[Row], float | None]
    is_share: bool = False

    def text(self, row: Row, short: bool) -> str:
        value = self.value(row)
        if value is None:
            return ""
        if self.is_share:
            return f"{value:.1%}"
        return f"{value / 1e6:,.2f}M" if short and value >= 999_999.5 else f"{value:,.0f}"


def _base(row: Row) -> int:
    """What click rates are shares of: messages delivered, or all with an event where nobody says."""
    return int(row["delivered"] or row["messages"])


_PEOPLE = ("", "people")
_MESSAGES = (_Column(("", "messages"), _base),)
_OPENS = (
    _Column(("opens", "raw"), lambda row: row["opens"]),
    _Column(_PEOPLE, lambda row: row["human_opens"]),
)
_CLICKS = (
    _Column(("clicks", "raw"), lambda row: row["clicks"]),
    _Column(_PEOPLE, lambda row: row["human_clicks"]),
    _Column(("rate", "raw"), lambda row: row["clicks"] / _base(row), is_share=True),
    _Column(_PEOPLE, lambda row: row["human_clicks"] / _base(row), is_share=True),
)
_INTERVAL = (
    *_CLICKS[:2],
    _Column(("95 %", "from"), lambda row: row["human_clicks_low"]),
    _Column(("", "to"), lambda row: row["human_clicks_high"]),
    *_CLICKS[2:],
)
_UNSUBSCRIBES = (
    _Column(("unsub.", "raw"), lambda row: row["unsubscribes"]),
    _Column(_PEOPLE, lambda row: row["human_unsubscribes"]),
)


@dataclass(frozen=True)
class _Layout:
    columns: tuple[_Column, ...]
    gap: int = 1
    short: bool = True  # millions as 1.23M

    def width(self, rows: Sequence[Row]) -> int:
        """Characters that the figures take, gaps included."""
        texts = [(*column.heading, *(column.text(row, self.short) for row in rows)) for column in self.columns]
        return sum(self.gap + max(map(len, column)) for column in texts)


# The first that leaves room for the names is taken.
_LAYOUTS = (
    _Layout((*_MESSAGES, *_OPENS, *_CLICKS, *_UNSUBSCRIBES), gap=2, short=False),
    _Layout((*_MESSAGES, *_OPENS, *_CLICKS, *_UNSUBSCRIBES), short=False),
    _Layout((*_MESSAGES, *_OPENS, *_CLICKS, *_UNSUBSCRIBES)),
    _Layout((*_MESSAGES, *_OPENS, *_CLICKS)),
    _Layout((*_OPENS, *_CLICKS)),
    _Layout(_CLICKS),
)
_WITH_INTERVALS = (
    _Layout((*_MESSAGES, *_OPENS, *_INTERVAL, *_UNSUBSCRIBES), gap=2, short=False),
    _Layout((*_MESSAGES, *_OPENS, *_INTERVAL, *_UNSUBSCRIBES)),
    _Layout((*_MESSAGES, *_OPENS, *_INTERVAL)),
    _Layout((*_OPENS, *_INTERVAL)),
    _Layout(_INTERVAL),
    _Layout(_INTERVAL[:4]),
)
_OF_LINKS = (
    _Layout((*_MESSAGES, *_INTERVAL), gap=2, short=False),
    _Layout((*_MESSAGES, *_INTERVAL)),
    _Layout(_INTERVAL),
    _Layout(_INTERVAL[:4]),
)


def campaign_table(rows: Sequence[Row], width: int) -> Table:
    """Unique opens, clicks and unsubscribes of each campaign, raw and by people; the largest campaigns if many.

    `width` is in characters. Where it is short, millions are abbreviated, then columns left out, unsubscribes
    first and clicks never; names are shortened in the middle to what room is left.
    """
    return _table(rows, width, "campaign", _LAYOUTS)


def figure_table(rows: Sequence[Row], width: int, by: str, whole: Row) -> Table:
    """The same of what `by` names (see `figure_query.BREAKDOWNS`), with the 95 % interval of people's clicks.

    `whole` are the figures of all events, whose interval is not the sum of the rows'. Links and vendors share messages
    and have no total; links have clicks alone.
    """
    return _table(rows, width, by, _OF_LINKS if by == "link" else _WITH_INTERVALS, whole)


def _table(rows: Sequence[Row], width: int, by: str, layouts: Sequence[_Layout], whole: Row | None = None) -> Table:
    heading, title, column_of = _OF[by]
    shown = sorted(rows, key=lambda row: -row["clicks"] if by == "link" else -row["messages"])[:CAMPAIGNS_SHOWN]
    shown = sorted(shown, key=lambda row: (str(row.get("campaign_id")), str(row[column_of])))
    names = [printable(str(row[column_of])) or "(none)" for row in shown]
    ends = {name: whole[name] for name in _ENDS} if whole else {}
    total = [totals(rows) | ends] if len(rows) > 1 and by not in ("link", "vendor") else []
    layout, room = _layout([heading, *names], [*shown, *total], width, layouts)
    which = f", the {len(shown)} largest of {len(rows):,}" if len(shown) < len(rows) else ""
    table = _empty_table(layout, f"{title}{which}", heading)
    for name, row in zip(names, shown, strict=True):
        table.add_row(Text(shortened(name, room)), *(column.text(row, layout.short) for column in layout.columns))
    for row in total:
        table.add_section()
        table.add_row("all", *(column.text(row, layout.short) for column in layout.columns))
    return table


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """All campaigns as one; `delivered` is None where one of them does not know."""
    total: dict[str, Any] = {name: sum(row[name] for row in rows) for name in _SUMMED}
    delivered = [row["delivered"] for row in rows]
    return total | {"delivered": None if None in delivered else sum(delivered)}


def shortened(name: str, room: int) -> str:
    """The name with its middle left out where the terminal would need more than `room` columns for it."""
    kept = len(name)
    text = name
    while cell_len(text) > room and kept > 1:
        kept -= 1
        # Both ends tell campaigns apart: a date stands at either.
        text = f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}"
    return text


def printable(text: str) -> str:
    """The text without what a terminal would obey: words of a file can hold escape sequences."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _layout(names: Sequence[str], rows: Sequence[Row], width: int, layouts: Sequence[_Layout]) -> tuple[_Layout, int]:
    """The richest layout that leaves room for names, and that room."""
    longest = max(map(cell_len, names))
    short = min(longest, SHORTEST_NAME)
    layout = next(
        # Wide gaps are worth no letter of a name.
        (each for each in layouts if each.width(rows) + (longest if each.gap > 1 else short) <= width),
        layouts[-1],
    )
    return layout, max(short, width - layout.width(rows))


def _empty_table(layout: _Layout, title: str, heading: str) -> Table:
    table = Table(
        title=f"{title}: unique opens and clicks, raw and people's",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, layout.gap - 1, 0, 0),
    )
    table.add_column(f"\n{heading}", no_wrap=True)
    for column in layout.columns:
        style = "bold" if column.heading == _PEOPLE else None
        table.add_column("\n".join(column.heading), justify="right", no_wrap=True, style=style)
    return table
