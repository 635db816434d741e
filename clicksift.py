"""The front door: the `clicksift` command, and what `import clicksift` gives to a notebook.

The command parses, calls and prints; the work is in the packages. `read`, `score`, `campaigns` and `explain` are
those of `training.frames`, imported at their first use.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from features.errors import ClicksiftError, InputError

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from features.feature import Capability
    from features.readers import ReadOptions, ReadSummary
    from features.recipient_key import RecipientKey
    from serving.expected_people import Expectation
    from serving.model import BotClickModel
    from serving.monitor import Drift
    from serving.scored_file import ScoredFile
    from training.challenge import Comparison
    from training.frames import campaigns, explain, read, score
    from training.promote import Champion

FRAMES = ("read", "score", "campaigns", "explain")
__all__ = ["app", "campaigns", "explain", "main", "read", "score"]

app = typer.Typer(
    name="clicksift",
    help="Tell machine opens and clicks from human ones in email event files.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
reference_app = typer.Typer(
    name="reference",
    help="Renew the reference data (networks, autonomous systems) from official lists, and see how old it is.",
    no_args_is_help=True,
)
app.add_typer(reference_app)

Events = Annotated[list[Path], typer.Argument(help="Files, folders or globs: exports, logs, tables; gzip and zip too.")]
Campaigns = Annotated[
    Path | None,
    typer.Option("--campaigns", help="Table with campaign_id, sent_at, n_links, honeypot_url, unsubscribe_url."),
]
Domains = Annotated[
    Path | None,
    typer.Option("--domains", help="Table with recipient_domain and mx, the names of its mail exchangers."),
]
Context = Annotated[
    list[Path] | None, typer.Option("--context", help="Events that are read and not scored. Repeatable.")
]
Mappings = Annotated[
    list[str] | None,
    typer.Option("--map", help="Our column = yours, as in --map ip=client_address. Repeatable."),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="The platform whose export it is, as in sendgrid; default: told by its content."),
]
KeepRows = Annotated[
    bool, typer.Option("--keep-rows", help="Write your own rows and columns as they are, ours beside them.")
]
Reasons = Annotated[
    bool,
    typer.Option(
        "--reasons/--no-reasons", help="Say why an event is not called human; takes up to a third of the time."
    ),
]
Zone = Annotated[str | None, typer.Option("--tz", help="Zone of times without one, as in Europe/Berlin; default UTC.")]
Capabilities = Annotated[
    str | None,
    typer.Option("--capabilities", help="What the file can be trusted to say, as in address,agent; default: found."),
]
PathPatterns = Annotated[
    list[str] | None,
    typer.Option(
        "--path-pattern",
        help="Which requests of an access log are events, and whose, as in 'clicked=^/go/(?P<message>[^/]+)';"
        " groups: message, recipient, campaign, link, url, event. Repeatable.",
    ),
]
MaxErrors = Annotated[
    int | None, typer.Option("--max-errors", min=0, help="Stop where more rows than this must be set aside.")
]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads to use; 0 for all.")]
Memory = Annotated[str | None, typer.Option("--memory", help="Bound on DuckDB's memory, as in 2GB.")]
KeyFile = Annotated[
    Path, typer.Option("--key-file", help="Project key that hashes recipients' addresses; made on first use.")
]
TrackingUri = Annotated[
    str, typer.Option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow store that trainings recorded in.")
]
DEFAULT_STORE = "sqlite:///mlflow.db"
MLFLOW = "mlflow"
DEFAULT_KEY = Path(".clicksift/recipient.key")


def __getattr__(name: str) -> Any:
    """The functions for a notebook: importing pandas takes longer than a command's --help."""
    if name not in FRAMES:
        raise AttributeError(f"module 'clicksift' has no attribute {name!r}")
    from training import frames

    return getattr(frames, name)


@dataclass(frozen=True)
class Reading:
    """How events are read: a field an option, the same ones in every command that reads events."""

    events: Events
    campaigns: Campaigns = None
    domains: Domains = None
    context: Context = None
    file_format: Format = None
    mapping: Mappings = None
    tz: Zone = None
    path_patterns: PathPatterns = None
    capabilities: Capabilities = None
    max_errors: MaxErrors = None
    memory: Memory = None
    threads: Threads = 0
    key_file: KeyFile = DEFAULT_KEY

    def keep_apart(self, outputs: list[Path], others: Iterable[Path | None] = ()) -> None:
        """Refuse outputs that lie among what is read, or that cannot be written."""
        from features.files import check_writable

        inputs = [*others, self.campaigns, self.domains, self.key_file]
        for output in outputs:
            _keep_inputs(output, [*self.events, *(self.context or ())], inputs)
            check_writable(output)

    def connect(self) -> DuckDBPyConnection:
        """A connection within the bounds given; a damaged copy of the reference data is refused before any reading."""
        from features.duckdb_engine import connect
        from features.reference import user_copy

        user_copy()
        return connect(memory=self.memory, threads=self.threads or None)

    def read(
        self,
        con: DuckDBPyConnection,
        progress: Callable[[str], None],
        *,
        rejected: Path | None = None,
        keep_rows: bool = False,
    ) -> ReadSummary:
        """Read campaigns, domains and events to the connection."""
        from features.readers import read_campaigns, read_domains, read_events

        options = self.options
        read_campaigns(con, self.campaigns, options)
        read_domains(con, self.domains)
        return read_events(
            con,
            self.events,
            options,
            context=self.context or (),
            recipient_key=self.key,
            rejected=rejected,
            keep_rows=keep_rows,
            progress=progress,
        )

    @property
    def options(self) -> ReadOptions:
        """The options as the readers take them; InputError where a mapping is none."""
        return _options(self.file_format, self.mapping, self.path_patterns, self.tz, self.max_errors)

    @property
    def key(self) -> RecipientKey:
        """The key that hashes recipients' addresses."""
        return _key(self.key_file)

    def trusted(self, read: ReadSummary) -> frozenset[Capability]:
        """What the files can be trusted to say: what --capabilities lists, or what was found in them."""
        return _capabilities(self.capabilities, read.capabilities)


@dataclass(frozen=True)
class ReadingScored:
    """How a scored file is read: a field an option, the same ones in every command that reads one."""

    scored: Annotated[Path, typer.Argument(help="Scored file: .parquet, .csv or .jsonl.")]
    model: Annotated[
        Path | None,
        typer.Option("--model", help="The model that scored a file that is no Parquet; default: the bundled one."),
    ] = None
    file_format: Format = None
    mapping: Mappings = None
    tz: Zone = None
    path_patterns: PathPatterns = None
    memory: Memory = None
    threads: Threads = 0

    def keep_apart(self, output: Path | None, others: Iterable[Path | None] = ()) -> None:
        """Refuse an output that is also read, or that cannot be written."""
        from features.files import check_writable

        if output is not None:
            _keep_inputs(output, [self.scored], [self.model, *others])
            check_writable(output)

    def connect(self) -> DuckDBPyConnection:
        """A connection within the bounds given."""
        from features.duckdb_engine import connect

        return connect(memory=self.memory, threads=self.threads or None)

    def read(self, con: DuckDBPyConnection) -> ScoredFile:
        """Read the file to the connection, as it was when it had been scored."""
        from serving.scored_file import read_scored

        return read_scored(con, self.scored, self.options)

    def people(self, file: ScoredFile) -> Mapping[str, Expectation]:
        """How the file's people are counted: as it says itself, or its model."""
        from serving.scored_file import people_of

        return people_of(file, None if file.people and self.model is None else _model(self.model))

    @property
    def options(self) -> ReadOptions:
        """The options as the readers take them; InputError where a mapping is none."""
        return _options(self.file_format, self.mapping, self.path_patterns, self.tz, None)


Command = Callable[..., None]


def reads_events(*left_out: str, memory: str | None = None) -> Callable[[Command], Command]:
    """Give a command the options of `Reading`, but those left out, in place of its parameter `reading`.

    EVENTS come where that parameter stands, the options behind the command's own.
    """
    return _with_options_of(Reading, left_out, {"memory": memory} if memory else {})


def reads_scored(*left_out: str) -> Callable[[Command], Command]:
    """Give a command the options of `ReadingScored`, but those left out, in place of its parameter `reading`."""
    return _with_options_of(ReadingScored, left_out, {})


def _with_options_of(
    kind: type[Reading] | type[ReadingScored], left_out: Sequence[str], defaults: Mapping[str, Any]
) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        hints = get_type_hints(kind, include_extras=True)
        shared = [
            Parameter(
                field.name,
                Parameter.POSITIONAL_OR_KEYWORD,
                annotation=hints[field.name],
                default=defaults.get(field.name, _default(field)),
            )
            for field in fields(kind)
            if field.name not in left_out
        ]
        own = list(signature(command, eval_str=True).parameters.values())
        place = [given.name for given in own].index("reading")
        told = Signature([*own[:place], shared[0], *own[place + 1 :], *shared[1:]])

        @wraps(command)
        def with_options(*given: Any, **named: Any) -> None:
            bound = told.bind(*given, **named)
            bound.apply_defaults()
            reading = kind(**{each.name: bound.arguments.pop(each.name) for each in shared})
            command(reading=reading, **bound.arguments)

        with_options.__signature__ = told  # type: ignore[attr-defined]  # inspect looks for it
        with_options.__annotations__ = {each.name: each.annotation for each in told.parameters.values()}
        return with_options

    return decorate


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default


@app.command("score")
@reads_events()
def score_command(
    reading: Reading,
    output: Annotated[Path, typer.Option("--output", "-o", help="Scored file: .parquet, .csv or .jsonl.")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="Model directory, or models:/clicksift@champion; default: the bundled model."),
    ] = None,
    tracking_uri: TrackingUri = DEFAULT_STORE,
    monitor: Annotated[
        str | None,
        typer.Option(
            "--monitor", help="JSON file for how far these events are from the model's training; 'mlflow' keeps a run."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="HTML page of what was found, to be shown.")] = None,
    keep_rows: KeepRows = False,
    reasons: Reasons = True,
) -> None:
    """Judge every open, click and unsubscribe, and show what machines did to each campaign's figures.

    Example: clicksift score events.parquet --campaigns campaigns.parquet --output scored.parquet

    Example: clicksift score sendgrid-webhook/ --keep-rows --output scored.csv

    Example: clicksift score events.parquet --output scored.parquet --report report.html

    Example: clicksift score events.parquet --model models:/clicksift@champion --monitor drift.json -o scored.parquet
    """
    from datetime import UTC, datetime

    from serving import monitor as monitoring
    from serving import scoring
    from serving.campaigns import campaign_figures, machine_shares
    from serving.platform_flags import agreement
    from serving.summary import summary

    started = time.perf_counter()
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    scoring.output_format(output)
    drift_file = _drift_file(monitor)
    _check_page(report, "--report")
    reading.keep_apart([output, rejected, *filter(None, [drift_file, report])])
    con = reading.connect()
    judge = _judge(model, tracking_uri)
    with _progress("reading", con) as progress:
        read = reading.read(con, progress, rejected=rejected, keep_rows=keep_rows)
        scored = scoring.score(
            con,
            judge,
            reading.trusted(read),
            threads=reading.threads,
            reasons=reasons,
            progress=progress,
        )
        drift = monitoring.drift(con, judge, scored.capabilities)
        progress(f"writing {output}")
        write = scoring.write_kept if keep_rows else scoring.write_scored
        write(con, output, scored)
        if drift_file is not None:
            monitoring.write_drift(drift_file, drift)
        elif monitor and drift:
            progress("keeping a run in MLflow")
            _keep_drift(drift, tracking_uri)
        if report is not None:
            from features import reference
            from serving.report import Origin, write_report

            origin = Origin(
                ", ".join(path.name for path in reading.events),
                (scored.model_version,),
                scored.people,
                scored.capabilities,
                reference.versions(),
                read,
                tuple(drift.lines()) if drift else (),
            )
            write_report(con, origin, report, progress)
    seconds = time.perf_counter() - started
    console = _console()
    today = datetime.now(UTC).date()
    figures, machines, flags = campaign_figures(con, scored.people), machine_shares(con), agreement(con)
    console.print(summary(read, scored, figures, machines, seconds, console.width, today, flags))
    for line in drift.lines() if drift else ():
        console.print(f"  {line}.", style="dim", soft_wrap=True, markup=False)
    if monitor and not drift:
        console.print(f"Model {judge.version} has no profile of its training to compare with.", soft_wrap=True)
    console.print(f"Scored {'rows' if keep_rows else 'events'} are in {output}.", soft_wrap=True, markup=False)
    if report is not None:
        console.print(f"The report is in {report}; open it in a browser.", soft_wrap=True, markup=False)
    if keep_rows:
        console.print("Your own columns are in it as they were, recipients' addresses too.", soft_wrap=True)
    if read.rejected:
        console.print(f"What was set aside is in {rejected}, as it stood in your file.", soft_wrap=True, markup=False)


@app.command("campaigns")
@reads_scored()
def campaigns_command(
    reading: ReadingScored,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Figures as a table: .csv or .parquet.")] = None,
    by: Annotated[str, typer.Option("--by", help="campaign, link, domain, host or vendor.")] = "campaign",
) -> None:
    """Figures of a scored file: raw, people's with 95 % intervals, machines', by campaign or what else is wanted.

    Files scored with --keep-rows take the reading options that they were scored with.

    Example: clicksift campaigns scored.parquet --output campaigns.csv

    Example: clicksift campaigns scored.parquet --by domain --output domains.parquet
    """
    from serving.campaign_table import figure_table
    from serving.campaigns import (
        campaign_figures,
        check_breakdown,
        check_figure_file,
        machine_shares,
        whole_figures,
        write_figures,
    )
    from serving.summary import headline

    check_breakdown(by)
    if output is not None:
        check_figure_file(output)
        reading.keep_apart(output)
    con = reading.connect()
    with _progress(f"reading {reading.scored}", con) as progress:
        people = reading.people(reading.read(con))
        progress("figures")
        totals = campaign_figures(con, people)
        figures = totals if by == "campaign" else campaign_figures(con, people, by)
        whole = whole_figures(con, people)
        if output is not None:
            write_figures(con, figures, output)
    console = _console()
    for line in headline(totals.to_pylist(), machine_shares(con).to_pylist()):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(figure_table(figures.to_pylist(), console.width, by, whole))
    if output is not None:
        console.print(f"Figures are in {output}.", soft_wrap=True, markup=False)


@app.command()
@reads_scored()
def report(
    reading: ReadingScored,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page: .html.")] = Path("report.html"),
    campaigns: Campaigns = None,
) -> None:
    """One HTML page of a scored file, to be shown: figures, whose machines, unsubscribes, what to do.

    It needs no network and names no recipient. Files scored with --keep-rows take the reading options that they were
    scored with. clicksift score --report makes the page too, and says in it what was set aside.

    Example: clicksift report scored.parquet --output report.html
    """
    from features.readers import read_campaigns
    from serving.report import Origin, write_report

    _check_page(output, "--output")
    reading.keep_apart(output, [campaigns])
    con = reading.connect()
    with _progress(f"reading {reading.scored}", con) as progress:
        read_campaigns(con, campaigns, reading.options)
        file = reading.read(con)
        origin = Origin(
            reading.scored.name, file.model_versions, reading.people(file), file.capabilities, file.reference
        )
        write_report(con, origin, output, progress)
    _console().print(f"The report is in {output}; open it in a browser.", soft_wrap=True, markup=False)


@app.command()
@reads_scored()
def unsubscribes(
    reading: ReadingScored,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Each unsubscribe with its evidence and decision: .csv or .parquet."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Rates by day or campaign.")] = "day",
) -> None:
    """Which unsubscribes to leave, to ask about, or may be restored, and why; their rate, raw and people's.

    Nothing is restored by the command. Restore is said only of a link fetched inside a scanner's burst where nothing
    points to a person; one-click requests and spam complaints are always left. Files scored with --keep-rows take the
    reading options that they were scored with; whose addresses are in them is found by raw_ref, the file and row.

    Example: clicksift unsubscribes scored.parquet --output review.csv
    """
    from serving.campaigns import check_figure_file, write_figures
    from serving.unsubscribe_tables import WARNING, decision_line, decision_table, rate_table
    from serving.unsubscribes import check_rates, rates
    from serving.unsubscribes import review as reviewed

    check_rates(by)
    if output is not None:
        check_figure_file(output, "unsubscribes")
        reading.keep_apart(output)
    con = reading.connect()
    with _progress(f"reading {reading.scored}", con) as progress:
        people = reading.people(reading.read(con))
        progress("unsubscribes")
        found, over_time = reviewed(con), rates(con, people, by)
        if output is not None:
            write_figures(con, found, output)
    console, rows = _console(), found.select(["decision", "ground", "event_type", "recipient_id"]).to_pylist()
    console.print(decision_line(rows), soft_wrap=True)
    if rows:
        console.print()
        console.print(decision_table(rows))
        console.print()
        console.print(rate_table(over_time.to_pylist()))
        console.print()
        console.print(WARNING, soft_wrap=True)
    if output is not None:
        console.print(f"Each with its evidence is in {output}.", soft_wrap=True, markup=False)


@app.command()
@reads_scored("model")
def advice(
    reading: ReadingScored,
) -> None:
    """What to do about the machines of a scored file: with its figures, texts to send to administrators, and sources.

    Example: clicksift advice scored.parquet > what-to-do.txt
    """
    from serving.advice import advice as advised
    from serving.advice import plain_text

    con = reading.connect()
    with _progress(f"reading {reading.scored}", con):
        file = reading.read(con)
        found = advised(con, file.capabilities)
    console = _console()
    console.print(plain_text(found, min(console.width, 120)), soft_wrap=True, markup=False)


@app.command()
@reads_events()
def train(
    reading: Reading,
    labels: Annotated[
        list[Path],
        typer.Option("--labels", help="Table with event_id or raw_ref, and automated (true or false). Repeatable."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model directory to write.")],
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="Model whose trees the new ones are put behind: a directory, or models:/clicksift@champion; default:"
            " the bundled model.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with no trees: know these events alone.")] = False,
    max_loss: Annotated[
        float,
        typer.Option(
            "--max-loss", min=0.0001, max=0.5, help="Largest share of people's events that may be called automated."
        ),
    ] = 0.005,
    label_noise: Annotated[
        str,
        typer.Option(
            "--label-noise",
            help="What becomes of labels that are probably wrong: keep, weigh (a fifth), drop, or auto: drop where many"
            " are.",
        ),
    ] = "auto",
    prior: Annotated[
        float | None,
        typer.Option(
            "--prior",
            min=0.001,
            max=0.999,
            help="Share of automated events where the model will be used; default: as in these events.",
        ),
    ] = None,
    reputation: Annotated[
        bool,
        typer.Option(
            "--reputation",
            help="Keep what the labels say of networks, agents and recipient domains, for the same sender's campaigns.",
        ),
    ] = False,
    tune: Annotated[
        int, typer.Option("--tune", min=0, help="Try so many choices of parameters on folds first; can be resumed.")
    ] = 0,
    hold_out: Annotated[
        bool,
        typer.Option("--hold-out", help="Show what is found of each vendor by trees that never met it; takes longer."),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Same data and seed, same model.")] = 7,
    tracking_uri: Annotated[
        str,
        typer.Option(
            "--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow store of the run; 'none' keeps no record."
        ),
    ] = DEFAULT_STORE,
) -> None:
    """Retrain on labelled campaigns: a model directory, its figures, and a run in MLflow.

    New trees are put behind those of a model that knows many senders. Labels that are probably wrong are listed in
    OUTPUT.suspects.csv. The new model is compared with the champion, for clicksift promote.

    Example: clicksift train events.parquet --labels labels.parquet --campaigns campaigns.parquet --output model

    Example: clicksift train may/ june/ --labels may.csv --labels june.csv --reputation --tune 20 --output model
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from features.readers import read_labels
    from serving.model_directory import check_replaceable
    from training.fit import FRESH, WARM
    from training.noise import check_treatment, write_suspects
    from training.promote import challenge as against_champion
    from training.promote import present_champion
    from training.retrain import Choices
    from training.retrain import train as retrain
    from training.summary import beside_rules, training_report
    from training.tracking import storage_beside

    cores = reading.threads or os.cpu_count() or 1
    suspects = output.with_name(f"{output.name}.suspects.csv")
    check_replaceable(output)
    choices = Choices(
        fresh=fresh,
        parameters=replace(FRESH if fresh else WARM, seed=seed),
        noise=check_treatment(label_noise),
        prior=prior,
        allowance=max_loss,
        reputation=reputation,
        hold_out=hold_out,
        trials=tune,
        storage=storage_beside(tracking_uri) if tune else None,
    )
    reading.keep_apart([suspects], labels)
    begun_with = _judge(base, tracking_uri)
    con = reading.connect()
    with _progress("reading", con) as progress:
        read = reading.read(con, progress)
        read_labels(con, labels)
        present = reading.trusted(read)
        if tracking_uri != "none":
            from training.tracking import log_training, open_store

            open_store(tracking_uri)
        trained = retrain(
            con,
            present,
            base=begun_with,
            choices=choices,
            created=datetime.now(UTC).date(),
            threads=cores,
            progress=progress,
        )
        trained.model.save(output)
        suspects.unlink(missing_ok=True)
        if trained.noise.suspects.any():
            write_suspects(con, trained.noise, suspects)
        progress("comparing with the champion")
        compared = against_champion(trained, present_champion(tracking_uri), trained.words, present, seed=seed)
        judgements = beside_rules(con, trained, present, seed=seed, progress=progress)
        tracked = ""
        if tracking_uri != "none":
            progress("logging the run to MLflow")
            tracked = log_training(
                trained, output, tracking_uri, comparison=compared, tuning=trained.tuning, rules=judgements
            )
    console = _console()
    for part in training_report(trained, compared, judgements):
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
    if trained.noise.suspects.any():
        console.print(f"Labels that are less likely than not are in {suspects}.", soft_wrap=True, markup=False)
    record = f", registered as {tracked}" if tracked else ""
    console.print(f"Model {trained.model.version} is in {output}{record}.", soft_wrap=True, markup=False)


@app.command()
@reads_events()
def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="Model directory, models:/clicksift/3, or 'bundled'."),
    ],
    reading: Reading,
    labels: Annotated[
        Path, typer.Option("--labels", help="Table with event_id or raw_ref, and automated (true or false).")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="CSV file for the figures of the model, its slices and every rule."),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder for two pictures: reliability.svg and recall.svg.")
    ] = None,
    tracking_uri: TrackingUri = DEFAULT_STORE,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws that intervals are made of.")] = 7,
) -> None:
    """Measure a model on labelled events, beside the rules that other systems use.

    Example: clicksift evaluate bundled events.parquet --labels labels.parquet --campaigns campaigns.parquet
    """
    from features.readers import read_labels
    from training.measurement import measure, report

    if output is not None and output.suffix.lower() != ".csv":
        raise InputError(f"--output {output}: figures are written as CSV; name it {output.with_suffix('.csv')}")
    reading.keep_apart([*filter(None, [output]), *_pictures(plots)], [labels])
    judge = _judge(None if model == "bundled" else model, tracking_uri)
    con = reading.connect()
    with _progress("reading", con) as progress:
        read = reading.read(con, progress)
        read_labels(con, labels)
        measured = measure(con, judge, reading.trusted(read), seed=seed, threads=reading.threads, progress=progress)
        if output is not None:
            measured.write(output)
        if plots is not None:
            from training.plots import write_plots

            write_plots(plots, measured.data, measured.probability, f"model {judge.version}")
    console = _console()
    for part in report(measured):
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
    for written, what in ((output, "figures"), (plots, "pictures")):
        if written is not None:
            console.print(f"The {what} are in {written}.", soft_wrap=True, markup=False)


@app.command()
@reads_events("domains")
def discover(
    reading: Reading,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="CSV file of what is found; clicksift reference update takes it."),
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="Model directory; default: the bundled model.")] = None,
) -> None:
    """Find networks, agents and recipient domains that behave like a scanner and are in no list; needs no labels.

    Example: clicksift discover events.parquet --campaigns campaigns.parquet --output networks.csv
    """
    from training.discover import discover as search
    from training.discover_output import discovery_tables, write_networks

    if output is not None and output.suffix.lower() != ".csv":
        raise InputError(f"--output {output}: networks are written as CSV; name it {output.with_suffix('.csv')}")
    reading.keep_apart([*filter(None, [output])])
    judge = _model(model)
    con = reading.connect()
    with _progress("reading", con) as progress:
        read = reading.read(con, progress)
        found = search(con, judge, reading.trusted(read), threads=reading.threads, progress=progress)
        if output is not None:
            write_networks(output, found)
    console = _console()
    for part in discovery_tables(found):
        console.print(part, soft_wrap=isinstance(part, str))
    if output is not None:
        console.print(
            f"They are in {output}. Look through it; clicksift reference update {output} makes a list of yours of it.",
            soft_wrap=True,
            markup=False,
        )


@app.command()
def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Its number, or models:/clicksift/N.")],
    tracking_uri: TrackingUri = DEFAULT_STORE,
    force: Annotated[bool, typer.Option("--force", help="Promote against what the comparison says.")] = False,
    why: Annotated[str | None, typer.Option("--why", help="The reason for --force, kept with the version.")] = None,
    events: Annotated[
        list[Path] | None, typer.Option("--events", help="Compare now, on these labelled events. Repeatable.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Their labels: event_id or raw_ref, and automated.")
    ] = None,
    campaigns: Campaigns = None,
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Make a registered model champion, unless it loses more people or finds less of a vendor than the one before.

    It goes by the comparison that its training recorded, or by labelled events given here (other exports: clicksift
    convert writes them as events). What speaks against it is refused beyond the noise alone: the interval of the
    difference leaves out 0, and the difference is above 0.1 points of people's events or 1 point of machines'.

    Example: clicksift promote 3

    Example: clicksift promote 3 --events may.parquet --labels may-labels.parquet
    """
    from training import promote as promotion
    from training.registry import Registry

    if force != bool(why and why.strip()):
        raise InputError("--force and --why TEXT belong together; give both to overrule what the comparison says")
    if (labels is None) != (not events):
        raise InputError("--events and --labels belong together; give both to compare the models on them")
    console = _console()
    registry = Registry(tracking_uri)
    with _progress("reading the registry") as progress:
        compare = None
        if events and labels:
            compare = _comparer(events, labels, campaigns, key_file, threads, progress)
        try:
            done = promotion.promote(version, registry, why=why, compare=compare)
        except promotion.Refused as refused:
            _show(refused.comparison, console)
            raise
    if done.comparison:
        _show(done.comparison, console)
    if not done.is_new:
        console.print(f"{done.name} is champion already.", soft_wrap=True)
        return
    for reason in done.against:
        console.print(f"Overruled: {reason}.", soft_wrap=True, markup=False)
    console.print(
        f"{done.name} is champion now, in place of {done.before}. `clicksift rollback` puts that back.",
        soft_wrap=True,
        markup=False,
    )


@app.command()
def rollback(tracking_uri: TrackingUri = DEFAULT_STORE) -> None:
    """Put back the champion before the present one; once more goes one further back.

    Example: clicksift rollback --tracking-uri sqlite:///mlflow.db
    """
    from training import promote as promotion
    from training.registry import Registry

    done = promotion.rollback(Registry(tracking_uri))
    _console().print(f"{done.name} is champion again, in place of {done.before}.", soft_wrap=True)


@app.command()
@reads_events("domains")
def label(
    reading: Reading,
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: one row a labelled event.")],
    conversions: Annotated[
        list[Path] | None,
        typer.Option(
            "--conversions",
            help="Table of what people did after a click: message_id or recipient_id, timestamp, and where known ip,"
            " user_agent, event_type (conversion, login, form submission, reply). Repeatable.",
        ),
    ] = None,
    reviewed: Annotated[
        list[Path] | None,
        typer.Option(
            "--reviewed",
            help="Labels that a person made: event_id or raw_ref, and automated. The last word. Repeatable.",
        ),
    ] = None,
    suggest: Annotated[
        int | None, typer.Option("--suggest", min=1, help="So many rows to review go to --review-file.")
    ] = None,
    review_file: Annotated[
        Path | None, typer.Option("--review-file", help="CSV file with the rows to review, to fill in.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="Model that is unsure of what it suggests; default: the bundled model."),
    ] = None,
) -> None:
    """Label events by evidence for machines and for people, and suggest which rows to review.

    Evidence for machines: hidden links, mail security vendors' networks, agents of programs, bursts at delivery, the
    platform's flags. For people: conversions, logins, form submissions and replies. What has neither stays unlabelled.

    Example: clicksift label events.parquet --campaigns campaigns.parquet --conversions orders.csv -o labels.parquet

    Example: clicksift label events.parquet --suggest 300 --review-file review.csv -o labels.parquet
    """
    from features.duckdb_engine import DuckDBEngine
    from features.readers import read_conversions, read_labels
    from serving import scoring
    from training import labels as found_by
    from training import review_suggestion
    from training.dataset import label_notes
    from training.label_tables import label_lines, label_tables

    if output.suffix.lower() != ".parquet":
        raise InputError(f"--output {output}: labels are written as Parquet; name it {output.with_suffix('.parquet')}")
    if (suggest is None) != (review_file is None):
        raise InputError("--suggest and --review-file go together: how many rows to review, and where to write them")
    if review_file is not None and review_suggestion.has_decisions(review_file):
        raise InputError(f"--review-file {review_file}: holds decisions; give it to --reviewed and name another file")
    if review_file is not None and review_file.suffix.lower() != ".csv":
        raise InputError(
            f"--review-file {review_file}: rows are written as CSV; name it {review_file.with_suffix('.csv')}"
        )
    reading.keep_apart([*filter(None, (output, review_file))], [*(conversions or ()), *(reviewed or ())])
    judge = _model(model) if review_file is not None else None
    suggestion = None
    con = reading.connect()
    with _progress("reading", con) as progress:
        read = reading.read(con, progress)
        if conversions:
            read_conversions(con, conversions, reading.options, recipient_key=reading.key)
        if reviewed:
            read_labels(con, reviewed)
        present = reading.trusted(read)
        if judge is None:
            DuckDBEngine(con).compute(present, progress=progress)
        else:
            scoring.score(con, judge, present, threads=reading.threads, progress=progress)
        progress("labels")
        found = found_by.label(con, present, has_reviewed=bool(reviewed))
        found_by.write_labels(con, output)
        if judge is not None and suggest is not None and review_file is not None:
            suggestion = review_suggestion.suggest(con, judge, present, suggest)
            review_suggestion.write_review(con, review_file, reading.key)
    console = _console()
    for table in label_tables(found):
        console.print(table)
    for line in [*label_lines(found), *(f"Note: {note}." for note in (label_notes(con) if reviewed else ()))]:
        console.print(line, soft_wrap=True, markup=False)
    console.print(f"Labels are in {output}.", soft_wrap=True, markup=False)
    if suggestion is not None:
        console.print(
            f"{suggestion.rows:,} rows to review are in {review_file}, {suggestion.similar_events:,} events are like"
            " them: fill in the column automated and give the file to --reviewed.",
            soft_wrap=True,
            markup=False,
        )


@app.command()
@reads_scored("model")
def review(
    reading: ReadingScored,
    labels: Annotated[
        Path,
        typer.Option("--labels", help="File that decisions are appended to, .jsonl or .csv; what it has is not asked."),
    ] = Path("reviewed.jsonl"),
    check: Annotated[
        Path | None,
        typer.Option("--check", help="Labels that you have: those that the scores speak against are asked first."),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Cases to go through.")] = 50,
    who: Annotated[str | None, typer.Option("--who", help="Who decides; default: the name of the login.")] = None,
) -> None:
    """Decide on the events whose review teaches most: a key each, with all that happened to the message in view.

    Keys: h human, m machine, s skip, b back, w say why, q quit. Where input is no terminal, a line is an answer, with
    the reason behind it. Decisions are labels for clicksift train --labels and clicksift label --reviewed; each is on
    the disk at once. Files scored with --keep-rows take the reading options that they were scored with; where they
    have no event ids, the labels name rows of the scored file, which is then the file to train on.

    Example: clicksift review scored.parquet --labels reviewed.jsonl

    Example: clicksift review scored.parquet --check labels.parquet --most 30 --who anna
    """
    from training.review import open_review
    from training.review_terminal import Keys, Lines, converse
    from training.review_words import outcome

    with _progress(f"reading {reading.scored}") as progress:
        sitting = open_review(
            reading.scored,
            labels,
            most=most,
            who=who,
            check=check,
            options=reading.options,
            memory=reading.memory,
            threads=reading.threads,
            progress=progress,
        )
    console = _console()
    if sitting.log.note:
        console.print(f"Note: {sitting.log.note}.", soft_wrap=True, markup=False)
    if not sitting.cases:
        console.print("There is nothing to decide.")
        return
    answers = Keys(typer.getchar, console) if sys.stdin.isatty() else Lines(sys.stdin, console)
    converse(sitting, answers, console)
    console.print(outcome(sitting), soft_wrap=True, markup=False)


@app.command()
@reads_events("domains", "context", "capabilities", memory="500MB")
def convert(
    reading: Reading,
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: one row an event.")],
) -> None:
    """Write any export as one Parquet file in our columns, addresses hashed: read once, score as often as you like.

    Example: clicksift convert sendgrid-webhook/ --output events.parquet
    """
    from features.canonical import write_events
    from serving.summary import reading_summary

    if output.suffix.lower() != ".parquet":
        raise InputError(f"--output {output}: events are written as Parquet; name it {output.with_suffix('.parquet')}")
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    reading.keep_apart([output, rejected])
    con = reading.connect()
    with _progress("reading", con) as progress:
        read = reading.read(con, progress, rejected=rejected)
        progress(f"writing {output}")
        write_events(con, output)
    console = _console()
    console.print(reading_summary(read))
    console.print(f"Events are in {output}.", soft_wrap=True, markup=False)
    if read.rejected:
        console.print(f"What was set aside is in {rejected}, as it stood in your file.", soft_wrap=True, markup=False)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder for the events, campaigns.parquet and labels.parquet.")],
    platform: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Write what this platform exports: gophish, mailgun, nginx, postmark, sendgrid or ses;"
            " default: events.parquet.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another sender.")] = 7,
    messages: Annotated[int, typer.Option("--messages", min=1, help="Messages sent, over all campaigns.")] = 40_000,
) -> None:
    """Write the events of a simulated sender, with labels apart: to try the commands on.

    Example: clicksift simulate demo --seed 7 --messages 40000

    Example: clicksift simulate demo-sendgrid --format sendgrid
    """
    if platform is not None:
        from training.platform_exports import simulate_for, write_export

        files = write_export(simulate_for(platform, seed, messages), platform, folder)
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        typer.echo(f"Events of a simulated sender are in {files[0]}{more}, campaigns and labels beside.")
        return
    from training.simulation import simulate as simulated

    simulated(seed, messages).write(folder)
    typer.echo(f"Events, campaigns and labels of a simulated sender are in {folder}.")


@reference_app.command("update")
def update_reference(
    given: Annotated[
        list[str],
        typer.Argument(metavar="FILE_OR_URL", help="Lists that operators publish: paths, https addresses."),
    ],
    into: Annotated[
        Path | None,
        typer.Option(help="Folder of your copy; default: $CLICKSIFT_REFERENCE, or clicksift/reference in your data."),
    ] = None,
    named: Annotated[
        str | None, typer.Option("--list", help="Which list a file is, where its content does not tell.")
    ] = None,
    dated: Annotated[
        str | None, typer.Option("--date", help="Day of files that say none, as in 2026-11-20; default: today.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a list that is older or less than half of the one in use.")
    ] = False,
) -> None:
    """Check official lists and put them into a copy of your own, which is looked up from then on.

    Takes AWS, Azure, Microsoft 365, Google, Apple, Cloudflare, Fastly, Zscaler and Oracle lists, and tables of
    autonomous systems (iptoasn, CSV, MMDB). The packaged data stays as it is; CLICKSIFT_REFERENCE=packaged goes back
    to it.

    Example: clicksift reference update https://ip-ranges.amazonaws.com/ip-ranges.json
    """
    from datetime import UTC, datetime

    from features.reference_copy import folder_to_write
    from features.reference_update import Choices, update, where_used

    folder = into or folder_to_write()
    choices = Choices(datetime.now(UTC).date(), named, _date(dated), force)
    with _progress("reading") as progress:
        done = update(given, folder, choices, progress)
    console = _console()
    for part in done.parts:
        console.print(
            f"{part.name}: {part.rows:,} rows of {part.date}, from {part.origin}.", soft_wrap=True, markup=False
        )
    for note in done.notes:
        console.print(f"Note: {note}.", soft_wrap=True, markup=False)
    console.print(where_used(folder), soft_wrap=True, markup=False)


@reference_app.command("list")
def list_reference() -> None:
    """Show the reference data that is looked up: source, date, age and rows, packaged or yours.

    Example: clicksift reference list
    """
    from datetime import UTC, datetime

    from features.reference import user_copy
    from features.reference_inventory import inventory, inventory_table

    copy = user_copy()
    console = _console()
    console.print(inventory_table(inventory(copy), datetime.now(UTC).date()))
    console.print(
        f"Your copy is in {copy.folder}." if copy else "There is no copy of yours.", soft_wrap=True, markup=False
    )
    console.print(
        "Old is what is of more than 180 days ago; clicksift reference update FILE renews it.", soft_wrap=True
    )


def _date(text: str | None) -> date | None:
    from datetime import date

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--date {text}: is no day; write it as in 2026-11-20") from error


def _keep_inputs(output: Path, events: list[Path], others: Iterable[Path | None]) -> None:
    """Refuse an output that would overwrite an input, or that the next run would read as events."""
    from features.readers.container import find_files

    inputs = {path.resolve() for path in [*find_files(events), *filter(None, others)]}
    folders = [path.resolve() for path in events if path.is_dir()]
    if output.resolve() in inputs:
        raise InputError(f"--output {output}: {output.name} is also read; name another output")
    if any(output.resolve().is_relative_to(folder) for folder in folders):
        raise InputError(
            f"--output {output}: lies in a folder of events, where the next run would read it; name a place outside of"
            " it"
        )


def _pictures(folder: Path | None) -> list[Path]:
    """The pictures that `evaluate` writes into the folder; none without one."""
    if folder is None:
        return []
    from training.plots import PICTURES

    return [folder / name for name in PICTURES]


def _options(
    file_format: str | None,
    mapping: list[str] | None,
    path_patterns: list[str] | None,
    tz: str | None,
    max_errors: int | None,
) -> ReadOptions:
    from features.readers import ReadOptions

    pairs = [entry.partition("=") for entry in mapping or ()]
    names = [ours for ours, _, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"--map {twice[0]}: given twice; name one column for it")
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise InputError(
                f"--map {ours}{equals}{theirs}: expected our column = yours, as in --map ip=client_address"
            )
    return ReadOptions(
        mapping={ours: theirs for ours, _, theirs in pairs},
        tz=tz,
        max_errors=max_errors,
        format=file_format,
        path_patterns=tuple(path_patterns or ()),
    )


def _capabilities(text: str | None, found: frozenset[Capability]) -> frozenset[Capability]:
    """What the option lists, which may be nothing at all; what was found where it is not given."""
    from features.feature import CAPABILITIES

    if text is None:
        return found
    words = {word.strip() for word in text.split(",") if word.strip()}
    unknown = sorted(words - set(CAPABILITIES))
    if unknown:
        raise InputError(f"--capabilities {unknown[0]}: expected some of {', '.join(CAPABILITIES)}")
    return frozenset(capability for capability in CAPABILITIES if capability in words)


def _key(path: Path) -> RecipientKey:
    from features.recipient_key import RecipientKey

    return RecipientKey.load_or_create(path)


def _model(path: str | Path | None) -> BotClickModel:
    from serving.model import BotClickModel, bundled

    return BotClickModel.load(path) if path else bundled()


def _judge(name: str | None, uri: str) -> BotClickModel:
    """A model by its directory or its name in the registry; the bundled one without a name."""
    if name is None or not name.startswith("models:/"):
        return _model(None if name is None else Path(name))
    from training.model_cache import registered_model

    return registered_model(name, uri)


def _check_page(path: Path | None, option: str) -> None:
    """Refuse a name that a browser would not show as a page."""
    if path is not None and path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{option} {path}: the report is a page of HTML; name it {path.with_suffix('.html')}")


def _drift_file(monitor: str | None) -> Path | None:
    """The file that --monitor names; None where it names none."""
    if monitor is None or monitor == MLFLOW:
        return None
    path = Path(monitor)
    if path.suffix.lower() != ".json":
        raise InputError(f"--monitor {path}: is written as JSON; name it {path.with_suffix('.json')}, or 'mlflow'")
    return path


def _keep_drift(drift: Drift, uri: str) -> None:
    from training.model_cache import log_drift

    log_drift(drift, uri)


def _show(comparison: Comparison, console: Console) -> None:
    from training.challenge import HOW_TO_READ, comparison_tables

    for table in comparison_tables(comparison):
        console.print(table)
    console.print(HOW_TO_READ, soft_wrap=True)
    for note in comparison.notes:
        console.print(f"Note: {note}.", soft_wrap=True, markup=False)


def _comparer(
    events: list[Path],
    labels: Path,
    campaigns: Path | None,
    key_file: Path,
    threads: int,
    progress: Callable[[str], None],
) -> Callable[[Champion, Champion], Comparison]:
    """What compares a challenger with the champion on labelled events, read once it is asked."""
    from features.duckdb_engine import connect
    from features.readers import read_campaigns, read_events, read_labels
    from training.challenge import slices_of
    from training.dataset import labelled
    from training.promote import anew
    from training.slices import slice_columns

    def compare(challenger: Champion, champion: Champion) -> Comparison:
        con = connect(threads=threads or None)
        read_campaigns(con, campaigns)
        read = read_events(con, events, recipient_key=_key(key_file), progress=progress)
        read_labels(con, labels)
        data = labelled(con, read.capabilities, progress=progress)
        return anew(challenger, champion, data, slices_of(slice_columns(con), data), read.capabilities)

    return compare


def _console() -> Console:
    """Stdout; a file or a pipe is as wide as our tables like it, unless COLUMNS says otherwise."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100, highlight=False)


@contextmanager
def _progress(first: str, con: DuckDBPyConnection | None = None) -> Iterator[Callable[[str], None]]:
    """The current step on stderr, with a bar of how far `con` is; nothing where that is a nightly job's log."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda step: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(first, total=None)
        with _following(bar, task, con):
            yield lambda step: bar.update(task, description=step, completed=0, total=None)


@contextmanager
def _following(bar: Progress, task: TaskID, con: DuckDBPyConnection | None) -> Iterator[None]:
    """Move the bar with what the connection is working on, for the time of the block."""
    if con is None:
        yield
        return
    con.execute("SET enable_progress_bar = true")
    con.execute("SET enable_progress_bar_print = false")
    done = Event()

    def follow() -> None:
        while not done.wait(0.2):
            share = con.query_progress()
            bar.update(task, completed=max(share, 0), total=100 if share > 0 else None)

    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def main() -> None:
    """Run the command; what clicksift refuses is one line on stderr and exit code 2."""
    # Threads that spin while they wait make LightGBM up to a hundred times slower beside other work on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        app()
    except ClicksiftError as error:
        print(f"clicksift: {error}", file=sys.stderr)  # noqa: T201  (the one line that an error is)
        sys.exit(2)


if __name__ == "__main__":
    main()
