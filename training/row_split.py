"""The split that flatters: by row, so that events of one message are on both sides. Shown beside the honest ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.model_selection import train_test_split

from serving.model import Thresholds
from training.calibration import fit_calibration
from training.dataset import Dataset
from training.evaluate import Figures, evaluate
from training.fit import FitParameters, grow, margin_of

TITLE = "Split by row (do not believe: events of one message are on both sides)"
TEST_SHARE = 0.25


def random_split(
    data: Dataset, parameters: FitParameters, thresholds: Mapping[str, Thresholds], threads: int = 2
) -> Mapping[str, Figures]:
    """Figures of a quarter of the rows, drawn whoever they are of, by trees grown on the other three.

    Calibrated on that quarter, as out-of-fold figures are on the rows they are of. Empty below two people's or
    two machines' events.
    """
    if min(data.y.sum(), len(data) - data.y.sum()) < 2:
        return {}
    train, test = train_test_split(
        np.arange(len(data)), test_size=TEST_SHARE, random_state=parameters.seed, stratify=data.y
    )
    judged = data.take(test)
    margin = margin_of(grow([data.take(train)], parameters, threads), judged, threads)
    probability = fit_calibration(margin, judged.y, judged.weight).apply(margin)
    return evaluate(judged, probability, thresholds, seed=parameters.seed)
