"""Models that are quickly made, and an MLflow store with some of them registered."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from serving.model import DEFAULT, Thresholds
from tests.training.labelled_rows import CLICK, OPEN, rows
from training.challenge import Comparison, Judged, compare_models
from training.dataset import Dataset
from training.fit import FitParameters, fit
from training.promote import promote
from training.registry import Registry
from training.retrain import Trained, assemble
from training.tracking import log_training
from training.tune import Trial, Tuning

QUICK = FitParameters(trees=8, leaves=4, least_in_leaf=10, folds=2)
AT = Thresholds(automated=0.9, human=0.2, allowance=0.005, basis="written for a test")
THRESHOLDS = dict.fromkeys((DEFAULT, "opened", "clicked", "unsubscribed"), AT)


def quick_rows(n: int = 400) -> Dataset:
    """Opens and clicks in turn, every other pair a machine's soon after delivery; 40 organisations."""
    y = np.arange(n) // 2 % 2
    spread = np.random.default_rng(5).uniform(0.5, 40, n)
    return rows(
        y,
        since_delivery_s=np.where(y == 1, spread, 30 * spread),
        kind=np.where(np.arange(n) % 2, CLICK, OPEN),
        organisation=np.arange(n) // 10,
    )


def quick_model(seed: int = 7, data: Dataset | None = None) -> Trained:
    """A model of `quick_rows`, another one for another seed."""
    data = quick_rows() if data is None else data
    parameters = replace(QUICK, seed=seed)
    return assemble(
        data,
        fit(data, parameters, threads=1),
        THRESHOLDS,
        (),
        parameters,
        created=date(2026, 3, seed),
        source="labelled events",
    )


def compared(ours: Sequence[float], champion: Sequence[float], *, name: str = "models:/clicksift/1") -> Comparison:
    """A comparison in which both models give the probabilities written here to clicks of 50 organisations.

    Given are those of 10 clicks of people and 10 of machines; each organisation has all of them.
    """
    y = np.tile([0] * 10 + [1] * 10, 50)
    data = rows(y, organisation=np.repeat(np.arange(50), 20))
    both: tuple[Judged, Judged] = tuple((np.tile(values, 50).astype(float), THRESHOLDS) for values in (ours, champion))  # type: ignore[assignment]
    return compare_models(data, *both, {}, names=("this model", name))


GOOD = [0.1] * 10 + [0.95] * 10
LOSES = [0.95] + [0.1] * 9 + [0.95] * 10
FINDS_LESS = [0.1] * 10 + [0.95] * 9 + [0.1]
# Version 1 is champion. As compared with it 2 is better and 3 loses people; 4 and 5 were not compared.
FIRST, BETTER, LOSING, UNCOMPARED, COMPARED_LATER = "12345"
COMPARISONS = (None, compared(GOOD, FINDS_LESS), compared(LOSES, GOOD), None, None)


# Two trials of which the second was ended after a fold; kept with version 2.
TRIALS = (
    Trial(0, QUICK, (0.8, 0.9), is_pruned=False),
    Trial(1, replace(QUICK, leaves=3), (0.7,), is_pruned=True),
)


def store_of(folder: Path, comparisons: Sequence[Comparison | None]) -> str:
    """The address of a store with a registered version for each of the comparisons; the first is champion."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    for number, comparison in enumerate(comparisons, start=1):
        trained = quick_model(seed=number)
        trained.model.save(folder / "model")
        tuning = Tuning(QUICK, TRIALS) if str(number) == BETTER else None
        log_training(trained, folder / "model", uri, comparison=comparison, tuning=tuning)
    promote(FIRST, Registry(uri), why="to have a champion")
    return uri


def copied(uri: str, folder: Path) -> str:
    """The same store to change: its runs' files stay where they are."""
    shutil.copy(uri.removeprefix("sqlite:///"), folder / "mlflow.db")
    return f"sqlite:///{folder / 'mlflow.db'}"
