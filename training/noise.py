"""Labels that are probably wrong: how many there are, and which.

After Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset labels", JAIR 70: a row
is a suspect where the out-of-fold probability of its given label is below one half. How many labels are wrong is told
from the suspects alone only where nothing is hard to tell; so it is asked of messages instead. Of the events of one
message that all look like a machine's, machines made all or nearly all, and labels that differ there are mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.canonical import write_rows
from features.errors import InputError
from features.formula import defused_sql
from features.schema import event_row
from training.dataset import Dataset

Treatment = Literal["auto", "keep", "weigh", "drop"]
# Where labels differ in fewer of the pairs, stealthy machines beside people are as good an explanation. Seen on
# simulated worlds: at most 1.1 % where no label is wrong, 14 % and more where one in twelve is.
LEAST_DIFFERING = 0.04
FEWEST_PAIRS = 200
CERTAIN = 0.9
SUSPECT_WEIGHT = 0.2


@dataclass(frozen=True)
class LabelNoise:
    """`share` is the estimated share of wrong labels, NaN where too few messages tell.

    `suspects` is a mask of n labelled events, `probability` of each being automated, out of fold.
    """

    share: float
    suspects: npt.NDArray[np.bool_] = field(repr=False)
    probability: npt.NDArray[np.float64] = field(repr=False)

    @property
    def is_found(self) -> bool:
        """Whether there are more wrong labels than hard cases can explain."""
        return bool(2 * self.share * (1 - self.share) >= LEAST_DIFFERING)


def label_noise(data: Dataset, probability: npt.NDArray[np.float64]) -> LabelNoise:
    """What the out-of-fold probabilities of being automated say of the labels of `data`."""
    given = np.where(data.y == 1, probability, 1 - probability)
    pairs, differing = _pairs(data, probability >= CERTAIN)
    if pairs < FEWEST_PAIRS:
        return LabelNoise(np.nan, given < 0.5, probability)
    # Two labels, each wrong with a chance e, differ with a chance 2e(1 - e).
    share = (1 - np.sqrt(max(0.0, 1 - 2 * differing / pairs))) / 2
    return LabelNoise(float(share), given < 0.5, probability)


def _pairs(data: Dataset, rows: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """How many pairs of these events are of one message, and of how many the labels differ."""
    _, message = np.unique(data.message[rows], return_inverse=True)
    events = np.bincount(message).astype(float)
    automated = np.bincount(message, weights=data.y[rows])
    return float((events * (events - 1) / 2).sum()), float((automated * (events - automated)).sum())


@dataclass(frozen=True)
class Treated:
    """Which of n labelled events are kept and how much each counts, with words on what was done."""

    kept: npt.NDArray[np.bool_] = field(repr=False)
    weight: npt.NDArray[np.float64] = field(repr=False)
    notes: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether any event is left out or counts less."""
        return not self.kept.all() or bool((self.weight != 1).any())


def check_treatment(word: str) -> Treatment:
    """The treatment of that name; InputError where there is none."""
    for name in get_args(Treatment):
        if word == name:
            return cast(Treatment, name)
    raise InputError(f"--label-noise {word}: expected one of {', '.join(get_args(Treatment))}")


def treat(noise: LabelNoise, treatment: Treatment) -> Treated:
    """What becomes of the suspects; `auto` drops them where noise is found and keeps them where it is not."""
    suspects, n = noise.suspects, len(noise.suspects)
    kept, weight = np.ones(n, dtype=np.bool_), np.ones(n)
    if not suspects.any():
        return Treated(kept, weight, ())
    said = f"{int(suspects.sum()):,} of {n:,} labels are less likely than not, out of fold"
    if noise.is_found:
        said += f", and about {noise.share:.1%} of all labels seem wrong"
    if treatment == "drop" or (treatment == "auto" and noise.is_found):
        return Treated(~suspects, weight, (f"{said}; these events are left out of training and figures",))
    if treatment == "weigh":
        weight = np.where(suspects, SUSPECT_WEIGHT, 1.0)
        return Treated(kept, weight, (f"{said}; each of them counts as a fifth of an event",))
    return Treated(kept, weight, (f"{said}; they are kept",))


def write_suspects(con: duckdb.DuckDBPyConnection, noise: LabelNoise, path: Path) -> None:
    """Write the suspects as CSV, the least likely label first: event, label given, probability of being automated.

    Needs what `training.dataset.labelled` leaves on the connection. Raises InputError where the file cannot be written.
    """
    place = np.flatnonzero(noise.suspects)
    con.register("suspects", pa.table({"place": place, "probability": noise.probability[place]}))
    rows = f"""
        WITH ordered AS (SELECT *, row_number() OVER (ORDER BY event_row) - 1 AS place FROM event_labels)
        SELECT {defused_sql("e.event_id")} AS event_id, {defused_sql("e.raw_ref")} AS raw_ref, l.automated,
            {defused_sql("l.source")} AS source, round(s.probability, 4) AS probability, e.event_type, e.timestamp
        FROM suspects AS s
        JOIN ordered AS l ON s.place = l.place
        JOIN events AS e ON l.event_row = {event_row("e")}
        ORDER BY CASE WHEN l.automated THEN s.probability ELSE 1 - s.probability END, s.place"""
    write_rows(con, rows, path, "FORMAT csv, HEADER")
    con.unregister("suspects")
