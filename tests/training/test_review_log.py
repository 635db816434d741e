"""Decisions on the disk: a line each, the last of an event counts, and a crash costs at most the one being written."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.duckdb_engine import connect
from features.errors import InputError
from features.readers import read_events, read_labels
from training.dataset import label_notes
from training.review_log import LOG_COLUMNS, Decision, ReviewLog

KINDS = ["reviewed.jsonl", "reviewed.csv"]


def human(name: str, **more: str) -> Decision:
    return Decision(name, None, False, 1, **more)


def machine(name: str, **more: str) -> Decision:
    return Decision(name, None, True, 1, **more)


def taken_back(name: str) -> Decision:
    return Decision(name, None, None, 1)


def written(path: Path, *decisions: Decision) -> Path:
    log = ReviewLog(path)
    for decision in decisions:
        log.append(decision)
    return path


def labels(*paths: Path) -> dict[str, bool]:
    con = connect(threads=1)
    read_labels(con, list(paths))
    return dict(con.execute("SELECT coalesce(event_id, raw_ref), automated FROM labels").fetchall())


def test_a_decision_is_a_line_that_says_who_when_and_why(tmp_path):
    before = datetime.now(UTC)
    path = written(tmp_path / "new" / "reviewed.jsonl", machine("e1", who="anna", why="one link\nin each mail"))
    [line] = path.read_text().splitlines()
    row = json.loads(line)
    assert before <= datetime.fromisoformat(row.pop("when")) <= datetime.now(UTC)
    assert row == {
        **{"event_id": "e1", "raw_ref": None, "automated": True, "source": "reviewed", "weight": 20.0},
        **{"who": "anna", "why": "one link in each mail", "similar_events": 1},
    }


@pytest.mark.parametrize("name", KINDS)
def test_of_several_decisions_on_an_event_the_last_counts(tmp_path, name):
    decisions = [human("a"), machine("b"), machine("a"), human("b"), machine("c"), taken_back("c")]
    assert labels(written(tmp_path / name, *decisions)) == {"a": True, "b": False}


@pytest.mark.parametrize("name", KINDS)
def test_labels_carry_the_source_and_weight_of_reviews(tmp_path, name):
    con = connect(threads=1)
    read_labels(con, written(tmp_path / name, Decision(None, "log.csv:7", False, 3)))
    assert con.execute("SELECT * EXCLUDE actor FROM labels").fetchall() == [
        (None, "log.csv:7", False, "reviewed", 20.0)
    ]


def test_a_decision_overrules_the_labels_of_other_files_whatever_their_order(tmp_path):
    given_labels = tmp_path / "given.csv"
    given_labels.write_text("event_id,automated\na,true\nb,true\nc,false\n")
    reviewed = written(tmp_path / "reviewed.jsonl", human("a"), human("c"), taken_back("c"), human("d"))
    wanted = {"a": False, "b": True, "c": False, "d": False}
    assert labels(given_labels, reviewed) == labels(reviewed, given_labels) == wanted


def test_labels_that_nobody_reviewed_still_must_not_contradict_each_other(tmp_path):
    given_labels = tmp_path / "given.csv"
    given_labels.write_text("event_id,automated\na,true\nb,true\nb,false\n")
    reviewed = written(tmp_path / "reviewed.jsonl", human("a"))
    with pytest.raises(InputError, match=r"1 events are labelled both automated and human: b; keep one"):
        labels(given_labels, reviewed)


@pytest.mark.parametrize("name", KINDS)
def test_a_line_that_a_crash_cut_off_is_removed_and_said_and_the_others_stay(tmp_path, name):
    path = written(tmp_path / name, human("a"), machine("b"))
    whole = path.read_bytes()
    written(path, machine("c"))
    torn = path.read_bytes()[: len(whole) + 9]
    path.write_bytes(torn)
    log = ReviewLog(path)
    assert log.note == (
        f"{path}: the last line was cut off while it was written and is removed: {torn[len(whole) :].decode()}"
    )
    assert path.read_bytes() == whole
    log.append(human("d"))
    assert ReviewLog(path).note is None
    assert labels(path) == {"a": False, "b": True, "d": False}


def test_a_training_takes_a_file_with_a_line_cut_off_and_says_so(tmp_path):
    path = written(tmp_path / "reviewed.jsonl", human("a"), machine("b"))
    path.write_bytes(path.read_bytes()[:-30])
    con = connect(threads=1)
    assert read_labels(con, path) == 1
    con.execute("CREATE TEMP TABLE matched_labels AS SELECT 1 AS label")
    con.execute("CREATE TEMP TABLE event_labels AS SELECT FALSE AS differing")
    assert label_notes(con) == ("1 reviewed labels were cut off while they were written and are no labels",)


def test_a_cut_off_line_of_other_labels_is_still_refused(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text('{"event_id": "a", "automated": true}\n{"event_id": "b", "aut')
    with pytest.raises(InputError, match="cut off at the end of the file"):
        labels(path)


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_last_line_without_an_end_is_kept(tmp_path, name):
    path = written(tmp_path / name, human("a"))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    log = ReviewLog(path)
    assert log.note is None
    log.append(machine("b"))
    assert labels(path) == {"a": False, "b": True}


def test_a_full_disk_is_said_and_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = written(tmp_path / "reviewed.jsonl", human("a"))
    whole, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:10]))
    with pytest.raises(InputError, match=r"reviewed\.jsonl: cannot be written \(No space left on device\)"):
        ReviewLog(path).append(machine("b"))
    assert path.read_bytes() == whole


def test_nothing_decided_yet_is_no_mistake(tmp_path):
    con = connect(threads=1)
    assert ReviewLog(tmp_path / "reviewed.jsonl").decisions(con) == 0
    assert not (tmp_path / "reviewed.jsonl").exists()
    path = written(tmp_path / "reviewed.jsonl", human("a"), taken_back("a"))
    assert ReviewLog(path).decisions(con) == 0


def test_cells_that_a_spreadsheet_would_run_are_defused_and_read_back(tmp_path):
    path = written(tmp_path / "reviewed.csv", machine("=1+1", who="@anna", why="-2, +3"))
    with path.open(newline="") as file:
        [row] = csv.DictReader(file)
    assert tuple(row) == LOG_COLUMNS
    assert (row["event_id"], row["who"], row["why"]) == ("'=1+1", "'@anna", "'-2, +3")
    assert labels(path) == {"=1+1": True}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    {
        "a format that is not appended to": ("reviewed.parquet", "", "name it reviewed.jsonl"),
        "a table of other columns": (
            "reviewed.csv",
            "event_id,automated\na,1\n",
            "has the columns event_id, automated",
        ),
        "a folder": ("folder.jsonl/reviewed.jsonl", "{}\n", "is a folder"),
    }.values(),
)
def test_other_files_are_refused(tmp_path, name, content, words):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        ReviewLog(path.parent if "folder" in name else path)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=12)


@pytest.mark.parametrize("name", KINDS)
@given(events=st.lists(NAMES.filter(lambda text: not text.startswith("'")), min_size=1, unique=True), why=st.text())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_event_is_called_and_the_reason_is_the_label_is_read_back(tmp_path, name, events, why):
    path = tmp_path / name
    path.unlink(missing_ok=True)
    written(path, *(machine(each, why=why) for each in events))
    assert labels(path) == dict.fromkeys(events, True)


def test_a_time_in_labels_of_other_kinds_decides_nothing(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("event_id,automated,when\na,true,2026-03-01T10:00:00Z\na,false,2026-03-02T10:00:00Z\n")
    with pytest.raises(InputError, match="1 events are labelled both automated and human: a"):
        labels(path)


@pytest.mark.parametrize("name", KINDS)
def test_decisions_that_lie_beside_events_are_not_read_as_events(tmp_path, name):
    written(tmp_path / "may" / name, human("a", who="anna", why="no"))
    (tmp_path / "may" / "events.csv").write_text("event,time,message_id\nclick,2026-03-01T10:00:00Z,m\n")
    con = connect(threads=1)
    assert read_events(con, [tmp_path / "may"]).events == 1
