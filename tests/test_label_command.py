"""`clicksift label`: evidence, reviews and the file to fill in, from the command line."""

import csv
import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from training.ranges import Choice, Range
from training.simulation import simulate
from training.world import ORDINARY


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A folder with events, campaigns, labels, and conversions.csv: what followed a few clicks of people's."""
    folder = tmp_path_factory.mktemp("sender")
    world = {**ORDINARY.world, "honeypot_share": Range(0.9, 1.0), "opens": Choice((True,)), "campaigns": Choice((2,))}
    made = simulate(4, 400, profile=dataclasses.replace(ORDINARY, world=world))
    made.write(folder)
    people = dict(zip(made.labels["event_id"].to_pylist(), made.labels["automated"].to_pylist(), strict=True))
    rows = [
        (row["message_id"], row["timestamp"].isoformat(), row["ip"])
        for row in made.events.to_pylist()
        if row["event_type"] == "click" and not people[row["event_id"]]
    ]
    (folder / "conversions.csv").write_text(
        "message_id,timestamp,ip\n" + "".join(f"{message},{time},{ip or ''}\n" for message, time, ip in rows[::3])
    )
    return folder


@pytest.fixture
def run(in_process):
    """`clicksift label` on one thread."""
    return lambda *arguments: in_process("label", *arguments, "--threads", "1")


def test_labels_are_written_and_every_source_is_shown(run, sender):
    code, stdout, stderr = run(
        *(sender / "events.parquet", "--campaigns", sender / "campaigns.parquet"),
        *("--conversions", sender / "conversions.csv", "-o", "out/labels.parquet"),
    )
    assert (code, stderr) == (0, "")
    labels = pq.read_table("out/labels.parquet").to_pylist()
    truth = {row["event_id"]: row["automated"] for row in pq.read_table(sender / "labels.parquet").to_pylist()}
    assert {source for row in labels for source in row["source"].split(" + ")} >= {"honeypot", "conversion"}
    assert all(truth[row["event_id"]] == row["automated"] for row in labels)
    people = sum(not row["automated"] for row in labels)
    assert (
        f"{len(labels):,} of {len(truth):,} events are labelled: {people:,} as people's, {len(labels) - people:,} as"
        " machines'. The others stay unlabelled."
    ) in stdout
    for words in ("honeypot ", "conversion ", "unlabelled ", "Labels are in out/labels.parquet."):
        assert words in stdout
    assert max(map(len, stdout[: stdout.index(" events are labelled")].splitlines())) <= 100


def test_a_file_to_review_comes_back_filled_in(run, sender):
    code, stdout, _ = run(
        *(sender / "events.parquet", "-o", "labels.parquet", "--suggest", 20, "--review-file", "review.csv")
    )
    assert code == 0
    assert "20 rows to review are in review.csv" in stdout
    with Path("review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    for n, row in enumerate(rows[:5]):
        row["automated"] = "bot" if n < 2 else "human"
    with Path("filled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    code, stdout, stderr = run(sender / "events.parquet", "--reviewed", "filled.csv", "-o", "labels.parquet")
    assert (code, stderr) == (0, "")
    reviewed = [row for row in pq.read_table("labels.parquet").to_pylist() if row["source"] == "reviewed"]
    assert [(row["automated"], row["weight"]) for row in sorted(reviewed, key=lambda row: not row["automated"])] == [
        *[(True, 20.0)] * 2,
        *[(False, 20.0)] * 3,
    ]
    assert "Note: 15 rows to review are not filled in and are no labels." in stdout


def test_without_anything_to_go_by_nothing_is_labelled_and_the_notes_say_why(run, tmp_path):
    events = pa.table({"event_type": ["click"], "timestamp": ["2026-03-01T10:00:00Z"], "message_id": ["m"]})
    pa.csv.write_csv(events, tmp_path / "events.csv")
    code, stdout, _ = run("events.csv", "-o", "labels.parquet")
    assert code == 0
    assert "0 of 1 events are labelled" in stdout
    assert "Note: vendor prefix: the events have no client addresses." in stdout
    assert pq.read_table("labels.parquet").num_rows == 0


REFUSED = {
    "no Parquet": (["EVENTS", "-o", "labels.csv"], "labels are written as Parquet; name it labels.parquet"),
    "a number alone": (["EVENTS", "-o", "l.parquet", "--suggest", "5"], "--suggest and --review-file go together"),
    "a file alone": (
        ["EVENTS", "-o", "l.parquet", "--review-file", "r.csv"],
        "--suggest and --review-file go together",
    ),
    "no CSV": (
        ["EVENTS", "-o", "l.parquet", "--suggest", "5", "--review-file", "r.xlsx"],
        "rows are written as CSV; name it r.csv",
    ),
    "output is read": (["EVENTS", "-o", "l.parquet", "--reviewed", "l.parquet"], "l.parquet is also read"),
    "no such conversions": (["EVENTS", "-o", "l.parquet", "--conversions", "absent.csv"], "absent.csv"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(run, sender, arguments, words):
    pq.write_table(pa.table({"event_id": ["a"], "automated": [True]}), "l.parquet")
    code, stdout, stderr = run(
        *(sender / "events.parquet" if argument == "EVENTS" else argument for argument in arguments)
    )
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1
