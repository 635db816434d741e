"""What stands for an organisation: counted as `labelled` groups, said in a sentence and warned of where it is thin."""

from __future__ import annotations

from collections import Counter

import pytest

from features.feature import CAPABILITIES
from tests.features.event_tables import clicked, link
from tests.training.test_slices import labelled_tables
from training.dataset import labelled
from training.groups import GroupCounts, group_counts

EVENTS = [
    {"recipient_id": "r1", "recipient_domain": "acme.example"},
    {"recipient_id": "r2", "recipient_domain": "acme.example"},
    {"recipient_id": "r3", "recipient_domain": "gmail.com"},
    {"recipient_id": "r4", "recipient_domain": "gmail.com"},
    {"recipient_id": "r5", "recipient_domain": None},
    {"recipient_id": None, "recipient_domain": None, "message_id": "m8"},
    {"recipient_id": None, "recipient_domain": "gmail.com", "message_id": "m9"},
    {"recipient_id": None, "recipient_domain": None, "message_id": "m9"},
]


@pytest.fixture
def con():
    """The events above, all but the last labelled."""
    labels = [True] * 7 + [None]
    return labelled_tables([(clicked(9, url=link(1), **row), label) for row, label in zip(EVENTS, labels, strict=True)])


def test_labelled_events_are_counted_by_what_their_organisation_is(con):
    data = labelled(con, frozenset(CAPABILITIES))
    counts = group_counts(con)
    assert counts == GroupCounts(domain=2, consumer_recipient=2, recipient=1, message=2)
    # One domain, and every other event by itself.
    assert sorted(Counter(data.organisation.tolist()).values()) == [1, 1, 1, 1, 1, 2]


def test_a_sentence_names_what_there_is_and_nothing_else():
    assert GroupCounts(1_200, 300, 0, 0).sentence == (
        "Events are grouped into organisations: 1,200 by recipient domain; 300 by recipient, at consumer mailbox hosts."
    )
    assert GroupCounts(0, 0, 5, 7).sentence == (
        "Events are grouped into organisations: 5 by recipient, since no domain is given; 7 by message, since neither"
        " recipient nor domain is given."
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (GroupCounts(1_000, 200, 5, 0), "5 of 1,205 labelled events have no recipient domain: each recipient stands"),
        (
            GroupCounts(0, 0, 5, 7),
            "12 of 12 labelled events have no recipient domain: each recipient or message stands",
        ),
        (GroupCounts(0, 0, 0, 7), "7 of 7 labelled events have no recipient domain: each message stands"),
    ],
)
def test_where_organisations_cannot_be_told_a_note_says_so(counts, words):
    [note] = counts.notes
    assert note.startswith(words)


def test_where_all_have_domains_there_is_no_note():
    assert GroupCounts(1_000, 200, 0, 0).notes == ()
