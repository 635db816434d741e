"""Better parameters for the trees, by trials on folds: Optuna's TPE, bad trials ended after a fold.

Each trial draws from a seed of its own, so a tuning that was ended and taken up again gives what it would have given
in one go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.exceptions import OptunaError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from features.engine import Progress
from features.errors import InputError
from training.dataset import Dataset
from training.evaluate import KINDS
from training.fit import FitParameters, described, fold_margin
from training.split import by_organisation

Floats = npt.NDArray[np.float64]
LOSS = 0.005
# A kind of event with fewer people, or machines, in a fold says nothing of a recall at this loss.
FEWEST_OF_A_KIND = round(1 / LOSS)
# Of two trials that find as much the one with better probabilities: too little to outweigh an event in a thousand.
TIE_BREAK = 1e-3
_RANDOM_TRIALS = 8
# Lowest and highest value, widened to what a tuning begins with, and whether it is drawn by its logarithm.
_SPACE: dict[str, tuple[float, float, bool]] = {
    "trees": (150, 500, False),
    "leaves": (7, 63, True),
    "learning_rate": (0.02, 0.2, True),
    "least_in_leaf": (20, 300, True),
    "feature_share": (0.2, 0.9, False),
    "row_share": (0.5, 0.95, False),
    "l2": (0.5, 100.0, True),
    "cat_smooth": (5.0, 100.0, True),
}
# A trial goes on while it is among the better half at its fold; the first ones show what that is.
_UNPRUNED_TRIALS = 4
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Trial:
    """One choice of parameters; `folds` is the mean of the objective after each fold, shorter where it was ended."""

    number: int
    parameters: FitParameters
    folds: tuple[float, ...]
    is_pruned: bool


@dataclass(frozen=True)
class Tuning:
    """The best parameters of all finished trials, and the trials, those of earlier sessions too."""

    parameters: FitParameters
    trials: tuple[Trial, ...]


def tune(
    data: Dataset,
    also: Sequence[Dataset],
    *,
    shown: Dataset | None = None,
    trials: int,
    base: FitParameters = FitParameters(),
    storage: Path | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Tuning:
    """The best of `trials` choices of parameters, the first of which is `base`; folds and seed are those of `base`.

    `also` and `shown` are as in `training.fit.fit`. The objective is the mean over folds by organisation of the recall
    at a loss of 0.5 % of people's events, over the kinds of events that are many enough, with the log loss to break
    ties. `storage` is a SQLite file: trials on the same rows that stand there are not made again, so a tuning that was
    ended goes on. Same rows, base and number of trials, same result. Raises InputError where the file cannot be used.
    """
    grown = [shown or data, *also]
    study = _study(storage, _name(data, grown, base))
    folds = list(by_organisation(data.y, data.organisation, folds=base.folds, seed=base.seed))

    def objective(trial: optuna.Trial) -> float:
        chosen = _drawn(trial, base)
        values: list[float] = []
        for fold, (_, test) in enumerate(folds):
            values.append(_fold_value(data, grown, test, chosen, threads))
            trial.report(float(np.mean(values)), fold)
            if fold + 1 < len(folds) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(left.number, state=TrialState.FAIL)
    while (done := len(study.get_trials(deepcopy=False, states=_FINISHED))) < trials:
        if progress:
            progress(f"trial {done + 1} of {trials} of the parameters")
        if done == 0:
            study.enqueue_trial({name: getattr(base, name) for name in _SPACE})
        study.sampler = optuna.samplers.TPESampler(seed=base.seed + done, n_startup_trials=_RANDOM_TRIALS)
        study.optimize(objective, n_trials=1)
    made = study.get_trials(deepcopy=False, states=_FINISHED)[:trials]
    best = max((trial for trial in made if trial.state == TrialState.COMPLETE), key=lambda trial: trial.value or 0.0)
    return Tuning(
        _of(best.params, base),
        tuple(
            Trial(number, _of(trial.params, base), _values(trial), trial.state == TrialState.PRUNED)
            for number, trial in enumerate(made)
        ),
    )


def _study(storage: Path | None, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of each trial otherwise
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS)
    if storage is None:
        return optuna.create_study(direction="maximize", pruner=pruner)
    try:
        storage.parent.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            storage=f"sqlite:///{storage}", study_name=name, direction="maximize", pruner=pruner, load_if_exists=True
        )
    except (OptunaError, SQLAlchemyError, OSError, RuntimeError) as error:
        raise InputError(
            f"{storage}: the trials of --tune cannot be kept there ({str(error).splitlines()[0]}); move the file away"
        ) from error


def _name(data: Dataset, grown: Sequence[Dataset], base: FitParameters) -> str:
    """The same for the same rows, beginning, folds and first trial alone: trials of others have other values."""
    rows = [
        (part.fingerprint(), *(hashlib.sha256(values.tobytes()).hexdigest() for values in (part.X, part.start)))
        for part in (data, *grown)
    ]
    folds = hashlib.sha256(data.organisation.tobytes()).hexdigest()
    told = json.dumps([rows, folds, described(base)], sort_keys=True)
    return f"clicksift {data.fingerprint()} {hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _drawn(trial: optuna.Trial, base: FitParameters) -> FitParameters:
    chosen: dict[str, int | float] = {}
    for name, (low, high, is_log) in _SPACE.items():
        own = getattr(base, name)
        bounds = min(low, own), max(high, own)
        draw = trial.suggest_int if isinstance(own, int) else trial.suggest_float
        chosen[name] = draw(name, *bounds, log=is_log)
    return replace(base, **chosen)  # type: ignore[arg-type]  # names and kinds are those of the fields


def _fold_value(
    data: Dataset, grown: Sequence[Dataset], test: npt.NDArray[np.intp], parameters: FitParameters, threads: int
) -> float:
    margin = fold_margin(grown, data, test, parameters, threads)
    return objective_value(data.y[test], margin, data.kind[test])


def objective_value(y: npt.NDArray[np.int8], margin: Floats, kind: npt.NDArray[np.int8]) -> float:
    """The mean recall at a loss of `LOSS` over the kinds of event with enough of both, less a bit of the log loss.

    All events together where no kind has enough.
    """
    enough = [rows for rows in (kind == k for k in range(len(KINDS))) if _fewest(y[rows]) >= FEWEST_OF_A_KIND]
    recalls = [_recall(y[rows], margin[rows]) for rows in enough or [np.ones(len(y), dtype=bool)]]
    log_loss = float(np.mean(np.logaddexp(0, margin) - y * margin))
    return float(np.mean(recalls)) - TIE_BREAK * log_loss


def _fewest(y: npt.NDArray[np.int8]) -> int:
    return int(min(y.sum(), len(y) - y.sum()))


def _recall(y: npt.NDArray[np.int8], margin: Floats) -> float:
    """The share of machines above all people but the `LOSS` that may be lost; 0 where either has no event."""
    people = np.sort(margin[y == 0])[::-1]
    if not 0 < len(people) < len(y):
        return 0.0
    return float(np.mean(margin[y == 1] > people[int(LOSS * len(people))]))


def _of(values: Mapping[str, Any], base: FitParameters) -> FitParameters:
    return replace(base, **{name: values[name] for name in _SPACE})


def _values(trial: optuna.trial.FrozenTrial) -> tuple[float, ...]:
    return tuple(value for _, value in sorted(trial.intermediate_values.items()))
