"""Times as text, with as many digits of a second as a platform prints."""

from __future__ import annotations

import time
from functools import lru_cache

from training.visits import SECOND


def iso_time(us: int, digits: int, more: str = "", offset_s: int = 0) -> str:
    """Give microseconds since 1970 as date and clock time without a zone, the fraction cut to `digits`.

    `more` are digits finer than microseconds; `offset_s` moves the clock to a zone.

    >>> iso_time(1_700_000_000_123_456, 3)
    '2023-11-14T22:13:20.123'
    >>> iso_time(1_700_000_000_123_456, 7, "9", offset_s=-3600)
    '2023-11-14T21:13:20.1234569'
    """
    whole, fraction = divmod(us, SECOND)
    text = _clock(whole + offset_s)
    return f"{text}.{(f'{fraction:06d}' + more)[:digits]}" if digits else text


@lru_cache(maxsize=4096)  # records come in order of time
def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
