"""Margins -> probabilities: beta calibration, three numbers fitted on scores of rows the booster had not seen.

Kull, Silva Filho and Flach (2017), "Beta calibration: a well-founded and easily implemented improvement on logistic
calibration for binary classifiers", AISTATS. Isotonic regression would make ties and ruin the order at the low
false-positive rates that matter here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from serving.model import Calibration

Floats = npt.NDArray[np.float64]
# Far beyond what a booster of a few hundred trees answers; keeps the logarithms finite.
_LIMIT = 30.0


def fit_calibration(margin: Floats, y: npt.NDArray[np.int8], weight: Floats | None = None) -> Calibration:
    """The calibration of these out-of-fold margins; both slopes are held at or above 0 so that order is kept.

    `margin` is the booster's raw score. Raises ValueError where `y` has one class only.
    """
    if len(np.unique(y)) < 2:
        raise ValueError("calibration needs events of both kinds")
    clipped = np.clip(margin, -_LIMIT, _LIMIT)
    log_p = -np.logaddexp(0, -clipped)
    log_q = np.logaddexp(0, clipped)
    columns = np.column_stack([log_p, log_q])
    a, b, c = _slopes(columns, y, weight, [0, 1])
    if a < 0:
        a, b, c = _slopes(columns, y, weight, [1])
    elif b < 0:
        a, b, c = _slopes(columns, y, weight, [0])
    return Calibration(a=max(a, 0.0), b=max(b, 0.0), c=c)


def _slopes(
    columns: Floats, y: npt.NDArray[np.int8], weight: Floats | None, used: list[int]
) -> tuple[float, float, float]:
    fitted = LogisticRegression(C=1e6, max_iter=1_000).fit(columns[:, used], y, sample_weight=weight)
    slopes = [0.0, 0.0]
    for position, slope in zip(used, fitted.coef_[0], strict=True):
        slopes[position] = float(slope)
    return slopes[0], slopes[1], float(fitted.intercept_[0])
