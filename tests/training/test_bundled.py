"""Simulated worlds as training data, and the model that comes with the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pyarrow.compute as pc
import pytest

from features import reference
from features.catalog import FEATURE_NAMES
from features.errors import ModelError
from features.schema import ENGAGEMENT
from serving.model import BotClickModel, bundled
from tests.training.labelled_rows import CLICK, OPEN, UNSUBSCRIBE, rows
from training.bundled import (
    EMPHASIS,
    MISTAKABLE,
    emphasis,
    gap_thresholds,
    train_bundled,
    world,
    world_with_gaps,
)
from training.fit import FitParameters
from training.gather import VARIANT_WEIGHT
from training.simulation import simulate
from training.threshold import LOWEST_AUTOMATED

FOLDER = resources.files("serving") / "data" / "model"
GAP_NAMES = ("without address", "without agent", "without address and agent")
MESSAGES = 1_000
TINY = FitParameters(trees=10, leaves=7, least_in_leaf=20, folds=2)


@pytest.fixture(scope="module")
def views():
    """One world as its platform gives it and with further gaps."""
    return world(11, MESSAGES)


@pytest.fixture(scope="module")
def other():
    """Another world in the same two views."""
    return world(12, MESSAGES)


def test_the_same_seed_gives_the_same_world_and_another_seed_another(views, other):
    again = world(11, MESSAGES)
    assert [view.fingerprint() for view in again] == [view.fingerprint() for view in views]
    assert other[0].fingerprint() != views[0].fingerprint()


def test_every_world_weighs_the_same_however_many_events_it_has(views, other):
    assert len(other[0]) != len(views[0])
    for plain, gapped in (views, other):
        assert plain.weight.sum() == pytest.approx(1)
        assert gapped.weight.sum() == pytest.approx(VARIANT_WEIGHT)


def test_a_world_is_one_organisation_so_that_folds_hold_it_out_whole(views):
    for view in views:
        assert np.unique(view.organisation).tolist() == [11]


def test_campaigns_of_two_worlds_are_never_the_same_though_their_names_are(views, other):
    names, others = (simulate(seed, MESSAGES).campaigns["campaign_id"].to_pylist() for seed in (11, 12))
    assert set(names) & set(others)
    for view, again, campaigns in ((views, other, names), (other, views, others)):
        keys = np.unique(view[0].campaign)
        assert len(keys) == len(campaigns)
        assert view[1].campaign.tolist() == view[0].campaign.tolist()
        assert not np.isin(keys, again[0].campaign).any()


def test_the_view_with_gaps_has_the_same_events_and_less_is_known_of_them(views):
    plain, gapped = views
    for name in ("y", "kind", "slice", "message"):
        assert getattr(gapped, name).tolist() == getattr(plain, name).tolist()
    assert np.isnan(gapped.X).sum() > np.isnan(plain.X).sum()


def test_trees_heed_people_who_are_easily_mistaken_and_unsubscribes_more():
    data = rows(
        [0, 1, 0, 1, 0],
        kind=[CLICK, CLICK, OPEN, UNSUBSCRIBE, UNSUBSCRIBE],
        slice=[*[f"simulated: {MISTAKABLE[0]}"] * 2, "simulated: person", "simulated: x", "simulated: person"],
    )
    assert emphasis(data).tolist() == [EMPHASIS, 1, 1, EMPHASIS, EMPHASIS]


def test_those_who_are_easily_mistaken_are_people_that_the_simulator_makes():
    """Else the emphasis would be on nobody."""
    unseen = {f"simulated: {name}" for name in MISTAKABLE}
    for seed in range(40):
        labels = simulate(seed, 1_000).labels
        unseen -= set(labels.filter(pc.invert(labels["automated"]))["source"].to_pylist())
        if not unseen:
            break
    assert unseen == set()


def test_training_on_worlds_says_so_in_card_and_manifest():
    trained = train_bundled(range(20, 24), messages=500, parameters=TINY, jobs=1)
    assert trained.model.manifest["training"]["source"] == "4 simulated worlds"
    assert trained.model.manifest["training"]["worlds"] == [20, 21, 22, 23]
    assert trained.model.manifest["training"]["messages_a_world"] == 500
    assert trained.model.manifest["training"]["groups"] == 4
    assert trained.data.weight.sum() == pytest.approx(len(trained.data))
    assert "from 4 simulated worlds" in trained.model.card


@pytest.fixture(scope="module")
def gaps():
    """One world without addresses, agents and both."""
    return world_with_gaps(11, MESSAGES)


def test_a_world_is_seen_without_addresses_agents_and_both(gaps, views):
    address, agent = (FEATURE_NAMES.index(name) for name in ("network_kind", "agent_kind"))
    lacking = {name: [np.isnan(view.X[:, column]).all() for column in (address, agent)] for name, view in gaps.items()}
    assert lacking == {
        "without address": [True, False],
        "without agent": [False, True],
        "without address and agent": [True, True],
    }
    assert all(np.unique(view.organisation).tolist() == [11] for view in gaps.values())


def test_thresholds_for_gaps_keep_to_the_allowance_on_worlds_that_the_trees_have_not_seen():
    model = bundled()
    assert not set(range(300, 304)) & set(model.manifest["training"]["worlds"])
    made = gap_thresholds(model.booster, model.calibration, range(300, 304), messages=1_500, jobs=1)
    assert made
    assert set(made) <= {f"{kind} {gap}" for kind in ENGAGEMENT for gap in GAP_NAMES}
    for at in made.values():
        assert LOWEST_AUTOMATED <= at.automated < 1
        assert "on worlds never trained on" in at.basis


def test_the_bundled_model_asks_for_more_where_addresses_or_agents_are_lacking():
    model = bundled()
    for gap in GAP_NAMES:
        assert model.thresholds[f"opened {gap}"].automated > model.thresholds["opened"].automated
    assert "clicked without address and agent" in model.thresholds
    assert not set(model.manifest["training"]["worlds"]) & set(model.manifest["training"]["worlds_of_gaps"])


def test_the_bundled_model_is_for_the_features_of_this_version():
    assert bundled().feature_names == FEATURE_NAMES


def test_the_bundled_model_is_small():
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    assert size < 5_000_000


def test_the_bundled_model_says_that_its_worlds_are_simulated():
    model = bundled()
    worlds = model.manifest["training"]["worlds"]
    assert f"{len(worlds)} simulated worlds" in model.card
    assert model.manifest["training"]["source"] == f"{len(worlds)} simulated worlds"


def test_the_bundled_model_names_the_reference_data_it_was_made_with():
    named = bundled().manifest["reference"]
    assert named
    assert set(named) <= set(reference.versions())


def test_the_bundled_model_judges_every_kind_by_thresholds_of_its_own():
    for kind in ("opened", "clicked", "unsubscribed"):
        at = bundled().thresholds[kind]
        assert LOWEST_AUTOMATED <= at.automated < 1
        assert at.allowance <= 0.01
        assert bundled().manifest["metrics"][kind]["loss"] <= at.allowance


def test_the_bundled_model_tells_people_from_machines_in_a_world_it_has_not_seen(views):
    plain, _ = views
    assert 11 not in bundled().manifest["training"]["worlds"]
    probability = bundled().probability(plain.X, 1)
    assert probability[plain.y == 1].mean() > 0.8
    assert probability[plain.y == 0].mean() < 0.2


def test_a_bundled_model_of_other_features_would_not_load():
    with resources.as_file(FOLDER) as folder, pytest.raises(ModelError, match="made for other features"):
        BotClickModel.load(folder, expected_fingerprint="0" * 16)
