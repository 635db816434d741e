"""What a model does to people and machines, with intervals: figures by event kind, by slice and by campaign.

"Loss" is the share of human events called automated; "recall" the share of automated events called so. Intervals are
95 % percentile intervals of a bootstrap over organisations, since events of one organisation go together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from serving.model import Thresholds
from training.dataset import Dataset

Floats = npt.NDArray[np.float64]
LOSSES: tuple[float, ...] = (0.001, 0.005, 0.01)
KINDS: tuple[str, ...] = ("opened", "clicked", "unsubscribed")


@dataclass(frozen=True)
class Figure:
    """A share and its 95 % interval; NaN where there is nothing to take a share of."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "not known"
        if not np.isfinite(self.low):
            return f"{self.value:.2%}"
        return f"{self.value:.2%} ({self.low:.2%} to {self.high:.2%})"

    @property
    def short(self) -> str:
        """For a narrow column, the interval in percent: "0.12% [0.06, 0.22]"; nothing where it is not known."""
        if not np.isfinite(self.value):
            return ""
        if not np.isfinite(self.low):
            return f"{self.value:.2%}"
        return f"{self.value:.2%} [{percent(100 * self.low)}, {percent(100 * self.high)}]"


def percent(value: float, unit: str = "") -> str:
    """Two digits or three, so that a column stays narrow, and more close to all; nothing for what is not known."""
    if not np.isfinite(value):
        return ""
    digits = 2 if 0 < value < 1 or 99.9 < value < 100 else 1 if 0 < value < 10 or 99 < value < 100 else 0
    return f"{value:.{digits}f}{unit}"


@dataclass(frozen=True)
class Figures:
    """One kind of event: counts, ranking, and what the shipped thresholds do."""

    human: int
    automated: int
    organisations: int
    auc: float
    recall_at_loss: Mapping[float, Figure]
    loss: Figure
    recall: Figure
    unsure_human: Figure
    unsure_all: Figure
    calibration_error: float

    def flat(self) -> dict[str, float]:
        """The numbers under one name each, as a tracking run wants them."""
        flat: dict[str, float] = {}
        for name, value in asdict(self).items():
            if name == "recall_at_loss":
                for loss, figure in value.items():
                    flat |= {
                        f"recall_at_loss_{loss:g}": figure["value"],
                        f"recall_at_loss_{loss:g}_low": figure["low"],
                    }
            elif isinstance(value, dict):
                flat |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
            else:
                flat[name] = float(value)
        return {name: value for name, value in flat.items() if np.isfinite(value)}


def evaluate(
    data: Dataset,
    probability: Floats,
    thresholds: Mapping[str, Thresholds],
    *,
    seed: int = 7,
    repeats: int = 200,
) -> dict[str, Figures]:
    """Figures for each kind of event that has labels of both classes, and for `all` together."""
    figures: dict[str, Figures] = {}
    automated_at, human_at = cuts(data.kind, thresholds)
    for name, rows in _kinds(data):
        if 0 < data.y[rows].sum() < rows.sum():
            figures[name] = _figures(
                data.take(rows),
                probability[rows],
                automated_at[rows],
                human_at[rows],
                seed=seed,
                repeats=repeats,
            )
    return figures


def _kinds(data: Dataset) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    return [
        ("all", np.ones(len(data), dtype=bool)),
        *((name, data.kind == k) for k, name in enumerate(KINDS)),
    ]


def cuts(kind: npt.NDArray[np.int8], thresholds: Mapping[str, Thresholds]) -> tuple[Floats, Floats]:
    """Each event's two thresholds: automated at or above the first, human below the second."""
    automated = np.array([thresholds[name].automated for name in KINDS])
    human = np.array([thresholds[name].human for name in KINDS])
    return automated[kind], human[kind]


def _figures(
    data: Dataset, probability: Floats, automated_at: Floats, human_at: Floats, *, seed: int, repeats: int
) -> Figures:
    people = data.y == 0
    automated = probability >= automated_at
    unsure = ~automated & (probability >= human_at)
    draws = Draws(data.organisation, seed=seed, repeats=repeats)
    return Figures(
        human=int(people.sum()),
        automated=int((~people).sum()),
        organisations=draws.groups,
        auc=float(roc_auc_score(data.y, probability)),
        recall_at_loss={loss: _recall_at(loss, probability, people, draws) for loss in LOSSES},
        loss=draws.share(automated & people, people),
        recall=draws.share(automated & ~people, ~people),
        unsure_human=draws.share(unsure & people, people),
        unsure_all=draws.share(unsure, np.ones(len(data), dtype=bool)),
        calibration_error=calibration_error(probability, data.y),
    )


def judged(
    kind: npt.NDArray[np.int8], probability: Floats, thresholds: Mapping[str, Thresholds]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which events the thresholds of their kinds call automated, and which unsure."""
    automated_at, human_at = cuts(kind, thresholds)
    automated = probability >= automated_at
    return automated, ~automated & (probability >= human_at)


class Draws:
    """Bootstrap draws of whole organisations: how often each organisation was drawn in each repeat."""

    def __init__(self, organisation: npt.NDArray[np.int64], *, seed: int, repeats: int) -> None:
        _, self.group = np.unique(organisation, return_inverse=True)
        self.groups = int(self.group.max()) + 1
        generator = np.random.default_rng(seed)
        self.counts = generator.multinomial(self.groups, np.full(self.groups, 1 / self.groups), size=repeats)

    def share(self, part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_]) -> Figure:
        """The share of `whole` that is in `part`."""
        hits = np.bincount(self.group, weights=part, minlength=self.groups)
        total = np.bincount(self.group, weights=whole, minlength=self.groups)
        return self.figure(_ratio(hits.sum(), total.sum()), _ratio(self.counts @ hits, self.counts @ total))

    @staticmethod
    def figure(value: Any, repeats: Any) -> Figure:
        """A value with the interval of its repeats."""
        known = np.asarray(repeats)[np.isfinite(repeats)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        return Figure(float(value), float(low), float(high))


def _ratio(part: Any, whole: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(part, whole)


def _recall_at(loss: float, probability: Floats, people: npt.NDArray[np.bool_], draws: Draws) -> Figure:
    """The recall at the lowest threshold that loses at most `loss` of the people, chosen anew in each repeat."""
    order = np.argsort(-probability, kind="stable")
    sorted_people, group = people[order], draws.group[order]
    last_of_tie = np.append(np.diff(probability[order]) != 0, True)

    def recall(weight: Any) -> float:
        lost, caught = np.cumsum(weight * sorted_people), np.cumsum(weight * ~sorted_people)
        allowed = last_of_tie & (lost <= loss * lost[-1])
        return float(caught[allowed].max() / caught[-1]) if allowed.any() and caught[-1] else 0.0

    return draws.figure(recall(np.ones(len(order))), [recall(counts[group]) for counts in draws.counts[:60]])


def calibration_error(probability: Floats, y: npt.NDArray[np.int8], bins: int = 20) -> float:
    """The expected calibration error over bins of equal width."""
    edge = np.minimum((probability * bins).astype(int), bins - 1)
    total = np.bincount(edge, minlength=bins)
    gap = np.abs(np.bincount(edge, weights=probability - y, minlength=bins))
    return float(gap[total > 0].sum() / total.sum())


def by_slice(
    data: Dataset, probability: Floats, thresholds: Mapping[str, Thresholds], names: npt.NDArray[np.object_]
) -> list[dict[str, Any]]:
    """One row a slice: events, those truly automated, verdict shares and the mean probability, largest first."""
    automated_at, human_at = cuts(data.kind, thresholds)
    automated, human = probability >= automated_at, probability < human_at
    slices, place = np.unique(names, return_inverse=True)
    events = np.bincount(place, minlength=len(slices))
    shares = {
        name: np.bincount(place, weights=values, minlength=len(slices)) / events
        for name, values in (
            ("truly_automated", data.y),
            ("called_automated", automated),
            ("called_human", human),
            ("mean_probability", probability),
        )
    }
    rows = [
        {
            "slice": str(slices[number]),
            "events": int(events[number]),
            **{name: float(values[number]) for name, values in shares.items()},
        }
        for number in range(len(slices))
    ]
    return sorted(rows, key=lambda row: -row["events"])


def campaign_errors(data: Dataset, human: Floats) -> Floats:
    """For each campaign with people's clicks: expected unique human clickers over the true number, less one.

    `human` is how much of a person each event counts; a recipient counts as the most human of its clicks.
    """
    clicks = data.kind == 1
    pairs = np.column_stack([data.campaign[clicks], data.recipient[clicks]])
    unique, pair = np.unique(pairs, axis=0, return_inverse=True)
    expected, true = np.zeros(len(unique)), np.zeros(len(unique))
    np.maximum.at(expected, pair, human[clicks])
    np.maximum.at(true, pair, (data.y[clicks] == 0).astype(float))
    _, campaign = np.unique(unique[:, 0], return_inverse=True)
    people, estimate = np.bincount(campaign, weights=true), np.bincount(campaign, weights=expected)
    return estimate[people > 0] / people[people > 0] - 1
