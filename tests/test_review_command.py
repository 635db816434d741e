"""`clicksift review`: from a scored file to labels that label and train take."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.serving.scored_files import score_to, small_sender
from tests.training.review_rows import scored_file, several


@pytest.fixture
def review(in_process, monkeypatch):
    """`clicksift review` on these lines of input: (exit code, stdout, stderr)."""

    def run(lines, *arguments):
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        return in_process("review", *arguments, "--threads", "1")

    return run


def decided(path="reviewed.jsonl"):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_decisions_are_appended_and_the_next_sitting_goes_on(review):
    scored_file(Path("scored.csv"), several(5))
    code, stdout, stderr = review("h\nm a program\nq\n", "scored.csv", "--who", "anna")
    assert (code, stderr) == (0, "")
    assert stdout.endswith(
        "2 of 5 cases decided: 1 human, 1 machine. They are in reviewed.jsonl; clicksift train --labels and clicksift"
        " label --reviewed take it.\n"
    )
    code, stdout, _ = review("m\n", "scored.csv", "--most", 2)
    assert code == 0
    assert "Case 1 of 2" in stdout
    assert [(row["event_id"], row["automated"], row["why"]) for row in decided()] == [
        ("c0", False, None),
        ("c1", True, "a program"),
        ("c2", True, None),
    ]
    assert review("s\ns\n", "scored.csv")[1].endswith("Nothing was decided.\n")
    review("m\nm\n", "scored.csv")
    assert review("", "scored.csv")[:2] == (0, "There is nothing to decide.\n")


def test_a_line_that_a_crash_cut_off_is_said(review):
    scored_file(Path("scored.csv"), several(2))
    review("m\n", "scored.csv")
    with Path("reviewed.jsonl").open("a") as file:
        file.write('{"event_id": "c1", "autom')
    code, stdout, _ = review("", "scored.csv")
    assert code == 0
    said = 'the last line was cut off while it was written and is removed: {"event_id": "c1", "autom.'
    assert stdout.startswith(f"Note: reviewed.jsonl: {said}\n")


def test_label_takes_the_decisions_as_the_last_word(review, in_process):
    sender = small_sender(7, messages=300)
    sender.write(Path("sender"))
    score_to(Path("scored.parquet"), Path("sender/events.parquet"))
    review("h\nm\nb\nh\nm\n", "scored.parquet", "--most", 3, "--labels", "reviewed.csv")
    code, _, stderr = in_process(
        *("label", "sender/events.parquet", "--reviewed", "reviewed.csv", "-o", "labels.parquet", "--threads", 1)
    )
    assert (code, stderr) == (0, "")
    found = [row for row in pq.read_table("labels.parquet").to_pylist() if row["source"] == "reviewed"]
    assert sorted((row["automated"], row["weight"]) for row in found) == [(False, 20.0), (False, 20.0), (True, 20.0)]


REFUSED = {
    "no such file": (["absent.parquet"], "absent.parquet: is not there; name a file that clicksift score wrote"),
    "no file of labels": (["scored.csv", "--labels", "l.parquet"], "name it l.jsonl"),
    "what is read": (["scored.csv", "--labels", "scored.csv"], "is read, and decisions are appended"),
    "no labels to check": (["scored.csv", "--check", "absent.csv"], "absent.csv"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(review, arguments, words):
    scored_file(Path("scored.csv"), several(1))
    code, stdout, stderr = review("m\n", *arguments)
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1


def test_on_a_terminal_single_keys_decide_and_a_kill_loses_none(tmp_path):
    scored_file(tmp_path / "scored.csv", several(4))
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clicksift", "review", "scored.csv", "--threads", "1"],
        **{"stdin": inside, "stdout": inside, "stderr": inside, "cwd": tmp_path},
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(inside)
    try:
        wait_for(terminal, "Case 1 of 4")
        press(terminal, b"h")
        wait_for(terminal, "Case 2 of 4")
        press(terminal, b"w")
        wait_for(terminal, "why: ")
        os.write(terminal, b"a program\n")
        press(terminal, b"m")
        wait_for(terminal, "Case 3 of 4")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(terminal)
    rows = decided(tmp_path / "reviewed.jsonl")
    assert [(row["automated"], row["why"]) for row in rows] == [(False, None), (True, "a program")]


def wait_for(terminal, words, seconds=40):
    """Read from the terminal until the words have come."""
    said, end = "", time.monotonic() + seconds
    while words not in said and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            said += os.read(terminal, 65_536).decode(errors="replace")
    assert words in said


def press(terminal, key, seconds=40):
    """Write the key once the terminal waits for a single one; what is typed before that is thrown away."""
    end = time.monotonic() + seconds
    while termios.tcgetattr(terminal)[3] & termios.ICANON and time.monotonic() < end:
        time.sleep(0.02)
    os.write(terminal, key)
