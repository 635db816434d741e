"""Reading a registry: names, what a run kept, and what is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from features.errors import InputError
from tests.training.registered_models import BETTER, GOOD, LOSES, compared, copied, quick_model
from training.challenge import Comparison
from training.registry import Registry
from training.tracking import COMPARISON

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture
def registry(registered_store, tmp_path):
    return Registry(copied(registered_store, tmp_path))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("2", "2"),
        ("models:/clicksift/2", "2"),
        ("models:/clicksift@champion", "1"),
        ("models:/clicksift@challenger", "5"),
    ],
)
def test_a_version_is_found_by_number_name_and_alias(registry, name, number):
    assert registry.find(name).number == number


@pytest.mark.parametrize("name", ["6", "models:/clicksift/6", "models:/clicksift@nobody", "models:/other/1", "", "@"])
def test_what_is_not_there_is_refused_with_what_is(registry, name):
    with pytest.raises(InputError, match=r"no registered model .* models:/clicksift/5, models:/clicksift@challenger"):
        registry.find(name)


def test_the_model_its_folds_and_its_comparison_come_back_as_they_were(registry):
    trained, version = quick_model(seed=3), registry.find("3")
    assert registry.load(version).version == trained.model.version
    assert np.array_equal(registry.out_of_fold(version), trained.fit.probability)
    assert Comparison.from_json(registry.read_json(version, COMPARISON)) == compared(LOSES, GOOD)
    assert registry.read_json(registry.find("1"), COMPARISON) is None


def test_a_run_tells_of_the_comparison_in_its_tags(registry):
    import mlflow

    tags = mlflow.MlflowClient().get_run(registry.find("3").run).data.tags
    assert tags["compared_with"] == "models:/clicksift/1"
    assert tags["against_it"].startswith("loses more of people's clicks")


def test_each_trial_of_a_tuning_is_a_run_below_that_of_the_training(registry):
    import mlflow

    client, parent = mlflow.MlflowClient(), registry.find(BETTER).run
    below = client.search_runs(
        [client.get_run(parent).info.experiment_id], f"tags.mlflow.parentRunId = '{parent}'", order_by=["start_time"]
    )
    assert sorted((run.data.params["leaves"], run.data.tags["pruned"]) for run in below) == [
        ("3", "true"),
        ("4", "false"),
    ]
    whole = next(run for run in below if run.data.tags["pruned"] == "false")
    assert whole.info.run_name == "trial 0"
    folds = client.get_metric_history(whole.info.run_id, "tuning.objective")
    assert [(value.step, value.value) for value in folds] == [(0, 0.8), (1, 0.9)]


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path):
    with pytest.raises(InputError, match=r"absent\.db: there is no such file"):
        Registry(f"sqlite:///{tmp_path}/absent.db")
    assert list(tmp_path.iterdir()) == []


def test_a_relative_file_may_be_named_as_the_scheme_is(registered_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.move(copied(registered_store, tmp_path).removeprefix("sqlite:///"), tmp_path / "sqlite")
    assert Registry("sqlite:///sqlite").champion().number == "1"


def test_a_file_that_is_no_store_is_refused_in_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database, only words " * 100)
    with pytest.raises(InputError, match="cannot be read or written") as refused:
        Registry(f"sqlite:///{tmp_path}/mlflow.db")
    assert "\n" not in str(refused.value)
