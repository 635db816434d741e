"""Labels of events that were chosen by how they look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalog import FEATURE_NAMES, fingerprint
from serving.model import DEFAULT, BotClickModel, Calibration, Thresholds
from tests.training.conftest import CREATED
from tests.training.labelled_rows import CLICK, OPEN, rows
from training.dataset import Unlabelled
from training.fit import FitParameters, grow
from training.selection import anchors, selection

SMALL = FitParameters(trees=20, leaves=4, least_in_leaf=10, learning_rate=0.3, feature_share=1.0, row_share=1.0)


def events(n: int, seed: int, honeypots: float = 0.3):
    """Events told apart by their delay; a share of the machines' messages has a hidden link hit, by chance."""
    random = np.random.default_rng(seed)
    y = random.random(n) < 0.6
    hit = y & (random.random(n) < honeypots)
    return rows(
        y, since_delivery_s=random.normal(3.0 * ~y, 1.0), honeypot_message=hit, n_links=random.integers(1, 9, n)
    )


@pytest.fixture(scope="module")
def model():
    return BotClickModel.create(
        grow([events(4_000, 1)], SMALL, 1).model_to_string(),
        Calibration(1, 1, 0),
        {DEFAULT: Thresholds(automated=0.9, human=0.2, allowance=0.005, basis="a test")},
        "# Card\n",
        created=CREATED,
        feature_names=FEATURE_NAMES,
        feature_fingerprint=fingerprint(),
        reference={},
        training={},
        metrics={},
    )


def split(data, chosen):
    return data.take(chosen), Unlabelled(int((~chosen).sum()), data.X[~chosen], data.kind[~chosen])


def test_machines_chosen_by_the_hidden_link_show_it(model):
    data = events(8_000, 2)
    hidden = (data.X[:, FEATURE_NAMES.index("honeypot_message")] > 0) & (np.arange(8_000) % 2 == 0)
    people = (data.y == 0) & (np.arange(8_000) % 10 == 0)
    found = selection(*split(data, hidden | people), model)
    assert found.names == {"honeypot_message"}
    # All of the labelled machines hit it, and of the others those three in seventeen that were not chosen.
    assert found.features[0][1] == pytest.approx(14 / 17, abs=0.03)


def test_events_labelled_by_chance_show_nothing(model):
    data = events(8_000, 3)
    found = selection(*split(data, np.random.default_rng(4).random(8_000) < 0.2), model)
    assert found.features == ()
    assert found.prior == pytest.approx(0.6, abs=0.03)


def test_where_all_are_labelled_the_prior_is_theirs(model):
    data = events(2_000, 5)
    found = selection(data, Unlabelled(0, data.X[:0], data.kind[:0]), model)
    assert found.features == ()
    assert found.prior == data.y.mean()


def test_the_prior_is_of_all_events_whatever_was_labelled(model):
    data = events(8_000, 6)
    chosen = np.random.default_rng(7).random(8_000) < np.where(data.y == 1, 0.5, 0.05)
    labelled, unlabelled = split(data, chosen)
    assert labelled.y.mean() > 0.9
    assert selection(labelled, unlabelled, model).prior == pytest.approx(data.y.mean(), abs=0.03)


def with_kind(X, kind):
    X = X.copy()
    X[:, FEATURE_NAMES.index("event_kind")] = kind
    return X


def test_kinds_without_people_are_held_by_what_the_model_before_believes(model):
    data = events(4_000, 8)
    labelled, unlabelled = split(data, np.arange(4_000) % 2 == 0)
    kind = np.where(labelled.y == 1, OPEN, CLICK).astype(np.int8)
    opens = replace(labelled, kind=kind, X=with_kind(labelled.X, kind))
    kind = np.full(len(unlabelled.kind), OPEN, dtype=np.int8)
    unlabelled = replace(unlabelled, kind=kind, X=with_kind(unlabelled.X, kind))
    [held] = anchors(opens, unlabelled, model, fewest=50)
    believed = model.probability(unlabelled.X)
    n = len(unlabelled.X)
    assert held.weight[:n] == pytest.approx(believed)
    assert held.weight[n:] == pytest.approx(1 - believed)
    assert held.y.tolist() == [1] * n + [0] * n
    assert held.start[:n].tolist() == model.booster.predict_raw(unlabelled.X).tolist()
    # Every labelled open is a machine's: alone they teach that people's opens are too.
    people = unlabelled.X[believed < 0.5]
    before = opens.begun_with(model.booster)
    learnt, kept = (grow(parts, SMALL, 1) for parts in ([before], [before, held]))
    moved = [booster.predict(people, raw_score=True).mean() for booster in (learnt, kept)]
    assert moved[0] > 1
    assert moved[1] < moved[0] / 4


def test_where_both_classes_of_a_kind_are_labelled_nothing_holds_it(model):
    labelled, unlabelled = split(events(4_000, 9), np.arange(4_000) % 2 == 0)
    assert anchors(labelled, unlabelled, model, fewest=50) == ()
