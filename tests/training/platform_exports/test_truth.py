"""Labels beside an export, for records written out."""

from __future__ import annotations

from array import array
from pathlib import Path

import pyarrow as pa

from training.platform_exports.platform import NONE, ExportFile
from training.platform_exports.truth import labels
from training.simulation import Simulation, simulate


def made() -> Simulation:
    """Four events, the first of them a delivery without a label."""
    events = pa.table({"event_id": ["d", "a", "b", "c"]})
    told = pa.table(
        {
            "event_id": ["a", "b", "c"],
            "automated": [True, False, True],
            "actor": ["security_scanner", "human", "privacy_proxy"],
            "source": ["x", "y", "z"],
        }
    )
    return Simulation(events, pa.table({}), told, simulate(1, 1).world)


def test_a_label_names_the_first_record_of_its_event_and_what_is_not_written_has_none():
    files = [
        ExportFile(Path("some/one.jsonl"), array("q", [NONE, 0, 2, 2, NONE])),
        ExportFile(Path("some/two.jsonl"), array("q", [2, 1])),
    ]
    table = labels(made(), files, str.upper)
    assert list(zip(*table.to_pydict().values(), strict=True)) == [
        ("B", "one.jsonl:3", False, "human", "y"),
        ("A", "two.jsonl:2", True, "security_scanner", "x"),
    ]


def test_without_ids_of_the_platform_labels_have_the_reference_alone():
    table = labels(made(), [ExportFile(Path("log"), array("q", [3]))], None)
    assert table.to_pylist() == [
        {"event_id": None, "raw_ref": "log:1", "automated": True, "actor": "privacy_proxy", "source": "z"}
    ]
