"""Which events of a scored file are asked, in what order, and what is shown of their messages."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.serving.scored_files import score_to
from tests.training.review_rows import NOT_JUDGED, event, several, sitting
from training.review import open_review
from training.simulation import simulate
from training.world import HARD


def asked(review):
    return [case.event_id or case.raw_ref for case in review.cases]


def test_what_the_model_is_unsure_of_comes_before_what_it_is_sure_of(tmp_path):
    sure = {"probability": 0.9999, "verdict": "automated"}
    surer = {"probability": 0.0001, "verdict": "human"}
    events = [
        event("sure", "10:00:00", ip="62.1.1.1", **sure),
        event("surer", "10:00:01", ip="73.9.9.9", **surer),
        event("unsure", "10:00:02"),
        *(event(f"more{n}", "10:00:03", ip="62.1.1.1", message_id="m-sure", **sure) for n in range(3)),
    ]
    assert asked(sitting(tmp_path, events)) == ["unsure", "sure", "surer"]


def test_events_alike_are_one_case_which_says_how_many_they_are(tmp_path):
    events = [event(f"e{n}", f"10:00:0{n}") for n in range(4)]
    events.append(event("other", "10:00:09", ip="73.9.9.9"))
    review = sitting(tmp_path, events)
    assert [(case.event_id, case.similar_events) for case in review.cases] == [("e0", 4), ("other", 1)]


def test_of_a_message_one_event_is_asked(tmp_path):
    events = [
        event("click", "10:00:00", message_id="m"),
        event("open", "10:00:01", message_id="m", event_type="opened"),
    ]
    assert len(sitting(tmp_path, events).cases) == 1


def test_no_more_cases_are_given_than_wanted_and_the_first_are_the_same(tmp_path):
    assert asked(sitting(tmp_path, several(6), most=3)) == asked(sitting(tmp_path, several(6)))[:3]


def test_what_was_decided_is_not_asked_again_nor_what_is_like_it_and_the_order_of_the_rest_stays(tmp_path):
    events = [*several(5), event("twin", "10:01:00", ip="84.57.1.7", recipient_domain="d1.example", probability=0.45)]
    before = asked(sitting(tmp_path, events))
    review = sitting(tmp_path, events)
    review.skip()
    review.decide(automated=True)
    again = sitting(tmp_path, events)
    assert again.before == 1
    assert asked(again) == [before[0], *before[2:]]


def test_labels_that_the_scores_speak_against_come_first_and_those_they_agree_with_are_not_asked(tmp_path):
    events = [
        *several(2),
        event("lost", "10:00:00", ip="62.1.1.1", probability=0.001, verdict="human"),
        event("found", "10:00:00", ip="73.9.9.9", probability=0.999, verdict="automated"),
        event("worst", "10:00:00", ip="73.9.9.9", probability=0.99999, verdict="automated"),
    ]
    (tmp_path / "labels.csv").write_text("event_id,raw_ref,automated\nlost,,true\nfound,,true\n,log.csv:5,false\n")
    review = sitting(tmp_path, events, check=tmp_path / "labels.csv")
    assert asked(review) == ["worst", "lost", "c0", "c1"]
    assert [case.given for case in review.cases] == [False, True, None, None]
    review.decide(automated=True)
    assert asked(sitting(tmp_path, events, check=tmp_path / "labels.csv")) == ["lost", "c0", "c1"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [({}, ("a", None)), ({"event_id_origin": "derived"}, (None, "log.csv:1")), ({"other": "a"}, (None, "log.csv:1"))],
    ids=["an id of the platform", "an id of ours", "an id that two events have"],
)
def test_a_case_is_named_as_labels_name_their_events(tmp_path, changes, named):
    other = changes.get("other", "b")
    events = [event("a", "10:00:00", **{k: v for k, v in changes.items() if k != "other"}), event(other, "11:00:00")]
    first = sitting(tmp_path, events).cases[0]
    assert (first.event_id, first.raw_ref) == named


DELIVERED = event("d", "09:59:50", message_id="m", event_type="delivered", ip="", user_agent="", url="", **NOT_JUDGED)
OPENED = event("o", "10:00:30", message_id="m", event_type="opened", probability=0.01, verdict="human", url="")
CLICKED = event("c", "10:00:00", message_id="m", ip="52.1.2.3", user_agent="curl/8.4.0", reasons="a program")
STRANGER = event("s", "10:00:10", recipient_domain="s.example", probability=0.0001, verdict="human")


def test_the_timeline_is_the_whole_message_in_order_and_nothing_else(tmp_path):
    case = sitting(tmp_path, [OPENED, STRANGER, CLICKED, DELIVERED]).cases[0]
    assert (case.position, case.counted_from) == (1, "delivery")
    shown = [(e.event_type, e.after_s, e.network, e.agent, e.verdict, e.probability) for e in case.timeline]
    assert shown == [
        ("delivered", 0.0, None, None, None, None),
        ("clicked", 10.0, "amazon (cloud)", "http client: curl", "unsure", 0.5),
        ("opened", 40.0, "Vodafone GmbH (mobile or isp)", "chrome 126, windows", "human", 0.01),
    ]
    assert (case.event.link, case.event.reasons) == ("https://t.example/a", "a program")


@pytest.mark.parametrize(
    ("given", "counted_from", "after_s"),
    [
        ({"sent_at": "2026-03-02 09:00:00+00", "delivered_at": "2026-03-02 09:59:00+00"}, "delivery", 60.0),
        ({"sent_at": "2026-03-02 09:00:00+00"}, "sending", 3600.0),
        ({}, "the first event", 0.0),
    ],
)
def test_times_count_from_the_best_that_is_known(tmp_path, given, counted_from, after_s):
    case = sitting(tmp_path, [event("c", "10:00:00", **given)]).cases[0]
    assert (case.counted_from, case.event.after_s) == (counted_from, after_s)


def test_events_without_message_and_recipient_are_messages_of_their_own(tmp_path):
    nobody = {"message_id": "", "recipient_id": ""}
    events = [event(f"e{n}", f"10:00:0{n}", ip=f"84.{56 + n}.1.9", **nobody) for n in range(3)]
    review = sitting(tmp_path, events)
    assert [len(case.timeline) for case in review.cases] == [1, 1, 1]


@pytest.fixture(scope="module")
def flipped(tmp_path_factory):
    """A hard sender, scored, and its labels with ten of three kinds turned round: the folder, their ids."""
    folder = tmp_path_factory.mktemp("flipped")
    made = simulate(23, 1_000, profile=HARD)
    made.write(folder)
    score_to(folder / "scored.parquet", folder / "events.parquet", campaigns=folder / "campaigns.parquet")
    clicks = {row["event_id"] for row in made.events.to_pylist() if row["event_type"] == "click"}
    rows = made.labels.to_pylist()
    wrong = set()
    for actor, number in (("human", 4), ("security_scanner", 3), ("link_preview", 3)):
        ids = [row["event_id"] for row in rows if row["actor"] == actor and row["event_id"] in clicks]
        wrong |= set(ids[:: len(ids) // number][:number])
    turned = [row | {"automated": row["automated"] != (row["event_id"] in wrong)} for row in rows]
    pq.write_table(pa.Table.from_pylist(turned, made.labels.schema), folder / "labels.parquet")
    return folder, wrong


def test_labels_turned_round_are_among_the_first_thirty_cases(flipped, tmp_path):
    folder, wrong = flipped
    assert len(wrong) == 10
    review = open_review(
        folder / "scored.parquet", tmp_path / "r.jsonl", most=30, check=folder / "labels.parquet", threads=1
    )
    assert wrong <= set(asked(review))
