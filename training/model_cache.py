"""A registered model as a plain model directory in the user's cache, for `clicksift score`.

MLflow runs in a process of its own and hands over files: the process that scores imports neither it nor what it needs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from features.errors import InputError
from serving.model import BotClickModel
from serving.monitor import Drift

VARIABLE = "CLICKSIFT_CACHE"
PREFIX = "models:/"


def cache_folder() -> Path:
    """Where exported models are: $CLICKSIFT_CACHE, or clicksift in the user's cache."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clicksift"


def registered_model(name: str, uri: str) -> BotClickModel:
    """The model that `name` (models:/clicksift@champion, models:/clicksift/3) is in the store at `uri`.

    Asked for each time, since an alias moves; kept in the cache under the version that its content gives. Raises
    InputError where the train extra is missing or the store has no such model.
    """
    folder = cache_folder() / "models"
    version = _registry_process("export", uri, name, str(folder.resolve()))
    model = BotClickModel.load(folder / version)
    if model.version != version:
        raise InputError(f"{folder / version}: is not the model {version} that was put there; remove the folder")
    return model


def log_drift(found: Drift, uri: str) -> str:
    """Keep a drift as a run of the store; returns the run's id."""
    return _registry_process("log-drift", uri, given=json.dumps(found.to_json()))


def _registry_process(*arguments: str, given: str = "") -> str:
    if importlib.util.find_spec("mlflow") is None:
        raise InputError(
            "MLflow is not installed here, and models:/ names and --monitor mlflow need it; install 'clicksift[train]',"
            " or name a model directory"
        )
    # -P: what lies in the working directory is not imported.
    command = [sys.executable, "-P", "-m", "training.registry", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)  # noqa: S603  (own program)
    lines = done.stderr.strip().splitlines()
    if done.returncode:
        raise InputError(lines[-1] if lines else f"MLflow ended with {done.returncode} and said nothing")
    return done.stdout.strip().splitlines()[-1]
