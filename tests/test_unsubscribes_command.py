"""`clicksift unsubscribes` and `clicksift advice` on a small simulated sender."""

from __future__ import annotations

import csv
import re

import pytest

from serving.model import bundled
from serving.unsubscribes import ADVICE
from tests.serving.judged_events import CISCO, judged, judged_event
from tests.serving.scored_files import score_to, small_sender


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sender")
    small_sender(8, 1_000).write(folder)
    return score_to(folder / "scored.parquet", folder / "events.parquet", campaigns=folder / "campaigns.parquet")


def test_every_unsubscribe_is_in_the_file_with_its_decision_and_evidence(scored, in_process, tmp_path):
    code, out, _ = in_process("unsubscribes", scored, "-o", "review.csv")
    assert code == 0
    with (tmp_path / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    said = re.match(r"Of ([\d,]+) unsubscribes leave (\d+), ask about (\d+); (\d+) may be restored", out)
    assert said is not None
    total, *by_decision = map(int, said.groups())
    assert len(rows) == total
    assert [sum(row["decision"] == name for row in rows) for name in ("leave", "ask", "restore")] == by_decision
    assert all(row["advice"] == ADVICE[row["decision"]] for row in rows)
    assert all(row["evidence"].startswith(row["ground"]) for row in rows)
    assert all(row["recipient_id"] and row["campaign_id"] and row["timestamp"] and row["raw_ref"] for row in rows)


def test_the_terminal_warns_before_anybody_is_restored(scored, in_process):
    _, out, _ = in_process("unsubscribes", scored)
    assert "Nothing is restored by itself." in out
    assert "a wrong restore mails a person who opted out" in out
    assert "a page that asks for a POST" in out


def test_rates_are_shown_by_day_or_campaign(scored, in_process):
    _, by_day, _ = in_process("unsubscribes", scored)
    _, by_campaign, _ = in_process("unsubscribes", scored, "--by", "campaign")
    assert "Unsubscribes by day of arrival" in by_day
    assert "Unsubscribes by campaign" in by_campaign
    code, _, err = in_process("unsubscribes", scored, "--by", "hour")
    assert (code, err) == (2, "clicksift: --by hour: expected day or campaign\n")


def test_names_that_a_spreadsheet_would_run_are_defused(tmp_path, in_process):
    con = judged([judged_event("unsubscribed", 43, CISCO, campaign_id="=1+1", recipient_id="+4930", raw_ref="a:1")])
    ours = f"v.* EXCLUDE (event_row), '{bundled().version}' AS model_version"
    rows = f"SELECT e.* EXCLUDE (is_context, file_no, record), {ours} FROM events AS e, verdicts AS v"
    con.execute(f"COPY ({rows}) TO '{tmp_path / 'scored.parquet'}'")
    assert in_process("unsubscribes", "scored.parquet", "-o", "review.csv")[0] == 0
    with (tmp_path / "review.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["campaign_id"], row["recipient_id"]) == ("'=1+1", "'+4930")


def test_an_output_that_cannot_be_is_refused_before_reading(scored, in_process):
    _, _, err = in_process("unsubscribes", scored, "-o", "review.txt")
    assert "--output review.txt: unsubscribes are written as CSV or Parquet; name it review.csv" in err
    _, _, err = in_process("unsubscribes", scored, "-o", scored)
    assert "is also read" in err


def test_advice_is_printed_with_a_text_to_send_and_sources(scored, in_process):
    code, out, _ = in_process("advice", scored)
    assert code == 0
    assert out.startswith("1. ")
    assert "   Text to send:" in out
    assert "   Source: " in out
    assert "What not to do" in out


def test_both_say_what_is_no_scored_file(in_process):
    for command in ("unsubscribes", "advice"):
        code, _, err = in_process(command, "gone.parquet")
        assert code == 2
        assert err == "clicksift: gone.parquet: is not there; name a file that clicksift score wrote\n"
