"""Splits: nothing that belongs together is on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.split import by_organisation, by_time

HOUR_US = 3_600_000_000


@st.composite
def labelled_organisations(draw):
    """Labels and organisations of 40 to 120 rows: at least 10 organisations and 10 rows of each class."""
    n = draw(st.integers(40, 120))
    organisation = draw(hnp.arrays(np.int64, n, elements=st.integers(-(2**62), 2**62) | st.integers(0, 9)))
    organisation[:10] = np.arange(10)
    y = draw(hnp.arrays(np.int8, n, elements=st.integers(0, 1)))
    y[:20] = [0, 1] * 10
    return y, organisation


@settings(deadline=None)
@given(labelled_organisations(), st.integers(2, 5), st.integers(0, 1_000))
def test_no_organisation_is_on_both_sides_and_every_row_is_tested_once(labelled, folds, seed):
    y, organisation = labelled
    tested = []
    for train, test in by_organisation(y, organisation, folds=folds, seed=seed):
        assert not set(organisation[train]) & set(organisation[test])
        assert sorted([*train, *test]) == list(range(len(y)))
        tested += list(test)
    assert sorted(tested) == list(range(len(y)))


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    y, organisation = np.arange(400, dtype=np.int8) % 2, np.arange(400) // 8
    first, again, other = (
        [test.tolist() for _, test in by_organisation(y, organisation, folds=4, seed=seed)] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_folds_have_about_the_same_share_of_machines():
    organisation = np.arange(1_000) // 10
    y = (organisation % 5 == 0).astype(np.int8)
    shares = [y[test].mean() for _, test in by_organisation(y, organisation, folds=4, seed=3)]
    assert shares == pytest.approx([0.2] * 4, abs=0.02)


def test_fewer_organisations_than_folds_are_refused():
    y, organisation = np.arange(40, dtype=np.int8) % 2, np.arange(40) // 20
    with pytest.raises(ValueError, match="number of groups: 2"):
        list(by_organisation(y, organisation, folds=3, seed=1))


def test_the_last_fifth_is_tested_and_the_hour_before_it_is_in_neither_part():
    us = np.arange(100)[::-1] * (HOUR_US // 4)  # an event each quarter of an hour, latest first
    train, test = by_time(us, test_share=0.2)
    assert test.tolist() == list(range(20))
    assert train.tolist() == list(range(24, 100))  # the cut is at quarter 79.2, an hour before it 75.2


@settings(deadline=None)
@given(
    hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 10**15)),
    st.floats(0.05, 0.95),
    st.floats(0, 100_000),
)
def test_the_gap_is_kept_between_any_two_events_of_the_parts(us, test_share, gap_s):
    train, test = by_time(us, test_share=test_share, gap_s=gap_s)
    assert len(test) >= 1
    assert not set(train) & set(test)
    if len(train):
        assert us[test].min() - us[train].max() > gap_s * 1e6 * (1 - 1e-9)
