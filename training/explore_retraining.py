"""Retraining looked at: what evidence labels, how often it is right, and a new model beside the champion."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from training.challenge import Change, Comparison
from training.explore_style import INK, MACHINE, NEITHER, PERSON, figure, name_rows, titled
from training.promote import Promotion, Refused, promote
from training.registry import Registry

_KIND = "kind"


def evidence(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Each source of labels beside the labels given, where there are any: a row a source and what it says.

    `events` have the evidence; of those with a label given (table `event_labels`, which
    `training.dataset.match_labels` makes), `agree` say the same and `differ` do not. Asks what `training.labels.label`
    leaves.
    """
    found: pd.DataFrame = con.sql("""
        SELECT
            s.source, s.automated, count(*) AS events,
            count(*) FILTER (s.automated = l.automated) AS agree,
            count(*) FILTER (s.automated <> l.automated) AS differ
        FROM label_evidence AS s
        LEFT JOIN event_labels AS l ON s.event_row = l.event_row
        GROUP BY ALL
        ORDER BY events DESC, s.source, s.automated
        """).df()
    return found


def evidence_plot(found: pd.DataFrame) -> Figure:
    """Events by source of evidence, and whether the labels given say the same."""
    made, [[axes]] = figure(1, 1, (9, 1.6 + 0.45 * max(1, len(found))))
    rows = np.arange(len(found))
    unknown = found["events"] - found["agree"] - found["differ"]
    left = np.zeros(len(found))
    parts = (("label given says the same", found["agree"], PERSON), ("says otherwise", found["differ"], MACHINE))
    for name, values, colour in (*parts, ("no label given", unknown, NEITHER)):
        axes.barh(rows, values, left=left, color=colour, label=name)
        left += values.to_numpy()
    for row, (events, differ) in enumerate(zip(found["events"], found["differ"], strict=True)):
        axes.text(events, row, f" {events:,}" + (f", {differ:,} otherwise" if differ else ""), va="center", color=INK)
    whose = found["automated"].map({True: "machine", False: "person"})
    name_rows(axes, (found["source"] + ": " + whose).tolist())
    axes.set_xlim(0, 1.3 * max(1, left.max(initial=1)))
    axes.grid(axis="x", color="0.9")
    titled(axes, "Evidence, and how often it is right", "events")
    axes.legend(loc="lower right")
    return made


def keep_part(con: duckdb.DuckDBPyConnection, since: float, until: float) -> int:
    """Leave in the tables `events` and `labels` only a part of the messages in time; how many labels are left.

    `since` and `until` are shares of the messages in the order of their first events: 0 and 0.5 keep the earlier half.
    """
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE events AS
        WITH messages AS (
            SELECT message_id, recipient_id, percent_rank() OVER (ORDER BY min(timestamp)) AS place
            FROM events
            GROUP BY ALL
        )
        SELECT e.*
        FROM events AS e
        JOIN messages AS m
            ON e.message_id IS NOT DISTINCT FROM m.message_id AND e.recipient_id IS NOT DISTINCT FROM m.recipient_id
        WHERE m.place >= $since AND (m.place < $until OR $until = 1)""",
        {"since": since, "until": until},
    )
    con.execute("""
        CREATE OR REPLACE TEMP TABLE labels AS
        SELECT *
        FROM labels AS l
        WHERE CASE WHEN l.raw_ref IS NULL THEN l.event_id IN (SELECT event_id FROM events)
                   ELSE l.raw_ref IN (SELECT raw_ref FROM events) END""")
    return int(con.execute("SELECT count(*) FROM labels").fetchall()[0][0])


def changes(comparison: Comparison) -> pd.DataFrame:
    """The comparison as a table: a row a part of the events, kinds first, then the parts that change most.

    Shares are of people's events lost and machines' found, under both models; changes have their intervals. NaN where
    a part has no such events.
    """
    table = []
    for part in comparison.parts:
        row: dict[str, object] = {"by": part.by, "part": part.value, "human": part.human, "automated": part.automated}
        table.append(row | _columns("lost", part.loss) | _columns("found", part.recall))
    frame = pd.DataFrame(table)
    moved = (
        frame["lost change"].abs().fillna(0) * frame["human"]
        + frame["found change"].abs().fillna(0) * frame["automated"]
    )
    order = moved.where(frame["by"] != _KIND, np.inf).sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def _columns(name: str, change: Change | None) -> dict[str, object]:
    values = (np.nan,) * 5
    if change is not None:
        moved = change.difference
        values = (change.champion, change.challenger, moved.value, moved.low, moved.high)
    names = ("champion", "challenger", "change", "change low", "change high")
    return {f"{name} {column}": value for column, value in zip(names, values, strict=True)}


def comparison_plot(comparison: Comparison, most: int = 14) -> Figure:
    """People lost and machines found under the champion and the challenger, by kind and where they change most."""
    frame = changes(comparison)
    has_moved = (frame[["lost change", "found change"]].fillna(0) != 0).any(axis=1)
    shown = frame[(frame["by"] == _KIND) | has_moved].iloc[:most]
    made, axes = figure(1, 2, (12, 1.8 + 0.36 * len(shown)), sharey=True)
    rows = np.arange(len(shown))
    panels = (("lost", "People lost: left is better", PERSON), ("found", "Machines found: right is better", MACHINE))
    for place, (name, title, colour) in zip(axes[0], panels, strict=True):
        before, after = 100 * shown[f"{name} champion"], 100 * shown[f"{name} challenger"]
        place.hlines(rows, before, after, color="0.8", linewidth=4)
        place.scatter(before, rows, facecolors="white", edgecolors=colour, s=60, zorder=3, label="champion")
        place.scatter(after, rows, color=colour, s=60, zorder=4, label="challenger")
        place.grid(axis="x", color="0.9")
        place.margins(x=0.08)
        titled(place, title, "percent of their events")
        place.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12 - 0.4 / (1 + len(shown))), ncols=2)
    sizes = shown["human"].map("{:,}".format) + " + " + shown["automated"].map("{:,}".format)
    parts = shown["part"].where(shown["by"] == _KIND, shown["by"] + ": " + shown["part"])
    name_rows(axes[0, 0], (parts + "  (" + sizes + ")").tolist())
    return made


def promote_or_say(name: str, store: str) -> str:
    """Make a registered model champion, or say what speaks against it: a sentence either way.

    Raises InputError as `training.promote.promote` does, but where the comparison refuses it.
    """
    try:
        done: Promotion = promote(name, Registry(store))
    except Refused as refused:
        return str(refused)
    if not done.is_new:
        return f"{done.name} is champion already."
    return f"{done.name} is champion now, in place of {done.before}."
