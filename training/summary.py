"""What a person sees in the terminal after training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

import duckdb
from rich.table import Table

from features.engine import Progress
from features.feature import Capability
from serving.expected_people import expectations
from serving.terminal_table import titled_table
from training import challenge, comparison
from training.challenge import Comparison
from training.comparison import Judgement
from training.evaluate import LOSSES, Figures
from training.holdout import held_out_table
from training.retrain import Trained
from training.slices import slice_table

# Of what a split shows: clicks are what figures are made of.
SHOWN_KIND = "clicked"


# Of the rules of others; `clicksift evaluate` shows all.
BEST_RULES = 5
OURS = "this model"


def beside_rules(
    con: duckdb.DuckDBPyConnection,
    trained: Trained,
    capabilities: Set[Capability],
    *,
    seed: int = 7,
    progress: Progress | None = None,
) -> list[Judgement]:
    """The model, each organisation judged by trees that had not seen it, and the rules of others on the same events."""
    people = expectations(trained.model.manifest["metrics"])
    ours = comparison.model_judge(OURS, trained.data, trained.fit.probability, trained.model.thresholds, people)
    rules = comparison.rule_judges(con, capabilities, progress=progress)
    return comparison.compare(trained.data, [ours, *(rule.take(trained.kept) for rule in rules)], seed=seed)


def training_report(trained: Trained, compared: Comparison, judgements: list[Judgement]) -> Iterator[str | Table]:
    """All that a person sees of a training, from top to bottom: tables and lines."""
    yield from figure_tables(trained)
    yield from comparison.comparison_tables(judgements, model=OURS, best=BEST_RULES)
    yield challenge.comparison_tables(compared)[0]
    yield from (f"Against the new model: it {reason}." for reason in compared.reasons_against())
    yield from (f"Note: {note}." for note in (*trained.notes, *compared.notes))


def figure_tables(trained: Trained) -> list[Table]:
    """Figures by kind of event out of fold, clicks by other splits, the slices that are worse and vendors never met."""
    dropped = int((~trained.kept).sum())
    without = f", without {dropped:,} events whose labels are probably wrong" if dropped else ""
    tables = [figure_table(f"Organisations that the trees had not seen (out of fold{without})", trained.figures)]
    tables.append(split_table(trained))
    if worst := slice_table(trained.properties):
        tables.append(worst)
    if trained.held_out:
        tables.append(held_out_table(trained.held_out))
    return tables


def split_table(trained: Trained) -> Table:
    """The same clicks held out in other ways, a row a split; the last one is there to show how it flatters."""
    splits = {
        "organisations not trained on": trained.figures,
        "the last fifth in time": trained.later,
        "the last fifth, organisations not trained on": trained.unseen_later,
        "a quarter of the rows (do not believe)": trained.by_row,
    }
    figures = {split: found[SHOWN_KIND] for split, found in splits.items() if SHOWN_KIND in found}
    return figure_table("Clicks, by what the trees had not seen", figures, heading="held out")


def figure_table(title: str, figures: Mapping[str, Figures], heading: str = "events") -> Table:
    """Counts, ranking, people lost and machines found, a row a kind of event or what else `heading` says."""
    table = titled_table(title, has_edge=True)
    table.add_column(heading)
    for column in ("human", "automated", "AUC", "people lost", "machines found", "unsure"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, found in figures.items():
        table.add_row(
            name,
            f"{found.human:,}",
            f"{found.automated:,}",
            f"{found.auc:.4f}",
            found.loss.short,
            found.recall.short,
            f"{found.unsure_all.value:.2%}",
        )
    return table


def ranking_table(figures: Mapping[str, Figures]) -> Table:
    """Recall where the threshold loses at most so many of these people, and the expected calibration error (ECE)."""
    title = "Machines found at thresholds that lose at most so many people"
    table = titled_table(title, has_edge=True)
    table.add_column("events")
    for heading in (*(f"{loss:.1%} lost" for loss in LOSSES), "ECE"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, found in figures.items():
        recalls = [found.recall_at_loss[loss].short for loss in LOSSES]
        table.add_row(name, *recalls, f"{found.calibration_error:.4f}")
    return table
