"""The feature table on DuckDB: which events are judged, which only counted, and what is switched off."""

import pytest

from features.catalog import FEATURE_NAMES, FEATURES
from features.duckdb_engine import DuckDBEngine, connect
from features.feature import CAPABILITIES
from tests.features.event_tables import (
    CHROME,
    HOME,
    SCANNER,
    START,
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

ALL = frozenset(CAPABILITIES)
RICH = {"ip": HOME, "user_agent": CHROME.format(140), "http_method": "GET"}
CAMPAIGN = {"campaign_id": "spring", "n_links": 3, "honeypot_url": link("h")}


def rich_mail():
    """Two people's clicks with everything that a platform can give."""
    return [
        opened(30, recipient_id="r1", **RICH),
        clicked(40, recipient_id="r1", url=link(1), link_id="1", **RICH),
        clicked(50, recipient_id="r1", url=link(2), link_id="2", **RICH),
        clicked(20, recipient_id="r2", url=link("h"), link_id="3", **{**RICH, "ip": SCANNER}),
        clicked(25, recipient_id="r2", url=link("h"), link_id="3", **RICH),
    ]


def test_the_session_is_in_utc():
    con = connect(memory="500MB", threads=1)
    assert con.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
    assert con.execute("SELECT current_setting('threads')").fetchall() == [(1,)]


def test_spilling_goes_where_it_is_told_to(tmp_path):
    assert connect(spill=tmp_path).execute("SELECT current_setting('temp_directory')").fetchall() == [(str(tmp_path),)]


def test_the_table_has_one_float_a_feature_in_the_order_of_the_catalogue():
    con = tables(rich_mail(), [CAMPAIGN])
    DuckDBEngine(con).compute(ALL)
    columns = con.execute("SELECT name, type FROM pragma_table_info('features')").fetchall()
    assert columns == [("event_row", "BIGINT"), *((name, "FLOAT") for name in FEATURE_NAMES)]


def test_opens_clicks_and_unsubscribes_are_judged_and_nothing_else():
    kinds = ("sent", "delivered", "opened", "clicked", "unsubscribed", "bounced", "complained", "unknown")
    rows = feature_rows(tables([event(kind, 5, event_id=kind) for kind in kinds]))
    assert set(rows) == {"opened", "clicked", "unsubscribed"}
    assert rows["clicked"]["clicks_1s"] == 2


def test_synthetic_events_are_neither_judged_nor_counted():
    rows = feature_rows(
        tables([opened(0, event_id="real"), opened(0, is_synthetic=True), clicked(1, is_synthetic=True, ip=SCANNER)])
    )
    assert set(rows) == {"real"}
    assert (rows["real"]["opens_60s"], rows["real"]["clicks_60s"], rows["real"]["addresses"]) == (1, 0, 0)
    assert rows["real"]["recipient_click_share"] == 0


def test_context_is_counted_and_not_judged():
    rows = feature_rows(tables([clicked(5, event_id="now")], context=[opened(0), clicked(0, message_id="m2")]))
    assert set(rows) == {"now"}
    assert rows["now"]["since_last_open_s"] == 5
    assert rows["now"]["recipient_click_share"] == 0.5


def test_no_events_give_an_empty_table():
    assert feature_rows(tables([])) == {}


def test_an_event_that_says_nothing_is_judged():
    nothing = dict.fromkeys(("delivered_at", "campaign_id", "message_id", "recipient_id", "recipient_domain"))
    (row,) = feature_rows(tables([opened(0, **nothing)])).values()
    assert set(row) == set(FEATURE_NAMES)
    assert (row["agent_missing"], row["as_unknown"], row["since_arrival_s"]) == (1, None, None)


@pytest.mark.parametrize("off", CAPABILITIES)
def test_a_capability_switched_off_makes_its_features_null(off):
    """And it leaves the others' values as they are, but for the fall-backs named here."""
    with_all = feature_rows(tables(rich_mail(), [CAMPAIGN]))
    without = feature_rows(tables(rich_mail(), [CAMPAIGN]), ALL - {off})
    needing = {feature.name for feature in FEATURES if off in feature.needs}
    falling_back = {
        "deliveries": {name for name in FEATURE_NAMES if "arrival" in name or "delay" in name or "quick" in name}
        | {name for name in FEATURE_NAMES if "soon" in name}
    }.get(off, set())
    assert needing
    for name, row in without.items():
        assert {row[feature] for feature in needing} == {None}
        kept = set(FEATURE_NAMES) - needing - falling_back
        assert {feature: row[feature] for feature in kept} == {feature: with_all[name][feature] for feature in kept}


def test_every_feature_has_a_value_somewhere():
    """The tables of these tests say enough for each feature but the lag of versions, which needs a crowd."""
    rows = feature_rows(tables([*rich_mail(), unsubscribed(60, recipient_id="r1", sent_at=START, **RICH)], [CAMPAIGN]))
    silent = {name for name in FEATURE_NAMES if all(row[name] is None for row in rows.values())}
    assert silent <= {"version_lag", "until_same_link_s", "link_popularity", "since_burst_s", "until_next_open_s"}


def test_no_value_is_not_a_number():
    rows = features_in_order(rich_mail(), campaigns=[CAMPAIGN])
    assert all(value is None or value == value for row in rows for value in row.values())  # noqa: PLR0124 - NaN is what no value equals


def test_computing_again_replaces_the_table():
    con = tables([clicked(0, ip=HOME)])
    assert feature_rows(con)["e0-1"]["as_unknown"] == 0
    assert feature_rows(con, ALL - {"address"})["e0-1"]["as_unknown"] is None
    assert feature_rows(con)["e0-1"]["as_unknown"] == 0


def test_steps_are_reported_and_their_tables_gone_at_the_end():
    con, steps = tables([clicked(0, ip=HOME)]), []
    DuckDBEngine(con).compute(ALL, progress=steps.append)
    assert steps[0] == "engagement"
    assert steps[-1] == "features"
    left = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert left == {"events", "campaigns", "features", "addresses", "agents", "facts"}


def test_ten_thousand_events_of_one_message():
    """A runaway scanner: 500 links, 50 addresses and agents, ten hits a second."""
    count = 10_000
    con = tables(
        [
            clicked(
                n / 10,
                url=link(n % 500),
                ip=f"192.0.2.{n % 50}",
                user_agent=f"agent {n % 50}",
                delivered_at=START,
            )
            for n in range(count)
        ]
    )
    rows = feature_rows(con)
    assert len(rows) == count
    middle = rows[f"e0-{count // 2}"]
    wanted = dict.fromkeys(("clicks_60s", "links_60s", "addresses", "agents", "clicks_so_far", "n_links"), 20)
    assert {name: middle[name] for name in wanted} == wanted
    assert middle["link_share_hour"] == pytest.approx(62 / 500)
    assert middle["since_previous_s"] == pytest.approx(0.1)


def test_rows_far_apart_in_time_are_judged_alike():
    """No value depends on the calendar: years apart, the same mail gives the same features."""
    first = [opened(0), clicked(5, url=link(1))]
    years = 6 * 365 * 86_400
    later = [
        {**e, "timestamp": clicked(years + n)["timestamp"], "delivered_at": clicked(years)["timestamp"]}
        for n, e in ((0, first[0]), (5, first[1]))
    ]
    assert features_in_order(later) == features_in_order(first)


def test_a_row_is_found_by_file_and_record():
    con = tables([clicked(0), opened(1)])
    DuckDBEngine(con).compute(ALL)
    assert con.execute("SELECT event_row FROM features ORDER BY 1").fetchall() == [(1,), (2,)]


def test_sent_and_delivered_on_coarse_clocks():
    """A click of the same second as the delivery is 0 seconds after it when seconds are all there is."""
    check(
        "since_delivery_s",
        (clicked(0.9, delivered_at=clicked(0.2)["timestamp"]), 0),
        coarse_times=True,
    )
