"""The phrases that rules are made of."""

import duckdb
import pytest

from features.address_key import pack
from serving.baselines.rule import contains_any, one_of, within


def said(phrase, **columns):
    selected = ", ".join(f"${name} AS {name}" for name in columns)
    with duckdb.connect() as con:
        return con.execute(f"SELECT {phrase} FROM (SELECT {selected})", columns).fetchall()[0][0]


@pytest.mark.parametrize(
    ("text", "contained"),
    [("an abbot", True), ("java/11", True), ("javascript", False), ("it's", True), ("100%", False), ("", False)],
)
def test_words_are_looked_for_as_they_stand(text, contained):
    assert said(contains_any(("bot", "java/", "it's", "100_")), text=text) is contained


def test_one_of_takes_words_and_numbers():
    assert said(one_of("name", ("a", "b's")), name="b's")
    assert said(one_of("name", (8075, 15169)), name=15169)
    assert not said(one_of("name", (8075,)), name=80)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.1.255", False),
        ("192.0.2.0", True),
        ("192.0.2.127", True),
        ("192.0.2.128", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("2001:db8::1", True),
        ("2001:db8:0:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1::", False),
        ("2001:db8:2:3::ff", True),
        ("2001:db8:2:3::100", False),
    ],
)
def test_an_address_is_within_a_network_from_its_first_to_its_last(address, inside):
    networks = ("192.0.2.0/25", "198.51.100.7/32", "2001:db8::/48", "2001:db8:2:3::/120")
    key = pack(address)
    halves = {"hi": int.from_bytes(key[:8]), "lo": int.from_bytes(key[8:])}
    assert said(within(networks), **halves) is inside
