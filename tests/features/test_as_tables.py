"""Tables of autonomous systems in the forms that people have: TSV, CSV and MMDB."""

from datetime import date
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.as_tables import as_table, is_as_rows, is_mmdb
from features.errors import InputError
from features.reference import MAPPED_IPV4
from features.reference_document import Document
from tests.features import published_lists as published
from tests.features.mmdb_writer import mmdb


def document(content):
    return Document("the table", "the table", content if isinstance(content, bytes) else content.encode())


def address(text):
    found = ip_address(text)
    return int(found) + (MAPPED_IPV4 if found.version == 4 else 0)


def span(first, last, asn):
    return address(first), address(last), asn


BANK = span("192.0.2.0", "192.0.2.255", 64500)
MAXMIND = {
    "192.0.2.0/25": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Bank"},
    "192.0.2.128/25": {"autonomous_system_number": 64500},
    "2001:db8::/32": {"autonomous_system_number": 64501, "autonomous_system_organization": "Example Telecom"},
}
IPINFO = {
    "192.0.2.0/24": {"asn": "AS64500", "as_name": "Example Bank", "country": "Germany"},
    "198.51.100.0/24": {"country": "Germany"},
    "2001:db8::/32": {"asn": "AS64501", "as_name": "Example Telecom"},
}


@pytest.mark.parametrize(
    ("content", "source", "telecom", "day"),
    [
        (published.IPTOASN, "iptoasn", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", None),
        (published.RANGES, "asn-csv", "2001:db8::ffff", None),
        ("start,end,asn,name\n" + published.RANGES, "asn-csv", "2001:db8::ffff", None),
        (mmdb(MAXMIND), "geolite2-asn", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", date(2026, 11, 21)),
        (
            mmdb(IPINFO, "ipinfo lite.mmdb"),
            "ipinfo-lite-mmdb",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            date(2026, 11, 21),
        ),
    ],
    ids=["iptoasn", "csv", "csv with header", "maxmind", "ipinfo"],
)
def test_every_form_gives_disjoint_ranges_names_and_its_date(content, source, telecom, day):
    table = as_table([document(content)])
    assert table.spans == [BANK, span("2001:db8::", telecom, 64501)]
    assert {asn: name.split(" - ")[-1].removesuffix(", Inc.") for asn, name in table.names.items()} == {
        64500: "Example Bank",
        64501: "Example Telecom",
    }
    assert (table.source, table.date, table.clipped) == (source, day, 0)


def test_the_two_families_may_come_in_two_files_in_any_order():
    six, four = (document(line) for line in reversed(published.RANGES.splitlines()))
    assert as_table([six, four]) == as_table([document(published.RANGES)])


@pytest.mark.parametrize(
    ("content", "rows", "database"),
    [
        (published.IPTOASN, True, False),
        (published.RANGES, True, False),
        (published.APPLE, False, False),
        (published.CLOUDFLARE, False, False),
        ("3221225984\t3221226239\t64500\tDE\tExample\n", False, False),  # iptoasn's table of plain numbers
        (mmdb(MAXMIND), False, True),
        ("", False, False),
    ],
)
def test_a_table_is_told_from_a_list(content, rows, database):
    found = document(content)
    assert (is_as_rows(found), is_mmdb(found)) == (rows, database)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "192.0.2.0,192.0.2.255,64500,x\n192.0.2.9,oops,1,x\n",
            "the table, row 2: found '192.0.2.9,oops,1,x', expected",
        ),
        ("192.0.2.9,192.0.2.0,64500,x\n", "the table, row 1: found"),
        ("192.0.2.0,192.0.2.255,4294967296,x\n", "the table, row 1: found"),
        ("192.0.2.0,192.0.2.255,64500,x\n192.0.2.0\n", "the table, row 2: found '192.0.2.0'"),
        ("192.0.2.0,192.0.2.255,64500,\xff\n".encode("latin-1"), "the table: is no UTF-8 text"),
        (mmdb({"192.0.2.0/24": {"autonomous_system_number": "AS-SET"}}), "the table: 192.0.2.0/24 has the AS number"),
        (mmdb(MAXMIND)[40:], "the table: is a broken MMDB"),
    ],
)
def test_what_is_no_range_with_an_as_is_refused_with_its_row(content, message):
    with pytest.raises(InputError, match=message):
        as_table([document(content)])


def rows(*ranges):
    return "".join(f"192.0.2.{first},192.0.2.{last},{asn},x\n" for first, last, asn in ranges)


def test_a_range_that_overlaps_the_one_before_is_clipped_and_counted():
    table = as_table([document(rows((0, 9, 1), (5, 20, 2), (30, 40, 3)))])
    assert table.spans == [
        span("192.0.2.0", "192.0.2.9", 1),
        span("192.0.2.10", "192.0.2.20", 2),
        span("192.0.2.30", "192.0.2.40", 3),
    ]
    assert table.clipped == 1


def test_a_table_that_overlaps_all_over_is_refused():
    nested = document(rows((0, 99, 1), (0, 9, 2), (20, 29, 3), (40, 49, 4)))
    with pytest.raises(InputError, match="3 of 4 ranges overlap others; give one table of one day"):
        as_table([nested])


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 9), st.integers(0, 3)), max_size=30))
def test_ranges_are_disjoint_and_ascend_whatever_comes(ranges):
    text = "".join(f"192.0.2.{first},192.0.2.{first + more},{asn},x\n" for first, more, asn in ranges)
    try:
        spans = as_table([document(text)]).spans
    except InputError as error:
        assert "overlap others" in str(error)
        return
    assert all(first <= last for first, last, _ in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    wanted = {first + at for first, more, asn in ranges if asn for at in range(more + 1)}
    assert {number & 255 for first, last, _ in spans for number in range(first, last + 1)} == wanted
