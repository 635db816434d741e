"""Fitting: the same again from the same seed, and figures only of organisations the trees had not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from features.catalog import FEATURE_NAMES
from serving.booster import Booster
from serving.model import Calibration
from tests.training.labelled_rows import rows
from training.evaluate import calibration_error
from training.fit import FitParameters, described, fit, forward, grow
from training.split import by_organisation

SMALL = FitParameters(
    trees=30, leaves=7, least_in_leaf=10, learning_rate=0.2, feature_share=1.0, row_share=1.0, folds=3
)


def honest(n: int = 4_000, seed: int = 1):
    """Events whose feature truly tells, in part; 400 organisations of ten."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    return rows(
        y,
        since_delivery_s=random.normal(y, 1.0),
        since_sent_s=random.normal(size=n),
        organisation=np.arange(n) // 10,
    )


def memorisable():
    """100 organisations of 20 events, all of one kind. One feature is the organisation's number, by which its kind can
    be remembered; another truly tells a little: by it alone, two of three pairs are in order."""
    random = np.random.default_rng(5)
    organisation = np.arange(2_000) // 20
    y = random.permutation(np.arange(100) % 2)[organisation]
    return rows(
        y,
        organisation=organisation,
        since_delivery_s=organisation,
        since_sent_s=random.normal(0.6 * y, 1.0),
    )


def in_sample(fitted, data):
    return Booster(fitted.booster_text).predict_raw(data.X, 1)


@pytest.mark.parametrize("threads", [1, 2], ids=["once more", "on more threads"])
def test_the_same_data_and_seed_give_the_same_booster_bit_for_bit(threads):
    parameters = replace(SMALL, feature_share=0.5, row_share=0.7)
    first, second = fit(honest(), parameters, threads=1), fit(honest(), parameters, threads=threads)
    assert first.booster_text == second.booster_text
    assert first.margin.tolist() == second.margin.tolist()
    assert first.calibration == second.calibration


def test_another_seed_gives_another_booster():
    parameters = replace(SMALL, row_share=0.7)
    assert (
        fit(honest(), parameters, threads=1).booster_text
        != fit(honest(), replace(parameters, seed=8), threads=1).booster_text
    )


def test_what_is_known_of_an_organisation_does_not_reach_its_own_out_of_fold_margins():
    data = memorisable()
    fitted = fit(data, SMALL, threads=1)
    assert roc_auc_score(data.y, in_sample(fitted, data)) > 0.85
    assert roc_auc_score(data.y, fitted.margin) < 0.7


def test_nor_does_what_other_views_of_its_events_show():
    data = memorisable()
    also = [data.weighted(0.35), data]
    assert roc_auc_score(data.y, fit(data, SMALL, also=also, threads=1).margin) < 0.7


def test_margins_are_those_of_boosters_grown_without_the_organisation_in_any_part():
    data, also = honest(), honest(seed=2).weighted(0.5)
    margin = fit(data, SMALL, also=[also], threads=1).margin
    for train, test in by_organisation(data.y, data.organisation, folds=SMALL.folds, seed=SMALL.seed):
        others = ~np.isin(also.organisation, data.organisation[test])
        booster = grow([data.take(train), also.take(others)], SMALL, 1)
        assert margin[test].tolist() == booster.predict(data.X[test], raw_score=True, num_threads=1).tolist()


def test_other_views_shape_the_trees():
    data = honest()
    assert fit(data, SMALL, also=[honest(seed=2)], threads=1).booster_text != fit(data, SMALL, threads=1).booster_text


def test_emphasis_changes_the_trees_and_leaves_the_probabilities_true():
    data = honest(12_000)
    people = np.where(data.y == 0, 4.0, 1.0)
    plain, leaning = fit(data, SMALL, threads=1), fit(data, SMALL, emphasis=people, threads=1)
    assert leaning.booster_text != plain.booster_text
    assert leaning.margin.mean() < plain.margin.mean() - 1  # the trees by themselves lean to people
    assert leaning.probability.mean() == pytest.approx(data.y.mean(), abs=0.005)
    assert calibration_error(leaning.probability, data.y) < 0.02


def test_emphasis_of_one_changes_nothing():
    data = honest()
    assert (
        fit(data, SMALL, emphasis=np.ones(len(data)), threads=1).booster_text
        == fit(data, SMALL, threads=1).booster_text
    )


def test_the_probabilities_are_the_calibrated_margins_in_the_order_of_the_rows():
    data = honest()
    fitted = fit(data, SMALL, threads=1)
    assert fitted.probability.tolist() == fitted.calibration.apply(fitted.margin).tolist()
    assert len(fitted.margin) == len(data)
    assert 0.7 < roc_auc_score(data.y, fitted.probability) < 0.8  # two normal curves one deviation apart: 0.76


def test_the_booster_takes_the_features_of_the_catalogue():
    booster = Booster(fit(honest(), SMALL, threads=1).booster_text)
    assert booster.feature_names == FEATURE_NAMES
    assert booster.n_trees == SMALL.trees


def test_the_parameters_are_described_as_plain_numbers():
    assert FitParameters(**described(SMALL)) == SMALL
    assert all(isinstance(value, int | float) for value in described(SMALL).values())


def test_looking_forward_the_booster_knows_only_what_came_before():
    """A sign that turns round in the last fifth is read the old way there."""
    random = np.random.default_rng(3)
    sign, us = random.random(5_000), np.arange(5_000) * 60_000_000
    y = np.where(us < np.quantile(us, 0.8), sign > 0.5, sign < 0.5)
    data = rows(y, clicks_10s=sign, us=us)
    after, probability = forward(data, Calibration(1, 1, 0), SMALL)
    assert len(after) == 1_000
    assert after.us.min() >= np.quantile(us, 0.8)
    assert roc_auc_score(after.y, probability) < 0.05


def test_looking_forward_needs_both_kinds_on_both_sides():
    assert forward(rows([0, 1] * 400 + [0] * 200), Calibration(1, 1, 0), SMALL) is None
