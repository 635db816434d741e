"""The thin MLflow face of a model: a script that MLflow runs at loading; all it does is call the installed packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import pandas as pd

from serving.model import BotClickModel
from training.frames import judged


class EventModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """Canonical events in, our judgement of each out: what `clicksift score` says of the same events."""

    def load_context(self, context: Any) -> None:
        """Load the plain model directory that was logged."""
        self._model = BotClickModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """One row an event, in order: probability, verdict, actor, vendor, vendor_evidence, reasons, provisional.

        NULL for events that are not judged: all but opens, clicks and unsubscribes. The frame is a whole file, since
        an event is judged by what happened around it; it may have n_links, honeypot_url and unsubscribe_url of each
        event's campaign and mx of its recipient domain.
        """
        return judged(model_input, self._model)


mlflow.models.set_model(EventModel())
