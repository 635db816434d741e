"""Avro object container files, as Braze Currents writes them: every record as JSON text."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, cast

from features.errors import InputError


class Damaged(Exception):  # noqa: N818  (it is no error of ours: what was read before it counts)
    """The file cannot be read from here on."""


def records(path: Path) -> Iterator[str]:
    """Give every record in order as the text of a JSON object; deflate, snappy and no compression are understood.

    Times are ISO 8601, in UTC where the schema gives them a zone; bytes are text, decimals and ids keep their
    digits, what is no number is null. A file in gzip is unpacked. Raises Damaged where the file is cut off or
    broken, after all that can be read before it; InputError where the extra `avro` is not installed.
    """
    try:
        import fastavro  # noqa: PLC0415  (only those who have such files need it)
    except ImportError as error:
        raise InputError(f"{path}: reading Avro needs one more package: pip install 'clicksift[avro]'") from error
    with _opened(path) as file:
        try:
            reader = fastavro.reader(file)
            if not _takes_room(reader.writer_schema, {}):
                raise ValueError("its schema has records of nothing")
            for record in reader:
                yield _text(record)
        except Exception as error:  # the library raises whatever it met
            raise Damaged(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if is_packed else path.open("rb")


def _takes_room(schema: object, named: dict[str, bool | None]) -> bool:
    """Tell whether a value of the schema takes at least a byte; `named` has the types met before, None for open ones.

    Raises ValueError where a type holds itself, or an array holds what takes no room: the first lets the library
    overflow its stack, and one byte of the second can stand for more elements than memory holds.
    """
    if isinstance(schema, list):
        return len([_takes_room(branch, named) for branch in schema]) > 0
    if not isinstance(schema, dict):
        takes_room = named.get(str(schema), schema != "null")
        if takes_room is None:
            raise ValueError(f"its schema has {schema} in itself")
        return takes_room
    kind = schema["type"]
    if kind in ("record", "error"):
        named[schema["name"]] = None
        # A sum looks at all of them, where `any` would stop at the first.
        takes_room = sum(_takes_room(field["type"], named) for field in schema["fields"]) > 0
    elif kind == "fixed":
        takes_room = schema["size"] > 0
    elif kind == "array" and not _takes_room(schema["items"], named):
        raise ValueError("its schema has an array of nothing")
    else:
        if kind == "map":
            _takes_room(schema["values"], named)
        takes_room = kind in ("array", "map", "enum") or _takes_room(kind, named)
    if "name" in schema:
        named[schema["name"]] = takes_room
    return takes_room


def _text(record: Any) -> str:
    try:
        return json.dumps(record, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(record), default=_plain, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
