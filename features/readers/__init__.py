"""Event files -> canonical events.

`container` says what a file is, `records` reads it, `envelopes` takes off what wraps its events, `detection` says
whose export it is, `translation` brings it under our names by a platform's declaration (`platforms`, or `generic`
for any table), `staging` cleans the values (by `times` and `distinct`), `folding` makes one event of its copies,
`set_aside` keeps what cannot be used, `tables` reads labels, campaigns and conversions.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import duckdb

from features.errors import InputError
from features.feature import Capability
from features.readers import archive, folding, generic, kept, set_aside, staging, times
from features.readers.columns import check_mapping
from features.readers.container import detect, find_files, is_archive
from features.readers.detection import recognise
from features.readers.envelopes import unwrap
from features.readers.identifiers import drop
from features.readers.options import ReadOptions
from features.readers.platform import Platform
from features.readers.platforms import PLATFORMS, access_log, gophish
from features.readers.records import InputFile, loaded, read_together
from features.readers.shared_address import shared_address
from features.readers.tables import read_campaigns, read_conversions, read_domains, read_labels
from features.readers.translation import RawTable, translate
from features.recipient_key import RecipientKey
from features.schema import COLUMN_ALIASES, UNKNOWN_EVENT

__all__ = [
    "ReadOptions",
    "ReadSummary",
    "read_campaigns",
    "read_conversions",
    "read_domains",
    "read_events",
    "read_labels",
]

_CAPABILITIES: Mapping[Capability, str] = {
    "address": "count(ip)",
    "agent": "count(user_agent)",
    "deliveries": "count(delivered_at)",
    "links": "count(coalesce(url, link_id)) FILTER (event_type = 'clicked')",
    "method": "count(http_method)",
    "domains": "count(recipient_domain)",
}


_CONTROLS = "SELECT reason, sum(records) FROM reading_controls GROUP BY 1"


@dataclass(frozen=True)
class ReadSummary:
    """What was read. records = events + context_events + duplicates + `controls` + all set aside (`rejected`).

    `formats` counts the records of each reader, `controls` what is no event of a message, by reason. `by_type` and
    `unknown_words` count the events, context left out; capabilities are those with a value anywhere in events and
    context. `nulled` counts values that were given and could not be used, by column.
    """

    files: int
    records: int
    events: int
    context_events: int
    duplicates: int
    formats: Mapping[str, int]
    controls: Mapping[str, int]
    rejected: Mapping[str, int]
    nulled: Mapping[str, int]
    by_type: Mapping[str, int]
    unknown_words: Mapping[str, int]
    capabilities: frozenset[Capability]
    warnings: tuple[str, ...]


def read_events(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str | Path],
    options: ReadOptions | None = None,
    *,
    context: Sequence[str | Path] = (),
    recipient_key: RecipientKey | None = None,
    rejected: Path | None = None,
    keep_rows: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ReadSummary:
    """Make the temp table `events` from all `paths`; those of `context` are marked is_context.

    Columns are `schema.EVENT_COLUMNS`, then is_context, file_no and record; the order of the rows is not
    promised. Read campaigns first: a message without a sent time of its own gets its campaign's. Addresses
    are hashed with `recipient_key`; without a key, ids hold within this run only, and a warning says so. Sets
    the connection's TimeZone to UTC. `rejected` is where set-aside records are written. `keep_rows` keeps the
    files' own rows beside the events (see `kept`).

    Raises InputError where a path names nothing, a file is damaged or of another kind, a needed column is
    missing, more records are bad than `options.max_errors`, or nothing can be read.
    """
    options = options or ReadOptions()
    readers = _readers(options)
    con.execute("SET TimeZone = 'UTC'")
    zone = times.check_zone(con, options.tz) if options.tz else None
    rules = staging.Rules(zone, recipient_key or RecipientKey.throwaway())
    check_mapping(options.mapping, COLUMN_ALIASES.keys())
    with TemporaryDirectory(prefix="clicksift-") as unpacked:
        files, warnings = _input_files(paths, context, Path(unpacked))
        try:
            addresses, used, hints = _stage(con, files, readers, options, rules, keep_rows, progress)
            if addresses and recipient_key is None:
                hints.append(
                    "recipient ids are addresses and no project key was given: their ids hold for this run only"
                )
            rejections = _settle_rejected(con, files, options, rejected)
            nulled, remarks = _losses(con, options)
            formats = _counted_by(con, "SELECT source, count(*) FROM staged GROUP BY 1")
            controls = _counted_by(con, _CONTROLS)
            usable = _one(con, "SELECT count(*) FROM staged")
            folding.make_events(con)
        finally:
            for table in (*staging.TABLES, *folding.TABLES, "set_aside", "reading_files", "reading_controls"):
                con.execute(f"DROP TABLE IF EXISTS temp.{table}")
    filtering = [f"{platform.title}: {platform.source_filtering}" for platform in used if platform.source_filtering]
    if {gophish.GOPHISH.name, gophish.GOPHISH_RESULTS.name} <= formats.keys():
        remarks.append(gophish.COUNTED_TWICE)
    counts = _counts(con)
    if "address" in counts["capabilities"] and (shared := shared_address(con)) is not None:
        remarks.append(shared)
        counts["capabilities"] -= {"address"}
    return ReadSummary(
        files=len(files),
        records=usable + sum((*rejections.values(), *controls.values())),
        duplicates=usable - counts["events"] - counts["context_events"],
        formats=formats,
        controls=controls,
        rejected=rejections,
        nulled=nulled,
        warnings=(*warnings, *hints, *remarks, *filtering),
        **counts,
    )


def _stage(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[InputFile],
    readers: Sequence[Platform],
    options: ReadOptions,
    rules: staging.Rules,
    keep_rows: bool,
    progress: Callable[[str], None] | None,
) -> tuple[int, list[Platform], list[str]]:
    """All files into `staged` and `set_aside`.

    Gives how many distinct addresses were hashed, whose formats were read, and columns that may have been meant.
    """
    _register(con, files)
    set_aside.make_set_aside(con)
    con.execute("CREATE OR REPLACE TEMP TABLE reading_controls (file_no INTEGER, reason VARCHAR, records BIGINT)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged ({staging.STAGED})")
    seen: list[tuple[str, Sequence[str]]] = []
    used: dict[str, Platform] = {}
    by_number = {file.number: file.name for file in files}
    addresses, advice = 0, ""
    hints: list[str] = []
    given: set[str] = set()
    for group in read_together(con, files):
        if progress:
            progress(f"reading {group[0].name}" + (f" and {len(group) - 1} more" if len(group) > 1 else ""))
        with loaded(con, group) as records:
            if records.json:
                unwrap(con, readers)
            try:
                found = recognise(con, records, group, readers, options.mapping, options.format)
            except InputError as error:
                raise InputError(f"{error}. If it is no export, leave it out") if len(files) > 1 else error from None
            seen += [(group[0].name, one.records.columns) for one in found]
            for one in found:
                if one.platform.name == generic.BESIDE:
                    hints += [
                        f"{by_number[number]} is a table of campaigns or labels: no events" for number in one.files
                    ]
                    continue
                used.setdefault(one.platform.name, one.platform)
                hints += generic.hints(one.platform, one.records.columns)
                scored = [file.number for file in group if file.number in one.files and not file.is_context]
                if keep_rows and scored:
                    kept.keep(con, one.records, scored, csv=group[0].form.kind == "csv")
                raw = translate(con, one.records, one.platform, one.files)
                given |= _mapped_and_given(con, raw, options.mapping)
                addresses += staging.stage(con, raw, one.platform, rules)
                drop(con, "raw")
                if one.platform.name == access_log.NAME and not (advice or _has_staged(con, access_log.NAME)):
                    advice = access_log.advice(con, by_number[one.files[0]], one.records, one.platform, one.files)
    check_mapping(options.mapping, COLUMN_ALIASES.keys(), seen)
    for name, wanted in options.mapping.items():
        if "/" in wanted and name not in given:
            raise InputError(f"--map {name}={wanted}: no record has a value there; check the path")
    if advice and not _has_staged(con, access_log.NAME):
        raise InputError(advice)
    if options.path_patterns and access_log.NAME not in used:
        raise InputError(f"--path-pattern {options.path_patterns[0]}: none of the files is an access log; leave it out")
    return addresses, list(used.values()), list(dict.fromkeys(hints))


def _mapped_and_given(con: duckdb.DuckDBPyConnection, raw: RawTable, mapping: Mapping[str, str]) -> set[str]:
    """The columns mapped to a value inside of JSON for which some record of `raw` has one."""
    inside = [name for name, wanted in mapping.items() if "/" in wanted and name in raw.found]
    if not inside:
        return set()
    [counts] = con.execute(f"SELECT {', '.join(f'count(c{raw.found[name]})' for name in inside)} FROM raw").fetchall()
    return {name for name, count in zip(inside, counts, strict=True) if count}


def _has_staged(con: duckdb.DuckDBPyConnection, source: str) -> bool:
    return bool(con.execute("SELECT 1 FROM staged WHERE source = ? LIMIT 1", [source]).fetchall())


def _readers(options: ReadOptions) -> tuple[Platform, ...]:
    """The platforms to tell apart. Raises InputError for a format that there is not."""
    names = [platform.name for platform in PLATFORMS]
    if options.format not in (None, generic.NAME, *names):
        near = difflib.get_close_matches(str(options.format), names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join((generic.NAME, *names))}"
        raise InputError(f"--format {options.format}: there is no such format; {hint}")
    if not options.path_patterns:
        return PLATFORMS
    logs = access_log.reader(options.path_patterns)
    return tuple(logs if platform.name == logs.name else platform for platform in PLATFORMS)


def _input_files(
    paths: Sequence[str | Path], context: Sequence[str | Path], unpacked: Path
) -> tuple[list[InputFile], list[str]]:
    """Every file with its form, members of archives from the folder `unpacked`.

    Context comes after the rest, and a file that is both is not context.
    """
    scored = find_files(paths)
    known = {path.resolve() for path in scored}
    others = [path for path in find_files(context) if path.resolve() not in known] if context else []
    names = Counter(path.name for path in (*scored, *others))
    files: list[InputFile] = []
    warnings = []
    for place, path in enumerate((*scored, *others), start=1):
        name = path.name if names[path.name] == 1 else str(path)
        for inner, file in _members(path, name, unpacked / str(place)):
            form = detect(file, inner)
            if form is None:
                warnings.append(f"{inner} is empty and was left out")
            else:
                files.append(InputFile(len(files) + 1, file, inner, form, is_context=place > len(scored)))
    if all(file.is_context for file in files):
        raise InputError(f"{scored[0]}: is empty; name a file with events, one row an event")
    return files, warnings


def _members(path: Path, name: str, into: Path) -> list[tuple[str, Path]]:
    """The file itself, or what an archive holds."""
    if not is_archive(path):
        return [(name, path)]
    into.mkdir()
    return [(name + inner.removeprefix(path.name), file) for inner, file in archive.unpacked(path, into)]


def _register(con: duckdb.DuckDBPyConnection, files: Sequence[InputFile]) -> None:
    columns = "file_no INTEGER, name VARCHAR, is_context BOOLEAN, path VARCHAR"
    con.execute(f"CREATE OR REPLACE TEMP TABLE reading_files ({columns})")
    rows = [(file.number, file.name, file.is_context, str(file.path)) for file in files]
    con.executemany("INSERT INTO reading_files VALUES (?, ?, ?, ?)", rows)


def _settle_rejected(
    con: duckdb.DuckDBPyConnection, files: Sequence[InputFile], options: ReadOptions, path: Path | None
) -> Mapping[str, int]:
    """Write, count and judge what was set aside; InputError where too much was, or nothing else is left."""
    counts = set_aside.reasons(con)
    if path is not None:
        set_aside.write(con, path)
    set_aside.check(con, options.max_errors, counts)
    if _one(con, "SELECT count(*) FROM staged JOIN reading_files USING (file_no) WHERE NOT is_context") == 0:
        name = files[0].name
        if counts:
            raise InputError(
                f"{name}: no event could be read, {sum(counts.values())} records were set aside: "
                f"{set_aside.first_ones(con)}. Check the columns (--map) and the format of the file"
                f"{set_aside.advised(counts)}"
            )
        others = _counted_by(con, _CONTROLS)
        if others:
            what = "; ".join(f"{count:,} {reason}" for reason, count in others.items())
            raise InputError(f"{name}: holds no events, only other records: {what}. Name a file with events")
        raise InputError(f"{name}: holds no events, only its columns; name a file with one row an event")
    return counts


def _losses(con: duckdb.DuckDBPyConnection, options: ReadOptions) -> tuple[Mapping[str, int], list[str]]:
    """Values that could not be used, by column; and what to know of the rows, in words."""
    row = con.execute("""
        SELECT count_if(lost_ip), count_if(lost_sent), count_if(lost_delivered), count_if(lost_status),
               count_if(naive), count_if(loose)
        FROM staged""").fetchone()
    ip, sent, delivered, status, naive, loose = row or (0, 0, 0, 0, 0, 0)
    nulled = {"ip": ip, "sent_at": sent, "delivered_at": delivered, "http_status": status}
    remarks = []
    if naive and options.tz is None:
        remarks.append(f"{naive:,} rows carry a time without a zone, read as UTC; name their zone with --tz")
    if loose:
        remarks.append(
            f"{loose:,} rows name neither message nor campaign: each recipient counts as one message; name the"
            " column with --map message_id=… or campaign_id=…"
        )
    return {name: int(n) for name, n in nulled.items() if n}, remarks


class _Counts(TypedDict):
    events: int
    context_events: int
    by_type: Mapping[str, int]
    unknown_words: Mapping[str, int]
    capabilities: frozenset[Capability]


def _counts(con: duckdb.DuckDBPyConnection) -> _Counts:
    return {
        "events": _one(con, "SELECT count(*) FROM events WHERE NOT is_context"),
        "context_events": _one(con, "SELECT count(*) FROM events WHERE is_context"),
        "by_type": _counted(con, "event_type", "NOT is_context"),
        "unknown_words": _counted(con, "event_type_raw", f"NOT is_context AND event_type = '{UNKNOWN_EVENT}'"),
        "capabilities": given_capabilities(con),
    }


def given_capabilities(con: duckdb.DuckDBPyConnection) -> frozenset[Capability]:
    """The capabilities of which the table `events` has a value anywhere, context included."""
    given = con.execute(f"SELECT {', '.join(_CAPABILITIES.values())} FROM events").fetchone() or ()
    return frozenset(name for name, n in zip(_CAPABILITIES, given, strict=True) if n)


def _counted(con: duckdb.DuckDBPyConnection, column: str, where: str) -> Mapping[str, int]:
    return _counted_by(con, f"SELECT {column}, count(*) FROM events WHERE {where} GROUP BY 1")


def _counted_by(con: duckdb.DuckDBPyConnection, query: str) -> Mapping[str, int]:
    return {str(value): int(n) for value, n in con.execute(f"{query} ORDER BY 2 DESC, 1").fetchall()}


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
