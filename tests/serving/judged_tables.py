"""Hand-written events with hand-written verdicts, as rows that are quick to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tests.features.event_tables import event
from tests.serving.judged_events import judged as with_verdicts

# probability, verdict, actor, vendor
MACHINE = (1.0, "automated", "security_scanner", "cisco")
PERSON = (0.0, "human", "human", None)
UNSURE = (0.5, "unsure", None, None)
Judgement = tuple[float, str, str | None, str | None]
_NAMES = ("probability", "verdict", "actor", "vendor")


def judged(rows: Sequence[tuple[str, float, Judgement | None, Mapping[str, Any]]]) -> duckdb.DuckDBPyConnection:
    """Of (kind, seconds after delivery, judgement or None, more columns); `reasons` among these are the verdict's."""
    return with_verdicts(
        [
            event(kind, seconds, **columns) | dict(zip(_NAMES, judgement or (None,) * 4, strict=True))
            for kind, seconds, judgement, columns in rows
        ]
    )
