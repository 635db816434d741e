"""Events opened for looking at, as the notebooks begin: judged ones for figures, labelled ones for mistakes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.duckdb_engine import connect
from features.errors import InputError
from features.feature import Capability
from features.readers import ReadOptions, ReadSummary, read_campaigns, read_domains, read_events, read_labels
from features.recipient_key import RecipientKey
from features.schema import ENGAGEMENT, event_row
from serving.model import AUTOMATED, HUMAN, UNSURE, BotClickModel, Thresholds, bundled
from serving.reason_words import REASONS
from serving.reasons import Explainer
from serving.scoring import Scored, score
from training.comparison import thresholds_of
from training.dataset import Dataset, as_wide, label_notes, labelled
from training.simulation import simulate
from training.slices import slice_columns
from training.world import PROFILES

Floats = npt.NDArray[np.float64]
KEY = Path(".clicksift") / "recipient.key"
# The environment's names for files of one's own; several events or labels with the system's path separator between.
EVENTS, CAMPAIGNS, LABELS, DOMAINS = (
    f"CLICKSIFT_{name}" for name in ("EVENTS", "CAMPAIGNS", "LABELS", "DOMAINS")
)  # fmt: skip
# By whose an event truly is, and what it is called: the first word is the label's, the second the verdict's.
OUTCOMES: Mapping[tuple[int, str], str] = {
    (0, HUMAN): "person kept",
    (0, UNSURE): "person unsure",
    (0, AUTOMATED): "person lost",
    (1, AUTOMATED): "machine found",
    (1, UNSURE): "machine unsure",
    (1, HUMAN): "machine missed",
}
LOST, FOUND, MISSED = OUTCOMES[0, AUTOMATED], OUTCOMES[1, AUTOMATED], OUTCOMES[1, HUMAN]
REASON_NAMES: tuple[str, ...] = tuple(reason.name for reason in REASONS)


@dataclass(frozen=True)
class Files:
    """What a notebook looks at, and the folder in which it may write.

    `labels` may be empty where nobody asks for them. Addresses are hashed with the project's key in the working
    directory, as on the command line.
    """

    events: Sequence[str | Path]
    campaigns: str | Path | None = None
    labels: Sequence[str | Path] = ()
    domains: str | Path | None = None
    options: ReadOptions | None = None
    folder: Path = Path()
    # Lives as long as the files are needed: a simulated sender's are removed with it.
    _kept: object = field(default=None, repr=False)

    def read(self, con: duckdb.DuckDBPyConnection) -> ReadSummary:
        """Read campaigns, domains and events to the connection, and labels where there are any.

        Raises InputError as the readers do.
        """
        read_campaigns(con, self.campaigns, self.options)
        read_domains(con, None if self.domains is None else Path(self.domains))
        read = read_events(con, self.events, self.options, recipient_key=RecipientKey.load_or_create(self.folder / KEY))
        if self.labels:
            read_labels(con, list(self.labels))
        return read

    @property
    def store(self) -> str:
        """The address of the MLflow store in the folder: for one's own files that of the command line."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"


def own_files() -> Files | None:
    """The files that the environment names; None where it names no events.

    CLICKSIFT_EVENTS and CLICKSIFT_LABELS may name several, CLICKSIFT_CAMPAIGNS and CLICKSIFT_DOMAINS one each.
    """
    events = _several(EVENTS)
    if not events:
        return None
    return Files(events, os.environ.get(CAMPAIGNS), _several(LABELS), os.environ.get(DOMAINS))


def simulated(seed: int, messages: int, kind: str = "anything") -> Files:
    """The files of a simulated sender, with the true labels, in a folder that is removed with the process.

    `kind` is one of `training.world.PROFILES`: anything, ordinary or hard.
    """
    kept = tempfile.TemporaryDirectory(prefix="clicksift-explored-")
    folder = Path(kept.name)
    simulate(seed, messages, profile=PROFILES[kind]).write(folder)
    events, campaigns, labels = (folder / f"{name}.parquet" for name in ("events", "campaigns", "labels"))
    return Files([events], campaigns, [labels], folder=folder, _kept=kept)


def _several(variable: str) -> list[str]:
    return [name for name in os.environ.get(variable, "").split(os.pathsep) if name]


@dataclass(frozen=True, eq=False)
class JudgedEvents:
    """All events of some files, judged: the tables of `serving.scoring.score` on the connection.

    `events` has a row a judged event, in the order of the files; see `EVENT_SQL` for its columns.
    """

    con: duckdb.DuckDBPyConnection
    read: ReadSummary
    scored: Scored
    events: pd.DataFrame


def judge(files: Files, model: BotClickModel | None = None, *, threads: int = 2) -> JudgedEvents:
    """Read the files and judge their events, by the bundled model unless another is given."""
    con = connect(threads=threads)
    read = files.read(con)
    scored = score(con, model or bundled(), read.capabilities, threads=threads)
    events = con.sql(f"""
        SELECT s.*, v.probability, v.verdict, v.actor, v.vendor, v.reasons
        FROM ({EVENT_SQL}) AS s
        JOIN verdicts AS v ON s.event_row = v.event_row
        ORDER BY s.event_row""").df()
    return JudgedEvents(con, read, scored, events)


@dataclass(frozen=True, eq=False)
class LabelledEvents:
    """Labelled events beside what a model says of them; row n of everything is the same event.

    `events` says what each event is: the columns of `EVENT_SQL`, then the `source` of its label, `is_automated` as
    labelled, `probability`, `verdict`, and `outcome`, a word of `OUTCOMES`. `properties` has a text column a way to
    slice them. `notes` say how the labels met the events, and whether the model was trained on them.
    """

    con: duckdb.DuckDBPyConnection
    capabilities: frozenset[Capability]
    model: BotClickModel
    data: Dataset
    probability: Floats
    thresholds: Mapping[str, Thresholds]
    events: pd.DataFrame
    properties: pd.DataFrame
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.data)

    def rows(self, *outcomes: str) -> npt.NDArray[np.int64]:
        """The positions of the events with one of these outcomes."""
        return np.flatnonzero(self.events["outcome"].isin(outcomes))

    @property
    def inputs(self) -> npt.NDArray[np.float32]:
        """The model's inputs; what it has learnt of reputations is not asked."""
        return as_wide(self.data.X, len(self.model.feature_names))

    @cached_property
    def contributions(self) -> Floats:
        """What each of `REASON_NAMES` adds to the log odds of being automated, shape (n, reasons), exact.

        20 µs an event. Positive speaks for a machine.
        """
        return Explainer(self.model).contributions(self.inputs)[:, :-1]


def open_labelled(files: Files, model: BotClickModel | None = None, *, threads: int = 2) -> LabelledEvents:
    """Read the files and their labels, by the bundled model unless another is given.

    Raises InputError where there are no labels, or none that names an open, click or unsubscribe of the events.
    """
    if not files.labels:
        raise InputError(f"labels: none are named; set {LABELS}, or make some with `clicksift label`")
    con = connect(threads=threads)
    read = files.read(con)
    model = model or bundled()
    data = labelled(con, read.capabilities)
    if not len(data):
        raise InputError("labels: none is about an open, click or unsubscribe of the events; check their event_id")
    properties = slice_columns(con).to_pandas()
    events = con.sql(f"""
        SELECT s.*, coalesce(l.source, '') AS source, l.automated AS is_automated
        FROM ({EVENT_SQL}) AS s
        JOIN event_labels AS l ON s.event_row = l.event_row
        ORDER BY s.event_row""").df()
    probability = model.probability(as_wide(data.X, len(model.feature_names)), threads)
    verdict = model.verdicts(probability, np.asarray(ENGAGEMENT, dtype=object)[data.kind], read.capabilities)
    outcome = [OUTCOMES[y, word] for y, word in zip(data.y.tolist(), verdict, strict=True)]
    notes = label_notes(con)
    if model.manifest["training"].get("data_fingerprint") == data.fingerprint():
        notes += (f"model {model.version} was trained on these labels: it repeats them, right or wrong",)
    return LabelledEvents(
        con,
        read.capabilities,
        model,
        data,
        probability,
        thresholds_of(model, read.capabilities),
        events.assign(probability=probability, verdict=verdict, outcome=outcome),
        properties,
        notes,
    )


# Of each judged event what a person asks first. `visitor` is the network and the agent in words, `after_s` the seconds
# since delivery, or since sending where no delivery is known.
_NETWORK = "replace(coalesce(a.operator, a.as_name, a.kind, a.category, 'network not listed'), '_', ' ')"
_AGENT = """
    CASE WHEN g.agent_id IS NULL THEN 'no agent'
        WHEN g.kind = 'apple_mpp' THEN 'Apple''s prefetch'
        WHEN g.kind = 'gmail_prefetch' THEN 'Gmail''s prefetch'
        WHEN g.kind IN ('browser', 'mail_client')
        THEN concat_ws(' on ', replace(g.family, '_', ' '), replace(g.os, '_', ' '))
        ELSE replace(concat_ws(' of ', g.kind, g.vendor), '_', ' ') END
"""
EVENT_SQL = f"""
    SELECT
        f.event_row, e.event_id, e.raw_ref, e.event_type, e.timestamp, f.msg AS message, e.campaign_id,
        e.recipient_domain, e.url, e.link_id, e.http_method,
        CASE WHEN f.address_id IS NULL THEN 'no address' ELSE {_NETWORK} END AS network, {_AGENT} AS agent,
        (f.us - coalesce(f.delivered_us, f.sent_us)) / 1e6 AS after_s
    FROM facts AS f
    JOIN features AS x ON f.event_row = x.event_row
    JOIN events AS e ON f.event_row = {event_row("e")}
    LEFT JOIN addresses AS a ON f.address_id = a.address_id
    LEFT JOIN agents AS g ON f.agent_id = g.agent_id
"""
