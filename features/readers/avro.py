"""Avro object container files, as Braze Currents writes them: every record as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from features.errors import InputError


class Damaged(Exception):  # noqa: N818  (it is no error of ours: what was read before it counts)
    """The file cannot be read from here on."""


def records(path: Path) -> Iterator[str]:
    """Give every record in order as the text of a JSON object; deflate, snappy and no compression are understood.

    Times are ISO 8601 in UTC, bytes are text, decimals and ids keep their digits. Raises Damaged where the file is
    cut off or broken, after all that can be read before it; InputError where the extra `avro` is not installed.
    """
    try:
        import fastavro  # noqa: PLC0415  (only those who have such files need it)
    except ImportError as error:
        raise InputError(f"{path}: reading Avro needs one more package: pip install 'clicksift[avro]'") from error
    with path.open("rb") as file:
        try:
            for record in fastavro.reader(file):
                yield json.dumps(record, default=_plain, ensure_ascii=False)
        except Exception as error:  # the library raises whatever it met
            raise Damaged(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
