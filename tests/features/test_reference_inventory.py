"""What is in use, how old it is, and when that is pointed out."""

from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from features import reference
from features.reference_copy import Part, UserCopy
from features.reference_inventory import Holding, age_days, inventory, inventory_table, old_data

TODAY = date(2026, 11, 24)


def part(name, day, source="", replaces=()):
    return Part(name, source or name, "a file", day, 7, replaces, "")


def copy(*parts):
    return UserCopy(Path("mine"), parts, {})


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-11-20", 4),
        ("2026-11", 23),
        ("2026", 327),
        ("2015-2025", 692),
        ("2026-11-25", 0),
        ("undated", None),
        ("", None),
    ],
)
def test_age_counts_from_the_first_day_that_a_date_may_mean(text, days):
    assert age_days(text, TODAY) == days


def test_without_a_copy_every_packaged_row_is_somebodys():
    holdings = inventory(None)
    assert not any(one.yours for one in holdings)
    assert {one.file for one in holdings} == {source.file for source in reference.sources()}
    [asn] = [one for one in holdings if one.file == "asn.parquet"]
    assert (asn.date, asn.rows) == ("2026-06-17", len(reference.load_announcements().asn))
    relay = sum(one.rows for one in holdings if one.file == "relay_vpn.parquet")
    assert relay == len(reference.packaged_prefixes()["relay_vpn"].length)


def test_what_is_yours_stands_first_and_instead_of_what_it_replaces():
    holdings = inventory(
        copy(
            part("as_names", "2026-11-20", "iptoasn"),
            part("asn", "2026-11-20", "iptoasn"),
            part("zscaler-cenr", "2026-11-21", replaces=("zscaler-cenr",)),
        )
    )
    assert holdings[:3] == [
        Holding("iptoasn", "as_names.parquet", "2026-11-20", 7, yours=True),
        Holding("iptoasn", "asn.parquet", "2026-11-20", 7, yours=True),
        Holding("zscaler-cenr", "zscaler-cenr.parquet", "2026-11-21", 7, yours=True),
    ]
    packaged = [one for one in holdings if not one.yours]
    assert not {"asn.parquet", "as_names.parquet"} & {one.file for one in packaged}
    assert "zscaler-cenr" not in {one.source for one in packaged}
    assert "azure-service-tags" in {one.source for one in packaged}


@pytest.mark.parametrize(
    ("day", "yours", "end"),
    [
        ("2026-11-20", True, ["4", "d", "1,234", "yours"]),
        ("2026-05-28", False, ["180", "d", "1,234", "packaged"]),
        ("2026-05-27", False, ["181", "d", "1,234", "packaged", "old"]),
        ("2020-12-23", False, ["2,162", "d", "1,234", "packaged", "old"]),
        ("undated", False, ["not", "known", "1,234", "packaged", "old"]),
    ],
)
def test_the_table_points_out_what_is_older_than_half_a_year(day, yours, end):
    console = Console(width=100)
    with console.capture() as shown:
        console.print(inventory_table([Holding("a list", "file.parquet", day, 1234, yours)], TODAY))
    line = shown.get().splitlines()[-1].split()
    assert line == ["a", "list", "file.parquet", day, *end]


@pytest.mark.parametrize(
    ("parts", "today", "line"),
    [
        ((), TODAY, None),
        ((), date(2027, 6, 17), None),
        ((), date(2027, 6, 18), "reference data of asn is 366 days old; clicksift reference update FILE"),
        ((part("asn", "2027-06-01"), part("as_names", "2020-01-01")), date(2027, 6, 18), None),
        (
            (part("zscaler-cenr", "2025-11-01"),),
            TODAY,
            "reference data of zscaler-cenr is 388 days old; clicksift reference update FILE",
        ),
        (
            (part("asn", "2028-01-01"),),
            date(2027, 9, 2),
            "reference data of networks is 366 days old and of relay_vpn is 376 days old;"
            " clicksift reference update FILE or a newer clicksift",
        ),
    ],
)
def test_what_is_older_than_a_year_is_one_line(parts, today, line):
    assert old_data(copy(*parts) if parts else None, today) == line
