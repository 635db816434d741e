"""The profile that a training leaves in its model, and calibration on labels that come later."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from serving.monitor import Sample
from tests.training.registered_models import THRESHOLDS, quick_model, quick_rows
from training.evaluate import evaluate
from training.profile import calibration_drift, training_profile


@pytest.fixture(scope="module")
def trained():
    return quick_model()


def test_the_profile_has_the_verdicts_of_all_events_and_the_features_that_carry_the_model(trained):
    rows = quick_rows(4_000)
    sample = Sample(rows.X, rows.kind, rows.organisation)
    known = training_profile(sample, trained.fit, THRESHOLDS)
    assert json.loads(json.dumps(known, allow_nan=False)) == known
    assert set(known["kinds"]) == {"opened", "clicked"}
    assert known["weight"]["since_delivery_s"] == pytest.approx(1)
    probability = trained.model.probability(rows.X)
    for number, kind in enumerate(("opened", "clicked")):
        automated = float((probability[rows.kind == number] >= 0.9).mean())
        assert known["kinds"][kind]["verdicts"]["automated"] == pytest.approx(automated, abs=1e-5)
        assert 0.3 < automated < 0.6


def test_worse_calibration_on_new_labels_is_told_and_the_same_is_not(trained):
    rows = quick_rows(4_000)
    probability = trained.model.probability(rows.X)
    assert calibration_drift(trained.model, evaluate(rows, probability, THRESHOLDS)) == ()
    flipped = dataclasses.replace(rows, y=np.where(np.arange(4_000) % 5 == 0, 1 - rows.y, rows.y).astype(np.int8))
    told = calibration_drift(trained.model, evaluate(flipped, probability, THRESHOLDS))
    assert [sentence.split(":")[0] for sentence in told] == ["opened", "clicked"]
    assert "retrain on them" in told[0]


def test_few_labels_say_nothing_of_calibration(trained):
    rows = quick_rows(400)
    wrong = evaluate(rows, 1 - trained.model.probability(rows.X), THRESHOLDS)
    assert calibration_drift(trained.model, wrong) == ()
