from collections import Counter
from dataclasses import replace

import pytest

from features import catalog
from features.catalog import CATEGORICAL, FEATURE_NAMES, FEATURES, fingerprint
from features.feature import CAPABILITIES


def test_there_are_at_least_forty_features_over_all_groups():
    groups = Counter(feature.group for feature in FEATURES)
    assert sum(groups.values()) >= 40
    assert set(groups) == {"timing", "network", "user agent", "click pattern", "population"}


def test_names_are_unique():
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_says_what_it_is(feature):
    assert feature.description.endswith(".")
    assert feature.window
    assert feature.needs <= set(CAPABILITIES)
    assert (feature.name in CATEGORICAL) == (feature.unit == "code")


@pytest.mark.parametrize("word", ["version", "hour", "weekday", "date", "campaign_id", "message_id"])
def test_no_feature_is_an_absolute_time_version_or_id(word):
    assert word not in FEATURE_NAMES


def test_the_fingerprint_changes_with_any_feature(monkeypatch):
    before = fingerprint()
    changed = (replace(FEATURES[0], sql=f"{FEATURES[0].sql} + 1"), *FEATURES[1:])
    monkeypatch.setattr(catalog, "FEATURES", changed)
    assert fingerprint() != before
