"""The features on one machine: the staged query on DuckDB, with the few functions whose names differ.

Tables it needs on the connection: `events` with `is_context`, `file_no` and `record`, and `campaigns`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from pathlib import Path
from tempfile import gettempdir

import duckdb
import pyarrow as pa

from features.catalog import FEATURES
from features.engine import Progress
from features.errors import InputError
from features.feature import Capability, Feature
from features.query import stages
from features.tags import address_table, agent_table

# Our stages are written with Spark's names; DuckDB gets them as macros. Keys are only ever compared with each other.
_PRELUDE = (
    "CREATE OR REPLACE TEMP MACRO xxhash64(x) AS CAST(hash(x) >> 1 AS BIGINT)",
    "CREATE OR REPLACE TEMP MACRO unix_micros(t) AS epoch_us(t)",
)
_KEPT = frozenset({"features", "addresses", "agents", "facts"})


def connect(
    memory: str | None = None, threads: int | None = None, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB in UTC; `memory` like '2GB' bounds it, `spill` is the folder where it goes beyond that.

    Without `spill` that is a folder of this process in the system's place for temporary files.

    Raises InputError where `memory` is not a size.
    """
    con = duckdb.connect(":memory:")
    con.execute("SET TimeZone = 'UTC'")
    if memory:
        try:
            con.execute("SET memory_limit = ?", [memory])
        except duckdb.Error as error:
            raise InputError(f"memory {memory!r}: is not a size; write it as 2GB or 500MB") from error
    if threads:
        con.execute("SET threads = ?", [threads])
    folder = spill or Path(gettempdir()) / f"clicksift-spill-{os.getpid()}"
    con.execute("SET temp_directory = ?", [str(folder)])
    return con


class DuckDBEngine:
    """`compute` on one DuckDB connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection, features: Sequence[Feature] = FEATURES) -> None:
        self._con = con
        self._features = features

    def compute(
        self, capabilities: Set[Capability], *, coarse_times: bool = False, progress: Progress | None = None
    ) -> None:
        """Make the table `features`; see `features.engine.Engine`."""
        for statement in _PRELUDE:
            self._con.execute(statement)
        self._con.execute("SET preserve_insertion_order = false")
        for stage in stages(self._features, capabilities, coarse_times=coarse_times):
            if stage.name == "facts":
                self._tag()
            if progress:
                progress(stage.name.replace("_", " "))
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE {stage.name} AS {stage.sql}")
        self._con.execute("SET preserve_insertion_order = true")
        for stage in stages(self._features, capabilities):
            if stage.name not in _KEPT:
                self._con.execute(f"DROP TABLE {stage.name}")

    def _tag(self) -> None:
        """Look each distinct address and agent up once: the tables `addresses` and `agents`."""
        self._register("addresses", address_table(self._distinct("ip")))
        self._register("agents", agent_table(self._distinct("user_agent")))

    def _distinct(self, column: str) -> list[str]:
        query = f"SELECT DISTINCT {column} FROM engagement WHERE {column} IS NOT NULL ORDER BY 1"
        values: list[str] = self._con.sql(query).to_arrow_table().column(0).to_pylist()
        return values

    def _register(self, name: str, table: pa.Table) -> None:
        self._con.register("tagged", table)
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM tagged")
        self._con.unregister("tagged")
