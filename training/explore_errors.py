"""Where a model is wrong on labelled events: the costliest mistakes, what pushed them, what is like them.

Events are compared by what each reason adds to the model's log odds (`LabelledEvents.contributions`): two events are
near where the model sees the same in them, whatever their features are measured in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.cluster import AgglomerativeClustering
from sklearn.neighbors import NearestNeighbors

from features.catalog import FEATURES
from features.feature import Group
from serving.reasons import explain, rank_columns, ranked
from serving.reputation import join_reputations
from training.evaluate import judged
from training.explore import EVENT_SQL, LOST, MISSED, OUTCOMES, REASON_NAMES, Floats, LabelledEvents
from training.noise import label_noise
from training.slices import slice_figures

Rows = npt.NDArray[np.int64]
GROUPS: tuple[Group, ...] = get_args(Group)
SOURCE = "label source"
ALL_KNOWN = "none"
NEIGHBOURS = 20
# A message has at most so many events that are near each other and count as none of its neighbours.
_OWN_MESSAGE = 30
MOST_CANDIDATES = 20_000
MOST_CLUSTERED = 2_000
CLUSTERS = 3
# What kind of event it is, is no knowledge that could be lacking.
_ALWAYS_KNOWN = frozenset({"event_kind"})
_SHOWN = ["outcome", "event_type", "source", "network", "agent", "after_s", "probability"]


def confusion(opened: LabelledEvents) -> pd.DataFrame:
    """Events by type and outcome; one row an event type, and one of all."""
    counts = pd.crosstab(opened.events["event_type"], opened.events["outcome"], margins=True, margins_name="all")
    return counts.reindex(columns=list(OUTCOMES.values()), fill_value=0)


def slices(opened: LabelledEvents) -> pd.DataFrame:
    """The figures of each slice with its intervals, as `training.slices` has them: a row a dimension and value.

    Where labels come from several sources, these are a dimension too.
    """
    columns = dict(opened.properties.items())
    if opened.events["source"].nunique() > 1:
        columns = {SOURCE: opened.events["source"], **columns}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    found = slice_figures(opened.data, opened.probability, opened.thresholds, table)
    return pd.DataFrame([each.row() for each in found])


def costliest(opened: LabelledEvents, outcome: str, most: int = 3) -> pd.DataFrame:
    """The mistakes (`LOST` or `MISSED`) that campaign figures suffer most from; the index is the event's position.

    `cost` is how much of a person the unique opens, clicks or unsubscribes lose, or gain, by the message: 0 where an
    event of a person is kept beside a lost one, near 1 where nobody is left. One event a message; of equal label
    sources, types and networks each further one comes later.
    """
    if outcome not in (LOST, MISSED):
        raise ValueError(f"{outcome}: expected {LOST} or {MISSED}")
    events = opened.events
    by_message = [events["message"], events["event_type"]]
    counted = (1 - events["probability"]).groupby(by_message).transform("max")
    true = (~events["is_automated"]).astype(float).groupby(by_message).transform("max")
    cost = (true - counted if outcome == LOST else counted - true).clip(lower=0)
    found = events.assign(cost=cost)[events["outcome"] == outcome]
    found = found.sort_values(["cost", "event_row"], ascending=[False, True]).drop_duplicates("message")
    claim: pd.Series[float] = found["cost"] / np.sqrt(found.groupby(["source", "event_type", "network"]).cumcount() + 1)
    best = claim.sort_values(ascending=False, kind="stable").index[:most].tolist()
    return found.loc[best, [*_SHOWN, "cost", "campaign_id", "message", "raw_ref"]]


def message_events(opened: LabelledEvents, message: int) -> pd.DataFrame:
    """All opens, clicks and unsubscribes of a message in time, labelled or not, with the probability of the labelled.

    `is_automated` and `probability` are not known of those without a label.
    """
    found = opened.con.execute(
        f"""
        SELECT s.*, l.automated AS is_automated
        FROM ({EVENT_SQL}) AS s
        LEFT JOIN event_labels AS l ON s.event_row = l.event_row
        WHERE s.message = $message
        ORDER BY s.timestamp, s.event_row""",
        {"message": int(message)},
    ).df()
    return found.merge(opened.events[["event_row", "probability"]], how="left", on="event_row")


def contributions(opened: LabelledEvents, rows: Sequence[int] | Rows) -> pd.DataFrame:
    """What each reason adds to the log odds of these events: a row a reason, the strongest first, a column an event."""
    chosen = np.asarray(rows, dtype=np.int64)
    frame = pd.DataFrame(opened.contributions[chosen].T, index=REASON_NAMES, columns=chosen)
    return frame.loc[frame.abs().max(axis=1).sort_values(ascending=False, kind="stable").index]


def words(opened: LabelledEvents, rows: Sequence[int] | Rows) -> pd.Series[str]:
    """What speaks for a machine and what for a person in each of these events, as reasons say it."""
    con, chosen = opened.con, np.asarray(rows, dtype=np.int64)
    # Of an unsure event both sides are told.
    table = {
        "event_row": pa.array(opened.events["event_row"].to_numpy()[chosen]),
        "verdict": pa.array(["unsure"] * len(chosen)),
        **rank_columns(ranked(opened.contributions[chosen])),
    }
    con.register("chosen_events", pa.table(table))
    con.execute("CREATE OR REPLACE TEMP TABLE predicted AS SELECT * FROM chosen_events")
    join_reputations(con, None)
    explain(con)
    found = dict(con.execute("SELECT event_row, reasons FROM explained").fetchall())
    con.unregister("chosen_events")
    for name in ("predicted", "explained", "reputations"):
        con.execute(f"DROP TABLE {name}")
    return pd.Series([found[row] for row in table["event_row"].to_pylist()], index=chosen, name="words")


def _nearest(opened: LabelledEvents, rows: Rows, most: int) -> list[tuple[Rows, Floats]]:
    """Of each row the nearest labelled events of its type in other messages, nearest first, and their distances."""
    data = opened.data
    found: dict[int, tuple[Rows, Floats]] = {}
    for kind in np.unique(data.kind[rows]):
        candidates = np.flatnonzero(data.kind == kind)
        if len(candidates) > MOST_CANDIDATES:
            candidates = np.sort(np.random.default_rng(7).choice(candidates, MOST_CANDIDATES, replace=False))
        tree = NearestNeighbors(n_neighbors=min(len(candidates), most + _OWN_MESSAGE), algorithm="kd_tree")
        tree.fit(opened.contributions[candidates])
        asked = rows[data.kind[rows] == kind]
        distances, places = tree.kneighbors(opened.contributions[asked])
        for row, distance, place in zip(asked, distances, candidates[places], strict=True):
            others = data.message[place] != data.message[row]
            found[int(row)] = place[others][:most], distance[others][:most]
    return [found[int(row)] for row in rows]


def neighbours(opened: LabelledEvents, row: int, most: int = 5) -> pd.DataFrame:
    """The labelled events in other messages that the model sees most like this one, nearest first.

    `distance` is in log odds; 0 where the model cannot tell the two apart.
    """
    [(places, distance)] = _nearest(opened, np.array([row]), most)
    frame = opened.events.loc[places, _SHOWN].assign(distance=distance)
    return frame[["distance", *_SHOWN]]


def neighbour_shares(opened: LabelledEvents, rows: Rows, most: int = NEIGHBOURS) -> Floats:
    """Of each row the share of its nearest neighbours that are labelled automated; NaN where it has none."""
    near = _nearest(opened, rows, most)
    return np.array([opened.data.y[places].mean() if len(places) else np.nan for places, _ in near], dtype=np.float64)


def suspects(opened: LabelledEvents, most: int = 30, *, asked: int = 2_000) -> pd.DataFrame:
    """Labels that are probably wrong, the likeliest first: neither the model nor the nearest neighbours agree.

    `neighbours` is the share of the nearest that are labelled automated. Of one type, label and network each further
    one comes later, so that one stealthy machine does not hide all else. The least likely `asked` are looked at; the
    model must not have been trained on the labels, or it repeats them.
    """
    y = opened.data.y
    given = np.where(y == 1, opened.probability, 1 - opened.probability)
    doubtful = np.flatnonzero(label_noise(opened.data, opened.probability).suspects)
    doubtful = doubtful[np.argsort(given[doubtful], kind="stable")][:asked]
    shares = neighbour_shares(opened, doubtful) if len(doubtful) else np.empty(0)
    agreeing = np.nan_to_num(np.where(y[doubtful] == 1, shares, 1 - shares), nan=0.5)
    surprise = -np.log(np.maximum(given[doubtful], 1e-6)) - np.log((NEIGHBOURS * agreeing + 0.5) / (NEIGHBOURS + 1))
    frame = opened.events.loc[doubtful, [*_SHOWN, "is_automated", "raw_ref", "event_id", "message"]]
    frame = frame.assign(neighbours=shares, surprise=surprise)
    frame = frame.sort_values(["surprise", "raw_ref"], ascending=[False, True], kind="stable")
    alike = frame.groupby(["event_type", "is_automated", "network"]).cumcount() + 1
    claim: pd.Series[float] = frame["surprise"] / np.sqrt(alike)
    order = claim.sort_values(ascending=False, kind="stable").index[:most].tolist()
    first = ["event_type", "is_automated", "probability", "neighbours", "source", "network", "agent"]
    return frame.loc[order, [*first, "after_s", "surprise", "message", "raw_ref", "event_id"]]


def _without(opened: LabelledEvents, group: Group, rows: Rows) -> Floats:
    """The probabilities of these rows with nothing known of a group of features."""
    names = {f.name for f in FEATURES if f.group == group} - _ALWAYS_KNOWN
    X = opened.inputs[rows].copy()
    X[:, np.isin(opened.model.feature_names, sorted(names))] = np.nan
    return opened.model.probability(X)


def what_if(opened: LabelledEvents) -> pd.DataFrame:
    """People lost, machines found and events unsure with each group of features off: a row a group, below "none".

    What is off is not known, as where a file does not have it. The thresholds stay.
    """
    y, rows = opened.data.y, np.arange(len(opened))
    table = []
    off = {ALL_KNOWN: opened.probability} | {str(group): _without(opened, group, rows) for group in GROUPS}
    for group, probability in off.items():
        automated, unsure = judged(opened.data.kind, probability, opened.thresholds)
        with np.errstate(invalid="ignore"):
            table.append((group, automated[y == 0].mean(), automated[y == 1].mean(), unsure.mean()))
    return pd.DataFrame(table, columns=["off", "people lost", "machines found", "unsure"]).set_index("off")


def what_if_of(opened: LabelledEvents, rows: Sequence[int] | Rows) -> pd.DataFrame:
    """The probability of each of these events as it is and with each group of features off: a row an event."""
    chosen = np.asarray(rows, dtype=np.int64)
    found = [opened.probability[chosen], *(_without(opened, group, chosen) for group in GROUPS)]
    return pd.DataFrame(np.column_stack(found), index=chosen, columns=[ALL_KNOWN, *GROUPS])


def cluster(opened: LabelledEvents, most: int = CLUSTERS) -> pd.Series[int]:
    """A number for each mistake, the same for those that the same reasons made; the index is the event's position.

    People lost come first, up to `most` clusters of them, then machines missed; the largest cluster first. Of more
    than `MOST_CLUSTERED` mistakes of a kind some are drawn.
    """
    numbers: list[pd.Series[int]] = []
    taken = 0
    for outcome in (LOST, MISSED):
        rows = opened.rows(outcome)
        if len(rows) > MOST_CLUSTERED:
            rows = np.sort(np.random.default_rng(7).choice(rows, MOST_CLUSTERED, replace=False))
        if not len(rows):
            continue
        few = min(most, len(rows))
        label = np.zeros(len(rows), dtype=np.int64)
        if few > 1:
            label = AgglomerativeClustering(few).fit_predict(opened.contributions[rows])
        size_order = np.argsort(-np.bincount(label), kind="stable")
        numbers.append(pd.Series(taken + 1 + np.argsort(size_order)[label], index=rows))
        taken += few
    return pd.concat(numbers).rename("cluster") if numbers else pd.Series(dtype=np.int64, name="cluster")


def clusters(opened: LabelledEvents, numbers: pd.Series[int] | None = None) -> pd.DataFrame:
    """Each cluster of mistakes: how many, what most of them are, and the two reasons that push furthest that way."""
    numbers = cluster(opened) if numbers is None else numbers
    table = []
    for number, members in numbers.groupby(numbers):
        rows = members.index.to_numpy()
        events = opened.events.loc[rows]
        towards = opened.contributions[rows].mean(axis=0) * (1 if events["outcome"].iloc[0] == LOST else -1)
        strongest = np.argsort(-towards, kind="stable")[:2]
        mostly = {name: _mostly(events[name]) for name in ("event_type", "source", "network", "agent")}
        table.append(
            {
                "cluster": number,
                "outcome": events["outcome"].iloc[0],
                "events": len(events),
                "messages": events["message"].nunique(),
                **mostly,
                "pushed by": ", ".join(REASON_NAMES[place] for place in strongest if towards[place] > 0),
                "as in": events["raw_ref"].iloc[0],
            }
        )
    columns = ["outcome", "events", "messages", "event_type", "source", "network", "agent", "pushed by", "as in"]
    return pd.DataFrame(table, columns=["cluster", *columns]).set_index("cluster")


def _mostly(values: pd.Series[str]) -> str:
    """The commonest value with its share."""
    counts = values.value_counts(normalize=True)
    return f"{counts.index[0]} ({counts.iloc[0]:.0%})"
