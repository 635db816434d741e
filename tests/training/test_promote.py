"""Promotion and rollback on a real store: who becomes champion, who is refused, and what is kept of it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from features.errors import InputError, ModelError
from features.feature import CAPABILITIES
from serving.model import bundled
from tests.training.registered_models import (
    BETTER,
    COMPARED_LATER,
    FIRST,
    GOOD,
    LOSES,
    LOSING,
    UNCOMPARED,
    compared,
    copied,
    quick_model,
    quick_rows,
)
from training.promote import BUNDLED, Champion, Refused, anew, challenge, champion_of, promote, recorded, rollback
from training.registry import Registry

# MLflow 3.17 calls SQLAlchemy 2.1 and pandas 3 in ways that they will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


@pytest.fixture
def registry(registered_store, tmp_path):
    return Registry(copied(registered_store, tmp_path))


def test_a_better_challenger_takes_the_place_and_its_tags_say_whose(registry):
    done = promote(BETTER, registry)
    assert (done.name, done.before, done.is_new, done.against) == (
        "models:/clicksift/2",
        "models:/clicksift/1",
        True,
        (),
    )
    assert registry.champion().number == BETTER
    tags = registry.find(BETTER).tags
    assert tags["previous_champion"] == "models:/clicksift/1"
    assert {"promoted_at", "promoted_by"} <= set(tags)
    assert "promoted_why" not in tags


def test_one_that_loses_people_is_refused_with_figures_and_nothing_changes(registry):
    with pytest.raises(
        Refused, match=r"models:/clicksift/3 is not promoted: it loses more of people's clicks: 10\.00%"
    ):
        promote(LOSING, registry)
    assert registry.champion().number == FIRST
    assert "promoted_at" not in registry.find(LOSING).tags


def test_a_reason_overrules_and_is_kept_with_what_it_overruled(registry):
    done = promote(LOSING, registry, why="the labels of May are wrong")
    assert registry.champion().number == LOSING
    tags = registry.find(LOSING).tags
    assert tags["promoted_why"] == "the labels of May are wrong"
    assert tags["promoted_against"] == "; ".join(done.against)
    assert done.against[0].startswith("loses more")


def test_without_a_comparison_with_the_present_champion_one_is_asked_for(registry):
    with pytest.raises(
        InputError, match=r"no comparison with the champion models:/clicksift/1 .* --events and --labels"
    ):
        promote(UNCOMPARED, registry)
    promote(BETTER, registry)
    with pytest.raises(InputError, match="no comparison with the champion models:/clicksift/2"):
        promote(LOSING, registry)


def test_what_is_compared_now_decides_and_is_kept(registry):
    # Files of a run are shared by all copies of the store; no other test asks for those of this version.
    with pytest.raises(Refused):
        promote(COMPARED_LATER, registry, compare=lambda ours, champion: compared(LOSES, GOOD, name=champion.name))
    assert recorded(registry, registry.find(COMPARED_LATER), "models:/clicksift/1") == compared(LOSES, GOOD)
    promote(COMPARED_LATER, registry, compare=lambda ours, champion: compared(GOOD, LOSES, name=champion.name))
    assert registry.champion().number == COMPARED_LATER


def test_the_champion_stays_champion(registry):
    done = promote(FIRST, registry)
    assert (done.is_new, done.name) == (False, "models:/clicksift/1")


def test_rollback_goes_back_through_all_champions_and_never_forth(registry):
    for version in (BETTER, LOSING, UNCOMPARED):
        promote(version, registry, why="to have a history")
    for number, before in (LOSING, UNCOMPARED), (BETTER, LOSING), (FIRST, BETTER):
        done = rollback(registry)
        assert (done.name, done.before) == (f"models:/clicksift/{number}", f"models:/clicksift/{before}")
        assert registry.champion().number == number
        assert registry.find(before).tags["rolled_back_to"] == done.name
    done = rollback(registry)
    assert (done.name, done.before, registry.champion()) == (BUNDLED, "models:/clicksift/1", None)
    with pytest.raises(InputError, match="no registered model is champion"):
        rollback(registry)


def test_a_champion_made_by_hand_counts_and_one_that_was_deleted_is_passed_over(registry):
    import mlflow

    promote(BETTER, registry)
    mlflow.MlflowClient().set_registered_model_alias("clicksift", "champion", UNCOMPARED)
    mlflow.MlflowClient().delete_model_version("clicksift", BETTER)
    assert rollback(registry).name == "models:/clicksift/1"


def test_the_bundled_model_is_the_champion_of_an_empty_store_and_of_none():
    found = champion_of(None)
    assert (found.name, found.model.version, found.version) == (BUNDLED, bundled().version, None)


def test_a_champion_of_other_features_is_stood_in_for_and_that_is_said(registry, monkeypatch):
    def refuse(self, version):
        raise ModelError("made for other features")

    monkeypatch.setattr(Registry, "load", refuse)
    found = champion_of(registry)
    assert (found.name, found.model.version) == ("models:/clicksift/1", bundled().version)
    assert found.notes == (
        "the champion models:/clicksift/1 cannot judge with this clicksift (made for other features); the bundled model"
        " stands in for it",
    )


def test_a_champion_of_the_same_rows_is_judged_by_its_folds(registry):
    trained, champion = quick_model(seed=2), champion_of(registry)
    comparison = challenge(trained, champion, {}, set(CAPABILITIES))
    assert comparison.notes == (
        "models:/clicksift/1 was trained on these same events: it is judged by what its folds said of them",
    )
    by_folds = quick_model(seed=1).fit.probability
    in_sample = champion.model.probability(trained.data.X)
    assert not np.array_equal(by_folds, in_sample)
    expected = float((by_folds[trained.data.y == 1] >= 0.9).mean())
    assert comparison.parts[0].recall.champion == expected


def test_a_champion_of_the_same_rows_without_folds_is_flattered_and_that_is_said(registry):
    trained = quick_model(seed=2)
    champion = Champion("models:/clicksift/1", trained.model, None, None)
    assert anew(champion, champion, trained.data, {}, set(CAPABILITIES)).notes[0] == (
        "models:/clicksift/1 was trained on these same events, which flatters it"
    )


def test_a_champion_of_other_rows_judges_them_as_it_is(registry):
    data = quick_rows(300)
    assert challenge(quick_model(2, data), champion_of(registry), {}, set(CAPABILITIES)).notes == ()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        pytest.param(lambda data: data.us < 0, "0 of people's events at 0 recipient organisations", id="none"),
        pytest.param(lambda data: data.y == 0, "0 of machines' events at 0 recipient organisations", id="people alone"),
        pytest.param(
            lambda data: data.organisation < 4, "20 of people's events at 4 recipient organisations", id="few places"
        ),
    ],
)
def test_events_that_could_speak_against_nobody_are_no_comparison(chosen, message):
    data, champion = quick_rows(), champion_of(None)
    with pytest.raises(InputError, match=f"labels: {message}, and at least 20 at 5 are needed"):
        anew(champion, champion, data.take(chosen(data)), {}, set(CAPABILITIES))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("parts", 0, "loss", "difference", "low"), "much"),
        (("parts", 0, "human"), None),
        (("parts", 0, "value"), "bounced"),
        (("parts", 0), "all"),
        (("parts",), None),
    ],
    ids=["no number", "no count", "no kind", "no part", "no parts"],
)
def test_a_record_that_is_no_comparison_is_refused(registry, monkeypatch, place, value):
    content = compared(GOOD, GOOD).to_json()
    at = content = json.loads(json.dumps(content))
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    monkeypatch.setattr(Registry, "read_json", lambda self, version, name: content)
    with pytest.raises(InputError, match="of its run is no comparison"):
        promote(BETTER, registry)


def test_rows_that_training_dropped_are_left_out_of_the_slices(registry):
    whole = quick_rows()
    kept = np.arange(len(whole)) < 300
    trained = dataclasses.replace(quick_model(2, whole.take(kept)), kept=kept)
    words = np.repeat(["one kept", "other kept", "dropped"], [150, 150, 100]).astype(object)
    comparison = challenge(trained, champion_of(registry), {"mailbox host": words}, set(CAPABILITIES))
    assert {part.value for part in comparison.parts if part.by == "mailbox host"} == {"one kept", "other kept"}
