"""One decision tree in numpy: where an event goes at every node, not only on its own way.

LightGBM says where an event ends; explaining it needs the answers that it would have given elsewhere. Imports nothing
of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# LightGBM's kZeroThreshold.
_ZERO = np.float32(1e-35)
_MOST_CODES = 2**16


@dataclass(frozen=True, eq=False)
class Columns:
    """Rows to ask trees about, a column at a time: `values` has shape (n_features, n), NaN where not known."""

    values: NDArray[np.float32]

    @cached_property
    def lowest(self) -> NDArray[np.float32]:
        """The values with the lowest in place of NaN, which then goes left everywhere."""
        return np.where(np.isnan(self.values), np.float32(-np.inf), self.values)

    @cached_property
    def _codes(self) -> dict[int, NDArray[np.int64]]:
        return {}

    def codes(self, feature: int) -> NDArray[np.int64]:
        """The values as codes: as in C, what is behind the point is cut; the largest code for what is none."""
        if feature not in self._codes:
            values = self.values[feature]
            known = np.where((values > -1) & (values < _MOST_CODES), values, _MOST_CODES)
            self._codes[feature] = known.astype(np.int64)
        return self._codes[feature]


@dataclass(frozen=True, eq=False)
class Tree:
    """One entry a node, the root first and parents before children; a child below 0 is the leaf ~child.

    A value goes left where it is at most `at_most`, NaN where `unknown_left`, and 0 where NaN does if `zero_unknown`.
    Nodes of `categories` ask for a code instead: it goes left where the entry of its number is true, NaN never.
    `left_share` is the share of the training rows of the node that went left. `value` is what each leaf adds to the
    margin.
    """

    feature: NDArray[np.int64]
    at_most: NDArray[np.float32]
    unknown_left: NDArray[np.bool_]
    zero_unknown: NDArray[np.bool_]
    categories: Mapping[int, NDArray[np.bool_]]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_share: NDArray[np.float64]
    value: NDArray[np.float64]

    def goes_left(self, columns: Columns) -> NDArray[np.bool_]:
        """Return the answer of each node to each row, shape (n_nodes, n)."""
        answers = np.empty((len(self.feature), columns.values.shape[1]), dtype=np.bool_)
        # A node at a time: all at once would copy the columns first and take three times as long.
        for node, (feature, at_most, unknown_left) in enumerate(
            zip(self.feature.tolist(), self.at_most, self.unknown_left.tolist(), strict=True)
        ):
            chosen = self.categories.get(node)
            if chosen is not None:
                chosen.take(columns.codes(feature), out=answers[node], mode="clip")
                continue
            values = (columns.lowest if unknown_left else columns.values)[feature]
            np.less_equal(values, at_most, out=answers[node])
            if self.zero_unknown[node]:
                answers[node, np.abs(values) <= _ZERO] = unknown_left
        return answers
