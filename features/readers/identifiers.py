"""Names and texts of the user's files inside SQL."""

from __future__ import annotations

import re


def quote_name(name: str) -> str:
    """Give an SQL identifier that means exactly `name`, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Give an SQL string literal, for the places where a value cannot be bound (views, JSON paths)."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: str) -> str:
    """Give a path for DuckDB's readers, in which "[", "*" and "?" are letters and not a pattern."""
    return re.sub(r"([\[*?])", r"[\1]", path)
