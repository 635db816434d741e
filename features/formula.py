"""CSV cells that a spreadsheet would run: an apostrophe before them makes them text (OWASP, "CSV Injection")."""

from __future__ import annotations

import re

# A spreadsheet runs a cell that begins with one of these; some take the wide forms too.
_FORMULA = "^[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
_CELL = re.compile(_FORMULA)


def defused(cell: str) -> str:
    """The cell, with an apostrophe before what would be run.

    >>> defused("=1+1"), defused("Mozilla/5.0")
    ("'=1+1", 'Mozilla/5.0')
    """
    return f"'{cell}" if _CELL.search(cell) else cell


def defused_sql(value: str) -> str:
    """SQL of the same for SQL of a text; NULL stays NULL."""
    return f"CASE WHEN regexp_matches({value}, '{_FORMULA}') THEN chr(39) || {value} ELSE {value} END"


def restored_sql(value: str) -> str:
    """SQL of the text before it was defused."""
    is_defused = f"{value}[1] = chr(39) AND regexp_matches({value}[2:], '{_FORMULA}')"
    return f"CASE WHEN {is_defused} THEN {value}[2:] ELSE {value} END"
