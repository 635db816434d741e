"""Addresses in any spelling, and whose they are."""

import csv
import ipaddress
import random
from importlib import resources

import netaddr
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features import address_key, ip_lookup, reference

SPELLINGS = [
    ("192.0.2.1", "192.0.2.1"),
    (" 192.0.2.1\n", "192.0.2.1"),
    ("192.0.2.1:8080", "192.0.2.1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("::FFFF:c000:0201", "192.0.2.1"),
    ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
    ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:80", "fe80::1"),
    ("::", "::"),
    ("::1.2.3.4", "::102:304"),
    ("255.255.255.255", "255.255.255.255"),
    ("", None),
    ("-", None),
    ("unknown", None),
    ("unix:", None),
    ("mail.example.com", None),
    ("123.123.123.321", None),
    ("010.1.1.1", None),
    ("1.2.3", None),
    ("1.2.3.4.5", None),
    ("1.2.3.4%eth0", None),
    ("1.2.3.4, 5.6.7.8", None),
    ("192.0.2.1:port", None),
    ("[192.0.2.1", None),
    ("2001:db8::1::2", None),
    ("2001:db8::12345", None),
    ("1.2.3.4\0", None),
    ("\ud800", None),
    ("\uff11.2.3.4", None),
    ("1" * 100_000, None),
    (None, None),
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS, ids=[repr(text)[:30] for text, _ in SPELLINGS])
def test_an_address_has_one_spelling(text, expected):
    assert ip_lookup.canonical([text]) == [expected]


@given(st.ip_addresses())
def test_a_canonical_address_stays_as_it_is(address):
    (once,) = ip_lookup.canonical([str(address)])
    assert ip_lookup.canonical([once]) == [once]
    mapped = getattr(address, "ipv4_mapped", None)
    assert ipaddress.ip_address(once) == (mapped or address)


@settings(deadline=None)  # the first look-up loads the reference data
@given(st.lists(st.text() | st.text(alphabet="0123456789abcdef:.[]%/ ", max_size=60), max_size=5))
def test_any_text_is_accepted(texts):
    found = ip_lookup.locate(texts)
    assert found["ip"].to_pylist() == texts
    assert [row is not None for row in found["net"].to_pylist()] == [
        text is not None for text in ip_lookup.canonical(texts)
    ]


def test_text_that_is_no_unicode_is_accepted():
    assert ip_lookup.locate(["\ud800"]).to_pylist()[0]["ip"] == "?"


def test_no_addresses_give_an_empty_table_of_the_same_columns():
    assert ip_lookup.locate([]).schema == ip_lookup.locate(["192.0.2.1"]).schema


KNOWN = [  # address, asn, category, weak, kind, operator, evidence
    ("40.94.20.1", 8075, "cloud_mailbox", False, "mail_security", "microsoft", "observed"),
    ("104.47.1.1", 8075, "cloud_mailbox", False, "mail_security", "microsoft", "official"),
    ("2a01:111:f400::1", 8075, "cloud_mailbox", False, "mail_security", "microsoft", "official"),
    ("209.222.82.1", 16509, "cloud", False, "mail_security", "barracuda", "published"),  # rented from Amazon
    ("2a02:26f7:c3d0:5032::1", 20940, "cdn_relay", False, "privacy_relay", "apple", "official"),
    ("66.249.84.3", 15169, "cloud_mailbox", False, "image_proxy", "google", "community"),
    ("66.249.66.1", 15169, "cloud_mailbox", False, "crawler", "google", "official"),
    ("8.8.8.8", 15169, "cloud_mailbox", False, None, "google", None),
    ("73.1.2.3", 7922, "consumer_isp", False, None, None, None),
    ("128.175.1.1", 34, "education", True, None, None, None),  # University of Delaware, by a word of its name
    ("10.0.0.1", None, None, None, None, None, None),
    ("::ffff:104.47.1.1", 8075, "cloud_mailbox", False, "mail_security", "microsoft", "official"),
]


@pytest.mark.parametrize("row", KNOWN, ids=[row[0] for row in KNOWN])
def test_known_addresses(row):
    (found,) = ip_lookup.locate([row[0]]).to_pylist()
    names = ("ip", "asn", "category", "category_weak", "kind", "operator", "evidence")
    assert tuple(found[name] for name in names) == row


LISTED_ON = [
    ("209.222.82.1", "2026-09"),
    ("104.47.1.1", "2025-10-28"),  # the later of two lists
    ("2a02:26f7:c3d0:5032::1", "2026-08-22"),
    ("8.8.8.8", None),
    ("62.209.50.1", None),  # listed, undated
    ("no address", None),
]


def test_a_listed_address_has_the_date_of_its_source():
    found = ip_lookup.locate([address for address, _ in LISTED_ON])["listed_on"].to_pylist()
    assert found == [date for _, date in LISTED_ON]


def prefixes_with_facts():
    """Read networks.csv through netaddr alone; the relays and VPNs as they are loaded."""
    with (resources.files("features") / "data" / "networks.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        network = netaddr.IPNetwork(row["cidr"]).ipv6(ipv4_compatible=False)
        yield network.first, network.last, network.prefixlen, row
    prefixes = reference.load_prefixes()
    halves = zip(prefixes.hi.tolist(), prefixes.lo.tolist(), prefixes.length.tolist(), strict=True)
    for (hi, lo, length), facts in list(zip(halves, prefixes.facts.to_pylist(), strict=True))[len(rows) :]:
        network = netaddr.IPNetwork(((hi << 64) + lo, length), version=6)
        yield network.first, network.last, length, facts


def brute_force(address, networks):
    """Find the winner by looking at every prefix: first kinds, then length, then evidence."""
    value = int(netaddr.IPAddress(address).ipv6(ipv4_compatible=False))
    holding = [
        (
            facts["kind"] in ip_lookup.FIRST_KINDS,
            length,
            -ip_lookup.EVIDENCE.index(facts["evidence"]),
            -ip_lookup.KINDS.index(facts["kind"]),
            facts,
        )
        for first, last, length, facts in networks
        if first <= value <= last
    ]
    return max(holding, key=lambda entry: entry[:4], default=(None, {}))[-1]


def test_the_listed_prefix_is_the_one_that_looking_at_all_of_them_gives():
    networks = list(prefixes_with_facts())
    draw = random.Random(7)  # noqa: S311 - no secrets
    inside = [draw.choice(networks)[:2] for _ in range(200)]
    values = [draw.randint(first, last) for first, last in inside]
    values += [edge for first, last in inside[:60] for edge in (first, last + 1)]
    values += [(0xFFFF << 32) + draw.getrandbits(32) for _ in range(60)]
    values += [first for first, _, _, facts in networks if facts["kind"] == "image_proxy"]
    addresses = ip_lookup.canonical([str(ipaddress.IPv6Address(value)) for value in values])
    found = ip_lookup.locate(addresses)
    expected = [brute_force(address, networks) for address in addresses]
    assert found["kind"].to_pylist() == [facts.get("kind") for facts in expected]
    assert found["evidence"].to_pylist() == [facts.get("evidence") for facts in expected]


def test_an_image_proxy_wins_over_a_longer_crawler_prefix():
    (found,) = ip_lookup.locate(["74.125.219.225"]).to_pylist()  # in 74.125.0.0/16 and a crawler's /27
    assert found["kind"] == "image_proxy"


def test_the_packaged_prefixes_flatten_to_disjoint_runs():
    starts, winner = ip_lookup._listed_runs()
    assert (starts[:-1] < starts[1:]).all()
    assert (winner[:-1] != winner[1:]).all()


LENGTHS = st.integers(min_value=1, max_value=128)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2**128 - 1), LENGTHS), max_size=12),
    st.lists(st.integers(0, 2**128 - 1), max_size=8),
)
def test_flattened_prefixes_answer_as_the_nested_ones_do(drawn, probes):
    networks = [netaddr.IPNetwork((value, length), version=6).cidr for value, length in drawn]
    hi = np.array([network.first >> 64 for network in networks], dtype=np.uint64)
    lo = np.array([network.first & (2**64 - 1) for network in networks], dtype=np.uint64)
    length = np.array([network.prefixlen for network in networks], dtype=np.uint8)
    starts, winner = address_key.flatten(hi, lo, length, np.lexsort((-np.arange(len(networks)), length)))
    for value in [*probes, *(network.first for network in networks), *(network.last for network in networks)]:
        holding = [(net.prefixlen, -row) for row, net in enumerate(networks) if net.first <= value <= net.last]
        key = np.array([value.to_bytes(16, "big")], dtype="S16")
        assert winner[np.searchsorted(starts, key, side="right") - 1][0] == -max(holding, default=(0, 1))[1]


@given(st.ip_addresses(), st.ip_addresses())
@example(ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("::ffff:192.0.2.1"))
def test_addresses_of_one_network_share_its_number(one, other):
    def plain(address):
        return getattr(address, "ipv4_mapped", None) or address

    def network(address):
        return ipaddress.ip_network((plain(address), 24 if plain(address).version == 4 else 48), strict=False)

    first, second = ip_lookup.locate([str(one), str(other)]).to_pylist()
    assert (first["net"] == second["net"]) == (network(one) == network(other))
    assert (first["address_key"] == second["address_key"]) == (plain(one) == plain(other))
    neighbour = network(one)[-1]
    assert ip_lookup.locate([str(neighbour)])["net"][0].as_py() == first["net"]


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("PARTNERS TELECOM COLOMBIA SAS", "isp"),  # no "colo" of a data centre
        ("City of Aurora Colorado", "government"),
        ("Teachers Federal Credit Union", "enterprise"),  # not of the government
        ("DMIT Cloud Services", "hosting"),
        ("Uppsala Student Network", "education"),
        ("Stalwart Wireless", "mobile_or_isp"),
        ("Enecom,Inc.", None),
        ("", None),
    ],
)
def test_a_category_is_guessed_from_whole_words_of_the_name(name, category):
    assert ip_lookup.weak_category(name) == category
