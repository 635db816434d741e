"""Each published list is recognised by its content, and says what it says."""

import json

import pytest

from features import ip_lookup
from features.errors import InputError
from features.operator_lists import BY_NAME, LISTS, content_of, entries_of, fitting
from features.reference import PLATFORM_KINDS, packaged_prefixes
from features.reference_document import Document
from tests.features import published_lists as published


def document(content):
    text = published.text_of(content)
    return Document("the file", "the file", text.encode())


def entries(name, content):
    found = document(content)
    return [(entry.cidr, entry.kind, entry.operator) for entry in entries_of(BY_NAME[name], found, content_of(found))]


@pytest.mark.parametrize("name", published.EVERY_LIST)
def test_a_list_is_recognised_by_its_content_alone(name):
    assert [one.name for one in fitting(content_of(document(published.EVERY_LIST[name])))] == [name]


@pytest.mark.parametrize("name", published.EVERY_LIST)
def test_a_list_of_a_form_of_its_own_needs_no_addresses_to_be_told(name):
    assert not BY_NAME[name].shared_form


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (published.CLOUDFLARE, {"cloudflare-ips"}),
        (published.APPLE, {"apple-egress-ip-ranges"}),
        (
            published.CRAWLER,
            {
                "google-googlebot",
                "google-special-crawlers",
                "google-user-triggered-fetchers",
                "microsoft-bingbot",
                "apple-applebot",
            },
        ),
    ],
)
def test_forms_that_several_publish_are_marked_as_such(content, names):
    found = fitting(content_of(document(content)))
    assert {one.name for one in found} == names
    assert all(one.shared_form for one in found)


@pytest.mark.parametrize("content", [{"prefixes": []}, [], [1], {}, [{}], "hello world\n", "a,b,c,d\n", "", {"x": {}}])
def test_what_is_no_list_is_not_taken_for_one(content):
    assert fitting(content_of(document(content))) == []


def test_amazons_services_are_cloud_and_its_cdn_is_cdn():
    assert entries("aws-ip-ranges", published.AWS) == [
        ("192.0.2.0/25", "cloud", "amazon"),
        ("192.0.2.128/25", "cloud", "amazon"),
        ("192.0.2.64/26", "cdn", "amazon"),
        ("2001:db8:a::/48", "cloud", "amazon"),
    ]


def test_of_azures_tags_those_that_say_something_of_mail_are_kept():
    assert entries("azure-service-tags", published.AZURE) == [
        ("198.51.100.0/27", "mail_security", "microsoft"),
        ("2001:db8:e::/48", "mail_security", "microsoft"),
        ("198.51.100.0/24", "cloud", "microsoft"),
    ]


def test_exchange_is_mailboxes_but_its_protection_is_mail_security():
    assert entries("m365-endpoints", published.M365) == [
        ("203.0.113.0/28", "mailbox_provider", "microsoft"),
        ("203.0.113.16/28", "mail_security", "microsoft"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("google-goog", published.GOOG, [("203.0.113.0/24", "cloud_mailbox"), ("2001:db8:b::/48", "cloud_mailbox")]),
        ("google-cloud", published.GOOGLE_CLOUD, [("203.0.113.64/26", "cloud")]),
        ("google-special-crawlers", published.CRAWLER, [("2001:db8:c::/64", "crawler")]),
        ("google-user-triggered-fetchers", published.CRAWLER, [("2001:db8:c::/64", "fetcher")]),
        ("oracle-public-ip-ranges", published.ORACLE, [("198.51.100.64/27", "cloud")]),
        (
            "zscaler-cenr",
            published.ZSCALER,
            [("198.51.100.128/26", "security_proxy"), ("2001:db8:d::/48", "security_proxy")],
        ),
        (
            "fastly-public-ip-list",
            published.FASTLY,
            [("198.51.100.192/27", "cdn_relay"), ("2001:db8:f::/48", "cdn_relay")],
        ),
        ("cloudflare-ips", published.CLOUDFLARE, [("192.0.2.0/26", "cdn_relay"), ("198.51.100.224/27", "cdn_relay")]),
        (
            "cloudflare-ips",
            {"result": {"ipv4_cidrs": ["192.0.2.0/26"], "ipv6_cidrs": []}},
            [("192.0.2.0/26", "cdn_relay")],
        ),
        (
            "apple-egress-ip-ranges",
            published.APPLE,
            [(cidr, "privacy_relay") for cidr in ("203.0.113.0/31", "203.0.113.2/31", "2001:db8:1::/64")],
        ),
    ],
)
def test_a_list_says_what_its_networks_are(name, content, expected):
    assert [(cidr, kind) for cidr, kind, _ in entries(name, content)] == expected


@pytest.mark.parametrize(
    ("name", "content", "day"),
    [
        ("aws-ip-ranges", published.AWS, "2026-11-20"),
        ("google-goog", published.GOOG, "2026-11-19"),
        ("google-googlebot", published.CRAWLER, "2026-11-18"),
        ("oracle-public-ip-ranges", published.ORACLE, "2026-11-17"),
        ("fastly-public-ip-list", published.FASTLY, None),
        ("aws-ip-ranges", {**published.AWS, "createDate": 7}, None),
    ],
)
def test_a_list_is_of_the_day_that_it_says(name, content, day):
    assert BY_NAME[name].date(content) == day


def test_suspects_are_networks_and_rows_without_a_prefix_say_nothing():
    assert entries("suspected-networks", published.SUSPECTS) == [
        ("203.0.113.128/25", "suspected_scanner", ""),
        ("2001:db8:5::/48", "suspected_scanner", ""),
    ]
    one = BY_NAME["suspected-networks"]
    assert one.date(content_of(document(published.SUSPECTS))) == "2026-11-22"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("suspected_scanner,,,observed", "cloud,,,observed"), "row 3: kind is 'cloud', expected suspected_scanner"),
        (("2001:db8:5::/48,s", ",s"), None),
    ],
    ids=["another kind", "no prefix in the row"],
)
def test_suspects_of_another_kind_are_refused_with_what_to_do(changed, message):
    text = published.SUSPECTS.replace(*changed)
    if message is None:
        assert len(entries("suspected-networks", text)) == 1
    else:
        with pytest.raises(InputError, match=f"{message}; write it again with clicksift discover"):
            entries("suspected-networks", text)


def test_every_list_has_words_that_look_ups_know():
    samples = {
        **published.EVERY_LIST,
        "cloudflare-ips": published.CLOUDFLARE,
        "apple-egress-ip-ranges": published.APPLE,
    }
    for one in LISTS:
        for _, kind, operator in entries(one.name, samples.get(one.name, published.CRAWLER)):
            assert operator in {"", *ip_lookup.OPERATORS}
            assert kind in (ip_lookup.CATEGORIES if kind in PLATFORM_KINDS else ip_lookup.KINDS)


def test_what_a_list_replaces_is_in_the_packaged_data():
    known = {
        source
        for prefixes in packaged_prefixes().values()
        for texts in prefixes.facts["source"].to_pylist()
        for source in texts.split("; ")
    }
    assert {source for one in LISTS for source in one.replaces} <= known


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "aws-ip-ranges",
            {**published.AWS, "prefixes": [{"ip_prefix": 7}]},
            r"prefixes\[0\].ip_prefix is a number, ex",
        ),
        ("aws-ip-ranges", {**published.AWS, "prefixes": {}}, "prefixes is an object, expected an array"),
        ("google-goog", {**published.GOOG, "prefixes": [None]}, r"prefixes\[0\] is missing, expected an object"),
        ("google-goog", {**published.GOOG, "prefixes": []}, "holds no prefix of google-goog; download it again from"),
        ("azure-service-tags", {**published.AZURE, "cloud": "China"}, "cloud is 'China', expected the service tags"),
        (
            "azure-service-tags",
            {**published.AZURE, "values": [{"name": "Scuba", "properties": []}]},
            r"values\[0\].properties is an array, expected an object",
        ),
        ("m365-endpoints", [*published.M365, {"serviceArea": "Exchange", "ips": "x"}], r"list\[4\].ips is a text, ex"),
        ("oracle-public-ip-ranges", {**published.ORACLE, "regions": [{}]}, r"regions\[0\].cidrs is missing, expected"),
        ("zscaler-cenr", {"z": {"continent : A": {"city : B": {}}}}, "z.continent : A.city : B is an object, expected"),
        ("zscaler-cenr", {"z": {"continent : A": 1}}, "z.continent : A is a number, expected an object"),
        ("fastly-public-ip-list", {"addresses": [True], "ipv6_addresses": []}, r"addresses\[0\] is true or false, exp"),
    ],
)
def test_a_list_that_is_not_of_its_form_is_refused_with_the_place(name, content, message):
    with pytest.raises(InputError, match=f"the file: {message}"):
        entries(name, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!doctype html><title>Sign in</title>", "is a web page; save the file that the page links to"),
        (b"\n <html>", "is a web page"),
        (b"PK\x03\x04", "is an archive; unpack it"),
        (b"x" * 257 + b"ustar", "is an archive; unpack it"),
        (b'{"prefixes": [', "is broken JSON"),
        (b"[" * 100_000, "is broken JSON"),
        (b"\xff\xfe\x00", "is no text"),
        (b'"' + b"x" * 200_000, "is broken CSV"),
    ],
)
def test_what_is_neither_json_nor_text_is_refused(content, message):
    with pytest.raises(InputError, match=f"the file: {message}"):
        content_of(Document("the file", "the file", content))


def test_a_byte_order_mark_does_not_matter():
    marked = Document("the file", "the file", b"\xef\xbb\xbf" + json.dumps(published.AWS).encode())
    assert content_of(marked) == published.AWS
