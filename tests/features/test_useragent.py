"""With what: the client's user agent, its age against the newest in use, and whether the message saw it before."""

import pytest

from features.ua_parse import DEVICES, FAMILIES, KINDS, OS_FAMILIES
from tests.features.event_tables import (
    CHROME,
    HOUR,
    MICRO,
    WEEK,
    check,
    clicked,
    opened,
    unsubscribed,
)

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
OLD_WINDOWS = "Mozilla/5.0 (Windows NT 6.1; rv:109.0) Gecko/20100101 Firefox/115.0"
TWO_BROWSERS = CHROME.format(42) + " Edge/12.246 Mozilla/5.0"
LIBRARY = "python-requests/2.32.3"


def crowd(count, version, seconds=0, first=0):
    """Opens with Chrome of this version by so many recipients, without expectations."""
    return [
        (opened(seconds, message_id=f"m{n}", recipient_id=f"r{n}", user_agent=CHROME.format(version)),)
        for n in range(first, first + count)
    ]


def visit(version, seconds=0, recipient="me"):
    agent = CHROME.format(version)
    return clicked(seconds, message_id=recipient, recipient_id=recipient, user_agent=agent)


def test_what_an_agent_is():
    other_family, other_os = FAMILIES.index("other"), OS_FAMILIES.index("other")
    check(
        "agent_kind browser os device agent_missing",
        (
            opened(0, user_agent=CHROME.format(140)),
            KINDS.index("browser"),
            FAMILIES.index("chrome"),
            OS_FAMILIES.index("windows"),
            DEVICES.index("desktop"),
            0,
        ),
        (opened(0, user_agent=LIBRARY), KINDS.index("http_client"), other_family, other_os, DEVICES.index("other"), 0),
        (opened(0), None, None, None, None, 1),
    )


def test_agents_that_no_person_has():
    check(
        "agent_impossible os_legacy",
        (clicked(0, user_agent=CHROME.format(140)), 0, 0),
        (clicked(0, user_agent=OLD_WINDOWS), 0, 1),
        (clicked(0, user_agent=TWO_BROWSERS), 1, 0),
        (clicked(0), None, None),
    )


@pytest.mark.parametrize(("others", "lag"), [(49, 10), (48, None)], ids=["50 recipients", "49 recipients"])
def test_version_lag_is_not_known_below_fifty_recipients(others, lag):
    check(
        "version_lag",
        *crowd(others, 140),
        (visit(130), lag),
        (clicked(0, recipient_id="library", user_agent=LIBRARY), None),
        (clicked(0, recipient_id="fox", user_agent=FIREFOX.format(120)), None),
        (clicked(0, recipient_id="none"), None),
    )


def test_a_recipient_counts_once_a_version():
    check("version_lag", *crowd(48, 140), *crowd(48, 140, 60), *crowd(48, 140, 2 * HOUR), (visit(130, 2 * HOUR), None))


def test_version_lag_is_cut_at_sixty_behind_and_five_ahead():
    check(
        "version_lag",
        *crowd(500, 140),
        (visit(140, recipient="a"), 0),
        (visit(80, recipient="b"), 60),
        (visit(79, recipient="c"), 60),
        (visit(145, recipient="d"), -5),
        (visit(146, recipient="e"), -5),
    )


@pytest.mark.parametrize(("fakes", "lag"), [(2, 10), (3, 20)], ids=["below 1 %", "1 %"])
def test_a_handful_of_fake_newest_versions_does_not_move_the_lag(fakes, lag):
    """300 recipients with Chrome: the newest version is one that 1 % of them have, counted with the newer ones."""
    check("version_lag", *crowd(299 - fakes, 140), *crowd(fakes, 150, first=299), (visit(130), lag))


@pytest.mark.parametrize(
    ("seconds", "lag"),
    [(0, 10), (168 * HOUR, 10), (169 * HOUR - MICRO, 10), (169 * HOUR, None)],
    ids=["the same hour", "168 hours later", "to the end of that hour", "169 hours later"],
)
def test_versions_count_for_168_hours(seconds, lag):
    check("version_lag", *crowd(49, 140), (visit(130, seconds), lag))


@pytest.mark.parametrize(("later", "lag"), [(HOUR - MICRO, 10), (HOUR, None)], ids=["this hour", "next hour"])
def test_the_hour_of_the_event_counts_to_its_end(later, lag):
    check("version_lag", *crowd(49, 140, later), (visit(130), lag))


def test_a_recipient_seen_again_counts_from_then_on():
    check(
        "version_lag",
        *crowd(49, 140),
        *crowd(49, 140, 100 * HOUR),
        (visit(130, 268 * HOUR, "a"), 10),
        (visit(130, 269 * HOUR, "b"), None),
    )


def test_events_without_a_recipient_are_judged_but_not_counted():
    agent = CHROME.format(130)
    check(
        "version_lag",
        *crowd(50, 140),
        *crowd(60, 130, HOUR, first=100),
        (clicked(0, message_id="a", recipient_id=None, user_agent=agent), 10),
        (clicked(5 * HOUR, message_id="b", recipient_id=None, user_agent=agent), 10),
        (clicked(169 * HOUR, message_id="c", recipient_id=None, user_agent=agent), 0),
        (clicked(170 * HOUR, message_id="d", recipient_id=None, user_agent=agent), None),
    )


def test_earlier_visits_with_the_same_agent():
    chrome, old = CHROME.format(140), CHROME.format(120)
    check(
        "since_agent_open_s since_agent_click_s",
        (opened(0, message_id="a", user_agent=chrome), None, None),
        (clicked(0, message_id="a", user_agent=chrome), None, None),
        (clicked(10, message_id="a", user_agent=chrome), 10, 10),
        (clicked(12, message_id="a", user_agent=old), None, None),
        (unsubscribed(15, message_id="a", user_agent=chrome), 15, 5),
        (clicked(20, message_id="a"), None, None),
        (opened(0, message_id="b", user_agent=chrome),),
        (clicked(WEEK, message_id="b", user_agent=chrome), WEEK, None),
        (opened(0, message_id="c", user_agent=chrome),),
        (clicked(WEEK + MICRO, message_id="c", user_agent=chrome), None, None),
    )
