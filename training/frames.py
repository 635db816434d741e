"""Events and scores as pandas frames: what `import clicksift` gives to a notebook.

A frame is handed to the same readers and the same scoring as a file, so that both give the same figures. Here and not
in `serving`, which knows no pandas.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.canonical import write_events
from features.duckdb_engine import connect
from features.errors import InputError
from features.readers import ReadOptions, ReadSummary, read_campaigns, read_domains, read_events
from features.recipient_key import RecipientKey
from features.schema import EVENT_COLUMNS, event_row
from serving import scoring
from serving.campaigns import campaign_figures, check_breakdown
from serving.explanation import contributions
from serving.model import BotClickModel, bundled
from serving.scored_file import people_of, read_scored
from training.model_cache import PREFIX, registered_model

Table = str | Path | pd.DataFrame
Model = str | Path | BotClickModel

KEY = ".clicksift/recipient.key"
STORE = "sqlite:///mlflow.db"
# What the tables beside the events say of each: columns that a frame of events may have too.
OF_CAMPAIGN = ("n_links", "honeypot_url", "unsubscribe_url")
OF_DOMAIN = ("mx",)
_CANONICAL = tuple(column.name for column in EVENT_COLUMNS)
# How far two computations of one probability may lie apart.
_SAME = 1e-6


def read(
    events: Table | Sequence[str | Path],
    *,
    campaigns: Table | None = None,
    domains: Table | None = None,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    tz: str | None = None,
    path_patterns: Sequence[str] = (),
    max_errors: int | None = None,
    key_file: str | Path = KEY,
) -> pd.DataFrame:
    """Any export as a frame of canonical events, one row an event: read once, score as often as you like.

    `events` are files, folders or globs, or a frame with columns of your own; `format`, `mapping` (our column to
    yours), `tz`, `path_patterns` and `max_errors` are what the command calls --format, --map, --tz, --path-pattern
    and --max-errors. Times are UTC. Recipients' addresses are hashed with the key of `key_file`, made on first use.

    With `campaigns` (campaign_id, sent_at, n_links, honeypot_url, unsubscribe_url) and `domains` (recipient_domain,
    mx) each event also has what they say of it, in columns of these names, and scoring goes by them.

    What was set aside and what should be known of the file is given as warnings. Raises InputError for what cannot be
    read.

    >>> events = clicksift.read("demo/events.parquet", campaigns="demo/campaigns.parquet")
    >>> events["event_type"].value_counts().to_dict()
    {'delivered': 600, 'clicked': 431, 'opened': 347, 'unsubscribed': 31}
    """
    options = ReadOptions(
        mapping=dict(mapping or {}), tz=tz, max_errors=max_errors, format=format, path_patterns=tuple(path_patterns)
    )
    con = connect()
    _tell(_load(con, events, campaigns, domains, options, RecipientKey.load_or_create(key_file)))
    with _folder() as folder:
        write_events(con, folder / "events.parquet")
        frame = pd.read_parquet(folder / "events.parquet")
    return pd.concat([frame, _beside(con)], axis="columns")


def score(
    events: Table | Sequence[str | Path],
    *,
    campaigns: Table | None = None,
    domains: Table | None = None,
    model: Model | None = None,
    reasons: bool = True,
    threads: int = 0,
    key_file: str | Path = KEY,
) -> pd.DataFrame:
    """The events with our judgement beside: `probability`, `verdict`, `actor`, `vendor`, `reasons` and the rest.

    `events` are what `read` gave, or files that need no options to be read. One row an event, in their order; rows of
    a frame keep their index, and copies of an event become one. Events that nobody judges (all but opens, clicks and
    unsubscribes) have NULL there. Figures are those of `clicksift score`.

    `campaigns` and `domains` take the place of what the frame says of them. `model` is a model directory,
    models:/clicksift@champion of the MLflow store (MLFLOW_TRACKING_URI, or mlflow.db here), or a model; the bundled
    one without. Without `reasons` it takes a third less time. `threads` 0 takes all cores.

    An event is judged by what happened around it: score whole files, and not the clicks alone. Raises InputError for
    events that cannot be read, ModelError for a model that cannot be used.

    >>> scored = clicksift.score(events)
    >>> scored["verdict"].value_counts().to_dict()
    {'automated': 525, 'human': 279, 'unsure': 5}
    """
    judge, con = _judge(model), connect(threads=threads or None)
    summary = _load(con, events, campaigns, domains, None, RecipientKey.load_or_create(key_file))
    _tell(summary)
    scored = scoring.score(con, judge, summary.capabilities, threads=threads, reasons=reasons)
    with _folder() as folder:
        scoring.write_scored(con, folder / "scored.parquet", scored)
        frame = pd.read_parquet(folder / "scored.parquet")
    frame = pd.concat([frame, _beside(con)], axis="columns")
    if isinstance(events, pd.DataFrame):
        records = con.sql("SELECT record FROM events WHERE NOT is_context ORDER BY file_no, record").fetchall()
        frame.index = events.index[[record - 1 for (record,) in records]]
    return frame


def judged(events: pd.DataFrame, model: BotClickModel) -> pd.DataFrame:
    """Our judgement alone, one row for each row of `events` and with its index: what the registered model gives.

    Copies have their event's; rows that cannot be read, and events that nobody judges, have NULL. Raises InputError
    where no row can be read.
    """
    con = connect()
    summary = _load(con, events, None, None, None, None)
    scoring.score(con, model, summary.capabilities)
    columns = ", ".join(f"v.{name}" for name in scoring.VERDICT_COLUMNS)
    rows = con.sql(
        f"""
        WITH records AS (SELECT 1 AS file_no, range AS record FROM range(1, {len(events) + 1})),
        places AS (SELECT {event_row("r")} AS place FROM records AS r)
        SELECT {columns}
        FROM places AS p
        LEFT JOIN folded_copies AS c ON c.place = p.place
        LEFT JOIN verdicts AS v ON v.event_row = coalesce(c.event_row, p.place)
        ORDER BY p.place
        """
    )
    frame: pd.DataFrame = rows.to_arrow_table().to_pandas()
    return frame.set_axis(events.index)


def campaigns(scored: Table, *, by: str = "campaign", model: Model | None = None) -> pd.DataFrame:
    """Campaign figures of scored events: opens, clicks, rates and unsubscribes, raw, people's, machines', unsure.

    `scored` is what `score` gave, or a scored file; one row a campaign, or whatever `by` says: link, domain, host or
    vendor. `human_…` is the expected number made by people, `…_low` and `…_high` its 95 % interval. Name the `model`
    that scored them where it was not the bundled one. Raises InputError for what is no scored table.

    >>> figures = clicksift.campaigns(scored)
    >>> print(figures[["campaign_id", "messages", "clicks", "human_clicks"]].round(1).head(3))
               campaign_id  messages  clicks  human_clicks
    0            digest-01        67      11           7.0
    1  event-invitation-01        66      14           8.0
    2        newsletter-01        67      11           3.7
    """
    check_breakdown(by)
    con = connect()
    judge = None if model is None else _judge(model)
    if isinstance(scored, pd.DataFrame):
        judge = judge or bundled()
        _check_scored(scored, judge)
        with _file_of(scored, "scored.parquet") as path:
            file = read_scored(con, path)
    else:
        file = read_scored(con, Path(scored))
    people = people_of(file, judge if judge or file.people else bundled())
    figures: pd.DataFrame = campaign_figures(con, people, by).to_pandas()
    return figures


def explain(
    scored: Table,
    event_id: str | Sequence[str],
    *,
    campaigns: Table | None = None,
    domains: Table | None = None,
    model: Model | None = None,
    threads: int = 0,
) -> pd.DataFrame:
    """What speaks for a machine and what for a person in an event, the strongest first, in log odds and in words.

    `scored` is all that `score` gave, or a scored Parquet file: the signs of an event lie in the events around it.
    Computing them takes as long as scoring without reasons did, whether for one `event_id` or for many.

    One row a sign: `log_odds` above 0 speaks for a machine, below for a person; `words` are NULL where it has nothing
    to say. The row "every event" is where all begin; the log odds of an event add up to what the trees say of it
    before calibration.

    Raises InputError where an event is not there or was not judged, and where its probability comes out otherwise
    than in `scored`: part of the events is missing, or `campaigns`, `domains` or `model` are not those of `score`.

    >>> event_id = scored.loc[scored["vendor"] == "cisco", "event_id"].iloc[0]
    >>> signs = clicksift.explain(scored, event_id)
    >>> print(signs[["reason", "log_odds", "words"]].round(1).head(2).to_string(index=False))
            reason  log_odds                                                      words
           network       3.6 address in Cisco's own network (mail security, 2026-06-17)
    request method       3.1                                               HEAD request
    """
    judge, con = _judge(model), connect(threads=threads or None)
    frame = scored if isinstance(scored, pd.DataFrame) else _scored_parquet(Path(scored))
    _check_scored(frame, judge)
    asked = [event_id] if isinstance(event_id, str) else list(dict.fromkeys(event_id))
    rows = frame[frame["event_id"].isin(asked)]
    there, judged_ids = set(rows["event_id"]), set(rows.loc[rows["verdict"].notna(), "event_id"])
    for name in asked:
        if name not in there:
            raise InputError(f"event_id {name}: is not among the scored events; take one of their column event_id")
        if name not in judged_ids:
            raise InputError(f"event_id {name}: was not judged; take an open, a click or an unsubscribe")
    summary = _load(con, frame, campaigns, domains, None, None)
    found: pd.DataFrame = contributions(con, judge, summary.capabilities, asked, threads).to_pandas()
    _check_same(rows, found)
    return found.drop(columns="probability")


def _load(
    con: duckdb.DuckDBPyConnection,
    events: Table | Sequence[str | Path],
    campaigns: Table | None,
    domains: Table | None,
    options: ReadOptions | None,
    key: RecipientKey | None,
) -> ReadSummary:
    """The tables `campaigns`, `domains` and `events` of a connection."""
    with ExitStack() as files:
        if isinstance(events, pd.DataFrame):
            campaigns = _said_beside(events, "campaign_id", OF_CAMPAIGN) if campaigns is None else campaigns
            domains = _said_beside(events, "recipient_domain", OF_DOMAIN) if domains is None else domains
            own = [name for name in events.columns if name not in (*OF_CAMPAIGN, *OF_DOMAIN)]
            if set(_CANONICAL) <= set(own):
                own = list(_CANONICAL)
            events = [files.enter_context(_file_of(events[own], "frame"))]
        elif isinstance(events, str | Path):
            events = [events]
        read_campaigns(con, _path_of(campaigns, "campaigns", files), options)
        read_domains(con, _path_of(domains, "domains", files))
        return read_events(con, events, options, recipient_key=key)


def _said_beside(events: pd.DataFrame, key: str, names: Sequence[str]) -> pd.DataFrame | None:
    """The table of campaigns or domains that the columns `names` of a frame of events make up; None without them."""
    given = [name for name in names if name in events.columns]
    if not given or key not in events.columns:
        return None
    rows = events[[key, *given]].dropna(subset=[key]).drop_duplicates()
    return rows if len(rows) else None


def _beside(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What the tables `campaigns` and `domains` say of each event, in file order; no column where a table is empty."""
    columns = [
        f"{alias}.{name}"
        for alias, table, names in (("c", "campaigns", OF_CAMPAIGN), ("d", "domains", OF_DOMAIN))
        for name in names
        if con.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()
    ]
    rows = con.sql(
        f"""
        SELECT {", ".join(["e.file_no", *columns])}
        FROM events AS e
        LEFT JOIN campaigns AS c ON e.campaign_id = c.campaign_id
        LEFT JOIN domains AS d ON e.recipient_domain = d.recipient_domain
        WHERE NOT e.is_context
        ORDER BY e.file_no, e.record
        """
    )
    frame: pd.DataFrame = rows.to_arrow_table().drop_columns("file_no").to_pandas()
    return frame


def _tell(read: ReadSummary) -> None:
    """Warn whoever called `read` or `score` of what the command prints under "What was read"."""
    told = list(read.warnings)
    if read.rejected:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in read.rejected.items())
        told.append(
            f"{sum(read.rejected.values()):,} of {read.records:,} records were set aside: {reasons};"
            " `clicksift convert` writes them to a file"
        )
    for text in told:
        warnings.warn(text, stacklevel=3)


def _judge(model: Model | None) -> BotClickModel:
    if isinstance(model, BotClickModel):
        return model
    if isinstance(model, str) and model.startswith(PREFIX):
        return registered_model(model, os.environ.get("MLFLOW_TRACKING_URI", STORE))
    return bundled() if model is None else BotClickModel.load(model)


def _scored_parquet(path: Path) -> pd.DataFrame:
    if path.suffix.lower() != ".parquet":
        raise InputError(f"{path}: signs are told of a scored Parquet file, or of the frame that score gives; name one")
    try:
        return pd.read_parquet(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{path}: cannot be read ({str(error).splitlines()[0]}); name a scored Parquet file"
        ) from error


def _check_scored(frame: pd.DataFrame, judge: BotClickModel) -> None:
    """Refuse a frame that is none of `score`, or of another model."""
    if lacking := [name for name in ("event_id", "verdict", "model_version") if name not in frame.columns]:
        raise InputError(f"the frame has no column {lacking[0]}; give the one that clicksift.score returned")
    others = sorted(set(frame["model_version"].dropna()) - {judge.version})
    if others:
        raise InputError(f"the events were scored by model {others[0]}, not {judge.version}; name it as model=")


def _check_same(rows: pd.DataFrame, found: pd.DataFrame) -> None:
    """Refuse signs of another probability than the scored events have."""
    names = ["event_id", "event_type"]
    both = rows[rows["verdict"].notna()].merge(
        found.drop_duplicates(names), on=names, suffixes=("", "_found"), how="left"
    )
    apart = both[~((both["probability"] - both["probability_found"]).abs() <= _SAME)]
    if len(apart):
        one = apart.iloc[0]
        raise InputError(
            f"event_id {one['event_id']}: has probability {one['probability']:.6g} in the scored events and"
            f" {one['probability_found']:.6g} here; give explain all events of the scored frame, and the campaigns and"
            " domains that score was given"
        )


def _path_of(table: Table | None, name: str, files: ExitStack) -> Path | None:
    """The file of a table; a frame is written to one that lives as long as `files`."""
    if isinstance(table, pd.DataFrame):
        return files.enter_context(_file_of(table, name))
    return None if table is None else Path(table)


@contextmanager
def _file_of(frame: pd.DataFrame, name: str) -> Iterator[Path]:
    """The frame as a Parquet file, its index left out; InputError where a column is of several types."""
    with _folder() as folder:
        try:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            # The readers know microseconds; pandas may have nanoseconds.
            pq.write_table(table, folder / name, coerce_timestamps="us", allow_truncated_timestamps=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            reason = "; ".join(map(str, error.args)).splitlines()[0]
            raise InputError(f"the frame cannot be read ({reason}); give each column one type") from error
        yield folder / name


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clicksift-frame-") as folder:
        yield Path(folder)
