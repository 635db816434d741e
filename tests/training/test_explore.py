"""Files explored for looking at: which ones, how their events line up, and what is refused."""

from __future__ import annotations

import os
from datetime import date

import numpy as np
import pytest

from features.errors import InputError
from serving.model import BotClickModel
from training.explore import CAMPAIGNS, EVENTS, LABELS, OUTCOMES, Files, judge, open_labelled, own_files, simulated


@pytest.fixture
def no_variables(monkeypatch):
    for name in (EVENTS, CAMPAIGNS, LABELS):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_variables_there_are_no_files_of_ones_own(no_variables):
    assert own_files() is None


def test_the_environment_names_several_files_of_a_kind(no_variables):
    no_variables.setenv(EVENTS, os.pathsep.join(["may/", "june/"]))
    no_variables.setenv(CAMPAIGNS, "campaigns.csv")
    no_variables.setenv(LABELS, "may.csv")
    assert own_files() == Files(["may/", "june/"], "campaigns.csv", ["may.csv"])


def test_a_simulated_sender_is_removed_with_its_files():
    files = simulated(seed=1, messages=50)
    folder = files.folder
    assert judge(files).scored.events > 0
    assert files.store == f"sqlite:///{folder}/mlflow.db"
    del files
    assert not folder.exists()


def test_judged_events_are_those_of_the_verdicts(explored_sender):
    judged = judge(
        Files([explored_sender / "events.parquet"], explored_sender / "campaigns.parquet", folder=explored_sender)
    )
    assert len(judged.events) == judged.scored.judged
    assert set(judged.events["verdict"]) <= {"human", "automated", "unsure"}
    assert judged.events["network"].notna().all()
    assert judged.events["agent"].notna().all()


def test_rows_of_labelled_events_are_the_same_event_everywhere(explored):
    assert len(explored) == len(explored.events) == len(explored.properties) == len(explored.probability) > 500
    assert explored.events["is_automated"].astype(int).tolist() == explored.data.y.tolist()
    assert (
        explored.events["event_type"].map(["opened", "clicked", "unsubscribed"].index).tolist()
        == explored.data.kind.tolist()
    )
    assert explored.events["message"].tolist() == explored.data.message.tolist()
    assert explored.properties["event type"].tolist() == explored.events["event_type"].tolist()
    assert (
        explored.events["timestamp"].dt.tz_convert("UTC").astype("datetime64[us, UTC]").astype(np.int64)
        == explored.data.us
    ).all()


def test_an_outcome_says_whose_the_event_is_and_what_it_is_called(explored):
    events = explored.events
    for (label, verdict), outcome in OUTCOMES.items():
        mine = (events["is_automated"] == bool(label)) & (events["verdict"] == verdict)
        assert (events.loc[mine, "outcome"] == outcome).all()
        assert explored.rows(outcome).tolist() == np.flatnonzero(mine).tolist()


def test_contributions_sum_to_the_margin(explored):
    bias = explored.model.booster.predict_raw(explored.inputs[:50]) - explored.contributions[:50].sum(axis=1)
    assert bias == pytest.approx(np.full(50, bias[0]), abs=1e-3)


def test_a_model_that_was_trained_on_the_labels_is_pointed_out(explored_sender, explored, base):
    manifest = {**base.manifest["training"], "data_fingerprint": explored.data.fingerprint()}
    trained_on_them = BotClickModel.create(
        base.booster_text,
        base.calibration,
        base.thresholds,
        base.card,
        created=date(2026, 3, 2),
        feature_names=base.feature_names,
        feature_fingerprint=base.manifest["feature_fingerprint"],
        reference={},
        training=manifest,
        metrics={},
    )
    files = [explored_sender / f"{name}.parquet" for name in ("events", "campaigns", "labels")]
    again = open_labelled(Files(files[:1], files[1], files[2:], folder=explored_sender), trained_on_them)
    assert any("was trained on these labels" in note for note in again.notes)
    assert not any("was trained" in note for note in explored.notes)


def test_labels_are_asked_for_where_there_are_none(explored_sender):
    with pytest.raises(InputError, match="labels: none are named; set CLICKSIFT_LABELS"):
        open_labelled(Files([explored_sender / "events.parquet"], folder=explored_sender))


def test_labels_of_other_events_are_refused(explored_sender, tmp_path):
    (tmp_path / "labels.csv").write_text("event_id,automated\nnobody,true\n")
    with pytest.raises(InputError, match="labels: none is about an open, click or unsubscribe"):
        open_labelled(
            Files([explored_sender / "events.parquet"], labels=[tmp_path / "labels.csv"], folder=explored_sender)
        )
