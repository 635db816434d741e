"""Where `automated` begins and `human` ends, from out-of-fold probabilities."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from serving.model import Thresholds

Floats = npt.NDArray[np.float64]

# Unseen organisations lose about twice what folds show, so the threshold aims at a third of the allowance.
AIM = 1 / 3
# Automated means clearly more likely than not, however well the classes separate.
LOWEST_AUTOMATED = 0.7
# Unsure is for what cannot be known: at most this share of the people's events and of all events, out of fold. The
# band may be narrower; the design allows 2 % on files never seen.
MOST_UNSURE = 0.005
# The two thresholds stay apart by this factor of odds.
LEAST_ODDS_RATIO = 2.0
FEWEST_IN_GROUP = 100
# People of fewer organisations than this do not show what the next organisation will lose.
FEWEST_ORGANISATIONS = 20


@dataclass(frozen=True)
class Evidence:
    """What a threshold rests on: people's events, organisations, those lost, and the limit of the loss."""

    human: int
    organisations: int
    lost: int
    limit: float


def upper_loss_limit(lost: npt.NDArray[np.bool_], organisation: npt.NDArray[np.int64]) -> float:
    """The upper one-sided 95 % limit of the share lost: Clopper-Pearson, widened for rows that go together.

    Events of one organisation are lost together; the design effect, the ratio of the variance between organisations
    to that of independent rows, shrinks the number of rows that count. 1.0 below `FEWEST_ORGANISATIONS`
    organisations.
    """
    n = len(lost)
    organisations, group = np.unique(organisation, return_inverse=True)
    if len(organisations) < FEWEST_ORGANISATIONS:
        return 1.0
    share = lost.mean()
    effect = 1.0
    if 0 < share < 1:
        residual = np.bincount(group, weights=lost - share)
        effect = max(1.0, float((residual**2).sum() / (n * share * (1 - share))))
    rows = n / effect
    hits = share * rows
    return float(beta.ppf(0.95, hits + 1, rows - hits)) if hits < rows else 1.0


def most_groups_limit(lost: npt.NDArray[np.bool_], group: npt.NDArray[np.int64], *, share: float = 0.9) -> float:
    """The loss that nine in ten groups stay within: for groups that are senders of their own, as simulated worlds are.

    Groups with fewer than `FEWEST_IN_GROUP` people's events say too little and are left out; 1.0 where none is left.
    """
    _, position = np.unique(group, return_inverse=True)
    total = np.bincount(position)
    told = total >= FEWEST_IN_GROUP
    if not told.any():
        return 1.0
    return float(np.quantile(np.bincount(position, weights=lost)[told] / total[told], share))


def choose(
    probability: Floats,
    y: npt.NDArray[np.int8],
    organisation: npt.NDArray[np.int64],
    *,
    allowance: float,
    limit: Callable[[npt.NDArray[np.bool_], npt.NDArray[np.int64]], float] = upper_loss_limit,
) -> tuple[Thresholds, Evidence] | None:
    """Thresholds that lose at most `allowance` of the people's events, by their `limit` and aimed at a third.

    `limit` takes which of the people's events are lost, and their organisations. None where the labelled people are
    too few, of too few organisations, or too often called automated, to show it.
    """
    people = y == 0
    p, groups = probability[people], organisation[people]
    candidates = _candidates(p, allowance)

    def kept(threshold: float) -> bool:
        lost = p >= threshold
        return bool(lost.mean() <= allowance * AIM and limit(lost, groups) <= allowance)

    # Both losses fall as the threshold rises, so the first that keeps to the allowance is found by halving.
    first = bisect_left(candidates, True, key=kept) if len(p) else len(candidates)
    if first == len(candidates):
        return None
    automated = candidates[first]
    lost = p >= automated
    evidence = Evidence(len(p), len(np.unique(groups)), int(lost.sum()), limit(lost, groups))
    basis = (
        f"out of fold, {evidence.lost} of {evidence.human} human events at or above it"
        f" ({evidence.organisations} groups held out; limit {evidence.limit:.2%} of at most {allowance:.2%})"
    )
    human = _human(probability, people, automated)
    return Thresholds(automated=automated, human=human, allowance=allowance, basis=basis), evidence


def stricter(gaps: Mapping[str, Thresholds], plain: Mapping[str, Thresholds]) -> dict[str, Thresholds]:
    """Those for files that lack something which ask for more than the ordinary ones.

    `gaps` may hold ordinary ones too. Knowing less is no ground to judge more boldly.
    """
    return {
        name: at
        for name, at in gaps.items()
        if " without " in name and at.automated > plain[name.partition(" ")[0]].automated
    }


def _candidates(people: Floats, allowance: float) -> list[float]:
    """Ascending thresholds, from the lowest allowed one on through the highest people's probabilities."""
    kept = np.sort(people[people >= LOWEST_AUTOMATED])
    above = np.nextafter(kept, 2.0)
    most = int(np.ceil(len(people) * allowance)) + 1
    return [LOWEST_AUTOMATED, *(float(t) for t in above[-most:] if t < 1.0)]


def _human(probability: Floats, people: npt.NDArray[np.bool_], automated: float) -> float:
    """The lowest threshold whose band below `automated` stays within `MOST_UNSURE`, kept apart from it."""
    odds = automated / (1 - automated) / LEAST_ODDS_RATIO
    highest = odds / (1 + odds)
    limits = [_band_start(p, automated) for p in (probability, probability[people])]
    return min(highest, max(*limits, 0.05))


def _band_start(probability: Floats, automated: float) -> float:
    """Where the band below `automated` holds at most `MOST_UNSURE`: just above the first that is one too many."""
    below = np.sort(probability[probability < automated])[::-1]
    most = int(len(probability) * MOST_UNSURE)
    return float(np.nextafter(below[most], 1)) if len(below) > most else 0.0
