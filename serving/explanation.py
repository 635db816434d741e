"""All that speaks for a machine and for a person in a few events: what each sign adds, and its words.

`serving.reasons` says the strongest signs of every event of a file; this says all of them, of the events asked for.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import duckdb
import numpy as np
import pyarrow as pa

from features.arrow_columns import numbers, strings, to_array
from features.duckdb_engine import DuckDBEngine
from features.feature import Capability
from features.schema import event_row
from serving.model import BotClickModel
from serving.reason_words import MACROS, REASONS
from serving.reasons import WORDED, Explainer
from serving.reputation import join_reputations

EVERY_EVENT = "every event"


def contributions(
    con: duckdb.DuckDBPyConnection,
    model: BotClickModel,
    capabilities: Set[Capability],
    event_ids: Sequence[str],
    threads: int = 0,
) -> pa.Table:
    """What each sign adds to the log odds of the events named, of the tables `events` and `campaigns`.

    Columns: event_id, event_type, reason, log_odds, words and probability, the strongest first within an event; signs
    that add nothing are left out. `words` are those for a machine where `log_odds` is above 0 and those for a person
    below, NULL where the sign has nothing to say. The reason `EVERY_EVENT` is where all begin: with it the log odds of
    an event add up to its margin before calibration. `probability` is that after it. Events that are not judged have
    no row.
    """
    DuckDBEngine(con).compute(capabilities)
    join_reputations(con, model.reputation)
    con.register("named", pa.table({"event_id": strings(event_ids), "place": numbers(np.arange(len(event_ids)))}))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE asked AS
        SELECT f.event_row, e.event_id, e.event_type, n.place
        FROM facts AS f
        JOIN events AS e ON f.event_row = {event_row("e")}
        JOIN named AS n ON e.event_id = n.event_id
        """
    )
    con.unregister("named")
    for macro in MACROS:
        con.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
    for name, words in WORDED.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {words}")
    con.register("added", _added(con, model, threads))
    made = con.sql(_SIGNS).to_arrow_table()
    con.unregister("added")
    for name in ("asked", "reputations", *WORDED):
        con.execute(f"DROP TABLE {name}")
    return made


def _added(con: duckdb.DuckDBPyConnection, model: BotClickModel, threads: int) -> pa.Table:
    """event_row, number of the sign, log_odds and probability: a row for each sign of each event of `asked`."""
    names = ", ".join(model.feature_names)
    learnt = "" if model.reputation is None else " JOIN reputations USING (event_row)"
    rows = con.sql(f"SELECT event_row, {names} FROM features{learnt} JOIN asked USING (event_row)").to_arrow_table()
    X = np.column_stack([to_array(column) for column in rows.columns[1:]]).astype(np.float32, copy=False)
    added = Explainer(model).contributions(X)
    signs = added.shape[1]
    return pa.table(
        {
            "event_row": numbers(np.repeat(to_array(rows.column(0)), signs)),
            "number": numbers(np.tile(np.arange(signs), len(X))),
            "log_odds": numbers(added.ravel()),
            "probability": numbers(np.repeat(model.probability(X, threads), signs)),
        }
    )


_NAMES = ", ".join(f"'{reason.name}'" for reason in REASONS)
_SIGNS = f"""
    WITH words AS (
        SELECT
            f.event_row,
            unnest(range({len(REASONS)})) AS number,
            unnest([{", ".join(reason.machine for reason in REASONS)}]) AS machine,
            unnest([{", ".join(reason.person for reason in REASONS)}]) AS person
        FROM asked AS k
        JOIN facts AS f ON k.event_row = f.event_row
        JOIN features AS x ON f.event_row = x.event_row
        LEFT JOIN reputations AS q ON f.event_row = q.event_row
        LEFT JOIN address_words AS a ON f.address_id = a.address_id
        LEFT JOIN agent_words AS g ON f.agent_id = g.agent_id
    )
    SELECT
        k.event_id,
        k.event_type,
        coalesce([{_NAMES}][d.number + 1], '{EVERY_EVENT}') AS reason,
        d.log_odds,
        CASE WHEN d.log_odds > 0 THEN w.machine ELSE w.person END AS words,
        d.probability
    FROM added AS d
    JOIN asked AS k ON d.event_row = k.event_row
    LEFT JOIN words AS w ON d.event_row = w.event_row AND d.number = w.number
    WHERE d.log_odds <> 0
    ORDER BY k.place, k.event_row, abs(d.log_odds) DESC, d.number
"""
