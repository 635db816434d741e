"""How many people stand behind chances: the SQL beside sums done by hand."""

from __future__ import annotations

from functools import cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ModelError
from serving.expected_people import USUAL, Expectation, allowance, described, expectations

ONE = Expectation(sharpness=2.0, below=3.0, above=1.5)


@cache
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def value(sql: str) -> float:
    return float(database().sql(f"SELECT {sql}").fetchall()[0][0])


@pytest.mark.parametrize(
    ("hope", "counts"),
    [("0", 0.0), ("0.25", 0.1), ("0.5", 0.5), ("0.75", 0.9), ("1", 1.0), ("NULL", 0.0)],
)
def test_a_sharpened_chance_counts_nearer_to_nothing_or_one(hope: str, counts: float) -> None:
    assert value(ONE.expected(f"CAST({hope} AS DOUBLE)")) == pytest.approx(counts)


@given(st.floats(0, 1), st.floats(1, 6))
def test_a_message_counts_between_nothing_and_one(hope: float, sharpness: float) -> None:
    assert 0 <= value(Expectation(sharpness, 1, 1).expected(f"CAST({hope!r} AS DOUBLE)")) <= 1


def test_the_interval_is_in_units_of_what_is_doubtful_and_within_what_is_possible() -> None:
    assert allowance(4.0) == pytest.approx(4 + 2 + 0.1)
    assert value(ONE.low("100.0", "4.0")) == pytest.approx(100 - 3 * 6.1)
    assert value(ONE.high("100.0", "4.0", "500")) == pytest.approx(100 + 1.5 * 6.1)
    assert value(ONE.low("2.0", "4.0")) == 0
    assert value(ONE.high("100.0", "4.0", "102")) == 102


def test_what_a_manifest_says_is_taken_and_the_rest_is_the_bundled_models() -> None:
    assert expectations({}) == USUAL
    assert expectations(described({"clicked": ONE}) | {"clicked": {"auc": 0.99}}) == {**USUAL, "clicked": ONE}


@pytest.mark.parametrize(
    "measured",
    [
        {"sharpness": 0.5, "below": 1, "above": 1},
        {"sharpness": float("nan"), "below": 1, "above": 1},
        {"sharpness": 2, "below": -1, "above": 1},
        {"sharpness": 2, "below": 1},
        {"sharpness": "2", "below": 1, "above": 1},
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(measured: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"^manifest: metrics: people\..*train the model again$"):
        expectations({"people.clicked": measured})
