"""What is known of each distinct address and agent, as integers."""

import pytest

from features import ip_lookup, ua_parse
from features.tags import (
    MACHINE_CATEGORIES,
    MACHINE_KINDS,
    PEOPLE_CATEGORIES,
    SHARED_KINDS,
    address_table,
    agent_table,
)
from tests.features.event_tables import CHROME, DATA_CENTRE, HOME, HOME_6, NOBODY, SCANNER

RANKS = [  # address, rank, whose it is
    (HOME, 0, "telephone and cable"),
    (HOME_6, 0, "cable"),
    ("130.75.1.1", 0, "university"),
    (SCANNER, 2, "mail security of a mailbox provider"),
    ("209.222.82.1", 2, "mail security on rented machines"),
    (DATA_CENTRE, 2, "cloud"),
    ("66.249.66.1", 2, "crawler"),
    ("66.249.84.3", 1, "image proxy in a cloud's AS"),
    ("172.224.240.1", 1, "privacy relay"),
    ("165.225.0.1", 1, "security proxy of offices"),
    ("185.220.101.1", 1, "VPN"),
    (NOBODY, 1, "nobody"),
    ("not an address", 1, "no address"),
]


@pytest.mark.parametrize(("address", "rank"), [row[:2] for row in RANKS], ids=[row[2] for row in RANKS])
def test_people_before_what_is_shared_before_machines(address, rank):
    assert address_table([address])["rank"].to_pylist() == [rank]


def test_the_categories_and_kinds_that_rank_are_known_ones():
    assert {*PEOPLE_CATEGORIES, *MACHINE_CATEGORIES} <= set(ip_lookup.CATEGORIES)
    assert {*MACHINE_KINDS, *SHARED_KINDS} <= set(ip_lookup.KINDS)
    assert not set(PEOPLE_CATEGORIES) & set(MACHINE_CATEGORIES)
    assert not set(MACHINE_KINDS) & set(SHARED_KINDS)


def test_ids_number_the_rows_in_order():
    addresses = [SCANNER, NOBODY, HOME]
    table = address_table(addresses)
    assert table["address_id"].to_pylist() == [0, 1, 2]
    assert table["ip"].to_pylist() == addresses
    assert agent_table(["x", CHROME.format(140)])["agent_id"].to_pylist() == [0, 1]


def test_address_codes_are_positions_and_null_stays_null():
    table = address_table([SCANNER, HOME, NOBODY])
    for code, name, names in (
        ("kind_code", "kind", ip_lookup.KINDS),
        ("operator_code", "operator", ip_lookup.OPERATORS),
        ("evidence_code", "evidence", ip_lookup.EVIDENCE),
        ("category_code", "category", ip_lookup.CATEGORIES),
    ):
        expected = [None if value is None else names.index(value) for value in table[name].to_pylist()]
        assert table[code].to_pylist() == expected
    assert table["kind_code"].to_pylist() == [ip_lookup.KINDS.index("mail_security"), None, None]


def test_agent_codes_are_positions_and_null_stays_null():
    table = agent_table([CHROME.format(140), "python-requests/2.32.3"])
    for code, name, names in (
        ("kind_code", "kind", ua_parse.KINDS),
        ("family_code", "family", ua_parse.FAMILIES),
        ("os_code", "os", ua_parse.OS_FAMILIES),
        ("device_code", "device", ua_parse.DEVICES),
        ("engine_code", "engine", ua_parse.ENGINES),
    ):
        expected = [None if value is None else names.index(value) for value in table[name].to_pylist()]
        assert table[code].to_pylist() == expected
    assert table["engine_code"].to_pylist() == [ua_parse.ENGINES.index("chromium"), None]


def test_nothing_seen_gives_empty_tables_of_the_same_columns():
    assert address_table([]).schema == address_table([HOME]).schema
    assert agent_table([]).schema == agent_table(["x"]).schema
