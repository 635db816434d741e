"""Labels and campaigns beside an export: who made which record, kept apart from the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.export import Simulation
from training.platform_exports.platform import ExportFile


def labels(made: Simulation, files: Sequence[ExportFile], event_id: Callable[[str], str] | None) -> pa.Table:
    """Give the labels of what the files hold, in their order: event_id, raw_ref, automated, actor, source.

    `raw_ref` is the file's name and the number of the record, counted from 1; of copies it is the first one.
    `event_id` is NULL where the platform's records have none. What is not in the files has no label.
    """
    shown = [np.asarray(file.shows, np.int64) for file in files]
    events = np.concatenate([*shown, np.zeros(0, np.int64)])
    names = np.repeat(np.arange(len(files)), [len(part) for part in shown])
    records = np.concatenate([*(np.arange(1, len(part) + 1) for part in shown), np.zeros(0, np.int64)])
    first = np.sort(np.unique(events, return_index=True)[1])
    first = first[events[first] >= 0]
    ids = made.events["event_id"].take(pa.array(events[first]))
    label = pc.index_in(ids, made.labels["event_id"])
    labelled = pc.is_valid(label)
    references = pc.binary_join_element_wise(
        pa.array([file.path.name for file in files], pa.string()).take(pa.array(names[first])),
        pa.array(records[first]).cast(pa.string()),
        ":",
    )
    own = pa.nulls(len(ids), pa.string()) if event_id is None else pa.array(map(event_id, ids.to_pylist()), pa.string())
    columns = {"event_id": own, "raw_ref": references}
    columns |= {name: made.labels[name].take(label) for name in ("automated", "actor", "source")}
    return pa.table(columns).filter(labelled)
