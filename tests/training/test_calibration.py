"""Calibration: margins that are off come out as true probabilities, in the same order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ModelError
from serving.model import Calibration
from training.calibration import fit_calibration
from training.evaluate import calibration_error

MARGINS = np.linspace(-12, 12, 400)


def drawn(truth: Calibration, n: int = 40_000, seed: int = 1):
    """Margins with labels drawn from the probabilities that `truth` gives them."""
    random = np.random.default_rng(seed)
    margin = random.normal(0, 2.5, n)
    return margin, (random.random(n) < truth.apply(margin)).astype(np.int8)


@pytest.mark.parametrize(
    "truth",
    [
        pytest.param(Calibration(1, 1, 0), id="nothing to correct"),
        pytest.param(Calibration(0.5, 0.5, 0), id="too sure of itself"),
        pytest.param(Calibration(2, 2, 1), id="too timid, and shifted"),
        pytest.param(Calibration(0.6, 1.8, -0.5), id="each end its own way"),
    ],
)
def test_a_known_distortion_is_recovered(truth):
    found = fit_calibration(*drawn(truth))
    assert (found.a, found.b, found.c) == pytest.approx((truth.a, truth.b, truth.c), abs=0.2)
    assert np.abs(found.apply(MARGINS) - truth.apply(MARGINS)).max() < 0.02


def test_the_calibration_error_of_events_not_seen_falls():
    truth = Calibration(0.45, 0.7, 0.6)
    found = fit_calibration(*drawn(truth))
    margin, y = drawn(truth, seed=2)
    raw = 1 / (1 + np.exp(-margin))
    assert calibration_error(raw, y) > 0.08
    assert calibration_error(found.apply(margin), y) < 0.015


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 3), st.floats(-3, 3))
def test_a_higher_margin_never_gets_a_lower_probability(seed, slope, shift):
    random = np.random.default_rng(seed)
    margin = random.normal(0, 3, 300)
    y = (random.random(300) < 1 / (1 + np.exp(-slope * margin - shift))).astype(np.int8)
    y[np.argmax(margin)], y[np.argmin(margin)] = 1, 0
    probability = fit_calibration(margin, y).apply(MARGINS)
    assert (np.diff(probability) >= 0).all()
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize("bent", [1, -1], ids=["high margins", "low margins"])
def test_where_one_end_runs_backwards_its_slope_is_nought_and_order_is_kept(bent):
    margin = np.repeat(bent * np.array([-6.0, -3.0, 0.5, 3.0, 6.0]), 200)
    share = np.array([0.02, 0.2, 0.7, 0.65, 0.55]) if bent == 1 else np.array([0.98, 0.8, 0.3, 0.35, 0.45])
    y = (np.tile(np.arange(200), 5) < np.repeat(share, 200) * 200).astype(np.int8)
    found = fit_calibration(margin, y)
    assert min(found.a, found.b) == 0
    assert (np.diff(found.apply(MARGINS)) >= 0).all()


def test_weights_count_as_copies():
    margin, y = drawn(Calibration(1, 1, 0), n=3_000)
    twice = fit_calibration(np.concatenate([margin, margin[y == 1]]), np.concatenate([y, y[y == 1]]))
    weighted = fit_calibration(margin, y, np.where(y == 1, 2.0, 1.0))
    assert (weighted.a, weighted.b, weighted.c) == pytest.approx((twice.a, twice.b, twice.c), abs=1e-3)


def test_endless_margins_do_not_break_it():
    margin, y = drawn(Calibration(1, 1, 0), n=2_000)
    margin[0], margin[1], y[:2] = 1e300, -1e300, [1, 0]
    found = fit_calibration(margin, y)
    assert (found.a, found.b) == pytest.approx((1, 1), abs=0.3)


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_alone_is_refused(only):
    with pytest.raises(ValueError, match="calibration needs events of both kinds"):
        fit_calibration(np.array([-1.0, 0.0, 1.0]), np.full(3, only, np.int8))


def test_margins_that_run_backwards_are_refused_in_the_users_words():
    margin, y = drawn(Calibration(1, 1, 0), n=2_000)
    with pytest.raises(ModelError, match="train on more labelled events"):
        fit_calibration(-margin, y)
