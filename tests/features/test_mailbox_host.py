"""Mailbox host and gateway of a domain: from the domain, from its mail exchangers, and NULL where neither says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.mailbox_host import GATEWAYS, HOSTS, mailbox_hosts
from features.reference import load_mailbox_hosts


def found(domain: str, mx: str | None = None) -> tuple[str | None, str | None, bool]:
    [row] = mailbox_hosts([domain], [mx]).to_pylist()
    host, gateway = row["host_code"], row["gateway_code"]
    return (
        None if host is None else HOSTS[host],
        None if gateway is None else GATEWAYS[gateway],
        row["is_shared"],
    )


@pytest.mark.parametrize(
    ("domain", "mx", "expected"),
    [
        pytest.param("gmail.com", None, ("gmail", None, True), id="everybody's mailboxes are known by the domain"),
        pytest.param("GMail.com", None, ("gmail", None, True), id="in capitals"),
        pytest.param("acme.example", None, (None, None, False), id="nothing known"),
        pytest.param("acme.example", "", (None, None, False), id="no exchanger"),
        pytest.param("acme.example", "mx.acme.example", (None, None, False), id="its own exchanger"),
        pytest.param(
            "acme.example",
            "acme-example.mail.protection.outlook.com",
            ("microsoft365", None, False),
            id="an organisation at Microsoft",
        ),
        pytest.param(
            "acme.example",
            "eur.olc.protection.outlook.com",
            ("outlook", None, False),
            id="a private mailbox at Microsoft: the longest ending counts",
        ),
        pytest.param(
            "acme.example",
            "10 mx1.hc1.iphmx.com., 20 MX2.hc1.iphmx.com.",
            (None, "cisco", False),
            id="preferences, dots, capitals",
        ),
        pytest.param(
            "acme.example",
            "mxa-1.gslb.pphosted.com;acme.mail.protection.outlook.com",
            ("microsoft365", "proofpoint", False),
            id="a gateway before a host",
        ),
        pytest.param(
            "acme.example",
            "eu-smtp-inbound-1.mimecast.com d1.ess.barracudanetworks.com",
            (None, "mimecast", False),
            id="of two gateways the preferred",
        ),
        pytest.param("acme.example", "notmimecast.com", (None, None, False), id="an ending begins at a dot"),
    ],
)
def test_host_and_gateway_are_found(domain: str, mx: str | None, expected: tuple[str | None, str | None, bool]) -> None:
    assert found(domain, mx) == expected


def test_every_listed_operator_has_a_code() -> None:
    rows = load_mailbox_hosts()
    assert {row.operator for row in rows if row.role == "host"} == set(HOSTS)
    assert {row.operator for row in rows if row.role == "gateway"} == set(GATEWAYS)
    assert {(row.match, row.role) for row in rows} == {("domain", "host"), ("mx", "host"), ("mx", "gateway")}


def test_patterns_are_whole_names_in_lower_case() -> None:
    patterns = [(row.match, row.pattern) for row in load_mailbox_hosts()]
    assert len(set(patterns)) == len(patterns)
    assert all(pattern == pattern.strip(". ").lower() and "." in pattern for _, pattern in patterns)


@given(st.lists(st.tuples(st.text(), st.none() | st.text()), max_size=5))
def test_any_text_is_accepted_and_every_domain_gets_a_row(rows: list[tuple[str, str | None]]) -> None:
    domains = [domain.encode("utf-8", "replace").decode() for domain, _ in rows]
    table = mailbox_hosts(domains, [mx for _, mx in rows])
    assert table["recipient_domain"].to_pylist() == domains
