"""A sitting: forth and back through its cases, each decision on the disk before the next."""

from __future__ import annotations

import doctest
import json

import pytest

from features.duckdb_engine import connect
from features.errors import InputError
from features.readers import read_labels
from tests.training.review_rows import several, sitting
from training import review_words
from training.review import open_review


def kept(review):
    """The decisions that count, by event."""
    con = connect(threads=1)
    read_labels(con, review.log.path, may_be_none=True)
    return dict(con.execute("SELECT event_id, automated FROM labels").fetchall())


def test_each_decision_is_in_the_file_before_the_next_case_comes(tmp_path):
    review = sitting(tmp_path, several(3))
    for number, automated in enumerate([True, False, True], start=1):
        review.decide(automated, " a reason " if automated else " ")
        assert len(review.log.path.read_text().splitlines()) == number
    assert review.case is None
    assert (review.human, review.automated) == (1, 2)
    assert kept(review) == {"c0": True, "c1": False, "c2": True}
    lines = [json.loads(line) for line in review.log.path.read_text().splitlines()]
    assert [(line["who"], line["why"]) for line in lines] == [
        ("anna", "a reason"),
        ("anna", None),
        ("anna", "a reason"),
    ]


def test_going_back_lets_a_decision_be_replaced_or_taken_back(tmp_path):
    review = sitting(tmp_path, several(3))
    review.decide(automated=True)
    review.decide(automated=True)
    review.back()
    review.back()
    review.decide(automated=False)
    review.skip()
    assert (review.position, review.decided, kept(review)) == (2, {0: False}, {"c0": False})


def test_a_skipped_case_leaves_no_line_and_is_asked_again(tmp_path):
    review = sitting(tmp_path, several(2))
    review.skip()
    assert not review.log.path.exists()
    assert [case.event_id for case in sitting(tmp_path, several(2)).cases] == ["c0", "c1"]


def test_the_ends_are_not_passed(tmp_path):
    review = sitting(tmp_path, several(1))
    review.back()
    assert review.position == 0
    review.skip()
    review.skip()
    assert (review.position, review.case) == (1, None)
    with pytest.raises(IndexError):
        review.go_to(1)


@pytest.mark.parametrize("labels", ["scored.csv", "given.csv"])
def test_decisions_are_not_appended_to_what_is_read(tmp_path, labels):
    sitting(tmp_path, several(1))
    given = tmp_path / "given.csv"
    given.write_text("event_id,automated\nc0,true\n")
    with pytest.raises(InputError, match=rf"{labels}: is read, and decisions are appended"):
        open_review(tmp_path / "scored.csv", tmp_path / labels, check=given)


def test_who_decides_is_the_login_unless_somebody_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "berta")
    sitting(tmp_path, several(1))
    assert open_review(tmp_path / "scored.csv", tmp_path / "r.jsonl", threads=1).who == "berta"


def test_the_examples_in_the_words_are_true():
    assert doctest.testmod(review_words).failed == 0
