"""Cells that a spreadsheet would run, in Python and in SQL alike."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.formula import defused, defused_sql, restored_sql

CON = duckdb.connect()


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 30", "-1", "@SUM(A1)", "\t=1", "\r", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
)
def test_what_would_be_run_gets_an_apostrophe(cell):
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Mozilla/5.0", "a=1", "'=1", "1-2", "2026-11-29"])
def test_other_cells_stay(cell):
    assert defused(cell) == cell


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8))
def test_sql_says_the_same_and_takes_it_back(cell):
    made, back = CON.execute(f"SELECT {defused_sql('$1')}, {restored_sql(defused_sql('$1'))}", [cell]).fetchone()
    assert made == defused(cell)
    if not cell.startswith("'"):
        assert back == cell
