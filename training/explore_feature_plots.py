"""Pictures of features: how they are distributed, what the model makes of them, whether they stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from features.feature import Group
from training.explore import LabelledEvents
from training.explore_features import distribution
from training.explore_style import MACHINE, PERSON, figure, heat_map, name_rows, titled

_COLUMNS = 3
# PSI: below the first is no difference, above the second another distribution.
_SOME, _MUCH = 0.1, 0.25
_GROUP_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#999999")
_GROUPS = dict(zip((*get_args(Group), "reputation"), _GROUP_COLOURS, strict=True))


def distribution_plot(opened: LabelledEvents, names: Sequence[str]) -> Figure:
    """How people's (left) and machines' events (right) spread over the values of each feature, in percent."""
    rows = -(-len(names) // _COLUMNS)
    made, axes = figure(rows, _COLUMNS, (4.2 * _COLUMNS, 2.7 * rows))
    for place, name in zip(axes.flat, names, strict=False):
        shares = 100 * distribution(opened, name)
        at = np.arange(len(shares))
        place.barh(at, -shares["people"], color=PERSON, label="people's events")
        place.barh(at, shares["machines"], color=MACHINE, label="machines' events")
        place.axvline(0, color="white", linewidth=1)
        place.set(xlim=(-100, 100), xticks=[-100, -50, 0, 50, 100], xticklabels=["100 %", "50", "0", "50", "100 %"])
        place.grid(axis="x", color="0.92")
        name_rows(place, shares.index.tolist())
        titled(place, name)
    for place in axes.flat[len(names) :]:
        place.set_visible(False)
    handles, words = axes.flat[0].get_legend_handles_labels()
    made.legend(handles, words, loc="outside upper center", ncols=2)
    return made


def importance_plot(importance: pd.DataFrame, most: int = 25) -> Figure:
    """The weightiest features: their share of the gain in training (hollow), and of what is added here (filled)."""
    shown = importance.iloc[:most]
    made, [[axes]] = figure(1, 1, (9, 1.4 + 0.27 * len(shown)))
    at = np.arange(len(shown))
    colours = shown["group"].map(_GROUPS)
    axes.hlines(at, 100 * shown["gain"], 100 * shown["here"], color="0.85", linewidth=3)
    axes.scatter(100 * shown["gain"], at, facecolors="white", edgecolors=colours, s=45, zorder=3)
    axes.scatter(100 * shown["here"], at, color=colours, s=45, zorder=4)
    name_rows(axes, shown.index.tolist())
    axes.set_xlim(left=-0.2)
    axes.grid(axis="x", color="0.9")
    titled(axes, "What the model rests on: in these events (filled) and when it was trained (hollow)", "percent of all")
    handles = [
        Line2D([], [], marker="o", linestyle="none", color=colour, label=group)
        for group, colour in _GROUPS.items()
        if (shown["group"] == group).any()
    ]
    axes.legend(handles=handles, loc="lower right")
    return made


def stability_plot(stability: pd.DataFrame, mistakes: pd.DataFrame) -> Figure:
    """How far each campaign is from the others in each feature, and below it the mistakes in it."""
    heights = (1 + 0.3 * len(stability), 1.8)
    made, axes = figure(2, 1, (max(8, 4 + 1.1 * len(mistakes)), 1.2 + sum(heights)), height_ratios=heights)
    cells, below = axes[:, 0]
    heat_map(cells, stability.to_numpy(), "Greys", 0, 2 * _MUCH, "{:.2f}")
    name_rows(cells, stability.index.tolist())
    cells.set_xticks([])
    titled(
        cells,
        f"Distance of each campaign from the others (PSI: below {_SOME} none, above {_MUCH} unlike)",
    )
    at = np.arange(len(mistakes))
    for name, colour, shift in (("people lost", PERSON, -0.2), ("machines not found", MACHINE, 0.2)):
        values = 100 * mistakes[name]
        below.bar(at + shift, values, 0.38, color=colour, label=name)
        for place, value in zip(at + shift, values, strict=True):
            if np.isfinite(value):
                below.text(place, value, f"{value:.1f}", ha="center", va="bottom", fontsize="small")
    below.set_xlim(-0.5, len(mistakes) - 0.5)
    below.set_xticks(at, mistakes.index.tolist(), rotation=30, ha="right")
    for label in below.get_xticklabels():
        label.set_parse_math(False)
    titled(below, "", y="percent")
    below.legend()
    return made
