"""Later and elsewhere at once: the last events in time at organisations that the trees have not seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.model import Calibration
from training.dataset import Dataset
from training.fit import FitParameters, grow, margin_of
from training.split import by_organisation, by_time

Floats = npt.NDArray[np.float64]
TITLE = "The last fifth in time at organisations not trained on, by trees that saw only others and what came before"


def forward_unseen(
    data: Dataset, calibration: Calibration, parameters: FitParameters, *, test_share: float = 0.2, threads: int = 2
) -> tuple[Dataset, Floats] | None:
    """The last events in time, in the order of `data`, and their probabilities.

    Each is by a booster that saw neither its organisation nor anything later than an hour before the first of them.
    Organisations are held out in as many folds as `parameters` say; a fold without people or machines before is left
    out. None where people or machines are lacking after. Raises ValueError below as many organisations as folds.
    """
    before, after = by_time(data.us, test_share=test_share)
    probability = np.full(len(data), np.nan)
    for train, test in by_organisation(data.y, data.organisation, folds=parameters.folds, seed=parameters.seed):
        earlier, later = data.take(np.intersect1d(train, before)), np.intersect1d(test, after)
        if not len(later) or not 0 < earlier.y.sum() < len(earlier):
            continue
        margin = margin_of(grow([earlier], parameters, threads), data.take(later), threads)
        probability[later] = calibration.apply(margin)
    judged = np.flatnonzero(np.isfinite(probability))
    if not 0 < data.y[judged].sum() < len(judged):
        return None
    return data.take(judged), probability[judged]
