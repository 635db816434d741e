"""What each group of features adds to a margin: Shapley values that sum to it, whatever stands in the batch."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from serving import attribution
from serving.attribution import Attribution
from serving.booster import Booster, read_trees
from serving.tree import Columns, Tree

GROUP = np.array([0, 0, 1, 2, 3])  # of five features
Rows = NDArray[np.float32]


def tree(feature: list[int], at_most: list[float], children: list[tuple[int, int]], share: list[float]) -> Tree:
    """A tree of these nodes, NaN going right, whose leaf number n adds n + 1."""
    n, (left, right) = len(feature), np.array(children or np.empty((0, 2)), dtype=np.int64).T
    never = np.zeros(n, dtype=np.bool_)
    thresholds = np.array(at_most, dtype=np.float32)
    value = np.arange(n + 1) + 1.0
    return Tree(np.array(feature, dtype=np.int64), thresholds, never, never, {}, left, right, np.array(share), value)


@st.composite
def trees(draw: st.DrawFn, most_leaves: int = 9) -> Tree:
    """Any tree on five features that asks for values at most -1, 0 or 1."""
    n_nodes = draw(st.integers(1, most_leaves - 1))
    children, open_ends = [[0, 0] for _ in range(n_nodes)], [(0, 0), (0, 1)]
    for node in range(1, n_nodes):  # each further node takes the place of an open end
        parent, side = open_ends.pop(draw(st.integers(0, len(open_ends) - 1)))
        children[parent][side] = node
        open_ends += [(node, 0), (node, 1)]
    for leaf, (parent, side) in enumerate(open_ends):
        children[parent][side] = ~leaf

    def each(values: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(values, min_size=n_nodes, max_size=n_nodes))

    feature = [int(value) for value in each(st.integers(0, len(GROUP) - 1))]
    shares = each(st.one_of(st.floats(0.01, 0.99), st.sampled_from([0.0, 1.0])))
    return tree(feature, each(st.sampled_from([-1.0, 0.0, 1.0])), [(a, b) for a, b in children], shares)


row = st.lists(st.sampled_from([-2.0, -0.5, 0.5, 2.0, np.nan]), min_size=5, max_size=5)
batch = st.lists(row, min_size=1, max_size=6).map(lambda rows: np.array(rows, dtype=np.float32))


def expected_margin(tree: Tree, answers: NDArray[np.bool_], known: frozenset[int], node: int = 0) -> float:
    """What the tree says of an event on average, if only the answers of some groups are known."""
    if node < 0:
        return float(tree.value[~node])
    share = float(answers[node]) if GROUP[tree.feature[node]] in known else float(tree.left_share[node])
    left, right = (expected_margin(tree, answers, known, int(child[node])) for child in (tree.left, tree.right))
    return share * left + (1 - share) * right


def shapley(tree: Tree, answers: NDArray[np.bool_]) -> list[float]:
    """The definition: what a group adds to each set of the others, weighted by the orders that it comes up in."""
    n, result = int(GROUP.max()) + 1, []
    for group in range(n):
        total = 0.0
        for size in range(n):
            weight = factorial(size) * factorial(n - 1 - size) / factorial(n)
            for chosen in map(frozenset, combinations([other for other in range(n) if other != group], size)):
                joined = expected_margin(tree, answers, chosen | {group})
                total += weight * (joined - expected_margin(tree, answers, chosen))
        result.append(total)
    return result


@pytest.mark.parametrize("tabulated", [0, 8])
@settings(max_examples=60)
@given(tree=trees(), X=batch)
def test_groups_get_their_shapley_values(tabulated: int, tree: Tree, X: Rows) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attribution, "_TABULATED", tabulated)
        found = Attribution((tree,), GROUP, 4)
        answers = tree.goes_left(Columns(X.T.copy()))
        np.testing.assert_allclose(found.groups(X), [shapley(tree, column) for column in answers.T], atol=1e-3)
        assert found.bias == pytest.approx(expected_margin(tree, answers[:, 0], frozenset()), abs=1e-3)


@given(several=st.lists(trees(80), min_size=1, max_size=3), X=batch)
def test_groups_and_bias_sum_to_the_leaves_that_an_event_ends_in(several: list[Tree], X: Rows) -> None:
    found = Attribution(tuple(several), GROUP, 6)
    added = found.groups(X)
    everything = frozenset(range(4))
    margins = [
        sum(expected_margin(tree, tree.goes_left(Columns(X.T.copy()))[:, n], everything) for tree in several)
        for n in range(len(X))
    ]
    assert added.shape == (len(X), 6)
    assert not added[:, 4:].any()  # groups without features
    np.testing.assert_allclose(added.sum(axis=1) + found.bias, margins, rtol=1e-4)


def test_one_question_written_out() -> None:
    # 30 % of the training rows go left, to 1; the others to 2: 1.7 on average.
    found = Attribution((tree([2], [0.0], [(~0, ~1)], [0.3]),), GROUP, 4)
    assert found.bias == pytest.approx(1.7)
    left, right = np.full((2, 5), [[-1.0], [1.0]], dtype=np.float32)
    np.testing.assert_allclose(found.groups(np.array([left, right])), [[0, -0.7, 0, 0], [0, 0.3, 0, 0]], atol=1e-6)


def test_a_tree_of_one_leaf_is_all_bias() -> None:
    found = Attribution((tree([], [], [], []),), GROUP, 4)
    assert found.bias == 1.0
    assert found.groups(np.zeros((2, 5), np.float32)).tolist() == [[0] * 4] * 2


def test_no_rows_have_no_values() -> None:
    found = Attribution((tree([2], [0.0], [(~0, ~1)], [0.3]),), GROUP, 4)
    assert found.groups(np.empty((0, 5), np.float32)).shape == (0, 4)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=60).map(lambda keys: keys + keys[::3]), st.sampled_from([1, 14]))
def test_equal_keys_have_one_number_and_others_another(keys: list[int], slot_bits: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attribution, "_SLOT_BITS", slot_bits)  # 1: nearly all keys meet in a slot
        first, number = attribution._distinct(np.array(keys, dtype=np.uint64))
    assert [keys[first[n]] for n in number] == keys
    assert len(first) == len(set(keys))


@pytest.fixture(scope="module")
def grown() -> tuple[lightgbm.Booster, Rows]:
    """40 trees on five features, one of them codes, and rows for them."""
    random = np.random.default_rng(0)
    X = random.normal(size=(4000, 5)).astype(np.float32)
    X[:, 4] = random.integers(0, 20, len(X))
    X[random.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1]) + np.isin(X[:, 4], [3, 8]) + np.nan_to_num(X[:, 2]) > 0.5
    data = lightgbm.Dataset(X, y.astype(int), categorical_feature=[4])
    options = {"objective": "binary", "num_leaves": 90, "verbose": -1, "num_threads": 1, "seed": 1}
    return lightgbm.train(options, data, 40), X


def test_where_each_feature_is_a_group_of_its_own_the_values_are_shap_values(
    grown: tuple[lightgbm.Booster, Rows],
) -> None:
    booster, X = grown
    found = Attribution(read_trees(booster.model_to_string()), np.arange(5), 5)
    expected = np.asarray(booster.predict(X[:300], pred_contrib=True))
    np.testing.assert_allclose(found.groups(X[:300]), expected[:, :5], atol=1e-4)
    assert found.bias == pytest.approx(expected[0, 5])


def test_values_do_not_depend_on_the_batch(grown: tuple[lightgbm.Booster, Rows]) -> None:
    booster, X = grown
    text = booster.model_to_string()
    found = Attribution(read_trees(text), GROUP, 4)
    whole = found.groups(X)
    parts = np.concatenate([found.groups(X[:7]), found.groups(X[7:1000]), found.groups(X[1000:])])
    assert parts.tobytes() == whole.tobytes()
    np.testing.assert_allclose(whole.sum(axis=1) + found.bias, Booster(text).predict_raw(X, 2), atol=1e-4)
