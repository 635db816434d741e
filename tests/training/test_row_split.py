"""The split by row: a quarter of the rows, whoever they are of, and flattering where rows of a message agree."""

from __future__ import annotations

import numpy as np

from serving.model import Thresholds
from tests.training.labelled_rows import rows
from training.evaluate import evaluate
from training.fit import FitParameters, fit
from training.row_split import random_split

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
THRESHOLDS = dict.fromkeys(("opened", "clicked", "unsubscribed"), AT)
SMALL = FitParameters(trees=30, leaves=15, least_in_leaf=5, folds=4, learning_rate=0.2)


def fingerprints(organisations=60, each=20):
    """Labels drawn by organisation, told by a mark that is the organisation's own, and less by what others share."""
    random = np.random.default_rng(5)
    label, mark = random.integers(0, 2, organisations), random.random(organisations)
    return rows(
        np.repeat(label, each),
        organisation=np.repeat(np.arange(organisations), each),
        since_delivery_s=np.repeat(mark, each),
        clicks_10s=np.repeat(label, each) + random.normal(0, 0.8, organisations * each),
    )


def test_a_quarter_of_the_rows_is_judged_with_as_many_machines_as_the_whole():
    data = fingerprints()
    figures = random_split(data, SMALL, THRESHOLDS, 1)["all"]
    assert figures.human + figures.automated == len(data) // 4
    assert abs(figures.automated - data.y.sum() / 4) <= 1


def test_it_flatters_where_what_tells_is_the_organisation_itself():
    data = fingerprints()
    by_row = random_split(data, SMALL, THRESHOLDS, 1)["all"]
    grouped = evaluate(data, fit(data, SMALL, threads=1).probability, THRESHOLDS)["all"]
    assert by_row.auc > 0.97
    assert grouped.auc < 0.9


def test_the_same_seed_gives_the_same_figures():
    assert random_split(fingerprints(), SMALL, THRESHOLDS, 1) == random_split(fingerprints(), SMALL, THRESHOLDS, 2)


def test_one_event_of_a_class_cannot_be_split():
    assert random_split(rows([0, 0, 0, 1]), SMALL, THRESHOLDS) == {}
