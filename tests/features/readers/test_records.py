"""Records keep their numbers, values arrive as written, and damage is a message, never a traceback."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError

CSV = "event_type,timestamp,message_id,note\n"


def row(n: int, **more: object) -> dict[str, object]:
    return {"event_type": "click", "timestamp": "2026-03-01T10:00:00Z", "message_id": f"m{n}", **more}


def csv_row(n: int, note: str = "") -> str:
    return f"click,2026-03-01T10:00:00Z,m{n},{note}\n"


def set_aside(reading, path):
    """(record, reason, raw) of every set-aside record, and the (record, message) of every event."""
    rejected = reading.folder / "rejected.jsonl"
    reading.paths(path, rejected=rejected)
    rows = [json.loads(line) for line in rejected.read_text().splitlines()]
    return [(r["record"], r["reason"], r["raw"]) for r in rows], reading.column("record", "message_id")


def test_csv_rows_with_the_wrong_number_of_columns_are_set_aside_and_the_others_keep_their_numbers(reading):
    text = CSV + csv_row(1, '"two\nlines"') + "click,short\n" + csv_row(3) + "a,b,c,d,e\n" + csv_row(5)
    bad, good = set_aside(reading, reading.file("events.csv", text))
    assert bad == [(2, "wrong number of columns", "click,short"), (4, "wrong number of columns", "a,b,c,d,e")]
    assert good == [(1, "m1"), (3, "m3"), (5, "m5")]


def test_record_numbers_hold_in_a_file_that_is_read_in_parallel_pieces(reading):
    bad_ones = {7, 50_000, 50_001, 99_999}
    rows = ["bad\n" if n in bad_ones else csv_row(n, "x" * 300) for n in range(1, 100_001)]
    reading.paths(reading.file("events.csv", CSV + "".join(rows)))
    wrong = reading.con.execute("SELECT count(*) FROM events WHERE message_id <> 'm' || record").fetchone()
    assert wrong == (0,)
    assert len(reading.column("record")) == 100_000 - len(bad_ones)


def test_csv_quotes_and_bytes_that_cannot_be_read_are_set_aside(reading):
    text = CSV.encode() + csv_row(1, '"a"b').encode() + csv_row(2).encode() + b"click,2026-03-01,m3,caf\xe9\n"
    bad, good = set_aside(reading, reading.file("events.csv", text))
    assert [(record, reason) for record, reason, _ in bad] == [(1, "quotes do not match"), (3, "not UTF-8")]
    assert good == [(2, "m2")]


def test_broken_json_lines_are_set_aside_with_their_line_and_text(reading):
    lines = [
        json.dumps(row(1)),
        "",
        '{"event_type": "cli',
        '"text"',
        json.dumps(row(5)),
        '{"a": "\\ud800"}',
    ]
    bad, good = set_aside(reading, reading.file("events", "\n".join(lines)))
    assert bad == [
        (3, "not valid JSON", '{"event_type": "cli'),
        (4, "not a JSON object", '"text"'),
        (6, "not valid JSON", '{"a": "\\ud800"}'),
    ]
    assert good == [(1, "m1"), (5, "m5")]


def test_a_line_that_is_not_utf_8_is_set_aside(reading):
    content = json.dumps(row(1)).encode() + b'\n{"event_type": "\xff\xfe"}\n' + json.dumps(row(3)).encode()
    bad, good = set_aside(reading, reading.file("events", content))
    assert [(record, reason) for record, reason, _ in bad] == [(2, "not UTF-8")]
    assert good == [(1, "m1"), (3, "m3")]


def test_a_line_of_many_megabytes_is_set_aside(reading):
    lines = [json.dumps(row(1)), json.dumps(row(2, note="x" * 5_000_000)), json.dumps(row(3))]
    bad, good = set_aside(reading, reading.file("events", "\n".join(lines)))
    assert [(record, reason) for record, reason, _ in bad] == [(2, "line too long")]
    assert good == [(1, "m1"), (3, "m3")]


def test_elements_of_an_array_that_are_no_objects_are_set_aside(reading):
    bad, good = set_aside(reading, reading.file("events", json.dumps([row(1), 3, row(3), None])))
    assert [(record, reason) for record, reason, _ in bad] == [
        (2, "not a JSON object"),
        (4, "not a JSON object"),
    ]
    assert good == [(1, "m1"), (3, "m3")]


def test_an_array_that_breaks_in_the_middle_loses_the_broken_element_alone(reading):
    text = json.dumps([row(1), row(2), row(3)]).replace('"m2"', '"m2" "x"')
    bad, good = set_aside(reading, reading.file("events", text))
    assert [(record, reason) for record, reason, _ in bad] == [(2, "not valid JSON")]
    assert good == [(1, "m1"), (3, "m3")]


def test_an_array_that_was_cut_off_gives_what_is_whole(reading):
    bad, good = set_aside(reading, reading.file("events", json.dumps([row(1), row(2), row(3)])[:-10]))
    assert [record for record, _, _ in bad] == [3]
    assert good == [(1, "m1"), (2, "m2")]


@pytest.mark.parametrize(
    "layout", ["{0}{1}{2}", "{0}\n{1}\n{2}", "[{0}]\n[{1},{2}]\n", "[{0}][{1},{2}]", "[{0},\n{1},\n{2}\n]"]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_is_read_however_its_values_stand(reading, layout, indent):
    values = [json.dumps(row(n), indent=indent) for n in (1, 2, 3)]
    summary = reading.paths(reading.file("events", layout.format(*values)))
    assert (summary.records, dict(summary.rejected)) == (3, {})
    assert reading.column("record", "message_id") == [(1, "m1"), (2, "m2"), (3, "m3")]


@pytest.mark.parametrize("content", [CSV + csv_row(1) * 50_000, json.dumps(row(1)) + "\n" + "\n" * 3_000_000],
                         ids=["csv", "lines"])  # fmt: skip
def test_a_gzip_file_that_was_cut_off_is_refused(reading, content):
    packed = gzip.compress(content.encode())
    with pytest.raises(InputError, match=r"events\.gz: .*damaged or cut off"):
        reading.paths(reading.file("events.gz", packed[: len(packed) * 2 // 3]))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_parquet_file_that_was_cut_off_is_refused(reading, packed):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [value] * 1000 for name, value in row(1).items()}), sink)
    content = sink.getvalue().to_pybytes()[:400]
    with pytest.raises(InputError, match=r"events: cannot be read as Parquet: .*damaged or cut off"):
        reading.paths(reading.file("events", gzip.compress(content) if packed else content))


def test_a_parquet_file_with_damaged_pages_is_refused(reading):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [f"{value}{n}" for n in range(5000)] for name, value in row(1).items()}), sink)
    content = bytearray(sink.getvalue().to_pybytes())
    content[4:2000] = b"\xff" * 1996
    with pytest.raises(InputError, match="events: cannot be read as Parquet"):
        reading.paths(reading.file("events", bytes(content)))


def test_ids_stay_as_they_are_written(reading):
    text = "event_type,timestamp,message_id,recipient_id\nclick,2026-03-01T10:00:00Z,007,1e5\n"
    lines = '{"event_type":"click","timestamp":1772359200,"message_id":9007199254740993,"recipient_id":"0.10"}\n'
    huge = '{"event_type":"click","timestamp":1772359200,"message_id":123456789012345678901234567890}\n'
    reading.paths(reading.file("a.csv", text), reading.file("b", lines + huge))
    assert reading.column("message_id", "recipient_id") == [
        ("007", "1e5"),
        ("9007199254740993", "0.10"),
        ("123456789012345678901234567890", None),
    ]


def test_whole_numbers_in_parquet_stay_exact(reading):
    path = reading.folder / "events"
    table = pa.table({"event_type": ["click"], "timestamp": [1772359200], "message_id": [2**53 + 1]})
    pq.write_table(table, path)
    reading.paths(path)
    assert reading.column("message_id") == ["9007199254740993"]


def test_files_with_different_columns_are_read_together_by_name(reading):
    paths = [
        reading.file("a.csv", "event,ts,message_id,ip\nopen,1772359200,m1,192.0.2.1\n"),
        reading.file("b.csv", "message_id;client_ip;timestamp;event_type;color\nm2;192.0.2.2;1772359200;click;red\n"),
        reading.lines({"action": "unsub", "time": 1772359200, "recipient": "r3"}, name="c"),
    ]
    for n, name in enumerate(("ip", "remote_addr"), start=4):
        path = reading.folder / f"{n}.parquet"
        pq.write_table(
            pa.table({"event": ["click"], "time": [1772359200], "msg_id": [f"m{n}"], name: [f"192.0.2.{n}"]}),
            path,
        )
        paths.append(path)
    assert reading.paths(*paths).records == 5
    assert reading.column("raw_ref", "event_type", "ip", "extra") == [
        ("a.csv:1", "opened", "192.0.2.1", None),
        ("b.csv:1", "clicked", "192.0.2.2", '{"color":"red"}'),
        ("c:1", "unsubscribed", None, None),
        ("4.parquet:1", "clicked", "192.0.2.4", None),
        ("5.parquet:1", "clicked", "192.0.2.5", None),
    ]


def test_record_numbers_start_again_in_every_file(reading):
    paths = [reading.lines(*(row(10 * f + n) for n in range(3)), name=f"{f}.jsonl") for f in range(3)]
    reading.paths(*paths)
    assert reading.column("file_no", "record") == [(f, n) for f in (1, 2, 3) for n in (1, 2, 3)]


def test_files_of_one_name_are_told_apart_in_references(reading):
    paths = [reading.lines(row(n), name=f"day{n}/events.jsonl") for n in (1, 2)]
    reading.paths(*paths)
    assert reading.column("raw_ref") == [f"{path}:1" for path in paths]


def test_nothing_is_left_behind_but_the_events(reading):
    reading.paths(reading.file("a.csv", CSV + csv_row(1) + "bad\n"), reading.lines(row(2)))
    left = reading.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    views = reading.con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert (sorted(left), views) == ([("events",), ("folded_copies",)], [])


def test_a_failed_reading_leaves_no_half_made_tables(reading):
    with pytest.raises(InputError):
        reading.paths(reading.file("a.csv", "x,y\n1,2\n"))
    reading.events({})
    assert reading.column("message_id") == ["m"]


def test_json_files_may_each_have_their_own_names_for_our_columns(reading):
    event = {"event": "click", "message_id": "m"}
    files = [
        reading.lines(event | {"ts": "2026-03-01T10:00:00Z", "client_ip": "192.0.2.1"}, name="january.jsonl"),
        reading.lines(event | {"timestamp": "2026-03-01T11:00:00Z", "ip": "192.0.2.2"}, name="february.jsonl"),
    ]
    summary = reading.paths(*files)
    assert (summary.events, dict(summary.rejected)) == (2, {})
    assert reading.column("ip") == ["192.0.2.1", "192.0.2.2"]
