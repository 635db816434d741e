"""Figures of campaigns, computed by hand beside the events."""

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from serving.campaigns import campaign_figures, machine_shares
from tests.features.event_tables import event, tables

KINDS = ("opened", "clicked", "unsubscribed")


def judged(rows: Sequence[tuple[Any, ...]], context: Sequence[tuple[Any, ...]] = ()) -> duckdb.DuckDBPyConnection:
    """A connection as scoring leaves it, of (campaign, message, kind, probability, verdict, actor, vendor).

    Deliveries have only the first three.
    """
    parts = [
        [
            event(row[2], n, campaign_id=row[0], message_id=row[1], recipient_id=f"r-{row[1]}")
            for n, row in enumerate(part)
        ]
        for part in (rows, context)
    ]
    con = tables(parts[0], context=parts[1])
    con.execute("CREATE TEMP TABLE facts (event_row BIGINT, msg BIGINT, kind INTEGER)")
    con.execute(
        "CREATE TEMP TABLE verdicts"
        " (event_row BIGINT, probability DOUBLE, verdict VARCHAR, actor VARCHAR, vendor VARCHAR)"
    )
    for record, (_, message, kind, *judgement) in enumerate(rows, 1):
        if kind in KINDS:
            con.execute("INSERT INTO facts VALUES (?, hash(?) >> 1, ?)", [record, message, KINDS.index(kind)])
            con.execute("INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)", [record, *judgement])
    return con


MACHINE = ("automated", "security_scanner", "cisco")
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
    ("spring", "m2", "opened", 1.0, "automated", "privacy_proxy", "apple"),
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
    "clicks": 3,
    "human_clicks": 0.875 + 0.0 + 0.5,
    "unsure_clicks": 1,
    "unsubscribes": 1,
    "human_unsubscribes": 0.75,
}
AUTUMN = {
    "campaign_id": "autumn",
    "delivered": None,
    "messages": 2,
    "opens": 1,
    "human_opens": 1.0,
    "clicks": 1,
    "human_clicks": 1.0,
    "unsure_clicks": 0,
    "unsubscribes": 0,
    "human_unsubscribes": 0.0,
}


def test_figures_are_those_computed_by_hand() -> None:
    assert campaign_figures(judged(ROWS)).to_pylist() == [AUTUMN, SPRING]


def test_context_is_not_counted() -> None:
    earlier = [("spring", "m7", "delivered"), ("winter", "m6", "delivered")]
    assert campaign_figures(judged(ROWS, earlier)).to_pylist() == [AUTUMN, SPRING]


def test_a_campaign_that_nobody_touched_is_listed() -> None:
    [row] = campaign_figures(judged([("spring", "m1", "delivered")])).to_pylist()
    assert (row["delivered"], row["opens"], row["human_opens"], row["clicks"], row["human_clicks"]) == (1, 0, 0, 0, 0)


def test_events_without_a_campaign_are_one_of_their_own() -> None:
    rows = [(None, "m1", "clicked", 0.0, *PERSON), (None, "m2", "delivered")]
    [row] = campaign_figures(judged(rows)).to_pylist()
    assert (row["campaign_id"], row["delivered"], row["messages"], row["clicks"]) == ("", 1, 2, 1)


def test_recipients_who_share_a_message_id_are_messages_of_their_own() -> None:
    rows = [event("delivered", n, message_id="m", recipient_id=f"r{n}") for n in range(3)]
    con = tables(rows)
    con.execute("CREATE TEMP TABLE facts (event_row BIGINT, msg BIGINT, kind INTEGER)")
    con.execute("CREATE TEMP TABLE verdicts (event_row BIGINT, probability DOUBLE, verdict VARCHAR)")
    [row] = campaign_figures(con).to_pylist()
    assert (row["delivered"], row["messages"]) == (3, 3)


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
