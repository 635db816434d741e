"""MLflow: one run a training, with everything that is needed to repeat it, and a registered version.

The store is a local SQLite file unless another is named, with the artifacts in `mlruns` beside it; nothing is sent
anywhere. MLflow's own telemetry is switched off before it is imported, and of its log only warnings are shown.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from features.catalog import FEATURE_NAMES
from features.errors import InputError
from training.retrain import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
# With a server as the store MLflow prints links to stdout, where a command's results go.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

DEFAULT_URI = "sqlite:///mlflow.db"
EXPERIMENT = "clicksift"
REGISTERED = "clicksift"
CHAMPION, CHALLENGER = "champion", "challenger"


def log_training(trained: Trained, model_folder: Path, uri: str = DEFAULT_URI) -> str:
    """Log one run with parameters, fingerprints, figures, plots, card and model; returns `models:/clicksift/N`.

    The version gets the alias `challenger`, and `champion` too where there was none.
    """
    open_store(uri)
    with _only_warnings():
        import mlflow

        with mlflow.start_run() as run:
            _log_record(trained)
            with _plots(trained) as plots:
                mlflow.log_artifacts(str(plots), "plots")
            mlflow.log_artifact(str(model_folder / "model_card.md"))
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"model": str(model_folder)},
                signature=_signature(),
                pip_requirements=[f"clicksift=={version('clicksift')}"],
            )
        return _register(mlflow.MlflowClient(), logged.model_id, run.info.run_id, _described(trained, run.info.run_id))


def open_store(uri: str = DEFAULT_URI) -> None:
    """Point MLflow at the store and make our experiment there; InputError where it cannot be opened.

    Called before a training begins, so that a mistyped store costs seconds and not the training.
    """
    with _only_warnings():
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
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    if not uri.startswith("sqlite:///") or path in ("", ":memory:"):
        return None
    return (Path(path).resolve().parent / "mlruns").as_uri()


@contextmanager
def _only_warnings() -> Iterator[None]:
    """MLflow tells of each step it takes; a terminal gets only what needs attention."""
    import mlflow  # noqa: F401  (importing it sets the level of its log)

    log = logging.getLogger("mlflow")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # An example would be a row of the user's own events.
            warnings.filterwarnings("ignore", message=".*An input example was not provided")
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


def _signature() -> ModelSignature:
    """The features by name, in any order, and one probability a row."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    return ModelSignature(
        inputs=Schema([ColSpec("double", name) for name in FEATURE_NAMES]),
        outputs=Schema([TensorSpec(np.dtype(np.float64), (-1,))]),
    )


def _register(client: MlflowClient, model: str, run: str, description: str) -> str:
    """A new version with its aliases, as `models:/clicksift/N`."""
    from mlflow.exceptions import MlflowException

    # Not `registered_model_name` of log_model: that prints a line a step.
    if not client.search_registered_models(f"name = '{REGISTERED}'"):
        client.create_registered_model(REGISTERED)
    made = client.create_model_version(
        REGISTERED, f"models:/{model}", run_id=run, model_id=model, description=description
    )
    client.set_registered_model_alias(REGISTERED, CHALLENGER, made.version)
    try:
        client.get_model_version_by_alias(REGISTERED, CHAMPION)
    except MlflowException:
        client.set_registered_model_alias(REGISTERED, CHAMPION, made.version)
    return f"models:/{REGISTERED}/{made.version}"


def _described(trained: Trained, run: str) -> str:
    figure = trained.figures.get("clicked", trained.figures["all"])
    training = trained.model.manifest["training"]
    return (
        f"{training['events']:,} events from {training['source']}; out of fold, clicks: loss {figure.loss},"
        f" recall {figure.recall}. Run {run}."
    )


@contextmanager
def _plots(trained: Trained) -> Iterator[Path]:
    """A folder with the pictures of a run."""
    with tempfile.TemporaryDirectory(prefix="clicksift-plots-") as folder:
        for name, figure in (
            ("calibration.png", calibration_plot(trained)),
            ("recall_against_loss.png", recall_plot(trained)),
            ("importance.png", importance_plot(trained)),
        ):
            figure.savefig(Path(folder) / name, dpi=110, bbox_inches="tight")
        yield Path(folder)


def _figure(title: str, x: str, y: str) -> Figure:
    from matplotlib.figure import Figure

    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(7, 5))
        axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure


def calibration_plot(trained: Trained) -> Figure:
    """How often events of each out-of-fold probability truly are automated."""
    probability, y = trained.fit.probability, trained.data.y
    bins = np.minimum((probability * 20).astype(int), 19)
    total = np.bincount(bins, minlength=20)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, weights=probability, minlength=20) / total
        rate = np.bincount(bins, weights=y, minlength=20) / total
    figure = _figure("Calibration, out of fold", "probability given", "share truly automated")
    axes = figure.axes[0]
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.scatter(mean, rate, s=20 + 200 * total / total.max(), alpha=0.8)
    return figure


def recall_plot(trained: Trained) -> Figure:
    """Recall of automated events against the loss of people's, by kind of event."""
    figure = _figure("Recall against human loss, out of fold", "human events lost", "automated events found")
    axes = figure.axes[0]
    for kind, name in enumerate(("opens", "clicks", "unsubscribes")):
        rows = trained.data.kind == kind
        y, probability = trained.data.y[rows], trained.fit.probability[rows]
        if not 0 < y.sum() < len(y):
            continue
        order = np.argsort(-probability)
        lost = np.cumsum(y[order] == 0) / (y == 0).sum()
        axes.plot(lost, np.cumsum(y[order]) / y.sum(), label=name)
    axes.set_xscale("symlog", linthresh=1e-3)
    axes.set_xlim(0, 1)
    axes.legend()
    return figure


def importance_plot(trained: Trained, most: int = 30) -> Figure:
    """The features by their share of the gain in the trees."""
    import lightgbm as lgb

    booster = lgb.Booster(model_str=trained.fit.booster_text)
    gain = booster.feature_importance("gain")
    top = np.argsort(gain)[-most:]
    figure = _figure("Importance", "share of the gain", "")
    figure.set_size_inches(7, 8)
    figure.axes[0].barh([booster.feature_name()[i] for i in top], gain[top] / gain.sum())
    return figure
