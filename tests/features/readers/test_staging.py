"""Rows of any table with known columns become canonical events."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.schema import EVENT_COLUMNS, EVENT_WORDS


def test_the_events_have_the_columns_of_the_schema_in_order(reading):
    reading.events({})
    found = [(name, kind) for name, kind, *_ in reading.con.execute("DESCRIBE events").fetchall()]
    kinds = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
    expected = [(column.name, kinds.get(column.type, column.type)) for column in EVENT_COLUMNS]
    assert found == [*expected, ("is_context", "BOOLEAN"), ("file_no", "INTEGER"), ("record", "BIGINT")]


@pytest.mark.parametrize("canonical", EVENT_WORDS)
def test_every_spelling_of_an_event_is_read_as_its_canonical_word(reading, canonical):
    spellings = EVENT_WORDS[canonical]
    rows = [{"event_type": word, "message_id": str(n)} for n, word in enumerate(spellings)]
    rows += [
        {"event_type": " " + word.upper().replace("_", "-"), "message_id": f"u{n}"} for n, word in enumerate(spellings)
    ]
    summary = reading.events(*rows)
    assert set(reading.column("event_type")) == {canonical}
    assert reading.column("event_type_raw")[: len(spellings)] == list(spellings)
    assert summary.by_type == {canonical: len(rows)}


def test_an_unknown_word_keeps_its_row_and_is_counted(reading):
    summary = reading.events({"event_type": "Proxied request"}, {"event_type": "snooze", "message_id": "n"}, {})
    assert reading.column("event_type", "event_type_raw") == [
        ("unknown", "Proxied request"), ("unknown", "snooze"), ("clicked", "click"),
    ]  # fmt: skip
    assert summary.unknown_words == {"Proxied request": 1, "snooze": 1}


@pytest.mark.parametrize(
    ("word", "canonical"),
    [("Clicks", "clicked"), ("click email", "clicked"), ("clicked_email", "clicked"), ("open_email", "opened"),
     ("email_unsubscribed", "unsubscribed"), ("Email Unsubscribe", "unsubscribed"), ("sends", "sent"),
     ("requests", "sent"), ("deliveries", "delivered"), ("Hard Bounced", "bounced"), ("spam_report", "complained")],
)  # fmt: skip
def test_words_of_reports_and_of_products_are_known(reading, word, canonical):
    reading.events({"event_type": word})
    assert reading.column("event_type") == [canonical]


@pytest.mark.parametrize("name", ["user_email", "To Email", "recipient_address", "to"])
def test_a_column_with_a_usual_name_for_the_recipient_is_read(reading, key_hash, name):
    reading.events({name: "bob@example.com"})
    assert reading.column("recipient_id") == [key_hash("bob@example.com")]


def test_a_column_that_may_be_meant_is_named_and_a_like_sounding_one_is_not(reading):
    summary = reading.events({"zip": "0150", "clientip": "192.0.2.1"})
    assert [w for w in summary.warnings if "was not used" in w] == [
        "the column 'clientip' was not used; if it is ip, say --map 'ip=clientip'"
    ]


@pytest.mark.parametrize("word", ["", "  ", None])
def test_a_row_without_an_event_word_is_set_aside(reading, word):
    assert reading.events({"event_type": word}, {}).rejected == {"no event type": 1}


@pytest.mark.parametrize("agent", [None, "", " ", "-", "N/A", "n/a", "Unknown", "None", "null", "NULL", " - "])
def test_every_spelling_of_a_missing_agent_is_null(reading, agent):
    reading.events({"user_agent": agent}, {"user_agent": "Mozilla/5.0", "message_id": "n"})
    assert reading.column("user_agent") == [None, "Mozilla/5.0"]


def test_addresses_are_canonical_and_invalid_ones_are_null_counted_and_kept(reading):
    summary = reading.events(
        *({"ip": ip, "message_id": str(n)} for n, ip in enumerate(
            ["::ffff:192.0.2.1", "2001:DB8::0001", "fe80::1%eth0", "123.123.123.321", "unix:",
             "-", "unknown", ""]
        ))
    )  # fmt: skip
    assert reading.column("ip", "extra") == [
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        ("fe80::1", None),
        (None, '{"ip_raw":"123.123.123.321"}'),
        (None, '{"ip_raw":"unix:"}'),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert summary.nulled == {"ip": 2}


@pytest.mark.parametrize(
    ("word", "kept"),
    [("open", True), ("click", True), ("unsubscribe", True), ("complaint", True), ("delivered", False),
     ("bounce", False), ("processed", False), ("snooze", False)],
)  # fmt: skip
def test_address_and_agent_are_the_client_s_only(reading, word, kept):
    summary = reading.events({"event_type": word, "ip": "192.0.2.1", "user_agent": "A/1"})
    assert reading.column("ip", "user_agent") == [("192.0.2.1", "A/1") if kept else (None, None)]
    assert ("address" in summary.capabilities, "agent" in summary.capabilities) == (kept, kept)


def test_an_invalid_address_of_a_server_is_not_counted(reading):
    assert reading.events({"event_type": "delivered", "ip": "mx.example"}).nulled == {}


def test_a_recipient_that_is_an_address_is_hashed_and_its_domain_kept(reading, key_hash):
    reading.events(
        {"email": "Bob@Example.COM"},
        {"email": "Bob <bob@example.com>", "message_id": "n"},
        {"email": "bob@münchen.example", "message_id": "o"},
        {"email": "bob@example.com", "recipient_domain": " Other.Example ", "message_id": "p"},
        {"email": "bob@example.com", "recipient_domain": "", "message_id": "q"},
        {"email": "007", "message_id": "r"},
    )
    bob = key_hash("bob@example.com")
    assert reading.column("recipient_id", "recipient_domain") == [
        (bob, "example.com"),
        (bob, "example.com"),
        (key_hash("bob@münchen.example"), "xn--mnchen-3ya.example"),
        (bob, "other.example"),
        (bob, "example.com"),
        ("007", None),
    ]


def test_no_address_is_left_anywhere_in_the_events(reading):
    reading.events({
        "message_id": "bob@example.com", "email": "bob@example.com", "cc": "bob@example.com",
        "note": "ask bob@example.com", "user": {"mail": "bob@example.com"}, "event_id": 1,
    })  # fmt: skip
    row = reading.con.execute("SELECT * FROM events").fetchone()
    assert not [value for value in row if isinstance(value, str) and "@" in value]


def test_a_message_id_loses_its_brackets_and_is_hashed_where_it_looks_like_an_address(reading, key_hash):
    reading.events(
        {"message_id": "<abc>"},
        {"message_id": "<1@mail.example>"},
        {"message_id": "1@mail.example", "url": "u"},
    )
    hashed = key_hash("1@mail.example")
    assert reading.column("message_id") == ["abc", hashed, hashed]


def test_a_message_without_an_id_is_derived_from_campaign_and_recipient(reading):
    rows = [("c1", "r1"), ("c1", "r2"), ("c2", "r1"), ("c1", "r1"), (None, "r1")]
    reading.events(
        *({"message_id": None, "campaign_id": c, "recipient_id": r, "url": str(n)} for n, (c, r) in enumerate(rows))
    )
    one, two, three, again, bare = reading.column("message_id")
    assert one == again
    assert len({one, two, three, bare}) == 4


def test_a_row_with_neither_message_nor_recipient_is_set_aside(reading):
    summary = reading.events({"message_id": "", "campaign_id": "c"}, {})
    assert summary.rejected == {"neither message_id nor recipient_id": 1}


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [("timestamp,message_id", "event_type"), ("event_type,message_id", "timestamp"),
     ("event_type,timestamp", "message_id or recipient_id")],
)  # fmt: skip
def test_a_needed_column_that_is_missing_is_named_with_the_way_to_map_it(reading, columns, wanted):
    values = ",".join("1772359200" for _ in columns.split(","))
    with pytest.raises(InputError) as error:
        reading.paths(reading.file("events.csv", f"{columns},time_stmp\n{values},1\n"))
    assert f"events.csv: no column for {wanted}; its columns are {columns.replace(',', ', ')}, time_stmp" in str(
        error.value
    )
    assert f"--map {wanted.split(' ', 1)[0]}=" in str(error.value)


def test_mapped_columns_are_used_and_absent_ones_refused(reading):
    reading.events({"proxy": "192.0.2.9", "ip": "192.0.2.1"}, mapping={"ip": "proxy"})
    assert reading.column("ip", "extra") == [("192.0.2.9", '{"ip":"192.0.2.1"}')]
    with pytest.raises(InputError, match=r"--map ip=proxi: .* has no column 'proxi'"):
        reading.events({"proxy": "192.0.2.9"}, mapping={"ip": "proxi"})
    with pytest.raises(InputError, match=r"--map timestamp=wann: .* has no column 'wann'"):
        reading.paths(reading.file("x.csv", "event_type,when,message_id\nclick,1,m\n"), mapping={"timestamp": "wann"})


def test_unknown_columns_go_to_extra_as_text_with_sorted_keys(reading):
    reading.events(
        {"zeta": 1, "alpha": True, "nested": {"b": [1, 2], "a": None}, "empty": "", "gone": None},
        {"message_id": "n"},
    )
    assert reading.column("extra") == [
        '{"alpha":"true","nested":"{\\"b\\":[1,2],\\"a\\":null}","zeta":"1"}',
        None,
    ]


def test_a_row_whose_timestamp_cannot_be_told_is_set_aside(reading):
    summary = reading.events({"timestamp": "03/02/2026"}, {"message_id": "n"})
    assert summary.rejected == {"date could be day-first or month-first": 1}
    assert reading.column("message_id") == ["n"]


@pytest.mark.parametrize("column", ["sent_at", "delivered_at"])
def test_another_time_whose_order_cannot_be_told_is_emptied_and_counted(reading, column):
    summary = reading.events({column: "03/02/2026"})
    assert (summary.rejected, summary.nulled) == ({}, {column: 1})
    assert reading.column(column) == [None]
    summary = reading.events({column: "03/02/2026"}, {column: "28/02/2026", "message_id": "n"})
    assert (summary.rejected, summary.nulled) == ({}, {})
    assert reading.column(column) == ["2026-02-03 00:00:00+00", "2026-02-28 00:00:00+00"]


HOSTILE = [
    '"; DROP',
    "it's",
    "a/b~c",
    "file_no",
    "record",
    "c0",
    "v",
    "raw",
    "x1",
    "timestamp2",
    "$.a",
    "ü",
    "%s",
    "{}",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("container", ["lines", "csv", "parquet"])
def test_a_column_may_have_any_name(reading, name, container):
    row = {"event_type": "click", "timestamp": "2026-03-01T10:00:00Z", "message_id": "m", name: "value"}
    path = reading.folder / "events"
    if container == "lines":
        reading.lines(row, name="events")
    elif container == "csv":
        header = ",".join('"' + key.replace('"', '""') + '"' for key in row)
        reading.file("events", header + "\n" + ",".join(row.values()) + "\n")
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({key: [value] for key, value in row.items()}), path)
    reading.paths(path)
    assert [json.loads(extra) for extra in reading.column("extra")] == [{name: "value"}]
    reading.events({"proxy": "192.0.2.9", name: "1"}, mapping={"link_id": name})
    assert reading.column("link_id") == ["1"]


def test_values_are_data_and_never_sql(reading):
    evil = "'); DROP TABLE events; --"
    reading.events(dict.fromkeys(("message_id", "recipient_id", "url", "user_agent", "campaign_id", "note"), evil))
    assert reading.column("message_id", "user_agent", "url") == [(evil, evil, evil)]


@pytest.mark.parametrize(
    ("value", "flag", "reason"),
    [(True, True, "is_bot=true"), ("1", True, "is_bot=1"), ("No", False, "is_bot=No"), ("", None, None),
     (None, None, None), ("maybe", None, "is_bot=maybe")],
)  # fmt: skip
def test_the_platform_s_own_flag_has_three_states(reading, value, flag, reason):
    reading.events({"is_bot": value})
    assert reading.column("platform_machine", "platform_machine_reason") == [(flag, reason)]


def test_access_log_fields_are_read(reading):
    summary = reading.events({"method": "HEAD", "status": "302", "referrer": "https://a.example/"},
                             {"status": "ok", "message_id": "n"})  # fmt: skip
    assert reading.column("http_method", "http_status", "referer") == [
        ("HEAD", 302, "https://a.example/"),
        (None, None, None),
    ]
    assert summary.nulled == {"http_status": 1}


@pytest.mark.parametrize(
    ("row", "capability"),
    [({"ip": "192.0.2.1"}, "address"), ({"user_agent": "A"}, "agent"),
     ({"delivered_at": 1772359000}, "deliveries"),
     ({"url": "u"}, "links"), ({"link_id": "1"}, "links"), ({"method": "GET"}, "method"),
     ({"domain": "a.example"}, "domains")],
)  # fmt: skip
def test_capabilities_are_what_has_a_value(reading, row, capability):
    assert reading.events(row).capabilities == {capability}
    assert reading.events(dict.fromkeys(row)).capabilities == frozenset()


def test_the_link_of_an_open_is_no_link_capability(reading):
    assert reading.events({"event_type": "open", "url": "pixel"}).capabilities == frozenset()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.fixed_dictionaries({
        name: st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        for name in ("message_id", "recipient_id", "ip", "ua", "timestamp", "event_type", "note", "status")
    })
)  # fmt: skip
def test_any_text_in_any_column_is_an_event_or_set_aside(reading, values):
    summary = reading.events(values, {"message_id": "last one"})
    assert summary.records == 2 == summary.events + sum(summary.rejected.values()) + summary.duplicates


@pytest.mark.parametrize(
    ("given", "client"),
    [
        ("10.1.1.1, 198.51.100.9, 203.0.113.7", "198.51.100.9"),
        ("unknown, fd00::1, 2001:db8::7", "2001:db8::7"),
        ("10.1.1.1, 192.168.0.1", "10.1.1.1"),
        ("nonsense, more", None),
    ],
)
def test_the_client_is_the_first_public_address_of_a_forwarded_list(reading, given, client):
    reading.events({"ip": given})
    assert reading.column("ip") == [client]


@pytest.mark.parametrize("word", ["\\N", "NULL", "null", "NaN", "nan"])
def test_a_null_that_was_spelt_out_is_no_value(reading, word):
    reading.events({"url": word, "user_agent": word, "referer": word, "link_id": word, "campaign_id": word})
    assert reading.column("url", "user_agent", "referer", "link_id", "campaign_id") == [(None,) * 5]


def test_a_value_inside_of_json_that_no_record_has_is_refused(reading):
    row = {"req": {"client": {"ip": "192.0.2.1"}}}
    with pytest.raises(InputError, match="--map ip=req/client/ipp: no record has a value there"):
        reading.events(row, mapping={"ip": "req/client/ipp"})
    reading.events(row, mapping={"ip": "req/client/ip"})
    assert reading.column("ip") == ["192.0.2.1"]


def test_a_message_without_id_or_campaign_is_pointed_out(reading):
    header = "event_type,timestamp,recipient_id\n"
    path = reading.file("x.csv", header + "click,2026-03-01T10:00:00Z,r1\n")
    [warning] = reading.paths(path).warnings
    assert warning.startswith("1 rows name neither message nor campaign: each recipient counts as one message")


def test_a_column_with_a_name_near_to_ours_is_pointed_out(reading):
    path = reading.file("x.csv", "event_type,timestamp,message_id,user_agnt\nclick,2026-03-01T10:00:00Z,m,x\n")
    [warning] = reading.paths(path).warnings
    assert warning == "the column 'user_agnt' was not used; if it is user_agent, say --map 'user_agent=user_agnt'"
