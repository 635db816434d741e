"""Avro records become JSON; a broken file gives what stands before the break."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

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
    whole = [json.dumps(click(n)) for n in range(40)]
    assert len(found) <= 40
    assert [json.loads(text) for text in found[:-1]] == [json.loads(text) for text in whole[: max(len(found) - 1, 0)]]
