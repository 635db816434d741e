"""Scanners in no list are found by behaviour alone; people, however many share a network, are not."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.duckdb_engine import connect
from features.errors import InputError
from features.feature import CAPABILITIES
from features.formula import defused
from features.readers import read_events
from features.tags import address_table
from serving.model import bundled
from tests.features.published_lists import packaged
from training.discover import Discovery, Group, discover, lower_limit
from training.discover_output import COLUMNS, SHOWN, discovery_tables, write_networks

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
OLD = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626.109 Safari/537.36"
SCANNER, SECOND, HOME, POOL = "5.9.10.{}", "5.9.77.{}", "84.140.{}.{}", "45.83.220.{}"
# A person reads hours later, on a browser of their own, and clicks one link; a scanner takes five at once.
Visit = tuple[float, str, str, str]  # seconds after delivery, event, address, agent


def person(draw: np.random.Generator, address: str) -> list[Visit]:
    agent = FIREFOX.format(draw.choice((134, 135, 136)))
    opened = draw.lognormal(9, 1.4) + 60
    return [(opened, "open", address, agent), (opened + draw.uniform(4, 90), "click 2", address, agent)]


def scan(draw: np.random.Generator, address: str, agent: str = OLD) -> list[Visit]:
    begun = draw.uniform(8, 14)
    return [(begun + 0.2 * link, f"click {link}", address, agent) for link in range(5)]


class Sender:
    """Messages of a mailing, each to a recipient of its own, with the visits that they get."""

    def __init__(self) -> None:
        self.draw = np.random.default_rng(7)
        self.rows: list[tuple[str, ...]] = []
        self.sent = 0

    def send(self, domain: str, visits: Sequence[Visit]) -> None:
        self.sent += 1
        at = START + timedelta(seconds=3 * self.sent)
        whom = ("m", f"msg-{self.sent}", f"person-{self.sent}", domain)
        self.rows.append((f"d{self.sent}", "delivered", at.isoformat(), *whom, "", "", ""))
        for number, (after, event, address, agent) in enumerate(sorted(visits)):
            kind, _, link = event.partition(" ")
            moment = (at + timedelta(seconds=after)).isoformat()
            url = f"https://example.com/{link}" if link else ""
            self.rows.append((f"e{self.sent}-{number}", kind, moment, *whom, url, address, agent))

    def people(self, count: int, address: Callable[[int], str]) -> None:
        for n in range(count):
            self.send(f"home{n % 40}.example", person(self.draw, address(n)))

    def scans(self, count: int, address: Callable[[int], str], domains: int = 10, agent: str = OLD) -> None:
        for n in range(count):
            self.send(f"company{n % domains}.example", scan(self.draw, address(n), agent))

    def find(self, folder: Path, capabilities: frozenset[str] | None = None) -> Discovery:
        names = "event_id,event,timestamp,campaign_id,message_id,recipient_id,recipient_domain,url,ip,user_agent"
        path = folder / "events.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([names.split(","), *self.rows])
        with closing(connect(threads=1)) as con:
            read = read_events(con, [path])
            con.execute(
                "CREATE OR REPLACE TEMP TABLE campaigns AS SELECT 'm' AS campaign_id, NULL::TIMESTAMPTZ AS sent_at,"
                " 5 AS n_links, NULL::VARCHAR AS honeypot_url, NULL::VARCHAR AS unsubscribe_url"
            )
            kept = read.capabilities if capabilities is None else read.capabilities & capabilities
            return discover(con, bundled(), kept, threads=1)


@pytest.fixture
def sender() -> Sender:
    """120 people at home, each at an address of their own; what a test adds comes on top."""
    sender = Sender()
    sender.people(120, lambda n: HOME.format(n, 9))
    return sender


def found(discovery: Discovery) -> set[tuple[str, tuple[str, ...]]]:
    return {(group.kind, group.cidrs) for group in discovery.groups}


def test_people_alone_are_nothing(sender, tmp_path):
    discovery = sender.find(tmp_path)
    assert discovery.groups == ()
    assert discovery.unlisted == 120
    assert discovery_tables(discovery) == [
        "Nothing that is in no list behaves like a scanner (120 messages looked at)."
    ]


def test_a_scanners_network_is_found_with_reach_signs_and_examples(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(n % 6))
    [group] = sender.find(tmp_path).groups
    assert (group.kind, group.name, group.cidrs) == ("network", "5.9.10.0/24", ("5.9.10.0/24",))
    assert (group.messages, group.clicked, group.recipients, group.domains, group.days) == (30, 30, 30, 10, 1)
    assert group.share > 0.9
    assert group.least < group.share
    assert START < group.first_seen < group.last_seen < START + timedelta(hours=1)
    assert "three links within 10 s in 100% (people: 0%)" in group.signs
    assert "first clicks mostly within 13 s of arrival" in group.signs
    assert "no open before the click in 100% (people: 0%)" in group.signs
    assert "one user agent over 10 recipient domains" in group.signs
    assert len(group.examples) == 3
    assert all(one.event_id.startswith("e1") and "events.csv:" in one.raw_ref for one in group.examples)


def test_where_nobody_trusts_links_the_other_signs_find_a_scanner(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(n % 6))
    [group] = sender.find(tmp_path, frozenset(CAPABILITIES) - {"links"}).groups
    assert group.name == "5.9.10.0/24"
    assert not [sign for sign in group.signs if "links" in sign]


def test_networks_of_one_autonomous_system_are_one_group(sender, tmp_path):
    sender.scans(40, lambda n: (SCANNER if n % 2 else SECOND).format(n % 6))
    [group] = sender.find(tmp_path).groups
    assert (group.kind, group.cidrs) == ("AS", ("5.9.10.0/24", "5.9.77.0/24"))
    assert group.name.startswith("AS24940 Hetzner")


def test_of_a_network_with_people_the_scanners_address_alone_is_listed(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(7))
    sender.people(40, lambda n: SCANNER.format(100 + n))
    assert found(sender.find(tmp_path)) == {("address", ("5.9.10.7/32",))}


def test_an_address_that_people_share_with_a_scanner_is_not_listed(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(7), agent=FIREFOX.format(135))
    sender.people(40, lambda n: SCANNER.format(7))
    assert not {kind for kind, _ in found(sender.find(tmp_path))} & {"AS", "network", "address"}


def test_what_one_domain_sees_is_an_office_and_not_listed(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(7), domains=1, agent=FIREFOX.format(135))
    assert not {kind for kind, _ in found(sender.find(tmp_path))} & {"AS", "network", "address"}


def test_a_pool_that_many_people_share_is_not_listed(sender, tmp_path):
    sender.people(80, lambda n: POOL.format(n % 5))
    assert sender.find(tmp_path).groups == ()


def test_what_a_list_has_is_not_found_again(sender, tmp_path):
    listed = next(cidr for cidr in packaged("azure-service-tags") if cidr.endswith("/24"))
    assert address_table([listed.partition("/")[0]])["kind"].to_pylist() != [None]
    sender.scans(30, lambda n: listed.replace(".0/24", f".{n % 6}"))
    assert sender.find(tmp_path).groups == ()


def test_agents_that_say_what_they_are_are_not_found(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(n % 6), agent="facebookexternalhit/1.1")
    assert sender.find(tmp_path).groups == ()


def test_an_agent_is_found_where_its_networks_are_too_many_to_tell(sender, tmp_path):
    sender.scans(30, lambda n: f"5.{180 + n % 3}.{n}.7")
    [group] = sender.find(tmp_path).groups
    assert (group.kind, group.name, group.cidrs) == ("agent", OLD, ())


def test_a_domain_is_found_where_neither_networks_nor_agents_can_be_told(sender, tmp_path):
    for n in range(30):
        sender.send("company.example", scan(sender.draw, f"93.{200 + n % 3}.{n}.7", FIREFOX.format(134 + n % 3)))
    [group] = sender.find(tmp_path).groups
    assert (group.kind, group.name, group.recipients) == ("domain", "company.example", 30)


def test_without_addresses_the_agent_is_found(sender, tmp_path):
    sender.scans(30, lambda n: SCANNER.format(n % 6))
    [group] = sender.find(tmp_path, frozenset(CAPABILITIES) - {"address"}).groups
    assert (group.kind, group.name) == ("agent", OLD)


def test_events_without_anything_to_group_by_are_refused(sender, tmp_path):
    with pytest.raises(InputError, match="nothing can be grouped"):
        sender.find(tmp_path, frozenset({"links", "deliveries"}))


SHARES = st.floats(0, 1)


@given(SHARES, st.integers(0, 10_000), SHARES)
def test_the_lower_limit_is_a_share_below_the_drawn_one(machine, counted, share):
    limit = lower_limit(machine * counted, counted, share)
    assert 0 <= limit <= max(machine, share) + 1e-9


@given(SHARES, st.integers(1, 1_000), SHARES)
def test_more_of_the_same_makes_the_limit_no_lower(machine, counted, share):
    share = min(share, machine)  # drawn up, a group loses by growing
    more = lower_limit(machine * counted * 10, counted * 10, share)
    assert more >= lower_limit(machine * counted, counted, share) - 1e-9


# What is shown and written

GROUP = Group(
    "network", "192.0.2.0/24", ("192.0.2.0/24",), 31, 30, 29, 12, 2, START, START + timedelta(days=1), 0.98765, 0.9,
    "high", ("hidden link hit in 3 of 9 messages that have one",), (),
)  # fmt: skip


def written(path: Path, *groups: Group) -> list[dict[str, str]]:
    write_networks(path, Discovery(groups, 100, 0.4))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_is_a_prefix_with_its_facts_and_its_evidence(tmp_path):
    system = replace(GROUP, kind="AS", name="AS64500 Example", cidrs=("192.0.2.0/24", "198.51.100.0/24"))
    agent = replace(GROUP, kind="agent", name="=cmd()", cidrs=())
    rows = written(tmp_path / "networks.csv", GROUP, system, agent)
    assert [(row["cidr"], row["service"], row["name"]) for row in rows] == [
        ("192.0.2.0/24", "", "192.0.2.0/24"),
        ("192.0.2.0/24", "AS64500 Example", "AS64500 Example"),
        ("198.51.100.0/24", "AS64500 Example", "AS64500 Example"),
        ("", "", "'=cmd()"),
    ]
    assert {(row["kind"], row["evidence"], row["source_date"]) for row in rows} == {
        ("suspected_scanner", "observed", "2026-03-03")
    }
    assert (rows[0]["machine_share"], rows[0]["machine_share_least"]) == ("0.9877", "0.9000")
    assert rows[0]["recipients"] == "29"


def test_nothing_found_is_a_header(tmp_path):
    assert written(tmp_path / "networks.csv") == []
    assert (tmp_path / "networks.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_what_is_not_shown_is_counted():
    _, rest = discovery_tables(Discovery((GROUP,) * (SHOWN + 3), 900, 0.4))
    assert rest == "3 more are in the file that --output writes."


@given(st.text())
def test_no_cell_begins_as_a_formula(text):
    assert defused(text)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}
    assert defused(text).endswith(text)
