"""Batch scoring: from the events on a connection to a scored file.

Features, then probabilities a batch of rows at a time, then one join in file order that is written to a temporary
name and renamed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features import reference
from features.arrow_columns import numbers, to_array
from features.canonical import ROW_GROUP, write_rows
from features.duckdb_engine import DuckDBEngine
from features.engine import Progress
from features.errors import InputError
from features.facts import LOOK_AHEAD
from features.feature import CAPABILITIES, Capability
from features.formula import defused_sql
from features.readers import kept
from features.readers.identifiers import quote_name, quote_text
from features.schema import ENGAGEMENT, EVENT_COLUMNS, event_row
from serving.actor import ACTOR_SQL, VENDOR_EVIDENCE_SQL, VENDOR_SQL, name_gateways
from serving.expected_people import USUAL, Expectation, described, expectations
from serving.model import BotClickModel
from serving.reasons import Explainer, explain, explain_nothing, rank_columns
from serving.reputation import join_reputations

VERDICT_COLUMNS = ("probability", "verdict", "actor", "vendor", "vendor_evidence", "reasons", "provisional")
_TEXTS = ("vendor", "reasons")
# Where a Parquet file says how its people are counted.
PEOPLE_METADATA = "clicksift_people"
# What the export could be trusted to say, and the versions of the reference data.
CAPABILITIES_METADATA = "clicksift_capabilities"
REFERENCE_METADATA = "clicksift_reference"
FORMATS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json", ".ndjson": "json"}


@dataclass(frozen=True)
class Scored:
    """What `score` made: the tables `verdicts` and `facts` stay on the connection for figures of them.

    `people` is how the model's people are counted, by kind of event.
    """

    events: int
    judged: int
    provisional: int
    model_version: str
    capabilities: frozenset[Capability]
    people: Mapping[str, Expectation] = field(default_factory=lambda: USUAL)


def output_format(path: Path) -> str:
    """parquet, csv or json by the suffix; InputError for any other."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise InputError(
            f"{path}: cannot tell the output format from '{path.suffix}'; name it {', '.join(sorted(FORMATS))}"
        ) from None


def score(
    con: duckdb.DuckDBPyConnection,
    model: BotClickModel,
    capabilities: Set[Capability],
    *,
    threads: int = 0,
    reasons: bool = True,
    progress: Progress | None = None,
) -> Scored:
    """Judge the events of the connection (tables `events` and `campaigns`): makes the table `verdicts`.

    `verdicts` has event_row, probability, verdict, actor, vendor, vendor_evidence, reasons and provisional for every
    open, click and unsubscribe that is not context; `reasons` are NULL for human events, and for all where not asked
    for; `vendor_evidence` says how the vendor is known, NULL without one;
    `provisional` where the data does not cover the hour of look-ahead.
    """
    DuckDBEngine(con).compute(capabilities, progress=progress)
    if progress:
        progress("probabilities")
    join_reputations(con, model.reputation)
    _predict(con, model, capabilities, threads, Explainer(model) if reasons else None)
    if progress and reasons:
        progress("reasons")
    (explain if reasons else explain_nothing)(con)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE verdicts AS
        SELECT
            v.event_row, v.probability, v.verdict, {ACTOR_SQL} AS actor, {VENDOR_SQL} AS vendor,
            {VENDOR_EVIDENCE_SQL} AS vendor_evidence, r.reasons,
            f.us > (SELECT max(epoch_us(timestamp)) FROM events) - {LOOK_AHEAD} AS provisional
        FROM predicted AS v
        JOIN facts AS f ON v.event_row = f.event_row
        JOIN features AS x ON v.event_row = x.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN agents AS g ON f.agent_id = g.agent_id
        LEFT JOIN explained AS r ON v.event_row = r.event_row
        """
    )
    name_gateways(con)
    con.execute("DROP TABLE predicted")
    con.execute("DROP TABLE explained")
    con.execute("DROP TABLE reputations")
    # All rows are fetched: a result left half read blocks the connection for the caller's next query.
    [(judged, provisional)] = con.execute("SELECT count(*), count(*) FILTER (provisional) FROM verdicts").fetchall()
    [(events,)] = con.execute("SELECT count(*) FROM events WHERE NOT is_context").fetchall()
    people = expectations(model.manifest["metrics"])
    return Scored(events, judged, provisional, model.version, frozenset(capabilities), people)


def _predict(
    con: duckdb.DuckDBPyConnection,
    model: BotClickModel,
    capabilities: Set[Capability],
    threads: int,
    explainer: Explainer | None,
) -> None:
    """The table `predicted`: event_row, probability, verdict, and the ranks of the reasons from the explainer."""
    limits = "\n".join(
        f"WHEN f.kind = {kind} THEN CASE WHEN p.probability >= {at.automated!r} THEN 'automated'"
        f" WHEN p.probability < {at.human!r} THEN 'human' ELSE 'unsure' END"
        for kind, at in enumerate(model.thresholds_for(event_type, capabilities) for event_type in ENGAGEMENT)
    )
    names = ", ".join(model.feature_names)
    learnt = "" if model.reputation is None else " JOIN reputations USING (event_row)"
    reader = con.sql(f"SELECT event_row, {names} FROM features{learnt}").to_arrow_reader(ROW_GROUP)
    rows, probabilities = [np.empty(0, np.int64)], [np.empty(0)]
    for batch in reader:
        rows.append(to_array(batch.column(0)))
        X = np.column_stack([to_array(column) for column in batch.columns[1:]]).astype(np.float32, copy=False)
        probabilities.append((explainer or model).probability(X, threads))
    found = {"event_row": numbers(np.concatenate(rows)), "probability": numbers(np.concatenate(probabilities))}
    con.register("found", pa.table(found | (rank_columns(explainer.ranks()) if explainer else {})))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE predicted AS
        SELECT p.*, CASE {limits} END AS verdict
        FROM found AS p
        JOIN facts AS f ON p.event_row = f.event_row
        """
    )
    con.unregister("found")


def write_scored(con: duckdb.DuckDBPyConnection, path: Path, scored: Scored) -> None:
    """One row a canonical event in file order, with our columns: to Parquet, CSV or JSON lines by the suffix.

    Events that nobody judges have NULL in our columns. In CSV, text that a spreadsheet would run as a formula gets
    an apostrophe before it.
    """
    text = {column.name for column in EVENT_COLUMNS if column.type == "VARCHAR"}
    columns = [_cell(path, f"e.{column.name}", column.name, column.name in text) for column in EVENT_COLUMNS]
    columns += [_cell(path, f"v.{name}", name, name in _TEXTS) for name in VERDICT_COLUMNS]
    rows = f"""
        SELECT {", ".join(columns)}, '{scored.model_version}' AS model_version
        FROM events AS e
        LEFT JOIN verdicts AS v ON v.event_row = {event_row("e")}
        WHERE NOT e.is_context
        ORDER BY e.file_no, e.record"""
    _write(con, path, rows, scored)


def write_kept(con: duckdb.DuckDBPyConnection, path: Path, scored: Scored) -> None:
    """The person's own rows in file order, as they are, with our columns beside them.

    Copies have their event's verdict; rows that are no event, or none that is judged, have NULL. One of our columns
    whose name is taken is called clicksift_… instead. In CSV, cells that a spreadsheet would run as a formula get an
    apostrophe before them, unless they were in a CSV file already.
    """
    own: list[str] = []
    parts: list[str] = []
    for table in kept.tables(con):
        cells = []
        for name, kind in [row[:2] for row in con.execute(f"DESCRIBE {table}").fetchall()]:
            defused = kind == "VARCHAR" and name not in kept.PLACE and not table.startswith("kept_csv")
            cells.append(_cell(path, quote_name(name), name, defused))
            own.append(str(name))
        parts.append(f"SELECT {', '.join(cells)} FROM {table}")
    taken = {name.lower() for name in own}
    names = {name: f"clicksift_{name}" if name in taken else name for name in (*VERDICT_COLUMNS, "model_version")}
    columns = [f"k.{quote_name(name)}" for name in dict.fromkeys(own) if name not in kept.PLACE]
    columns += [_cell(path, f"v.{name}", names[name], name in _TEXTS) for name in VERDICT_COLUMNS]
    file, record = map(quote_name, kept.PLACE)
    place = event_row("k", file, record)
    rows = f"""
        SELECT {", ".join(columns)}, '{scored.model_version}' AS {quote_name(names["model_version"])}
        FROM ({" UNION ALL BY NAME ".join(parts)}) AS k
        LEFT JOIN folded_copies AS c ON c.place = {place}
        LEFT JOIN verdicts AS v ON v.event_row = coalesce(c.event_row, {place})
        ORDER BY k.{file}, k.{record}"""
    _write(con, path, rows, scored)


def _cell(path: Path, value: str, name: str, is_text: bool) -> str:
    """The value under its name; in CSV with an apostrophe where it would be run as a formula."""
    if output_format(path) == "csv" and is_text:
        value = defused_sql(value)
    return f"{value} AS {quote_name(name)}"


def _write(con: duckdb.DuckDBPyConnection, path: Path, rows: str, scored: Scored) -> None:
    kind = output_format(path)
    given = ",".join(c for c in CAPABILITIES if c in scored.capabilities)
    metadata = {"clicksift_model": scored.model_version, CAPABILITIES_METADATA: given}
    metadata[PEOPLE_METADATA] = json.dumps(described(scored.people), sort_keys=True)
    metadata[REFERENCE_METADATA] = json.dumps(reference.versions(), sort_keys=True)
    write_rows(con, rows, path, _copy_options(kind, metadata))


def _copy_options(kind: str, metadata: dict[str, str]) -> str:
    if kind == "parquet":
        pairs = ", ".join(f"{name}: {quote_text(value)}" for name, value in metadata.items())
        return f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, KV_METADATA {{{pairs}}}"
    return "FORMAT csv, HEADER" if kind == "csv" else "FORMAT json"
