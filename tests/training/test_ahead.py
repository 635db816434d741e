"""Later and elsewhere at once: nothing of the judged organisations, and nothing later, is learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from serving.model import Calibration
from tests.training.labelled_rows import rows
from training import ahead
from training.ahead import forward_unseen
from training.fit import FitParameters, grow

SMALL = FitParameters(trees=5, leaves=3, least_in_leaf=5, folds=3)
AS_IT_IS = Calibration(1, 1, 0)
HOUR_US = 3_600_000_000


def example(n=600, organisations=30):
    """Events an hour apart of organisations that take turns; machines come within a second of the delivery."""
    y = np.arange(n) // organisations % 2
    return rows(
        y,
        organisation=np.arange(n) % organisations,
        us=np.arange(n) * HOUR_US,
        since_delivery_s=np.where(y == 1, 0.5, 90.0),
    )


def test_the_last_fifth_is_judged_in_the_order_of_the_data():
    data = example()
    judged, probability = forward_unseen(data, AS_IT_IS, SMALL, threads=1)
    assert judged.us.tolist() == data.us[480:].tolist()
    assert len(probability) == 120
    assert probability[judged.y == 1].min() > probability[judged.y == 0].max()


def test_no_tree_sees_the_organisations_it_judges_or_anything_after_the_first_of_them(monkeypatch):
    data, learnt = example(), []

    def watched(parts, parameters, threads):
        learnt.extend(parts)
        return grow(parts, parameters, threads)

    monkeypatch.setattr(ahead, "grow", watched)
    judged, _ = forward_unseen(data, AS_IT_IS, SMALL, threads=1)
    assert len(learnt) == SMALL.folds
    absent = [set(data.organisation) - set(part.organisation) for part in learnt]
    assert sorted(set().union(*absent)) == sorted(set(judged.organisation))
    assert sum(map(len, absent)) == 30  # each organisation is held out once
    assert max(part.us.max() for part in learnt) < judged.us.min() - HOUR_US


def test_without_machines_after_there_is_nothing_to_judge():
    data = example()
    y = np.where(np.arange(600) < 480, data.y, 0)
    assert forward_unseen(rows(y, organisation=data.organisation, us=data.us), AS_IT_IS, SMALL, threads=1) is None


def test_without_people_before_no_tree_grows():
    data = example()
    y = np.where(np.arange(600) < 480, 1, data.y)
    assert forward_unseen(rows(y, organisation=data.organisation, us=data.us), AS_IT_IS, SMALL, threads=1) is None


def test_the_probabilities_are_calibrated_as_told():
    shifted = Calibration(1, 1, -2)
    plain, lower = (forward_unseen(example(), by, SMALL, threads=1)[1] for by in (AS_IT_IS, shifted))
    assert np.log(lower / (1 - lower)) == pytest.approx(np.log(plain / (1 - plain)) - 2)
