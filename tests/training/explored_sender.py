"""A sender that is hard to judge, for what is explored: made once, opened with the bundled model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.explore import Files, LabelledEvents, open_labelled
from training.simulation import simulate
from training.world import PROFILES


def write_sender(folder: Path, seed: int = 2, messages: int = 2_500) -> Path:
    """Events, campaigns and labels of a hard world in the folder."""
    simulate(seed, messages, profile=PROFILES["hard"]).write(folder)
    return folder


def with_flipped_labels(opened: LabelledEvents, rows: list[int], folder: Path) -> LabelledEvents:
    """The same events, with the labels of these rows turned round."""
    wrong = set(opened.events.loc[rows, "event_id"])
    given = pq.read_table(folder / "labels.parquet")
    turned = [
        a != (e in wrong) for e, a in zip(given["event_id"].to_pylist(), given["automated"].to_pylist(), strict=True)
    ]
    path = folder / f"flipped-{min(rows)}.parquet"
    place = given.column_names.index("automated")
    pq.write_table(given.set_column(place, "automated", pa.array(turned)), path)
    return open_labelled(Files([folder / "events.parquet"], folder / "campaigns.parquet", [path], folder=folder))
