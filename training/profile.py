"""What a model keeps of its training for later: the profile that scored files are compared with, and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np

from serving import monitor
from serving.booster import Booster
from serving.model import BotClickModel, Thresholds
from serving.monitor import Sample
from training.dataset import as_wide
from training.evaluate import Figures
from training.fit import Fit

# Shares of fewer labelled events say little of calibration.
FEWEST_LABELLED = 500
WORSE_CALIBRATION = 0.02


def training_profile(sample: Sample, fitted: Fit, thresholds: Mapping[str, Thresholds]) -> dict[str, Any]:
    """The profile of the training's events under the new model, for `manifest["training"]["profile"]`.

    `sample` holds all events of the file and not only the labelled ones, whose selection is no drift.
    """
    booster = Booster(fitted.booster_text)
    probability = fitted.calibration.apply(booster.predict_raw(as_wide(sample.X, len(booster.feature_names))))
    gain = lgb.Booster(model_str=fitted.booster_text).feature_importance("gain")
    weight = np.asarray(gain, dtype=np.float64) / max(float(np.sum(gain)), 1e-12)
    return monitor.profile(sample, monitor.verdict_codes(probability, sample.kind, thresholds), weight)


def calibration_drift(model: BotClickModel, figures: Mapping[str, Figures]) -> tuple[str, ...]:
    """Kinds of event whose probabilities are worse on new labels than they were in training, a sentence each.

    `figures` are those of `training.evaluate.evaluate` on the new labels.
    """
    before = model.manifest["metrics"]
    return tuple(
        f"{name}: probabilities are off by {figure.calibration_error:.3f} on these labels (ECE), in training by"
        f" {before[name]['calibration_error']:.3f}; retrain on them"
        for name, figure in figures.items()
        if name != "all"
        and name in before
        and figure.human + figure.automated >= FEWEST_LABELLED
        and figure.calibration_error > before[name]["calibration_error"] + WORSE_CALIBRATION
    )
