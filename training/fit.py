"""From labelled events to a model: folds by organisation, a booster, calibration and thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import joblib
import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalog import CATEGORICAL, FEATURE_NAMES
from serving.model import Calibration
from serving.reputation import REPUTATION_CATEGORICAL
from training.calibration import fit_calibration
from training.dataset import Dataset, input_names
from training.reputation import monotone
from training.split import by_organisation, by_time
from training.warm_start import joined

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FitParameters:
    """How a booster is grown; everything that is needed to grow it again."""

    trees: int = 300
    leaves: int = 31
    learning_rate: float = 0.06
    least_in_leaf: int = 60
    feature_share: float = 0.4
    row_share: float = 0.7
    l2: float = 10.0
    cat_smooth: float = 30.0
    bins: int = 127
    folds: int = 4
    seed: int = 7

    def lightgbm(self, threads: int) -> dict[str, Any]:
        """LightGBM's names for these numbers."""
        return {
            "objective": "binary",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.least_in_leaf,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "cat_smooth": self.cat_smooth,
            "cat_l2": 20.0,
            "min_data_per_group": 200,
            "max_cat_threshold": 12,
            "max_bin": self.bins,
            "seed": self.seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": threads,
            "verbosity": -1,
        }


# Behind the trees of a model that knows many senders few and slow ones do, and do not forget. On clicks of other hard
# simulated senders, trees from nothing had an AUC of .90, the bundled model .965, and 100 slow trees behind it .968.
FRESH = FitParameters()
WARM = FitParameters(trees=100, learning_rate=0.04)


@dataclass(frozen=True)
class Fit:
    """A grown booster with what its folds showed: the out-of-fold margins and probabilities of the rows given."""

    booster_text: str
    calibration: Calibration
    margin: Floats = field(repr=False)
    probability: Floats = field(repr=False)

    def calibrated(self, calibration: Calibration) -> Fit:
        """The same trees with another calibration."""
        return replace(self, calibration=calibration, probability=calibration.apply(self.margin))


def fit(
    data: Dataset,
    parameters: FitParameters = FitParameters(),
    *,
    also: Sequence[Dataset] = (),
    shown: Dataset | None = None,
    emphasis: Floats | None = None,
    prior: float | None = None,
    start: str = "",
    threads: int = 2,
) -> Fit:
    """Grow the booster on `data` and `also`; fold, calibrate and judge on `data` alone.

    `shown` are the same rows as growing trees see them, where that is otherwise than they are judged.

    `prior` is the share of automated events that probabilities are calibrated to, as in `data` by default. `start` is
    the text of the booster that the data sets have begun with (`Dataset.begun_with`): its trees come first.

    `emphasis` multiplies the weights of `data` where trees are grown and nowhere else, so that rows which matter more
    than they are many shape the trees and leave the probabilities true.

    `also` holds the same events seen otherwise (with capabilities masked, times coarsened): in each fold those of the
    held-out organisations are held out too. Same data and seed, same booster, bit for bit, with any number of threads.
    """
    grown = shown or data
    grown = grown if emphasis is None else grown.weighted(emphasis)
    everything = [grown, *also]
    folds = list(by_organisation(data.y, data.organisation, folds=parameters.folds, seed=parameters.seed))
    per_fold = max(1, threads // min(2, threads))
    # LightGBM leaves Python's lock: threads share the rows, where processes would copy them and outlive a killed run.
    margins = joblib.Parallel(n_jobs=min(2, threads), prefer="threads")(
        joblib.delayed(fold_margin)(everything, data, test, parameters, per_fold) for _, test in folds
    )
    out_of_fold = np.empty(len(data))
    for (_, test), values in zip(folds, margins, strict=True):
        out_of_fold[test] = values
    calibration = fit_calibration(out_of_fold, data.y, data.weight * _towards(prior, data))
    text = grow(everything, parameters, threads).model_to_string()
    # LightGBM notes the number of threads, which changes no tree.
    text = text.replace(f"[num_threads: {threads}]", "[num_threads: 0]")
    text = joined(start, text) if start else text
    return Fit(text, calibration, out_of_fold, calibration.apply(out_of_fold))


def _towards(prior: float | None, data: Dataset) -> Floats:
    """What each row's weight is multiplied by so that automated events have this share of all weight."""
    automated = data.weight[data.y == 1].sum() / data.weight.sum()
    if prior is None or not 0 < automated < 1:
        return np.ones(len(data))
    return np.asarray(np.where(data.y == 1, prior / automated, (1 - prior) / (1 - automated)), dtype=np.float64)


def forward(
    data: Dataset, calibration: Calibration, parameters: FitParameters, *, test_share: float = 0.2, threads: int = 2
) -> tuple[Dataset, Floats] | None:
    """The last events in time and their probabilities by a booster that saw only what came before them.

    None where either side lacks people's or automated events.
    """
    train, test = by_time(data.us, test_share=test_share)
    before, after = data.take(train), data.take(test)
    if not all(0 < part.y.sum() < len(part) for part in (before, after)):
        return None
    return after, calibration.apply(margin_of(grow([before], parameters, threads), after, threads))


def fold_margin(
    everything: Sequence[Dataset],
    data: Dataset,
    test: npt.NDArray[np.intp],
    parameters: FitParameters,
    threads: int,
) -> Floats:
    """The margins of the rows `test` of `data` by trees grown on the other organisations of `everything`."""
    held_out = np.unique(data.organisation[test])
    kept = [part.take(~np.isin(part.organisation, held_out)) for part in everything]
    return margin_of(grow(kept, parameters, threads), data.take(test), threads)


def margin_of(booster: lgb.Booster, data: Dataset, threads: int) -> Floats:
    """The raw score of these rows: what they have begun with and what the booster adds."""
    added = booster.predict(data.X, raw_score=True, num_threads=threads)
    return data.start + np.asarray(added, dtype=np.float64)


def grow(parts: Sequence[Dataset], parameters: FitParameters, threads: int) -> lgb.Booster:
    """One booster on all rows of all parts, added to what they have begun with."""
    X = np.concatenate([part.X for part in parts])
    y = np.concatenate([part.y for part in parts])
    weight = np.concatenate([part.weight for part in parts])
    start = np.concatenate([part.start for part in parts])
    names = input_names(X.shape[1])
    rows = lgb.Dataset(
        X,
        y,
        weight=weight,
        init_score=start if start.any() else None,
        feature_name=list(names),
        categorical_feature=[name for name in names if name in (*CATEGORICAL, *REPUTATION_CATEGORICAL)],
        free_raw_data=True,
    )
    told = parameters.lightgbm(threads)
    if len(names) > len(FEATURE_NAMES):
        told["monotone_constraints"] = monotone(names)
    return lgb.train(told, rows, num_boost_round=parameters.trees)


def described(parameters: FitParameters) -> Mapping[str, Any]:
    """The parameters as plain numbers, for a tracking run and a manifest."""
    return asdict(parameters)
