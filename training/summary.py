"""What a person sees in the terminal after training."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from training.evaluate import Figure, Figures
from training.retrain import Trained


def figure_tables(trained: Trained) -> list[Table]:
    """Out-of-fold figures by kind of event with intervals, and those of the last fifth in time where there are any."""
    tables = [figure_table("Organisations that the trees had not seen (out of fold)", trained.figures)]
    if trained.later:
        tables.append(figure_table("The last fifth in time, by trees that saw only what came before", trained.later))
    return tables


def figure_table(title: str, figures: Mapping[str, Figures]) -> Table:
    """Counts, ranking, people lost and machines found, a row a kind of event."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("events")
    for heading in ("human", "automated", "AUC", "people lost", "machines found", "unsure"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, found in figures.items():
        table.add_row(
            name,
            f"{found.human:,}",
            f"{found.automated:,}",
            f"{found.auc:.4f}",
            _with_interval(found.loss),
            _with_interval(found.recall),
            f"{found.unsure_all.value:.2%}",
        )
    return table


def _with_interval(figure: Figure) -> str:
    return f"{figure.value:.2%} [{100 * figure.low:.4g}, {100 * figure.high:.4g}]"
