"""What a campaign's figures become without machines: unique opens, clicks and unsubscribes, raw and by people.

All of it is one query over the tables `events` and `verdicts`, whether scoring has just made them or
`serving.scored_file` has read them back: the same file gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.arrow_columns import strings
from features.canonical import write_rows
from features.errors import InputError
from features.formula import defused_sql
from features.mailbox_host import HOSTS, mailbox_hosts
from features.readers.identifiers import quote_name
from features.schema import event_row
from serving.expected_people import USUAL, Expectation
from serving.figure_query import BREAKDOWNS, COUNTED, WHOLE, figure_query

NO_HOST = "not known"
_OPTIONS = {".parquet": "FORMAT parquet, COMPRESSION zstd", ".csv": "FORMAT csv, HEADER"}


def campaign_figures(
    con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation] = USUAL, by: str = "campaign"
) -> pa.Table:
    """One row a campaign, or whatever `by` of `BREAKDOWNS` says, of the tables `events` and `verdicts`.

    Opens, clicks and unsubscribes are unique (messages with at least one). Of each: `human_…` is the expected number of
    those made by a person, `…_low` and `…_high` its 95 % interval with the model's own error (`people`, of its
    manifest), `machine_…` the rest; `unsure_…` are messages whose only hope of a person is an unsure event. Rates are
    shares of the messages delivered, or of all with an event where nobody says. `delivered` is NULL where no delivery
    is in the file.

    `apple_prefetched` messages were opened by Apple's prefetch, so whether a person opened them is not known:
    `apple_opens` is what to expect of them if their readers open as often as the others, with its interval; NULL where
    the others are too few. Human click-to-open rates leave these messages out.

    Events without a campaign, domain or vendor are one of their own, ''. Rows by link are of a campaign's link and
    have no opens; those by vendor are of the messages that a vendor's machines touched, where one can be of several.
    """
    if by == "host":
        _make_hosts(con)
    if by == "vendor":
        _make_vendors(con)
    made = con.sql(figure_query(BREAKDOWNS[by], people)).to_arrow_table()
    for name in ("figure_hosts", "figure_vendors"):
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")
    return made


def _make_hosts(con: duckdb.DuckDBPyConnection) -> None:
    """The table `figure_hosts`: whose mailboxes each recipient domain has."""
    rows = con.execute("SELECT DISTINCT recipient_domain FROM events WHERE recipient_domain IS NOT NULL").fetchall()
    domains = sorted(domain for (domain,) in rows)
    codes = mailbox_hosts(domains, [None] * len(domains))["host_code"].to_pylist()
    hosts = strings(NO_HOST if code is None else HOSTS[code] for code in codes)
    con.register("hosts", pa.table({"recipient_domain": strings(domains), "host": hosts}))
    con.execute("CREATE OR REPLACE TEMP TABLE figure_hosts AS SELECT * FROM hosts")
    con.unregister("hosts")


def _make_vendors(con: duckdb.DuckDBPyConnection) -> None:
    """The table `figure_vendors`: which vendors' machines touched each message."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE figure_vendors AS
        SELECT DISTINCT hash(e.message_id, e.recipient_id) AS msg, v.vendor
        FROM verdicts AS v
        JOIN events AS e ON v.event_row = {event_row("e")}
        WHERE v.vendor IS NOT NULL AND v.verdict = 'automated'
        """
    )


def whole_figures(con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation] = USUAL) -> dict[str, Any]:
    """The same of all events together, as one row; empty where there are none."""
    rows: list[dict[str, Any]] = con.sql(figure_query(WHOLE, people)).to_arrow_table().to_pylist()
    return rows[0] if rows else {}


def machine_shares(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Events called automated by actor, vendor and type: actor, vendor (NULL unknown), opens, clicks, unsubscribes."""
    return con.sql(
        f"""
        SELECT
            v.actor,
            v.vendor,
            {", ".join(f"count(*) FILTER (e.event_type = '{kind}') AS {name}" for kind, name in COUNTED.items())}
        FROM verdicts AS v
        JOIN events AS e ON v.event_row = {event_row("e")}
        WHERE v.verdict = 'automated'
        GROUP BY 1, 2
        ORDER BY clicks DESC, opens DESC, 1, 2
        """
    ).to_arrow_table()


def check_breakdown(by: str) -> None:
    """Raise InputError for what figures cannot be broken down by."""
    if by not in BREAKDOWNS:
        raise InputError(f"--by {by}: expected {', '.join(BREAKDOWNS)}")


def check_figure_file(path: Path, what: str = "figures") -> None:
    """Raise InputError for a suffix that figures, or `what` else is a table, are not written to."""
    if path.suffix.lower() not in _OPTIONS:
        raise InputError(f"--output {path}: {what} are written as CSV or Parquet; name it {path.with_suffix('.csv')}")


def write_figures(con: duckdb.DuckDBPyConnection, figures: pa.Table, path: Path) -> None:
    """Write the figures to Parquet or CSV by the suffix, whole or not at all.

    In CSV, names that a spreadsheet would run as a formula get an apostrophe before them. Raises InputError where the
    file cannot be written, and for another suffix.
    """
    check_figure_file(path)
    columns = []
    for name, kind in zip(figures.column_names, figures.schema.types, strict=True):
        value = quote_name(name)
        if path.suffix.lower() == ".csv" and kind == pa.string():
            value = defused_sql(value)
        columns.append(f"{value} AS {quote_name(name)}")
    con.register("figures_to_write", figures)
    write_rows(con, f"SELECT {', '.join(columns)} FROM figures_to_write", path, _OPTIONS[path.suffix.lower()])
    con.unregister("figures_to_write")
