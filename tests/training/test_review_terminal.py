"""The review in a terminal: what is on the screen, and what keys and lines do."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from tests.training.review_rows import event, several, sitting
from training.review_terminal import Keys, Lines, converse, view

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egpj.exe\x9b31m"


def screen(width=100, **more):
    return Console(file=io.StringIO(), width=width, highlight=False, **more)


def pressed(review, keys, console=None, asked=()):
    """Go through the review with these keys; `asked` are the reasons typed where one is asked for."""
    console = console or screen()
    waiting, reasons = iter(keys), iter(asked)
    console.input = lambda prompt: next(reasons)
    converse(review, Keys(lambda: next(waiting), console), console)
    return console.file.getvalue()


def typed(review, text, console=None):
    console = console or screen()
    converse(review, Lines(io.StringIO(text), console), console)
    return console.file.getvalue()


def reasons(review):
    return [json.loads(line)["why"] for line in review.log.path.read_text().splitlines()]


def test_one_key_decides_a_case(tmp_path):
    review = sitting(tmp_path, several(4))
    pressed(review, "hMsbx?sm")
    assert review.decided == {0: False, 1: True, 3: True}
    assert review.case is None


def test_q_ends_and_what_was_decided_stays(tmp_path):
    review = sitting(tmp_path, several(4))
    pressed(review, "hq")
    assert (review.position, review.decided) == (1, {0: False})


@pytest.mark.parametrize("end", ["\x03", "\x04"])
def test_an_interrupt_or_the_end_of_input_ends_too(tmp_path, end):
    review = sitting(tmp_path, several(2))
    pressed(review, ["m", end])
    assert review.decided == {0: True}


@pytest.mark.parametrize("error", [KeyboardInterrupt, EOFError])
def test_so_does_the_error_that_some_systems_make_of_it(tmp_path, error):
    def fail():
        raise error

    review = sitting(tmp_path, several(2))
    console = screen()
    converse(review, Keys(fail, console), console)
    assert review.position == 0


def test_a_reason_is_asked_for_by_w_and_kept_with_the_next_decision_alone(tmp_path):
    review = sitting(tmp_path, several(2))
    pressed(review, "wmh", asked=["three links at once"])
    assert reasons(review) == ["three links at once", None]


def test_without_a_terminal_a_line_is_an_answer_with_the_reason_behind_it(tmp_path):
    review = sitting(tmp_path, several(5))
    said = typed(review, "h\nmachine three links at once\nperhaps\nSkip\n\nb\nm\n")
    assert review.decided == {0: False, 1: True, 2: True}
    assert reasons(review) == [None, "three links at once", None]
    assert "'perhaps' is no answer; give one of human, machine, skip, back, quit" in said


def test_a_case_says_what_a_person_needs_to_decide_it(tmp_path):
    clicks = [
        event(
            "c", "10:00:00", message_id="m", reasons="like a machine: 10 s after delivery", sent_at="2026-03-02 09:59Z"
        ),
        event("d", "10:00:00.4", message_id="m", url="https://t.example/b?u=7", probability=0.01, verdict="human"),
    ]
    said = typed(sitting(tmp_path, clicks), "")
    assert said.splitlines()[:7] == [
        "Case 1 of 1 · 0 human, 0 machine",
        "clicked 1 min after sending, Mon 2026-03-02 10:00:00 UTC, to acme.example, campaign spring",
        "link: https://t.example/a",
        "from 84.56.1.9, Vodafone GmbH (mobile or isp)",
        "agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ",
        "Chrome/126.0.0.0 Safari/537.36",
        "verdict: unsure, 50 % a machine",
    ]
    rows = [line.split() for line in said.splitlines() if "clicked" in line][1:]
    assert [(row[0], row[-3], row[-2]) for row in rows] == [(">", "unsure", "50"), ("1", "human", "1")]
    assert "0.4 s clicked /b?u=7" in " ".join(rows[1])
    assert "reasons: like a machine: 10 s after delivery" in said


def test_a_decision_made_before_is_shown_on_coming_back(tmp_path):
    assert "Case 1 of 2 · 0 human, 1 machine; this one: machine" in typed(sitting(tmp_path, several(2)), "m\nb\n")


def test_a_label_that_the_scores_speak_against_is_named(tmp_path):
    (tmp_path / "labels.csv").write_text("event_id,automated\nc,true\n")
    events = [event("c", "10:00:00", probability=0.001, verdict="human")]
    said = typed(sitting(tmp_path, events, check=tmp_path / "labels.csv"), "")
    assert "your label says a machine" in said


def test_nothing_that_a_terminal_would_obey_gets_through(tmp_path):
    texts = dict.fromkeys(("user_agent", "campaign_id", "recipient_domain", "actor", "vendor", "reasons"), EVIL)
    events = [event("c", "10:00:00", url=f"https://t.example/{EVIL}", http_method=EVIL, **texts)]
    said = typed(sitting(tmp_path, events), "\x1b[2J\n")
    assert {character for character in said if not character.isprintable()} == {"\n"}
    assert "owned" in said


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_timeline_is_as_wide_as_the_terminal_and_its_figures_are_whole(tmp_path, width):
    one = {"message_id": "m", "recipient_domain": "a-recipient-with-a-long-name.example", "http_method": "HEAD"}
    long = "https://t.example/" + "long/" * 30
    events = [event(f"c{n}", f"11:{n:02}:07", url=long, sent_at="2026-03-02 10:00Z", **one) for n in range(9)]
    said = typed(sitting(tmp_path, events), "", screen(width))
    table = [line for line in said.splitlines() if "unsure" in line and "clicked (HEAD)" in line]
    assert len(table) == 9
    assert max(map(len, said.splitlines()[:-1])) <= width
    assert all(line.endswith("unsure     50 %") for line in table)
    assert "1 h 8 min" in table[8]


def test_of_a_long_timeline_the_rows_around_the_case_fit_the_screen(tmp_path):
    events = [
        event(f"c{n}", f"10:{n:02}:00", message_id="m", probability=0.5 if n == 30 else 0.9, verdict="unsure")
        for n in range(60)
    ]
    events = [row | ({} if row["event_id"] == "c30" else {"verdict": "automated"}) for row in events]
    review = sitting(tmp_path, events)
    console = Console(file=io.StringIO(), width=100, height=24, force_terminal=True, color_system=None)
    console.print(view(review, review.case, 100, 24))
    lines = console.file.getvalue().splitlines()
    assert len(lines) <= 22
    assert sum(line.startswith(">") for line in lines) == 1
    assert "not shown: " in lines[-1]


def test_on_a_terminal_each_case_takes_the_place_of_the_one_before(tmp_path):
    console = screen(force_terminal=True, height=40)
    assert pressed(sitting(tmp_path, several(2)), "hq", console).count("\x1b[2J") == 2
