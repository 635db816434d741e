"""What a file is comes from its bytes; what cannot be read is refused with the next step."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.readers.container import detect, find_files, unique_names

HEADER = ("event_type", "timestamp", "message_id")
ROW = {"event_type": "click", "timestamp": "2026-03-01T10:00:00Z", "message_id": "m"}


def parquet_bytes() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [value] for name, value in ROW.items()}), sink)
    return sink.getvalue().to_pybytes()


CONTENTS = {
    "parquet": (parquet_bytes(), "parquet", ","),
    "comma": (b"event_type,timestamp,message_id\nclick,2026-03-01T10:00:00Z,m\n", "csv", ","),
    "semicolon": (b"event_type;timestamp;message_id\r\nclick;2026-03-01T10:00:00Z;m\r\n", "csv", ";"),
    "tab": (b"event_type\ttimestamp\tmessage_id\nclick\t2026-03-01T10:00:00Z\tm", "csv", "\t"),
    "byte order mark": (
        b"\xef\xbb\xbfevent_type,timestamp,message_id\nclick,2026-03-01T10:00:00Z,m\n",
        "csv",
        ",",
    ),
    "lines": (b'{"broken": \n' + 2 * (json.dumps(ROW).encode() + b"\n"), "lines", ","),
    "one value": (json.dumps(ROW).encode() + b"\n", "values", ","),
    "values over lines": (json.dumps(ROW, indent=2).encode() + b"\n", "values", ","),
    "array": (json.dumps([ROW], indent=2).encode(), "array", ","),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", CONTENTS)
def test_every_container_is_known_by_its_content_whatever_its_name(reading, name, packed):
    content, kind, delimiter = CONTENTS[name]
    path = reading.file("misleading.log", gzip.compress(content) if packed else content)
    form = detect(path)
    assert (form.kind, form.gzip, form.delimiter) == (kind, packed, delimiter)
    assert form.columns == (HEADER if kind == "csv" else ())
    assert reading.paths(path).events == 1
    assert reading.column("event_type", "message_id") == [("clicked", "m")]


@pytest.mark.parametrize("content", [b"", b"  \n\n ", gzip.compress(b"")], ids=["empty", "blank", "empty gzip"])
def test_an_empty_file_is_refused_with_the_next_step(reading, content):
    with pytest.raises(InputError, match=r"events\.csv: is empty; name a file with events"):
        reading.paths(reading.file("events.csv", content))


def test_an_empty_file_beside_others_is_left_out_with_a_warning(reading):
    reading.file("day/a.csv", "")
    reading.lines(ROW, name="day/b.jsonl")
    summary = reading.paths(reading.folder / "day")
    assert (summary.files, summary.events, summary.warnings) == (1, 1, ("a.csv is empty and was left out",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfee\x00", "text in UTF-16; save it as UTF-8"),
        (b"\x7fELF\x00\x00", "binary data of an unknown kind; expected Parquet, Avro, CSV"),
        (gzip.compress(b"a,b\n" * 1000)[:30], r"gzip data is damaged or cut off .*; copy the file again"),
    ],
    ids=["utf-16", "binary", "broken gzip"],
)
def test_other_files_are_named_for_what_they_are(reading, content, message):
    with pytest.raises(InputError, match=message):
        detect(reading.file("events.csv", content))


def test_a_folder_gives_all_files_below_it_except_markers(tmp_path):
    for name in ("b/2.csv", "a/1.csv", "_SUCCESS", ".hidden/x.csv", "a/.part.crc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert find_files([tmp_path]) == [tmp_path / "a/1.csv", tmp_path / "b/2.csv"]


def test_a_glob_gives_its_matches_and_a_file_named_twice_is_read_once(tmp_path):
    for name in ("1.csv", "2.csv", "3.txt"):
        (tmp_path / name).write_text("x")
    found = find_files([tmp_path / "2.csv", tmp_path / "*.csv", tmp_path / "." / "1.csv"])
    assert [path.name for path in found] == ["2.csv", "1.csv"]


def test_letters_of_a_pattern_in_a_name_are_letters(reading):
    paths = [reading.lines(ROW, name=name) for name in ("a[1].jsonl", "a*?.jsonl", "it's (2).jsonl")]
    assert reading.paths(*paths).files == 3
    assert [ref.rpartition(":")[0] for ref in reading.column("raw_ref")] == ["a[1].jsonl"]  # copies of one event


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.csv", r"missing\.csv: no such file; check the path"),
        ("*.parquet", r"no file matches; check the pattern, and quote it"),
        ("empty", r"empty: the folder holds no files; name a folder or file with events"),
        ("none/x.csv", "there is no folder"),
    ],
)
def test_a_path_that_names_nothing_is_an_error_with_the_next_step(tmp_path, path, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        find_files([tmp_path / path])


def test_no_path_at_all_is_an_error():
    with pytest.raises(InputError, match="no file was named"):
        find_files([])


def test_columns_of_one_name_are_told_apart():
    assert unique_names(["ip", " ip ", "", "ip_2"]) == ("ip", "ip_2", "column_3", "ip_2_2")


def test_a_path_that_is_a_letter_short_is_not_a_pattern():
    with pytest.raises(InputError, match="no such file"):
        find_files([Path("/nowhere/at/all.csv")])
