"""What the terminal shows of figures: narrow enough, every share with its interval."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from serving.model import Thresholds
from tests.training.labelled_rows import rows
from training.evaluate import evaluate
from training.summary import figure_table, ranking_table

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
THRESHOLDS = dict.fromkeys(("opened", "clicked", "unsubscribed"), AT)


def figures():
    """1,000 people, of whom 3 stand above the lowest machine; one person is lost."""
    y = [0] * 1_000 + [1] * 1_000
    probability = np.array([0.1] * 997 + [0.75, 0.75, 0.9] + [0.7] * 10 + [0.99] * 990)
    return evaluate(rows(y), probability, THRESHOLDS)


def lines(table):
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(table)
    text = capture.get()
    assert "…" not in text
    return [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")]


def test_figures_have_counts_ranking_loss_recall_and_unsure():
    title, heading, everything, clicked = lines(figure_table("A title", figures()))
    assert title == "A title"
    assert heading == "events human automated AUC people lost machines found unsure"
    assert everything.startswith("all 1,000 1,000 1.0000 0.10% [0, 0.30] 99.00% [")
    assert everything.endswith("0.60%")
    assert clicked.startswith("clicked 1,000 1,000")


def test_recall_is_shown_at_each_loss_with_the_calibration_error():
    _, heading, everything, _ = lines(ranking_table(figures()))
    assert heading == "events 0.1% lost 0.5% lost 1.0% lost ECE"
    # One of 1,000 may be lost: the threshold stands above 0.75 and finds all but the ten machines at 0.7.
    assert everything.startswith("all 99.00% [")
    assert " 100.00% [" in everything
    assert everything.split()[-1] == f"{figures()['all'].calibration_error:.4f}"
