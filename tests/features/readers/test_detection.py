"""A format is told by its keys; where it cannot be told, the error shows the evidence."""

from __future__ import annotations

import json

import pytest

from features.errors import InputError

SENDGRID = {
    "sg_event_id": "e1",
    "event": "open",
    "timestamp": 1772359200,
    "email": "ann@example.com",
    "sg_message_id": "m1.x",
}
SES = {
    "eventType": "Open",
    "mail": {"messageId": "m2", "timestamp": "2026-03-01T09:59:00Z", "destination": ["ann@example.com"]},
    "open": {"timestamp": "2026-03-01T10:00:00Z", "ipAddress": "192.0.2.7"},
}  # fmt: skip
PLAIN = {"event": "open", "ts": 1772359200, "message_id": "m3"}


def test_every_file_of_a_folder_has_its_own_format(reading):
    for name, row in (("a", SENDGRID), ("b", SES), ("c", PLAIN)):
        reading.lines(row, name=f"day/{name}")
    summary = reading.paths(reading.folder / "day")
    assert dict(summary.formats) == {"generic": 1, "sendgrid": 1, "ses": 1}
    assert reading.column("source", "message_id") == [("sendgrid", "m1"), ("ses", "m2"), ("generic", "m3")]


def test_the_same_keys_are_recognised_as_columns_of_a_table(reading):
    text = "sg_event_id,event,timestamp,email,sg_message_id\ne1,open,1772359200,ann@example.com,m1.filter\n"
    assert dict(reading.paths(reading.file("events", text)).formats) == {"sendgrid": 1}
    assert reading.column("event_id", "message_id") == [("e1", "m1")]


def test_a_file_that_fits_two_formats_is_refused_with_the_evidence_for_each(reading):
    both = reading.lines(SENDGRID | SES)
    with pytest.raises(
        InputError, match=r"fits more than one format: sendgrid \(sg_event_id, .*ses \(eventType, .*--format"
    ):
        reading.paths(both)
    assert dict(reading.paths(both, format="ses").formats) == {"ses": 1}


def test_a_file_that_fits_none_shows_what_is_nearest_and_what_it_lacks(reading):
    nearly = {"event": "open", "timestamp": 1772359200, "sg_template_id": "t"}
    with pytest.raises(
        InputError,
        match=r"no column for message_id or recipient_id.*sendgrid is nearest by event, timestamp but lacks sg_ev",
    ):
        reading.paths(reading.lines(nearly))


def test_a_table_that_lacks_a_column_says_which(reading):
    with pytest.raises(InputError, match=r"no column for timestamp; its columns are event, message_id, when"):
        reading.paths(reading.lines({"event": "open", "when": 1, "message_id": "m"}))


def test_a_table_whose_other_columns_are_mapped_says_which_is_lacking(reading):
    row = {"what": "open", "event_tme": 1772359200, "message_id": "m"}
    with pytest.raises(InputError, match=r"no column for timestamp; .*--map timestamp=event_tme"):
        reading.paths(reading.lines(row), mapping={"event_type": "what"})


def test_mapped_fields_inside_objects_replace_what_the_format_declares(reading):
    row = SES | {"open": SES["open"] | {"looksAutomated": True}}
    reading.paths(reading.lines(row), mapping={"platform_machine": "open/looksAutomated"})
    assert reading.column("platform_machine", "platform_machine_reason") == [(True, "open.looksAutomated=true")]


def test_a_mapped_field_that_is_nowhere_is_refused(reading):
    with pytest.raises(InputError, match=r"has no column .opne/x. .did you mean .open."):
        reading.paths(reading.lines(SES), mapping={"platform_machine": "opne/x"})


def test_columns_that_were_laid_flat_are_found_where_a_format_nests_them(reading):
    header = "eventType,mail.messageId,mail.timestamp,open.timestamp,open_ip_address\n"
    text = header + "Open,m2,2026-03-01T09:59:00Z,2026-03-01T10:00:00Z,192.0.2.7\n"
    assert dict(reading.paths(reading.file("flat.csv", text)).formats) == {"ses": 1}
    assert reading.column("event_type", "message_id", "ip", "sent_at", "extra") == [
        ("opened", "m2", "192.0.2.7", "2026-03-01 09:59:00+00", None)
    ]


def test_campaigns_and_labels_that_lie_beside_the_events_are_left_out_with_a_note(reading):
    reading.lines(SENDGRID, name="sim/events")
    reading.file("sim/campaigns.csv", "campaign_id,sent_at,n_links,honeypot_url,unsubscribe_url\nc,,3,,\n")
    reading.file("sim/labels.csv", "event_id,automated\ne1,true\n")
    summary = reading.paths(reading.folder / "sim")
    assert summary.records == summary.events == 1
    assert summary.warnings == (
        "campaigns.csv is a table of campaigns or labels: no events",
        "labels.csv is a table of campaigns or labels: no events",
    )


def test_a_stray_file_among_others_is_refused_with_the_way_out(reading):
    reading.lines(SENDGRID, name="day/events")
    reading.file("day/README.txt", "These are the exports.\n")
    with pytest.raises(InputError, match=r"README\.txt: no column for event_type.*If it is no export, leave it out"):
        reading.paths(reading.folder / "day")


def test_a_byte_that_is_no_text_costs_its_record_alone(reading):
    text = json.dumps(SENDGRID) + "\n" + json.dumps(SENDGRID).replace("open", "op\0en") + "\n"
    summary = reading.paths(reading.file("events", text))
    assert (summary.events, dict(summary.rejected)) == (1, {"not valid JSON": 1})
