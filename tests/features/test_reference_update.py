"""Official lists become the user's copy: recognised, checked, and looked up; the packaged data stays as it is."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from importlib import resources
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import reference
from features.errors import InputError
from features.reference_copy import MANIFEST, VARIABLE, read_copy
from features.reference_update import Choices, update, where_used
from tests.features import published_lists as published
from tests.features.mmdb_writer import mmdb

TODAY = Choices(date(2026, 11, 24))
FORCED = replace(TODAY, force=True)


@pytest.fixture
def give(tmp_path):
    """A function that writes contents to files and updates the copy in `copy` from them."""

    def write(contents, choices=TODAY):
        for name, content in contents.items():
            path = tmp_path / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(published.text_of(content))
        return update([str(tmp_path / name) for name in contents], tmp_path / "copy", choices)

    return write


def rows(copy, source):
    """The networks in use that the source says: prefix length and kind."""
    both = [reference.prefixes_with(copy), reference.platforms_with(copy)]
    found = reference.from_sources(both, {source})
    return sorted(zip(found.length.tolist(), found.facts["kind"].to_pylist(), strict=True))


# Recognising


def test_files_are_recognised_by_their_content_and_not_by_their_names(give):
    done = give({f"{number}.txt": content for number, content in enumerate(published.EVERY_LIST.values())}, FORCED)
    assert {part.name for part in done.parts} == set(published.EVERY_LIST)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("google-googlebot", "google-googlebot.json"),
        ("google-special-crawlers", "google-googlesc.json"),
        ("google-user-triggered-fetchers", "google-googleutf.json"),
        ("microsoft-bingbot", "ipranges-bing"),
        ("apple-applebot", "goodbots-applebot"),
    ],
)
def test_crawlers_that_share_a_form_are_told_by_their_addresses(give, name, source):
    [part] = give({"prefixes.json": published.crawler_list(published.packaged(source))}).parts
    assert part.name == name
    assert part.rows == len(published.packaged(source))


def test_apples_relay_is_told_from_other_geofeeds_by_its_addresses(give):
    some = published.packaged("ipranges-apple-proxy")[::50]
    [part] = give({"feed.csv": "".join(f"{cidr},US,US-CA,Town,\n" for cidr in some)}, FORCED).parts
    assert (part.name, part.rows) == ("apple-egress-ip-ranges", len(some))


def test_cloudflares_addresses_are_told_by_who_announces_them(give):
    [part] = give({"v4": "104.16.0.0/13\n172.64.0.0/13\n", "v6": "2606:4700::/32\n"}).parts
    assert (part.name, part.rows, part.origin) == ("cloudflare-ips", 3, "v4, v6")


@pytest.mark.parametrize(
    ("content", "forms"),
    [
        (published.APPLE, "apple-egress-ip-ranges"),
        (published.CLOUDFLARE, "cloudflare-ips"),
        (published.CRAWLER, "microsoft-bingbot and google-googlebot and"),
    ],
)
def test_strangers_in_a_shared_form_are_not_guessed(give, content, forms):
    message = f"stranger: has the form of {forms}.* but 0% of its addresses are known .* --list NAME"
    with pytest.raises(InputError, match=message):
        give({"stranger": content})


def test_the_user_can_say_which_list_it_is(give):
    [part] = give({"list": published.CRAWLER}, replace(FORCED, named="google-special-crawlers")).parts
    assert part.name == "google-special-crawlers"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nonsense", "--list nonsense: expected one of apple-applebot, apple-egress-ip-ranges, aws-ip-ranges"),
        ("cloudflare-ips", "--list cloudflare-ips: no file that was given has its form; leave the option out"),
    ],
)
def test_a_list_that_the_file_cannot_be_is_refused(give, named, message):
    with pytest.raises(InputError, match=message):
        give({"list": published.AWS}, replace(FORCED, named=named))


def test_what_is_no_list_is_refused(give):
    with pytest.raises(InputError, match=r"letter.txt: is no list that is known; docs/reference.md says which are"):
        give({"letter.txt": "Dear Sir or Madam,\n"})


def test_two_files_of_one_list_are_refused_where_it_is_one_file(give):
    with pytest.raises(InputError, match=r"b.json: is aws-ip-ranges, as .*a.json is; give one of them"):
        give({"a.json": published.AWS, "b.json": published.AWS})


# Checking


@pytest.mark.parametrize(
    ("prefix", "problem"),
    [
        ("192.0.2.1/24", "which has bits behind its length"),
        ("192.0.2.0/33", "which is no network prefix"),
        ("somewhere", "which is no network prefix"),
        ("0.0.0.0/0", "but no operator holds a /0"),
        ("192.0.0.0/5", "but no operator holds a /5"),
        ("2600::/12", "but no operator holds a /12"),
        ("10.1.0.0/16", "but it is not of the public internet"),
        ("192.168.7.0/24", "but it is not of the public internet"),
        ("127.0.0.1/32", "but it is not of the public internet"),
        ("239.0.0.0/8", "but it is not of the public internet"),
        ("fe80::/16", "but it is not of the public internet"),
        ("::ffff:192.0.2.0/120", "but it is not of the public internet"),
        ("192.0.2.9-192.0.2.1", "which is no network prefix"),
    ],
)
def test_a_prefix_that_cannot_be_an_operators_is_refused_with_its_place(give, prefix, problem):
    listed = {**published.FASTLY, "addresses": ["192.0.2.0/24", prefix]}
    with pytest.raises(InputError, match=rf"f.json, addresses\[1\]: found '{prefix}', {problem}; download"):
        give({"f.json": listed}, FORCED)


def test_a_range_becomes_the_prefixes_that_cover_it(give):
    copy = give({"f.json": {"addresses": ["192.0.2.0-192.0.2.191"], "ipv6_addresses": []}}).copy
    assert rows(copy, "fastly-public-ip-list") == [(96 + 25, "cdn_relay"), (96 + 26, "cdn_relay")]


def test_less_than_half_of_what_was_known_is_refused_unless_forced(give):
    known = published.packaged("google-googlebot.json")
    few = published.crawler_list([prefix for prefix in known if "." in prefix])
    with pytest.raises(
        InputError, match=r"l.json: has 0 IPv6 prefixes of crawler where \d+ are in use, less than half"
    ):
        give({"l.json": few})
    [part] = give({"l.json": few}, FORCED).parts
    # What was forced is the measure from now on.
    assert give({"l.json": few}).parts == (part,)
    with pytest.raises(InputError, match=f"has 0 IPv4 prefixes of crawler where {part.rows} are in use"):
        give({"l.json": published.crawler_list([prefix for prefix in known if ":" in prefix])})


def test_an_older_list_is_refused_unless_forced(give):
    give({"new.json": published.AWS})
    older = {**published.AWS, "createDate": "2026-11-19-00-00-00"}
    with pytest.raises(
        InputError, match=r"aws-ip-ranges of 2026-11-19 is older than what is in use, of 2026-11-20; --f"
    ):
        give({"old.json": older})
    assert give({"old.json": older}, FORCED).parts[0].date == "2026-11-19"


def test_one_bad_file_leaves_everything_as_it_was(give, tmp_path):
    give({"aws.json": published.AWS})
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    with pytest.raises(InputError, match="broken JSON"):
        give({"fastly.json": published.FASTLY, "oracle.json": "{"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()} == before


def test_the_packaged_data_is_never_touched(give):
    def digests():
        files = (resources.files("features") / "data").iterdir()
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    before = digests()
    give({"a": published.AWS, "b": published.AZURE, "c": published.RANGES}, FORCED)
    assert digests() == before


# Dates


@pytest.mark.parametrize(
    ("name", "content", "choices", "day", "noted"),
    [
        ("list.json", published.AWS, TODAY, "2026-11-20", False),
        ("list.json", published.AWS, replace(TODAY, dated=date(2026, 11, 1)), "2026-11-20", False),
        ("ServiceTags_Public_20261117.json", published.FASTLY, TODAY, "2026-11-17", False),
        ("list.json", published.FASTLY, replace(TODAY, dated=date(2026, 11, 1)), "2026-11-01", False),
        ("list.json", published.FASTLY, TODAY, "2026-11-24", True),
        ("list-20269999.json", published.FASTLY, TODAY, "2026-11-24", True),
    ],
)
def test_a_list_has_its_own_date_or_the_users_or_todays(give, name, content, choices, day, noted):
    done = give({name: content}, choices)
    assert done.parts[0].date == day
    assert set(reference.platforms_with(done.copy).facts["source_date"].to_pylist()) == {day}
    assert done.notes == ((f"no date in {name}: today's is recorded; --date gives another",) if noted else ())


# What is in use then


def test_neighbours_are_joined_and_every_row_says_its_source_and_date(give):
    copy = give({"ip-ranges.json": published.AWS}).copy
    assert rows(copy, "aws-ip-ranges") == [(48, "cloud"), (96 + 24, "cloud"), (96 + 26, "cdn")]
    facts = reference.platforms_with(copy).facts
    assert set(facts["evidence"].to_pylist()) == {"official"}
    assert set(facts["source_date"].to_pylist()) == {"2026-11-20"}


def test_a_list_replaces_all_that_the_package_has_from_it_and_nothing_else(give):
    before = reference.prefixes_with(None)
    copy = give({"z.json": published.ZSCALER}, FORCED).copy
    after = reference.prefixes_with(copy)
    assert rows(copy, "zscaler-cenr") == [(48, "security_proxy"), (96 + 26, "security_proxy")]
    replaced = len(published.packaged("zscaler-cenr"))
    assert len(after.length) == len(before.length) - replaced + 2


def test_what_another_list_says_too_stays_until_that_is_replaced(give):
    both = "azure-service-tags; m365-endpoints"

    def joint(copy):
        return reference.prefixes_with(copy).facts["source"].to_pylist().count(both)

    assert joint(None) == joint(give({"a": published.AZURE}, FORCED).copy) > 0
    assert joint(give({"m": published.M365}, FORCED).copy) == 0


def test_lists_that_nobody_gave_stay(give, tmp_path):
    give({"aws.json": published.AWS})
    give({"fastly.json": published.FASTLY})
    assert [part.name for part in read_copy(tmp_path / "copy").parts] == ["aws-ip-ranges", "fastly-public-ip-list"]


def test_versions_name_what_is_in_use(give):
    copy = give({"aws": published.AWS, "t": published.IPTOASN}, replace(FORCED, dated=date(2026, 11, 22))).copy
    packaged = reference.versions_with(None)
    assert reference.versions_with(copy) == {
        **packaged,
        "asn": "iptoasn 2026-11-22",
        "as_names": "iptoasn 2026-11-22",
        "networks": f"{packaged['networks']}+aws-ip-ranges 2026-11-20",
    }


def test_a_table_of_as_replaces_the_packaged_one(give):
    database = mmdb(
        {
            "192.0.2.0/24": {"asn": "AS64500", "as_name": "Example  Bank"},
            "2001:db8::/32": {"asn": "AS64501", "as_name": "Example Telecom"},
        },
        "ipinfo lite",
    )
    done = give({"table": database}, FORCED)
    assert [(part.name, part.source, part.date) for part in done.parts] == [
        ("asn", "ipinfo-lite", "2026-11-21"),
        ("as_names", "ipinfo-lite", "2026-11-21"),
    ]
    table = reference.announcements_with(done.copy)
    assert table.asn.tolist() == [0, 64500, 0, 64501, 0]
    assert table.lo.tolist()[1] == (0xFFFF << 32) + int(ip_network("192.0.2.0/24").network_address)
    assert done.copy.table("as_names").to_pylist() == [
        {"asn": 64500, "name": "Example Bank"},
        {"asn": 64501, "name": "Example Telecom"},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (published.RANGES, r"table: has 1 IPv4 networks where \d{3},\d{3} are in use, less than half; give all files"),
        ("192.0.2.0,192.0.2.9,0,nobody\n", "table: holds no AS number; give a table of autonomous systems"),
        (mmdb({"192.0.2.0/24": {"city": "Oslo"}}, "city"), "table: holds no AS number"),
        (mmdb({"192.0.2.0/24": {"asn": "AS1"}}, built=1_700_000_000), "asn of 2023-11-14 is older than what is in use"),
    ],
)
def test_a_table_that_would_be_a_loss_is_refused(give, content, message):
    with pytest.raises(InputError, match=message):
        give({"table": content})


def test_a_table_without_names_is_refused(give):
    give({"small": published.RANGES}, FORCED)
    nameless = published.RANGES.replace(",Example Telecom", ",").replace('"Example Bank, Inc."', "")
    with pytest.raises(InputError, match="table: 2 of 2 AS have no name; give a table with names"):
        give({"table": nameless})


def test_overlaps_are_told(give):
    overlapping = published.RANGES + "192.0.2.200,192.0.2.255,64502,Example Isp\n"
    done = give({"table": overlapping}, replace(FORCED, dated=date(2026, 11, 1)))
    assert done.notes == ("table: 1 ranges overlapped others and were clipped",)


def test_a_damaged_copy_is_made_anew_and_said_so(give, tmp_path):
    give({"aws.json": published.AWS})
    (tmp_path / "copy" / "aws-ip-ranges.parquet").write_bytes(b"damaged")
    done = give({"google.json": published.GOOG})
    assert [part.name for part in read_copy(tmp_path / "copy").parts] == ["google-goog"]
    [note] = done.notes
    assert note.endswith("describes: the copy was made anew; give its other lists again")


def test_a_folder_of_the_users_is_not_replaced(give, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds thesis.txt, which is no reference data"):
        give({"aws.json": published.AWS})
    assert (tmp_path / "copy" / "thesis.txt").read_text() == "years of work"


def test_a_copy_that_is_not_in_use_is_told_how_to_be(tmp_path, monkeypatch):
    assert where_used(tmp_path).endswith(f"as it was. It is not in use: set CLICKSIFT_REFERENCE={tmp_path}")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert where_used(tmp_path).endswith("as it was.")


LOOK_UP = """
import json, sys
from features.ip_lookup import locate
columns = ["asn", "category", "category_weak", "kind", "operator", "evidence"]
print(json.dumps([list(row.values()) for row in locate(sys.argv[1:]).select(columns).to_pylist()]))
"""


def look_up(folder, *addresses):
    """What a process of its own that uses the copy says of addresses."""
    command = [sys.executable, "-c", LOOK_UP, *addresses]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, VARIABLE: str(folder)}
    )
    return json.loads(ran.stdout) if ran.returncode == 0 else ran.stderr.splitlines()[-1]


def test_look_ups_go_by_the_copy(give, tmp_path):
    table = (
        "198.51.100.0,198.51.100.63,64500,Example Hosting\n"  # a weak guess from its name
        "198.51.100.64,198.51.100.127,8075,Microsoft\n"  # somebody checked it
        "2001:db8::,2001:db8::ffff,64501,Example\n"
    )
    lists = {"table": table, "azure": published.AZURE, "goog": published.GOOG, "cloud": published.GOOGLE_CLOUD}
    give({**lists, "oracle": published.ORACLE, "aws": published.AWS}, FORCED)
    addresses = {
        "198.51.100.1": [64500, "cloud", False, "mail_security", "microsoft", "official"],
        "198.51.100.40": [64500, "cloud", False, None, "microsoft", None],
        "198.51.100.70": [8075, "cloud_mailbox", False, None, "microsoft", None],
        "198.51.100.200": [None, "cloud", False, None, "microsoft", None],
        "203.0.113.1": [None, "cloud_mailbox", False, None, "google", None],
        "203.0.113.65": [None, "cloud", False, None, "google_cloud", None],
        "192.0.2.1": [None, "cloud", False, None, "amazon", None],
        "192.0.2.65": [None, "cdn", False, None, "amazon", None],
        "2001:db8::1": [64501, None, None, None, None, None],
    }
    assert dict(zip(addresses, look_up(tmp_path / "copy", *addresses), strict=True)) == addresses
    assert look_up("packaged", "192.0.2.1") == [[None, None, None, None, None, None]]


def test_a_damaged_copy_stops_look_ups_with_its_name(give, tmp_path):
    give({"aws": published.AWS})
    (tmp_path / "copy" / MANIFEST).write_text("{}")
    message = look_up(tmp_path / "copy", "192.0.2.1")
    assert "reference.json: is not as clicksift wrote it; run clicksift reference update again" in message


def test_a_word_that_only_a_newer_clicksift_knows_is_named(give, tmp_path):
    """A copy may be newer than the installed clicksift."""
    give({"list": published.AZURE}, FORCED)
    code = "import features.ip_lookup as l; l.KINDS = l.KINDS[1:]; l.locate(['192.0.2.1'])"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, VARIABLE: str(tmp_path / "copy")},
    )
    assert "this clicksift does not know the word 'mail_security'" in ran.stderr


networks = st.builds(
    lambda base, length: str(ip_network((base >> (32 - length) << (32 - length), length))),
    st.integers(0xC6336400, 0xC63364FF),
    st.integers(24, 32),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(networks, min_size=1, max_size=20))
def test_joining_neighbours_covers_the_same_addresses(give, prefixes):
    copy = give({"f.json": {"addresses": prefixes, "ipv6_addresses": []}}, FORCED).copy
    found = reference.platforms_with(copy)
    covered = {
        low + offset
        for low, length in zip(found.lo.tolist(), found.length.tolist(), strict=True)
        for offset in range(1 << (128 - length))
    }
    assert {number & 0xFFFFFFFF for number in covered} == {
        int(address) for prefix in prefixes for address in ip_network(prefix)
    }
    assert sum(1 << (128 - length) for length in found.length.tolist()) == len(covered)
