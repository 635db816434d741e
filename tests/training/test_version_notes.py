"""What a registered version says of itself, for whoever chooses between versions."""

from __future__ import annotations

import pytest

from tests.training.registered_models import FINDS_LESS, GOOD, LOSES, compared, quick_model
from training.version_notes import description, version_tags


@pytest.fixture(scope="module")
def trained():
    return quick_model()


def test_without_a_comparison_it_says_what_was_learnt(trained):
    said = description(trained, "abc")
    assert said.startswith(
        "Learnt from 400 events (labelled events) of 40 groups of recipients; it began with no trees. Out of fold"
    )
    assert "Against" not in said
    assert "champion" not in said
    assert said.endswith(f"Model {trained.model.version}, run abc.")
    assert version_tags(trained)["begun_with"] == "nothing"
    assert "compared_with" not in version_tags(trained)


def test_a_better_model_has_a_row_a_kind_and_nothing_against_it(trained):
    better = compared(GOOD, FINDS_LESS)
    lines = description(trained, "abc", better).splitlines()
    assert "| clicked | 500 | 500 | 0.00% | +0.00 [+0.00, +0.00] | 100.00% | +10.00 [+10.00, +10.00] |" in lines
    assert "Nothing speaks against this version." in lines
    tags = version_tags(trained, better)
    assert (tags["compared_with"], tags["against_it"]) == ("models:/clicksift/1", "nothing")


def test_what_speaks_against_a_model_is_said_in_words_and_kept_as_a_tag(trained):
    worse = compared(LOSES, GOOD)
    [reason] = worse.reasons_against()
    assert f"Against this version: it {reason}." in description(trained, "abc", worse)
    assert version_tags(trained, worse)["against_it"] == reason


def test_other_events_than_the_champions_are_named(trained):
    ours = trained.data.fingerprint()
    other = description(trained, "abc", champion={"data_fingerprint": "123"})
    assert f"Data {ours}: other than the 123 of the champion." in other
    same = description(trained, "abc", champion={"data_fingerprint": ours})
    assert f"Data {ours}: the same as the champion." in same
