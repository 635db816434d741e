"""Where from: what is published about the client's address, and whether the message saw it before."""

from features.ip_lookup import CATEGORIES, EVIDENCE, KINDS, OPERATORS
from tests.features.event_tables import (
    DATA_CENTRE,
    HOME,
    HOME_6,
    HOME_TOO,
    MICRO,
    NOBODY,
    SCANNER,
    WEEK,
    check,
    clicked,
    opened,
    unsubscribed,
)


def test_what_is_published_about_an_address():
    check(
        "network_kind network_operator network_evidence as_category network_rank",
        (
            clicked(0, ip=SCANNER),
            KINDS.index("mail_security"),
            OPERATORS.index("microsoft"),
            EVIDENCE.index("observed"),
            CATEGORIES.index("cloud_mailbox"),
            2,
        ),
        (clicked(0, ip=DATA_CENTRE), None, OPERATORS.index("amazon"), None, CATEGORIES.index("cloud"), 2),
        (clicked(0, ip=HOME_6), None, None, None, CATEGORIES.index("consumer_isp"), 0),
        (clicked(0, ip=NOBODY), None, None, None, None, 1),
        (clicked(0), None, None, None, None, None),
    )


def test_what_is_known_of_the_address_itself():
    check(
        "as_unknown as_category_weak ipv6",
        (opened(0, ip=HOME), 0, 0, 0),
        (opened(0, ip=HOME_6), 0, 0, 1),
        (opened(0, ip="128.175.1.1"), 0, 1, 0),  # University of Delaware, by a word of its name
        (opened(0, ip=NOBODY), 1, None, 0),
        (opened(0), None, None, None),
    )


def test_earlier_visits_from_the_same_network():
    check(
        "since_network_open_s since_network_click_s",
        (opened(0, message_id="a", ip=HOME), None, None),
        (clicked(10, message_id="a", ip=HOME_TOO), 10, None),
        (clicked(12, message_id="a", ip=SCANNER), None, None),
        (opened(15, message_id="a", ip=HOME), 15, 5),
        (unsubscribed(16, message_id="a", ip=HOME), 1, 6),
        (opened(17, message_id="a", ip=HOME), 2, 1),
        (opened(20, message_id="a"), None, None),
        (clicked(20, message_id="b", ip=HOME), None, None),
    )


def test_visits_of_one_instant_are_not_earlier_ones():
    check(
        "since_network_open_s since_network_click_s",
        (opened(0, ip=HOME), None, None),
        (clicked(0, ip=HOME), None, None),
    )


def test_earlier_visits_are_looked_for_seven_days_back():
    check(
        "since_network_open_s since_network_click_s",
        (opened(0, message_id="a", ip=HOME),),
        (clicked(WEEK, message_id="a", ip=HOME), WEEK, None),
        (opened(0, message_id="b", ip=HOME),),
        (clicked(WEEK + MICRO, message_id="b", ip=HOME), None, None),
        (clicked(0, message_id="c", ip=HOME),),
        (clicked(WEEK, message_id="c", ip=HOME), None, WEEK),
        (clicked(0, message_id="d", ip=HOME),),
        (clicked(WEEK + MICRO, message_id="d", ip=HOME), None, None),
    )
