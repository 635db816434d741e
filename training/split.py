"""Splits by organisation and by time, never by row: rows of one recipient know too much about each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

Rows = npt.NDArray[np.intp]


def by_organisation(
    y: npt.NDArray[np.int8], organisation: npt.NDArray[np.int64], *, folds: int, seed: int
) -> Iterator[tuple[Rows, Rows]]:
    """(train, test) row positions; no organisation is on both sides. Raises ValueError below `folds` organisations."""
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros((len(y), 1)), y, organisation)


def by_time(us: npt.NDArray[np.int64], *, test_share: float, gap_s: float = 3_600.0) -> tuple[Rows, Rows]:
    """(train, test) row positions: the last `test_share` of the events against those before, with a gap between.

    The gap keeps a message's look-ahead of one hour from reaching into the test side. Organisations appear on both
    sides: this split asks how a model fares next month at the same recipients.
    """
    cut = np.quantile(us, 1 - test_share)
    return np.flatnonzero(us < cut - gap_s * 1e6), np.flatnonzero(us >= cut)
