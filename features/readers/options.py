"""How the user's files are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReadOptions:
    """What the files themselves do not say.

    `mapping` is canonical column -> column of the file, `tz` the zone of times without one (UTC by default),
    `max_errors` how many records may be set aside (any number by default), `format` a reader's name.
    `path_patterns` say which requests of an access log are events, and whose: regular expressions with named groups,
    each alone or after what it is, as in "clicked=^/go/(?P<message>[^/]+)" (see `platforms.access_log_paths`).
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    tz: str | None = None
    max_errors: int | None = None
    format: str | None = None
    path_patterns: tuple[str, ...] = ()
