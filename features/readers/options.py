"""How the user's files are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReadOptions:
    """What the files themselves do not say.

    `mapping` is canonical column -> column of the file, `tz` the zone of times without one (UTC by default),
    `max_errors` how many records may be set aside (any number by default), `format` a reader's name.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    tz: str | None = None
    max_errors: int | None = None
    format: str | None = None
