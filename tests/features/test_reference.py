"""The packaged data is complete, dated, made of known words, and can be made again."""

import csv
import re
from importlib import resources
from itertools import pairwise

import netaddr
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import ip_lookup, reference, reference_build, ua_parse
from features.errors import InputError

DATA = resources.files("features") / "data"
ROW_FILES = ("networks.csv", "as_categories.csv", "as_keywords.csv", "agents.csv", "mailbox_hosts.csv")
DATE = re.compile(r"(\d{4}(-\d\d(-\d\d)?)?(-\d{4})?|undated)(; (\d{4}(-\d\d(-\d\d)?)?(-\d{4})?|undated))*")


def rows_of(file):
    with (DATA / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("file", ROW_FILES)
def test_every_row_has_a_source_and_a_date(file):
    lacking = [row for row in rows_of(file) if not row["source"] or not DATE.fullmatch(row["source_date"])]
    assert lacking == []


def test_every_relay_and_vpn_prefix_has_a_source_and_a_date():
    facts = reference.load_prefixes().facts
    assert "" not in set(facts["source"].to_pylist())
    assert all(DATE.fullmatch(date) for date in set(facts["source_date"].to_pylist()))


def test_every_data_file_is_listed_with_source_date_and_licence():
    files = {entry.name for entry in DATA.iterdir()} - {"NOTICE", "README.md", "sources.csv"}
    assert {source.file for source in reference.sources()} == files
    assert all(source.source and source.date and source.licence for source in reference.sources())


def test_the_readme_says_of_each_file_what_sources_csv_says():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for source in reference.sources():
        (line,) = [line for line in readme.splitlines() if line.startswith(f"| `{source.file}`")]
        assert line.endswith(f"| {source.source} | {source.date} | {source.licence} |")


def test_the_notice_attributes_what_needs_attribution():
    notice = (DATA / "NOTICE").read_text(encoding="utf-8")
    for owed in (
        "CC BY 4.0",
        "Route Views",
        "https://db-ip.com",
        "nro.net",
        "X4B (Mathew Heard)",
        "Brian Hamachek",
    ):
        assert owed in notice


def test_versions_name_each_file_and_the_agent_patterns():
    versions = reference.versions()
    assert versions["asn"] == "2026-06-17"
    assert set(versions) == {source.name for source in reference.sources()} | {"ua_parser"}


def test_the_data_holds_only_words_that_have_a_code():
    facts = reference.load_prefixes().facts
    assert set(facts["kind"].to_pylist()) <= set(ip_lookup.KINDS)
    assert set(facts["operator"].to_pylist()) <= {*ip_lookup.OPERATORS, ""}
    assert set(facts["evidence"].to_pylist()) <= set(ip_lookup.EVIDENCE)
    listed = reference.load_as_categories().values()
    assert {fact.category for fact in listed} <= set(ip_lookup.CATEGORIES)
    assert {fact.vendor for fact in listed} <= {*ip_lookup.OPERATORS, None}
    assert {category for _, category in reference.load_as_keywords()} <= set(ip_lookup.CATEGORIES)
    agents = reference.load_agents()
    assert {agent.match for agent in agents} == {"exact", "prefix", "suffix", "contains"}
    assert {agent.kind for agent in agents} <= set(ua_parse.KINDS)
    assert {agent.family for agent in agents} <= {*ua_parse.FAMILIES, ""}
    assert all(agent.pattern == agent.pattern.lower() != "" for agent in agents)


@pytest.mark.parametrize(
    "names",
    [
        *(ip_lookup.KINDS, ip_lookup.CATEGORIES, ip_lookup.OPERATORS, ip_lookup.EVIDENCE),
        *(ua_parse.KINDS, ua_parse.FAMILIES, ua_parse.OS_FAMILIES, ua_parse.DEVICES, ua_parse.ENGINES),
    ],
)
def test_a_code_stands_for_one_name(names):
    assert len(set(names)) == len(names)


def test_announcements_ascend_from_the_first_address_and_join_neighbours():
    table = reference.load_announcements()
    first = [(hi << 64) + lo for hi, lo in zip(table.hi.tolist(), table.lo.tolist(), strict=True)]
    assert first[0] == 0
    assert all(here < following for here, following in pairwise(first))
    asn = table.asn.tolist()
    assert all(here != following for here, following in pairwise(asn))
    numbers, names = reference.load_as_names()
    assert set(asn) - {0} <= set(numbers.tolist())
    assert len(numbers) == len(names)


def test_the_packaged_data_stays_small():
    assert sum(len(entry.read_bytes()) for entry in DATA.iterdir()) < 3_000_000


def test_a_bad_prefix_is_named():
    with pytest.raises(InputError, match=r"networks.csv: '192.0.2.1/24' is no network prefix \(.*host bits"):
        reference.split_cidrs(["192.0.2.1/24"])


def test_runs_join_neighbours_and_mark_gaps():
    ranges = [(10, 19, 64500), (20, 29, 64500), (30, 39, 64501), (50, 59, 64501)]
    assert list(reference_build.announcement_runs(ranges)) == [
        (0, 0),
        (10, 64500),  # two ranges of one AS
        (30, 64501),
        (40, 0),  # nobody
        (50, 64501),
        (60, 0),
    ]


def test_overlapping_ranges_are_refused():
    with pytest.raises(InputError, match="AS64501: range 0x13-0x1d overlaps the one before"):
        list(reference_build.announcement_runs([(10, 19, 64500), (19, 29, 64501)]))


RANGES = [  # family, start_hi, start_lo, end_hi, end_lo, asn, name
    (4, 0, 0xC0000200, 0, 0xC00002FF, 64500, "Example Bank"),
    (6, 0x20010DB8 << 32, 0, (0x20010DB8 << 32) + 0xFFFFFFFF, 2**64 - 1, 64501, "Example Telecom"),
]
PREFIXES = [  # cidr, provider, category, evidence
    ("192.0.2.0/25", "bing", "crawler", "official"),
    ("192.0.2.128/25", "bing", "crawler", "official"),
    ("198.51.100.0/24", "aws", "cloud", "official"),
    ("2001:db8::/32", "apple", "privacy_relay", "official"),
    ("203.0.113.7/32", "vpn", "vpn", "community"),
]


def test_files_made_again_are_read_back(tmp_path):
    names = ("family", "start_hi", "start_lo", "end_hi", "end_lo", "asn", "name")
    types = (pa.uint8(), pa.uint64(), pa.uint64(), pa.uint64(), pa.uint64(), pa.uint32(), pa.string())
    columns = zip(names, types, zip(*RANGES, strict=True), strict=True)
    pq.write_table(pa.table({name: pa.array(values, type) for name, type, values in columns}), tmp_path / "ranges")
    prefixes = [
        {
            **dict(zip(("cidr", "provider", "category", "evidence"), row, strict=True)),
            "service": "ZIA enforcement node Oslo",
            "source": "list",
            "source_date": "stored page",
        }
        for row in PREFIXES
    ]
    pq.write_table(pa.Table.from_pylist(prefixes), tmp_path / "prefixes")
    reference_build.build_announcements(tmp_path / "ranges", tmp_path)
    reference_build.build_networks(tmp_path / "prefixes", tmp_path)

    assert pq.read_table(tmp_path / "asn.parquet")["asn"].to_pylist() == [0, 64500, 0, 64501, 0]
    assert pq.read_table(tmp_path / "as_names.parquet").to_pylist() == [
        {"asn": 64500, "name": "Example Bank"},
        {"asn": 64501, "name": "Example Telecom"},
    ]
    assert (tmp_path / "networks.csv").read_text() == (
        "cidr,kind,operator,service,evidence,source,source_date\n"
        "192.0.2.0/24,crawler,microsoft,ZIA enforcement node,official,list,undated\n"
    )
    bulk = pq.read_table(tmp_path / "relay_vpn.parquet")
    assert bulk["kind"].to_pylist() == ["vpn", "privacy_relay"]
    assert bulk["operator"].to_pylist() == ["", "apple"]
    assert bulk["length"].to_pylist() == [128, 32]


def test_categories_made_again_leave_the_guesses_out(tmp_path):
    (tmp_path / "categories").write_text(
        "asn,name,category,vendor,source\n"
        '64501,"Example, Inc.",mail_security,trend_micro,curated; name checked\n'
        "64500,Example Bank,enterprise,,name keyword (low confidence)\n"
    )
    reference_build.build_categories(tmp_path / "categories", tmp_path)
    assert (tmp_path / "as_categories.csv").read_text() == (
        "asn,category,vendor,weak,source,source_date\n64501,mail_security,trendmicro,0,curated,2026-11-24\n"
    )


def test_joining_prefixes_covers_the_same_addresses():
    rows = [
        {
            "cidr": cidr,
            "provider": "a",
            "category": "vpn",
            "evidence": "spf",
            "service": cidr,
            "source": source,
        }
        | {"source_date": "2026"}
        for cidr, source in [
            ("10.0.0.0/9", "y"),
            ("10.128.0.0/9", "x"),
            ("10.1.0.0/16", "x"),
            ("11.0.0.0/24", "x"),
        ]
    ]
    joined = reference_build.aggregate(rows)
    assert [(row["cidr"], row["source"], row["source_date"]) for row in joined] == [
        ("10.0.0.0/8", "x; y", "2026; 2026"),
        ("11.0.0.0/24", "x", "2026"),
    ]
    assert netaddr.IPSet([row["cidr"] for row in joined]) == netaddr.IPSet([row["cidr"] for row in rows])
