"""Columns made from bytes are those that pyarrow makes, and numbers come back as they went."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrow_columns import numbers, strings, to_array

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])))
KINDS = ("bool", "int8", "int32", "int64", "uint64", "float32", "float64")


@settings(deadline=None)  # the first pyarrow.array imports pandas
@given(TEXTS)
def test_texts_are_those_of_pyarrow(values: list[str | None]) -> None:
    column = strings(iter(values))
    column.validate(full=True)
    assert column.equals(pa.array(values, pa.string()))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(values=st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=20), start=st.integers(0, 9))
def test_numbers_are_those_of_pyarrow_and_come_back(kind: str, values: list[tuple[int, bool]], start: int) -> None:
    given_ = np.array([value for value, _ in values]).astype(kind)
    unknown = np.array([flag for _, flag in values], dtype=bool)
    column = numbers(given_, unknown)
    column.validate(full=True)
    assert column.equals(pa.array(given_, mask=unknown))
    # A slice, and several pieces, as they come out of a file.
    known = numbers(given_)[start:]
    np.testing.assert_array_equal(to_array(known), given_[start:])
    np.testing.assert_array_equal(to_array(pa.chunked_array([known, known])), np.tile(given_[start:], 2))
    assert to_array(known).dtype == kind


def test_a_null_becomes_nan() -> None:
    column = numbers(np.array([1, 2, 3], np.float32), np.array([False, True, False]))
    np.testing.assert_array_equal(to_array(column), np.array([1, np.nan, 3], np.float32))
    np.testing.assert_array_equal(to_array(column[1:]), np.array([np.nan, 3], np.float32))


def test_a_null_that_has_no_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="1 NULLs in a column of int64, which has no NaN for them"):
        to_array(numbers(np.array([1, 2]), np.array([False, True])))


def test_half_a_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        strings(["\ud800"])


@pytest.mark.parametrize("kind", [pa.int64(), pa.bool_(), pa.float32()], ids=str)
def test_an_empty_column_is_an_empty_array(kind: Any) -> None:
    assert to_array(pa.chunked_array([], kind)).tolist() == []


def test_pandas_is_not_imported() -> None:
    program = (
        "import sys, numpy as np; from features.arrow_columns import numbers, strings, to_array;"
        "strings(['a', None]); to_array(numbers(np.arange(3))); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
