"""The registered model scores a frame of events as the command scores their file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from serving.scoring import VERDICT_COLUMNS
from tests.training.registered_models import copied
from training import frames
from training.tracking import log_training

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day, and pyarrow 23 does so too.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*validate_serving_input:FutureWarning"),
]


@dataclass(frozen=True)
class Made:
    """A registered version of a small model: its name, and what MLflow loads by it."""

    name: str
    loaded: Any


@pytest.fixture(scope="module")
def registered(registered_store, trained, tmp_path_factory):
    # Here, since MLflow's telemetry is off only where our module was imported before it.
    import mlflow

    folder = tmp_path_factory.mktemp("store")
    trained.model.save(folder / "model")
    name = log_training(trained, folder / "model", copied(registered_store, folder))
    return Made(name, mlflow.pyfunc.load_model(name))


@pytest.fixture(scope="module")
def events(sender, tmp_path_factory):
    key = tmp_path_factory.mktemp("key") / "key"
    return frames.read(sender / "events.parquet", campaigns=sender / "campaigns.parquet", key_file=key)


def test_it_says_of_a_frame_what_the_command_says_of_the_file(
    registered, trained, events, sender, tmp_path, in_process
):
    trained.model.save(tmp_path / "model")
    campaigns = sender / "campaigns.parquet"
    code, _, err = in_process(
        "score", sender / "events.parquet", "--campaigns", campaigns, "--model", "model", "--output", "scored.parquet"
    )
    assert (code, err) == (0, "")
    expected = pd.read_parquet(tmp_path / "scored.parquet", columns=list(VERDICT_COLUMNS))
    said = registered.loaded.predict(events)
    pd.testing.assert_frame_equal(said, expected)
    assert set(said["verdict"].dropna()) == {"automated", "human", "unsure"}
    without = registered.loaded.predict(events.drop(columns=["n_links", "honeypot_url", "unsubscribe_url"]))
    assert not without["probability"].equals(said["probability"]), "what campaigns say counts"


def test_a_row_keeps_its_place_whatever_the_order_a_copy_has_its_events_verdict_and_a_bad_row_none(registered, events):
    events = events.set_axis(events.index.astype(str))
    clicks = events[events["event_type"] == "clicked"].head(2)
    bad = clicks.head(1).assign(event_id="x", timestamp=pd.NaT)
    names = ["copy 1", "copy 2"]
    mixed = pd.concat([events, clicks.set_axis(names), bad.set_axis(["bad"])]).sample(frac=1, random_state=4)
    said, expected = registered.loaded.predict(mixed), registered.loaded.predict(events)
    assert said.index.equals(mixed.index)
    # A column of flags has another type where a row has none.
    alike = {"check_dtype": False, "check_index_type": False}
    pd.testing.assert_frame_equal(said.loc[events.index], expected, **alike)
    pd.testing.assert_frame_equal(said.loc[names], expected.loc[clicks.index].set_axis(names), **alike)
    assert said.loc["bad"].isna().all()


def test_its_example_is_scored_as_it_is_and_as_a_server_gets_it(registered):
    from mlflow.models import convert_input_example_to_serving_input, validate_serving_input

    from training.event_signature import example

    given = registered.loaded.input_example
    assert sorted(given.columns) == sorted(example().columns)
    said = registered.loaded.predict(given)
    assert said["verdict"].notna().tolist() == given["event_type"].ne("delivered").tolist()
    served = validate_serving_input(registered.name, convert_input_example_to_serving_input(given))
    assert served["probability"].tolist() == pytest.approx(said["probability"].tolist(), nan_ok=True)
    outputs = registered.loaded.metadata.signature.outputs.input_names()
    assert outputs == list(VERDICT_COLUMNS) == said.columns.tolist()


@pytest.mark.parametrize("column", ["event_type", "timestamp"])
def test_a_frame_without_a_needed_column_is_refused_by_its_name(registered, column):
    from mlflow.exceptions import MlflowException

    given = registered.loaded.input_example
    with pytest.raises(MlflowException, match=column):
        registered.loaded.predict(given.drop(columns=column))
    with pytest.raises(MlflowException, match=column):
        registered.loaded.predict(pd.DataFrame({"since_delivery_s": [1.0]}))
