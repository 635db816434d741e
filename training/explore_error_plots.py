"""Pictures of where a model is wrong: slices, messages in time, reasons, neighbours, groups of features, clusters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from features.schema import ENGAGEMENT
from training.explore import LOST, MISSED, REASON_NAMES, LabelledEvents
from training.explore_errors import contributions, message_events, neighbour_shares
from training.explore_style import (
    INK,
    MACHINE,
    NEITHER,
    PERSON,
    figure,
    heat_map,
    name_rows,
    shortened,
    time_axis,
    titled,
)

_MARKER = {"opened": "o", "clicked": "s", "unsubscribed": "X"}


def slice_plot(slices: pd.DataFrame, most: int = 12) -> Figure:
    """The slices in which most people are lost, and those in which most machines are not found, with intervals."""
    made, axes = figure(1, 2, (12, 1.2 + 0.34 * most))
    panels = (
        ("loss", "human", "People lost", PERSON, slices.assign(at=slices["loss"])),
        ("recall", "automated", "Machines not found", MACHINE, slices.assign(at=1 - slices["recall"])),
    )
    for place, (measure, count, title, colour, frame) in zip(axes[0], panels, strict=True):
        shown = frame.dropna(subset=["at"]).nlargest(most, "at")
        ends = [shown[f"{measure}_low"], shown[f"{measure}_high"]]
        low, high = ends if measure == "loss" else (1 - ends[1], 1 - ends[0])
        reach = np.nan_to_num(np.clip([shown["at"] - low, high - shown["at"]], 0, None)) * 100
        rows = np.arange(len(shown))
        place.errorbar(100 * shown["at"], rows, xerr=reach, fmt="o", color=colour, capsize=3)
        names = shown["dimension"] + ": " + shown["slice"] + shown[count].map(lambda n: f"  ({n:,})")
        name_rows(place, names.tolist())
        place.set_xlim(left=-0.5)
        place.grid(axis="x", color="0.9")
        titled(place, f"{title}, with 95 % interval (events)", "percent of its events")
    return made


def timeline_plot(opened: LabelledEvents, cases: pd.DataFrame) -> Figure:
    """The whole message of each case: a row a visitor, from delivery on; the case's event is ringed."""
    messages = zip(cases.index.tolist(), cases["message"].tolist(), strict=True)
    parts = [(case, message_events(opened, message)) for case, message in messages]
    heights = [0.9 + parts[n][1].groupby(["network", "agent"]).ngroups * 0.35 for n in range(len(parts))] or [2.0]
    made, axes = figure(len(heights), 1, (11, 0.75 * len(heights) + sum(heights)), height_ratios=heights, sharex=True)
    last = max((float(events["after_s"].max()) for _, events in parts), default=60.0)
    for place, (case, events) in zip(axes[:, 0], parts, strict=False):
        _draw_message(place, opened, case, events)
        time_axis(place, last)
        place.tick_params(labelbottom=True)
    made.legend(handles=_event_legend(), loc="outside lower center", ncols=4)
    return made


def _draw_message(axes: Any, opened: LabelledEvents, case: int, events: pd.DataFrame) -> None:
    visitor = events["network"].map(lambda name: shortened(name, 24)) + ", " + events["agent"]
    rows = {name: row for row, name in enumerate(dict.fromkeys(visitor))}
    at = events["after_s"].fillna(0)
    # What comes within a moment would cover itself: the events of a visitor go down a ladder.
    step, events_of = visitor.groupby(visitor).cumcount(), visitor.groupby(visitor).transform("size")
    height = visitor.map(rows) + 0.5 * (step - (events_of - 1) / 2) / events_of.clip(lower=3)
    for key, part in events.assign(row=height, at=at).groupby(
        ["event_type", events["is_automated"].astype("object").fillna("unlabelled")]
    ):
        kind, whose = cast("tuple[str, object]", key)
        colour = MACHINE if whose is True else PERSON if whose is False else NEITHER
        axes.scatter(part["at"], part["row"], marker=_MARKER[kind], color=colour, s=60, alpha=0.8, linewidths=0)
    mine = events["event_row"] == opened.events.loc[case, "event_row"]
    axes.scatter(at[mine], height[mine], s=260, facecolors="none", edgecolors=INK, linewidths=1.8)
    axes.axvline(0, color="0.6", linewidth=1)
    links = events["link_id"].fillna(events["url"]).groupby(visitor).nunique()
    name_rows(axes, [f"{name} ({links[name]} links)" if links[name] > 1 else name for name in rows])
    event = opened.events.loc[case]
    truth = f" · {event['source']}" if event["source"] else ""
    titled(
        axes, f"{event['outcome']}, {event['event_type']}, p = {event['probability']:.3f}{truth} ({event['raw_ref']})"
    )


def _event_legend() -> list[Line2D]:
    bare: dict[str, Any] = {"linestyle": "none", "markersize": 8}
    return [
        *(Line2D([], [], marker=_MARKER[kind], color="0.4", label=kind, **bare) for kind in ENGAGEMENT),
        Line2D(
            [], [], marker="o", color=INK, markerfacecolor="none", label="the case", linestyle="none", markersize=13
        ),
        Line2D([], [], marker="D", color=PERSON, label="labelled a person's", **bare),
        Line2D([], [], marker="D", color=MACHINE, label="labelled a machine's", **bare),
        Line2D([], [], marker="D", color=NEITHER, label="without a label", **bare),
    ]


def contribution_plot(opened: LabelledEvents, cases: pd.DataFrame, most: int = 9) -> Figure:
    """What each reason adds to the log odds of each case: to the right for a machine, to the left for a person."""
    added = contributions(opened, cases.index.to_numpy()).iloc[:most]
    made, axes = figure(
        1, max(1, len(cases)), (3 + 2.1 * max(1, len(cases)), 1.6 + 0.32 * most), sharey=True, sharex=True
    )
    for place, case in zip(axes[0], cases.index, strict=False):
        values = added[case].to_numpy()
        place.barh(range(len(values)), values, color=np.where(values > 0, MACHINE, PERSON))
        place.axvline(0, color=INK, linewidth=0.8)
        place.grid(axis="x", color="0.9")
        event = opened.events.loc[case]
        titled(place, f"{event['outcome']}\n{event['event_type']}, p = {event['probability']:.2f}", "added log odds")
    if len(cases):
        name_rows(axes[0, 0], added.index.tolist())
    return made


def neighbour_plot(opened: LabelledEvents, suspects: pd.DataFrame, drawn: int = 1_500) -> Figure:
    """The model's probability beside the share of machines among the nearest neighbours; suspects are ringed.

    Where both are against a label it is probably wrong. Where the neighbours are with it and the model is not, the
    model has not learnt their kind. The others of which up to `drawn` are shown keep clear of both.
    """
    generator = np.random.default_rng(7)
    mistaken = opened.rows(LOST, MISSED)
    some = generator.choice(len(opened), min(drawn, len(opened)), replace=False)
    rows = np.unique(np.concatenate([some, mistaken, suspects.index.to_numpy(dtype=np.int64)]))
    share = pd.Series(neighbour_shares(opened, rows), index=rows)
    # Many stand at one place: they are spread a little.
    spread = pd.DataFrame(generator.uniform(-0.012, 0.012, (len(rows), 2)), index=rows, columns=["x", "y"])
    made, [[axes]] = figure(1, 1, (8, 6.5))
    for label, colour, name in ((0, PERSON, "labelled a person's"), (1, MACHINE, "labelled a machine's")):
        mine = rows[opened.data.y[rows] == label]
        x, y = opened.probability[mine] + spread.loc[mine, "x"], share[mine] + spread.loc[mine, "y"]
        axes.scatter(x, y, s=14, color=colour, alpha=0.5, label=name, linewidths=0)
    x = opened.probability[suspects.index] + spread.loc[suspects.index, "x"]
    axes.scatter(
        x,
        share[suspects.index] + spread.loc[suspects.index, "y"],
        s=90,
        facecolors="none",
        edgecolors=INK,
        label=f"the {len(suspects)} likeliest suspects",
    )
    for x_at, y_at, said, side in (
        (0.02, 1.07, "neighbours say machine, model person", "left"),
        (0.98, 1.07, "both say machine", "right"),
        (0.02, -0.07, "both say person", "left"),
        (0.98, -0.07, "neighbours say person, model machine", "right"),
    ):
        axes.text(x_at, y_at, said, ha=side, va="center", color="0.35", fontsize="small")
    axes.set(xlim=(-0.04, 1.04), ylim=(-0.12, 1.12))
    axes.axhline(0.5, color="0.85", zorder=0)
    axes.axvline(0.5, color="0.85", zorder=0)
    titled(
        axes, "Labels, model and neighbours", "the model's probability of a machine", "machines among the nearest 20"
    )
    made.legend(loc="outside lower center", ncols=3)
    return made


def what_if_plot(figures: pd.DataFrame, of_cases: pd.DataFrame, opened: LabelledEvents) -> Figure:
    """What a group of features does: for people and machines in all, and for the probability of each case."""
    made, axes = figure(1, 2, (12, 1.8 + 0.42 * max(len(figures), len(of_cases))), width_ratios=(1, 1.5))
    totals, cells = axes[0]
    rows = np.arange(len(figures))
    lost, missed = 100 * figures["people lost"], 100 * (1 - figures["machines found"])
    totals.barh(rows - 0.2, lost, 0.38, color=PERSON, label="people lost")
    totals.barh(rows + 0.2, missed, 0.38, color=MACHINE, label="machines not found")
    for row, values in enumerate(zip(lost, missed, strict=True)):
        for shift, value in zip((-0.2, 0.2), values, strict=True):
            totals.text(value, row + shift, f" {value:.1f}", va="center", fontsize="small")
    name_rows(totals, [f"{name} off" if name != "none" else "all known" for name in figures.index])
    titled(totals, "All labelled events", "percent")
    totals.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    heat_map(cells, of_cases.to_numpy(), "cividis", 0, 1, "{:.2f}")
    cells.set_xticks(
        range(of_cases.shape[1]), _stacked(["all known", *(f"{name} off" for name in of_cases.columns[1:])])
    )
    events = opened.events.loc[of_cases.index]
    name_rows(
        cells, (events["outcome"] + ", " + events["source"].where(events["source"] != "", events["raw_ref"])).tolist()
    )
    titled(cells, "The cases: probability of a machine")
    return made


def _stacked(names: Iterable[str]) -> list[str]:
    """Names for narrow columns: a word a line."""
    return [re.sub(r"(?<!\bof) ", "\n", name) for name in names]


def cluster_plot(opened: LabelledEvents, numbers: pd.Series[int], most: int = 10) -> Figure:
    """What the reasons add, on average, in each cluster of mistakes: to the right of 0 for a machine."""
    rows = numbers.index.to_numpy(dtype=np.int64)
    mean = pd.DataFrame(opened.contributions[rows], columns=REASON_NAMES).groupby(numbers.to_numpy()).mean()
    strongest = mean.abs().max().sort_values(ascending=False, kind="stable").index[:most]
    made, [[axes]] = figure(1, 1, (12, 1.8 + 0.5 * max(1, len(mean))))
    reach = max(1.0, float(mean.abs().max().max())) if len(mean) else 1.0
    heat_map(axes, mean[strongest].to_numpy(), "PuOr_r", -reach, reach, "{:+.1f}")
    axes.set_xticks(range(len(strongest)), _stacked(strongest))
    sizes = numbers.value_counts()
    outcome = opened.events["outcome"]
    name_rows(axes, [f"{n}: {outcome[numbers.index[numbers == n][0]]} ({sizes[n]:,} events)" for n in mean.index])
    titled(axes, "Clusters of mistakes: log odds that each reason adds (orange: for a machine, violet: for a person)")
    return made
