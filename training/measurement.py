"""A model measured on labelled events, beside the rules of others: what `clicksift evaluate` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
from rich.table import Table

from features.engine import Progress
from features.feature import Capability
from serving.expected_people import expectations
from serving.model import BotClickModel
from training import comparison, slices
from training.comparison import Judgement
from training.dataset import Dataset, label_notes, labelled
from training.evaluate import Figures, evaluate
from training.groups import group_counts
from training.profile import calibration_drift
from training.reputation import model_inputs
from training.slices import SliceFigures
from training.summary import figure_table, ranking_table

MODEL = "clicksift"  # its name among the rules


@dataclass(frozen=True)
class Measurement:
    """The figures of a model on labelled events by kind of event and by slice, and of every rule on the same events.

    `sentences` say what was labelled and grouped, `notes` what a person should know of it.
    """

    version: str
    data: Dataset = field(repr=False)
    probability: npt.NDArray[np.float64] = field(repr=False)
    figures: Mapping[str, Figures]
    slices: Sequence[SliceFigures]
    judgements: Sequence[Judgement]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    def write(self, path: Path) -> None:
        """All figures as CSV; see `comparison.write_figures`."""
        comparison.write_figures(path, self.judgements, MODEL, self.figures, self.slices)


def measure(
    con: duckdb.DuckDBPyConnection,
    model: BotClickModel,
    capabilities: Set[Capability],
    *,
    seed: int = 7,
    threads: int = 0,
    progress: Progress | None = None,
) -> Measurement:
    """Judge the labelled events of the connection (tables `events`, `campaigns`, `labels`) by the model and every rule.

    Intervals are drawn from `seed`. Raises InputError where no label is about an open, click or unsubscribe.
    """
    data = labelled(con, capabilities, progress=progress)
    properties = slices.slice_columns(con)
    if progress:
        progress("probabilities")
    probability = model.probability(model_inputs(con, model, data), threads)
    thresholds = comparison.thresholds_of(model, capabilities)
    ours = comparison.model_judge(MODEL, data, probability, thresholds, expectations(model.manifest["metrics"]))
    rules = comparison.rule_judges(con, capabilities, progress=progress)
    figures = evaluate(data, probability, thresholds, seed=seed)
    return Measurement(
        model.version,
        data,
        probability,
        judgements=comparison.compare(data, [ours, *rules], seed=seed),
        figures=figures,
        slices=slices.slice_figures(data, probability, thresholds, properties, seed=seed),
        sentences=(comparison.label_counts(con, data), group_counts(con).sentence),
        notes=(*label_notes(con), *calibration_drift(model, figures)),
    )


def report(measurement: Measurement) -> Iterator[str | Table]:
    """What a person sees in the terminal, from top to bottom: lines and tables."""
    yield from measurement.sentences
    yield from (f"Note: {note}." for note in measurement.notes)
    if measurement.figures:
        yield figure_table(f"Model {measurement.version} on these events", measurement.figures)
        yield ranking_table(measurement.figures)
    if worst := slices.slice_table(measurement.slices):
        yield worst
        yield slices.HOW_TO_READ
    yield from comparison.comparison_tables(measurement.judgements, model=MODEL)
    yield from comparison.HOW_TO_READ
