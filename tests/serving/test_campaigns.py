"""Figures of campaigns, computed by hand beside the events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from features.errors import InputError
from serving.campaigns import campaign_figures, check_breakdown, machine_shares, whole_figures, write_figures
from serving.expected_people import Expectation
from serving.figure_query import BREAKDOWNS
from tests.features.event_tables import event, tables

KINDS = ("opened", "clicked", "unsubscribed")
# Chances are summed as they are; the interval reaches twice the unit down and once up.
PLAIN = dict.fromkeys(KINDS, Expectation(sharpness=1.0, below=2.0, above=1.0))


def judged(rows: Sequence[tuple[Any, ...]], context: Sequence[tuple[Any, ...]] = ()) -> duckdb.DuckDBPyConnection:
    """A connection as scoring leaves it, of (campaign, message, kind, probability, verdict, actor, vendor).

    Deliveries have only the first three; a dictionary at the end of a row has further columns of the event.
    """
    parts = [
        [
            event(row[2], n, campaign_id=row[0], message_id=row[1], recipient_id=f"r-{row[1]}", **_further(row))
            for n, row in enumerate(part)
        ]
        for part in (rows, context)
    ]
    con = tables(parts[0], context=parts[1])
    con.execute(
        "CREATE TEMP TABLE verdicts"
        " (event_row BIGINT, probability DOUBLE, verdict VARCHAR, actor VARCHAR, vendor VARCHAR)"
    )
    for record, row in enumerate(rows, 1):
        if row[2] in KINDS:
            con.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)", [record, *row[3:7]])
    return con


def _further(row: tuple[Any, ...]) -> dict[str, Any]:
    return row[-1] if isinstance(row[-1], dict) else {}


MACHINE = ("automated", "security_scanner", "cisco")
APPLE = ("automated", "privacy_proxy", "apple")
PERSON = ("human", "human", None)
UNSURE = ("unsure", None, None)
ROWS = [
    ("spring", "m1", "delivered"),
    ("spring", "m2", "delivered"),
    ("spring", "m3", "delivered"),
    ("spring", "m4", "delivered"),
    ("spring", "m4", "delivered"),  # said twice, one message
    # m1: a scanner clicked twice, then a person: a person's with 0.875
    ("spring", "m1", "clicked", 1.0, *MACHINE),
    ("spring", "m1", "clicked", 0.75, *MACHINE),
    ("spring", "m1", "clicked", 0.125, *PERSON),
    ("spring", "m1", "opened", 0.25, *PERSON),
    # m2: a scanner alone
    ("spring", "m2", "clicked", 1.0, *MACHINE),
    ("spring", "m2", "opened", 1.0, *APPLE),
    # m3: unsure, and nothing better
    ("spring", "m3", "clicked", 0.5, *UNSURE),
    ("spring", "m3", "clicked", 1.0, "automated", "security_scanner", None),
    ("spring", "m3", "unsubscribed", 0.25, *PERSON),
    # autumn: nobody says what was delivered
    ("autumn", "m9", "opened", 0.0, *PERSON),
    ("autumn", "m8", "clicked", 0.5, *UNSURE),
    ("autumn", "m8", "clicked", 0.0, *PERSON),  # sure after all
]
SPRING = {
    "campaign_id": "spring",
    "delivered": 4,
    "messages": 4,
    "opens": 2,
    "human_opens": 0.75,
    "human_opens_low": 0.0,  # 0.75 less 2 (0.25 + 0.5 + 0.1)
    "human_opens_high": 0.85,
    "machine_opens": 1.25,
    "unsure_opens": 0,
    "apple_prefetched": 1,
    "clicks": 3,
    "human_clicks": 0.875 + 0.0 + 0.5,
    "machine_clicks": 3 - 1.375,
    "unsure_clicks": 1,
    "unsubscribes": 1,
    "human_unsubscribes": 0.75,
    "machine_unsubscribes": 0.25,
    "open_rate": 0.5,
    "human_open_rate": 0.1875,
    "click_rate": 0.75,
    "human_click_rate": 1.375 / 4,
    "human_click_rate_high": 1.475 / 4,
    "click_to_open_rate": 1.5,
    "human_click_to_open_rate": 1.375 / 0.75,  # m2 is left out of both
}
AUTUMN = {
    "campaign_id": "autumn",
    "delivered": None,
    "messages": 2,
    "opens": 1,
    "human_opens": 1.0,
    "apple_prefetched": 0,
    "apple_opens": None,
    "clicks": 1,
    "human_clicks": 1.0,
    "human_clicks_low": 0.8,
    "human_clicks_high": 1.0,  # no more than there are
    "unsure_clicks": 0,
    "unsubscribes": 0,
    "human_unsubscribes": 0.0,
    "click_rate": 0.5,
}


def figures(con: duckdb.DuckDBPyConnection, by: str = "campaign") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = campaign_figures(con, PLAIN, by).to_pylist()
    return found


def of(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_figures_are_those_computed_by_hand() -> None:
    for row, wanted in zip(figures(judged(ROWS)), (AUTUMN, SPRING), strict=True):
        assert {name: row[name] for name in wanted} == pytest.approx(wanted)


def test_ends_of_intervals_are_around_the_figure_and_possible() -> None:
    for row in figures(judged(ROWS)):
        for name in ("opens", "clicks", "unsubscribes"):
            low, expected, high, raw = of(row, f"human_{name}_low", f"human_{name}", f"human_{name}_high", name)
            assert 0 <= low <= expected <= high <= raw


def test_a_clear_chance_counts_for_more_than_itself() -> None:
    """Ten readers of whom each has a small doubt that is other senders': sharpened, hardly any is lost."""
    con = judged([("spring", f"m{n}", "clicked", 0.05, *PERSON) for n in range(10)])
    [plain], [sharp] = campaign_figures(con, PLAIN).to_pylist(), campaign_figures(con).to_pylist()
    assert plain["human_clicks"] == pytest.approx(9.5)
    assert sharp["human_clicks"] > 9.9


def test_context_is_not_counted() -> None:
    earlier = [("spring", "m7", "delivered"), ("winter", "m6", "delivered")]
    assert figures(judged(ROWS, earlier)) == figures(judged(ROWS))


def test_a_campaign_that_nobody_touched_is_listed() -> None:
    [row] = figures(judged([("spring", "m1", "delivered")]))
    assert of(row, "delivered", "opens", "human_opens", "clicks", "human_clicks") == (1, 0, 0, 0, 0)
    assert of(row, "human_clicks_high", "click_rate", "click_to_open_rate") == (0, 0, None)


def test_events_without_a_campaign_are_one_of_their_own() -> None:
    [row] = figures(judged([(None, "m1", "clicked", 0.0, *PERSON), (None, "m2", "delivered")]))
    assert of(row, "campaign_id", "delivered", "messages", "clicks") == ("", 1, 2, 1)


def test_recipients_who_share_a_message_id_are_messages_of_their_own() -> None:
    con = tables([event("delivered", n, message_id="m", recipient_id=f"r{n}") for n in range(3)])
    con.execute(
        "CREATE TEMP TABLE verdicts"
        " (event_row BIGINT, probability DOUBLE, verdict VARCHAR, actor VARCHAR, vendor VARCHAR)"
    )
    [row] = figures(con)
    assert of(row, "delivered", "messages") == (3, 3)


# What Apple hides


def prefetched(messages: int, others: int, other_opens: int, **seen: int) -> list[tuple[Any, ...]]:
    """So many messages that Apple opened first, and others, of which people opened some."""
    rows: list[tuple[Any, ...]] = []
    for n in range(messages):
        rows += [("spring", f"a{n}", "delivered"), ("spring", f"a{n}", "opened", 1.0, *APPLE)]
    for n in range(others):
        rows.append(("spring", f"o{n}", "delivered"))
        if n < other_opens:
            rows.append(("spring", f"o{n}", "opened", 0.0, *PERSON))
    return rows + [("spring", f"a{n}", "opened", 0.0, *PERSON) for n in range(seen.get("seen", 0))]


def test_opens_under_apples_prefetch_are_expected_as_among_the_others() -> None:
    [row] = figures(judged(prefetched(40, others=100, other_opens=25)))
    assert of(row, "apple_prefetched", "human_opens", "apple_opens") == (40, 25, 10)
    # 40 (25 - 0.2) / 100 and 40 (25 + 0.1) / 100, less and more 1.96 √(0.25 · 0.75 · 40 · 1.4)
    assert row["apple_opens_low"] == pytest.approx(9.92 - 1.96 * 10.5**0.5)
    assert row["apple_opens_high"] == pytest.approx(10.0 + 1.96 * 10.5**0.5)


@pytest.mark.parametrize(
    ("others", "other_opens"), [(49, 25), (100, 9)], ids=["too few others", "too few of them opened"]
)
def test_too_few_others_say_nothing_of_apples_readers(others: int, other_opens: int) -> None:
    [row] = figures(judged(prefetched(40, others, other_opens)))
    assert of(row, "apple_prefetched", "apple_opens", "apple_opens_low") == (40, None, None)


def test_without_deliveries_nobody_knows_how_often_the_others_open() -> None:
    rows = [row for row in prefetched(40, 100, 50) if row[2] != "delivered"]
    assert figures(judged(rows))[0]["apple_opens"] is None


def test_opens_of_apples_readers_that_were_seen_are_the_least() -> None:
    [row] = figures(judged(prefetched(40, others=100, other_opens=25, seen=30)))
    assert of(row, "apple_opens", "apple_opens_low", "apple_opens_high") == (30, 30, 30)


# By what else is asked for


def test_clicks_by_link_are_shares_of_the_campaigns_deliveries() -> None:
    rows = [
        ("spring", "m1", "delivered"),
        ("spring", "m2", "delivered"),
        ("spring", "m1", "clicked", 0.0, *PERSON, {"url": "https://a.example/x?r=1"}),
        ("spring", "m2", "clicked", 0.0, *PERSON, {"url": "https://a.example/x?r=2"}),
        ("spring", "m2", "clicked", 1.0, *MACHINE, {"url": "https://a.example/y"}),
        ("spring", "m2", "opened", 0.0, *PERSON),
        ("autumn", "m3", "clicked", 0.0, *PERSON, {"url": "https://a.example/x"}),
    ]
    names = ("campaign_id", "link", "delivered", "messages", "clicks", "human_clicks", "click_rate", "opens")
    assert [of(row, *names) for row in figures(judged(rows), "link")] == [
        ("autumn", "https://a.example/x", None, 1, 1, 1, 1, None),
        ("spring", "https://a.example/x", 2, 2, 2, 2, 1, None),
        ("spring", "https://a.example/y", 2, 2, 1, 0, 0.5, None),
    ]


def test_figures_by_domain_and_host_are_of_their_recipients() -> None:
    rows = [
        ("spring", f"m{n}", "clicked", 0.0, *PERSON, {"recipient_domain": domain})
        for n, domain in enumerate(["gmail.com", "googlemail.com", "acme.example", None])
    ]
    con = judged(rows)
    domains = [of(row, "recipient_domain", "clicks") for row in figures(con, "domain")]
    assert domains == [("", 1), ("acme.example", 1), ("gmail.com", 1), ("googlemail.com", 1)]
    hosts = [of(row, "mailbox_host", "clicks") for row in figures(con, "host")]
    assert hosts == [("", 1), ("gmail", 2), ("not known", 1)]


def test_figures_by_vendor_are_of_the_messages_that_its_machines_touched() -> None:
    rows = [
        *ROWS,
        ("spring", "m2", "clicked", 1.0, "automated", "security_scanner", "mimecast"),
    ]
    found = {row["vendor"]: of(row, "messages", "clicks", "human_clicks") for row in figures(judged(rows), "vendor")}
    assert found == {
        "": (4, 2, 1.5),  # m3, m4, m8 and m9
        "apple": (1, 1, 0),
        "cisco": (2, 2, 0.875),
        "mimecast": (1, 1, 0),  # m2 is in three rows
    }


@pytest.mark.parametrize("by", BREAKDOWNS)
def test_every_breakdown_has_the_same_columns(by: str) -> None:
    wanted = campaign_figures(judged(ROWS)).column_names[1:]
    assert campaign_figures(judged(ROWS), by=by).column_names[len(BREAKDOWNS[by].keys) :] == wanted


def test_the_whole_is_the_sum_of_its_campaigns() -> None:
    con = judged(ROWS)
    whole = whole_figures(con, PLAIN)
    for name in ("messages", "opens", "human_opens", "clicks", "human_clicks", "unsure_clicks", "unsubscribes"):
        assert whole[name] == pytest.approx(sum(row[name] for row in figures(con)))


def test_an_unknown_breakdown_is_refused() -> None:
    with pytest.raises(InputError, match="--by weekday: expected campaign, link, domain, host, vendor"):
        check_breakdown("weekday")


# As a file


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_written_figures_are_the_figures(tmp_path: Path, suffix: str) -> None:
    con = judged(ROWS)
    path = tmp_path / f"figures.{suffix}"
    write_figures(con, campaign_figures(con, PLAIN), path)
    names = "campaign_id, delivered, human_clicks, apple_opens"
    assert con.sql(f"SELECT {names} FROM '{path}'").fetchall() == [
        ("autumn", None, 1.0, None),
        ("spring", 4, 1.375, None),
    ]


def test_a_name_that_a_spreadsheet_would_run_is_defused(tmp_path: Path) -> None:
    con = judged([("=1+1", "m1", "delivered")])
    write_figures(con, campaign_figures(con), tmp_path / "figures.csv")
    assert (tmp_path / "figures.csv").read_text().splitlines()[1].startswith("'=1+1,1,1,")


def test_figures_are_written_as_csv_or_parquet_alone(tmp_path: Path) -> None:
    con = judged(ROWS)
    with pytest.raises(InputError, match=r"figures are written as CSV or Parquet; name it .*figures\.csv"):
        write_figures(con, campaign_figures(con), tmp_path / "figures.xlsx")


# Machines


def test_machines_are_counted_event_by_event() -> None:
    assert machine_shares(judged(ROWS)).to_pylist() == [
        {"actor": "security_scanner", "vendor": "cisco", "opens": 0, "clicks": 3, "unsubscribes": 0},
        {"actor": "security_scanner", "vendor": None, "opens": 0, "clicks": 1, "unsubscribes": 0},
        {"actor": "privacy_proxy", "vendor": "apple", "opens": 1, "clicks": 0, "unsubscribes": 0},
    ]


@pytest.mark.parametrize("made", [campaign_figures, machine_shares])
def test_figures_can_be_asked_for_twice(made: Any) -> None:
    con = judged(ROWS)
    assert isinstance(made(con), pa.Table)
    assert made(con).equals(made(con))
