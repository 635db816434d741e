"""The thin MLflow face of a model: a script that MLflow runs at loading; all it does is call the installed packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import numpy as np
import numpy.typing as npt
import pandas as pd

from serving.model import BotClickModel


class ProbabilityModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """Probability of being automated from a frame of features, one column each."""

    def load_context(self, context: Any) -> None:
        """Load the plain model directory that was logged."""
        self._model = BotClickModel.load(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> npt.NDArray[np.float64]:
        """One probability a row, from columns named as the model's inputs, in any order."""
        X = model_input[list(self._model.feature_names)].to_numpy(dtype=np.float32)
        return self._model.probability(X)


mlflow.models.set_model(ProbabilityModel())
