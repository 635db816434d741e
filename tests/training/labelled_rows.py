"""Labelled rows for tests, written out: what a case does not name gets a plain default."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalog import FEATURE_NAMES
from training.dataset import Dataset

OPEN, CLICK, UNSUBSCRIBE = 0, 1, 2


def rows(y: Any, **columns: Any) -> Dataset:
    """A data set of these labels; clicks of organisations, messages and recipients of their own, no feature known.

    A feature named in `columns` fills its column of X.
    """
    n = len(y)
    X = np.full((n, len(FEATURE_NAMES)), np.nan, dtype=np.float32)
    for name in set(columns) & set(FEATURE_NAMES):
        X[:, FEATURE_NAMES.index(name)] = columns.pop(name)
    given = {
        "weight": np.ones(n),
        "organisation": np.arange(n),
        "message": np.arange(n),
        "campaign": np.zeros(n),
        "recipient": np.arange(n),
        "us": np.arange(n) * 1_000_000,
        "kind": np.full(n, CLICK),
        "slice": np.full(n, "test"),
        "start": np.zeros(n),
    } | columns
    types = {"weight": np.float64, "start": np.float64, "kind": np.int8, "slice": object}
    return Dataset(
        X=X, y=np.asarray(y, np.int8), **{name: np.asarray(v, types.get(name, np.int64)) for name, v in given.items()}
    )
