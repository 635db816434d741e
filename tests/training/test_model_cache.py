"""A registered model in the cache: what it is, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from features.errors import InputError, ModelError
from serving.model import BotClickModel
from serving.monitor import Drift, KindDrift
from tests.training.registered_models import copied, quick_model
from training import registry
from training.model_cache import VARIABLE, cache_folder, log_drift, registered_model

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def in_this_process(monkeypatch, capsys):
    """The registry's program without a process of its own, which takes seconds to import MLflow again."""

    def run(command, *, input, **_):
        if input:
            monkeypatch.setattr(sys, "stdin", iter([input]))
            monkeypatch.setattr(json, "load", lambda stream: json.loads(next(stream)))
        capsys.readouterr()
        code = registry.main(list(command[4:]))
        return subprocess.CompletedProcess(command, code, *capsys.readouterr())

    monkeypatch.setattr(subprocess, "run", run)


def test_a_version_of_a_registry_is_the_model_that_was_registered(registered_store, cache, in_this_process):
    expected = quick_model(seed=2).model
    model = registered_model("models:/clicksift/2", registered_store)
    assert model.version == expected.version
    assert [path.name for path in cache.iterdir()] == [expected.version]
    assert BotClickModel.load(cache / expected.version).version == expected.version


def test_an_alias_is_asked_for_each_time_and_versions_stand_side_by_side(registered_store, cache, in_this_process):
    first = registered_model("models:/clicksift@champion", registered_store)
    latest = registered_model("models:/clicksift@challenger", registered_store)
    assert first.version == quick_model(seed=1).model.version != latest.version
    assert {path.name for path in cache.iterdir()} == {first.version, latest.version}


def test_a_cached_model_that_was_changed_is_written_anew(registered_store, cache, in_this_process):
    model = registered_model("models:/clicksift/1", registered_store)
    booster = cache / model.version / "booster.txt"
    booster.write_text(booster.read_text().replace("tree", "three", 1))
    with pytest.raises(ModelError):
        BotClickModel.load(cache / model.version)
    assert registered_model("models:/clicksift/1", registered_store).version == model.version


def test_another_model_under_the_name_is_refused(registered_store, cache, monkeypatch):
    other = quick_model(seed=2).model
    other.save(cache / "123456789abc")
    monkeypatch.setattr("training.model_cache._registry_process", lambda *arguments: "123456789abc")
    with pytest.raises(InputError, match="is not the model 123456789abc that was put there"):
        registered_model("models:/clicksift/2", registered_store)


def test_what_the_registry_refuses_is_one_line(registered_store, in_this_process):
    with pytest.raises(InputError, match=r"^models:/clicksift/99: no registered model of") as refused:
        registered_model("models:/clicksift/99", registered_store)
    assert "\n" not in str(refused.value)


def test_without_mlflow_the_train_extra_is_named(registered_store, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"MLflow is not installed here.*install 'clicksift\[train\]'"):
        registered_model("models:/clicksift/1", registered_store)


def test_the_cache_is_the_users_own_unless_one_is_named(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "clicksift"


def test_a_drift_becomes_a_run_with_its_figures(registered_store, tmp_path, in_this_process):
    import mlflow

    uri = copied(registered_store, tmp_path)
    kind = KindDrift(
        events=700,
        verdicts={"human": 0.4, "unsure": 0.0, "automated": 0.6},
        training_verdicts={"human": 0.5, "unsure": 0.0, "automated": 0.5},
        ordinary_automated=(0.4, 0.7),
        moved=0.25,
        ordinary_moved=0.1,
        new={"networks": 0.07, "agents": 0.0},
        ordinary_new={"networks": 0.01, "agents": 0.0},
    )
    run = mlflow.MlflowClient(uri).get_run(log_drift(Drift("abc", {"clicked": kind}, ()), uri))
    assert run.data.tags["model_version"] == "abc"
    assert run.data.metrics == {
        "clicked.events": 700,
        "clicked.moved": 0.25,
        "clicked.human": 0.4,
        "clicked.unsure": 0,
        "clicked.automated": 0.6,
        "clicked.new_networks": 0.07,
        "clicked.new_agents": 0,
    }
