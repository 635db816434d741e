"""How a model fares with machines it was not taught: each vendor, or kind of scanner, left out of the training in turn.

The trees see none of the vendor's events and nothing of half of the organisations; they are judged on the vendor's
events and people's events there. What they would find of the same events with the vendor in the training stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from rich.table import Table
from rich.text import Text

from features.engine import Progress
from features.errors import ModelError
from serving.campaign_table import printable
from serving.model import Thresholds
from serving.terminal_table import titled_table
from training.calibration import fit_calibration
from training.dataset import Dataset
from training.evaluate import Draws, Figure, judged
from training.fit import FitParameters, grow, margin_of
from training.slices import FEWEST_EVENTS, FEWEST_ORGANISATIONS
from training.split import by_organisation

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]
# Half of the organisations are held out, then the other half: every event is judged, and each vendor costs two growths.
FOLDS = 2
# Trees need this many of either class.
FEWEST_TO_GROW = 50


@dataclass(frozen=True)
class HeldOut:
    """One vendor left out of the training: its events, and what is found of them by trees that have not met it.

    `seen` is what trees find that met it at other organisations. The losses are of people at organisations not trained
    on. Intervals are over organisations, not known below 5 of them.
    """

    vendor: str
    automated: int
    organisations: int
    seen: Figure
    unseen: Figure
    loss_seen: Figure
    loss: Figure

    def row(self) -> dict[str, Any]:
        """Plain values under one name each, None for what is not known."""
        row: dict[str, Any] = {}
        for name, value in asdict(self).items():
            if isinstance(value, dict):
                for suffix, number in (("", value["value"]), ("_low", value["low"]), ("_high", value["high"])):
                    row[name + suffix] = number if np.isfinite(number) else None
            else:
                row[name] = value
        return row


def hold_out_table(
    data: Dataset,
    vendor: Names,
    parameters: FitParameters,
    thresholds: Mapping[str, Thresholds],
    threads: int = 2,
    progress: Progress | None = None,
) -> list[HeldOut]:
    """A row a vendor with at least 30 automated events, the least found first.

    `vendor` names each event's, as `slices.slice_columns` gives it; it matters for automated events alone, and those
    whose vendor is not known are one group. A vendor without which too few automated events are left to learn from is
    left out, and so are all where organisations are fewer than two. What the rows have begun with
    (`Dataset.begun_with`) may have met every vendor: begin with nothing to see what is never met. Same data and seed,
    same figures, with any number of threads.
    """
    automated = data.y == 1
    names, counts = np.unique(vendor[automated].astype(str), return_counts=True)
    groups = {str(name): automated & (vendor == name) for name in names[counts >= FEWEST_EVENTS]}
    if len(np.unique(data.organisation)) < FOLDS:
        return []
    draws = Draws(data.organisation, seed=parameters.seed, repeats=200)
    jobs = min(2, threads)
    nobody = np.zeros(len(data), dtype=bool)
    found = joblib.Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(
        joblib.delayed(out_of_fold)(data, parameters, without, max(1, threads // jobs))
        for without in (nobody, *groups.values())
    )
    seen = next(found)
    if seen is None:
        return []
    rows = []
    for (name, own), unseen in zip(groups.items(), found, strict=True):
        if progress:
            progress(f"held out: {name}")
        if unseen is not None:
            rows.append(_held_out(name, data, own, (seen, unseen), thresholds, draws))
    return sorted(rows, key=lambda row: row.unseen.value)


def out_of_fold(data: Dataset, parameters: FitParameters, without: Flags, threads: int = 2) -> Floats | None:
    """Probabilities by trees that saw neither the event's organisation nor the events of `without`.

    Calibrated on the rows that are not `without`. None where a half has too few people or machines to learn from, or
    what the trees learn from the rest tells nobody apart.
    """
    margin = np.empty(len(data))
    for train, test in by_organisation(data.y, data.organisation, folds=FOLDS, seed=parameters.seed):
        learnt = data.take(train[~without[train]])
        if min(learnt.y.sum(), len(learnt) - learnt.y.sum()) < FEWEST_TO_GROW:
            return None
        margin[test] = margin_of(grow([learnt], parameters, threads), data.take(test), threads)
    known = ~without
    try:
        calibration = fit_calibration(margin[known], data.y[known], data.weight[known])
    except ModelError:
        return None
    return calibration.apply(margin)


def _held_out(
    name: str,
    data: Dataset,
    own: Flags,
    probabilities: tuple[Floats, Floats],
    thresholds: Mapping[str, Thresholds],
    draws: Draws,
) -> HeldOut:
    people = data.y == 0
    called = [judged(data.kind, probability, thresholds)[0] for probability in probabilities]
    organisations = len(np.unique(data.organisation[own]))
    recall = [draws.share(automated & own, own) for automated in called]
    if organisations < FEWEST_ORGANISATIONS:
        recall = [Figure(figure.value, np.nan, np.nan) for figure in recall]
    loss = [draws.share(automated & people, people) for automated in called]
    return HeldOut(name, int(own.sum()), organisations, *recall, *loss)


def held_out_table(rows: Sequence[HeldOut]) -> Table:
    """What is found of each vendor by trees that have met it and by trees that have not, for a terminal."""
    title = "Each vendor left out of the training in turn"
    table = titled_table(title, has_edge=True)
    table.add_column("vendor", overflow="fold")
    for heading in ("automated", "org.", "found, met before", "found, never met", "people lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        cells = (row.seen.short, row.unseen.short, row.loss.short)
        table.add_row(Text(printable(row.vendor)), f"{row.automated:,}", f"{row.organisations:,}", *cells)
    return table
