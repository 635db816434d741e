"""What the address, network, agent, recipient domain and recipient did elsewhere in the trailing hours.

Two imagined messages are part of every share: one clicked message of one is a third.
"""

import pytest

from features.feature import CAPABILITIES
from features.population import GROUPS
from tests.features.event_tables import (
    DATA_CENTRE,
    HOME,
    HOME_TOO,
    HOUR,
    MICRO,
    OTHER_HOME,
    SCANNER,
    START,
    check,
    clicked,
    features_in_order,
    link,
    opened,
    unsubscribed,
)


def test_every_group_has_its_share_and_none_without_its_key():
    names = " ".join(f"{group.name}_click_share" for group in GROUPS)
    me = {"ip": HOME, "user_agent": "x", "recipient_domain": "a.example", "recipient_id": "me"}
    other = {"ip": HOME_TOO, "user_agent": "y", "recipient_domain": "a.example", "recipient_id": "other"}
    nothing = {"ip": None, "user_agent": None, "recipient_domain": None, "recipient_id": None}
    check(
        names,
        (clicked(0, message_id="a", **me), 1 / 3, 1 / 4, 1 / 3, 1 / 4, 1 / 3),
        (opened(0, message_id="b", **other), 0, 1 / 4, 0, 1 / 4, 0),
        (clicked(0, message_id="c", **nothing), None, None, None, None, None),
    )


def test_a_message_counts_once_an_hour_however_often_it_was_clicked():
    check(
        "recipient_click_share",
        (clicked(0, message_id="a", recipient_id="r1"), 1 / 3),
        (clicked(9, message_id="a", recipient_id="r1"), 1 / 3),
        (opened(0, message_id="b", recipient_id="r2"), 1 / 4),
        (clicked(9, message_id="c", recipient_id="r2"), 1 / 4),
        (clicked(0, message_id="d", recipient_id="r3"), 1 / 3),
        (clicked(HOUR, message_id="d", recipient_id="r3"), 2 / 4),
    )


def test_no_share_reaches_one_and_many_messages_come_close():
    rows = features_in_order([clicked(n, message_id=f"m{n}", ip=HOME) for n in range(18)])
    assert [row["address_click_share"] for row in rows] == [pytest.approx(18 / 20)] * 18


def test_the_size_of_the_sender_does_not_matter():
    mine = [
        clicked(0, message_id="a", recipient_id="me", ip=HOME),
        opened(9, message_id="b", recipient_id="me", ip=HOME),
    ]
    others = [
        clicked(n, message_id=f"m{n}", recipient_id=f"r{n}", ip=f"192.0.{n}.1", recipient_domain=f"d{n}.example")
        for n in range(40)
    ]
    names = ("address_click_share", "network_click_share", "domain_click_share", "recipient_click_share")
    alone, among = features_in_order(mine), features_in_order([*mine, *others])[:2]
    assert [[row[name] for name in names] for row in among] == [[row[name] for name in names] for row in alone]


def test_the_whole_current_hour_counts_and_the_next_does_not():
    check(
        "recipient_click_share",
        (opened(0, message_id="a", recipient_id="r1"), 1 / 4),
        (clicked(HOUR - MICRO, message_id="b", recipient_id="r1"), 1 / 4),
        (opened(0, message_id="a", recipient_id="r2"), 0),
        (clicked(HOUR, message_id="b", recipient_id="r2"), 1 / 4),
    )


def test_the_trailing_hours_of_a_day_and_of_a_week():
    def then_and_now(group, hour):
        """A quick click in hour 0 from one network, and a slow one in the hour given."""
        who = {"ip": f"192.0.{group}.1"}
        return (clicked(3, message_id=f"{group}a", **who),), clicked(hour * HOUR, message_id=f"{group}b", **who)

    (day, day_later), (beyond, hour_25) = then_and_now(1, 24), then_and_now(2, 25)
    (week, hour_168), (before, hour_169) = then_and_now(3, 168), then_and_now(4, 169)
    check(
        "network_quick_share_day network_quick_share",
        *(day, beyond, week, before),
        (day_later, 1 / 4, 1 / 4),
        (hour_25, 0, 1 / 4),
        (hour_168, 0, 1 / 4),
        (hour_169, 0, 0),
    )


def test_clicks_within_one_and_five_minutes_of_arrival():
    check(
        "domain_quick_share domain_soon_share",
        (clicked(60, message_id="a", recipient_domain="a.example"), 1 / 3, 1 / 3),
        (clicked(60 + MICRO, message_id="b", recipient_domain="b.example"), 0, 1 / 3),
        (clicked(300, message_id="c", recipient_domain="c.example"), 0, 1 / 3),
        (clicked(300 + MICRO, message_id="d", recipient_domain="d.example"), 0, 0),
        (clicked(60, message_id="e", recipient_domain="e.example", delivered_at=None), 0, 0),
        (clicked(60, message_id="f", recipient_domain="f.example", delivered_at=None, sent_at=START), 1 / 3, 1 / 3),
        (opened(5, message_id="g", recipient_domain="g.example"), 0, 0),
    )


def test_bursts_of_three_links_or_of_both():
    def burst(recipient, *seconds, **columns):
        return [clicked(s, recipient_id=recipient, url=link(n), **columns) for n, s in enumerate(seconds)]

    check(
        "recipient_burst_share",
        *zip(burst("r1", 0, 5, 10), (1 / 3,) * 3, strict=True),
        *zip(burst("r2", 0, 5, 10 + MICRO), (0,) * 3, strict=True),
        *zip(burst("r3", 0, 5), (0,) * 2, strict=True),
        *zip(burst("r4", 0, 10, campaign_id="two"), (1 / 3,) * 2, strict=True),
        campaigns=[{"campaign_id": "two", "n_links": 2}],
    )


def test_clicked_messages_that_were_opened_within_the_hour_before():
    check(
        "recipient_opened_share",
        (opened(0, recipient_id="r1"), 0),
        (clicked(HOUR, recipient_id="r1"), 1 / 3),
        (opened(0, recipient_id="r2"), 0),
        (clicked(HOUR + MICRO, recipient_id="r2"), 0),
        (clicked(5, recipient_id="r3"), 0),
        (opened(6, recipient_id="r3"), 0),
        (clicked(5, recipient_id="r4"), 1 / 3),
        (opened(5, recipient_id="r4"), 1 / 3),
    )


def test_links_hit_again_within_five_seconds():
    check(
        "recipient_echo_share",
        (clicked(0, recipient_id="r1", url=link(1)), 1 / 3),
        (clicked(5, recipient_id="r1", url=link(1)), 1 / 3),
        (clicked(0, recipient_id="r2", url=link(1)), 0),
        (clicked(5 + MICRO, recipient_id="r2", url=link(1)), 0),
        (clicked(0, recipient_id="r3", url=link(1)), 0),
        (clicked(1, recipient_id="r3", url=link(2)), 0),
        (opened(0, recipient_id="r4"), 0),
        (opened(1, recipient_id="r4"), 0),
        (clicked(0, recipient_id="r5", url=link(1), event_id="one"), 1 / 3),
        (clicked(0, recipient_id="r5", url=link(1), event_id="another"), 1 / 3),
    )


def test_clicked_unsubscribe_links():
    check(
        "domain_unsubscribe_share",
        (clicked(0, message_id="a", recipient_domain="a.example", url=link("unsubscribe")), 1 / 3),
        (clicked(0, message_id="b", recipient_domain="b.example", url=link(1)), 0),
        (unsubscribed(0, message_id="c", recipient_domain="c.example"), 0),
    )


def test_clicks_from_machine_networks():
    check(
        "recipient_machine_network_share domain_machine_network_share",
        (clicked(0, message_id="a", recipient_id="r1", ip=SCANNER), 1 / 3, 2 / 5),
        (clicked(0, message_id="b", recipient_id="r2", ip=DATA_CENTRE), 1 / 3, 2 / 5),
        (clicked(0, message_id="c", recipient_id="r3", ip=HOME), 0, 2 / 5),
        (opened(0, message_id="d", recipient_id="r4", ip=SCANNER), 0, 2 / 5),
    )


def test_how_many_domains_agents_and_networks_a_message():
    here, there = {"ip": HOME, "user_agent": "x"}, {"ip": OTHER_HOME, "user_agent": "x"}
    check(
        "address_domains address_agents agent_domains agent_networks recipient_networks",
        (clicked(0, message_id="a", recipient_domain="a.example", **here), 2 / 4, 1 / 4, 2 / 5, 2 / 5, 2 / 5),
        (clicked(0, message_id="b", recipient_domain="b.example", **here), 2 / 4, 1 / 4, 2 / 5, 2 / 5, 2 / 5),
        (opened(0, message_id="c", recipient_domain=None, **there), 0, 1 / 3, 2 / 5, 2 / 5, 2 / 5),
    )


def test_shares_that_need_what_the_file_does_not_give_are_null():
    """The recipient is always given; links, addresses and domains may not be."""
    check(
        "recipient_click_share recipient_burst_share recipient_networks domain_click_share address_click_share",
        (clicked(0, ip=HOME, url=link(1)), 1 / 3, None, None, None, None),
        capabilities=frozenset(CAPABILITIES) - {"links", "address", "domains"},
    )


def test_links_that_are_clicked_more_than_others_of_the_campaign():
    check(
        "link_popularity",
        (clicked(0, message_id="a", url=link("1?r=a")), 1.5),
        (clicked(0, message_id="b", url=link("1?r=b")), 1.5),
        (clicked(0, message_id="c", url=link(1)), 1.5),
        (clicked(0, message_id="c", url=link(1)), 1.5),
        (clicked(0, message_id="a", url=link(2)), 0.5),
        (opened(0, message_id="a"), None),
        (clicked(0, message_id="d"), None),
        (clicked(0, message_id="e", url=link(1), campaign_id="few"), None),
        (clicked(0, message_id="f", url=link(1), campaign_id="few"), None),
        (clicked(0, message_id="g", url=link(2), campaign_id="few"), None),
        (clicked(0, message_id="h", url=link(1), campaign_id=None), None),
    )


def test_popularity_looks_168_hours_back():
    def campaign(name, hour):
        early = [(clicked(0, message_id=f"{name}{n}", url=link(1), campaign_id=name),) for n in range(3)]
        return early, clicked(hour * HOUR, message_id=f"{name}-late", url=link(2), campaign_id=name)

    (week, at_168), (before, at_169) = campaign("a", 168), campaign("b", 169)
    check("link_popularity", *week, *before, (at_168, 0.5), (at_169, None))
