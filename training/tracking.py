"""MLflow: one run a training, with everything that is needed to repeat it, and a registered version.

The store is a local SQLite file unless another is named, with the artifacts in `mlruns` beside it; nothing is sent
anywhere. MLflow's own telemetry is switched off before it is imported, and of its log only warnings are shown.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.errors import InputError
from training.challenge import Comparison
from training.comparison import Judgement, write_figures
from training.fit import described
from training.retrain import Trained
from training.summary import OURS
from training.tune import Tuning
from training.version_notes import description, version_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
# With a server as the store MLflow prints links to stdout, where a command's results go.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# It draws a bar for each file that it copies, wherever tqdm is installed.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

DEFAULT_URI = "sqlite:///mlflow.db"
EXPERIMENT = "clicksift"
REGISTERED = "clicksift"
CHAMPION, CHALLENGER = "champion", "challenger"
COMPARISON, OUT_OF_FOLD, RULES = "comparison.json", "out_of_fold.npy", "rules.csv"
_ABOUT = (
    "Tells machine opens, clicks and unsubscribes from people's. Takes a frame of canonical events (clicksift.read),"
    " gives probability, verdict, actor, vendor and reasons of each. `champion` is in use, `challenger` the latest."
)


def log_training(
    trained: Trained,
    model_folder: Path,
    uri: str = DEFAULT_URI,
    *,
    comparison: Comparison | None = None,
    tuning: Tuning | None = None,
    rules: Sequence[Judgement] = (),
) -> str:
    """Log one run with parameters, fingerprints, figures, plots, card and model; returns `models:/clicksift/N`.

    The version gets the alias `challenger`; its description and tags say what changed. Its run keeps the comparison
    with the champion as comparison.json, the model beside the rules of others (`training.summary.beside_rules`) as
    rules.csv, and each trial of a tuning as a run below it.
    """
    open_store(uri)
    with only_warnings():
        import mlflow

        from training.event_signature import example, signature

        with mlflow.start_run() as run:
            _log_record(trained)
            _log_out_of_fold(trained)
            if comparison:
                mlflow.log_dict(comparison.to_json(), COMPARISON)
                mlflow.set_tags(
                    {"compared_with": comparison.champion, "against_it": "; ".join(comparison.reasons_against())}
                )
            if tuning:
                _log_trials(tuning)
            with _plots(trained) as plots:
                mlflow.log_artifacts(str(plots), "plots")
            mlflow.log_artifact(str(model_folder / "model_card.md"))
            if rules:
                _log_rules(trained, rules)
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"model": str(model_folder)},
                signature=signature(),
                input_example=example(),
                pip_requirements=[f"clicksift=={version('clicksift')}"],
            )
        return _register(mlflow.MlflowClient(), logged.model_id, run.info.run_id, trained, comparison)


def open_store(uri: str = DEFAULT_URI) -> None:
    """Point MLflow at the store and make our experiment there; InputError where it cannot be opened.

    Called before a training begins, so that a mistyped store costs seconds and not the training.
    """
    check_uri(uri)
    with only_warnings():
        import mlflow
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            if mlflow.get_experiment_by_name(EXPERIMENT) is None:
                mlflow.create_experiment(EXPERIMENT, artifact_location=artifact_location(uri))
            mlflow.set_experiment(EXPERIMENT)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise InputError(
                f"--tracking-uri {uri}: the MLflow store cannot be opened ({str(error).splitlines()[0]});"
                " name another, as in sqlite:///mlflow.db, or 'none' to keep no record"
            ) from error


def artifact_location(uri: str) -> str | None:
    """Where a new experiment's files go: `mlruns` beside a SQLite file; None leaves it to the store.

    MLflow's own choice is the working directory, wherever the SQLite file is.
    """
    path = sqlite_file(uri)
    return None if path is None else (path.resolve().parent / "mlruns").as_uri()


def check_uri(uri: str) -> None:
    """Raise InputError for the path of a SQLite file without its scheme, which MLflow would take for a folder."""
    if "://" not in uri and Path(uri).suffix == ".db":
        raise InputError(f"--tracking-uri {uri}: is a path; write sqlite:///{uri}")


def sqlite_file(uri: str) -> Path | None:
    """The file of a store that is a SQLite file; None for servers, folders and what is in memory."""
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    return None if not uri.startswith("sqlite:///") or path in ("", ":memory:") else Path(path)


def storage_beside(uri: str) -> Path | None:
    """The file of the trials of `--tune` for a store: tuning.db beside a SQLite file, else in the working directory.

    None where no record is kept ("none").
    """
    if uri == "none":
        return None
    path = sqlite_file(uri)
    return (Path() if path is None else path.parent) / "tuning.db"


@contextmanager
def only_warnings() -> Iterator[None]:
    """MLflow tells of each step it takes; a terminal gets only what needs attention."""
    import mlflow  # noqa: F401  (importing it sets the level of its log)

    log = logging.getLogger("mlflow")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def _log_record(trained: Trained) -> None:
    """Parameters, fingerprints, figures and slices of the active run."""
    import mlflow

    manifest = trained.model.manifest
    training = manifest["training"]
    mlflow.log_params(training["parameters"])
    mlflow.set_tags(
        {
            "source": training["source"],
            "data_fingerprint": training["data_fingerprint"],
            "feature_fingerprint": manifest["feature_fingerprint"],
            "clicksift_version": version("clicksift"),
            "model_version": trained.model.version,
            **{f"reference_{name}": value for name, value in manifest["reference"].items()},
        }
    )
    for kind, metrics in manifest["metrics"].items():
        mlflow.log_metrics({f"{kind}.{name}": value for name, value in metrics.items()})
    mlflow.log_table({key: [row[key] for row in trained.slices] for key in trained.slices[0]}, "slices.json")
    properties = [found.row() for found in trained.properties]
    if properties:
        mlflow.log_table({key: [row[key] for row in properties] for key in properties[0]}, "slice_figures.json")


def _log_out_of_fold(trained: Trained) -> None:
    """The probabilities of the rows trained on, by trees that had not seen them: what a fair comparison takes."""
    import mlflow

    with tempfile.TemporaryDirectory(prefix="clicksift-folds-") as folder:
        path = Path(folder) / OUT_OF_FOLD
        np.save(path, trained.fit.probability)
        mlflow.log_artifact(str(path))


def _log_trials(tuning: Tuning) -> None:
    """A run below the active one for each trial: its parameters, and what the folds showed of it."""
    import mlflow

    for trial in tuning.trials:
        with mlflow.start_run(run_name=f"trial {trial.number}", nested=True):
            mlflow.log_params(dict(described(trial.parameters)))
            mlflow.set_tags({"clicksift_run": "trial", "pruned": str(trial.is_pruned).lower()})
            for fold, value in enumerate(trial.folds):
                mlflow.log_metric("tuning.objective", value, step=fold)


def _log_rules(trained: Trained, rules: Sequence[Judgement]) -> None:
    """The figures of the model, its slices and every rule: one table, which MLflow shows as such."""
    import mlflow

    with tempfile.TemporaryDirectory(prefix="clicksift-rules-") as folder:
        path = Path(folder) / RULES
        write_figures(path, rules, OURS, trained.figures, trained.properties)
        mlflow.log_artifact(str(path))


def _register(client: MlflowClient, model: str, run: str, trained: Trained, comparison: Comparison | None) -> str:
    """A new version with its description, tags and aliases, as `models:/clicksift/N`."""
    # Not `registered_model_name` of log_model: that prints a line a step.
    if not client.search_registered_models(f"name = '{REGISTERED}'"):
        client.create_registered_model(REGISTERED, description=_ABOUT)
    champion = _champion(client)
    made = client.create_model_version(
        REGISTERED,
        f"models:/{model}",
        run_id=run,
        model_id=model,
        tags=version_tags(trained, comparison),
        description=description(trained, run, comparison, champion.tags if champion else None),
    )
    client.set_registered_model_alias(REGISTERED, CHALLENGER, made.version)
    return f"models:/{REGISTERED}/{made.version}"


def _champion(client: MlflowClient) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(REGISTERED, CHAMPION)
    except MlflowException:
        return None


@contextmanager
def _plots(trained: Trained) -> Iterator[Path]:
    """A folder with the pictures of a run."""
    from training.plots import calibration_plot, importance_plot, recall_plot

    with tempfile.TemporaryDirectory(prefix="clicksift-plots-") as folder:
        for name, figure in (
            ("calibration.png", calibration_plot(trained.data, trained.fit.probability, "out of fold")),
            ("recall_against_loss.png", recall_plot(trained.data, trained.fit.probability, "out of fold")),
            ("importance.png", importance_plot(trained.fit.booster_text)),
        ):
            figure.savefig(Path(folder) / name, dpi=110, bbox_inches="tight")
        yield Path(folder)
