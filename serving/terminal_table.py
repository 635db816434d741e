"""The look that our tables have in a terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text


def titled_table(title: str | Text, *, has_edge: bool = False) -> Table:
    """An empty table: a bold title on the left, a line below the heading, room around it where `has_edge`."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=has_edge,
        pad_edge=has_edge,
        padding=(0, 1, 0, 0),
    )
