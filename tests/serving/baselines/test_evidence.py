"""What rules are handed: times, keys and the three states of an agent."""

import pytest

from serving.baselines import drop_tables, make_tables
from tests.features.event_tables import CHROME, START, clicked, event, link, opened, tables, unsubscribed
from tests.serving.baselines.cases import EVERYTHING, TRAP, WITH_TRAP


def evidence(events, columns, campaigns=(), capabilities=EVERYTHING, **options):
    con = tables(events, campaigns, **options)
    make_tables(con, capabilities)
    return con.sql(f"SELECT {columns} FROM rule_events ORDER BY event_row").fetchall()


def test_there_is_a_row_for_each_open_click_and_unsubscribe_that_happened():
    events = [
        event("delivered", 0),
        opened(1),
        clicked(2, url=link(1)),
        clicked(2, is_synthetic=True),
        unsubscribed(3),
        event("bounced", 4),
    ]
    assert evidence(events, "event_type") == [("opened",), ("clicked",), ("unsubscribed",)]


def test_the_delay_is_since_delivery_else_since_sending_and_may_be_negative():
    events = [
        opened(5),
        opened(5, sent_at=START.replace(hour=8)),
        opened(5, delivered_at=None, sent_at=START),
        opened(5, delivered_at=None),
        opened(-2),
    ]
    delays = [(5_000_000,), (5_000_000,), (5_000_000,), (None,), (-2_000_000,)]
    assert evidence(events, "delay_us") == delays
    assert evidence(events, "delay_us", capabilities=EVERYTHING - {"deliveries"})[0] == (None,)


def test_an_agent_is_there_or_missing_in_a_row_or_not_given_by_the_file():
    events = [opened(1, user_agent=CHROME.format(140)), opened(2)]
    columns = "agent_given, no_agent, agent_id IS NOT NULL"
    assert evidence(events, columns) == [(True, False, True), (True, True, False)]
    assert evidence(events, columns, capabilities=EVERYTHING - {"agent"}) == [(False, False, False)] * 2


def test_the_open_before_is_the_last_one_of_the_message_and_comes_before_a_click_of_the_same_time():
    events = [
        clicked(4, url=link(1)),
        opened(2),
        opened(4),
        opened(6),
        clicked(9, url=link(1)),
        opened(5, message_id="m2"),
    ]
    opens = evidence(events, "(last_open_us - epoch_us(TIMESTAMPTZ '2026-03-02 09:00:00+00')) // 1000000")
    assert opens == [(4,), (None,), (2,), (4,), (6,), (None,)]


def test_hidden_links_are_known_only_where_a_campaign_has_one():
    events = [
        clicked(1, url=TRAP),
        clicked(1, url=f"{TRAP}?r=1"),
        opened(1),
        clicked(1, url=TRAP, campaign_id="autumn"),
    ]
    assert evidence(events, "hidden", WITH_TRAP) == [(True,), (True,), (False,), (None,)]


@pytest.mark.parametrize(
    ("campaigns", "links"), [(WITH_TRAP, 3), ((), 2), (({"campaign_id": "spring", "honeypot_url": link(2)},), 1)]
)
def test_the_links_of_a_mail_are_those_given_else_those_seen_clicked_without_the_hidden_one(campaigns, links):
    events = [clicked(1, url=f"{link(1)}?r=a"), clicked(2, url=f"{link(1)}?r=b"), clicked(3, url=link(2))]
    assert evidence(events, "n_links, url", campaigns)[0][0] == links
    assert len(set(evidence(events, "url"))) == 3
    assert len(set(evidence(events, "campaign_link"))) == 2


def test_the_tables_can_be_dropped_and_made_again():
    con = tables([opened(1)])
    for _ in range(2):
        make_tables(con, EVERYTHING)
        drop_tables(con)
    assert not con.sql("SELECT * FROM duckdb_tables() WHERE table_name LIKE 'rule%'").fetchall()
