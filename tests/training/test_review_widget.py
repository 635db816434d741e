"""The review in a notebook, without a browser: the widgets are clicked and typed into here."""

from __future__ import annotations

import pytest

from features.duckdb_engine import connect
from features.readers import read_labels
from tests.training.review_rows import event, scored_file, several, sitting
from training.review_widget import Reviewer, reviewer


@pytest.fixture
def shown(tmp_path):
    """The reviewer of four cases, c0 to c3."""
    return reviewer(scored_file(tmp_path / "scored.csv", several(4)), tmp_path / "reviewed.csv", who="anna")


def kept(shown):
    con = connect(threads=1)
    read_labels(con, shown.review.log.path, may_be_none=True)
    return dict(con.execute("SELECT event_id, automated FROM labels").fetchall())


def test_buttons_decide_the_case_in_view_and_the_list_goes_on(shown):
    shown.human.click()
    shown.machine.click()
    shown.skip.click()
    assert kept(shown) == {"c0": False, "c1": True}
    assert shown.cases.index == 3
    assert [line.rpartition(" · ")[2] for line in shown.cases.options] == ["you: human", "you: machine", "48 %", "47 %"]
    assert "Case 4 of 4 · 1 human, 1 machine" in shown.standing.value


def test_letters_do_what_the_buttons_do(shown):
    for letter in "hM?bsm":
        shown.keys.value = letter
        assert shown.keys.value == ""
    assert kept(shown) == {"c0": False, "c2": True}


def test_a_case_chosen_in_the_list_comes_into_view(shown):
    shown.cases.index = 2
    shown.machine.click()
    assert kept(shown) == {"c2": True}
    assert shown.cases.index == 3


def test_a_reason_is_kept_and_its_field_emptied(shown):
    shown.why.value = "three links at once"
    shown.machine.click()
    assert shown.why.value == ""
    assert "three links at once" in shown.review.log.path.read_text()


def test_behind_the_last_case_only_back_is_left(shown):
    assert shown.back.disabled
    for _ in range(4):
        shown.machine.click()
    assert [button.disabled for button in (shown.human, shown.machine, shown.skip, shown.back)] == [
        True,
        True,
        True,
        False,
    ]
    assert "4 of 4 cases decided: 0 human, 4 machine." in shown.standing.value
    shown.keys.value = "h"
    shown.cases.index = 1
    shown.human.click()
    assert kept(shown) == {"c0": True, "c1": False, "c2": True, "c3": True}


def test_the_next_sitting_asks_what_is_left_wherever_it_is_held(shown, tmp_path):
    shown.human.click()
    again = sitting(tmp_path, several(4), labels="reviewed.csv")
    assert [case.event_id for case in again.cases] == ["c1", "c2", "c3"]


def test_texts_of_the_file_are_shown_and_not_run(tmp_path):
    script = "<script>alert(1)</script>\u202e"
    made = sitting(
        tmp_path, [event("c", "10:00:00", user_agent=script, url=f"https://t.example/{script}", reasons=script)]
    )
    shown = Reviewer(made)
    assert "<script" not in shown.details.value
    assert "\u202e" not in shown.details.value + shown.cases.options[0]
    assert shown.details.value.count("&lt;script&gt;") == 5


def test_a_very_long_message_is_shown_around_its_case(tmp_path):
    sure = {"message_id": "m", "verdict": "automated", "probability": 0.9999}
    events = [event(f"s{n}", f"10:{n // 60:02}:{n % 60:02}", **sure) for n in range(200)]
    events[150] |= {"verdict": "unsure", "probability": 0.5}
    details = Reviewer(sitting(tmp_path, events)).details.value
    assert details.count("<tr") == 61
    assert details.count("font-weight: bold") == 1
    assert "140 events further off are not shown" in details


def test_nothing_to_decide_is_said(tmp_path):
    sitting(tmp_path, several(1)).decide(automated=True)
    shown = Reviewer(sitting(tmp_path, several(1)))
    assert shown.human.disabled
    assert "Nothing was decided." in shown.standing.value


def test_a_notebook_shows_the_box(shown):
    assert shown._repr_mimebundle_().keys() >= {"application/vnd.jupyter.widget-view+json"}
