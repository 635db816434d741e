"""How far a model's campaign figures are off on what it had not seen: what the intervals of the figures rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.expected_people import Expectation, allowance, described
from training.dataset import Dataset
from training.evaluate import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Fewer campaigns show no tail; the figures are then counted as the bundled model's.
FEWEST_CAMPAIGNS = 100
# Of the campaigns beyond either end. Twice this is less than 5 %: whole senders are unlike those that were measured.
TAIL = 0.015
SHARPNESS: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0)
# A campaign of fewer people who click tells little of the sharpness.
FEWEST_PEOPLE = 20
_NO_WORSE = 1.02


@dataclass(frozen=True)
class Campaigns:
    """One kind of event by campaign: truth, and best chance `hope` that a person made one of its events, by message."""

    campaign: Ints
    hope: Floats
    people: npt.NDArray[np.bool_]
    world: Ints  # of each campaign

    def sums(self, values: Floats | npt.NDArray[np.bool_]) -> Floats:
        """The sum over the messages of each campaign."""
        return np.bincount(self.campaign, weights=values, minlength=len(self.world)).astype(np.float64)


def campaign_spread(
    data: Dataset, probability: Floats, *, world: Ints | None = None, fewest: int = FEWEST_CAMPAIGNS
) -> dict[str, dict[str, float]]:
    """What the metrics of a manifest say of people, from probabilities of rows that the trees had not seen.

    `world` says which sender a row is of, where there are several: each counts the same. Kinds of event with
    fewer than `fewest` campaigns are left out.
    """
    found = {}
    for name, campaigns in by_kind(data, probability, np.zeros(len(data), np.int64) if world is None else world):
        if len(campaigns.world) >= fewest:
            found[name] = _expectation(campaigns)
    return described(found)


def by_kind(data: Dataset, probability: Floats, world: Ints) -> Iterator[tuple[str, Campaigns]]:
    """The campaigns of each kind of event that there is, by its name."""
    for kind, name in enumerate(KINDS):
        rows = data.kind == kind
        if not rows.any():
            continue
        keys = np.column_stack([world[rows], data.campaign[rows], data.message[rows]])
        messages, message = np.unique(keys, axis=0, return_inverse=True)
        campaigns, campaign = np.unique(messages[:, :2], axis=0, return_inverse=True)
        hope, people = np.zeros(len(messages)), np.zeros(len(messages), np.bool_)
        np.maximum.at(hope, message, 1 - probability[rows])
        np.logical_or.at(people, message, data.y[rows] == 0)
        yield name, Campaigns(campaign.astype(np.int64), hope, people, campaigns[:, 0])


def expected(hope: Floats, sharpness: float) -> Floats:
    """What each message counts; the SQL is `Expectation.expected`."""
    return np.asarray(hope**sharpness / (hope**sharpness + (1 - hope) ** sharpness), dtype=np.float64)


def counted(data: Dataset, probability: Floats, people: Mapping[str, Expectation]) -> Floats:
    """How much of a person each event counts in the figures of its campaign, by kind of event."""
    sharpness = np.array([people[name].sharpness for name in KINDS])[data.kind]
    return np.asarray((1 - probability) ** sharpness / ((1 - probability) ** sharpness + probability**sharpness))


def covered(campaigns: Campaigns, of: Expectation) -> npt.NDArray[np.bool_]:
    """Whether each campaign's people are within the interval."""
    hope = campaigns.hope
    people, estimate = campaigns.sums(campaigns.people), campaigns.sums(expected(hope, of.sharpness))
    under, over = _doubts(campaigns)
    return np.asarray(
        (people >= estimate - of.below * under - 1e-9) & (people <= estimate + of.above * over + 1e-9), dtype=np.bool_
    )


def _doubts(campaigns: Campaigns) -> tuple[Floats, Floats]:
    """The units of the interval of each campaign, below and above."""
    likely = campaigns.hope >= 0.5
    under = campaigns.sums(np.where(likely, 1 - campaigns.hope, 0))
    over = campaigns.sums(np.where(likely, 0, campaigns.hope))
    return np.asarray(allowance(under), dtype=np.float64), np.asarray(allowance(over), dtype=np.float64)


def _expectation(campaigns: Campaigns) -> Expectation:
    sharpness = _sharpness(campaigns)
    off = campaigns.sums(expected(campaigns.hope, sharpness)) - campaigns.sums(campaigns.people)
    under, over = _doubts(campaigns)
    _, world, campaigns_of = np.unique(campaigns.world, return_inverse=True, return_counts=True)
    weight = 1 / campaigns_of[world]
    below, above = (_upper(part, weight, 1 - TAIL) for part in (off / under, -off / over))
    return Expectation(sharpness, round(max(below, 0.0), 3), round(max(above, 0.0), 3))


def _sharpness(campaigns: Campaigns) -> float:
    """The least with which the campaigns are about as little off as with the best; that of no effect without people."""
    people = campaigns.sums(campaigns.people)
    large = people >= FEWEST_PEOPLE
    if not large.any():
        return SHARPNESS[0]
    off = [
        float(np.abs(campaigns.sums(expected(campaigns.hope, sharpness))[large] / people[large] - 1).mean())
        for sharpness in SHARPNESS
    ]
    return next(sharpness for sharpness, each in zip(SHARPNESS, off, strict=True) if each <= _NO_WORSE * min(off))


def _upper(values: Floats, weight: Floats, share: float) -> float:
    """The value that `share` of the weight does not exceed."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])
