"""Scored files, read back: the tables `events` and `verdicts` as scoring leaves them, for figures of what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.errors import InputError
from features.feature import CAPABILITIES, Capability
from features.formula import restored_sql
from features.readers import ReadOptions, kept, read_events
from features.readers.identifiers import quote_name, quote_text
from features.schema import EVENT_COLUMNS, event_row
from serving.expected_people import USUAL, Expectation, expectations
from serving.model import BotClickModel
from serving.scoring import CAPABILITIES_METADATA, PEOPLE_METADATA, REFERENCE_METADATA, output_format

_JUDGED = {"probability": "DOUBLE", "verdict": "VARCHAR", "actor": "VARCHAR", "vendor": "VARCHAR"}
# What CSV files with few columns of ours, or of older versions, may lack.
_TOLD = ("vendor_evidence", "reasons")
_VERSION = "model_version"
# What figures are made of; a file without one of them has the rows of a platform.
_EVENTS = (
    *("event_type", "campaign_id", "message_id", "recipient_id", "recipient_domain", "url", "link_id"),
    "raw_ref",
)
_TYPES = {column.name: column.type for column in EVENT_COLUMNS}
# What is shown of single events; NULL in `events` where the file lacks it.
_SHOWN = tuple(name for name in _TYPES if name not in _EVENTS)
_NEXT = "name a file that clicksift score wrote"


@dataclass(frozen=True)
class ScoredFile:
    """What a scored file says of itself: the versions of the models, and how their people are counted.

    `people`, `capabilities` (what the export could be trusted to say) and `reference` (the versions of the reference
    data) are None where the file cannot hold them: CSV and JSON lines, and files that clicksift did not write.
    """

    path: Path
    model_versions: tuple[str, ...]
    people: Mapping[str, Expectation] | None
    capabilities: frozenset[Capability] | None = None
    reference: Mapping[str, str] | None = None


def read_scored(con: duckdb.DuckDBPyConnection, path: Path, options: ReadOptions | None = None) -> ScoredFile:
    """Make the tables `events` and `verdicts` of a scored file, Parquet, CSV or JSON lines.

    `events` has the columns of the schema, NULL for those that no figure is made of and the file lacks; `verdicts` has
    those of our judgement. Files with a person's own rows are read as the export was, for which `options` may be needed
    again. Raises InputError where the file is no scored one, or cannot be read.
    """
    kind = output_format(path)
    if not path.is_file():
        raise InputError(f"{path}: {'is a folder' if path.is_dir() else 'is not there'}; {_NEXT}")
    columns = _columns(con, path, kind)
    ours = _ours(path, columns)
    if all(name in columns for name in _EVENTS):
        _make_canonical(con, path, kind, columns, ours)
    else:
        _make_kept(con, path, kind, options, ours)
    _check(con, path)
    rows = con.execute("SELECT DISTINCT model_version FROM verdicts WHERE model_version IS NOT NULL").fetchall()
    told = _metadata(con, path) if kind == "parquet" else {}
    people, given, reference = map(told.get, (PEOPLE_METADATA, CAPABILITIES_METADATA, REFERENCE_METADATA))
    return ScoredFile(
        path,
        tuple(sorted(version for (version,) in rows)),
        None if people is None else expectations(json.loads(people)),
        None if given is None else frozenset(name for name in CAPABILITIES if name in given.split(",")),
        None if reference is None else json.loads(reference),
    )


def people_of(file: ScoredFile, model: BotClickModel | None) -> Mapping[str, Expectation]:
    """How the people of a scored file are counted: as the file says, else as the model does that scored it.

    Raises InputError where `model` is another.
    """
    if model is None:
        return file.people or USUAL
    others = [version for version in file.model_versions if version != model.version]
    if others:
        raise InputError(f"{file.path}: was scored by model {others[0]}, not {model.version}; name it with --model")
    return expectations(model.manifest["metrics"])


def _columns(con: duckdb.DuckDBPyConnection, path: Path, kind: str) -> Sequence[str]:
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {_source(path, kind)}").fetchall()
    except duckdb.Error as error:
        raise InputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); {_NEXT}") from error
    return [str(row[0]) for row in described]


def _source(path: Path, kind: str) -> str:
    """SQL that reads the file; of text all columns are text, whatever their first rows look like."""
    name = quote_text(str(path))
    if kind == "parquet":
        return f"read_parquet({name})"
    if kind == "csv":
        return f"read_csv({name}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
    return f"read_json({name}, format = 'newline_delimited', sample_size = -1)"


def _ours(path: Path, columns: Sequence[str]) -> Mapping[str, str]:
    """Our columns' names in the file: those with clicksift_ before them where the plain ones are the person's."""
    ours = {}
    for name in (*_JUDGED, _VERSION):
        ours[name] = next((each for each in (f"clicksift_{name}", name) if each in columns), "")
        if not ours[name]:
            raise InputError(f"{path}: has no column {name}; {_NEXT}")
    for name in _TOLD:
        ours[name] = next((each for each in (f"clicksift_{name}", name) if each in columns), "")
    return ours


def _make_canonical(
    con: duckdb.DuckDBPyConnection, path: Path, kind: str, columns: Sequence[str], ours: Mapping[str, str]
) -> None:
    lacking = [f"CAST(NULL AS {_TYPES[name]}) AS {name}" for name in _SHOWN if name not in columns]
    given = [_text(name, _TYPES[name], kind) for name in (*_EVENTS, *_SHOWN) if name in columns]
    events = ", ".join([*given, *lacking])
    _run(
        con,
        path,
        f"""
        CREATE OR REPLACE TEMP TABLE scored_rows AS
        SELECT 0 AS file_no, row_number() OVER () AS record, {events}, {_judgement(ours, kind)}
        FROM {_source(path, kind)}
        """,
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE events AS"
        f" SELECT {', '.join(_TYPES)}, FALSE AS is_context, file_no, record FROM scored_rows"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE verdicts AS SELECT {event_row('s')} AS event_row, {_names()}"
        " FROM scored_rows AS s WHERE verdict IS NOT NULL"
    )
    con.execute("DROP TABLE scored_rows")


def _make_kept(
    con: duckdb.DuckDBPyConnection, path: Path, kind: str, options: ReadOptions | None, ours: Mapping[str, str]
) -> None:
    """Read the person's rows again, which gives the events that were scored, and take our columns from beside them.

    Where several rows are copies of an event each has its verdict.
    """
    read_events(con, [path], options, keep_rows=True)
    file, record = map(quote_name, kept.PLACE)
    parts = " UNION ALL BY NAME ".join(
        f"SELECT {event_row('k', file, record)} AS event_row, {_judgement(ours, kind)} FROM {table} AS k"
        for table in kept.tables(con)
    )
    _run(
        con,
        path,
        f"""
        CREATE OR REPLACE TEMP TABLE verdicts AS
        SELECT p.* FROM ({parts}) AS p
        JOIN events AS e ON p.event_row = {event_row("e")}
        WHERE p.verdict IS NOT NULL
        """,
    )
    if kind == "csv":
        names = ", ".join(f"{name} = {_as_it_was(name)}" for name in ("campaign_id", "link_id", "url"))
        con.execute(f"UPDATE events SET {names}")


def _run(con: duckdb.DuckDBPyConnection, path: Path, statement: str) -> None:
    try:
        con.execute(statement)
    except duckdb.Error as error:
        raise InputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); {_NEXT}") from error


def _text(name: str, kind: str, file_kind: str) -> str:
    """A column of the file as it was before it was written."""
    value = f"CAST({name} AS {kind})"
    return f"{_as_it_was(value) if file_kind == 'csv' and kind == 'VARCHAR' else value} AS {name}"


def _as_it_was(value: str) -> str:
    """SQL of a text without the apostrophe that CSV has before what looked like a formula."""
    return restored_sql(value)


def _judgement(ours: Mapping[str, str], file_kind: str) -> str:
    """Our columns under their own names; an empty cell of a text file is NULL."""
    kinds = {**_JUDGED, _VERSION: "VARCHAR", **dict.fromkeys(_TOLD, "VARCHAR")}
    given = {name: quote_name(ours[name]) if ours[name] else "NULL" for name in kinds}
    if file_kind != "parquet":
        given = {name: f"nullif(CAST({value} AS VARCHAR), '')" for name, value in given.items()}
    return ", ".join(f"CAST({given[name]} AS {kind}) AS {name}" for name, kind in kinds.items())


def _names() -> str:
    return ", ".join((*_JUDGED, _VERSION, *_TOLD))


def _check(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse judgements that nobody can have made."""
    wrong = con.execute(
        "SELECT event_row, probability, verdict FROM verdicts"
        " WHERE probability IS NULL OR probability NOT BETWEEN 0 AND 1 OR isnan(probability)"
        " OR verdict NOT IN ('automated', 'human', 'unsure') ORDER BY event_row LIMIT 1"
    ).fetchall()
    if wrong:
        [(row, probability, verdict)] = wrong
        raise InputError(
            f"{path}: row {row % 2**40}: verdict {verdict!r} with probability {probability}; {_NEXT}, unchanged"
        )


def _metadata(con: duckdb.DuckDBPyConnection, path: Path) -> Mapping[str, str]:
    """What clicksift wrote of a Parquet file into it."""
    entries = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({quote_text(str(path))})"
    return dict(con.execute(f"{entries} WHERE decode(key) LIKE 'clicksift%'").fetchall())
