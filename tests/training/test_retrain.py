"""Retraining end to end on a small simulated sender, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import reference
from features.catalog import FEATURE_NAMES, fingerprint
from features.errors import InputError
from features.feature import CAPABILITIES
from serving.model import DEFAULT, BotClickModel
from tests.training.conftest import BEFORE, CREATED, SMALL, opened
from tests.training.labelled_rows import CLICK, OPEN, UNSUBSCRIBE, rows
from training.calibration import fit_calibration
from training.evaluate import KINDS
from training.fit import Fit, FitParameters
from training.gather import draw_capabilities
from training.retrain import Choices, thresholds_by_kind, train
from training.threshold import LOWEST_AUTOMATED


def test_the_model_is_saved_and_loaded_whole(trained, tmp_path):
    trained.model.save(tmp_path / "model")
    loaded = BotClickModel.load(tmp_path / "model")
    assert loaded.version == trained.model.version
    assert loaded.probability(trained.data.X, 1).tolist() == trained.model.probability(trained.data.X, 1).tolist()


def test_the_manifest_says_what_the_model_is_made_from(trained, base):
    manifest = trained.model.manifest
    assert manifest["created"] == CREATED.isoformat()
    assert manifest["feature_names"] == list(FEATURE_NAMES)
    assert manifest["feature_fingerprint"] == fingerprint()
    assert manifest["reference"] == dict(reference.versions())
    said = dict(manifest["training"])
    assert {"opened", "clicked"} <= set(said.pop("profile")["kinds"])
    assert said == {
        "source": "labelled events",
        "events": len(trained.data),
        "automated": int(trained.data.y.sum()),
        "held_out": "organisation",
        "groups": len(np.unique(trained.data.organisation)),
        "data_fingerprint": trained.data.fingerprint(),
        "parameters": {name: getattr(SMALL, name) for name in FitParameters.__dataclass_fields__},
        "begun_with": base.version,
        "left_out": [],
        "given_fingerprint": trained.data.fingerprint(),
    }


def test_the_figures_are_out_of_fold_and_good_on_an_easy_sender(trained):
    assert {"all", "opened", "clicked"} <= set(trained.figures)
    clicked = trained.figures["clicked"]
    assert clicked.auc > 0.95
    assert clicked.recall.value > 0.5
    in_sample = trained.model.probability(trained.data.X, 1)
    assert not np.array_equal(trained.fit.probability, in_sample)


def test_the_manifest_has_the_figures_with_their_intervals_and_the_campaigns(trained):
    metrics = trained.model.manifest["metrics"]
    assert metrics["clicked"] == trained.figures["clicked"].flat()
    assert metrics["clicked"]["loss_low"] <= metrics["clicked"]["loss"] <= metrics["clicked"]["loss_high"]
    assert metrics["campaigns"]["campaigns"] > 0
    assert 0 <= metrics["campaigns"]["median_error"] <= metrics["campaigns"]["worst_error"]


def test_slices_cover_every_event(trained):
    assert sum(row["events"] for row in trained.slices) == len(trained.data)
    assert {row["slice"] for row in trained.slices} == set(trained.data.slice)


def test_thresholds_keep_the_loss_of_out_of_fold_people_within_the_allowance(trained):
    shown = [name for name in KINDS if not any(note.startswith(name) for note in trained.notes)]
    assert shown
    for name in shown:
        assert trained.model.thresholds[name].allowance == 0.005
        assert trained.figures[name].loss.value <= 0.005 / 3
        assert trained.model.thresholds[name].automated >= LOWEST_AUTOMATED
    assert trained.model.thresholds[DEFAULT] == trained.model.thresholds["clicked"]


def test_where_people_are_too_few_the_thresholds_before_are_kept_and_a_note_says_so(trained):
    people = int((trained.data.y[trained.data.kind == UNSUBSCRIBE] == 0).sum())
    assert people < 100  # the sender is so small
    assert trained.model.thresholds["unsubscribed"] == BEFORE
    note = (
        f"unsubscribed: {people} labelled human events cannot show a loss of at most 0.50%;"
        " the threshold of the model before is kept"
    )
    assert note in trained.notes
    assert f"- {note}" in trained.model.card


def test_a_base_without_thresholds_of_the_kind_lends_its_default():
    data = rows([0, 1] * 30, kind=[OPEN, CLICK, UNSUBSCRIBE] * 20)
    margin = np.where(data.y == 1, 3.0, -3.0)
    calibration = fit_calibration(np.append(margin, [1.0, -1.0]), np.append(data.y, [0, 1]))
    fitted = Fit("", calibration, margin, calibration.apply(margin))
    opens = replace(BEFORE, automated=0.7)
    thresholds, notes = thresholds_by_kind(data, fitted, {DEFAULT: BEFORE, "opened": opens}, 0.005)
    assert thresholds == {"opened": opens, "clicked": BEFORE, "unsubscribed": BEFORE, DEFAULT: BEFORE}
    assert [note.split(":")[0] for note in notes] == list(KINDS)


def test_the_same_labels_and_seed_give_the_same_model(trained, sender, base):
    with opened(sender) as (con, capabilities):
        again = train(con, capabilities, base=base, choices=Choices(parameters=SMALL), created=CREATED, threads=1)
    assert again.model.version == trained.model.version


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        pytest.param(
            "automated",
            r"labels: ([\d,]+) of \1 labelled events are automated, and at least 50 of each kind are needed",
            id="machines alone",
        ),
        pytest.param("NOT automated", r"labels: 0 of [\d,]+ labelled events are automated", id="people alone"),
        pytest.param("FALSE", "labels: none of 0 is about an open, click or unsubscribe", id="labels of no event"),
        pytest.param(
            "event_id IN (SELECT event_id FROM events WHERE recipient_id IN (SELECT recipient_id FROM events"
            " JOIN labels USING (event_id) GROUP BY 1 ORDER BY count(DISTINCT automated) DESC, 1 LIMIT 19))",
            r"labels: [1-9]\d* recipient organisations, and 20 are needed to hold some out;"
            " label events of more recipients",
            id="few organisations",
        ),
    ],
)
def test_labels_that_cannot_teach_are_refused(sender, base, kept, message):
    with opened(sender) as (con, capabilities):
        con.execute(f"DELETE FROM labels WHERE NOT ({kept})")
        with pytest.raises(InputError, match=message):
            train(con, capabilities, base=base, choices=Choices(parameters=SMALL), created=CREATED, threads=1)


@settings(deadline=None)
@given(st.sets(st.sampled_from(CAPABILITIES), min_size=1), st.integers(0, 100_000))
def test_drawn_capabilities_are_fewer_and_the_same_for_the_same_seed(capabilities, seed):
    kept, coarse = draw_capabilities(capabilities, seed)
    assert kept < capabilities
    assert (kept, coarse) == draw_capabilities(frozenset(capabilities), seed)


def test_every_capability_is_masked_by_some_seed_and_kept_by_another():
    draws = [draw_capabilities(frozenset(CAPABILITIES), seed) for seed in range(60)]
    assert frozenset.union(*(kept for kept, _ in draws)) == frozenset(CAPABILITIES)
    assert frozenset.intersection(*(kept for kept, _ in draws)) == frozenset()
    assert {coarse for _, coarse in draws} == {True, False}


def test_of_no_capability_none_is_left():
    assert draw_capabilities(frozenset(), 1)[0] == frozenset()


def test_slices_by_property_are_out_of_fold_and_of_every_event(trained):
    of = {found.dimension for found in trained.properties}
    assert {"vendor", "actor", "device", "mailbox host", "network", "hour"} <= of
    for dimension in of:
        counted = [found.human + found.automated for found in trained.properties if found.dimension == dimension]
        assert sum(counted) == len(trained.data)
    [people] = [found for found in trained.properties if (found.dimension, found.name) == ("actor", "human")]
    assert people.loss.value == trained.figures["all"].loss.value


def test_the_last_fifth_in_time_is_judged_too(trained):
    assert 0 < trained.later["all"].human + trained.later["all"].automated <= 0.25 * len(trained.data)
    assert trained.model.manifest["metrics"]["later.all"] == trained.later["all"].flat()
