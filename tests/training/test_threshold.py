"""Thresholds: how many people they cost is shown, not hoped for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from serving.model import Thresholds
from training.threshold import (
    AIM,
    FEWEST_IN_GROUP,
    LEAST_ODDS_RATIO,
    LOWEST_AUTOMATED,
    MOST_UNSURE,
    choose,
    most_groups_limit,
    stricter,
    upper_loss_limit,
)


def events(people, machines):
    """Probability, label and an organisation a row, people first."""
    probability = np.array([*people, *machines], dtype=np.float64)
    y = np.array([0] * len(people) + [1] * len(machines), dtype=np.int8)
    return probability, y, np.arange(len(y), dtype=np.int64)


def odds(p):
    return p / (1 - p)


@st.composite
def scored(draw):
    """Some thousand events of a model of drawn quality, in organisations of drawn size, some scores tied."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, machines = draw(st.integers(1_000, 6_000)), draw(st.floats(0.05, 0.9))
    y = (random.random(n) < machines).astype(np.int8)
    margin = random.normal(np.where(y == 1, 1, -1) * draw(st.floats(0.5, 6)), draw(st.floats(0.3, 4)))
    probability = 1 / (1 + np.exp(-margin))
    if draw(st.booleans()):
        probability = np.round(probability, draw(st.integers(1, 4)))
    return probability, y, random.integers(0, draw(st.integers(1, n)), n)


@settings(max_examples=60, deadline=None)
@given(scored(), st.sampled_from([0.001, 0.005, 0.01, 0.05]))
def test_the_loss_is_a_third_of_the_allowance_at_most_and_its_limit_the_allowance(case, allowance):
    probability, y, organisation = case
    chosen = choose(probability, y, organisation, allowance=allowance)
    assume(chosen is not None)
    thresholds, evidence = chosen
    lost = probability[y == 0] >= thresholds.automated
    assert lost.mean() <= allowance * AIM
    assert upper_loss_limit(lost, organisation[y == 0]) == evidence.limit <= allowance
    assert (evidence.human, evidence.lost) == ((y == 0).sum(), lost.sum())
    assert evidence.organisations == len(set(organisation[y == 0]))
    assert thresholds.automated >= LOWEST_AUTOMATED
    assert odds(thresholds.automated) / odds(thresholds.human) >= LEAST_ODDS_RATIO * (1 - 1e-9)
    assert thresholds.allowance == allowance


@settings(max_examples=60, deadline=None)
@given(scored())
def test_few_events_are_unsure_unless_the_least_distance_of_the_thresholds_makes_them_so(case):
    probability, y, organisation = case
    chosen = choose(probability, y, organisation, allowance=0.05)
    assume(chosen is not None)
    at = chosen[0]
    band = (probability >= at.human) & (probability < at.automated)
    if odds(at.automated) / odds(at.human) > LEAST_ODDS_RATIO * (1 + 1e-9):
        assert band.mean() <= MOST_UNSURE
        assert band[y == 0].mean() <= MOST_UNSURE


def test_the_threshold_stands_just_above_the_last_person_that_may_not_be_lost():
    # a third of 1 % of 3,100 people are 10.3: ten may be lost, the eleventh highest not
    people = [*np.linspace(0.01, 0.1, 3_080), *[0.8] * 9, 0.85, *np.linspace(0.9, 0.95, 10)]
    thresholds, evidence = choose(*events(people, [0.99] * 3_000), allowance=0.01)
    assert thresholds.automated == np.nextafter(0.85, 1)
    assert evidence.lost == 10
    assert thresholds.basis == (
        f"out of fold, 10 of 3100 human events at or above it (3100 groups held out; limit {evidence.limit:.2%}"
        " of at most 1.00%)"
    )


def test_people_of_one_score_are_lost_or_kept_together():
    people = [*[0.1] * 2_980, *[0.8] * 20]  # one of these twenty would do, all are too many
    thresholds, evidence = choose(*events(people, [0.99] * 3_000), allowance=0.01)
    assert (thresholds.automated, evidence.lost) == (np.nextafter(0.8, 1), 0)


def test_automated_is_more_likely_than_not_however_well_the_classes_separate():
    thresholds, evidence = choose(*events([0.001] * 3_000, [0.999] * 3_000), allowance=0.005)
    assert thresholds.automated == LOWEST_AUTOMATED
    assert thresholds.human == 0.05  # nobody is between them, and a little more than nobody may be
    assert evidence.lost == 0


@pytest.mark.parametrize(
    ("people", "found"),
    [
        pytest.param([], False, id="nobody"),
        pytest.param([0.01] * 597, False, id="one person fewer than shows it"),
        pytest.param([0.01] * 598, True, id="none lost of 598: the limit is 0.5 % (1 - 0.05 ** (1 / 598))"),
        pytest.param([0.01] * 500 + [1.0] * 500, False, id="people who are given certainty"),
    ],
)
def test_too_few_or_too_often_mistaken_people_give_no_threshold(people, found):
    assert (choose(*events(people, [0.99] * 50), allowance=0.005) is not None) == found


# Of 1,000 people so many may be unsure; between the highest `human` and `automated` nobody can be told apart.
FEW = int(1_000 * MOST_UNSURE)
HIGHEST_HUMAN = odds(LOWEST_AUTOMATED) / LEAST_ODDS_RATIO / (1 + odds(LOWEST_AUTOMATED) / LEAST_ODDS_RATIO)
CLOSE = (HIGHEST_HUMAN + LOWEST_AUTOMATED) / 2


@pytest.mark.parametrize(
    ("between", "human", "unsure"),
    [
        pytest.param([0.2] * FEW, 0.05, FEW, id="as many people as may be unsure"),
        pytest.param([0.1, *[0.2] * FEW], 0.1, FEW, id="one too many, which is human"),
        pytest.param([0.1] * (FEW + 1), 0.1, 0, id="all of one score are human together"),
        pytest.param([CLOSE] * (FEW + 1), HIGHEST_HUMAN, FEW + 1, id="the thresholds keep their distance"),
    ],
)
def test_few_people_are_between_the_thresholds(between, human, unsure):
    people = [*[0.001] * (1_000 - len(between)), *between]
    thresholds, _ = choose(*events(people, [0.999] * 1_000), allowance=0.01)
    assert (thresholds.automated, thresholds.human) == (LOWEST_AUTOMATED, pytest.approx(human))
    assert (np.array(between) >= thresholds.human).sum() == unsure


def test_machines_between_the_thresholds_narrow_the_band_too():
    too_many = int(2_000 * MOST_UNSURE) + 1
    machines = [*[0.999] * (1_000 - too_many), *[0.2] * too_many]
    thresholds, _ = choose(*events([0.001] * 1_000, machines), allowance=0.01)
    assert thresholds.human == np.nextafter(0.2, 1)


@pytest.mark.parametrize(("lost", "rows"), [(0, 100), (1, 100), (2, 500), (30, 1_000)])
def test_the_limit_of_rows_that_go_alone_is_that_of_clopper_and_pearson(lost, rows):
    """At the limit, so few or fewer would be lost in one of twenty samples."""
    limit = upper_loss_limit(np.arange(rows) < lost, np.arange(rows))
    assert binom.cdf(lost, rows, limit) == pytest.approx(0.05, rel=1e-6)
    if lost == 0:
        assert limit == pytest.approx(1 - 0.05 ** (1 / rows))


def test_rows_that_are_lost_together_count_for_fewer():
    lost = np.arange(1_000) < 20
    alone, apart, together = (
        upper_loss_limit(lost, organisation)
        for organisation in (np.arange(1_000), np.arange(1_000) % 50, np.arange(1_000) // 20)
    )
    # lost together, 20 rows of an organisation are one: 1 of 50
    assert together == pytest.approx(upper_loss_limit(np.arange(50) < 1, np.arange(50)), rel=0.03)
    assert apart == alone < together


def test_many_people_of_few_organisations_show_nothing():
    lost = np.zeros(10_000, dtype=bool)
    assert upper_loss_limit(lost, np.arange(10_000) % 19) == 1.0
    assert upper_loss_limit(lost, np.arange(10_000) % 20) < 0.001


@pytest.mark.parametrize("lost", [[], [True] * 5], ids=["no rows", "all rows lost"])
def test_without_a_row_that_was_kept_the_limit_is_one(lost):
    assert upper_loss_limit(np.array(lost, dtype=bool), np.arange(len(lost))) == 1.0


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 1_000))
def test_the_limit_is_above_the_share_and_grouping_never_lowers_it(rows, groups, seed):
    random = np.random.default_rng(seed)
    lost = random.random(rows) < random.random() ** 3
    alone = upper_loss_limit(lost, np.arange(rows))
    assert lost.mean() <= alone <= upper_loss_limit(lost, random.integers(0, groups, rows)) + 1e-12


def groups_losing(*lost):
    """People's rows of groups of `FEWEST_IN_GROUP`, so many of each lost."""
    rows = np.concatenate([np.arange(FEWEST_IN_GROUP) < n for n in lost])
    return rows, np.repeat(np.arange(len(lost)), FEWEST_IN_GROUP)


def test_nine_in_ten_groups_stay_within_their_limit():
    # Eleven groups: the tenth of them is the one that nine in ten of the others do not exceed.
    assert most_groups_limit(*groups_losing(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50)) == pytest.approx(0.09)
    assert most_groups_limit(*groups_losing(0, 1, 2), share=0.5) == pytest.approx(0.01)


def test_groups_of_few_people_say_nothing():
    lost, group = groups_losing(3, 3)
    few = np.ones(FEWEST_IN_GROUP - 1, dtype=bool)
    assert most_groups_limit(np.append(lost, few), np.append(group, np.full(len(few), 9))) == pytest.approx(0.03)
    assert most_groups_limit(few, np.zeros(len(few), np.int64)) == 1.0
    assert most_groups_limit(np.array([], dtype=bool), np.array([], dtype=np.int64)) == 1.0


def test_the_threshold_keeps_to_the_limit_that_is_given():
    # ten worlds of 100 people; the highest 25, from 0.94 down, are of the worlds 9 and 8 in turn, and 0.9 times the
    # loss of the second worst and 0.1 times that of the worst must be 5.5 % at most: five of 8 and six of 9
    people = [*np.linspace(0.01, 0.1, 975), *np.linspace(0.8, 0.94, 25)]
    worlds = np.concatenate([np.repeat(np.arange(10), [*[100] * 8, 88, 87]), np.where(np.arange(25) % 2, 8, 9)])
    probability, y, _ = events(people, [])

    _, alone = choose(probability, y, worlds, allowance=0.055, limit=lambda lost, world: float(lost.mean()))
    _, by_world = choose(probability, y, worlds, allowance=0.055, limit=most_groups_limit)
    assert alone.lost == 18  # a third of 5.5 % of 1,000
    assert by_world.lost == 11
    assert by_world.limit == pytest.approx(0.9 * 0.05 + 0.1 * 0.06)


def test_thresholds_for_gaps_are_never_bolder_than_the_ordinary_ones():
    plain = {"opened": Thresholds(0.8, 0.2, 0.005, "x"), "clicked": Thresholds(0.9, 0.2, 0.005, "x")}
    gaps = {"opened without agent": Thresholds(0.95, 0.9, 0.005, "y"), "clicked without agent": plain["opened"]}
    assert stricter({**plain, **gaps}, plain) == {"opened without agent": gaps["opened without agent"]}
