"""The terminal says what is to become of unsubscribes, and where the machines' share jumps."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from serving.unsubscribe_tables import ROWS_SHOWN, decision_line, decision_table, rate_table


def shown(table: Table) -> list[str]:
    console = Console(width=110, file=StringIO())
    with console.capture() as printed:
        console.print(table)
    return [line.rstrip() for line in printed.get().splitlines()]


def row(decision: str, ground: str, recipient: str = "r1", kind: str = "unsubscribed") -> dict[str, Any]:
    return {"decision": decision, "ground": ground, "recipient_id": recipient, "event_type": kind}


REVIEWED = [
    row("leave", "marked as spam", kind="complained"),
    row("ask", "no burst"),
    row("ask", "no burst"),
    row("ask", "not sure"),
    row("restore", "a burst", "r2"),
    row("restore", "a burst", "r2"),
]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "There are no unsubscribes to review."),
        (REVIEWED[1:2], "Of 1 unsubscribe leave 0, ask about 1; 0 may be restored."),
        (
            REVIEWED,
            "Of 5 unsubscribes and 1 spam complaint leave 1, ask about 3; 2 may be restored (1 recipient).",
        ),
    ],
    ids=["none", "one", "all"],
)
def test_the_sentence_counts_decisions_and_the_recipients_of_restored_ones(
    rows: list[dict[str, Any]], line: str
) -> None:
    assert decision_line(rows) == line


def test_decisions_stand_with_what_decided_most_first() -> None:
    assert [line.split() for line in shown(decision_table(REVIEWED))[-4:]] == [
        ["leave", "marked", "as", "spam", "1"],
        ["ask", "no", "burst", "2"],
        ["ask", "not", "sure", "1"],
        ["restore", "a", "burst", "2"],
    ]


def rate(day: int, **more: Any) -> dict[str, Any]:
    return {
        "day": date(2026, 3, day),
        "messages": 1_000,
        "unsubscribes": 40,
        "human_unsubscribes": 10.2,
        "rate": 0.04,
        "human_rate": 0.0102,
        "machine_share": 0.745,
        "change": None,
        **more,
    }


def test_a_jump_is_marked_in_its_row() -> None:
    none = {"unsubscribes": 0, "human_unsubscribes": 0.0, "rate": 0.0, "human_rate": 0.0, "machine_share": None}
    lines = shown(rate_table([rate(2), rate(3, change="up"), rate(4, **none)]))
    assert lines[0] == "Unsubscribes by day of arrival: raw and people's"
    assert [line.split() for line in lines[-3:]] == [
        ["2026-03-02", "1,000", "40", "10", "4.00%", "1.02%", "74%"],
        ["2026-03-03", "1,000", "40", "10", "4.00%", "1.02%", "74%", "up"],
        ["2026-03-04", "1,000", "0", "0", "0.00%", "0.00%"],
    ]


def test_of_many_rows_the_last_are_shown_and_names_cannot_steer_a_terminal() -> None:
    rows = [rate(2, campaign_id=f"c{n}\x1b[2J") for n in range(ROWS_SHOWN + 5)]
    lines = shown(rate_table(rows))
    assert lines[0] == f"Unsubscribes by campaign, the last {ROWS_SHOWN} of {ROWS_SHOWN + 5}: raw and people's"
    assert lines[-1].startswith(f"c{ROWS_SHOWN + 4}\N{REPLACEMENT CHARACTER}[2J")
    assert not any("\x1b" in line for line in lines)
