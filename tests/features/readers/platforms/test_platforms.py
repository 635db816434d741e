"""What holds for every platform: no record fits two of them, and each declaration is whole."""

from __future__ import annotations

import json
import re

import pytest

from features.errors import InputError
from features.feature import CAPABILITIES
from features.readers.detection import _matches
from features.readers.platform import Platform
from features.readers.platform_page import markdown, missing_from, overview, read_accuracy, spelt
from features.readers.platforms import PLATFORMS
from features.schema import COLUMN_ALIASES, EVENT_COLUMNS, EVENT_WORDS, UNKNOWN_EVENT
from tests.features.readers.platforms.exports import ANN, EPOCH, EVENTS, EXPORTS, FIREFOX, SEGMENT_EVENTS, Export, lines
from tests.generated_pages import DOCS
from training.simulation import simulate

CANONICAL = {*COLUMN_ALIASES, "event_type_raw", "is_synthetic"}
PRECISIONS = {"s", "ms", "us", "ns"}
# What a column must be there for, and the other way round; deliveries come from events, too.
CARRIERS = {"address": {"ip"}, "agent": {"user_agent"}, "links": {"url", "link_id"}, "method": {"http_method"}}

# One record of each way in which the main platforms' files come; those of the others are in `exports`.
_SES_MAIL = {"timestamp": "2026-03-02T09:00:00.000Z", "messageId": "m1", "destination": [ANN], "tags": {}}
_SES_CLICK = {"timestamp": "2026-03-02T09:01:10.000Z", "ipAddress": "192.0.2.10", "userAgent": FIREFOX,
              "link": "https://example.com/"}  # fmt: skip
_MAILGUN = {"event": "opened", "id": "x1", "timestamp": EPOCH + 0.25, "recipient": ANN, "log-level": "info",
            "ip": "192.0.2.10", "client-info": {"user-agent": FIREFOX},
            "message": {"headers": {"message-id": "1@example.net"}}}  # fmt: skip
_POSTMARK = {"RecordType": "Open", "MessageID": "m1", "Recipient": ANN, "UserAgent": FIREFOX,
             "ReceivedAt": "2026-03-02T05:01:00.1234567-04:00", "Geo": {"IP": "192.0.2.10"}}  # fmt: skip
MAIN: tuple[Export, ...] = (
    Export("sendgrid", "sendgrid", {"a.json": json.dumps([
        {"email": ANN, "timestamp": EPOCH, "event": "open", "sg_event_id": "e1", "sg_message_id": "m1.f.0",
         "ip": "192.0.2.10", "useragent": FIREFOX}])}, []),
    Export("ses", "ses", {"a.json": lines({"eventType": "Click", "mail": _SES_MAIL, "click": _SES_CLICK})}, []),
    Export("ses notification", "ses", {"a.json": lines({"notificationType": "Delivery", "mail": _SES_MAIL,
                                                        "delivery": {"timestamp": "2026-03-02T09:00:02.000Z"}})}, []),
    Export("mailgun webhook", "mailgun", {"a.json": lines(
        {"signature": {"token": "t", "timestamp": str(EPOCH), "signature": "s"}, "event-data": _MAILGUN})}, []),
    Export("mailgun page", "mailgun", {"a.json": json.dumps({"items": [_MAILGUN], "paging": {}})}, []),
    Export("postmark", "postmark", {"a.jsonl": lines(_POSTMARK)}, []),
    Export("gophish", "gophish", {"a.csv": 'campaign_id,email,time,message,details\n'
           f'1,{ANN},2026-03-02T09:00:00.1Z,Email Sent,""\n'}, []),
    Export("gophish results", "gophish_results", {"a.csv": "id,status,ip,latitude,longitude,send_date,reported,"
           "modified_date,email,first_name,last_name,position\n"
           f"r1,Clicked Link,192.0.2.10,0,0,2026-03-02T09:00:00Z,false,2026-03-02T09:01:00Z,{ANN},A,B,\n"}, []),
    Export("access log", "access_log", {"a.log":
           '192.0.2.10 - - [02/Mar/2026:09:01:00 +0000] "GET /track?rid=abc1234 HTTP/1.1" 200 43 "-" "x"\n'}, []),
)  # fmt: skip
ALL = (*MAIN, *EXPORTS)


def by_name(export: Export) -> str:
    return export.name


@pytest.mark.parametrize("export", MAIN, ids=by_name)
def test_a_record_of_a_main_platform_is_told_by_what_is_in_it(reading, export: Export):
    """Those of the mapped ones are tested with their rows."""
    summary = reading.paths(*(reading.file(name, content) for name, content in export.files.items()))
    assert set(summary.formats) == {export.platform}


def test_every_platform_has_a_record_here():
    assert {export.platform for export in ALL} == {platform.name for platform in PLATFORMS}


def test_no_event_fits_the_signature_of_another_platform():
    """Whatever their envelopes: the events themselves."""
    for name, events in EVENTS.items():
        for event in events:
            fitting = {p.name for p in PLATFORMS for signature in p.signatures if _matches(signature, event)}
            assert fitting <= {name}, event
        assert any(_matches(s, e) for p in PLATFORMS if p.name == name for s in p.signatures for e in events)


@pytest.mark.parametrize(
    "columns",
    [
        [column.name for column in EVENT_COLUMNS],
        ["event", "timestamp", "email", "message_id", "ip", "user_agent", "url", "campaign_id", "event_id"],
        ["action", "timestamp", "campaign_id", "email_id", "url", "ip"],
        ["type", "created_at", "email_id", "recipient"],
        ["event", "time", "messageid", "email"],
        ["id", "time", "user_id", "event_type", "campaign_id"],
        ["event", "email", "message-id", "date"],
        ["event", "timestamp", "context_ip", "context_user_agent", "email_id", "user_id"],
        ["id", "created", "type", "recipient", "url"],
        ["client.address", "user_agent.original", "url.full", "event.name", "timestamp", "email"],
    ],
    ids=" ".join,
)
def test_a_table_with_usual_names_is_nobodys(columns):
    row = dict.fromkeys(columns, "1")
    fitting = [platform.name for platform in PLATFORMS for s in platform.signatures if _matches(s, row)]
    assert fitting == []


_CLICK = {"event_type": "clicked", "timestamp": "2026-03-02 09:01:10+00", "url": "https://example.com/offer"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(
            {"event.name": "click", "time_unix_nano": f"{EPOCH + 70}000000000", "email": ANN,
             "client.address": "192.0.2.10", "user_agent.original": FIREFOX, "http.request.method": "GET",
             "url.full": "https://example.com/offer", "http.response.status_code": "302",
             "http.request.header.referer": "https://example.org/"},
            {**_CLICK, "ip": "192.0.2.10", "user_agent": FIREFOX, "http_method": "GET", "http_status": 302,
             "referer": "https://example.org/"},
            id="OpenTelemetry",
        ),
        pytest.param(
            {"event.name": "click", "timestamp": str(EPOCH + 70), "email": ANN, "http.client_ip": "192.0.2.10",
             "http.user_agent": FIREFOX, "http.method": "GET", "http.url": "https://example.com/offer",
             "http.status_code": "302"},
            {**_CLICK, "ip": "192.0.2.10", "user_agent": FIREFOX, "http_method": "GET", "http_status": 302},
            id="OpenTelemetry, older names",
        ),
        pytest.param(
            {"event": "Email Link Clicked", "timestamp": "2026-03-02T09:01:10Z", "context_ip": "192.0.2.10",
             "context_user_agent": FIREFOX, "email_id": "m1", "user_id": "u7", "campaign_id": "c1",
             "link_url": "https://example.com/offer", "link_id": "3"},
            {**_CLICK, "ip": "192.0.2.10", "user_agent": FIREFOX, "message_id": "m1", "recipient_id": "u7",
             "campaign_id": "c1", "link_id": "3"},
            id="Segment in a warehouse",
        ),
        pytest.param(
            {"event_id": "e1", "metric_name": "Clicked Email", "occurred_at": "2026-03-02T09:01:10Z",
             "person_id": "P7", "campaign_name": "Spring", "url": "https://example.com/offer"},
            {**_CLICK, "event_id": "e1", "recipient_id": "P7", "campaign_id": "Spring"},
            id="dbt_klaviyo",
        ),
        pytest.param(
            {"activity_id": "a1", "action_type": "click", "activity_timestamp": "2026-03-02T09:01:10Z",
             "member_id": "0a1b", "campaign_id": "c01", "ip_address": "192.0.2.10", "url": "https://example.com/offer"},
            {**_CLICK, "event_id": "a1", "recipient_id": "0a1b", "campaign_id": "c01", "ip": "192.0.2.10"},
            id="dbt_mailchimp",
        ),
        pytest.param(
            {"event_id": "h1", "event_type": "CLICK", "created_timestamp": "2026-03-02T09:01:10Z",
             "email_send_id": "s1", "email_campaign_id": "8706", "click_url": "https://example.com/offer",
             "recipient_email_address": ANN, "user_agent": FIREFOX},
            {**_CLICK, "event_id": "h1", "message_id": "s1", "campaign_id": "8706", "user_agent": FIREFOX,
             "recipient_domain": "example.com"},
            id="dbt_hubspot",
        ),
        pytest.param(
            {"_fivetran_id": "x", "event_name": "emailClick", "created_at": "2026-03-02T09:01:10Z", "email": ANN,
             "campaign_id": "5501", "message_id": "ab01", "ip": "192.0.2.10", "user_agent": FIREFOX, "is_bot": "false",
             "url": "https://example.com/offer"},
            {**_CLICK, "message_id": "ab01", "campaign_id": "5501", "ip": "192.0.2.10", "user_agent": FIREFOX,
             "platform_machine": False},
            id="dbt_iterable",
        ),
    ],
)  # fmt: skip
def test_a_table_with_names_of_a_standard_needs_no_mapping(reading, cells, expected):
    head, row = (",".join('"' + text + '"' for text in texts) for texts in (cells, cells.values()))
    summary = reading.paths(reading.file("t.csv", f"{head}\n{row}\n"))
    assert set(summary.formats) == {"generic"}
    assert dict(zip(expected, reading.column(*expected)[0], strict=True)) == expected


def test_our_own_files_are_nobodys(reading, tmp_path):
    simulate(3, 300).write(tmp_path)
    assert set(reading.paths(tmp_path / "events.parquet").formats) == {"generic"}


def test_records_of_two_platforms_in_one_file_are_refused_with_the_evidence(reading):
    both = lines(SEGMENT_EVENTS[1], _POSTMARK)
    with pytest.raises(InputError, match=r"(?s)postmark .*RecordType.* segment .*--format|segment.*postmark.*--format"):
        reading.paths(reading.file("a.jsonl", both))


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
class TestADeclaration:
    def test_says_in_words_what_a_reader_of_the_page_needs(self, platform: Platform):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", platform.name)
        assert platform.title
        assert len(platform.export) > 40
        assert len(platform.lacks) > 10
        assert platform.precision in PRECISIONS
        assert "\n" not in platform.source_filtering, "it is shown in one line with the result"

    def test_names_canonical_columns_and_words(self, platform: Platform):
        assert set(platform.columns) <= CANONICAL
        assert {"event_type", "timestamp"} <= set(platform.columns)
        assert {"message_id", "recipient_id"} & set(platform.columns)
        assert set(platform.words.values()) <= {*EVENT_WORDS, UNKNOWN_EVENT}

    def test_gives_what_it_has_columns_for(self, platform: Platform):
        for capability, columns in CARRIERS.items():
            # Brevo's agent: some accounts have it, undocumented.
            if capability in platform.gives:
                assert columns & set(platform.columns), capability
            elif platform.name not in ("brevo",):
                assert not columns & set(platform.columns), capability
        assert set(platform.gives) <= set(CAPABILITIES)

    def test_uses_no_intermediate_value_before_it_is_there(self, platform: Platform):
        known = {"path"}
        for name, template in platform.fields.items():
            assert set(re.findall(r"\{:(\w+)\}", template)) <= known, name
            known.add(name)
        for template in (*platform.columns.values(), *platform.controls.values()):
            assert set(re.findall(r"\{:(\w+)\}", str(template))) <= known


def test_what_a_platform_gives_is_what_its_exports_have():
    """Told from the rows of `exports`, which the readers are tested to give."""
    for name in {export.platform for export in EXPORTS}:
        [platform] = [platform for platform in PLATFORMS if platform.name == name]
        rows = [row for export in EXPORTS if export.platform == name for row in export.rows]
        found = {
            "address": any("ip" in row for row in rows),
            "agent": any("user_agent" in row for row in rows),
            "deliveries": any("delivered_at" in row for row in rows),
            "links": any(row["event_type"] == "clicked" and {"url", "link_id"} & set(row) for row in rows),
            "method": any("http_method" in row for row in rows),
            "domains": any(
                "recipient_domain" in row or "@" in row["recipient_id"] for row in rows if "recipient_id" in row
            ),
        }
        assert platform.gives == {capability for capability, there in found.items() if there}, name


def test_names_and_titles_are_told_apart():
    assert len({platform.name for platform in PLATFORMS}) == len(PLATFORMS)
    assert len({platform.title for platform in PLATFORMS}) == len(PLATFORMS)


class TestPages:
    accuracy = read_accuracy(DOCS / "platforms" / "accuracy.csv")

    def test_the_benchmark_has_measured_what_every_platform_lacks(self):
        """Where this fails, run `python -m tests.benchmarks.missing_columns` and `make docs`."""
        unmeasured = {
            spelt(missing_from(platform)) for platform in PLATFORMS if missing_from(platform) not in self.accuracy
        }
        assert unmeasured == set()

    def test_a_page_says_what_is_missing_and_what_it_costs(self):
        [platform] = [platform for platform in PLATFORMS if platform.name == "mailersend"]
        page = markdown(platform, self.accuracy)
        row = self.accuracy[frozenset({"agent", "method"})]
        assert "clicksift score EXPORT -o scored.parquet" in page
        assert "| `ip` | `data.morph.ip` |" in page
        assert "**as here**: without agents, without HTTP methods" in page
        assert f"{row.clicks_recall:.1%}" in page
        assert "simulated senders" in page

    def test_a_page_says_whether_it_was_tried(self):
        for platform in PLATFORMS:
            assert ("not tried" in markdown(platform, self.accuracy)) is not platform.tried

    def test_the_table_of_all_links_to_every_page(self):
        table = overview(PLATFORMS)
        for platform in PLATFORMS:
            assert f"[{platform.title}]({platform.name}.md)" in table

    def test_there_is_no_page_of_a_platform_that_is_gone(self):
        pages = {path.stem for path in (DOCS / "platforms").glob("*.md")}
        assert pages == {"README", *(platform.name for platform in PLATFORMS)}

    def test_the_figures_are_read_as_they_were_written(self):
        for missing, row in self.accuracy.items():
            assert row.missing == missing
            assert row.cells()[0] == spelt(missing)
