"""Labelled feature rows: what fitting and evaluation work on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, fields, replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import DuckDBEngine
from features.engine import Progress
from features.feature import Capability
from features.schema import event_row
from serving.booster import Booster
from serving.reputation import REPUTATION_NAMES

# Mailbox hosts whose recipients have nothing in common but the host: each recipient is an organisation of its own.
CONSUMER_HOSTS: tuple[str, ...] = (
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "ymail.com", "aol.com",
    "outlook.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "live.com", "msn.com", "icloud.com", "me.com",
    "mac.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "orange.fr",
    "free.fr", "laposte.net", "sfr.fr", "wanadoo.fr", "libero.it", "virgilio.it", "tiscali.it", "mail.ru",
    "yandex.ru", "qq.com", "163.com", "126.com", "naver.com", "comcast.net", "verizon.net", "att.net",
    "sbcglobal.net", "cox.net", "btinternet.com", "sky.com", "proton.me", "protonmail.com", "fastmail.com",
    "zoho.com", "mail.com", "uol.com.br", "bol.com.br", "terra.com.br", "seznam.cz", "wp.pl", "o2.pl",
    "onet.pl", "interia.pl", "bluewin.ch", "telenet.be", "skynet.be", "ziggo.nl", "kpnmail.nl",
)  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """n labelled events.

    `X` float32 (n, n_features) in catalogue order, with the columns of reputations behind them or without; `y` 1 for
    automated; `weight`; `organisation` and `message` integer keys; `us` microseconds since 1970; `kind` 0 open, 1
    click, 2 unsubscribe; `campaign` key; `slice` the label's source; `start` the margin that new trees add to, 0 where
    they begin with nothing.
    """

    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.int8]
    weight: Floats
    organisation: npt.NDArray[np.int64]
    message: npt.NDArray[np.int64]
    campaign: npt.NDArray[np.int64]
    recipient: npt.NDArray[np.int64]
    us: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    slice: npt.NDArray[np.object_]
    start: Floats

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: npt.NDArray[np.generic]) -> Dataset:
        """The rows of a boolean mask or of positions."""
        return Dataset(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def weighted(self, factor: float | Floats) -> Dataset:
        """The same rows, each counting `factor` times as much."""
        return replace(self, weight=self.weight * factor)

    def begun_with(self, booster: Booster, threads: int = 0) -> Dataset:
        """The same rows, where new trees add to those of `booster`."""
        return replace(self, start=booster.predict_raw(as_wide(self.X, len(booster.feature_names)), threads))

    def without(self, features: Collection[str]) -> Dataset:
        """The same rows with nothing known of these features: no tree grown on them asks for one."""
        if not features:
            return self
        X = self.X.copy()
        X[:, np.isin(FEATURE_NAMES, list(features)).nonzero()[0]] = np.nan
        return replace(self, X=X)

    def fingerprint(self) -> str:
        """Of the catalogue's features, labels and weights, in 16 hexadecimal digits; the same with reputations."""
        digest = hashlib.sha256()
        for values in (self.X[:, : len(FEATURE_NAMES)], self.y, self.weight):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:16]


def concatenate(sets: Sequence[Dataset]) -> Dataset:
    """All rows of all sets, in order."""
    return Dataset(**{f.name: np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(Dataset)})


def labelled(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability],
    *,
    coarse_times: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """The labelled events of the connection (tables `events`, `campaigns`, `labels`) with their features.

    An organisation is a recipient domain; at consumer mailbox hosts and where no domain is given each recipient is
    one, and where there is no recipient each message. Leaves the tables that `label_notes` asks.
    """
    DuckDBEngine(con).compute(capabilities, coarse_times=coarse_times, progress=progress)
    match_labels(con)
    con.register("consumer_hosts", pa.table({"host": list(CONSUMER_HOSTS)}))
    columns = ", ".join(f"x.{name}" for name in FEATURE_NAMES)
    table = con.sql(
        f"""
        SELECT {columns}, CAST(l.automated AS TINYINT) AS y, CAST(coalesce(l.weight, 1) AS DOUBLE) AS weight,
            f.us, CAST(f.kind AS TINYINT) AS kind, f.msg AS message, coalesce(f.camp, 0) AS campaign,
            coalesce(f.rcpt, f.msg) AS recipient,
            CASE WHEN e.recipient_domain IS NULL OR h.host IS NOT NULL THEN coalesce(f.rcpt, f.msg)
                 ELSE CAST(hash(e.recipient_domain) >> 1 AS BIGINT) END AS organisation,
            coalesce(l.source, '') AS slice
        FROM features AS x
        JOIN facts AS f ON x.event_row = f.event_row
        JOIN events AS e ON x.event_row = {event_row("e")}
        JOIN event_labels AS l ON x.event_row = l.event_row
        LEFT JOIN consumer_hosts AS h ON e.recipient_domain = h.host
        ORDER BY x.event_row
        """
    ).to_arrow_table()
    con.unregister("consumer_hosts")
    return Dataset(
        X=matrix(table),
        **{f.name: table[f.name].to_numpy() for f in fields(Dataset) if f.name not in ("X", "slice", "start")},
        slice=table["slice"].to_numpy(zero_copy_only=False).astype(object),
        start=np.zeros(len(table)),
    )


@dataclass(frozen=True)
class Unlabelled:
    """How many judged events have no label, and the features of a sample of them.

    `kind` is 0 for an open, 1 for a click, 2 for an unsubscribe.
    """

    events: int
    X: npt.NDArray[np.float32]
    kind: npt.NDArray[np.int8]


def unlabelled(con: duckdb.DuckDBPyConnection, most: int = 20_000) -> Unlabelled:
    """The events without a label after `labelled`; the sample is the same for the same events."""
    without = "FROM features AS x ANTI JOIN event_labels AS l ON x.event_row = l.event_row"
    events = int(con.execute(f"SELECT count(*) {without}").fetchall()[0][0])
    columns = ", ".join(f"x.{name}" for name in FEATURE_NAMES)
    table = con.sql(f"""
        WITH drawn AS (SELECT {columns}, x.event_row {without} ORDER BY hash(x.event_row), x.event_row LIMIT {most})
        SELECT d.*, CAST(f.kind AS TINYINT) AS kind_of_event
        FROM drawn AS d JOIN facts AS f ON d.event_row = f.event_row
        ORDER BY d.event_row""").to_arrow_table()
    return Unlabelled(events, matrix(table), table["kind_of_event"].to_numpy())


def label_notes(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """What a person should know of how the labels of the last `labelled` met the events; nothing where all fit."""
    # Only files of rows to review, and of labels, leave them.
    for table in ("unfilled_labels", "torn_labels"):
        con.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (rows BIGINT)")
    given, used, differing, unfilled, torn = con.sql("""
        SELECT
            (SELECT count(*) FROM labels),
            (SELECT count(DISTINCT label) FROM matched_labels),
            (SELECT count(*) FROM event_labels WHERE differing),
            (SELECT coalesce(sum(rows), 0) FROM unfilled_labels),
            (SELECT coalesce(sum(rows), 0) FROM torn_labels)
        """).fetchall()[0]
    notes = []
    if unfilled:
        notes.append(f"{unfilled:,} rows to review are not filled in and are no labels")
    if torn:
        notes.append(f"{torn:,} reviewed labels were cut off while they were written and are no labels")
    if used < given:
        notes.append(f"{given - used:,} of {given:,} labels name no open, click or unsubscribe of the events")
    if differing:
        notes.append(f"{differing:,} events have copies labelled both automated and human; they count as human")
    return tuple(notes)


def match_labels(con: duckdb.DuckDBPyConnection) -> None:
    """`matched_labels`, a row for each judged event that a label names, and of it `event_labels`, a row an event.

    A label that names a folded copy is of the event which the copy became. Where copies are labelled differently a
    person is among those who made the event, and it is theirs.
    """
    # Only the readers fold; events from elsewhere come without this table.
    con.execute("CREATE TEMP TABLE IF NOT EXISTS folded_copies (raw_ref VARCHAR, place BIGINT, event_row BIGINT)")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE matched_labels AS
        WITH numbered AS (
            SELECT *, row_number() OVER () AS label FROM labels
        ),
        judged AS (
            SELECT e.event_id, e.raw_ref, x.event_row
            FROM features AS x
            JOIN events AS e ON x.event_row = {event_row("e")}
        ),
        records AS (
            SELECT raw_ref, event_row FROM judged
            UNION ALL
            SELECT c.raw_ref, c.event_row FROM folded_copies AS c JOIN judged AS j ON c.event_row = j.event_row
        )
        SELECT l.label, l.automated, l.source, l.weight, r.event_row
        FROM numbered AS l
        JOIN records AS r ON l.raw_ref = r.raw_ref
        UNION ALL
        SELECT l.label, l.automated, l.source, l.weight, j.event_row
        FROM numbered AS l
        JOIN judged AS j ON l.event_id = j.event_id
        WHERE l.raw_ref IS NULL
        """)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE event_labels AS
        SELECT
            event_row,
            bool_and(automated) AS automated,
            bool_or(automated) <> bool_and(automated) AS differing,
            CASE WHEN bool_and(automated) THEN min(source) ELSE min(source) FILTER (NOT automated) END AS source,
            CASE WHEN bool_and(automated) THEN max(weight) ELSE max(weight) FILTER (NOT automated) END AS weight
        FROM matched_labels
        GROUP BY event_row
        """)


def input_names(columns: int) -> tuple[str, ...]:
    """The names of so many columns of `X`: the catalogue's features, and behind them those of reputations, if any."""
    return (*FEATURE_NAMES, *REPUTATION_NAMES)[:columns]


def as_wide(X: npt.NDArray[np.float32], columns: int) -> npt.NDArray[np.float32]:
    """The first `columns` columns, contiguous; NaN where `X` has fewer, as where no reputation is known."""
    lacking = max(0, columns - X.shape[1])
    return np.ascontiguousarray(np.pad(X[:, :columns], ((0, 0), (0, lacking)), constant_values=np.nan))


def matrix(table: pa.Table) -> npt.NDArray[np.float32]:
    """The feature columns as a float32 matrix, NaN for NULL."""
    X = np.empty((len(table), len(FEATURE_NAMES)), dtype=np.float32)
    for position, name in enumerate(FEATURE_NAMES):
        X[:, position] = table[name].to_numpy(zero_copy_only=False)
    return X
