"""One address in front of everybody is noticed; a few people behind one are not."""

from __future__ import annotations

import pytest


def opens(count, ip):
    return [
        {"event_type": "open", "event_id": str(n), "message_id": f"m{n}", "recipient_id": f"r{n}", "ip": ip(n)}
        for n in range(count)
    ]


def one_for(share):
    return lambda n: "198.51.100.9" if n < share else f"192.0.2.{n}"


PROXY = "95% of opens and clicks come from the one address 198.51.100.9"
PRIVATE = "100% of opens and clicks come from private addresses"


@pytest.mark.parametrize(
    ("count", "ip", "said"),
    [
        (100, one_for(95), PROXY),
        (100, lambda n: f"10.0.{n}.1", PRIVATE),
        (100, lambda n: f"fd00::{n:x}", PRIVATE),
        (100, one_for(80), ""),
        (100, lambda n: f"203.0.113.{n}", ""),
        (40, one_for(40), ""),
    ],
    ids=["one proxy", "private", "private IPv6", "a large office", "clients", "too few to tell"],
)
def test_addresses_that_are_no_clients_are_left_aside_with_a_warning(reading, count, ip, said):
    summary = reading.events(*opens(count, ip))
    assert ("address" in summary.capabilities) == (not said)
    assert [warning.split(",")[0] for warning in summary.warnings] == ([said] if said else [])


def test_few_recipients_may_share_an_address(reading):
    rows = [
        row | {"recipient_id": f"r{n % 10}", "message_id": f"m{n % 10}"}
        for n, row in enumerate(opens(100, lambda n: "192.0.2.1"))
    ]
    assert "address" in reading.events(*rows).capabilities


def test_addresses_of_deliveries_say_nothing_about_clients(reading):
    rows = [row | {"event_type": "delivered"} for row in opens(100, lambda n: "192.0.2.1")]
    assert reading.events(*rows).warnings == ()
