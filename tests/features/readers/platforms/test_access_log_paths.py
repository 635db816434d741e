"""Path patterns with different groups beside each other: each finds its own."""

from __future__ import annotations

import duckdb
import pytest

from features.errors import InputError
from features.readers.platforms.access_log_paths import group, groups, matching, parsed

PATTERNS = [
    parsed(text)
    for text in (
        r"clicked=^/go/(?P<campaign>[^/]+)/(?P<recipient>[^/?]+)/(?P<link>\d+)$",
        r"opened=^/(?:a|b)/(x)?(?P<message>\d+)|^/old/(?P<recipient>\d+)",
        r"clicked=(?P<message>\d+)\Q.(go)",
    )
]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/go/news/ann/7", {"campaign": "news", "recipient": "ann", "link": "7"}),
        ("/a/12", {"message": "12"}),
        ("/b/x12", {"message": "12"}),
        ("/old/5", {"recipient": "5"}),
        ("/31.(go)", {"message": "31"}),
        ("/31.go", {}),
    ],
)
def test_each_pattern_finds_its_own_groups(target: str, found: dict[str, str]) -> None:
    names = ("message", "recipient", "campaign", "link")
    values = ", ".join(group(name, PATTERNS, "rule", "found") for name in names)
    with duckdb.connect() as con:
        row = con.execute(
            f"""
            SELECT {values} FROM (
                SELECT *, {groups(PATTERNS, "rule", "target")} AS found FROM (
                    SELECT *, {matching(PATTERNS, "target", "'GET'")} AS rule FROM (SELECT $1 AS target)))""",
            [target],
        ).fetchone()
    assert row is not None
    assert {name: value for name, value in zip(names, row, strict=True) if value is not None} == found


@pytest.mark.parametrize("word", ["opend", "clicks", "unsubscribe"])
def test_a_word_before_the_pattern_that_is_nearly_a_kind_of_event_is_refused(word):
    with pytest.raises(InputError, match=f"{word!r} is no kind of event; kinds are opened, clicked"):
        parsed(f"{word}=^/px/(?P<message>[^/.]+)")
