"""Figures on small tables, each with its value worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.model import Thresholds
from tests.training.labelled_rows import CLICK, OPEN, UNSUBSCRIBE, rows
from training.evaluate import Draws, Figure, by_slice, calibration_error, campaign_errors, cuts, evaluate, judged

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
STRICT = Thresholds(automated=0.95, human=0.6, allowance=0.01, basis="test")
THRESHOLDS = {"opened": AT, "clicked": AT, "unsubscribed": STRICT}

# y, probability: 5 people, of whom 1 is lost and 1 unsure; 4 machines, of which 2 are found and 1 is unsure
NINE = [(0, 0.05), (0, 0.1), (0, 0.2), (0, 0.5), (0, 0.9), (1, 0.3), (1, 0.7), (1, 0.85), (1, 0.99)]


def nine(**columns):
    y, probability = zip(*NINE, strict=True)
    return rows(y, **columns), np.array(probability)


def test_figures_of_nine_events():
    figures = evaluate(*nine(), THRESHOLDS)["clicked"]
    assert (figures.human, figures.automated, figures.organisations) == (5, 4, 9)
    assert figures.loss.value == 1 / 5
    assert figures.recall.value == 2 / 4
    assert figures.unsure_human.value == 1 / 5
    assert figures.unsure_all.value == 2 / 9
    # of 20 pairs of a machine and a person, the machine is below in 0.3 < 0.5, 0.3 < 0.9, 0.7 < 0.9, 0.85 < 0.9
    assert figures.auc == pytest.approx(16 / 20)


def test_kinds_are_told_apart_and_together_and_need_both_classes():
    data, probability = nine(kind=[OPEN, CLICK, OPEN, CLICK, UNSUBSCRIBE, OPEN, CLICK, UNSUBSCRIBE, CLICK])
    only_people = rows([0, 0], kind=[UNSUBSCRIBE] * 2)
    figures = evaluate(data, probability, THRESHOLDS)
    assert list(figures) == ["all", "opened", "clicked", "unsubscribed"]
    assert [(f.human, f.automated) for f in figures.values()] == [(5, 4), (2, 1), (2, 2), (1, 1)]
    assert figures["unsubscribed"].recall.value == 0  # 0.85, and unsubscribes are judged from 0.95
    assert figures["all"].recall.value == 1 / 4
    assert evaluate(only_people, np.array([0.1, 0.2]), THRESHOLDS) == {}


def test_each_event_is_judged_by_the_thresholds_of_its_kind():
    automated, human = cuts(np.array([OPEN, UNSUBSCRIBE, CLICK], np.int8), THRESHOLDS)
    assert automated.tolist() == [0.8, 0.95, 0.8]
    assert human.tolist() == [0.4, 0.6, 0.4]


def test_a_probability_at_a_threshold_is_as_the_model_judges_it():
    figures = evaluate(rows([1, 1, 0, 0]), np.array([0.8, 0.4, 0.4, 0.1]), THRESHOLDS)["all"]
    assert figures.recall.value == 1 / 2  # at the upper threshold: automated
    assert figures.unsure_human.value == 1 / 2  # at the lower one: unsure


@pytest.mark.parametrize(
    ("people", "machines", "recall"),
    [
        pytest.param([0.1] * 200, [0.9] * 4, 1.0, id="all apart"),
        pytest.param([0.1] * 199 + [0.8], [0.7, 0.7, 0.9, 0.95], 1.0, id="one of 200 may be lost"),
        pytest.param([0.1] * 198 + [0.8] * 2, [0.7, 0.7, 0.9, 0.95], 0.5, id="two of 200 may not"),
        pytest.param([0.1] * 198 + [0.9] * 2, [0.7, 0.9, 0.9, 0.95], 0.25, id="a tie is lost and found whole"),
        pytest.param([0.99] * 200, [0.9] * 4, 0.0, id="people above all machines"),
    ],
)
def test_recall_at_a_loss_of_a_half_percent(people, machines, recall):
    data = rows([0] * len(people) + [1] * len(machines))
    figures = evaluate(data, np.array([*people, *machines]), THRESHOLDS)["all"]
    assert figures.recall_at_loss[0.005].value == recall


def test_the_order_of_tied_rows_does_not_matter_to_recall_at_loss():
    y, probability = [0] * 300 + [1] * 100, np.repeat([0.1, 0.6, 0.6, 0.9], [297, 3, 50, 50])
    there, back = (evaluate(rows(y[::step]), probability[::step], THRESHOLDS)["all"].recall_at_loss for step in (1, -1))
    assert [f.value for f in there.values()] == [f.value for f in back.values()] == [0.5, 0.5, 1.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_intervals_contain_their_value(seed, organisations):
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 400)
    data = rows(y, organisation=random.integers(0, organisations, 400))
    figures = evaluate(data, np.clip(random.normal(0.35 + 0.3 * y, 0.3), 0, 1), THRESHOLDS, repeats=400)["all"]
    for figure in (figures.loss, figures.recall, figures.unsure_human, figures.unsure_all):
        assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_events_of_an_organisation_go_together_so_fewer_organisations_give_wider_intervals():
    part, whole = np.arange(1_000) % 10 == 0, np.ones(1_000, dtype=bool)
    lost_alone = Draws(np.arange(1_000), seed=1, repeats=400).share(part, whole)
    lost_together = Draws(np.where(part, 0, 1 + np.arange(1_000) // 100), seed=1, repeats=400).share(part, whole)
    assert lost_alone.value == lost_together.value == 0.1
    assert lost_alone.high - lost_alone.low == pytest.approx(2 * 1.96 * math.sqrt(0.1 * 0.9 / 1_000), rel=0.2)
    assert lost_together.high - lost_together.low > 4 * (lost_alone.high - lost_alone.low)


def test_a_share_of_nothing_is_not_known():
    nothing = np.zeros(5, dtype=bool)
    figure = Draws(np.arange(5), seed=1, repeats=20).share(nothing, nothing)
    assert all(map(math.isnan, (figure.value, figure.low, figure.high)))


def test_the_same_seed_gives_the_same_intervals():
    assert evaluate(*nine(), THRESHOLDS, seed=3) == evaluate(*nine(), THRESHOLDS, seed=3)


def test_figures_under_one_name_each_for_a_run():
    flat = evaluate(*nine(), THRESHOLDS)["clicked"].flat()
    assert (flat["human"], flat["loss"], flat["recall"], flat["unsure_all"]) == (5.0, 0.2, 0.5, 2 / 9)
    assert flat["loss_low"] <= flat["loss"] <= flat["loss_high"]
    assert {"recall_at_loss_0.001", "recall_at_loss_0.005_low", "recall_low", "recall_high", "auc"} <= set(flat)
    assert all(map(math.isfinite, flat.values()))


def test_a_figure_is_written_with_its_interval():
    assert str(Figure(0.0123, 0.01, 0.02)) == "1.23% (1.00% to 2.00%)"
    assert str(Figure(0.0123, math.nan, math.nan)) == "1.23%"
    assert str(Figure(math.nan, math.nan, math.nan)) == "not known"


@pytest.mark.parametrize(
    ("figure", "short"),
    [
        (Figure(0.0012, 0.0006, 0.0022), "0.12% [0.06, 0.22]"),
        (Figure(0.05, 0.012, 0.115), "5.00% [1.2, 12]"),
        (Figure(0.9997, 0.9912, 1.0), "99.97% [99.1, 100]"),
        (Figure(1.0, 0.99967, 1.0), "100.00% [99.97, 100]"),
        (Figure(0.5, math.nan, math.nan), "50.00%"),
        (Figure(math.nan, math.nan, math.nan), ""),
    ],
)
def test_a_figure_for_a_narrow_column_has_more_digits_near_none_and_all(figure, short):
    assert figure.short == short


def test_events_are_called_automated_or_unsure_by_the_thresholds_of_their_kind():
    kind = np.array([CLICK, CLICK, CLICK, UNSUBSCRIBE, UNSUBSCRIBE], np.int8)
    automated, unsure = judged(kind, np.array([0.8, 0.4, 0.3, 0.8, 0.96]), THRESHOLDS)
    assert automated.tolist() == [True, False, False, False, True]
    assert unsure.tolist() == [False, True, False, True, False]


@pytest.mark.parametrize(
    ("probability", "y", "error"),
    [
        pytest.param([0.02, 0.02, 0.98], [0, 0, 1], 0.02, id="nearly sure and right"),
        pytest.param([0.02, 0.52, 0.52], [0, 0, 1], (0.02 + 2 * 0.02) / 3, id="a coin that is one"),
        pytest.param([0.72, 0.72, 0.72, 0.72], [1, 1, 1, 0], 0.03, id="three of four"),
        pytest.param([1.0, 1.0], [0, 0], 1.0, id="sure and wrong"),
        # 0.12 and 0.17 are in different bins of a twentieth, so the errors do not cancel
        pytest.param([0.12, 0.17], [0, 1], (0.12 + 0.83) / 2, id="bins are apart"),
    ],
)
def test_the_calibration_error_is_the_mean_gap_between_probability_and_share(probability, y, error):
    assert calibration_error(np.array(probability), np.array(y)) == pytest.approx(error)


def test_slices_say_what_was_called_what_largest_first():
    data, probability = nine(slice=["office"] * 5 + ["scanner"] * 3 + ["proxy"])
    office, scanner, proxy = by_slice(data, probability, THRESHOLDS, data.slice)
    assert office == {
        "slice": "office",
        "events": 5,
        "truly_automated": 0.0,
        "called_automated": 1 / 5,
        "called_human": 3 / 5,
        "mean_probability": pytest.approx(0.35),
    }
    assert (scanner["events"], scanner["truly_automated"], scanner["called_automated"]) == (3, 1.0, 1 / 3)
    assert (proxy["slice"], proxy["called_automated"], proxy["called_human"]) == ("proxy", 1.0, 0.0)


def test_a_campaigns_error_is_that_of_its_expected_human_clickers():
    table = [
        # campaign, recipient, kind, y, probability
        (1, 11, CLICK, 0, 0.1),  # Ann clicked, 0.9
        (1, 11, CLICK, 1, 0.8),  # ... and her scanner: the higher of the two counts
        (1, 12, CLICK, 1, 0.7),  # a scanner alone, 0.3
        (1, 13, CLICK, 0, 0.2),  # Bob, 0.8
        (1, 14, OPEN, 0, 0.0),  # opens do not count
        (2, 11, CLICK, 0, 0.5),  # Ann in another campaign, 0.5
        (3, 12, CLICK, 1, 0.4),  # nobody's click: no error can be given
    ]
    campaign, recipient, kind, y, probability = zip(*table, strict=True)
    errors = campaign_errors(rows(y, campaign=campaign, recipient=recipient, kind=kind), 1 - np.array(probability))
    assert errors == pytest.approx([(0.9 + 0.3 + 0.8) / 2 - 1, 0.5 - 1])


def test_without_clicks_there_are_no_campaign_errors():
    assert campaign_errors(rows([0, 1], kind=[OPEN, OPEN]), np.array([0.1, 0.9])).tolist() == []
