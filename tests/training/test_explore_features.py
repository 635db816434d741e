"""Features looked at: their values have names, their shares add up, and what differs is seen to differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.catalog import CATEGORICAL, FEATURE_NAMES, FEATURES
from training import explore_feature_plots as plots
from training import explore_features as look
from training.explore import LOST


def with_values(explored, name, values, y):
    """The first events with these values of a feature and these labels."""
    n = len(values)
    data = explored.data.take(np.arange(n))
    X = data.X.copy()
    X[:, FEATURE_NAMES.index(name)] = values
    return replace(explored, data=replace(data, X=X, y=np.array(y, dtype=np.int8)))


def test_codes_have_names():
    assert set(look.CODE_NAMES) == set(CATEGORICAL)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_a_distribution_that_adds_up(explored, feature):
    found = look.distribution(explored, feature.name)
    assert found.sum().tolist() == pytest.approx([1, 1])
    assert found.index[-1] == "not known"
    assert found.index.is_unique


def test_seconds_fall_into_the_bins_that_are_named_for_them(explored):
    seconds = [-3, 0, 1, 1.5, 60, 61, 90_000, np.nan]
    few = with_values(explored, "since_arrival_s", seconds, [0, 0, 0, 1, 1, 1, 1, 1])
    found = look.distribution(few, "since_arrival_s")
    assert found["people"][lambda s: s > 0].to_dict() == pytest.approx({"before": 1 / 3, "to 1 s": 2 / 3})
    expected = dict.fromkeys(("to 10 s", "to 1 min", "to 10 min", "longer", "not known"), 1 / 5)
    assert found["machines"][lambda s: s > 0].to_dict() == pytest.approx(expected)


def test_codes_beyond_the_commonest_are_others(explored, monkeypatch):
    monkeypatch.setattr(look, "MOST_CODES", 2)
    few = with_values(explored, "device", [0, 0, 0, 1, 1, 2, np.nan, 3], [0] * 8)
    found = look.distribution(few, "device")
    assert found["people"].to_dict() == {"desktop": 3 / 8, "mobile": 2 / 8, "others": 2 / 8, "not known": 1 / 8}


def test_importance_is_shares_of_all_features(explored):
    found = look.importance(explored, asked=20)
    assert sorted(found.index) == sorted(FEATURE_NAMES)
    assert found[["gain", "here"]].sum().tolist() == pytest.approx([1, 1])
    assert found["here"].is_monotonic_decreasing
    assert found.loc["as_category", "group"] == "network"


def test_a_campaign_that_is_unlike_the_others_is_seen(explored):
    names = ["method", "since_arrival_s"]
    plain = look.stability(explored, names)
    odd = plain.columns[-1]
    X = explored.data.X.copy()
    X[(explored.events["campaign_id"] == odd).to_numpy(), FEATURE_NAMES.index("since_arrival_s")] = 5.0
    found = look.stability(replace(explored, data=replace(explored.data, X=X)), names)
    assert found.loc["since_arrival_s", odd] > 1 > plain.loc["since_arrival_s", odd]
    assert found.loc["method"].tolist() == plain.loc["method"].tolist()


def test_campaigns_stand_in_the_order_of_their_first_events(explored):
    found = look.stability(explored, ["device"])
    first = explored.events.groupby("campaign_id")["timestamp"].min()
    assert first[found.columns].is_monotonic_increasing


def test_mistakes_of_a_campaign_are_shares_of_its_people_and_machines(explored):
    campaigns = look.stability(explored, ["device"]).columns.tolist()
    found = look.mistakes_by_campaign(explored, campaigns)
    assert found.index.tolist() == campaigns
    mine = explored.events[(explored.events["campaign_id"] == campaigns[0]) & ~explored.events["is_automated"]]
    assert found.loc[campaigns[0], "people lost"] == pytest.approx((mine["outcome"] == LOST).mean())


def test_pictures_name_what_they_show(explored, tmp_path):
    importance = look.importance(explored, asked=20)
    stability = look.stability(explored, importance.index[:5].tolist())
    mistakes = look.mistakes_by_campaign(explored, stability.columns.tolist())
    distributions = plots.distribution_plot(explored, importance.index[:4].tolist())
    shown = [axes.get_title(loc="left") for axes in distributions.axes if axes.get_visible()]
    assert shown == importance.index[:4].tolist()
    drawn = (distributions, plots.importance_plot(importance), plots.stability_plot(stability, mistakes))
    for number, figure in enumerate(drawn):
        figure.savefig(tmp_path / f"{number}.png", dpi=40)
        assert (tmp_path / f"{number}.png").stat().st_size > 2_000
