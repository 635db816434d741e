"""One small simulated sender, its labelled events, and the model trained on them: made once, read by many tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.catalog import FEATURE_NAMES, fingerprint
from features.duckdb_engine import connect
from features.feature import Capability
from serving.model import DEFAULT, BotClickModel, Calibration, Thresholds
from tests.training.explored_sender import write_sender
from tests.training.labelled_rows import rows
from training.bundled import load
from training.dataset import Dataset, labelled
from training.explore import Files, LabelledEvents, open_labelled
from training.fit import FitParameters, grow
from training.retrain import Choices, Trained, train
from training.simulation import simulate

BEFORE = Thresholds(automated=0.99, human=0.3, allowance=0.005, basis="of the model before")
SMALL = FitParameters(trees=40, leaves=7, least_in_leaf=20, folds=3)
CREATED = date(2026, 3, 2)


@pytest.fixture(scope="session")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated sender of 3,000 messages: events, campaigns and labels."""
    folder = tmp_path_factory.mktemp("sender")
    simulate(1, 3_000).write(folder)
    return folder


@pytest.fixture(scope="session")
def sender_capabilities(sender: Path) -> frozenset[Capability]:
    """What the sender's export says."""
    with opened(sender) as (_, capabilities):
        return capabilities


@pytest.fixture(scope="session")
def sender_data(sender: Path) -> Dataset:
    """The sender's labelled events with their features."""
    with opened(sender) as (con, capabilities):
        return labelled(con, capabilities)


@pytest.fixture(scope="session")
def base() -> BotClickModel:
    """A model of next to nothing, with thresholds that are easily told from others: what a training begins with."""
    booster = grow([rows([0, 1] * 50, since_delivery_s=[9.0, 1.0] * 50)], SMALL, 1)
    return BotClickModel.create(
        booster.model_to_string(),
        Calibration(1, 1, 0),
        {DEFAULT: BEFORE},
        "# A model before\n",
        created=CREATED,
        feature_names=FEATURE_NAMES,
        feature_fingerprint=fingerprint(),
        reference={},
        training={},
        metrics={},
    )


@pytest.fixture(scope="session")
def trained(sender: Path, base: BotClickModel) -> Trained:
    """A small model of the sender's labels."""
    with opened(sender) as (con, capabilities):
        return train(con, capabilities, base=base, choices=Choices(parameters=SMALL), created=CREATED, threads=1)


@pytest.fixture(scope="session")
def explored_sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated sender that is hard to judge."""
    return write_sender(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def explored(explored_sender: Path) -> LabelledEvents:
    """Its labelled events beside what the bundled model says of them."""
    files = [explored_sender / f"{name}.parquet" for name in ("events", "campaigns", "labels")]
    return open_labelled(Files(files[:1], files[1], files[2:], folder=explored_sender))


@contextmanager
def opened(folder: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, frozenset[Capability]]]:
    """A connection with the tables of a simulated folder, and its capabilities."""
    con = connect(threads=1)
    try:
        yield con, load(con, folder).capabilities
    finally:
        con.close()
