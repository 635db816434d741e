"""Avro records become JSON; a broken file gives what stands before the break."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.readers import avro

SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Click",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "time", "type": "int"},
            {"name": "url", "type": ["null", "string"]},
            {"name": "reasons", "type": ["null", {"type": "array", "items": "string"}]},
            {"name": "raw", "type": ["null", "bytes"]},
            {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        ],
    }
)


def click(n: int, **more: object) -> dict[str, object]:
    return {"id": f"c{n}", "time": 1772359200 + n, "url": None, "reasons": None, "raw": None, "at": None, **more}


def written(rows: list[dict[str, object]], codec: str = "null") -> bytes:
    data = io.BytesIO()
    fastavro.writer(data, SCHEMA, rows, codec=codec, sync_interval=200)
    return data.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_every_codec_of_the_exports_is_read(tmp_path, codec):
    path = tmp_path / "part"
    path.write_bytes(written([click(n) for n in range(50)], codec))
    assert [json.loads(text)["id"] for text in avro.records(path)] == [f"c{n}" for n in range(50)]


def test_values_become_what_json_can_hold(tmp_path):
    path = tmp_path / "part"
    row = click(1, reasons=["user_agent"], raw=b"\xc3\xa9", at=datetime(2026, 3, 1, 10, 0, 0, 123000, UTC))
    path.write_bytes(written([row]))
    [text] = avro.records(path)
    expected = click(1, reasons=["user_agent"], raw="é", at="2026-03-01T10:00:00.123000+00:00")
    assert json.loads(text) == expected


def one_field(kind: object, value: object) -> bytes:
    data = io.BytesIO()
    schema = {"type": "record", "name": "Row", "namespace": "a.b", "fields": [{"name": "v", "type": kind}]}
    fastavro.writer(data, schema, [{"v": value}])
    return data.getvalue()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("long", 2**62 + 1, 2**62 + 1),
        ("double", float("nan"), None),
        ({"type": "array", "items": "float"}, [float("inf"), 0.5], [None, 0.5]),
        ({"type": "map", "values": ["null", "double"]}, {"a": float("nan"), "b": None}, {"a": None, "b": None}),
        ({"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["x", "y"]}}, ["y", "x"], ["y", "x"]),
        ({"type": "record", "name": "In", "fields": [{"name": "w", "type": "string"}]}, {"w": "é"}, {"w": "é"}),
        ({"type": "fixed", "name": "F", "size": 3}, b"a\xffb", "a\ufffdb"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("1.20"), "1.20"),
        ({"type": "string", "logicalType": "uuid"}, uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ({"type": "int", "logicalType": "date"}, date(2026, 3, 1), "2026-03-01"),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, datetime(2026, 3, 1, 10), "2026-03-01T10:00:00"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_types_of_the_schema_become_what_json_can_hold(tmp_path, kind, value, expected):
    path = tmp_path / "part"
    path.write_bytes(one_field(kind, value))
    [text] = avro.records(path)
    assert json.loads(text, parse_constant=pytest.fail) == {"v": expected}


def test_gzip_around_a_file_is_taken_off(tmp_path):
    path = tmp_path / "part"
    path.write_bytes(gzip.compress(written([click(1)])))
    assert len(list(avro.records(path))) == 1


def test_blocks_before_the_end_of_a_cut_file_are_given_whole(tmp_path):
    rows = [click(n) for n in range(40)]
    data = written(rows, "deflate")
    path = tmp_path / "part"
    path.write_bytes(data[:-30])
    found = []
    with pytest.raises(avro.Damaged, match=r"EOFError|ValueError"):
        found.extend(avro.records(path))
    assert found == [json.dumps(row) for row in rows[: len(found)]]
    assert len(found) >= 30


@pytest.mark.parametrize("content", [b"", b"Obj\x01", b"event_type,timestamp\n", gzip.compress(b"x", mtime=0)[:5]])
def test_what_is_no_avro_file_is_damaged_from_its_beginning(tmp_path, content):
    path = tmp_path / "part"
    path.write_bytes(content)
    with pytest.raises(avro.Damaged):
        next(avro.records(path))


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (["null", "Row"], None, "its schema has a.b.Row in itself"),
        ({"type": "map", "values": ["null", "a.b.Row"]}, {}, "its schema has a.b.Row in itself"),
        ({"type": "array", "items": "null"}, [None], "its schema has an array of nothing"),
        ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, [], "an array of nothing"),
        ("null", None, "its schema has records of nothing"),
    ],
)
def test_schemas_by_which_a_few_bytes_can_take_all_memory_are_refused(tmp_path, kind, value, reason):
    path = tmp_path / "part"
    path.write_bytes(one_field(kind, value))
    with pytest.raises(avro.Damaged, match=reason):
        list(avro.records(path))


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1), flipped=st.integers(0, 255))
def test_a_broken_file_gives_some_records_and_then_says_so(tmp_path_factory, cut, flipped):
    data = bytearray(written([click(n) for n in range(40)]))
    place = int(cut * (len(data) - 1))
    data[place] = flipped
    path = tmp_path_factory.mktemp("avro") / "part"
    path.write_bytes(data[: place + 1])
    found = []
    try:
        found.extend(avro.records(path))
    except avro.Damaged as error:
        assert str(error)
    # The flipped byte is the last one, and so can only have changed the last record.
    assert len(found) <= 40
    assert found[:-1] == [json.dumps(click(n)) for n in range(40)][: max(len(found) - 1, 0)]
