"""Pictures of judged events: when they come, what machines add to each campaign, who scans."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from serving.model import AUTOMATED, HUMAN, UNSURE
from training.explore import JudgedEvents
from training.explore_style import MACHINE, NEITHER, PERSON, figure, name_rows, time_axis, titled

_OF_VERDICT = {HUMAN: PERSON, UNSURE: NEITHER, AUTOMATED: MACHINE}
_WORDS = {HUMAN: "called human", UNSURE: "unsure", AUTOMATED: "called automated"}


def arrival_plot(judged: JudgedEvents) -> Figure:
    """When opens and clicks come after delivery, by verdict: a row a type."""
    kinds = [kind for kind in ("opened", "clicked") if (judged.events["event_type"] == kind).any()] or ["clicked"]
    made, axes = figure(len(kinds), 1, (9, 2.6 * len(kinds)), sharex=True)
    # As wide on the axis before delivery as after it.
    bins = np.concatenate([-np.geomspace(1, 60, 15)[::-1], [0], np.geomspace(1, 7 * 86_400, 47)])
    for place, kind in zip(axes[:, 0], kinds, strict=True):
        events = judged.events[(judged.events["event_type"] == kind) & judged.events["after_s"].notna()]
        parts = [events.loc[events["verdict"] == verdict, "after_s"].clip(-59, 7 * 86_400 - 1) for verdict in _WORDS]
        place.hist(parts, bins=bins, stacked=True, color=list(_OF_VERDICT.values()), label=list(_WORDS.values()))
        time_axis(place, 7 * 86_400)
        titled(place, f"{kind.capitalize()}: {len(events):,} events", y="events")
    axes[0, 0].legend()
    titled(axes[-1, 0], axes[-1, 0].get_title(loc="left"), "time after delivery", "events")
    return made


def campaign_plot(figures: pd.DataFrame, most: int = 20) -> Figure:
    """Unique clicks of the largest campaigns: all, and people's with the interval of `serving.campaigns`."""
    shown = figures.nlargest(most, "clicks")
    made, [[axes]] = figure(1, 1, (9, 1.4 + 0.36 * len(shown)))
    rows = np.arange(len(shown))
    axes.hlines(rows, shown["human_clicks"], shown["clicks"], color="0.85", linewidth=5)
    axes.scatter(shown["clicks"], rows, color=MACHINE, s=45, label="all clicks", zorder=3)
    people = shown["human_clicks"]
    reach = np.clip([people - shown["human_clicks_low"], shown["human_clicks_high"] - people], 0, None)
    axes.errorbar(
        people, rows, xerr=reach, fmt="o", color=PERSON, capsize=3, label="people's, with 95 % interval", zorder=4
    )
    name_rows(axes, shown["campaign_id"].tolist())
    axes.set_xlim(left=0)
    axes.grid(axis="x", color="0.9")
    titled(axes, "What machines add to each campaign's clicks", "messages clicked")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16 - 0.6 / (1 + len(shown))), ncols=2)
    return made


def scanning_plot(judged: JudgedEvents, most: int = 15) -> Figure:
    """The recipient domains with most clicks, and whose clicks they were."""
    clicks = judged.events[judged.events["event_type"] == "clicked"]
    counts = pd.crosstab(clicks["recipient_domain"].fillna("not known"), clicks["verdict"])
    counts = counts.reindex(columns=list(_WORDS), fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index[:most]]
    made, [[axes]] = figure(1, 1, (9, 1.4 + 0.3 * max(1, len(counts))))
    left = np.zeros(len(counts))
    for verdict, colour in _OF_VERDICT.items():
        axes.barh(range(len(counts)), counts[verdict], left=left, color=colour, label=_WORDS[verdict])
        left += counts[verdict].to_numpy()
    name_rows(axes, counts.index.tolist())
    axes.grid(axis="x", color="0.9")
    titled(axes, "Which recipient domains scan", "clicks")
    axes.legend(loc="lower right")
    return made
