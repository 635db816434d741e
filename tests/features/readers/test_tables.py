"""Labels and campaigns: many spellings, and clear words where they contradict themselves."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.readers import ReadOptions, read_campaigns, read_domains, read_labels


def labels(reading):
    """event_id, raw_ref, automated, actor, source, weight of each."""
    return reading.con.execute("SELECT * FROM labels ORDER BY event_id, raw_ref").fetchall()


@pytest.mark.parametrize(
    ("word", "automated"),
    [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("bot", True), ("machine", True),
     ("Automated", True),
     ("1.0", True), ("false", False), ("0", False), ("No", False), ("human", False), (" person ", False)],
)  # fmt: skip
def test_labels_are_read_in_many_spellings(reading, word, automated):
    assert read_labels(reading.con, reading.file("labels.csv", f"event_id,automated\n007,{word}\n")) == 1
    assert labels(reading) == [("007", None, automated, None, None, None)]


def test_labels_come_in_every_container_and_several_files(reading):
    pq.write_table(pa.table({"event_id": ["a", "b"], "automated": [True, False]}), reading.folder / "1")
    other = reading.lines({"id": "c", "label": "bot", "actor": "scanner", "source": "me", "weight": 0.5}, name="2")
    assert read_labels(reading.con, [reading.folder / "1", other]) == 3
    assert labels(reading) == [
        ("a", None, True, None, None, None),
        ("b", None, False, None, None, None),
        ("c", None, True, "scanner", "me", 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param("raw_ref,automated\nlog:7,1\n", (None, "log:7"), id="by its record alone"),
        pytest.param("event_id,raw_ref,automated\na,log:7,1\n", (None, "log:7"), id="the record goes before the id"),
        pytest.param("event_id,raw_ref,automated\na,,1\n", ("a", None), id="the id where no record is named"),
        pytest.param("raw_ref,event_id,automated\n,a,1\n", ("a", None), id="whatever the order of the columns"),
    ],
)
def test_a_label_names_its_event_by_record_or_id(reading, content, named):
    assert read_labels(reading.con, reading.file("l", content)) == 1
    assert labels(reading) == [(*named, True, None, None, None)]


def test_one_event_id_may_stand_beside_several_records(reading):
    content = "event_id,raw_ref,automated\na,log:1,1\na,log:2,0\na,log:2,0\n"
    assert read_labels(reading.con, reading.file("l", content)) == 2
    assert [row[1:3] for row in labels(reading)] == [("log:1", True), ("log:2", False)]


def test_the_same_label_twice_is_one(reading):
    assert read_labels(reading.con, reading.file("l", "event_id,automated\na,1\na,true\n")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "event_id,automated\na,1\nb,maybe\n",
            r"l: record 2 has 'maybe'; column 'automated' must say true or false",
        ),
        ("event_id,automated\na,\n", r"l: record 1 has an empty value; column 'automated'"),
        ("event_id,automated\n,1\n", "l: record 1 has an empty value; every label names its event"),
        (
            "event_id,raw_ref,automated\na,,1\n,,1\n",
            "l: record 2 has an empty value; every label names its event; fill event_id or raw_ref",
        ),
        ("row,automated\n1,1\n", "l: no column for event_id or raw_ref; its columns are row, automated"),
        (
            "raw_ref,automated\nlog:1,1\nlog:1,0\n",
            "1 events are labelled both automated and human: log:1; keep one label",
        ),
        ("event_id,automated,weight\na,1,-3\n", "l: record 1 has '-3'; weight must be a number"),
        (
            "event_id,automated\na,1\na,0\nb,1\n",
            "1 events are labelled both automated and human: a; keep one label",
        ),
        ("event_id,verdict\na,1\n", "l: no column for automated; its columns are event_id, verdict"),
        ("event_id,automated\n", "l: holds no labels"),
        ("event_id,automated\na,1,2\n", "record 1: wrong number of columns"),
        ("", "l: is empty"),
    ],
)
def test_labels_that_cannot_be_trusted_are_refused(reading, content, message):
    with pytest.raises(InputError, match=message):
        read_labels(reading.con, reading.file("l", content))


def test_campaigns_are_read_with_their_times_and_links(reading):
    text = "Campaign;Sent;Links;Honeypot;unsubscribe_url\nc1;2026-03-01 10:00;5.0;https://h;https://u\nc2;;;;\n"
    assert read_campaigns(reading.con, reading.file("c", text), ReadOptions(tz="Europe/Berlin")) == 2
    rows = reading.con.execute("SELECT * REPLACE (sent_at::VARCHAR AS sent_at) FROM campaigns ORDER BY 1").fetchall()
    assert rows == [
        ("c1", "2026-03-01 09:00:00+00", 5, "https://h", "https://u"),
        ("c2", None, None, None, None),
    ]


def test_sent_times_of_campaigns_are_read_in_the_order_that_one_of_them_proves(reading):
    text = "campaign_id,sent_at\na,03/11/2025 8:05 PM\nb,13/11/2025\nc,04.11.2025 02:14\n"
    read_campaigns(reading.con, reading.file("c", text), ReadOptions(tz="Europe/Berlin"))
    rows = reading.con.execute("SELECT CAST(sent_at AS VARCHAR) FROM campaigns ORDER BY campaign_id").fetchall()
    assert rows == [("2025-11-03 19:05:00+00",), ("2025-11-12 23:00:00+00",), ("2025-11-04 01:14:00+00",)]


def test_without_a_file_the_campaigns_are_an_empty_table(reading):
    assert read_campaigns(reading.con, None) == 0
    assert reading.con.execute("SELECT * FROM campaigns").fetchall() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("campaign_id\na\nb\na\n", "1 campaigns stand twice: a; keep one row a campaign"),
        ("campaign_id,n_links\na,many\n", "c: record 1 has 'many'; n_links must be a whole number"),
        ("campaign_id,n_links\na,-1\n", "c: record 1 has '-1'; n_links must be a whole number"),
        ("campaign_id,sent_at\na,soon\n", "c: record 1 has 'soon'; sent_at must be a time such as"),
        (
            "campaign_id,sent_at\na,2026-03-01\nb,03/11/2025\n",
            "c: record 2 has '03/11/2025'; sent_at: date could be day-first or month-first; write 2026-03-01, or give",
        ),
        (
            "campaign_id,sent_at\na,13/11/2025\nb,11/13/2025\n",
            "c: record 1 has '13/11/2025'; sent_at: dates mix day-first and month-first; write 2026-03-01",
        ),
        ("campaign_id,sent_at\n,\n", "c: record 1 has an empty value; every campaign has an id"),
        ("name,sent_at\na,\n", "c: no column for campaign_id; its columns are name, sent_at"),
        ("campaign_id,x\n", "c: holds no campaigns"),
    ],
)
def test_campaigns_that_cannot_be_trusted_are_refused(reading, content, message):
    with pytest.raises(InputError, match=message):
        read_campaigns(reading.con, reading.file("c", content))


def test_reading_tables_leaves_only_them_behind(reading):
    read_labels(reading.con, reading.file("l", "event_id,automated\na,1\n"))
    read_campaigns(reading.con, reading.file("c", "campaign_id\na\n"))
    read_domains(reading.con, reading.file("d", "domain,mx\nacme.example,mx.acme.example\n"))
    left = reading.con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert left == [("campaigns",), ("domains",), ("labels",)]


# Domains


def domains(reading):
    """recipient_domain, mx of each."""
    return reading.con.execute("SELECT * FROM domains ORDER BY 1").fetchall()


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(
            "recipient_domain,mx\nacme.example,mx1.acme.example\n",
            [("acme.example", "mx1.acme.example")],
            id="one exchanger",
        ),
        pytest.param(
            "domain;MX Records\nAcme.Example.;20 MX2.Acme.example.\nacme.example;10 mx1.acme.example.\n",
            [("acme.example", "20 mx2.acme.example. 10 mx1.acme.example.")],
            id="a row for each exchanger, in the order of the file",
        ),
        pytest.param("domain,mx\nacme.example,\n", [("acme.example", None)], id="exchangers not known"),
    ],
)
def test_domains_are_read_with_their_exchangers(reading, content, rows):
    assert read_domains(reading.con, reading.file("d", content)) == len(rows)
    assert domains(reading) == rows


def test_without_a_file_the_domains_are_an_empty_table(reading):
    assert read_domains(reading.con, None) == 0
    assert domains(reading) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("domain,mx\n,mx.example\n", "d: record 1 has an empty value; every row names a domain"),
        ("domain,mx\na@acme.example,mx.example\n", "d: record 1 has 'a@acme.example'; recipient_domain is what stands"),
        ("domain,x\nacme.example,1\n", "d: no column for mx; its columns are domain, x"),
        ("domain,mx\n", "d: holds no domains"),
    ],
)
def test_domains_that_cannot_be_trusted_are_refused(reading, content, message):
    with pytest.raises(InputError, match=message):
        read_domains(reading.con, reading.file("d", content))
