"""Mistakes looked at: what they cost, what pushed them, what is like them, and labels that are wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.training.explored_sender import with_flipped_labels, write_sender
from training import explore_error_plots as plots
from training import explore_errors as errors
from training.explore import LOST, MISSED, OUTCOMES, REASON_NAMES, Files, open_labelled


@pytest.fixture(scope="module")
def cases(explored):
    return pd.concat([errors.costliest(explored, LOST), errors.costliest(explored, MISSED)])


def test_the_sender_has_mistakes_of_both_kinds(explored):
    assert len(explored.rows(LOST)) > 2
    assert len(explored.rows(MISSED)) > 2


def test_the_confusion_counts_every_event_once(explored):
    table = errors.confusion(explored)
    assert table.columns.tolist() == list(OUTCOMES.values())
    assert table.loc["all"].sum() == len(explored)
    assert table.drop(index="all").sum().tolist() == table.loc["all"].tolist()
    assert table.loc["clicked", LOST] == (explored.events.loc[explored.rows(LOST), "event_type"] == "clicked").sum()


def test_slices_have_the_labels_sources_and_count_all_events(explored):
    found = errors.slices(explored)
    by_source = found[found["dimension"] == errors.SOURCE]
    assert by_source["human"].sum() + by_source["automated"].sum() == len(explored)
    assert {"vendor", "network", "hour"} <= set(found["dimension"])


def test_what_a_mistake_costs_is_what_its_message_does_to_unique_figures(explored):
    events = explored.events
    for row, case in errors.costliest(explored, LOST, 50).iterrows():
        beside = events[(events["message"] == case["message"]) & (events["event_type"] == case["event_type"])]
        assert case["cost"] == pytest.approx(1 - (1 - beside["probability"]).max())
        assert events.loc[row, "outcome"] == LOST
    for _, case in errors.costliest(explored, MISSED, 50).iterrows():
        beside = events[(events["message"] == case["message"]) & (events["event_type"] == case["event_type"])]
        people = float((~beside["is_automated"]).any())
        assert case["cost"] == pytest.approx(max(0, (1 - beside["probability"]).max() - people))


def test_the_costliest_are_of_different_messages(explored):
    found = errors.costliest(explored, MISSED, 50)
    assert found["message"].is_unique
    assert len(found) > 2


def test_only_mistakes_have_a_cost(explored):
    with pytest.raises(ValueError, match="machine found: expected person lost or machine missed"):
        errors.costliest(explored, "machine found")


def test_a_message_has_all_its_events_in_time(explored, cases):
    message = cases["message"].iloc[0]
    found = errors.message_events(explored, message)
    mine = explored.events[explored.events["message"] == message]
    assert set(found["event_row"]) == set(mine["event_row"])
    assert found["timestamp"].is_monotonic_increasing
    assert found.set_index("event_row")["probability"].to_dict() == mine.set_index("event_row")["probability"].to_dict()


def test_contributions_come_with_the_strongest_reason_first(explored, cases):
    found = errors.contributions(explored, cases.index.to_numpy())
    assert set(found.index) == set(REASON_NAMES)
    assert found.abs().max(axis=1).is_monotonic_decreasing
    first = cases.index[0]
    assert found[first].sum() == pytest.approx(explored.contributions[first].sum())


def test_words_tell_both_sides_and_leave_no_table_behind(explored, cases):
    found = errors.words(explored, cases.index.to_numpy())
    assert found.index.tolist() == cases.index.tolist()
    assert found.str.contains("like a machine: |like a person: ").all()
    tables = {name for (name,) in explored.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert not {"predicted", "explained", "reputations"} & tables


def test_neighbours_are_of_other_messages_and_of_the_same_type_nearest_first(explored, cases):
    row = cases.index[0]
    found = errors.neighbours(explored, row, 5)
    assert len(found) == 5
    assert found["distance"].is_monotonic_increasing
    assert (found["event_type"] == cases.loc[row, "event_type"]).all()
    assert cases.loc[row, "message"] not in set(explored.events.loc[found.index, "message"])
    apart = np.linalg.norm(explored.contributions[found.index[0]] - explored.contributions[row])
    assert found["distance"].iloc[0] == pytest.approx(apart)


def test_neighbours_of_clear_events_have_their_label(explored):
    order = np.argsort(explored.probability)
    rows = np.concatenate([order[:20], order[-20:]])
    assert explored.data.y[rows].tolist() == [0] * 20 + [1] * 20
    assert errors.neighbour_shares(explored, rows).round().tolist() == [0.0] * 20 + [1.0] * 20


def flipped_rows(explored):
    """Ten events of three kinds that the model is right about: scanners' clicks, prefetched opens, people's clicks."""
    events = explored.events
    is_right = (events["probability"] - events["is_automated"]).abs() < 0.1
    kinds = (
        events["is_automated"] & (events["event_type"] == "clicked") & ~events["source"].str.contains("preview"),
        events["source"] == "simulated: apple mail privacy",
        ~events["is_automated"] & (events["event_type"] == "clicked"),
    )
    generator = np.random.default_rng(1)
    rows = [
        generator.choice(np.flatnonzero(kind & is_right), n, replace=False)
        for kind, n in zip(kinds, (4, 3, 3), strict=True)
    ]
    return np.concatenate(rows).tolist()


@pytest.mark.parametrize("seed", [5, 8])
def test_ten_flipped_labels_of_three_kinds_are_among_the_first_thirty_suspects(seed, tmp_path):
    folder = write_sender(tmp_path, seed, 2_000)
    files = [folder / f"{name}.parquet" for name in ("events", "campaigns", "labels")]
    given = open_labelled(Files(files[:1], files[1], files[2:], folder=folder))
    wrong = flipped_rows(given)
    found = errors.suspects(with_flipped_labels(given, wrong, folder), 30)
    assert len(found) <= 30
    assert set(wrong) <= set(found.index)


def test_what_is_off_is_not_known(explored):
    table = errors.what_if(explored)
    assert table.index.tolist() == ["none", *errors.GROUPS]
    people = explored.data.y == 0
    assert table.loc["none", "people lost"] == len(explored.rows(LOST)) / people.sum()
    assert table.loc["network", "machines found"] < table.loc["none", "machines found"]


def test_the_probability_of_a_case_as_it_is_stands_first(explored, cases):
    found = errors.what_if_of(explored, cases.index.to_numpy())
    assert found["none"].tolist() == explored.probability[cases.index].tolist()
    assert (found["network"] != found["none"]).any()


def test_clusters_hold_each_mistake_once_and_none_of_both_kinds(explored):
    numbers = errors.cluster(explored)
    assert sorted(numbers.index) == sorted(explored.rows(LOST, MISSED))
    outcomes = explored.events.loc[numbers.index, "outcome"].groupby(numbers.to_numpy()).unique()
    assert (outcomes.str.len() == 1).all()
    table = errors.clusters(explored, numbers)
    assert table["events"].tolist() == numbers.value_counts().sort_index().tolist()
    assert table.index.tolist() == list(range(1, len(table) + 1))
    for outcome in (LOST, MISSED):
        assert table.loc[table["outcome"] == outcome, "events"].is_monotonic_decreasing


def test_a_sender_without_mistakes_has_no_clusters(explored):
    right = explored.events.assign(outcome="person kept")
    numbers = errors.cluster(replace(explored, events=right))
    assert numbers.empty
    assert errors.clusters(explored, numbers).empty


def test_pictures_are_drawn_of_every_case(explored, cases, tmp_path):
    rows = cases.index.to_numpy()
    suspects = errors.suspects(explored)
    numbers = errors.cluster(explored)
    timeline = plots.timeline_plot(explored, cases)
    assert [axes.get_title(loc="left").split(",")[0] for axes in timeline.axes] == cases["outcome"].tolist()
    drawn = [
        timeline,
        plots.slice_plot(errors.slices(explored)),
        plots.contribution_plot(explored, cases),
        plots.neighbour_plot(explored, suspects),
        plots.what_if_plot(errors.what_if(explored), errors.what_if_of(explored, rows), explored),
        plots.cluster_plot(explored, numbers),
    ]
    for number, figure in enumerate(drawn):
        figure.savefig(tmp_path / f"{number}.png", dpi=40)
        assert (tmp_path / f"{number}.png").stat().st_size > 2_000


def test_pictures_of_no_mistakes_are_empty_and_no_error(explored, tmp_path):
    none, nobody = errors.costliest(explored, LOST, 0), np.empty(0, dtype=np.int64)
    plots.timeline_plot(explored, none).savefig(tmp_path / "a.png", dpi=40)
    plots.contribution_plot(explored, none).savefig(tmp_path / "b.png", dpi=40)
    plots.cluster_plot(explored, errors.cluster(explored).iloc[:0]).savefig(tmp_path / "c.png", dpi=40)
    of_cases = errors.what_if_of(explored, nobody)
    plots.what_if_plot(errors.what_if(explored), of_cases, explored).savefig(tmp_path / "d.png", dpi=40)
    plots.neighbour_plot(explored, errors.suspects(explored, 0)).savefig(tmp_path / "e.png", dpi=40)
