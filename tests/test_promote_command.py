"""`clicksift promote` and `rollback`, and scoring with a registered model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from serving.model import bundled
from tests.serving.scored_files import small_sender
from tests.training.registered_models import BETTER, COMPARED_LATER, FIRST, LOSING, UNCOMPARED, copied, quick_model
from training.registry import Registry

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A folder with events, campaigns and labels of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(2, messages=300).write(folder)
    return folder


@pytest.fixture(autouse=True)
def uri(tmp_path, monkeypatch, registered_store):
    """A store of its own, in the working directory, where the commands look for one; the address of it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("CLICKSIFT_CACHE", str(tmp_path / "cache"))
    return copied(registered_store, tmp_path)


@pytest.fixture
def run(in_process):
    """The command, in this process."""
    return in_process


def test_a_better_version_is_promoted_and_rolled_back(run, uri):
    code, stdout, stderr = run("promote", BETTER)
    assert (code, stderr) == (0, "")
    assert "this model beside the champion models:/clicksift/1" in stdout
    assert stdout.splitlines()[-1] == (
        "models:/clicksift/2 is champion now, in place of models:/clicksift/1. `clicksift rollback` puts that back."
    )
    assert run("rollback") == (0, "models:/clicksift/1 is champion again, in place of models:/clicksift/2.\n", "")
    assert Registry(uri).champion().number == FIRST


def test_one_that_loses_people_is_refused_with_the_table_and_one_line(run, uri):
    code, stdout, stderr = run("promote", LOSING)
    assert code == 2
    assert "people lost" in stdout
    assert stderr.startswith("clicksift: models:/clicksift/3 is not promoted: it loses more of people's clicks: 10.00%")
    assert stderr.rstrip().endswith("--force --why TEXT overrules this")
    assert stderr.count("\n") == 1
    assert Registry(uri).champion().number == FIRST


def test_force_with_a_reason_says_what_it_overruled(run, uri):
    code, stdout, stderr = run("promote", LOSING, "--force", "--why", "the labels of May are wrong")
    assert (code, stderr) == (0, "")
    assert "Overruled: loses more of people's clicks" in stdout
    assert Registry(uri).find(LOSING).tags["promoted_why"] == "the labels of May are wrong"


def test_labelled_events_compare_the_models_now(run, sender, uri):
    """Both models know two delays and nothing else, and judge the file alike."""
    code, stdout, stderr = run(
        *("promote", COMPARED_LATER, "--events", sender / "events.parquet", "--labels", sender / "labels.parquet"),
        *("--threads", "1", "--tracking-uri", uri),
    )
    assert (code, stderr) == (0, ""), stdout
    assert "models:/clicksift/5 beside the champion models:/clicksift/1" in stdout
    assert re.search(r"clicked +\d+\.\d\d% +\+0\.00 +\d+\.\d\d% +\+0\.00", stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["promote", "9"], "9: no registered model of sqlite:///mlflow.db", id="no such version"),
        pytest.param(["promote", UNCOMPARED], "--events and --labels to compare them now", id="nothing to go by"),
        pytest.param(["promote", LOSING, "--force"], "--force and --why TEXT belong together", id="no reason"),
        pytest.param(["promote", LOSING, "--why", "so"], "--force and --why TEXT belong together", id="no force"),
        pytest.param(["promote", LOSING, "--labels", "l.csv"], "--events and --labels belong together", id="no events"),
        pytest.param(["promote", BETTER, "--tracking-uri", "sqlite:///x.db"], "there is no such file", id="no store"),
    ],
)
def test_what_is_refused_is_one_line_and_exit_code_2(run, arguments, words):
    code, stdout, stderr = run(*arguments)
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1


def test_a_registered_champion_scores(run, sender, tmp_path):
    code, _, stderr = run(
        *("score", sender / "events.parquet", "--model", "models:/clicksift@champion", "-o", "scored.parquet"),
        *("--monitor", "drift.json", "--threads", "1"),
    )
    assert (code, stderr) == (0, "")
    model = quick_model(seed=1).model
    assert pq.read_schema("scored.parquet").metadata[b"clicksift_model"].decode() == model.version
    assert [path.name for path in Path("cache/models").iterdir()] == [model.version]
    found = json.loads(Path("drift.json").read_text())
    assert found["model_version"] == model.version
    assert set(found["kinds"]) <= set(model.manifest["training"]["profile"]["kinds"])


@pytest.mark.parametrize(
    ("monitor", "words"),
    [("drift.csv", "is written as JSON; name it drift.json"), ("labels.json", "labels.json is also read")],
)
def test_a_place_for_the_drift_that_will_not_do_is_refused_first(run, sender, monitor, words):
    Path("labels.json").write_bytes((sender / "events.parquet").read_bytes())
    code, stdout, stderr = run("score", "labels.json", "-o", "scored.parquet", "--monitor", monitor)
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert not Path("scored.parquet").exists()


def test_a_model_directory_is_still_taken(run, sender):
    bundled().save(Path("model"))
    assert run("score", sender / "events.parquet", "--model", "model", "-o", "s.parquet", "--threads", "1")[0] == 0
