"""The click pattern of a message: which of its links were hit, how many at once, from how many places."""

import pytest

from tests.features.event_tables import (
    CHROME,
    DATA_CENTRE,
    HOME,
    HOME_TOO,
    HOUR,
    MICRO,
    NOBODY,
    OTHER_HOME,
    SCANNER,
    START,
    WEEK,
    at,
    check,
    clicked,
    event,
    feature_rows,
    features_in_order,
    link,
    opened,
    tables,
    unsubscribed,
)

KNOWN = {"campaign_id": "spring", "sent_at": START}
TRAP = {**KNOWN, "n_links": 4, "honeypot_url": link("h"), "unsubscribe_url": link("u")}


def test_clicks_and_links_within_a_second_ten_seconds_and_a_minute():
    check(
        "clicks_1s links_1s clicks_10s links_10s clicks_60s links_60s",
        (clicked(0, message_id="a", url=link(1)), 2, 2, 2, 2, 2, 2),
        (clicked(1, message_id="a", url=link(2)), 2, 2, 2, 2, 2, 2),
        (clicked(0, message_id="b", url=link(1)), 1, 1, 2, 2, 2, 2),
        (clicked(1 + MICRO, message_id="b", url=link(2)), 1, 1, 2, 2, 2, 2),
        (clicked(0, message_id="c", url=link(1)), 1, 1, 2, 2, 2, 2),
        (clicked(10, message_id="c", url=link(2)), 1, 1, 2, 2, 2, 2),
        (clicked(0, message_id="d", url=link(1)), 1, 1, 1, 1, 2, 2),
        (clicked(10 + MICRO, message_id="d", url=link(2)), 1, 1, 1, 1, 2, 2),
        (clicked(0, message_id="e", url=link(1)), 1, 1, 1, 1, 2, 2),
        (clicked(60, message_id="e", url=link(2)), 1, 1, 1, 1, 2, 2),
        (clicked(0, message_id="f", url=link(1)), 1, 1, 1, 1, 1, 1),
        (clicked(60 + MICRO, message_id="f", url=link(2)), 1, 1, 1, 1, 1, 1),
        (clicked(0, message_id="g", url=link(1)), 2, 1, 2, 1, 2, 1),
        (clicked(0, message_id="g", url=link(1)), 2, 1, 2, 1, 2, 1),
        (opened(0, message_id="h"), 1, 0, 1, 0, 1, 0),
        (clicked(0, message_id="h"), 1, 0, 1, 0, 1, 0),
    )


def test_events_so_far_include_those_of_the_same_instant_and_of_seven_days():
    check(
        "event_kind clicks_so_far opens_so_far opens_60s",
        (opened(0, message_id="a"), 0, 0, 1, 2),
        (clicked(5, message_id="a"), 1, 2, 1, 2),
        (clicked(5, message_id="a"), 1, 2, 1, 2),
        (unsubscribed(6, message_id="a"), 2, 3, 1, 2),
        (opened(60, message_id="a"), 0, 3, 2, 2),
        (opened(120 + MICRO, message_id="a"), 0, 3, 3, 1),
        (clicked(0, message_id="b"), 1, 1, 0, 0),
        (clicked(WEEK, message_id="b"), 1, 2, 0, 0),
        (clicked(0, message_id="c"), 1, 1, 0, 0),
        (clicked(WEEK + MICRO, message_id="c"), 1, 1, 0, 0),
    )


def test_counts_end_at_twenty_and_shares_do_not():
    hits = [clicked(n / 100, url=link(n), ip=f"192.0.{n}.1", user_agent=f"agent {n}") for n in range(25)]
    opens = [opened(n / 100) for n in range(25)]
    *_, first, last = features_in_order([*opens, *hits[1:], hits[0]], campaigns=[{**KNOWN, "n_links": 50}])
    capped = (
        "clicks_1s clicks_10s clicks_60s opens_60s links_1s links_10s links_60s widest_burst n_links"
        " addresses_60s addresses networks agents_60s agents"
    )
    assert {name: last[name] for name in capped.split()} == dict.fromkeys(capped.split(), 20)
    assert (first["clicks_so_far"], first["opens_so_far"]) == (20, 20)
    assert last["clicks_so_far"] == 1
    assert (last["link_share_10s"], last["link_share_hour"], first["link_share_so_far"]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("n_links", "shares"),
    [(4, (0.5, 0.75)), (3, (pytest.approx(2 / 3), 1)), (2, (1, 1)), (1, (1, 1)), (0, (None, None))],
    ids=["four", "three", "two", "fewer than were hit", "none"],
)
def test_shares_of_the_links_given_are_at_most_one(n_links, shares):
    rows = features_in_order(
        [clicked(0, url=link(1)), clicked(1, url=link(2)), clicked(60, url=link(3))],
        campaigns=[{**KNOWN, "n_links": n_links}],
    )
    assert (rows[1]["link_share_10s"], rows[2]["link_share_so_far"]) == shares
    assert [row["n_links"] for row in rows] == [n_links] * 3


def test_windows_of_the_shares():
    check(
        "link_share_10s link_share_so_far link_share_hour",
        (clicked(0, message_id="a", url=link(1)), 0.25, 0.25, 0.5),
        (clicked(HOUR, message_id="a", url=link(2)), 0.25, 0.5, 0.5),
        (clicked(0, message_id="b", url=link(1)), 0.25, 0.25, 0.25),
        (clicked(HOUR + MICRO, message_id="b", url=link(2)), 0.25, 0.5, 0.25),
        (clicked(0, message_id="c", url=link(1)), 0.25, 0.25, 0.25),
        (opened(WEEK, message_id="c"), 0, 0.25, 0),
        (clicked(0, message_id="d", url=link(1)), 0.25, 0.25, 0.25),
        (opened(WEEK + MICRO, message_id="d"), 0, 0, 0),
        campaigns=[TRAP],
    )


def test_the_campaigns_clicks_show_how_many_links_there_are():
    """Links of all its messages in the 168 hours before this hour and in this hour; a query makes no other link."""
    check(
        "n_links link_share_so_far",
        (clicked(0, message_id="a", url=link("1?r=a")), 2, 0.5),
        (clicked(5, message_id="b", url=link("1?r=b")), 2, 0.5),
        (clicked(9, message_id="c", url=link(2)), 2, 0.5),
        (clicked(169 * HOUR - MICRO, message_id="d", url=link(3)), 3, 1 / 3),
        (clicked(169 * HOUR, message_id="e", url=link(3)), 1, 1),
        (clicked(0, message_id="f", url=link(3), campaign_id="summer"), 1, 1),
        (clicked(0, message_id="g", url=link(3), campaign_id=None), None, None),
        (opened(HOUR, message_id="h", campaign_id="unclicked"), None, None),
    )


def test_the_number_of_links_given_speaks_before_the_clicks():
    check(
        "n_links",
        (clicked(0, message_id="a", url=link(1)), 4),
        (clicked(0, message_id="b", url=link(1), campaign_id="summer"), 1),
        (clicked(0, message_id="c", url=link(1), campaign_id="winter"), 1),
        campaigns=[TRAP, {"campaign_id": "summer"}],
    )


def test_the_campaigns_clicks_tell_its_opens_too_until_168_hours_are_over():
    check(
        "n_links link_share_so_far",
        (opened(-HOUR, message_id="a"), None, None),
        (clicked(0, message_id="b", url=link(1)), 2, 0.5),
        (clicked(0, message_id="c", url=link(2)), 2, 0.5),
        (opened(0, message_id="d"), 2, 0),
        (opened(9 * HOUR, message_id="b"), 2, 0.5),
        (opened(169 * HOUR - MICRO, message_id="e"), 2, 0),
        (opened(169 * HOUR, message_id="f"), None, None),
        (opened(180 * HOUR, message_id="g"), None, None),
    )


def test_the_hidden_link_with_and_without_a_query():
    check(
        "honeypot",
        (clicked(0, url=link("h")), 1),
        (clicked(0, url=link("h?r=7")), 1),
        (clicked(0, url=link("h2")), 0),
        (clicked(0, url=link("1?next=") + link("h")), 0),
        (clicked(0), None),
        (opened(0), None),
        (clicked(0, url=link("h"), campaign_id="summer"), None),
        campaigns=[TRAP, {"campaign_id": "summer"}],
    )


def test_a_hidden_link_that_has_a_query_itself():
    check(
        "honeypot",
        (clicked(0, url=link("go?to=h")), 1),
        (clicked(0, url=link("go?to=1")), 0),
        campaigns=[{**KNOWN, "honeypot_url": link("go?to=h")}],
    )


def test_the_hidden_link_of_the_message():
    check(
        "honeypot_60s honeypot_message",
        (clicked(0, message_id="a", url=link(1)), 1, 1),
        (clicked(60, message_id="a", url=link("h")), 1, 1),
        (clicked(0, message_id="b", url=link(1)), 0, 1),
        (clicked(60 + MICRO, message_id="b", url=link("h")), 1, 1),
        (clicked(0, message_id="c", url=link(1)), 0, 1),
        (clicked(HOUR, message_id="c", url=link("h")), 1, 1),
        (clicked(0, message_id="d", url=link(1)), 0, 0),
        (clicked(HOUR + MICRO, message_id="d", url=link("h")), 1, 1),
        (clicked(0, message_id="e", url=link("h")), 1, 1),
        (opened(WEEK, message_id="e"), None, 1),
        (clicked(0, message_id="f", url=link("h")), 1, 1),
        (opened(WEEK + MICRO, message_id="f"), None, None),
        campaigns=[TRAP],
    )


def test_the_unsubscribe_link_by_its_address():
    check(
        "unsubscribe_link",
        (clicked(0, url=link("u")), 1),
        (clicked(0, url=link("u?r=7")), 1),
        (clicked(0, url=link("Unsubscribe?r=7")), 1),
        (clicked(0, url=link("1/OptOut")), 1),
        (clicked(0, url=link("opt-out")), 1),
        (clicked(0, url=link("option")), 0),
        (clicked(0, url=link("u"), campaign_id="summer"), 0),
        (clicked(0), 0),
        (opened(0), 0),
        (unsubscribed(0), 1),
        campaigns=[TRAP],
    )


def test_unsubscribing_within_a_minute():
    check(
        "unsubscribe_click_60s unsubscribed_60s",
        (clicked(0, message_id="a", url=link(1)), 1, 0),
        (clicked(60, message_id="a", url=link("unsubscribe")), 1, 0),
        (clicked(0, message_id="b", url=link(1)), 0, 0),
        (clicked(60 + MICRO, message_id="b", url=link("unsubscribe")), 1, 0),
        (opened(0, message_id="c"), None, 1),
        (unsubscribed(60, message_id="c"), None, 1),
        (opened(0, message_id="d"), None, 0),
        (unsubscribed(60 + MICRO, message_id="d"), None, 1),
    )


def test_request_methods():
    check(
        "method head_60s",
        (clicked(0, message_id="a", http_method="GET"), 0, 1),
        (clicked(0, message_id="a", http_method="head"), 1, 1),
        (clicked(60, message_id="a", http_method="POST"), 2, 1),
        (clicked(60 + MICRO, message_id="a", http_method="OPTIONS"), None, 0),
        (clicked(0, message_id="b"), None, None),
    )


def test_head_before_get():
    check(
        "head_before",
        (clicked(0, message_id="a", url=link(1), http_method="HEAD"),),
        (clicked(60, message_id="a", url=link(1), http_method="GET"), 1),
        (clicked(0, message_id="b", url=link(1), http_method="HEAD"),),
        (clicked(60 + MICRO, message_id="b", url=link(1), http_method="GET"), 0),
        (clicked(0, message_id="c", url=link(1), http_method="GET"), 0),
        (clicked(1, message_id="c", url=link(1), http_method="HEAD"),),
        (clicked(0, message_id="d", url=link(1), http_method="HEAD"),),
        (clicked(0, message_id="d", url=link(1), http_method="GET"), 1),
        (clicked(1, message_id="d", url=link(2), http_method="GET"), 0),
        (opened(1, message_id="d", http_method="GET"), None),
        (clicked(1, message_id="d", http_method="GET"), None),
    )


def pair(message, seconds, **second):
    """A scanner's hit and a later one of the same link."""
    return (
        clicked(0, message_id=message, url=link(1), ip=SCANNER),
        clicked(seconds, **{"message_id": message, "url": link(1), "ip": HOME, **second}),
    )


def test_a_time_of_click_check_and_a_persons_click():
    names = "same_link_other_network same_link_other_network_before same_link_machine_network same_link_people_network"
    (a1, a2), (b1, b2), (c1, c2) = pair("a", 60), pair("b", 60 + MICRO), pair("c", 0)
    (d1, d2), (e1, e2), (f1, f2) = pair("d", 1, url=link(2)), pair("e", 1, ip=SCANNER), pair("f", 1, ip=None)
    (g1, g2), (h1, h2) = pair("g", 1, ip=NOBODY), pair("h", 1, ip=DATA_CENTRE)
    check(
        names,
        (a1, 1, 0, 0, 1),
        (a2, 1, 1, 1, 0),
        (b1, 0, 0, 0, 0),
        (b2, 0, 0, 0, 0),
        (c1, 1, 1, 0, 1),  # of one instant: each comes before the other
        (c2, 1, 1, 1, 0),
        (d1, 0, 0, 0, 0),
        (d2, 0, 0, 0, 0),
        (e1, 0, 0, 0, 0),
        (e2, 0, 0, 0, 0),
        (f1, 0, 0, 0, 0),
        (f2, None, None, None, None),
        (g1, 1, 0, 0, 0),  # nobody's network is neither people's nor a machine's
        (g2, 1, 1, 1, 0),
        (h1, 1, 0, 1, 0),
        (h2, 1, 1, 1, 0),
        (opened(0, message_id="a", ip=HOME), None, None, None, None),
        (clicked(0, message_id="i", ip=HOME), None, None, None, None),
    )


def test_two_addresses_of_one_network_are_no_pair():
    check(
        "same_link_other_network same_link_people_network",
        (clicked(0, message_id="a", url=link(1), ip=HOME), 0, 0),
        (clicked(1, message_id="a", url=link(1), ip=HOME_TOO), 0, 0),
        (clicked(0, message_id="b", url=link(1), ip=HOME), 1, 1),
        (clicked(1, message_id="b", url=link(1), ip=OTHER_HOME), 1, 1),
    )


def test_the_same_link_with_another_agent():
    new, old = CHROME.format(140), CHROME.format(64)
    check(
        "same_link_other_agent",
        (clicked(0, message_id="a", url=link(1), user_agent=old), 1),
        (clicked(60, message_id="a", url=link(1), user_agent=new), 1),
        (clicked(0, message_id="b", url=link(1), user_agent=old), 0),
        (clicked(60 + MICRO, message_id="b", url=link(1), user_agent=new), 0),
        (clicked(0, message_id="c", url=link(1), user_agent=old), 0),
        (clicked(1, message_id="c", url=link(1)), None),
        (opened(1, message_id="c", user_agent=new), None),
    )


def burst(message, *seconds):
    """Clicks of as many different links."""
    return [clicked(s, message_id=message, url=link(n)) for n, s in enumerate(seconds)]


def test_three_links_within_ten_seconds_are_a_burst():
    (a1, a2, a3), (b1, b2, b3) = burst("a", 0, 5, 10), burst("b", 0, 10, 20 + MICRO)
    check(
        "widest_burst since_burst_s",
        (opened(0, message_id="a"), 3, 0),
        (a1, 3, 0),
        (a2, 3, 0),
        (a3, 3, 0),
        (clicked(100, message_id="a", url=link(1)), 3, 90),
        (b1, 2, None),
        (b2, 2, None),
        (b3, 2, None),
    )


def test_bursts_are_looked_for_seven_days_back_and_an_hour_ahead():
    last = HOUR - 10  # so that the ten seconds after it still lie within the hour
    check(
        "widest_burst since_burst_s",
        *((e,) for e in burst("a", 0, 0, 0) + burst("b", 0, 0, 0)),
        *((e,) for e in burst("c", last, last, last) + burst("d", *[last + MICRO] * 3)),
        (opened(WEEK, message_id="a"), 3, WEEK),
        (opened(WEEK + MICRO, message_id="b"), 0, None),
        (opened(0, message_id="c"), 3, None),
        (opened(0, message_id="d"), 0, None),
    )


def test_places_that_the_message_was_seen_from():
    check(
        "addresses_60s addresses networks agents_60s agents",
        (opened(0, message_id="a", ip=HOME, user_agent="x"), 2, 3, 2, 2, 3),
        (clicked(60, message_id="a", ip=HOME_TOO, user_agent="y"), 2, 3, 2, 2, 3),
        (clicked(HOUR, message_id="a", ip=SCANNER, user_agent="z"), 1, 3, 2, 1, 3),
        (opened(0, message_id="b", ip=HOME, user_agent="x"), 1, 1, 1, 1, 1),
        (clicked(HOUR + MICRO, message_id="b", ip=SCANNER, user_agent="y"), 1, 2, 2, 1, 2),
        (clicked(WEEK, message_id="b"), 0, 2, 2, 0, 2),
        (clicked(WEEK + 2 * HOUR, message_id="b"), 0, 0, 0, 0, 0),
        (opened(0, message_id="c", ip=HOME, user_agent="x"), 2, 2, 1, 1, 1),
        (opened(0, message_id="c", ip=HOME_TOO, user_agent="x"), 2, 2, 1, 1, 1),
        (opened(0, message_id="d"), 0, 0, 0, 0, 0),
    )


def test_links_are_told_apart_in_a_message_of_very_many():
    """200 links, one every half minute: five within a minute of each but the first and last two."""
    rows = features_in_order([clicked(30 * n, url=link(n)) for n in range(200)])
    assert [row["links_60s"] for row in rows] == [3, 4, *[5] * 196, 4, 3]


def test_items_seen_later_do_not_change_what_was_counted_before():
    def visits(first, last):
        return [
            event(
                "clicked",
                10 * n + (WEEK if n >= 60 else 0),
                event_id=f"n{n}",
                url=link(n),
                ip=f"192.0.{n}.1",
                user_agent=f"agent {n}",
            )
            for n in range(first, last)
        ]

    before = feature_rows(tables(visits(0, 60)))
    after = feature_rows(tables(visits(0, 200)))
    assert {name: after[name] for name in before} == before


def test_delivery_and_campaign_do_not_matter_to_counts():
    """A message without campaign, delivery and recipient has its clicks counted all the same."""
    bare = {"campaign_id": None, "delivered_at": None, "recipient_id": None}
    check(
        "clicks_1s links_60s link_share_10s honeypot",
        (clicked(0, url=link(1), **bare), 2, 2, None, None),
        (clicked(1, url=link(2), **bare), 2, 2, None, None),
        campaigns=[TRAP, {"campaign_id": "summer", "sent_at": at(5)}],
    )
