"""Which platform's export a file is: by the keys of its records, never by its name."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from features.errors import InputError
from features.readers import generic
from features.readers.columns import check_mapping, listed, mapped_path, missing, resolve
from features.readers.platform import Path, Platform, Signature
from features.readers.records import InputFile
from features.readers.translation import Records, located
from features.schema import COLUMN_ALIASES

# Records of so many different shapes are looked at in each file of JSON, and so many rows of a table.
_SHAPES = 16
_ROWS = 20
_NEAR = 0.5

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Recognised:
    """Files of one platform, and the columns that they have between them."""

    platform: Platform
    records: Records
    files: tuple[int, ...]


def recognise(
    con: duckdb.DuckDBPyConnection,
    records: Records,
    group: Sequence[InputFile],
    platforms: Sequence[Platform],
    mapping: Mapping[str, str],
    chosen: str | None = None,
) -> list[Recognised]:
    """Give the platform of every file of a group that was loaded together; `chosen` names one and skips the question.

    Raises InputError where the records of a file fit several platforms, or none and lack the columns of a table of
    events: with the evidence for each candidate.
    """
    by_number = {file.number: file for file in group}
    found: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    readers: dict[str, Platform] = {platform.name: platform for platform in platforms}
    columns_of = _columns(con, records)
    for numbers, columns, samples in _samples(con, records, group, columns_of):
        name = chosen or _name(by_number[numbers[0]].name, columns, samples, platforms, mapping)
        # Files whose names for our columns differ are read apart: read together, one name would go unheeded.
        known = () if name in readers else tuple(sorted(generic.known_names(columns)))
        found[name, known] += numbers
    result = []
    for (name, _), numbers in found.items():
        columns = tuple(dict.fromkeys(key for number in numbers for key in columns_of(number)))
        own = replace(records, columns=columns, types=records.types or ("VARCHAR",) * len(columns))
        if name == generic.BESIDE:
            platform = Platform(generic.BESIDE, "", (), {})
        elif name in readers:
            platform = _mapped(readers[name], columns, mapping)
        else:
            platform = generic.reader(by_number[numbers[0]].name, columns, mapping)
        result.append(Recognised(platform, own, tuple(numbers)))
    return result


def _mapped(platform: Platform, columns: Sequence[str], mapping: Mapping[str, str]) -> Platform:
    """The platform with what the user maps in place of what it declares."""
    own = {name: path for name, wanted in mapping.items() if (path := mapped_path(columns, wanted)) is not None}
    return replace(platform, columns={**platform.columns, **own}) if own else platform


def _columns(con: duckdb.DuckDBPyConnection, records: Records) -> Callable[[int], tuple[str, ...]]:
    """The columns of each file by its number."""
    if not records.json:
        return lambda number: records.columns
    rows = con.execute("SELECT file_no, list_sort(list_distinct(flatten(list(keys)))) FROM raw_shapes GROUP BY 1")
    keys = {int(number): tuple(names) for number, names in rows.fetchall()}
    return lambda number: keys.get(number, ())


def _samples(
    con: duckdb.DuckDBPyConnection,
    records: Records,
    group: Sequence[InputFile],
    columns_of: Callable[[int], tuple[str, ...]],
) -> Iterable[tuple[list[int], tuple[str, ...], list[Sample]]]:
    """Files that are alike, their columns, and some of their records."""
    if not records.json:
        names = ", ".join(f"CAST(c{k} AS VARCHAR)" for k in range(len(records.columns)))
        rows = con.execute(f"SELECT {names} FROM {records.relation} LIMIT {_ROWS}").fetchall()
        samples: list[Sample] = [dict(zip(records.columns, row, strict=True)) for row in rows]
        yield [file.number for file in group], records.columns, samples or [dict.fromkeys(records.columns)]
        return
    rows = con.execute(f"""
        SELECT l.file_no, l.line
        FROM raw_lines AS l
        JOIN (SELECT file_no, unnest(min(first, {_SHAPES})) AS record FROM raw_shapes GROUP BY 1) AS s
            ON s.file_no = l.file_no AND s.record = l.record
        ORDER BY l.file_no, l.record""").fetchall()
    by_file: dict[int, list[Sample]] = {file.number: [] for file in group}
    for number, line in rows:
        with suppress(ValueError, RecursionError):
            by_file[int(number)].append(json.loads(line))
    for number, samples in by_file.items():
        if columns_of(number):
            yield [number], columns_of(number), samples


def _name(
    file: str,
    columns: Sequence[str],
    samples: Sequence[Sample],
    platforms: Sequence[Platform],
    mapping: Mapping[str, str],
) -> str:
    if generic.is_beside(columns):
        return generic.BESIDE
    evidence: dict[str, tuple[Signature, int]] = {}
    for platform in platforms:
        for signature in platform.signatures:
            matching = sum(_matches(signature, sample) for sample in samples)
            if matching:
                evidence.setdefault(platform.name, (signature, matching))
    if len(evidence) == 1:
        return next(iter(evidence))
    if evidence:
        candidates = "; ".join(
            f"{name} ({_said(signature)} in {matching} of {len(samples)} records looked at)"
            for name, (signature, matching) in evidence.items()
        )
        raise InputError(f"{file}: fits more than one format: {candidates}. Name the right one with --format")
    if generic.suffices(columns, mapping):
        return generic.NAME
    check_mapping(mapping, COLUMN_ALIASES.keys(), [(file, columns)])
    lacking = _lacking(file, columns, mapping)
    near = _nearest(samples, platforms)
    raise InputError(f"{lacking}. It is no platform's export either: {'; '.join(near)}") if near else lacking


def _lacking(file: str, columns: Sequence[str], mapping: Mapping[str, str]) -> InputError:
    """What a table of events needs and this one has not, what is mapped being there."""
    found = resolve(columns, COLUMN_ALIASES, mapping).keys() | mapping.keys()
    names = next((names for names in generic.NEEDED if not found & set(names)), generic.NEEDED[0])
    return missing(file, columns, names, COLUMN_ALIASES, mapping=mapping)


def _nearest(samples: Sequence[Sample], platforms: Sequence[Platform]) -> list[str]:
    """The platforms that have at least half of their keys here: what is there, and what is not."""
    near: list[tuple[float, str]] = []
    for platform in platforms:
        best: tuple[float, str] | None = None
        for signature in platform.signatures:
            there = [key for key in signature.keys if any(_lookup(sample, key)[0] for sample in samples)]
            share = len(there) / max(1, len(signature.keys))
            if len(there) > 1 and share >= _NEAR and (best is None or share > best[0]):
                lacking = [key for key in signature.keys if key not in there]
                values = [f"{path} is not like {pattern}" for path, pattern in signature.values.items()]
                what = f"lacks {listed(lacking)}" if lacking else "; ".join(values)
                best = (share, f"{platform.name} is nearest by {listed(there)} but {what}")
        if best is not None:
            near.append(best)
    return [text for _, text in sorted(near, key=lambda one: -one[0])[:2]]


def _matches(signature: Signature, sample: Sample) -> bool:
    if not all(_lookup(sample, key)[0] for key in signature.keys):
        return False
    for path, pattern in signature.values.items():
        there, value = _lookup(sample, path)
        if not there or value is None or re.search(pattern, str(value)) is None:
            return False
    return True


def _said(signature: Signature) -> str:
    return listed(tuple(dict.fromkeys((*signature.keys, *signature.values))))


def _lookup(sample: Sample, text: str) -> tuple[bool, Any]:
    """Whether the path is there, and its value; a column of a table may hold JSON."""
    names = tuple(sample)
    place = located(names, Path.of(text).parts)
    if place is None:
        return False, None
    position, rest = place
    value: Any = sample[names[position]]
    for part in rest:
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                value = json.loads(value)
            except ValueError:
                return False, None
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False, None
    return True, value
