"""The front door: the `clicksift` command. It parses, calls and prints; the work is in the packages."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ClicksiftError, InputError

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from features.feature import Capability
    from features.readers import ReadOptions
    from features.recipient_key import RecipientKey
    from serving.model import BotClickModel

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
Context = Annotated[
    list[Path] | None, typer.Option("--context", help="Events that are read and not scored. Repeatable.")
]
Mapping = Annotated[
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
DEFAULT_KEY = Path(".clicksift/recipient.key")
BEST_RULES = 5  # of the rules of others, shown after a training; evaluate shows all


@app.command()
def score(
    events: Events,
    output: Annotated[Path, typer.Option("--output", "-o", help="Scored file: .parquet, .csv or .jsonl.")],
    model: Annotated[Path | None, typer.Option("--model", help="Model directory; default: the bundled model.")] = None,
    campaigns: Campaigns = None,
    context: Context = None,
    file_format: Format = None,
    mapping: Mapping = None,
    tz: Zone = None,
    path_patterns: PathPatterns = None,
    capabilities: Capabilities = None,
    max_errors: MaxErrors = None,
    keep_rows: KeepRows = False,
    reasons: Reasons = True,
    memory: Memory = None,
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Judge every open, click and unsubscribe, and show what machines did to each campaign's figures.

    Example: clicksift score events.parquet --campaigns campaigns.parquet --output scored.parquet

    Example: clicksift score sendgrid-webhook/ --keep-rows --output scored.csv
    """
    from datetime import UTC, datetime

    from features.duckdb_engine import connect
    from features.files import check_writable
    from features.readers import read_campaigns, read_events
    from features.reference import user_copy
    from serving import scoring
    from serving.campaigns import campaign_figures, machine_shares
    from serving.platform_flags import agreement
    from serving.summary import summary

    started = time.perf_counter()
    options = _options(file_format, mapping, path_patterns, tz, max_errors)
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    scoring.output_format(output)
    _keep_inputs([output, rejected], [*events, *(context or ())], [campaigns, key_file])
    check_writable(output)
    user_copy()  # a damaged copy is refused before hours of reading
    judge = _model(model)
    con = connect(memory=memory, threads=threads or None)
    with _progress("reading", con) as progress:
        read_campaigns(con, campaigns, options)
        read = read_events(
            con,
            events,
            options,
            context=context or (),
            recipient_key=_key(key_file),
            rejected=rejected,
            keep_rows=keep_rows,
            progress=progress,
        )
        scored = scoring.score(
            con,
            judge,
            _capabilities(capabilities, read.capabilities),
            threads=threads,
            reasons=reasons,
            progress=progress,
        )
        progress(f"writing {output}")
        write = scoring.write_kept if keep_rows else scoring.write_scored
        write(con, output, scored)
    seconds = time.perf_counter() - started
    console = _console()
    today = datetime.now(UTC).date()
    figures, machines, flags = campaign_figures(con), machine_shares(con), agreement(con)
    console.print(summary(read, scored, figures, machines, seconds, console.width, today, flags))
    console.print(f"Scored {'rows' if keep_rows else 'events'} are in {output}.", soft_wrap=True, markup=False)
    if keep_rows:
        console.print("Your own columns are in it as they were, recipients' addresses too.", soft_wrap=True)
    if read.rejected:
        console.print(f"What was set aside is in {rejected}, as it stood in your file.", soft_wrap=True)


@app.command()
def train(
    events: Events,
    labels: Annotated[
        Path, typer.Option("--labels", help="Table with event_id or raw_ref, and automated (true or false).")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model directory to write.")],
    campaigns: Campaigns = None,
    context: Context = None,
    file_format: Format = None,
    mapping: Mapping = None,
    tz: Zone = None,
    path_patterns: PathPatterns = None,
    capabilities: Capabilities = None,
    max_errors: MaxErrors = None,
    max_loss: Annotated[
        float,
        typer.Option(
            "--max-loss", min=0.0001, max=0.5, help="Largest share of people's events that may be called automated."
        ),
    ] = 0.005,
    seed: Annotated[int, typer.Option("--seed", help="Same data and seed, same model.")] = 7,
    tracking_uri: Annotated[
        str, typer.Option("--tracking-uri", help="MLflow store of the run; 'none' keeps no record.")
    ] = "sqlite:///mlflow.db",
    memory: Memory = None,
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Retrain on labelled campaigns: a model directory, its figures, and a run in MLflow.

    Example: clicksift train events.parquet --labels labels.parquet --campaigns campaigns.parquet --output model
    """
    from datetime import UTC, datetime

    from features.duckdb_engine import connect
    from features.readers import read_campaigns, read_events, read_labels
    from features.reference import user_copy
    from serving.model import bundled
    from serving.model_directory import check_replaceable
    from training import comparison
    from training.fit import FitParameters
    from training.retrain import train as retrain
    from training.summary import figure_tables

    cores = threads or os.cpu_count() or 1
    check_replaceable(output)
    user_copy()
    options = _options(file_format, mapping, path_patterns, tz, max_errors)
    _keep_inputs([output], [*events, *(context or ())], [labels, campaigns, key_file])
    con = connect(memory=memory, threads=cores)
    with _progress("reading", con) as progress:
        read_campaigns(con, campaigns, options)
        read = read_events(con, events, options, context=context or (), recipient_key=_key(key_file), progress=progress)
        read_labels(con, labels)
        present = _capabilities(capabilities, read.capabilities)
        if tracking_uri != "none":
            from training.tracking import log_training, open_store

            open_store(tracking_uri)
        trained = retrain(
            con,
            present,
            base=bundled(),
            parameters=FitParameters(seed=seed),
            allowance=max_loss,
            created=datetime.now(UTC).date(),
            threads=cores,
            progress=progress,
        )
        trained.model.save(output)
        tracked = ""
        if tracking_uri != "none":
            progress("logging the run to MLflow")
            tracked = log_training(trained, output, tracking_uri)
        # Each organisation is judged by trees that have not seen it.
        ours = comparison.model_judge("this model", trained.data, trained.fit.probability, trained.model.thresholds)
        rules = comparison.rule_judges(con, present, progress=progress)
        judgements = comparison.compare(trained.data, [ours, *rules], seed=seed)
    console = _console()
    for table in [*figure_tables(trained), *comparison.comparison_tables(judgements, model=ours.name, best=BEST_RULES)]:
        console.print(table)
    for note in trained.notes:
        console.print(f"Note: {note}.")
    console.print(f"Model {trained.model.version} is in {output}{f', registered as {tracked}' if tracked else ''}.")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model directory, or 'bundled' for the bundled model.")],
    events: Events,
    labels: Annotated[
        Path, typer.Option("--labels", help="Table with event_id or raw_ref, and automated (true or false).")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV file for the figures of the model and of every rule.")
    ] = None,
    campaigns: Campaigns = None,
    context: Context = None,
    file_format: Format = None,
    mapping: Mapping = None,
    tz: Zone = None,
    path_patterns: PathPatterns = None,
    capabilities: Capabilities = None,
    max_errors: MaxErrors = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws that intervals are made of.")] = 7,
    memory: Memory = None,
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Measure a model on labelled events, beside the rules that other systems use.

    Example: clicksift evaluate bundled events.parquet --labels labels.parquet --campaigns campaigns.parquet
    """
    from features.duckdb_engine import connect
    from features.files import check_writable
    from features.readers import read_campaigns, read_events, read_labels
    from features.reference import user_copy
    from training import comparison
    from training.dataset import label_notes, labelled
    from training.evaluate import evaluate as figures_of
    from training.summary import figure_table

    options = _options(file_format, mapping, path_patterns, tz, max_errors)
    if output is not None:
        if output.suffix.lower() != ".csv":
            raise InputError(f"--output {output}: figures are written as CSV; name it {output.with_suffix('.csv')}")
        _keep_inputs([output], [*events, *(context or ())], [labels, campaigns, key_file])
        check_writable(output)
    user_copy()
    judge = _model(None if model == "bundled" else Path(model))
    con = connect(memory=memory, threads=threads or None)
    with _progress("reading", con) as progress:
        read_campaigns(con, campaigns, options)
        read = read_events(con, events, options, context=context or (), recipient_key=_key(key_file), progress=progress)
        read_labels(con, labels)
        present = _capabilities(capabilities, read.capabilities)
        data = labelled(con, present, progress=progress)
        progress("probabilities")
        probability, thresholds = judge.probability(data.X, threads), comparison.thresholds_of(judge)
        ours = comparison.model_judge("clicksift", data, probability, thresholds)
        rules = comparison.rule_judges(con, present, progress=progress)
        judgements = comparison.compare(data, [ours, *rules], seed=seed)
        figures = figures_of(data, probability, thresholds, seed=seed)
        if output is not None:
            comparison.write_figures(output, judgements, ours.name, figures)
    console = _console()
    console.print(comparison.label_counts(con, data), soft_wrap=True)
    for note in label_notes(con):
        console.print(f"Note: {note}.", soft_wrap=True)
    if figures:
        console.print(figure_table(f"Model {judge.version} on these events", figures))
    for table in comparison.comparison_tables(judgements, model=ours.name):
        console.print(table)
    for line in comparison.HOW_TO_READ:
        console.print(line, soft_wrap=True)
    if output is not None:
        console.print(f"The figures are in {output}.", soft_wrap=True, markup=False)


@app.command()
def convert(
    events: Events,
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: one row an event.")],
    campaigns: Campaigns = None,
    file_format: Format = None,
    mapping: Mapping = None,
    path_patterns: PathPatterns = None,
    tz: Zone = None,
    max_errors: MaxErrors = None,
    memory: Memory = "500MB",
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Write any export as one Parquet file in our columns, addresses hashed: read once, score as often as you like.

    Example: clicksift convert sendgrid-webhook/ --output events.parquet
    """
    from features.canonical import write_events
    from features.duckdb_engine import connect
    from features.files import check_writable
    from features.readers import read_campaigns, read_events
    from serving.summary import reading_summary

    if output.suffix.lower() != ".parquet":
        raise InputError(f"--output {output}: events are written as Parquet; name it {output.with_suffix('.parquet')}")
    options = _options(file_format, mapping, path_patterns, tz, max_errors)
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    _keep_inputs([output, rejected], events, [campaigns, key_file])
    check_writable(output)
    con = connect(memory=memory, threads=threads or None)
    with _progress("reading", con) as progress:
        read_campaigns(con, campaigns, options)
        read = read_events(con, events, options, recipient_key=_key(key_file), rejected=rejected, progress=progress)
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


def _keep_inputs(outputs: list[Path], events: list[Path], others: list[Path | None]) -> None:
    """Refuse outputs that would overwrite an input, or that the next run would read as events."""
    from features.readers.container import find_files

    inputs = {path.resolve() for path in [*find_files(events), *filter(None, others)]}
    folders = [path.resolve() for path in events if path.is_dir()]
    for output in map(Path.resolve, outputs):
        if output in inputs:
            raise InputError(f"--output {outputs[0]}: {output.name} is also read; name another output")
        if any(output.is_relative_to(folder) for folder in folders):
            raise InputError(
                f"--output {outputs[0]}: lies in a folder of events, where the next run would read it; name a place"
                " outside of it"
            )


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


def _model(path: Path | None) -> BotClickModel:
    from serving.model import BotClickModel, bundled

    return BotClickModel.load(path) if path else bundled()


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
