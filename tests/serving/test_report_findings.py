"""What the report shows, of events written out."""

from __future__ import annotations

from typing import Any

import pytest

from features.feature import CAPABILITIES, Capability
from serving.expected_people import USUAL
from serving.report.findings import BINS, Findings, find
from tests.features.event_tables import CHROME, HOME, SCANNER, link
from tests.serving.judged_tables import MACHINE, PERSON, UNSURE, judged

ALL = frozenset(CAPABILITIES)


def clicks(*messages: str, judgement: Any = MACHINE, seconds: float = 2, **columns: Any) -> list[tuple[Any, ...]]:
    return [
        ("clicked", seconds, judgement, {"message_id": message, "recipient_id": f"r-{message}", **columns})
        for message in messages
    ]


def found(*rows: tuple[Any, ...], capabilities: frozenset[Capability] = ALL) -> Findings:
    return find(judged(rows), USUAL, capabilities)


def test_delays_are_counted_by_probability_in_bins_that_grow_tenfold_in_six() -> None:
    half = (0.25, "unsure", None, None)
    delays = found(
        *clicks("a", seconds=0.01),
        *clicks("b", seconds=10),
        *clicks("c", seconds=10, judgement=half),
        *clicks("d", seconds=100, judgement=PERSON),
        *clicks("e", seconds=9e7, judgement=PERSON),
    ).delays["clicked"]
    assert {n: value for n, value in enumerate(delays.machines) if value} == {0: 1.0, 6: 1.25}
    assert {n: value for n, value in enumerate(delays.people) if value} == {6: 0.75, 12: 1.0, BINS - 1: 1.0}
    assert delays.machine_median == pytest.approx(5.005)


def test_without_deliveries_there_are_no_delays() -> None:
    delays = found(*clicks("a", delivered_at=None)).delays
    assert delays["clicked"].is_empty
    assert delays["clicked"].machine_median is None


def test_hours_are_of_the_week_in_utc() -> None:
    hours = found(*clicks("a", seconds=0), *clicks("b", seconds=3_600 * 24 * 6, judgement=PERSON)).hours
    assert hours["machines"][0][9] == 1.0  # a Monday, 9 o'clock
    assert hours["people"][6][9] == 1.0
    assert sum(map(sum, hours["people"])) == 1.0


def test_networks_are_named_where_enough_messages_came_from_them() -> None:
    networks = found(*clicks("a", "b", "c", ip=SCANNER), *clicks("d", "e", ip=HOME, judgement=PERSON)).networks
    assert networks is not None
    [microsoft] = networks.shown
    assert (microsoft.name, microsoft.machines, microsoft.people) == ("Microsoft Corporation", 3.0, 0.0)
    assert (networks.others, networks.other_machines, networks.other_people) == (1, 0.0, 2.0)


def test_networks_are_not_known_where_addresses_cannot_be_trusted() -> None:
    assert found(*clicks("a", "b", "c", ip=SCANNER), capabilities=ALL - {"address"}).networks is None


def test_links_that_only_machines_click_stand_apart() -> None:
    links = found(
        *clicks("a", "b", "c", url=link("hidden") + "?r=1"),
        *clicks("a", "b", "c", url=link("offer"), judgement=PERSON),
        *clicks("d", url=link("offer")),
    ).links
    [hidden], [offer] = links.only_machines, links.others
    assert (hidden.url, hidden.clicks) == (link("hidden"), 3)
    assert (offer.url, offer.clicks, offer.people) == (link("offer"), 4, 3.0)


def test_a_link_that_few_messages_clicked_is_counted_and_not_named() -> None:
    links = found(*clicks("a", "b", url=link("for-jane"))).links
    assert (links.only_machines, links.others, links.unnamed) == ((), (), 1)


def test_unsure_cases_are_alike_but_for_numbers_and_names() -> None:
    def case(message: str, reasons: str) -> tuple[Any, ...]:
        further = {"message_id": message, "reasons": reasons, "raw_ref": f"a.csv:{message}"}
        return ("opened", 60, UNSURE, further)

    findings = found(
        case("1", "like a machine: 2 of 3 links; like a person: address of Bell (Canada)"),
        case("2", "like a machine: 1 of 9 links; like a person: address of Bell (Europe)"),
        case("3", "like a machine: HEAD request; like a person: an open before"),
        ("opened", 1, PERSON, {}),
    )
    assert findings.unsure_events == 3
    assert [(row.events, row.row) for row in findings.unsure] == [(2, "a.csv:1"), (1, "a.csv:3")]
    assert findings.unsure[0].delay == 60


def test_rules_are_counted_on_clicks_beside_the_verdicts() -> None:
    rows = found(
        *clicks("a", "b", seconds=5),
        *clicks("c", seconds=5, judgement=PERSON),
        *clicks("d", seconds=900, judgement=PERSON),
        *clicks("e", seconds=900),
        ("opened", 5, MACHINE, {}),
    ).rules
    [quick] = [row for row in rows if row.rule.name == "within-10-s"]
    assert (quick.machine, quick.machine_automated, quick.machine_human) == (3, 2, 1)
    assert (quick.not_machine, quick.not_machine_automated, quick.not_machine_human) == (2, 1, 1)
    wrong = [row.not_machine_automated + row.machine_human for row in rows]
    assert wrong == sorted(wrong)


def test_the_extent_says_what_the_file_holds() -> None:
    extent = found(
        ("delivered", 0, None, {}),
        *clicks("a", seconds=0, user_agent=CHROME.format(120)),
        *clicks("b", seconds=7_200),
    ).extent
    assert extent.by_type == {"clicked": 2, "delivered": 1}
    assert (extent.judged, extent.provisional) == (2, 1)
    assert (extent.given["user agent"], extent.given["client address"]) == (0.5, 0.0)


def test_nothing_is_left_on_the_connection() -> None:
    con = judged(clicks("a"))
    before = con.execute("SHOW TABLES").fetchall()
    find(con, USUAL, ALL)
    assert con.execute("SHOW TABLES").fetchall() == before
