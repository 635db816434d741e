"""Access logs of a tracking domain: how lines are taken apart, which requests are events, and whose."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import clicksift
from features.errors import InputError
from features.readers import ReadOptions, read_events
from tests.features.readers.conftest import KEY, Reading

TIME = "[24/Nov/2026:09:00:03 +0000]"
LINK = "/c/news-1/00112233aabbccdd/2"
CLICK = f'"GET {LINK} HTTP/1.1" 302 145'
END = '"-" "Mozilla/5.0"'
GO = r"clicked=^/go/(?P<campaign>[^/]+)/(?P<recipient>[^/?]+)"


def go(target: str, method: str = "GET", status: int = 302, referer: str = "-") -> str:
    """A combined line of one client for this target."""
    return f'192.0.2.1 - - {TIME} "{method} {target} HTTP/1.1" {status} 0 "{referer}" "Mozilla/5.0"\n'


# As GoPhish writes it: the line is a value in quotes, and those inside of it are escaped.
PROGRAM = (
    f'time="2026-11-24T09:00:03Z" level=info msg="192.0.2.1 - - {TIME}'
    f' \\"GET {LINK} HTTP/1.1\\" 302 0 \\"\\" \\"A \\\\\\"b\\\\\\"\\""'
)

# name, line, expected of the event.
LINES: list[tuple[str, str, dict[str, Any]]] = [
    ("combined", f"192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1", "user_agent": "Mozilla/5.0"}),
    ("common: no referer, no agent", f"192.0.2.1 - - {TIME} {CLICK}", {"ip": "192.0.2.1", "user_agent": None}),
    ("a user", f"192.0.2.1 - frank {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a user of two words", f"192.0.2.1 - frank b {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("an empty user, as Apache writes it", f'192.0.2.1 - "" {TIME} {CLICK} {END}', {"ip": "192.0.2.1"}),
    ("a virtual host", f"www.example.com 192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a virtual host's port", f"www.example.com:443 192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a virtual host that is an address", f"198.51.100.1:80 192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("syslog", f"Nov 24 09:00:03 web1 nginx[77]: 192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a container's name", f"proxy_1  | 192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("IPv6", f"2001:db8::15 - - {TIME} {CLICK} {END}", {"ip": "2001:db8::15"}),
    ("IPv6 in brackets", f"[2001:DB8::15] - - {TIME} {CLICK} {END}", {"ip": "2001:db8::15"}),
    ("IPv6 with a port", f"[2001:db8::15]:51000 - - {TIME} {CLICK} {END}", {"ip": "2001:db8::15"}),
    ("IPv6 with a zone", f"fe80::1%eth0 - - {TIME} {CLICK} {END}", {"ip": "fe80::1"}),
    ("IPv4 in IPv6", f"::ffff:192.0.2.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a port", f"192.0.2.1:51000 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    ("a socket", f"unix: - - {TIME} {CLICK} {END}", {"ip": None, "extra": '{"ip_raw":"unix:"}'}),
    ("a host", f"c.example.net - - {TIME} {CLICK} {END}", {"ip": None, "extra": '{"ip_raw":"c.example.net"}'}),
    ("no address", f"- - - {TIME} {CLICK} {END}", {"ip": None, "extra": None}),
    ("no octet", f"192.0.2.321 - - {TIME} {CLICK} {END}", {"ip": None, "extra": '{"ip_raw":"192.0.2.321"}'}),
    # Behind proxies: the first public address that was forwarded, else the peer.
    ("forwarded, after the agent", f'10.0.0.1 - - {TIME} {CLICK} {END} "192.0.2.1, 10.0.0.9"', {"ip": "192.0.2.1"}),
    (
        "forwarded by a private network first",
        f'10.0.0.1 - - {TIME} {CLICK} {END} "172.16.3.4, 192.0.2.1"',
        {"ip": "192.0.2.1"},
    ),
    (
        "forwarded by nobody known",
        f'10.0.0.1 - - {TIME} {CLICK} {END} "unknown, 999.1.1.1, 192.0.2.1"',
        {"ip": "192.0.2.1"},
    ),
    ("forwarded with a port", f'10.0.0.1 - - {TIME} {CLICK} {END} "192.0.2.1:51000"', {"ip": "192.0.2.1"}),
    ("forwarded IPv6", f'10.0.0.1 - - {TIME} {CLICK} {END} "fd00::1, 2001:db8::15"', {"ip": "2001:db8::15"}),
    (
        "forwarded, between other fields",
        f'10.0.0.1 - - {TIME} {CLICK} {END} 0.003 "t.example.com" "192.0.2.1" "-"',
        {"ip": "192.0.2.1"},
    ),
    ("not forwarded", f'192.0.2.1 - - {TIME} {CLICK} {END} "-"', {"ip": "192.0.2.1"}),
    ("only private ones forwarded", f'192.0.2.1 - - {TIME} {CLICK} {END} "10.1.1.1, 100.64.0.1"', {"ip": "192.0.2.1"}),
    ("forwarded, first field", f"192.0.2.1, 10.0.0.9 10.0.0.1 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    (
        "forwarded, first field in quotes",
        f'"192.0.2.1, 10.0.0.9" 10.0.0.1 - - {TIME} {CLICK} {END}',
        {"ip": "192.0.2.1"},
    ),
    ("forwarded, first field alone", f"192.0.2.1, 198.51.100.7 - - {TIME} {CLICK} {END}", {"ip": "192.0.2.1"}),
    (
        "Traefik's own fields",
        f'192.0.2.1 - - {TIME} {CLICK} {END} 8 "web@docker" "http://198.51.100.9:80" 3ms',
        {"ip": "192.0.2.1"},
    ),
    # Escapes: nginx writes bytes, Apache a backslash.
    (
        "nginx's quote",
        f'192.0.2.1 - - {TIME} {CLICK} "-" "a \\x22b\\x22 caf\\xC3\\xA9 \\x5C"',
        {"user_agent": 'a "b" café \\'},
    ),
    (
        "Apache's quote",
        f'192.0.2.1 - - {TIME} {CLICK} "-" "a \\"b\\" caf\\xc3\\xa9 \\\\ \\t."',
        {"user_agent": 'a "b" café \\ \t.'},
    ),
    ("bytes that are no text", f'192.0.2.1 - - {TIME} {CLICK} "-" "a \\xff\\xfe"', {"user_agent": "a \\xff\\xfe"}),
    ("gorilla's nothing", f'192.0.2.1 - - {TIME} {CLICK} "" ""', {"user_agent": None, "referer": None}),
    ("nothing", f'192.0.2.1 - - {TIME} {CLICK} "-" "-"', {"user_agent": None, "referer": None}),
    (
        "a referer",
        f'192.0.2.1 - - {TIME} {CLICK} "https://m.example.com/\\x22" "A"',
        {"referer": 'https://m.example.com/"'},
    ),
    ("inside a program's log", PROGRAM, {"ip": "192.0.2.1", "user_agent": 'A "b"'}),
    ("HEAD", f'192.0.2.1 - - {TIME} "HEAD {LINK} HTTP/1.1" 302 0 {END}', {"http_method": "HEAD", "http_status": 302}),
    ("HTTP/0.9", f'192.0.2.1 - - {TIME} "GET {LINK}" 302 0 {END}', {"http_method": "GET", "link_id": "2"}),
    (
        "a whole address",
        f'192.0.2.1 - - {TIME} "GET http://t.example.com{LINK} HTTP/1.1" 302 0 {END}',
        {"link_id": "2"},
    ),
    (
        "no size, no status",
        f'192.0.2.1 - - {TIME} "GET {LINK} HTTP/1.1" - - {END}',
        {"http_status": None, "ip": "192.0.2.1"},
    ),
    # Times.
    ("an offset", f"192.0.2.1 - - [24/Nov/2026:10:00:03 +0100] {CLICK} {END}", {"timestamp": "2026-11-24 09:00:03+00"}),
    (
        "summer, the hour before the clocks change",
        f"192.0.2.1 - - [25/Oct/2026:02:30:00 +0200] {CLICK} {END}",
        {"timestamp": "2026-10-25 00:30:00+00"},
    ),
    (
        "winter, the hour after",
        f"192.0.2.1 - - [25/Oct/2026:02:30:00 +0100] {CLICK} {END}",
        {"timestamp": "2026-10-25 01:30:00+00"},
    ),
    (
        "no offset, an hour of one digit",
        f"192.0.2.1 - - [24/Nov/2026:9:00:03] {CLICK} {END}",
        {"timestamp": "2026-11-24 09:00:03+00"},
    ),
    (
        "milliseconds",
        f"192.0.2.1 - - [24/Nov/2026:09:00:03.125 +0000] {CLICK} {END}",
        {"timestamp": "2026-11-24 09:00:03.125+00", "ts_precision": "ms"},
    ),
    (
        "ISO 8601",
        f"192.0.2.1 - - [2026-11-24T10:00:03+01:00] {CLICK} {END}",
        {"timestamp": "2026-11-24 09:00:03+00", "ts_precision": "s"},
    ),
]


@pytest.fixture(scope="module")
def of_lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the events of all LINES, one a record."""
    path = tmp_path_factory.mktemp("log") / "access.log"
    path.write_text("".join(line + "\n" for _, line, _ in LINES), encoding="utf-8")
    with duckdb.connect(config={"threads": 2}) as con:
        read_events(con, [path], recipient_key=KEY)
        yield con


@pytest.mark.parametrize("number", range(len(LINES)), ids=[name for name, _, _ in LINES])
def test_a_line_is_taken_apart(of_lines: duckdb.DuckDBPyConnection, number: int) -> None:
    expected = {
        "event_type": "clicked",
        "campaign_id": "news-1",
        "recipient_id": "00112233aabbccdd",
        **LINES[number][2],
    }
    columns = ", ".join("CAST(timestamp AS VARCHAR)" if name == "timestamp" else name for name in expected)
    row = of_lines.execute(f"SELECT {columns} FROM events WHERE record = ?", [number + 1]).fetchone()
    assert row is not None
    assert dict(zip(expected, row, strict=True)) == expected


def test_a_log_that_begins_with_an_address_in_brackets_is_a_log(reading: Reading) -> None:
    reading.paths(reading.file("access.log", f"[2001:db8::15]:51000 - - {TIME} {CLICK} {END}\n"))
    assert reading.column("ip") == ["2001:db8::15"]


def test_what_is_no_request_for_a_link_is_counted_by_reason(reading: Reading) -> None:
    others = [
        f'192.0.2.1 - - {TIME} "\\x16\\x03\\x01\\x02\\x00" 400 157 "-" "-"',
        f'192.0.2.1 - - {TIME} "" 400 0 "-" "-"',
        f'192.0.2.1 - - {TIME} "-" 408 -',
        f'192.0.2.1 - - {TIME} "SSH-2.0-Go" 400 157 "-" "-"',
        f'192.0.2.1 - - {TIME} "\\x03\\x00\\x00/*" 400 157 "-" "-"',
        f'192.0.2.1 - - {TIME} "GET /robots.txt HTTP/1.1" 200 26 "-" "-"',
        f'192.0.2.1 - - {TIME} "OPTIONS * HTTP/1.1" 200 26 "-" "-"',
        'time="2026-11-24T09:00:03Z" level=info msg="Starting server"',
    ]
    summary = reading.paths(reading.file("access.log", go(LINK) + "\n".join(others) + "\n"))
    assert summary.controls == {
        "a TLS handshake on a plain port": 1,
        "an empty request": 2,
        "not an HTTP request": 2,
        "another page": 2,
        "a message of the server": 1,
    }
    assert (summary.records, summary.events) == (9, 1)


def test_broken_lines_are_set_aside_with_their_number(reading: Reading, tmp_path: Path) -> None:
    broken = ["what is this", go(LINK)[:60], go(LINK)[:-8], f'192.0.2.1 - - {TIME} "GET {LINK} HTTP/1.1" 3']
    log = reading.file("access.log", "\n".join([go(LINK).strip(), *broken]))
    summary = reading.paths(log, rejected=tmp_path / "rejected.jsonl")
    assert summary.rejected == {"not a line of an access log": 4}
    rows = [json.loads(row) for row in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert [(row["record"], json.loads(row["raw"])["line"]) for row in rows] == list(enumerate(broken, start=2))
    with pytest.raises(
        InputError, match=r"4 records were set aside, --max-errors allows 3: access.log record 2: not a"
    ):
        reading.paths(log, max_errors=3)


def test_a_request_answered_with_an_error_is_no_event_unless_the_link_was_there(reading: Reading) -> None:
    """The link was there where its method was refused, it came too often, or nobody waited for the answer."""
    given = (200, 204, 301, 302, 307, 400, 404, 410, 500, 503, 405, 429, 499)
    log = reading.file("access.log", "".join(go(LINK, "HEAD", status) for status in given))
    assert reading.paths(log).controls == {"answered with an error (4xx, 5xx)": 5}
    assert reading.column("http_status") == [200, 204, 301, 302, 307, 405, 429, 499]
    assert set(reading.column("http_method")) == {"HEAD"}


def test_equal_lines_are_repeats_and_not_copies(reading: Reading) -> None:
    summary = reading.paths(reading.file("access.log", go(LINK) * 3))
    assert (summary.events, summary.duplicates) == (3, 0)
    assert len(set(reading.column("event_id"))) == 3


def test_a_log_says_nothing_about_deliveries_and_domains(reading: Reading) -> None:
    summary = reading.paths(reading.file("access.log", go(LINK)))
    assert summary.capabilities == {"address", "agent", "method", "links"}
    assert summary.formats == {"access_log": 1}


NGINX = {
    "remote_addr": "192.0.2.1",
    "status": "302",
    "http_user_agent": 'A "b"',
    "time_iso8601": "2026-11-24T10:00:03+01:00",
}
CADDY = {
    "level": "info",
    "ts": 1795510803.25,
    "msg": "handled request",
    "request": {
        "remote_ip": "10.0.0.9",
        "client_ip": "192.0.2.1",
        "method": "GET",
        "uri": LINK,
        "headers": {"User-Agent": ['A "b"'], "Referer": ["https://m.example.com/"]},
    },
    "status": 302,
}
TRAEFIK = {
    "ClientAddr": "192.0.2.1:51000",
    "ClientHost": "192.0.2.1",
    "DownstreamStatus": 302,
    "RequestMethod": "GET",
    "RequestPath": LINK,
    "StartUTC": "2026-11-24T09:00:03.25Z",
    "request_User-Agent": 'A "b"',
    "time": "2026-11-24T09:00:09Z",
}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({**NGINX, "request": f"GET {LINK} HTTP/1.1"}, {}),
        ({**NGINX, "request_method": "GET", "request_uri": LINK}, {}),
        ({**NGINX, "request_method": "GET", "uri": "/c/news-1/00112233aabbccdd/2", "args": "x=1"}, {}),
        ({**NGINX, "request_uri": LINK, "remote_addr": "10.0.0.1", "http_x_forwarded_for": "192.0.2.1, 10.0.0.7"}, {}),
        ({**NGINX, "request_uri": LINK, "http_user_agent": "-", "http_referer": ""}, {"user_agent": None}),
        ({**NGINX, "request_uri": LINK, "time_iso8601": None, "time_local": "24/Nov/2026:09:00:03 +0000"}, {}),
        ({**NGINX, "request_uri": LINK, "msec": "1795510803.250"}, {"timestamp": "2026-11-24 09:00:03.25+00"}),
        ({**NGINX, "request_uri": LINK, "server": "edge-1"}, {"extra": '{"server":"edge-1"}'}),
        (CADDY, {"timestamp": "2026-11-24 09:00:03.25+00", "referer": "https://m.example.com/"}),
        (TRAEFIK, {"timestamp": "2026-11-24 09:00:03.25+00"}),
        ({"log": f'192.0.2.1 - - {TIME} {CLICK} "-" "A \\"b\\""\n', "stream": "stdout", "time": "2026-11-24"}, {}),
        ({"message": f'192.0.2.1 - - {TIME} {CLICK} "-" "A \\x22b\\x22"'}, {}),
    ],
    ids=(
        *("request", "uri", "uri and query", "forwarded", "nothing", "local time", "milliseconds", "more", "Caddy"),
        *("Traefik", "a container's log", "a shipper's message"),
    ),
)
def test_logs_in_json_mean_the_same(reading: Reading, record: dict[str, Any], expected: dict[str, Any]) -> None:
    summary = reading.paths(reading.lines(record))
    names = ("timestamp", "link_id", "ip", "user_agent", *expected)
    usual = {"timestamp": "2026-11-24 09:00:03+00", "link_id": "2", "ip": "192.0.2.1", "user_agent": 'A "b"'}
    [row] = reading.column(*names)
    assert dict(zip(names, row, strict=True)) == {**usual, **expected}
    assert summary.formats == {"access_log": 1}


def test_what_a_server_says_beside_its_requests_is_counted(reading: Reading) -> None:
    started = {"level": "info", "ts": 1795510800.5, "logger": "admin", "msg": "started", "address": "localhost:2019"}
    empty = {**CADDY, "request": {"remote_ip": "192.0.2.1", "uri": ""}, "status": 400}
    page = {**CADDY, "request": {"remote_ip": "192.0.2.1", "uri": "/", "method": "GET"}}
    summary = reading.paths(reading.lines(CADDY, started, empty, page))
    assert summary.controls == {"a message of the server": 1, "an empty request": 1, "another page": 1}


# pattern, target, expected of the event.
PATTERNS: list[tuple[str, str, dict[str, Any]]] = [
    (GO, "/go/spring/r7", {"event_type": "clicked", "campaign_id": "spring", "recipient_id": "r7"}),
    ("opened=/p/(?P<message>[^/?]+)", "/x/p/m7?y", {"event_type": "opened", "message_id": "m7", "campaign_id": None}),
    ("unsubscribed=/p/(?P<message>.+)", "/p/m7", {"event_type": "unsubscribed", "unsubscribe_method": "link"}),
    ("(?P<message>m7)", "/a/m7", {"event_type": "clicked"}),
    ("(?P<message>m7)", "/a/m7.PNG?x=1", {"event_type": "opened"}),
    ("(?P<message>m7)", "/list-unsubscribe/m7", {"event_type": "unsubscribed"}),
    ("^/(?P<event>[a-z]+)/(?P<message>.+)", "/open/m7", {"event_type": "opened"}),
    ("^/(?P<event>[a-z]+)/(?P<message>.+)", "/c/m7", {"event_type": "clicked", "event_type_raw": "c"}),
    ("^/(?P<event>[a-z]+)/(?P<message>.+)", "/u/m7", {"event_type": "unsubscribed", "unsubscribe_method": "link"}),
    ("^/(?P<event>[a-z]+)/(?P<message>.+)", "/peek/m7", {"event_type": "unknown", "event_type_raw": "peek"}),
    ("(?<message>m[0-9]{1,3})", "/m777", {"message_id": "m777"}),
    (r"/(?P<message>\{[a-z]+\})", "/{seven}", {"message_id": "{seven}"}),
    (r"/(?P<message>\p{Greek}+)", "/αβγ", {"message_id": "αβγ"}),
    (r"(/|x)(?:y)?go/(?P<message>\w+)/([a-z])/(?P<link>\d+)", "/go/m7/z/3", {"message_id": "m7", "link_id": "3"}),
    (
        r"\?m=(?P<message>[^&]+)&to=(?P<url>[^&]+)",
        "/r?m=a%2Fb&to=https%3A%2F%2Fexample.com%2F%3Fq%3D1",
        {"message_id": "a/b", "url": "https://example.com/?q=1"},
    ),
    (r"\?m=(?P<message>[^&]+)", "/r?m=%ff%zz", {"message_id": "%ff%zz"}),
    # Whose link it is does not belong to which link it is.
    (r"/r/(?P<message>[^/]+)/", "/r/00aabbcc/pricing", {"url": "/r/*/pricing", "link_id": None}),
    (r"/r/(?P<message>[^/]+)/", "/r/7/pricing-7", {"url": "/r/7/pricing-7"}),
    (r"/r/(?P<message>[^/]+)/(?P<link>.+)", "/r/00aabbcc/pricing", {"url": None, "link_id": "pricing"}),
    (r"opened=/r/(?P<message>[^/]+)", "/r/00aabbcc/pricing", {"url": None}),
]


@pytest.mark.parametrize(("pattern", "target", "expected"), PATTERNS, ids=[f"{p} {t}" for p, t, _ in PATTERNS])
def test_a_pattern_says_what_a_request_is_and_whose(
    reading: Reading, pattern: str, target: str, expected: dict[str, Any]
) -> None:
    reading.paths(reading.file("access.log", go(target)), path_patterns=(pattern,))
    [row] = reading.column(*expected, "http_method")
    assert dict(zip((*expected, "http_method"), row, strict=True)) == {**expected, "http_method": "GET"}


def test_of_several_patterns_the_first_that_fits_counts_and_the_known_ones_are_not_tried(reading: Reading) -> None:
    patterns = (r"opened=^/go/(?P<message>[a-z]+)\.gif", r"clicked=^/go/(?P<message>[a-z]+)")
    summary = reading.paths(
        reading.file("access.log", go("/go/m.gif") + go("/go/m") + go(LINK) + go("/track?rid=Ab3dE6g")),
        path_patterns=patterns,
    )
    assert reading.column("event_type", "message_id") == [("opened", "m"), ("clicked", "m")]
    assert summary.controls == {"another page": 2}


def test_addresses_in_paths_are_hashed_like_any_recipient(reading: Reading, key_hash: Callable[[str], str]) -> None:
    target = "/o.gif?to=ann%40Example.com"
    reading.paths(reading.file("access.log", go(target)), path_patterns=(r"to=(?P<recipient>[^&]+)",))
    assert reading.column("recipient_id", "recipient_domain") == [(key_hash("ann@example.com"), "example.com")]


@pytest.mark.parametrize(
    ("method", "referer", "expected"),
    [
        ("GET", "-", "link"),
        ("HEAD", "-", "link"),
        ("POST", "-", "one_click"),
        ("POST", "https://t.example.com/", "page"),
    ],
)
def test_how_somebody_unsubscribed_is_told_by_the_request(
    reading: Reading, method: str, referer: str, expected: str
) -> None:
    reading.paths(reading.file("access.log", go("/u/news-1/00112233aabbccdd", method, 200, referer)))
    assert reading.column("event_type", "unsubscribe_method") == [("unsubscribed", expected)]


CAMPAIGN, PERSON, PLACE = (f"{n}0000000-0000-4000-8000-000000000000" for n in "123")
SERIALIZED = "YToyOntzOjU6ImVtYWlsIjtpOjM7czo0OiJzdGF0IjtzOjEyOiJhYmNkZWYxMjM0NTYiO30%3D"  # names the mail abcdef123456
SENDY = [f"{letter}892763abcdefghij" for letter in "XYZ"]
TRACKERS: list[tuple[str, str, str | None, dict[str, Any]]] = [
    (
        "GET",
        f"/link/{PLACE}/{CAMPAIGN}/{PERSON}",
        "clicked",
        {"campaign_id": CAMPAIGN, "recipient_id": PERSON, "link_id": PLACE},
    ),
    ("GET", f"/campaign/{CAMPAIGN}/{PERSON}/px.png", "opened", {"campaign_id": CAMPAIGN, "recipient_id": PERSON}),
    ("GET", f"/subscription/{CAMPAIGN}/{PERSON}", "clicked", {"recipient_id": PERSON, "link_id": "subscription"}),
    ("POST", f"/subscription/{CAMPAIGN}/{PERSON}", "unsubscribed", {"recipient_id": PERSON}),
    ("GET", f"/campaign/{CAMPAIGN}/{PERSON}", None, {}),
    ("GET", "/track?rid=Ab3dE6g", "opened", {"message_id": "Ab3dE6g"}),
    ("GET", "/mail/login?x=1&rid=Ab3dE6g", "clicked", {"message_id": "Ab3dE6g", "url": "/mail/login?x=1&rid=*"}),
    ("GET", "/report?rid=Ab3dE6g", None, {}),
    ("GET", "/x?rid=Ab3dE6g+", None, {}),
    ("GET", "/email/abcdef123456.gif", "opened", {"message_id": "abcdef123456"}),
    (
        "GET",
        f"/r/0123456789abcdef?ct={SERIALIZED}",
        "clicked",
        {"message_id": "abcdef123456", "link_id": "0123456789abcdef"},
    ),
    ("GET", "/r/0123456789abcdef?ct=other", "clicked", {"message_id": "other"}),
    ("GET", "/r/0123456789abcdef?ct=YToyOn", "clicked", {"message_id": "YToyOn"}),
    ("GET", "/r/python/comments", None, {}),
    ("GET", "/email/unsubscribe/abcdef123456", "unsubscribed", {"message_id": "abcdef123456"}),
    ("GET", f"/t/{SENDY[0]}/{SENDY[1]}", "opened", {"campaign_id": SENDY[0], "recipient_id": SENDY[1]}),
    (
        "GET",
        f"/sendy/l/{SENDY[1]}/{SENDY[2]}/{SENDY[0]}",
        "clicked",
        {"campaign_id": SENDY[0], "recipient_id": SENDY[1], "link_id": SENDY[2]},
    ),
    ("GET", "/t/a-topic/17", None, {}),
    ("GET", f"/lists/ut.php?u={'0a' * 16}&m=12", "opened", {"campaign_id": "12", "recipient_id": "0a" * 16}),
    ("GET", "/lists/lt.php?tid=K0sGAVM", None, {}),
]


@pytest.fixture(scope="module")
def of_trackers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the events of all TRACKERS' requests."""
    path = tmp_path_factory.mktemp("trackers") / "access.log"
    path.write_text("".join(go(target, method) for method, target, _, _ in TRACKERS))
    with duckdb.connect(config={"threads": 2}) as con:
        read_events(con, [path], recipient_key=KEY)
        yield con


@pytest.mark.parametrize("number", range(len(TRACKERS)), ids=[f"{m} {t}" for m, t, _, _ in TRACKERS])
def test_paths_of_known_trackers_need_no_pattern(of_trackers: duckdb.DuckDBPyConnection, number: int) -> None:
    _, _, event, others = TRACKERS[number]
    names = ("event_type", *others)
    row = of_trackers.execute(f"SELECT {', '.join(names)} FROM events WHERE record = ?", [number + 1]).fetchone()
    assert row == (None if event is None else (event, *others.values()))


def test_requests_that_do_not_show_whose_they_are_are_counted(reading: Reading) -> None:
    others = go("/lists/lt.php?tid=K0sGAVM") + go("/report?rid=Ab3dE6g")
    assert reading.paths(reading.file("access.log", go(LINK) + others)).controls == {
        "a click of phpList, which does not show whose it is": 1,
        "a report of a phishing simulation": 1,
    }


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "clicked=^/go/([^/]+)",
            "--path-pattern clicked=^/go/([^/]+): says of nobody who it is; name a group message or",
        ),
        (
            "/(?P<who>x)",
            "--path-pattern /(?P<who>x): unknown group who; groups are message, recipient, campaign, link,",
        ),
        ("/(?P<message>x", "--path-pattern /(?P<message>x: is no regular expression (missing )"),
        ("(?P<message>x)(?=y)", "--path-pattern (?P<message>x)(?=y): is no regular expression (invalid perl operator"),
        ("(.)" * 9 + "(?P<message>x)", "has more than 9 groups; write the unnamed ones as (?:…)"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(reading: Reading, pattern: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        reading.paths(reading.file("access.log", go(LINK)), path_patterns=(pattern,))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pattern_without_an_access_log_is_refused(reading: Reading) -> None:
    event = {"event_type": "click", "timestamp": "2026-11-24T09:00:03Z", "message_id": "m"}
    with pytest.raises(InputError) as caught:
        reading.paths(reading.lines(event), path_patterns=(GO,))
    assert str(caught.value) == f"--path-pattern {GO}: none of the files is an access log; leave it out"


def test_where_no_request_fits_the_most_frequent_paths_and_a_pattern_are_shown(reading: Reading) -> None:
    requests = ["/"] * 3 + [f"/go/spring-{n}/a{n}x" for n in range(5)] + ["/px.gif?id=77&x=ab"] * 2
    with pytest.raises(InputError) as caught:
        reading.paths(reading.file("access.log", "".join(map(go, requests))))
    assert str(caught.value) == (
        "access.log: none of its 10 requests is an open, click or unsubscribe of a message; most are for"
        " /go/<id>/<id> (5), / (3), /px.gif?id=<id>&x=<id> (2). Say which are with --path-pattern"
        " 'clicked=^/go/(?P<campaign>[^/?&.]+)/(?P<recipient>[^/?&.]+)';"
        " its groups may be message, recipient, campaign, link, url, event"
    )


@pytest.mark.parametrize(
    ("target", "suggested"),
    [
        ("/a/b/77.gif", r"opened=^/a/b/(?P<message>[^/?&.]+)\.gif"),
        ("/unsubscribe?id=ab", r"unsubscribed=^/unsubscribe\?id=(?P<message>[^/?&.]+)"),
        ("/l/1/2/3/4", "clicked=^/l/(?P<campaign>[^/?&.]+)/(?P<recipient>[^/?&.]+)/(?P<link>[^/?&.]+)/[^/?&.]+"),
        ("/l/" + "token" * 5, "clicked=^/l/(?P<message>[^/?&.]+)"),
    ],
)
def test_the_pattern_that_is_suggested_reads_the_log(reading: Reading, target: str, suggested: str) -> None:
    log = reading.file("access.log", go(target))
    with pytest.raises(InputError) as caught:
        reading.paths(log)
    assert f"'{suggested}'" in str(caught.value)
    assert reading.paths(log, path_patterns=(suggested,)).events == 1


def test_where_all_requests_that_fit_failed_the_message_says_so(reading: Reading) -> None:
    log = reading.file("access.log", go(LINK, status=404) * 2 + go("/", status=200))
    with pytest.raises(
        InputError, match=r"none of its 3 requests .*; 2 look like one, but were answered with an error"
    ):
        reading.paths(log)


def test_a_rotated_file_without_events_does_not_matter_beside_others(reading: Reading, tmp_path: Path) -> None:
    reading.file("logs/access.log", go("/") * 2)
    (tmp_path / "logs" / "access.log.2.gz").write_bytes(gzip.compress(go(LINK).encode()))
    summary = reading.paths(tmp_path / "logs")
    assert (summary.files, summary.events, summary.controls) == (2, 1, {"another page": 2})


def test_a_log_of_broken_lines_alone_is_refused_with_the_first_of_them(reading: Reading) -> None:
    with pytest.raises(
        InputError, match=r"no event could be read, 1 records were set aside: access.log record 1: not a"
    ):
        reading.paths(reading.file("access.log", f"192.0.2.1 - - {TIME} nothing\n"))


_PIECES = st.sampled_from(
    (
        *(
            b'"',
            b"\\",
            b"[",
            b"]",
            b" ",
            b"-",
            b"\\x16\\x03",
            b"\\x",
            b"%",
            b"\xc3\xa9",
            b"\xff",
            b"\x01",
            b"\x02",
            b"\t",
        ),
        *(b"GET /c/n/0011223344556677/1", b" HTTP/1.1", b"[24/Nov/2026:09:00:03 +0000]", b"302 5", b"time=", b"msg="),
        *(b"192.0.2.1", b"2001:db8::1%", b"::", b",", b"{", b"?rid=", b"rid=Ab3dE6g", b"/r/0123456789?ct=YTo%"),
    )
)
_NOISE = st.lists(_PIECES | st.binary(max_size=6), max_size=16).map(b"".join)
_WHOLE = go(LINK).strip().encode()


@st.composite
def _mangled(draw: st.DrawFn) -> bytes:
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(_WHOLE))] * 2)))
    return _WHOLE[:start] + draw(_NOISE) + _WHOLE[stop:]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_NOISE | _mangled(), max_size=40))
def test_whatever_bytes_the_lines_are_the_counts_add_up(reading: Reading, lines: list[bytes]) -> None:
    log = reading.file("access.log", b"\n".join([_WHOLE, *lines]) + b"\n")
    try:
        summary = reading.paths(log)
    except InputError as error:
        assert "\n" not in str(error)  # a byte 0 makes it another kind of file
        return
    counted = summary.events + sum(summary.controls.values()) + sum(summary.rejected.values())
    assert summary.records == counted
    assert summary.duplicates == 0


def test_the_option_of_the_command_reaches_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "access.log").write_text(go("/go/spring/r7") + go("/seen/m.gif"))
    given = ["--path-pattern", GO, "--path-pattern", r"opened=^/seen/(?P<message>\w+)\.gif"]
    done = CliRunner().invoke(clicksift.app, ["score", "access.log", *given, "--output", "scored.csv"])
    assert done.exit_code == 0, done.output
    with (tmp_path / "scored.csv").open(encoding="utf-8", newline="") as file:
        assert [row["event_type"] for row in csv.DictReader(file)] == ["clicked", "opened"]


def test_options_hold_the_patterns() -> None:
    assert ReadOptions(path_patterns=(GO,)).path_patterns == (GO,)
    assert ReadOptions().path_patterns == ()
