"""Which column of a file is which canonical column: `--map` first, then the exact name, then the aliases."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from features.errors import InputError
from features.readers.platform import Path

_SEPARATORS = re.compile(r"[\s.\-]+")
_SHOWN = 30
_NEAR = 0.7
# In short names one letter makes another word: zip is not ip, data is not date.
_SHORT, _NEAR_IF_SHORT = 4, 0.85


def folded(text: str) -> str:
    """`text` as it is compared: lower case, "_" for blanks, dots and dashes.

    >>> folded(" Context.User-Agent ")
    'context_user_agent'
    """
    return _SEPARATORS.sub("_", text.strip().lower())


def resolve(
    columns: Sequence[str], aliases: Mapping[str, Sequence[str]], mapping: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Canonical name -> position in `columns`, for every canonical name that the file has.

    A mapped column serves its canonical name alone. Of several columns that could serve one name the exact
    spelling wins, then the order of the alias table. A mapping to a column that this file does not have is
    passed over: other files may have it (see `check_mapping`).
    """
    found: dict[str, int] = {}
    for canonical, column in (mapping or {}).items():
        position = _position(columns, column)
        if position is not None:
            found[canonical] = position
    mapped = set(found.values())
    free = [(position, name) for position, name in enumerate(columns) if position not in mapped]
    names = {name: position for position, name in reversed(free)}
    folded_names = {folded(name): position for position, name in reversed(free)}
    for canonical, spellings in aliases.items():
        if canonical in found:
            continue
        if canonical in names:
            found[canonical] = names[canonical]
            continue
        for spelling in (canonical, *spellings):
            if spelling in folded_names:
                found[canonical] = folded_names[spelling]
                break
    return found


def _position(columns: Sequence[str], wanted: str) -> int | None:
    if wanted in columns:
        return list(columns).index(wanted)
    same = [position for position, name in enumerate(columns) if folded(name) == folded(wanted)]
    return same[0] if same else None


def mapped_path(columns: Sequence[str], wanted: str) -> Path | None:
    """Where `wanted` lies: a column, or with "/" a value inside the JSON of one ("open/isBot"); None for nowhere."""
    position = _position(columns, wanted)
    if position is not None:
        return Path((columns[position],))
    first, slash, rest = wanted.partition("/")
    position = _position(columns, first) if slash and rest else None
    return None if position is None else Path((columns[position], *rest.split("/")))


def check_mapping(
    mapping: Mapping[str, str], canonical: Collection[str], tables: Sequence[tuple[str, Sequence[str]]] = ()
) -> None:
    """Raise InputError where `mapping` names a canonical column we do not know, or a column no file has.

    `tables` are pairs of file name and its columns; without any, only the canonical names are checked.
    """
    for name, column in mapping.items():
        if name not in canonical:
            raise InputError(
                f"--map {name}={column}: there is no canonical column {name!r}"
                f"{_did_you_mean(name, canonical)}; known are {', '.join(sorted(canonical))}"
            )
        if tables and all(mapped_path(columns, column) is None for _, columns in tables):
            file, columns = tables[0]
            raise InputError(
                f"--map {name}={column}: {file} has no column {column!r}{_did_you_mean(column, columns)}; "
                f"its columns are {listed(columns)}"
            )


def missing(
    file: str,
    columns: Sequence[str],
    wanted: Sequence[str],
    aliases: Mapping[str, Sequence[str]],
    *,
    mapping: Mapping[str, str] | None = None,
    can_map: bool = True,
) -> InputError:
    """Word the error for a file with none of the `wanted` columns: what it has, what is near, what to do.

    A column that serves another canonical name, by `mapping` or by its own, is not thought of.
    """
    taken = set(resolve(columns, aliases, mapping).values())
    free = [name for position, name in enumerate(columns) if position not in taken]
    meant = {name: found for name in free if (found := nearest(name, wanted, aliases)) is not None}
    near = sorted(meant, key=lambda name: -meant[name][0])[:3]
    hint = f"; nearest: {listed(near)}" if near else ""
    example, canonical = (near[0], meant[near[0]][1]) if near else ("COLUMN", wanted[0])
    step = f"Name it with --map {canonical}={example}" if can_map else f"Rename the column to {canonical}"
    return InputError(f"{file}: no column for {' or '.join(wanted)}; its columns are {listed(columns)}{hint}. {step}")


def nearest(
    column: str, names: Collection[str], aliases: Mapping[str, Sequence[str]], near: float = _NEAR
) -> tuple[float, str] | None:
    """How near a column's name is to a spelling of one of the canonical `names`, and of which; None where to none."""
    text = folded(column)
    best: tuple[float, str] | None = None
    for name in names:
        for spelling in (name, *aliases[name]):
            ratio = difflib.SequenceMatcher(None, spelling, text).ratio()
            bar = max(near, _NEAR_IF_SHORT) if min(len(text), len(spelling)) <= _SHORT else near
            if ratio >= bar and (best is None or ratio > best[0]):
                best = (ratio, name)
    return best


def listed(names: Collection[str]) -> str:
    """Join the names by commas; of a long list the first ones and how many more there are."""
    shown = ", ".join(
        repr(name) if _SEPARATORS.search(name) or not name.isprintable() else name for name in list(names)[:_SHOWN]
    )
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def _did_you_mean(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""
