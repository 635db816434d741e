"""What a rule is, and the phrases that several rules' SQL is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

from features import reference
from features.readers.identifiers import quote_text

SECOND = 1_000_000
OPENS_AND_CLICKS: tuple[str, ...] = ("opened", "clicked")
ALL_EVENTS: tuple[str, ...] = ("opened", "clicked", "unsubscribed")


@dataclass(frozen=True)
class Rule:
    """A fixed rule that somebody tells machine events from people's with.

    `judges` are the event types that it looks at: it abstains on the others. `sql` gives event_row; reason, why the
    rule calls the event a machine's, NULL where it does not; and knows, false where the row has nothing of what the
    rule looks at, so that it abstains. It reads the tables of `evidence`; `steps` makes what more it reads.
    """

    name: str
    title: str
    source: str
    settings: str
    judges: tuple[str, ...]
    sql: str
    steps: Callable[[duckdb.DuckDBPyConnection], None] | None = None


def contains_any(words: Sequence[str], column: str = "text") -> str:
    """SQL that is true where the column contains one of the words as they stand; for tables of distinct values."""
    return "(" + " OR ".join(f"contains({column}, {quote_text(word)})" for word in words) + ")"


def one_of(column: str, values: Sequence[str | int]) -> str:
    """SQL that is true where the column is one of the values."""
    listed = ", ".join(quote_text(value) if isinstance(value, str) else str(value) for value in values)
    return f"{column} IN ({listed})"


def within(networks: Sequence[str]) -> str:
    """SQL on the address halves `hi` and `lo` that is true inside one of the networks, written as 192.0.2.0/24."""
    his, los, lengths = reference.split_cidrs(list(networks))
    phrases = []
    for hi, lo, length in zip(his.tolist(), los.tolist(), lengths.tolist(), strict=True):
        if length < 64:
            phrases.append(f"hi BETWEEN {hi} AND {hi + (1 << (64 - length)) - 1}")
        else:
            phrases.append(f"(hi = {hi} AND lo BETWEEN {lo} AND {lo + (1 << (128 - length)) - 1})")
    return "(" + " OR ".join(phrases) + ")"
