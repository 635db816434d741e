"""Labels of events that were chosen by how they look: which features the choice shows in.

"Clicks of the hidden link against a few known people" would teach that the hidden link makes a machine. The labelled
events of each class are compared with the unlabelled ones that the model before takes for the same class; a feature
that tells labelled from unlabelled is left out of new trees. (Elkan and Noto (2008), "Learning classifiers from only
positive and unlabeled data", KDD, need the choice to be independent of the features; this finds where it is not.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.catalog import FEATURE_NAMES
from serving.model import BotClickModel
from training.dataset import Dataset, Unlabelled, as_wide
from training.evaluate import KINDS

# The largest difference of two distribution functions that chance and campaigns of different kinds explain.
MOST_APART = 0.4
# Below this share of unlabelled events, or this number of a class, nothing was chosen or nothing can be told.
LEAST_UNLABELLED = 0.05
FEWEST = 100


@dataclass(frozen=True)
class Selection:
    """Features by which events were chosen for labelling, with how far apart they are, the farthest first.

    `prior` is the expected share of automated events among all judged ones, labelled or not.
    """

    features: tuple[tuple[str, float], ...]
    prior: float

    @property
    def names(self) -> frozenset[str]:
        """The features alone."""
        return frozenset(name for name, _ in self.features)


def selection(data: Dataset, unlabelled: Unlabelled, model: BotClickModel, threads: int = 0) -> Selection:
    """How the labelled events differ from those without a label, by what `model` thinks of the latter."""
    labelled_share = len(data) / (len(data) + unlabelled.events)
    if 1 - labelled_share < LEAST_UNLABELLED:
        return Selection((), float(data.y.mean()))
    thought = model.probability(as_wide(unlabelled.X, len(model.feature_names)), threads)
    prior = labelled_share * float(data.y.mean()) + (1 - labelled_share) * float(thought.mean())
    apart = np.zeros(len(FEATURE_NAMES))
    for automated in (True, False):
        chosen, others = data.X[(data.y == 1) == automated], unlabelled.X[(thought > 0.5) == automated]
        if min(len(chosen), len(others)) >= FEWEST:
            apart = np.maximum(apart, [_distance(chosen[:, i], others[:, i]) for i in range(len(apart))])
    order = np.argsort(-apart, kind="stable")
    found = [(FEATURE_NAMES[i], float(apart[i])) for i in order if apart[i] > MOST_APART]
    return Selection(tuple(found), prior)


def anchors(
    data: Dataset, unlabelled: Unlabelled, model: BotClickModel, fewest: int, threads: int = 0
) -> tuple[Dataset, ...]:
    """Unlabelled events as `model` takes them, for kinds of event of which fewer than `fewest` of a class are labelled.

    Trees grown with them leave such kinds as they were: labels of machines' opens alone would make every open a
    machine's. Each event is two rows, automated and human, that weigh what the model believes. Empty where no kind
    is lacking.
    """
    lacking = [kind for kind in range(len(KINDS)) if _fewest(data.y[data.kind == kind]) < fewest]
    rows = np.isin(unlabelled.kind, lacking)
    if not rows.any():
        return ()
    X, kind = as_wide(unlabelled.X[rows], data.X.shape[1]), unlabelled.kind[rows]
    n = len(X)
    probability = model.probability(as_wide(X, len(model.feature_names)), threads)
    nobody = np.full(2 * n, -1)
    both = Dataset(
        X=np.concatenate([X, X]),
        y=np.repeat(np.array([1, 0], dtype=np.int8), n),
        weight=np.concatenate([probability, 1 - probability]),
        **dict.fromkeys(("organisation", "message", "campaign", "recipient", "us"), nobody),
        kind=np.concatenate([kind, kind]),
        slice=np.full(2 * n, "", dtype=object),
        start=np.zeros(2 * n),
    )
    return (both.begun_with(model.booster, threads),)


def _fewest(y: npt.NDArray[np.int8]) -> int:
    return int(min(y.sum(), len(y) - y.sum()))


def _distance(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """The largest difference of the distribution functions (Kolmogorov-Smirnov), not known being the lowest value."""
    a, b = (np.sort(np.where(np.isnan(values), -np.inf, values)) for values in (first, second))
    at = np.unique(np.concatenate([a, b]))
    shares = [np.searchsorted(values, at, side="right") / len(values) for values in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())
