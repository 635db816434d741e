"""GoPhish: what the events and results of a campaign mean, from its page or its API."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from features.errors import InputError
from tests.features.readers.platforms.exports import ANN, BOB, FIREFOX, Export, at
from tests.features.readers.platforms.test_mapping_tables import SHOWN, damaged, expected

TYPED = "correct horse battery staple"


def details(address: str = "192.0.2.10", agent: str = FIREFOX, **fields: str) -> str:
    payload = {name: [value] for name, value in {"rid": "VYrDwtG", **fields}.items()}
    return json.dumps({"payload": payload, "browser": {"address": address, "user-agent": agent}})


def event(clock: str, message: str, said: Any = "", email: str = ANN) -> dict[str, Any]:
    return {"email": email, "time": f"2026-03-02T{clock}Z", "message": message, "details": said}


EVENTS = [
    event("08:45:00.49172", "Campaign Created", email=""),
    event("09:00:00.535158123", "Email Sent"),
    event("09:00:01.5", "Error Sending Email", json.dumps({"error": "550 no such user"}), BOB),
    event("09:01:00.67974", "Email Opened", details("::1")),
    event("09:01:10.955281", "Clicked Link", details()),
    event("09:01:30", "Submitted Data", details(password=TYPED)),
    event("09:02:00", "Email Reported"),
]
_ALL: dict[str, Any] = {"campaign_id": "7", "recipient_id": ANN, "sent_at": at("09:00:00.535158")}
ROWS = [
    {**_ALL, "event_type": "sent", "timestamp": at("09:00:00.535158")},
    {"campaign_id": "7", "recipient_id": BOB, "event_type": "failed", "timestamp": at("09:00:01.5")},
    {**_ALL, "event_type": "opened", "timestamp": at("09:01:00.67974"), "ip": "::1", "user_agent": FIREFOX},
    {**_ALL, "event_type": "clicked", "timestamp": at("09:01:10.955281"), "ip": "192.0.2.10", "user_agent": FIREFOX},
    {**_ALL, "event_type": "unknown", "timestamp": at("09:01:30")},
    {**_ALL, "event_type": "unknown", "timestamp": at("09:02:00")},
]
CONTROLS = {"the start of a campaign": 1}
RESULTS = [
    {"id": "hoqKYFn", "status": "Email Sent", "ip": "", "send_date": "2026-03-02T09:00:00.535158Z",
     "modified_date": "2026-03-02T09:00:00.535158Z", "email": BOB},
    {"id": "VYrDwtG", "status": "Clicked Link", "ip": "192.0.2.10", "send_date": "2026-03-02T09:00:00.535158Z",
     "modified_date": "2026-03-02T09:01:10.955281Z", "email": ANN},
    {"id": "qqqqqqq", "status": "Scheduled", "ip": "", "send_date": "0001-01-01T00:00:00Z",
     "modified_date": "2026-03-02T09:00:00Z", "email": "carl@example.net"},
]  # fmt: skip
_PERSON = {"latitude": 0, "longitude": 0, "reported": "false", "first_name": "A", "last_name": "B", "position": ""}
RESULT_ROWS = [
    {"event_type": "sent", "timestamp": at("09:00:00.535158"), "sent_at": at("09:00:00.535158"), "recipient_id": BOB,
     "message_id": "hoqKYFn"},
    {"event_type": "clicked", "timestamp": at("09:01:10.955281"), "sent_at": at("09:00:00.535158"),
     "recipient_id": ANN, "message_id": "VYrDwtG", "ip": "192.0.2.10"},
]  # fmt: skip
RESULT_CONTROLS = {"a mail that is not sent yet": 1}


def table(rows: list[dict[str, Any]], **first: Any) -> str:
    """As PapaParse writes it: quotes where needed, CRLF, a quote before what looks like a formula."""
    target = io.StringIO()
    writer = csv.DictWriter(target, [*first, *rows[0]], lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        escaped = {k: "'" + v if isinstance(v, str) and v[:1] in ("=", "+", "-", "@") else v for k, v in row.items()}
        writer.writerow({**first, **escaped})
    return target.getvalue()


def campaign(timeline: Any = EVENTS, number: int = 7) -> dict[str, Any]:
    return {
        "id": number,
        "name": "Spring test",
        "created_date": "2026-03-02T08:45:00.48815Z",
        "launch_date": "2026-03-02T09:00:00Z",
        "send_by_date": "0001-01-01T00:00:00Z",
        "completed_date": "0001-01-01T00:00:00Z",
        "status": "In progress",
        "results": [{**_PERSON, **result} for result in RESULTS],
        "timeline": timeline,
        "url": "http://phish.example.com",
    }


EVENTS_CSV = table(EVENTS, campaign_id=7)
RESULTS_CSV = table([{**_PERSON, **result} for result in RESULTS])
EXPORTS = (
    Export("gophish", "gophish", {"Spring test - Events.csv": EVENTS_CSV}, ROWS, CONTROLS),
    Export(
        "gophish_results", "gophish_results", {"Spring test - Results.csv": RESULTS_CSV}, RESULT_ROWS, RESULT_CONTROLS
    ),
)
STORED = {
    "the page's table": EVENTS_CSV,
    "the page's table with a mark": "\ufeff" + EVENTS_CSV,
    "a campaign of the API": json.dumps(campaign(), indent=2),
    "campaigns of the API": json.dumps([campaign()]),
    "campaigns, one a line": json.dumps(campaign()) + "\n",
}


def check_rows(reading, key_hash, rows) -> None:
    found = [dict(zip(SHOWN, values, strict=True)) for values in reading.column(*SHOWN)]
    assert found == [expected(row, actual, key_hash) for row, actual in zip(rows, found, strict=True)]


@pytest.mark.parametrize("content", STORED.values(), ids=STORED)
def test_the_events_mean_the_same_from_page_and_api(reading, key_hash, content):
    summary = reading.paths(reading.file("stored", content))
    check_rows(reading, key_hash, ROWS)
    assert (summary.formats, summary.controls, summary.rejected) == ({"gophish": 6}, CONTROLS, {})
    assert summary.records == 7


def test_a_message_is_a_campaigns_mail_to_an_address(reading):
    """The events of sending do not have the id that opens and clicks have."""
    second = [*EVENTS[1:2], event("09:00:02", "Email Sent", email=BOB)]
    reading.paths(
        reading.file("1 - Events.csv", EVENTS_CSV), reading.file("2 - Events.csv", table(second, campaign_id=8))
    )
    messages = reading.column("message_id")
    assert len({messages[0], *messages[2:6]}) == 1
    assert len(set(messages)) == 4


def test_several_campaigns_of_the_api_keep_their_numbers(reading):
    reading.paths(reading.file("campaigns.json", json.dumps([campaign(), campaign(EVENTS[:2], 8), campaign([], 9)])))
    assert reading.column("campaign_id") == ["7"] * 6 + ["8"]


def test_a_campaign_that_has_not_begun_is_counted(reading):
    summary = reading.paths(reading.file("campaigns.json", json.dumps([campaign(), campaign(None), campaign([])])))
    assert summary.controls == {"the start of a campaign": 1, "a campaign without events": 2}
    assert (summary.records, summary.events) == (9, 6)


def test_tables_of_older_versions_have_no_campaign(reading, key_hash):
    reading.paths(reading.file("Events.csv", table(EVENTS)))
    check_rows(reading, key_hash, [{**row, "campaign_id": None} for row in ROWS])


def test_results_are_the_last_status_of_each_recipient(reading, key_hash):
    """A date of the year 1 means that there is none."""
    summary = reading.paths(reading.file("Spring test - Results.csv", RESULTS_CSV))
    check_rows(reading, key_hash, RESULT_ROWS)
    assert (summary.formats, summary.controls, summary.rejected) == ({"gophish_results": 2}, RESULT_CONTROLS, {})
    assert any("only the last status" in warning for warning in summary.warnings)


@pytest.mark.parametrize(
    ("files", "warned"),
    [((EVENTS_CSV, RESULTS_CSV), True), ((EVENTS_CSV,), False), ((RESULTS_CSV,), False)],
    ids=["both", "events", "results"],
)
def test_events_and_results_together_count_twice_and_are_warned_of(reading, files, warned):
    summary = reading.paths(*(reading.file(f"{n}.csv", text) for n, text in enumerate(files)))
    warning = "GoPhish events and results were read together: what both tell counts twice; leave the results out"
    assert (warning in summary.warnings) == warned


def test_words_without_a_canonical_one_are_kept(reading):
    summary = reading.paths(reading.file("Events.csv", EVENTS_CSV))
    assert summary.unknown_words == {"Email Reported": 1, "Submitted Data": 1}


def test_what_was_typed_into_a_form_is_read_nowhere(reading):
    reading.paths(reading.file("Events.csv", EVENTS_CSV))
    assert TYPED not in str(reading.con.execute("SELECT * FROM events").fetchall())


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("::1", "::1"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::ffff:192.0.2.10", "192.0.2.10"),
        ("", None),
        ("not an address", None),
    ],
)
def test_addresses_of_both_versions_are_read(reading, given, read):
    reading.paths(reading.file("Events.csv", table([event("09:01:00", "Clicked Link", details(given))])))
    assert reading.column("ip") == [read]


@pytest.mark.parametrize("fraction", ["", ".1", ".49172", ".123456", ".123456789", ".000000001"])
def test_a_fraction_of_any_length_is_cut_to_microseconds(reading, fraction):
    reading.paths(reading.file("Events.csv", table([event(f"09:01:00{fraction}", "Email Opened", details())])))
    digits = fraction[1:7].rstrip("0")
    assert reading.column("timestamp") == [at("09:01:00" + (f".{digits}" if digits else ""))]


@pytest.mark.parametrize("email", ["+1.555@example.com", "-dash@example.com", "=sum@example.com"])
def test_the_quote_before_a_formula_is_no_part_of_the_address(reading, key_hash, email):
    text = table([event("09:01:00", "Clicked Link", details(), email)])
    assert f"'{email}" in text
    reading.paths(reading.file("Events.csv", text), reading.file("c.json", json.dumps(campaign(EVENTS[:2]))))
    assert reading.column("recipient_id")[0] == key_hash(email)


def test_a_quote_of_the_address_itself_stays(reading, key_hash):
    reading.paths(reading.file("Events.csv", table([event("09:01:00", "Clicked Link", details(), "'o@example.com")])))
    assert reading.column("recipient_id") == [key_hash("'o@example.com")]


@pytest.mark.parametrize("said", ["", "null", "{", "[]", '"x"', "{}", '{"browser": null}', '{"browser": []}', "5"])
def test_details_that_say_nothing_cost_address_and_agent_only(reading, said):
    summary = reading.paths(reading.file("Events.csv", table([event("09:01:00", "Clicked Link", said), *EVENTS[1:2]])))
    assert reading.column("event_type", "ip", "user_agent")[0] == ("clicked", None, None)
    assert summary.rejected == {}


@pytest.mark.parametrize("said", [None, "", {}, [], 5, {"browser": {"address": "192.0.2.9", "user-agent": "x"}}])
def test_details_of_the_api_may_be_anything(reading, said):
    """Text that holds JSON, or the object itself."""
    timeline = [event("09:01:00", "Clicked Link", said)]
    reading.paths(reading.file("c.json", json.dumps(campaign(timeline))))
    assert reading.column("event_type", "ip") == [("clicked", "192.0.2.9" if said and isinstance(said, dict) else None)]


def test_equal_rows_are_copies(reading):
    summary = reading.paths(reading.file("a.csv", EVENTS_CSV), reading.file("b.csv", EVENTS_CSV))
    assert (summary.events, summary.duplicates, summary.records) == (6, 6, 14)


def test_damaged_fields_cost_their_records_at_most(reading):
    events = [{**one, "campaign_id": 7} for one in EVENTS]
    bad = [record for n in (1, 4) for record in damaged(events[n])]
    summary = reading.paths(reading.lines(*events, *bad))
    accounted = sum((*summary.rejected.values(), *summary.controls.values()))
    assert summary.records == len(events) + len(bad)
    assert summary.events + summary.duplicates + accounted == summary.records


@pytest.mark.parametrize("end", ["", ",", ',"', '7,a@example.com,"2026'])
def test_a_table_cut_off_costs_one_row(reading, end):
    text = EVENTS_CSV + "7,ann@example.com" + end
    summary = reading.paths(reading.file("Events.csv", text))
    assert (summary.records, summary.events, sum(summary.rejected.values())) == (8, 6, 1)


def test_another_table_with_such_columns_is_not_taken_for_it(reading):
    with pytest.raises(InputError, match="gophish is nearest"):
        reading.paths(reading.file("t.csv", "email,time,message,details\na@example.com,2026-03-02,Hello,there\n"))
