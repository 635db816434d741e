"""Trees behind trees: the joined booster says what both say, and the first is not shown what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serving.booster import Booster, check_text
from tests.training.labelled_rows import rows
from training.fit import FitParameters, fit, grow
from training.split import by_organisation
from training.warm_start import joined

SMALL = FitParameters(
    trees=12, leaves=5, least_in_leaf=10, learning_rate=0.2, feature_share=1.0, row_share=1.0, folds=3
)


def told_by(feature: str, seed: int):
    """Two thousand events of 200 organisations whose label one feature tells, in part."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 2_000)
    return rows(y, organisation=np.arange(2_000) // 10, **{feature: random.normal(y, 0.7)})


def text_of(data, parameters=SMALL):
    return grow([data], parameters, 1).model_to_string()


def test_the_joined_booster_adds_both_up():
    first, second = told_by("since_delivery_s", 1), told_by("clicks_10s", 2)
    # Categories and more than ten trees on either side: numbers of trees change their width.
    coded = replace(second, X=second.X.copy())
    coded.X[:, 21] = second.y * 3
    text = joined(text_of(first), text_of(coded))
    check_text(text)
    X = np.vstack([first.X, coded.X])
    parts = [Booster(text_of(data)).predict_raw(X, 1) for data in (first, coded)]
    assert Booster(text).predict_raw(X, 1) == pytest.approx(sum(parts), abs=1e-12)
    assert Booster(text).n_trees == 2 * SMALL.trees


def test_what_is_no_model_is_refused():
    with pytest.raises((ValueError, KeyError)):
        joined("tree\nversion=v4\n", text_of(told_by("clicks_10s", 2)))


def test_a_fit_that_begins_with_a_booster_ends_with_its_trees_and_new_ones():
    first, data = told_by("since_delivery_s", 1), told_by("clicks_10s", 2)
    start = text_of(first)
    fitted = fit(data.begun_with(Booster(start), 1), SMALL, start=start, threads=1)
    known = Booster(start).predict_raw(first.X, 1)
    assert Booster(fitted.booster_text).n_trees == 2 * SMALL.trees
    # What only the earlier booster knew is known still; the new rows said nothing of it.
    assert np.corrcoef(Booster(fitted.booster_text).predict_raw(first.X, 1), known)[0, 1] > 0.95


def test_out_of_fold_margins_are_what_the_rows_began_with_and_what_unseen_organisations_add():
    begun = told_by("clicks_10s", 2).begun_with(Booster(text_of(told_by("clicks_10s", 1))), 1)
    margin = fit(begun, SMALL, start=text_of(told_by("clicks_10s", 1)), threads=1).margin
    assert begun.start.std() > 0
    for train, test in by_organisation(begun.y, begun.organisation, folds=SMALL.folds, seed=SMALL.seed):
        added = grow([begun.take(train)], SMALL, 1).predict(begun.X[test], raw_score=True, num_threads=1)
        assert margin[test] == pytest.approx(begun.start[test] + added, abs=1e-12)


def test_features_left_out_are_asked_by_no_new_tree_and_by_the_earlier_ones_as_before():
    data = told_by("since_delivery_s", 1)
    start = text_of(data)
    begun = data.begun_with(Booster(start), 1)
    blind = begun.without({"since_delivery_s"})
    assert blind.start.tolist() == begun.start.tolist()
    assert np.isnan(blind.X[:, 0]).all()
    assert not np.isnan(data.X[:, 0]).any()
    new = grow([blind], SMALL, 1)
    assert new.feature_importance()[0] == 0
