"""What a person sees in the terminal after training."""

from __future__ import annotations

from rich.table import Table

from training.retrain import Trained


def figures_table(trained: Trained) -> Table:
    """Out-of-fold figures by kind of event, with intervals."""
    table = Table(
        title="Out of fold, folds by organisation (95 % intervals over organisations)",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("events")
    for heading in ("human", "automated", "AUC", "loss of people", "machines found", "unsure"):
        table.add_column(heading, justify="right")
    for name, figures in trained.figures.items():
        table.add_row(
            name,
            f"{figures.human:,}",
            f"{figures.automated:,}",
            f"{figures.auc:.4f}",
            str(figures.loss),
            str(figures.recall),
            f"{figures.unsure_all.value:.2%}",
        )
    return table
