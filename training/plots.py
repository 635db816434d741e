"""Pictures of a model's probabilities on labelled events, and of what its trees look at."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from features.files import replacing_file
from training.dataset import Dataset

Floats = npt.NDArray[np.float64]
BINS = 20
PICTURES = ("reliability.svg", "recall.svg")


def write_plots(folder: Path, data: Dataset, probability: Floats, about: str) -> None:
    """`reliability.svg` and `recall.svg` in the folder, which is made where missing; `about` is said in the titles.

    The same events give the same bytes. Raises InputError where the folder cannot be written.
    """
    figures = calibration_plot(data, probability, about), recall_plot(data, probability, about)
    for name, figure in zip(PICTURES, figures, strict=True):
        # Ids drawn from a fixed salt and no date.
        with replacing_file(folder / name) as temporary, mpl.rc_context({"svg.hashsalt": "clicksift"}):
            figure.savefig(temporary, format="svg", bbox_inches="tight", metadata={"Date": None})


def calibration_plot(data: Dataset, probability: Floats, about: str) -> Figure:
    """How often events of each probability truly are automated; the larger a point, the more events."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    total = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, weights=probability, minlength=BINS) / total
        rate = np.bincount(bins, weights=data.y, minlength=BINS) / total
    figure = _figure(f"Reliability, {about}", "probability given", "share truly automated")
    axes = figure.axes[0]
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.scatter(mean, rate, s=20 + 200 * total / total.max(), alpha=0.8)
    return figure


def recall_plot(data: Dataset, probability: Floats, about: str) -> Figure:
    """Recall of automated events against the loss of people's, by kind of event that has both."""
    figure = _figure(f"Recall against human loss, {about}", "human events lost", "automated events found")
    axes = figure.axes[0]
    for kind, name in enumerate(("opens", "clicks", "unsubscribes")):
        rows = data.kind == kind
        y, given = data.y[rows], probability[rows]
        if not 0 < y.sum() < len(y):
            continue
        order = np.argsort(-given, kind="stable")
        # Events of one probability are called automated together: the curve has no point inside a tie.
        together = np.append(np.diff(given[order]) != 0, True)
        lost = np.cumsum(y[order] == 0)[together] / (y == 0).sum()
        axes.plot(
            np.append(0, lost),
            np.append(0, np.cumsum(y[order])[together] / y.sum()),
            label=name,
            drawstyle="steps-post",
        )
    axes.set_xscale("symlog", linthresh=1e-3)
    axes.set_xlim(0, 1)
    if axes.lines:
        axes.legend()
    return figure


def importance_plot(booster_text: str, most: int = 30) -> Figure:
    """The features by their share of the gain in the trees."""
    booster = lgb.Booster(model_str=booster_text)
    gain = booster.feature_importance("gain")
    top = np.argsort(gain)[-most:]
    figure = _figure("Importance", "share of the gain", "")
    figure.set_size_inches(7, 8)
    figure.axes[0].barh([booster.feature_name()[i] for i in top], gain[top] / gain.sum())
    return figure


def _figure(title: str, x: str, y: str) -> Figure:
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(7, 5))
        axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure
