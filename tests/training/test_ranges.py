from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ranges import Choice, Range, Sometimes, draw, varies


@dataclass(frozen=True)
class Pond:
    name: str
    depth_m: float = varies(Range(0.1, 10, log=True))
    frogs: int = varies(Range(0, 3, whole=True))
    weather: str = varies(Choice(("rain", "sun"), (0.25, 0.75)))


@given(st.integers(0, 10_000), st.floats(0.001, 10), st.floats(1, 1000), st.booleans())
def test_draws_stay_inside_the_range(seed, low, factor, log):
    value = Range(low, low * factor, log=log).draw(np.random.default_rng(seed))
    assert low * (1 - 1e-9) <= value <= low * factor * (1 + 1e-9)


def test_whole_ranges_reach_both_ends():
    drawn = {Range(0, 3, whole=True).draw(np.random.default_rng(s)) for s in range(60)}
    assert drawn == {0, 1, 2, 3}


def test_a_record_is_drawn_from_its_own_ranges():
    pond = draw(Pond, np.random.default_rng(1), name="mill")
    assert pond.name == "mill"
    assert 0.1 <= pond.depth_m <= 10
    assert pond.weather in ("rain", "sun")


def test_a_narrower_range_leaves_the_other_fields_alone():
    wide = draw(Pond, np.random.default_rng(5), name="mill")
    narrow = draw(Pond, np.random.default_rng(5), {"depth_m": Range(7, 8)}, name="mill")
    assert 7 <= narrow.depth_m <= 8
    assert (narrow.frogs, narrow.weather) == (wide.frogs, wide.weather)


def test_a_range_for_a_field_that_does_not_vary_is_an_error():
    with pytest.raises(KeyError, match=r"Pond has no varying field \['dept_m'\]"):
        draw(Pond, np.random.default_rng(1), {"dept_m": Range(7, 8)}, name="mill")


def test_sometimes_is_the_other_value_in_the_rest_of_the_worlds():
    drawn = [Sometimes(0.3, Range(5, 6)).draw(np.random.default_rng(s)) for s in range(300)]
    assert 0.2 < np.mean([d > 0 for d in drawn]) < 0.4
    assert all(d == 0 or 5 <= d <= 6 for d in drawn)
