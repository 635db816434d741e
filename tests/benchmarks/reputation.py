"""What reputations are worth: senders whose first campaigns are labelled, judged on their later ones and on another's.

    python -m tests.benchmarks.reputation [first seed] [senders] [messages]

Each sender mails organisations with one or two links a mail. Trees added to the bundled model learn from the first 60 %
of its campaigns, once without and once with reputations, and judge clicks of the rest: all of the file, and a file of
one message in twelve, where the other messages of a network or domain can say little.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import log_loss, roc_auc_score

from features.catalog import CATEGORICAL, FEATURE_NAMES
from features.duckdb_engine import connect
from serving.model import bundled
from serving.reputation import REPUTATION_CATEGORICAL, REPUTATION_NAMES, join_reputations
from training.bundled import load
from training.dataset import Dataset, labelled
from training.fit import FitParameters
from training.ranges import Range
from training.reputation import masked, monotone, reputation_columns, reputation_table
from training.simulation import simulate
from training.world import Profile

LABELLED, LOSS, THIN = 0.6, 0.005, 12
TREES = FitParameters(trees=80, leaves=15, least_in_leaf=30)
ONE_LINK = Profile(
    world={"campaigns": Range(8, 10, whole=True), "business_share": Range(0.6, 0.9), "links": Range(1, 2, whole=True)}
)
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Judged:
    """Clicks with the margins of both models; `known` where the organisation was among the labelled."""

    y: npt.NDArray[np.int8]
    known: npt.NDArray[np.bool_]
    without: npt.NDArray[np.float64]
    beside: npt.NDArray[np.float64]


def write_sender(seed: int, messages: int, folder: Path) -> None:
    """The labelled campaigns of a sender in `folder`/first, its later ones in `folder`/later."""
    sender = simulate(seed, messages, profile=ONE_LINK)
    sent = sender.events.group_by("campaign_id").aggregate([("timestamp", "min")]).sort_by("timestamp_min")
    ids = [campaign for campaign in sent["campaign_id"].to_pylist() if campaign]
    cut = round(LABELLED * len(ids))
    for name, mine in (("first", ids[:cut]), ("later", ids[cut:])):
        events = sender.events.filter(pc.is_in(sender.events["campaign_id"], value_set=pa.array(mine)))
        chosen = pc.is_in(sender.labels["event_id"], value_set=events["event_id"])
        replace(sender, events=events, labels=sender.labels.filter(chosen)).write(folder / name)


def read(folder: Path, table: pa.Table | None, *, thin: bool = False) -> tuple[Dataset, Matrix, pa.Table]:
    """Labelled events, their reputations (from `table`, else as trees are grown on them), and what a model keeps."""
    con = connect()
    capabilities = load(con, folder).capabilities
    if thin:
        con.execute(f"DELETE FROM events WHERE hash(coalesce(message_id, recipient_id)) % {THIN} <> 0")
    data = labelled(con, capabilities)
    if table is None:
        columns = masked(reputation_columns(con, data, seed=7), data.organisation, seed=7)
        return data, columns, reputation_table(con)
    join_reputations(con, table)
    query = (
        f"SELECT {', '.join(REPUTATION_NAMES)} FROM event_labels JOIN reputations USING (event_row) ORDER BY event_row"
    )
    found = con.sql(query).to_arrow_table()
    return data, np.column_stack([column.to_numpy() for column in found.columns]).astype(np.float32), table


def compared(sender: Path, files: dict[str, tuple[Path, bool]]) -> dict[str, Judged]:
    """The clicks of each file, judged by the trees of the sender's labelled campaigns."""
    booster = bundled().booster
    first, columns, table = read(sender / "first", None)
    start = booster.predict_raw(first.X)
    names = [*FEATURE_NAMES, *REPUTATION_NAMES]
    without = _grown(first.X, first.y, start, names[: len(FEATURE_NAMES)])
    beside = _grown(np.column_stack([first.X, columns]), first.y, start, names)
    found = {}
    for name, (folder, thin) in files.items():
        data, asked, _ = read(folder, table, thin=thin)
        clicks, begun = data.kind == 1, booster.predict_raw(data.X)
        margins = [
            begun + trees.predict(X, raw_score=True)
            for trees, X in ((without, data.X), (beside, np.column_stack([data.X, asked])))
        ]
        known = np.isin(data.organisation, first.organisation)
        found[name] = Judged(*(values[clicks] for values in (data.y, known, *margins)))
    return found


def figures(y: npt.NDArray[np.int8], margin: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """AUC, recall at half a percent of people lost, log loss."""
    lost = np.quantile(margin[y == 0], 1 - LOSS)
    return roc_auc_score(y, margin), (margin[y == 1] > lost).mean(), log_loss(y, 1 / (1 + np.exp(-margin)))


def main(seed: int = 20_031, senders: int = 8, messages: int = 10_000) -> None:
    """Print the mean figures over senders, with how many of them got better and worse."""
    rows: dict[str, list[tuple[tuple[float, ...], tuple[float, ...]]]] = defaultdict(list)
    with TemporaryDirectory() as name:
        folders = [Path(name) / str(place) for place in range(seed, seed + senders)]
        for place, folder in enumerate(folders, seed):
            write_sender(place, messages, folder)
        for place, folder in enumerate(folders):
            other = folders[(place + 1) % senders] / "later"
            files = {"all": (folder / "later", False), "thin": (folder / "later", True), "other": (other, False)}
            for what, judged in compared(folder, files).items():
                for whose, mine in (("known", judged.known), ("unknown", ~judged.known)):
                    y = judged.y[mine]
                    if min(y.sum(), (1 - y).sum()) >= 10:
                        pair = figures(y, judged.without[mine]), figures(y, judged.beside[mine])
                        rows[f"{what} file, {whose} organisations"].append(pair)
    print(f"{'':34}{'senders':>8}{'AUC':>18}{'recall':>16}{'log loss':>18}{'better':>8}{'worse':>7}")
    for what, pairs in rows.items():
        (auc, recall, loss), (auc_b, recall_b, loss_b) = np.mean(pairs, axis=0)
        change = np.array([b[2] - a[2] for a, b in pairs])
        print(
            f"{what:34}{len(pairs):8}{auc:10.5f}{auc_b:8.5f}{recall:9.4f}{recall_b:7.4f}{loss:11.4f}{loss_b:7.4f}"
            f"{(change < -1e-4).sum():8}{(change > 1e-4).sum():7}"
        )


def _grown(X: Matrix, y: npt.NDArray[np.int8], start: npt.NDArray[np.float64], names: list[str]) -> lgb.Booster:
    categorical = [name for name in names if name in (*CATEGORICAL, *REPUTATION_CATEGORICAL)]
    rows = lgb.Dataset(X, y, init_score=start, feature_name=names, categorical_feature=categorical)
    options = TREES.lightgbm(2) | {"monotone_constraints": monotone(names)}
    return lgb.train(options, rows, num_boost_round=TREES.trees)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
