"""Tuning: what is tried, that it can be ended and taken up again, and what the objective prefers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.errors import InputError
from serving.reputation import REPUTATION_NAMES
from tests.training.registered_models import quick_rows
from training.fit import FitParameters, fold_margin
from training.tune import TIE_BREAK, objective_value, tune

BASE = FitParameters(trees=5, leaves=4, least_in_leaf=10, folds=2)


@pytest.fixture(scope="module")
def small():
    """A search of small trees: rows, and what a tuning begins with."""
    return quick_rows(240)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """The space of the search, with trees that are grown at once."""
    from training import tune as module

    monkeypatch.setitem(module._SPACE, "trees", (2, 8, False))


def test_the_first_trial_is_what_it_begins_with_and_the_best_of_all_wins(small):
    found = tune(small, [], trials=3, base=BASE, threads=1)
    assert [trial.number for trial in found.trials] == [0, 1, 2]
    assert found.trials[0].parameters == BASE
    best = max(found.trials, key=lambda trial: trial.folds[-1])
    assert found.parameters == best.parameters
    assert len({trial.parameters for trial in found.trials}) == 3


def test_the_same_rows_seed_and_number_of_trials_give_the_same(small):
    assert tune(small, [], trials=3, base=BASE, threads=1) == tune(small, [], trials=3, base=BASE, threads=1)
    other = tune(small, [], trials=2, base=dataclasses.replace(BASE, seed=8), threads=1)
    assert other.trials[1].parameters.l2 != tune(small, [], trials=2, base=BASE, threads=1).trials[1].parameters.l2


def test_a_tuning_that_was_ended_goes_on_as_if_it_had_not_been(small, tmp_path):
    file = tmp_path / "deep" / "tuning.db"
    said = []
    assert len(tune(small, [], trials=2, base=BASE, storage=file, threads=1).trials) == 2
    resumed = tune(small, [], trials=4, base=BASE, storage=file, threads=1, progress=said.append)
    assert said == ["trial 3 of 4 of the parameters", "trial 4 of 4 of the parameters"]
    assert resumed == tune(small, [], trials=4, base=BASE, threads=1)


class Killed(BaseException):
    """Ends the process where it stands."""


def test_a_trial_that_a_kill_left_behind_is_made_again(small, tmp_path, monkeypatch):
    file, grown = tmp_path / "tuning.db", []

    def killed_in_the_third_trial(*arguments):
        grown.append(arguments)
        if len(grown) == 6:
            raise Killed
        return fold_margin(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("training.tune.fold_margin", killed_in_the_third_trial)
        with pytest.raises(Killed):
            tune(small, [], trials=4, base=BASE, storage=file, threads=1)
    assert tune(small, [], trials=4, base=BASE, storage=file, threads=1) == tune(
        small, [], trials=4, base=BASE, threads=1
    )


def begun(data):
    """The same rows behind other trees."""
    return dataclasses.replace(data, start=np.ones(len(data)))


def with_reputations(data):
    """The same rows with columns of reputations."""
    return dataclasses.replace(data, X=np.pad(data.X, ((0, 0), (0, len(REPUTATION_NAMES)))))


@pytest.mark.parametrize(
    "other", [lambda data: data.take(np.arange(200)), begun, with_reputations], ids=["rows", "beginning", "reputations"]
)
def test_trials_on_other_rows_do_not_count(small, tmp_path, other):
    file = tmp_path / "tuning.db"
    tune(small, [], trials=1, base=BASE, storage=file, threads=1)
    said = []
    tune(other(small), [], trials=1, base=BASE, storage=file, threads=1, progress=said.append)
    assert said == ["trial 1 of 1 of the parameters"]


def test_trees_are_grown_on_the_rows_as_they_are_shown(small, monkeypatch):
    shown, seen = begun(small), []

    def noted(everything, data, *arguments):
        seen.append((everything[0] is shown, data is small))
        return fold_margin(everything, data, *arguments)

    monkeypatch.setattr("training.tune.fold_margin", noted)
    tune(small, [], shown=shown, trials=1, base=BASE, threads=1)
    assert seen == [(True, True)] * BASE.folds


def test_a_file_that_is_no_database_is_refused_in_one_line(small, tmp_path):
    file = tmp_path / "tuning.db"
    file.write_text("no database, only words " * 100)
    with pytest.raises(InputError, match=r"tuning\.db: the trials of --tune cannot be kept there") as refused:
        tune(small, [], trials=1, base=BASE, storage=file, threads=1)
    assert "\n" not in str(refused.value)


CLICKED, OPENED = 1, 0


def test_the_objective_is_the_recall_above_all_people_but_those_that_may_be_lost():
    """1,000 people, of whom five may be lost, and 1,000 machines, of which 300 are not above the sixth."""
    people = np.concatenate([np.full(5, 9.0), [5.0], np.full(994, -9.0)])
    machines = np.concatenate([np.full(700, 8.0), np.full(300, 5.0)])
    y, margin = np.repeat([0, 1], 1_000), np.concatenate([people, machines])
    log_loss = np.mean(np.logaddexp(0, margin) - y * margin)
    value = objective_value(y.astype(np.int8), margin, np.full(2_000, CLICKED, np.int8))
    assert value == pytest.approx(0.7 - TIE_BREAK * log_loss)


def test_kinds_count_alike_and_those_of_few_people_not():
    """1,000 opens that are all found, 400 clicks of which half are, 20 unsubscribes of which none is."""
    y = np.concatenate([np.arange(1_000) % 2, np.arange(400) % 2, np.arange(20) % 2]).astype(np.int8)
    kind = np.repeat([OPENED, CLICKED, 2], [1_000, 400, 20]).astype(np.int8)
    margin = np.where(y == 1, 4.0, -4.0)
    margin[1_000:1_400:4] = 4.0
    margin[1_001:1_400:4] = 6.0
    margin[1_400:] = 0.0
    log_loss = np.mean(np.logaddexp(0, margin) - y * margin)
    assert objective_value(y, margin, kind) == pytest.approx(0.75 - TIE_BREAK * log_loss)


def test_of_two_that_find_as_much_the_better_probabilities_win():
    y, kind = (np.arange(2_000) % 2).astype(np.int8), np.ones(2_000, np.int8)
    sure, unsure = np.where(y == 1, 5.0, -5.0), np.where(y == 1, 0.5, -0.5)
    assert objective_value(y, sure, kind) > objective_value(y, unsure, kind) > 0.99
