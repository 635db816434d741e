from __future__ import annotations

import ipaddress

import numpy as np
import pytest

from features import ip_lookup
from training.addresses import AddressBook
from training.vendors import VENDORS


def locate(network: str, n: int = 200, **options):
    book = AddressBook(np.random.default_rng(8))
    return ip_lookup.locate(book.text(book.draw(network, n, **options)).to_pylist())


@pytest.mark.parametrize("network", ["as:8075", "as:16509", "as:714"])
def test_addresses_of_an_as_are_announced_by_it(network):
    assert set(locate(network, ipv6=0.3)["asn"].to_pylist()) == {int(network[3:])}


@pytest.mark.parametrize("category", ["consumer_isp", "hosting", "mobile_or_isp"])
def test_addresses_of_a_category_lie_in_it(category):
    assert set(locate(f"category:{category}")["category"].to_pylist()) == {category}


@pytest.mark.parametrize("kind", ["privacy_relay", "image_proxy", "mail_security"])
def test_addresses_of_a_listed_kind_are_of_that_kind(kind):
    assert set(locate(f"listed:{kind}", ipv6=0.3)["kind"].to_pylist()) == {kind}


def test_an_operators_prefixes_are_its_own():
    assert set(locate("listed:mail_security/proofpoint")["operator"].to_pylist()) == {"proofpoint"}


def test_every_vendors_network_is_in_the_reference_data():
    book = AddressBook(np.random.default_rng(1))
    for vendor in VENDORS.values():
        for network in vendor.networks:
            assert network == "own" or len(book.draw(network, 2)) == 2


def test_a_share_is_ipv6_where_the_network_has_it():
    six = locate("as:7922", 1_000, ipv6=0.4)["ipv6"].to_pylist()
    assert 0.35 < np.mean(six) < 0.45


def test_a_pool_of_few_neighbourhoods_lies_in_as_many():
    book = AddressBook(np.random.default_rng(8))
    texts = book.text(book.draw("as:16509", 100, blocks=3)).to_pylist()
    assert len({ipaddress.ip_network(f"{t}/24", strict=False) for t in texts}) <= 3


def test_negative_codes_are_no_address():
    book = AddressBook(np.random.default_rng(8))
    code = book.draw("as:8075", 1)
    assert book.text(np.array([-1, code[0], -1])).to_pylist()[::2] == [None, None]


def test_an_unknown_network_is_an_error():
    with pytest.raises(KeyError, match="holds no network 'as:4200000000'"):
        AddressBook(np.random.default_rng(8)).draw("as:4200000000", 1)
