from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.visits import CLICK, HUMAN, NOTHING, rank_within, running_total, runs, together, visits


def test_groups_are_laid_end_to_end():
    owner, position = runs(np.array([2, 0, 3]))
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert position.tolist() == [0, 1, 0, 1, 2]


@given(st.lists(st.lists(st.floats(0, 1e6), max_size=6), max_size=8))
def test_running_totals_start_again_with_each_group(groups):
    owner = np.repeat(np.arange(len(groups)), [len(g) for g in groups]).astype(np.int64)
    values = np.array([v for g in groups for v in g])
    expected = [v for g in groups for v in np.cumsum(g)]
    np.testing.assert_allclose(running_total(values, owner), expected, rtol=1e-9, atol=1e-6)


def test_ranks_count_within_the_owner():
    #              owner  7   7   3   7   3
    owner, by = np.array([7, 7, 3, 7, 3]), np.array([5.0, 1.0, 9.0, 3.0, 2.0])
    assert rank_within(owner, by).tolist() == [2, 0, 1, 1, 0]


def test_columns_not_given_mean_no_link_and_no_agent():
    made = visits(np.array([4, 5]), np.array([10, 20]), event=CLICK, actor=HUMAN, source=0)
    assert made.slot.tolist() == made.agent.tolist() == [NOTHING, NOTHING]
    later = together([made, made.replace(time=made.time + 5)])
    assert later.time.tolist() == [10, 20, 15, 25]
    assert later.take(later.time > 15).message.tolist() == [5, 5]
