"""The schema is consistent with itself: names, words and aliases cannot contradict each other."""

from __future__ import annotations

import re

import pytest

from features import schema
from features.readers.columns import folded


@pytest.mark.parametrize("columns", [schema.EVENT_COLUMNS, schema.CAMPAIGN_COLUMNS, schema.LABEL_COLUMNS])
def test_column_names_are_unique_identifiers_and_every_column_is_described(columns):
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    for column in columns:
        assert re.fullmatch("[a-z][a-z_]*", column.name)
        assert column.description
        assert column.type == column.type.upper()


@pytest.mark.parametrize(
    ("aliases", "columns"),
    [
        (schema.COLUMN_ALIASES, schema.EVENT_COLUMNS),
        (schema.LABEL_ALIASES, schema.LABEL_COLUMNS),
        (schema.CAMPAIGN_ALIASES, schema.CAMPAIGN_COLUMNS),
    ],
    ids=["events", "labels", "campaigns"],
)
def test_every_alias_belongs_to_one_column_and_is_spelt_as_it_is_compared(aliases, columns):
    assert aliases.keys() <= {column.name for column in columns}
    spellings = [spelling for name, others in aliases.items() for spelling in (name, *others)]
    assert len(set(spellings)) == len(spellings)
    assert [folded(spelling) for spelling in spellings] == spellings


def test_labels_and_campaigns_know_all_their_columns():
    assert schema.LABEL_ALIASES.keys() == {column.name for column in schema.LABEL_COLUMNS}
    assert schema.CAMPAIGN_ALIASES.keys() == {column.name for column in schema.CAMPAIGN_COLUMNS}


def test_every_event_word_means_one_thing_and_the_canonical_word_is_read_too():
    words = [word for words in schema.EVENT_WORDS.values() for word in words]
    assert len(set(words)) == len(words)
    assert [folded(word) for word in words] == words
    for canonical, spellings in schema.EVENT_WORDS.items():
        assert canonical in spellings
        assert canonical.endswith(("ed", "sent"))
    assert schema.UNKNOWN_EVENT not in words


def test_the_judged_events_are_canonical_words():
    assert set(schema.ENGAGEMENT) <= schema.EVENT_WORDS.keys()
