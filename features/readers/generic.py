"""Any table whose columns have, or are mapped to, names that we know: what no platform's own reader claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.readers.columns import check_mapping, folded, mapped_path, missing, nearest, resolve
from features.readers.platform import Path, Platform
from features.readers.tables import REVIEW_MARK
from features.schema import CAMPAIGN_COLUMNS, COLUMN_ALIASES, EVENT_COLUMNS, LABEL_COLUMNS

NAME = "generic"
# The name under which tables of campaigns and labels pass.
BESIDE = "beside"
NEEDED = (("event_type",), ("timestamp",), ("message_id", "recipient_id"))
_NAMES = frozenset(COLUMN_ALIASES).union(*COLUMN_ALIASES.values())
_WORTH_A_HINT = ("ip", "user_agent", "url", "campaign_id", "message_id", "recipient_id", "sent_at", "delivered_at")
_NEAR = 0.75
# These are never NULL in a table that we wrote, and together in no other.
_OWN_MARKS = ("event_id_origin", "event_type_raw", "ts_precision", "raw_ref", "is_synthetic", "dup_count")


def reader(file: str, columns: Sequence[str], mapping: Mapping[str, str]) -> Platform:
    """Give the reader for these columns: mapped names first, then exact names, then the aliases.

    Raises InputError where a needed column is missing (`file` is the first of the group).
    """
    found = _found(columns, mapping)
    for names in NEEDED:
        if not found.keys() & set(names):
            check_mapping(mapping, COLUMN_ALIASES.keys(), [(file, columns)])
            raise missing(file, columns, names, COLUMN_ALIASES, mapping=mapping)
    ignored: frozenset[str] = frozenset()
    if set(_OWN_MARKS) <= set(columns):
        found |= {column.name: Path((column.name,)) for column in EVENT_COLUMNS if column.name in columns}
        del found["ts_precision"]  # told by the times themselves
        ignored = frozenset({"ts_precision"})
    return Platform(name=NAME, title="any table", signatures=(), columns=found, ignored=ignored)


def is_beside(columns: Sequence[str]) -> bool:
    """Whether this is a table of campaigns or labels as we write and read them, which often lies beside events."""
    names = set(columns)
    campaigns, labels = ({column.name for column in table} for table in (CAMPAIGN_COLUMNS, LABEL_COLUMNS))
    return names == campaigns or ("automated" in names and (names <= labels or REVIEW_MARK in names))


def suffices(columns: Sequence[str], mapping: Mapping[str, str]) -> bool:
    """Whether these columns, as they are called or mapped, are enough to read events."""
    found = _found(columns, mapping).keys()
    return all(found & set(names) for names in NEEDED)


def _found(columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, Path]:
    """Canonical column -> where it lies: as it is mapped, else by its name or an alias."""
    named = {name: Path((columns[k],)) for name, k in resolve(columns, COLUMN_ALIASES, mapping).items()}
    mapped = {name: path for name, wanted in mapping.items() if (path := mapped_path(columns, wanted)) is not None}
    return {**named, **mapped}


def known_names(columns: Sequence[str]) -> frozenset[str]:
    """The names among the columns that mean a column of ours, as they are compared."""
    return frozenset(name for name in map(folded, columns) if name in _NAMES)


def hints(platform: Platform, columns: Sequence[str]) -> list[str]:
    """Columns that went unused and whose names are near to a column of ours that was not found, in words."""
    if platform.name != NAME:
        return []
    used = {path.parts[0] for path in platform.columns.values() if isinstance(path, Path)}
    lacking = [name for name in _WORTH_A_HINT if name not in platform.columns]
    near = []
    for column in columns:
        if column not in used and (found := nearest(column, lacking, COLUMN_ALIASES, _NEAR)) is not None:
            name = found[1]
            near.append(f"the column {column!r} was not used; if it is {name}, say --map '{name}={column}'")
    return near
