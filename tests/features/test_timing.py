"""When: seconds from delivery, from the message's other events and between its clicks."""

from datetime import timedelta

import pytest

from features.feature import CAPABILITIES
from tests.features.event_tables import (
    HOUR,
    MICRO,
    START,
    WEEK,
    at,
    check,
    clicked,
    link,
    opened,
    unsubscribed,
)


def test_seconds_since_arrival():
    day_before = START - timedelta(days=1)
    check(
        "since_delivery_s since_sent_s since_arrival_s",
        (clicked(60, message_id="a"), 60, None, 60),
        (clicked(60, message_id="b", sent_at=at(-5)), 60, 65, 60),
        (clicked(60, message_id="c", delivered_at=None, sent_at=at(-5)), None, 65, 65),
        (clicked(60, message_id="d", delivered_at=None), None, None, None),
        (opened(-30, message_id="e"), -30, None, -30),
        (unsubscribed(0.25, message_id="f", sent_at=day_before), 0.25, 86_400.25, 0.25),
    )


def test_an_arrival_over_seven_days_before_or_an_hour_after_counts_as_absent():
    check(
        "since_delivery_s since_sent_s since_arrival_s",
        (opened(WEEK, message_id="a", sent_at=START), WEEK, WEEK, WEEK),
        (opened(WEEK + MICRO, message_id="b", sent_at=START), None, None, None),
        (opened(-HOUR, message_id="c", sent_at=START), -HOUR, -HOUR, -HOUR),
        (opened(-HOUR - MICRO, message_id="d", sent_at=START), None, None, None),
        (opened(WEEK + 9, message_id="e", sent_at=at(5)), None, None, None),
        (opened(WEEK + 9, message_id="f", sent_at=at(WEEK)), None, 9, 9),
    )


def test_deliveries_switched_off_leave_the_time_of_sending():
    check(
        "since_delivery_s since_sent_s since_arrival_s first_event_delay_s",
        (opened(60, message_id="a", sent_at=at(-5)), None, 65, 65, 65),
        (opened(60, message_id="b"), None, None, None, None),
        capabilities=frozenset(CAPABILITIES) - {"deliveries"},
    )


@pytest.mark.parametrize(
    ("coarse", "since_arrival", "since_previous"),
    [(False, (1.7, 2.2, -0.5), (None, 0.5, None)), (True, (1, 2, -1), (None, 1, None))],
    ids=["as given", "cut to seconds"],
)
def test_coarse_times_are_whole_seconds(coarse, since_arrival, since_previous):
    """Cut before any difference is taken, and towards the past: half a second before the delivery is a second."""
    rows = (
        clicked(1.9, message_id="a", delivered_at=at(0.2)),
        clicked(2.4, message_id="a", delivered_at=at(0.2)),
        clicked(-0.5, message_id="b"),
    )
    check(
        "since_arrival_s since_previous_s",
        *zip(rows, since_arrival, since_previous, strict=True),
        coarse_times=coarse,
    )


def test_coarse_times_make_events_of_one_second_equals():
    check(
        "since_previous_s until_next_s clicks_1s",
        (clicked(5.1), None, None, 2),
        (clicked(5.9), None, None, 2),
        coarse_times=True,
    )


def test_events_of_one_instant_are_equals():
    check(
        "since_first_event_s since_previous_s until_next_s since_previous_click_s until_next_click_s",
        (opened(0), 0, None, 5, None, 5),
        (clicked(0), 0, None, 5, None, 5),
        (clicked(5), 5, 5, 4, 5, None),
        (clicked(5), 5, 5, 4, 5, None),
        (opened(9), 9, 4, None, 4, None),
    )


def test_an_unsubscribe_counts_as_a_click():
    check(
        "until_next_click_s since_previous_click_s first_click_delay_s click_pace_s clicks_so_far",
        (opened(0), 10, None, None, 20, 0),
        (unsubscribed(10), 20, None, 10, 20, 1),
        (clicked(30), None, 20, 10, 20, 2),
    )


def test_the_previous_event_is_looked_for_seven_days_back():
    check(
        "since_first_event_s since_previous_s since_first_open_s since_last_open_s",
        (opened(0, message_id="a"), 0, None, 0, 0),
        (clicked(WEEK, message_id="a"), WEEK, WEEK, WEEK, WEEK),
        (opened(0, message_id="b"), 0, None, 0, 0),
        (clicked(WEEK + MICRO, message_id="b"), 0, None, None, None),
    )
    check(
        "since_previous_click_s first_click_delay_s",
        (clicked(0, message_id="c"), None, 0),
        (opened(WEEK, message_id="c"), WEEK, 0),
        (clicked(0, message_id="d"), None, 0),
        (opened(WEEK + MICRO, message_id="d", delivered_at=at(5)), None, None),
    )


def test_the_next_event_is_looked_for_an_hour_ahead():
    check(
        "until_next_s until_next_click_s until_next_open_s",
        (opened(0, message_id="a"), HOUR, HOUR, None),
        (clicked(HOUR, message_id="a"), None, None, None),
        (opened(0, message_id="b"), None, None, None),
        (clicked(HOUR + MICRO, message_id="b"), None, None, None),
        (clicked(0, message_id="c"), HOUR, None, HOUR),
        (opened(HOUR, message_id="c"), None, None, None),
        (clicked(0, message_id="d"), None, None, None),
        (opened(HOUR + MICRO, message_id="d"), None, None, None),
    )


def test_opens_of_the_message():
    check(
        "since_first_open_s since_last_open_s until_next_open_s",
        (opened(0, message_id="a"), 0, 0, 30),
        (clicked(10, message_id="a"), 10, 10, 20),
        (opened(30, message_id="a"), 30, 0, None),
        (clicked(40, message_id="a"), 40, 10, None),
        (clicked(5, message_id="b"), None, None, 1),
        (opened(6, message_id="b"), 0, 0, None),
        (clicked(7, message_id="c"), None, None, None),
    )


def test_first_event_and_first_click_after_arrival():
    check(
        "first_event_delay_s first_click_delay_s",
        (opened(20, message_id="a"), 20, None),
        (clicked(50, message_id="a"), 20, 50),
        (clicked(70, message_id="a"), 20, 50),
        (clicked(-2, message_id="b"), -2, -2),
        (clicked(50, message_id="c", delivered_at=None), None, None),
    )


def test_click_pace_is_the_mean_gap_within_a_minute():
    check(
        "click_pace_s",
        (clicked(0, message_id="a"), 15),
        (clicked(10, message_id="a"), 15),
        (opened(20, message_id="a"), 15),
        (clicked(30, message_id="a"), 15),
        (clicked(0, message_id="b"), 60),
        (clicked(60, message_id="b"), 60),
        (clicked(0, message_id="c"), None),
        (clicked(60 + MICRO, message_id="c"), None),
        (clicked(0, message_id="d"), 0),
        (clicked(0, message_id="d"), 0),
    )


def test_the_same_link_again():
    check(
        "since_same_link_s until_same_link_s",
        (clicked(0, message_id="a", url=link(1)), None, 7),
        (clicked(3, message_id="a", url=link(2)), None, None),
        (opened(5, message_id="a"), None, None),
        (clicked(7, message_id="a", url=link(1)), 7, None),
        (clicked(0, message_id="b", url=link(1)), None, HOUR),
        (clicked(HOUR, message_id="b", url=link(1)), HOUR, None),
        (clicked(0, message_id="c", url=link(1)), None, None),
        (clicked(HOUR + MICRO, message_id="c", url=link(1)), HOUR, None),
        (clicked(0, message_id="d", url=link(1)), None, None),
        (clicked(WEEK, message_id="d", url=link(1)), WEEK, None),
        (clicked(0, message_id="e", url=link(1)), None, None),
        (clicked(WEEK + MICRO, message_id="e", url=link(1)), None, None),
        (clicked(0, message_id="f", url=link(1)), None, None),
        (clicked(0, message_id="f", url=link(1)), None, None),
        (clicked(0, message_id="g"), None, None),
        (clicked(4, message_id="g"), None, None),
    )


def test_a_link_id_speaks_before_the_url():
    check(
        "since_same_link_s",
        (clicked(0, message_id="a", link_id="1", url=link("1?r=7")), None),
        (clicked(4, message_id="a", link_id="1", url=link("1?r=8")), 4),
        (clicked(0, message_id="b", link_id="1", url=link(1)), None),
        (clicked(4, message_id="b", link_id="2", url=link(1)), None),
    )


def test_links_in_the_order_of_the_mail():
    check(
        "mail_order",
        (clicked(0, message_id="a", link_id="1"), 1),
        (clicked(1, message_id="a", link_id="2"), 1),
        (clicked(2, message_id="a", link_id="3"), 1),
        (clicked(0, message_id="b", link_id="9"), -1),
        (opened(1, message_id="b"), -1),
        (clicked(60, message_id="b", link_id="2"), -1),
        (clicked(0, message_id="c", link_id="1"), None),
        (clicked(60 + MICRO, message_id="c", link_id="2"), None),
        (clicked(0, message_id="d", link_id="top"), None),
        (clicked(1, message_id="d", link_id="foot"), None),
        (clicked(0, message_id="e", link_id="1"), 0),
        (clicked(1, message_id="e", link_id="2"), 0),
        (clicked(2, message_id="e", link_id="1"), 0),
    )


def test_the_order_of_one_link_or_of_one_instant_is_not_known():
    check(
        "mail_order",
        (clicked(0, message_id="a", link_id="1"), None),
        (clicked(1, message_id="a", link_id="1"), None),
        (clicked(0, message_id="b", link_id="1"), None),
        (clicked(0, message_id="b", link_id="2"), None),
    )


def test_recipients_of_one_message_id_have_messages_of_their_own():
    check(
        "since_previous_s clicks_60s",
        (clicked(0, recipient_id="r1"), None, 1),
        (clicked(5, recipient_id="r2"), None, 1),
        (clicked(7, recipient_id=None), None, 1),
    )
