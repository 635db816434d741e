"""The MLflow record of a training: all of it, in one folder, without a word on the terminal."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from features.catalog import FEATURE_NAMES, fingerprint
from training.fit import described
from training.retrain import Trained
from training.tracking import CHALLENGER, CHAMPION, REGISTERED, artifact_location, log_training

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")

PNG = b"\x89PNG\r\n"


@dataclass(frozen=True)
class Logged:
    """A store after two runs of one training: where it is, what was returned and what was printed meanwhile."""

    store: Path
    home: Path
    working_directory: Path
    uris: tuple[str, str]
    aliases: tuple[dict[str, str], dict[str, str]]
    printed: str


@pytest.fixture(scope="module")
def logged(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    root = tmp_path_factory.mktemp("track ing")
    store, model, home, working_directory = (root / name for name in ("store", "model", "home", "working"))
    home.mkdir()
    working_directory.mkdir()
    trained.model.save(model)
    uri = f"sqlite:///{store / 'runs.db'}"
    said = io.StringIO()
    matplotlib.get_cachedir()  # asked for once, so that its list of fonts is not made again in the empty home
    uris, aliases = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(working_directory)
        patch.setenv("HOME", str(home))
        for _ in range(2):
            with redirect_stdout(said), redirect_stderr(said):
                uris.append(log_training(trained, model, uri))
            found = client().get_registered_model(REGISTERED).aliases
            aliases.append({alias: str(number) for alias, number in found.items()})
        yield Logged(store, home, working_directory, tuple(uris), tuple(aliases), said.getvalue())


def client():
    import mlflow

    return mlflow.MlflowClient()


@pytest.fixture
def run(logged):
    version = client().get_model_version(REGISTERED, "1")
    return client().get_run(version.run_id)


def artifact(logged: Logged, run, name: str) -> Path:
    return logged.store / "mlruns" / run.info.run_id / "artifacts" / name


def test_the_run_has_the_parameters_and_fingerprints_that_repeat_it(trained, run):
    assert run.data.params == {name: str(value) for name, value in described(trained.parameters).items()}
    tags = run.data.tags
    assert tags["data_fingerprint"] == trained.data.fingerprint()
    assert tags["feature_fingerprint"] == fingerprint()
    assert tags["model_version"] == trained.model.version
    assert tags["source"] == "labelled events"
    assert {"clicksift_version", "reference_asn"} <= set(tags)
    assert run.info.status == "FINISHED"


def test_the_run_has_every_figure_with_its_interval(trained, run):
    metrics = run.data.metrics
    for kind, figures in trained.figures.items():
        for name, value in figures.flat().items():
            assert metrics[f"{kind}.{name}"] == pytest.approx(value)
    assert metrics["clicked.recall_low"] <= metrics["clicked.recall"] <= metrics["clicked.recall_high"]
    assert metrics["campaigns.campaigns"] > 0


def test_the_run_has_plots_card_and_slices(trained, logged, run):
    for name in ("calibration", "recall_against_loss", "importance"):
        assert artifact(logged, run, f"plots/{name}.png").read_bytes().startswith(PNG)
    assert artifact(logged, run, "model_card.md").read_text() == trained.model.card
    table = json.loads(artifact(logged, run, "slices.json").read_text())
    for row, expected in zip(table["data"], trained.slices, strict=True):
        assert dict(zip(table["columns"], row, strict=True)) == pytest.approx(expected)


def test_the_first_version_is_champion_and_challenger_and_the_second_challenger_only(logged):
    assert logged.uris == ("models:/clicksift/1", "models:/clicksift/2")
    assert logged.aliases == ({CHAMPION: "1", CHALLENGER: "1"}, {CHAMPION: "1", CHALLENGER: "2"})


def test_a_version_says_what_it_is_and_leads_to_its_run(trained, run):
    version = client().get_model_version(REGISTERED, "1")
    clicked = trained.figures["clicked"]
    assert version.description == (
        f"{len(trained.data):,} events from labelled events; out of fold, clicks: loss {clicked.loss},"
        f" recall {clicked.recall}. Run {run.info.run_id}."
    )
    assert version.status == "READY"
    assert version.source == f"models:/{run.outputs.model_outputs[0].model_id}"


@pytest.mark.parametrize("name", ["models:/clicksift/2", f"models:/clicksift@{CHAMPION}"])
def test_the_registered_model_gives_the_probabilities_of_the_plain_one(trained, logged, name):
    import mlflow

    X = trained.data.X[:300]
    frame = pd.DataFrame(X, columns=list(FEATURE_NAMES))
    loaded = mlflow.pyfunc.load_model(name)
    expected = trained.model.probability(X, 1)
    assert np.asarray(loaded.predict(frame)).tolist() == expected.tolist()
    assert np.asarray(loaded.predict(frame[reversed(FEATURE_NAMES)].astype("float64"))).tolist() == expected.tolist()


def test_a_frame_without_a_feature_is_refused_by_its_name(logged):
    import mlflow

    frame = pd.DataFrame(np.zeros((1, len(FEATURE_NAMES))), columns=list(FEATURE_NAMES)).drop(columns=FEATURE_NAMES[3])
    with pytest.raises(mlflow.exceptions.MlflowException, match=FEATURE_NAMES[3]):
        mlflow.pyfunc.load_model("models:/clicksift/1").predict(frame)


def test_everything_is_in_the_folder_of_the_store(logged):
    assert sorted(path.name for path in logged.store.iterdir()) == ["mlruns", "runs.db"]
    assert list(logged.home.rglob("*")) == list(logged.working_directory.rglob("*")) == []


def test_nothing_is_printed_and_the_log_of_mlflow_is_as_before(logged):
    assert logged.printed == ""
    assert logging.getLogger("mlflow").level == logging.INFO


def test_nothing_is_sent_to_the_makers_of_mlflow(logged):
    from mlflow.telemetry import get_telemetry_client

    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"
    assert get_telemetry_client() is None


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        pytest.param("sqlite:///mlflow.db", "{here}/mlruns", id="beside the file in the working directory"),
        pytest.param("sqlite:///runs/mlflow.db", "{here}/runs/mlruns", id="beside the file in another"),
        pytest.param("sqlite:////srv/runs.db?timeout=5", "file:///srv/mlruns", id="an absolute path with options"),
        pytest.param("sqlite:///:memory:", None, id="no file"),
        pytest.param("http://localhost:5000", None, id="a server chooses by itself"),
        pytest.param("file:./runs", None, id="a folder is its own store"),
    ],
)
def test_artifacts_go_beside_the_sqlite_file(uri, location, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert artifact_location(uri) == (location and location.format(here=tmp_path.as_uri()))
