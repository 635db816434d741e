"""Unsubscribes are restored only where nothing speaks for a person, and their rate shows what machines did to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.duckdb_engine import connect
from features.errors import InputError
from serving.campaigns import campaign_figures
from serving.expected_people import Expectation
from serving.scored_file import read_scored
from serving.unsubscribes import ADVICE, ASK, LEAVE, RESTORE, changes, check_rates, rates, review
from tests.features.event_tables import DAY, HOUR, link
from tests.serving.judged_events import CISCO, PERSON, UNNAMED, UNSURE, judged, judged_event
from tests.serving.scored_files import score_to, small_sender

Event = dict[str, Any]
PLAIN = dict.fromkeys(("opened", "clicked", "unsubscribed"), Expectation(sharpness=1.0, below=2.0, above=1.0))
# The file goes on for days after what is reviewed, with another recipient's mail.
LATER = judged_event("delivered", 3 * DAY, message_id="m-later", recipient_id="r-later")


def leaving(seconds: float = 43, by: Mapping[str, Any] | None = CISCO, **columns: Any) -> Event:
    """An unsubscribe by a GET of its link, inside the burst of `scanned` unless said otherwise."""
    return judged_event("unsubscribed", seconds, by, **{"http_method": "GET", "url": link("out"), **columns})


def scanned(links: int = 3, seconds: float = 42.5, by: Mapping[str, Any] = CISCO, **columns: Any) -> list[Event]:
    """A scanner's clicks on the links of a message."""
    return [judged_event("clicked", seconds + n / 10, by, url=link(n), **columns) for n in range(links)]


def reviewed(*events: Event) -> dict[str, Any]:
    """What is said of the first event."""
    rows = review(judged([*events, LATER])).to_pylist()
    return next(row for row in rows if row["event_id"] == "e0-1")


def test_a_link_fetched_inside_a_scanners_burst_may_be_restored_and_the_words_say_why() -> None:
    found = reviewed(leaving(), *scanned())
    assert found["decision"] == RESTORE
    assert found["evidence"] == (
        "inside a scanner's burst, no sign of a person; GET of the unsubscribe link, 43 s after delivery; called"
        " automated (probability of a machine 0.999), Cisco (own network); 3 other links asked for by the same scanner"
        " within 10 s"
    )
    assert found["burst_links"] == 3
    assert "mail a person who opted out" in found["advice"]
    assert "POST" in found["advice"]


POST = {"http_method": "POST"}
NO_METHOD = {"http_method": None, "url": None}
BURST = scanned()
LEFT = {
    "one-click by a POST": (leaving(**POST), "one-click: "),
    "one-click as the platform says": (leaving(**NO_METHOD, unsubscribe_method="one_click"), "one-click: "),
    "the mailbox's own button": (leaving(unsubscribe_method="list_unsubscribe"), "one-click: "),
    "confirmed on a page": (leaving(**POST, unsubscribe_method="page"), "confirmed on a page"),
    "a complaint": (leaving(unsubscribe_method="complaint"), "marked as spam"),
    "a complaint of its own kind": (judged_event("complained", 43), "marked as spam"),
    "a person's": (leaving(by=PERSON), "judged to be a person's"),
    "not judged": (leaving(by=None), "not judged"),
}


@pytest.mark.parametrize(("gone", "ground"), LEFT.values(), ids=LEFT)
def test_what_a_person_or_the_mailbox_for_one_did_is_left_whatever_surrounds_it(gone: Event, ground: str) -> None:
    found = reviewed(gone, *BURST)
    assert found["decision"] == LEAVE
    assert found["evidence"].startswith(ground)


OTHER = {"message_id": "m2"}
LEFT_BY_OTHERS = {
    "complained about another message": (judged_event("complained", 40 * DAY, **OTHER), "has complained"),
    "one-click on another message": (leaving(20 * DAY, by=PERSON, **OTHER, **POST), "has also left"),
    "a person's link on the same message": (leaving(9 * HOUR, by=PERSON), "has also left"),
    "subscribed again": (judged_event("subscribed", DAY), "has subscribed again since"),
}


@pytest.mark.parametrize(("more", "ground"), LEFT_BY_OTHERS.values(), ids=LEFT_BY_OTHERS)
def test_a_recipient_who_left_in_another_way_stays_out(more: Event, ground: str) -> None:
    found = reviewed(leaving(), *BURST, more, judged_event("delivered", 90 * DAY, message_id="m-last"))
    assert found["decision"] == LEAVE
    assert ground in found["ground"]


APPLE = {"probability": 1.0, "verdict": "automated", "actor": "privacy_proxy", "vendor": "apple"}
MICROSOFT = CISCO | {"vendor": "microsoft", "vendor_evidence": "official list", "ip": "40.94.20.7"}
ASKED: dict[str, tuple[list[Event], str]] = {
    "not sure": ([leaving(by=UNSURE), *BURST], "not sure who made it"),
    "no recipient": ([leaving(recipient_id=None), *scanned(recipient_id=None)], "no recipient is named"),
    "nobody says how": ([leaving(**NO_METHOD), *BURST], "how it was made is not known"),
    "a machine that is no scanner": ([leaving(by=CISCO | {"actor": "other_automation"}), *BURST], "not a security"),
    "method not given, by who also sends one-click": (
        [leaving(by=MICROSOFT, http_method=None), *scanned(by=MICROSOFT)],
        "one-click requests for people too",
    ),
    "no burst": ([leaving()], "no burst"),
    "a burst a minute earlier": ([leaving(103), *BURST], "no burst"),
    "a burst of another message": ([leaving(), *scanned(**OTHER)], "no burst"),
    "another scanner's burst": ([leaving(), *scanned(by=UNNAMED)], "no burst"),
    "a burst of people": ([leaving(), *scanned(by=PERSON)], "no burst"),
    "one link of a scanner without a name": ([leaving(by=UNNAMED), *scanned(1, by=UNNAMED)], "no burst"),
    "the unsubscribe link alone, again and again": (
        [leaving(), *(judged_event("clicked", 43 + n, CISCO, url=link("out")) for n in range(3))],
        "no burst",
    ),
    "a person's open": ([leaving(), *BURST, judged_event("opened", 5 * DAY, PERSON)], "clicked or opened the same"),
    "a person's click": ([leaving(), *BURST, judged_event("clicked", 60, PERSON)], "clicked or opened the same"),
    "an unsure click": ([leaving(), *BURST, judged_event("clicked", 60, UNSURE)], "may be a person's"),
    "a person at another message an hour before": (
        [leaving(), *BURST, judged_event("opened", -HOUR, PERSON, **OTHER)],
        "within a day",
    ),
    "a person at another message an hour after": (
        [leaving(), *BURST, judged_event("clicked", HOUR, UNSURE, **OTHER)],
        "within a day",
    ),
    "a platform that leaves later clicks out": (
        [leaving(source="postmark"), *BURST],
        "leaves later events out",
    ),
    "another of the recipient's is not clear": ([leaving(), *BURST, leaving(HOUR, **OTHER)], "is not clear"),
}


@pytest.mark.parametrize(("events", "ground"), ASKED.values(), ids=ASKED)
def test_what_is_not_sure_is_asked_about(events: list[Event], ground: str) -> None:
    found = reviewed(*events, judged_event("delivered", 9 * DAY, message_id="m-last", recipient_id="r-last"))
    assert found["decision"] == ASK
    assert ground in found["ground"]
    assert "never by a mailing" in found["advice"]


STILL: dict[str, list[Event]] = {
    "HEAD": [leaving(http_method="HEAD"), *BURST],
    "the platform's word for a link": [leaving(**NO_METHOD, unsubscribe_method="link"), *BURST],
    "a named scanner with one more link": [leaving(), *scanned(1)],
    "a scanner without a name with two more links": [leaving(by=UNNAMED), *scanned(2, by=UNNAMED)],
    "several addresses of one vendor": [leaving(ip="139.138.1.7"), *BURST],
    "Apple's prefetch, which says nothing": [leaving(), *BURST, judged_event("opened", HOUR, APPLE)],
    "a person at another message two days later": [
        leaving(),
        *BURST,
        judged_event("opened", 2 * DAY, PERSON, **OTHER),
    ],
    "a person who is another recipient": [leaving(), *BURST, judged_event("opened", 99, PERSON, recipient_id="r2")],
}


@pytest.mark.parametrize("events", STILL.values(), ids=STILL)
def test_what_says_nothing_of_this_person_does_not_keep_from_restoring(events: list[Event]) -> None:
    assert reviewed(*events)["decision"] == RESTORE


def test_at_the_end_of_a_file_a_persons_sign_may_still_follow() -> None:
    found = review(judged([leaving(), *BURST, judged_event("delivered", 20 * HOUR, message_id="m2")])).to_pylist()
    assert [(row["decision"], row["ground"]) for row in found] == [
        (ASK, "the file ends within a day: a person's sign may follow")
    ]


def test_rows_are_in_order_of_time_and_find_the_event_in_the_file() -> None:
    late, early = leaving(500, raw_ref="a.csv:9"), leaving(20, raw_ref="a.csv:3", message_id="m2")
    rows = review(judged([late, *scanned(2), early, judged_event("opened", 8, PERSON)])).to_pylist()
    assert [(row["raw_ref"], row["campaign_id"], row["recipient_id"], row["message_id"]) for row in rows] == [
        ("a.csv:3", "spring", "r1", "m2"),
        ("a.csv:9", "spring", "r1", "m1"),
    ]
    assert {row["advice"] for row in rows} <= set(ADVICE.values())


def test_without_unsubscribes_there_is_nothing_to_review() -> None:
    con = judged([*scanned(), judged_event("delivered", 0)])
    assert review(con).num_rows == 0
    assert rates(con)["unsubscribes"].to_pylist() == [0]


MAKERS = st.sampled_from([CISCO, UNNAMED, PERSON, UNSURE])
METHODS = st.sampled_from([{"http_method": "GET"}, POST, {"unsubscribe_method": "one_click"}, NO_METHOD])


@settings(deadline=None, max_examples=20)
@given(
    by=MAKERS,
    method=METHODS,
    others=st.lists(
        st.tuples(
            st.sampled_from(["opened", "clicked", "unsubscribed", "complained"]),
            st.floats(0, 100),
            MAKERS,
            st.sampled_from(["m1", "m2"]),
        ),
        max_size=4,
    ),
)
def test_nobody_is_restored_beside_any_sign_of_a_person(
    by: Mapping[str, Any],
    method: Mapping[str, Any],
    others: list[tuple[str, float, Mapping[str, Any], str]],
) -> None:
    events = [leaving(by=by, **method), *BURST]
    events += [
        judged_event(kind, at, None if kind == "complained" else maker, message_id=message)
        for kind, at, maker, message in others
    ]
    is_person = any(kind == "complained" or maker["verdict"] != "automated" for kind, _, maker, _ in others)
    if is_person or by["verdict"] != "automated" or method != {"http_method": "GET"}:
        assert reviewed(*events)["decision"] != RESTORE


DELIVERIES = [
    judged_event("delivered", day * DAY, message_id=f"m{day}-{n}", recipient_id=f"r{n}", delivered_at=None)
    for day in (0, 1)
    for n in range(20)
]


def test_rates_are_of_the_messages_that_arrived_that_day() -> None:
    def gone(day: int, n: int, by: Mapping[str, Any]) -> Event:
        return leaving(day * DAY + 90_000, by, message_id=f"m{day}-{n}", recipient_id=f"r{n}", delivered_at=None)

    con = judged([*DELIVERIES, gone(0, 1, PERSON), gone(1, 1, PERSON), gone(1, 2, CISCO), gone(1, 2, CISCO)])
    rows = rates(con, PLAIN).to_pylist()
    assert [(str(row["day"]), row["messages"], row["unsubscribes"]) for row in rows] == [
        ("2026-03-02", 20, 1),
        ("2026-03-03", 20, 2),
    ]
    assert rows[1]["human_unsubscribes"] == pytest.approx(0.99 + 0.001)
    assert rows[1]["rate"] == pytest.approx(0.1)
    assert rows[1]["human_rate"] == pytest.approx(0.991 / 20)
    assert rows[1]["machine_share"] == pytest.approx(1 - 0.991 / 2)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """A small sender's events, scored and read back, and the folder with the labels."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(8, 1_200).write(folder)
    path = score_to(folder / "scored.parquet", folder / "events.parquet", campaigns=folder / "campaigns.parquet")
    con = connect(threads=2)
    read_scored(con, path)
    return con, folder


def test_rates_of_campaigns_are_the_figures_of_campaigns(sender: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    con, _ = sender
    figures = {row["campaign_id"]: row for row in campaign_figures(con).to_pylist()}
    rows = rates(con, by="campaign").to_pylist()
    assert sum(row["unsubscribes"] for row in rows) > 0
    for row in rows:
        wanted = figures[row["campaign_id"]]
        assert row["messages"] == wanted["delivered"]
        assert row["unsubscribes"] == wanted["unsubscribes"]
        assert row["human_unsubscribes"] == pytest.approx(wanted["human_unsubscribes"])


def test_all_that_is_restored_of_a_simulated_sender_was_a_machines(
    sender: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    con, folder = sender
    con.register("reviewed", review(con))
    restored = con.execute(
        f"SELECT automated, count(*) FROM reviewed JOIN '{folder / 'labels.parquet'}' USING (event_id)"
        f" WHERE decision = '{RESTORE}' GROUP BY 1"
    ).fetchall()
    con.unregister("reviewed")
    assert dict(restored).keys() == {True}


@pytest.mark.parametrize(
    ("counts", "marks"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(40, 8.0), (50, 10.0)], [None, None], id="the same share"),
        pytest.param([(40, 8.0), (50, 45.0), (50, 45.0)], [None, "up", None], id="up, and then as before"),
        pytest.param([(40, 36.0), (50, 5.0)], [None, "down"], id="down"),
        pytest.param([(400, 80.0), (400, 152.0)], [None, None], id="beyond chance, but small"),
        pytest.param([(10, 2.0), (10, 5.0)], [None, None], id="large, but few"),
        pytest.param(
            [(40, 4.0), (4, 4.0), (4, 4.0), (4, 4.0)], [None, None, None, "up"], id="small ones are put together"
        ),
        pytest.param([(3, 0.0), (3, 3.0), (0, 0.0)], [None, None, None], id="too few to say anything"),
        pytest.param([(20, 0.0), (20, 20.0)], [None, "up"], id="from none to all"),
    ],
)
def test_a_change_is_large_and_beyond_chance(counts: list[tuple[int, float]], marks: list[str | None]) -> None:
    assert changes(counts) == marks


def test_rates_go_by_day_or_campaign() -> None:
    check_rates("day")
    with pytest.raises(InputError, match="--by hour: expected day or campaign"):
        check_rates("hour")
