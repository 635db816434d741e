"""The MLflow record of a training: all of it, in one folder, without a word on the terminal."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import pytest

from features.catalog import fingerprint
from serving.expected_people import USUAL
from training.comparison import compare, model_judge
from training.fit import described
from training.promote import promote
from training.registry import Registry
from training.retrain import Trained
from training.summary import OURS
from training.tracking import CHALLENGER, CHAMPION, REGISTERED, artifact_location, log_training, storage_beside

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
    ours = model_judge(OURS, trained.data, trained.fit.probability, trained.model.thresholds, USUAL)
    rules = compare(trained.data, [ours], repeats=2)
    said = io.StringIO()
    matplotlib.get_cachedir()  # asked for once, so that its list of fonts is not made again in the empty home
    uris, aliases = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(working_directory)
        patch.setenv("HOME", str(home))
        for _ in range(2):
            with redirect_stdout(said), redirect_stderr(said):
                uris.append(log_training(trained, model, uri, rules=rules))
            found = client().get_registered_model(REGISTERED).aliases
            aliases.append({alias: str(number) for alias, number in found.items()})
            if len(uris) == 1:
                promote("1", Registry(uri), why="to have a champion")
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


def test_the_run_has_the_model_beside_the_rules_as_a_table(trained, logged, run):
    with artifact(logged, run, "rules.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "clicked"]
    assert [row["name"] for row in rows] == [OURS]
    assert float(rows[0]["auc"]) == pytest.approx(trained.figures["clicked"].auc, abs=1e-5)
    assert int(rows[0]["human"]) == trained.figures["clicked"].human


def test_the_last_version_is_challenger_and_none_is_champion_unless_it_is_promoted(logged):
    assert logged.uris == ("models:/clicksift/1", "models:/clicksift/2")
    assert logged.aliases == ({CHALLENGER: "1"}, {CHAMPION: "1", CHALLENGER: "2"})


def test_a_version_leads_to_its_run_and_says_what_it_is_in_words_and_tags(trained, run):
    version = client().get_model_version(REGISTERED, "1")
    clicked = trained.figures["clicked"]
    said = version.description
    assert said.startswith(f"Learnt from {len(trained.data):,} events (labelled events) of ")
    assert f"Out of fold, clicks: loss {clicked.loss}, recall {clicked.recall}." in said
    assert said.endswith(f"Model {trained.model.version}, run {run.info.run_id}.")
    assert version.tags["model_version"] == trained.model.version
    assert float(version.tags["machines_found"]) == pytest.approx(clicked.recall.value, abs=1e-6)
    assert version.status == "READY"
    assert version.source == f"models:/{run.outputs.model_outputs[0].model_id}"


def test_a_version_says_whether_the_champion_had_learnt_from_the_same_events(trained, logged):
    fingerprint_of_both = trained.data.fingerprint()
    described = [client().get_model_version(REGISTERED, number).description for number in "12"]
    assert "the champion" not in described[0]
    assert f"Data {fingerprint_of_both}: the same as the champion." in described[1]


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


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:///mlflow.db", Path("tuning.db")),
        ("sqlite:////srv/runs/mlflow.db?timeout=5", Path("/srv/runs/tuning.db")),
        ("sqlite:///:memory:", Path("tuning.db")),
        ("http://localhost:5000", Path("tuning.db")),
        ("none", None),
    ],
)
def test_trials_are_kept_beside_the_store(uri, file):
    assert storage_beside(uri) == file
