"""Reputations learnt from labels: the columns that trees are grown on, and the table that a model keeps.

A labelled event sees earlier labels only, and of its network, system and agent only those of organisations outside of
its fold: what its own organisation's labels say must not reach it by another way. Of its domain it sees the domain's
own earlier labels, which is what a known organisation is worth; `masked` shows half of the organisations as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import FEATURE_NAMES
from serving.model import BotClickModel
from serving.reputation import (
    AGENT,
    ALL,
    ASN,
    CLICKED,
    DOMAIN,
    FEWEST_MESSAGES,
    HALF_LIFE_US,
    KINDS,
    NAMED_AGENT,
    NAMED_DOMAIN,
    NETWORK,
    OPENED,
    REPUTATION_CATEGORICAL,
    REPUTATION_NAMES,
    SCHEMA,
    join_reputations,
    network_texts,
    odds_sql,
    prior,
    tag_domains,
)
from training.dataset import Dataset

Matrix = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]]

FOLDS = 5
# Labels of the last hour are not known when an event is judged.
GAP_US = 3_600_000_000
UNKNOWN_ORGANISATIONS = 0.5
MASKED_ROWS = 1 / 3
# Of each kind the keys with the most messages: a few megabytes in a model.
MOST_KEYS = 50_000
# Older labels count as if they were so old, 2 ** -20: sums of the newest and the oldest fit into one float.
_OLDEST_US = 20 * HALF_LIFE_US
_DOMAIN_COLUMN = REPUTATION_NAMES.index("domain_reputation")
# Of each kind its column of `label_rows`.
_KEYS = {NETWORK: "net", ASN: "asn", AGENT: "agent_id", DOMAIN: "dom", ALL: "everything"}
_TEXT_COLUMNS = {AGENT: "user_agent", DOMAIN: "recipient_domain"}


def reputation_columns(con: duckdb.DuckDBPyConnection, data: Dataset, *, seed: int) -> Matrix:
    """`REPUTATION_NAMES` of the labelled events, in the order of `training.dataset.labelled`: shape (n, 6).

    To be called while the tables that `labelled` left are those of `data`. NaN where fewer than three earlier messages
    are known. The organisations are laid into folds by `seed`. Raises ValueError where the tables are of other events.
    """
    _label_rows(con)
    query = "SELECT net, asn, agent_id, dom, clicked, us, host_code, gateway_code FROM label_rows ORDER BY event_row"
    events = con.sql(query).to_arrow_table()
    if len(events) != len(data):
        raise ValueError(f"{len(events):,} labelled events on the connection, {len(data):,} in the data; label again")
    fold = _drawn(data.organisation, seed, FOLDS)
    con.register("folds", pa.table({"row_number": np.arange(len(fold)), "fold": fold}))
    clicked, us = events["clicked"].to_numpy(zero_copy_only=False), events["us"].to_numpy()
    priors = _priors(_messages(con, ALL))[clicked.astype(np.int64)]
    columns = []
    for kind in KINDS:
        key = events[_KEYS[kind]]
        asked = {"key": pc.fill_null(key, 0).to_numpy(), "clicked": clicked, "us": us, "fold": fold}
        known = key.is_valid().to_numpy(zero_copy_only=False)
        sums = _earlier(_messages(con, kind, folds=True), asked, apart=kind != DOMAIN)
        columns.append(_odds(con, sums, priors, known))
    con.unregister("folds")
    con.execute("DROP TABLE label_rows")
    codes = [events[name].cast(pa.float64()).to_numpy() for name in ("host_code", "gateway_code")]
    return np.column_stack([*columns, *codes]).astype(np.float32)


def masked(columns: Matrix, organisation: Ints, *, seed: int) -> Matrix:
    """The columns to grow trees on: nothing in a random third of the rows, no domain in half of the organisations.

    So the trees stay good at senders and organisations that no label names.
    """
    result = columns.copy()
    result[_drawn(organisation, seed, 1_000) < UNKNOWN_ORGANISATIONS * 1_000, _DOMAIN_COLUMN] = np.nan
    result[np.random.default_rng([seed, len(columns)]).random(len(columns)) < MASKED_ROWS] = np.nan
    return result


def monotone(names: Sequence[str]) -> list[int]:
    """LightGBM's `monotone_constraints` for inputs of these names: a higher reputation never speaks for a person.

    Without it the trees find quirks of one sender's labels that do not hold for the next.
    """
    return [int(name in REPUTATION_NAMES and name not in REPUTATION_CATEGORICAL) for name in names]


def without_domain(columns: Matrix) -> Matrix:
    """The columns as they are of organisations that no label names: to judge those that are held out."""
    result = columns.copy()
    result[:, _DOMAIN_COLUMN] = np.nan
    return result


def shown_to_trees(data: Dataset, seed: int) -> Dataset:
    """The rows as growing trees see them: `masked` where they have reputations, as they are where not."""
    return _replaced(data, lambda columns: masked(columns, data.organisation, seed=seed))


def judged_apart(data: Dataset) -> Dataset:
    """The rows as of organisations that no label names: `without_domain` where they have reputations."""
    return _replaced(data, without_domain)


def _replaced(data: Dataset, change: Callable[[Matrix], Matrix]) -> Dataset:
    n = len(FEATURE_NAMES)
    if data.X.shape[1] == n:
        return data
    return replace(data, X=np.column_stack([data.X[:, :n], change(data.X[:, n:])]))


def reputation_table(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What a model keeps of the labels of the last `labelled` (`serving.reputation.SCHEMA`).

    Networks, systems, agents and domains with at least three labelled messages, the 50,000 with the most of each, and
    all labels together. No recipient, no address.
    """
    _label_rows(con)
    parts = [_totals(con, ALL)]
    for kind in KINDS:
        totals = _totals(con, kind)
        totals = totals.filter(pc.greater_equal(totals["messages"], FEWEST_MESSAGES))
        parts.append(totals.sort_by([("messages", "descending"), ("key", "ascending")])[:MOST_KEYS])
    con.execute("DROP TABLE label_rows")
    return pa.concat_tables(parts).sort_by([("kind", "ascending"), ("key", "ascending"), ("event_type", "ascending")])


def model_inputs(con: duckdb.DuckDBPyConnection, model: BotClickModel, data: Dataset) -> Matrix:
    """The inputs of `model` for the events of `data`, which the last `labelled` on the connection gave."""
    if model.reputation is None:
        return data.X
    join_reputations(con, model.reputation)
    table = con.sql(f"""
        SELECT {", ".join(f"q.{name}" for name in REPUTATION_NAMES)}
        FROM event_labels AS l
        JOIN reputations AS q ON l.event_row = q.event_row
        ORDER BY l.event_row""").to_arrow_table()
    return np.column_stack([data.X, *(column.to_numpy() for column in table.columns)]).astype(np.float32)


def _label_rows(con: duckdb.DuckDBPyConnection) -> None:
    """The temp table `label_rows`: of each labelled event its keys, NULL where there is none that may be kept."""
    tag_domains(con)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE label_rows AS
        SELECT
            l.event_row, row_number() OVER (ORDER BY l.event_row) - 1 AS row_number,
            CAST(l.automated AS INTEGER) AS automated, CAST(coalesce(l.weight, 1) AS DOUBLE) AS weight,
            f.us, f.msg, f.kind > 0 AS clicked, f.net, CAST(a.asn AS BIGINT) AS asn, CAST(0 AS BIGINT) AS everything,
            CASE WHEN {NAMED_AGENT} THEN CAST(f.agent_id AS BIGINT) END AS agent_id, g.user_agent,
            CASE WHEN {NAMED_DOMAIN} THEN f.dom END AS dom, d.recipient_domain, d.host_code, d.gateway_code
        FROM event_labels AS l
        JOIN facts AS f ON l.event_row = f.event_row
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN agents AS g ON f.agent_id = g.agent_id
        LEFT JOIN recipient_domains AS d ON f.dom = d.dom""")
    con.execute("DROP TABLE recipient_domains")


def _messages(con: duckdb.DuckDBPyConnection, kind: str, *, folds: bool = False) -> Columns:
    """Labelled messages, a row for each key, event type and message: its last label's time, weight, automated part.

    In order of key, event type and time; `fold` is that of the table `folds`.
    """
    key, fold = _KEYS[kind], "any_value(o.fold)" if folds else "0"
    table = con.sql(f"""
        SELECT
            {key} AS key, clicked, max(us) AS us, CAST({fold} AS BIGINT) AS fold, max(weight) AS total,
            max(weight) * sum(weight * automated ORDER BY event_row) / sum(weight ORDER BY event_row) AS automated
        FROM label_rows AS r {"JOIN folds AS o ON r.row_number = o.row_number" if folds else ""}
        WHERE {key} IS NOT NULL AND weight > 0
        GROUP BY key, clicked, msg
        ORDER BY key, clicked, us, msg""").to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}


def _priors(messages: Columns) -> Floats:
    """The share of all labels: of opens, and of clicks and unsubscribes."""
    faded = _faded(messages["us"].max(initial=0) - messages["us"])
    sums = [messages[name] * faded for name in ("automated", "total")]
    kinds = [messages["clicked"] == clicked for clicked in (False, True)]
    return np.array([prior(*(float(values[mine].sum()) for values in sums)) for mine in kinds])


def _earlier(messages: Columns, asked: Columns, *, apart: bool) -> Floats:
    """Automated, total and number of the messages more than an hour before each event, shape (3, n); faded since.

    Of the same key and event type; `apart` leaves out those of the event's own fold.
    """
    newest = messages["us"].max(initial=0)
    amounts = np.stack([messages["automated"], messages["total"], np.ones(len(messages["us"]))])
    amounts[:2] *= _faded(newest - messages["us"])
    both = {name: np.concatenate([messages[name], asked[name]]) for name in ("key", "clicked", "fold")}
    group = np.unique(both["key"], return_inverse=True)[1] * 2 + both["clicked"]
    times = messages["us"], asked["us"] - GAP_US
    sums = _before(amounts, group, *times)
    if apart:
        sums -= _before(amounts, group * FOLDS + both["fold"], *times)
    sums[:2] *= 1 / _faded(newest - asked["us"])
    return np.maximum(sums, 0)


def _before(amounts: Floats, group: Ints, given_us: Ints, asked_us: Ints) -> Floats:
    """Sums of the amounts whose time is less than that of each asked row of the same group; given rows come first."""
    given = len(given_us)
    is_given = np.arange(len(group)) < given
    # At the same time what is asked goes before what is given, which is not yet counted then.
    order = np.lexsort((is_given, np.concatenate([given_us, asked_us]), group))
    padded = np.concatenate([amounts, np.zeros((len(amounts), len(asked_us)))], axis=1)
    running = np.concatenate([np.zeros((len(amounts), 1)), np.cumsum(padded[:, order], axis=1)], axis=1)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    begin = np.searchsorted(group[order], group[given:])
    return np.asarray(running[:, place[given:]] - running[:, begin])


def _faded(age_us: Ints) -> Floats:
    return np.asarray(np.exp2(-np.clip(age_us, -_OLDEST_US, _OLDEST_US) / HALF_LIFE_US))


def _odds(con: duckdb.DuckDBPyConnection, sums: Floats, priors: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    automated, total, messages = sums
    con.register("asked", pa.table({"automated": automated, "total": total, "prior": priors}))
    odds = con.sql(f"SELECT {odds_sql('automated', 'total', 'prior')} AS odds FROM asked").to_arrow_table()
    con.unregister("asked")
    return np.where(known & (messages > FEWEST_MESSAGES - 0.5), odds["odds"].to_numpy(), np.nan)


def _totals(con: duckdb.DuckDBPyConnection, kind: str) -> pa.Table:
    """`SCHEMA` rows of a kind: the messages of each key and event type, faded until its last label."""
    messages = _messages(con, kind)
    key, clicked, us = messages["key"], messages["clicked"], messages["us"]
    if not len(key):
        return SCHEMA.empty_table()
    begin = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]) | (clicked[1:] != clicked[:-1])]))
    counts = np.diff(np.concatenate([begin, [len(key)]]))
    last = us[begin + counts - 1]
    faded = _faded(np.repeat(last, counts) - us)
    columns = {
        "kind": [kind] * len(begin),
        "key": _texts(con, kind, key[begin]),
        "event_type": [CLICKED if which else OPENED for which in clicked[begin]],
        "automated": np.add.reduceat(messages["automated"] * faded, begin),
        "total": np.add.reduceat(messages["total"] * faded, begin),
        "messages": counts,
        "last_seen": pa.array(last, pa.timestamp("us", tz="UTC")),
    }
    return pa.table(columns, SCHEMA)


def _texts(con: duckdb.DuckDBPyConnection, kind: str, keys: Ints) -> list[str]:
    if kind in _TEXT_COLUMNS:
        query = f"SELECT DISTINCT {_KEYS[kind]}, {_TEXT_COLUMNS[kind]} FROM label_rows WHERE {_KEYS[kind]} IS NOT NULL"
        named = dict(con.execute(query).fetchall())
        return [named[key] for key in keys.tolist()]
    if kind == NETWORK:
        return network_texts(keys.tolist())
    return ["" if kind == ALL else str(key) for key in keys.tolist()]


def _drawn(organisation: Ints, seed: int, n: int) -> Ints:
    """A number below n for each organisation, the same for equal seeds whatever other organisations there are."""
    mixed = organisation.astype(np.uint64) ^ np.random.default_rng(seed).integers(1 << 63, dtype=np.uint64)
    # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): without it neighbouring numbers share their lot.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed >> np.uint64(33)) % np.uint64(n), dtype=np.int64)
