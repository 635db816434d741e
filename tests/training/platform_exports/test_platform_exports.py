"""What holds for every platform's export: repeatable, labels apart, and each of them of a record that is there."""

from __future__ import annotations

import csv
import doctest
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import json_values
from training.platform_exports import FORMATS, clients, identifiers, iso_times, platform, simulate_for, write_export
from training.simulation import simulate

EVERY = pytest.mark.parametrize("name", FORMATS)


def records(path: Path) -> int:
    """How many records a file has, by what it looks like."""
    text = path.read_text()
    if path.suffix == ".csv":
        return len(list(csv.reader(text.splitlines()))) - 1
    if path.suffix == ".log":
        return len(text.splitlines())
    values = json_values(text)
    return sum(
        len(value) if isinstance(value, list) else len(value["items"]) if "items" in value else 1 for value in values
    )


@EVERY
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path, name):
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "other"]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        write_export(simulate_for(name, seed, 200), name, folder)
    one, two, other = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    assert one != other


@EVERY
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_and_campaigns_stand_beside_the_files_and_not_in_them(export, name, seed):
    sender = export(name, seed)
    beside = {path.name for path in sender.folder.iterdir()} - {path.name for path in sender.files}
    assert beside == {"campaigns.parquet", "labels.parquet"}
    labels = pq.read_table(sender.folder / "labels.parquet")
    assert labels.column_names == ["event_id", "raw_ref", "automated", "actor", "source"]
    assert labels.num_rows > 0
    for path in sender.files:
        text = path.read_text()
        assert "simulated" not in text
        assert "automated" not in text


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(FORMATS)), seed=st.integers(0, 10**6), messages=st.integers(1, 120))
def test_every_label_names_one_record_that_is_there(name, seed, messages):
    _check_references(name, simulate_for(name, seed, messages))


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(FORMATS)), seed=st.integers(0, 10**6), messages=st.integers(1, 120))
def test_a_sender_of_any_kind_can_be_written(name, seed, messages):
    _check_references(name, simulate(seed, messages))


def _check_references(name, made):
    with TemporaryDirectory() as folder:
        files = write_export(made, name, Path(folder))
        held = {path.name: records(path) for path in files}
        labels = pq.read_table(Path(folder) / "labels.parquet")
        references = labels["raw_ref"].to_pylist()
    assert len(set(references)) == len(references)
    for file, number in (reference.rsplit(":", 1) for reference in references):
        assert 1 <= int(number) <= held[file]
    given_ids = labels["event_id"].drop_null().to_pylist()
    assert len(given_ids) == (0 if FORMATS[name].event_id is None else len(references))
    truth = made.labels.group_by("automated").aggregate([([], "count_all")]).to_pylist()
    for row in labels.group_by("automated").aggregate([([], "count_all")]).to_pylist():
        assert row["count_all"] <= next(t["count_all"] for t in truth if t["automated"] == row["automated"])


def test_an_empty_simulation_gives_files_without_labels(tmp_path):
    made = simulate(3, 5)
    nothing = type(made)(made.events.slice(0, 0), made.campaigns, made.labels.slice(0, 0), made.world)
    for name in FORMATS:
        write_export(nothing, name, tmp_path / name)
        assert pq.read_table(tmp_path / name / "labels.parquet").num_rows == 0


def test_an_unknown_platform_is_refused_with_the_known_ones():
    with pytest.raises(
        InputError, match="--format sendgrit: there is no such format to write; known: gophish, mailgun"
    ):
        platform("sendgrit")


@pytest.mark.parametrize("module", [clients, identifiers, iso_times])
def test_examples_in_docstrings_hold(module):
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0


@pytest.mark.slow
@EVERY
def test_forty_thousand_messages_take_seconds(tmp_path, name):
    made = simulate_for(name, 7, 40_000)
    start = time.perf_counter()
    write_export(made, name, tmp_path)
    assert time.perf_counter() - start < 15
