"""The front door: the `clicksift` command. It parses, calls and prints; the work is in the packages."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ClicksiftError, InputError

if TYPE_CHECKING:
    from rich.console import Console

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

Events = Annotated[list[Path], typer.Argument(help="Files, folders or globs of Parquet, CSV or JSON lines; gzip too.")]
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
Zone = Annotated[str | None, typer.Option("--tz", help="Zone of times without one, as in Europe/Berlin; default UTC.")]
Capabilities = Annotated[
    str | None,
    typer.Option("--capabilities", help="What the file can be trusted to say, as in address,agent; default: found."),
]
MaxErrors = Annotated[
    int | None, typer.Option("--max-errors", help="Stop where more rows than this must be set aside.")
]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads to use; 0 for all.")]
Memory = Annotated[str | None, typer.Option("--memory", help="Bound on DuckDB's memory, as in 2GB.")]
KeyFile = Annotated[
    Path, typer.Option("--key-file", help="Project key that hashes recipients' addresses; made on first use.")
]
DEFAULT_KEY = Path(".clicksift/recipient.key")


@app.command()
def score(
    events: Events,
    output: Annotated[Path, typer.Option("--output", "-o", help="Scored file: .parquet, .csv or .jsonl.")],
    model: Annotated[Path | None, typer.Option("--model", help="Model directory; default: the bundled model.")] = None,
    campaigns: Campaigns = None,
    context: Context = None,
    mapping: Mapping = None,
    tz: Zone = None,
    capabilities: Capabilities = None,
    max_errors: MaxErrors = None,
    memory: Memory = None,
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Judge every open, click and unsubscribe, and show what machines did to each campaign's figures.

    Example: clicksift score events.parquet --campaigns campaigns.parquet --output scored.parquet
    """
    from features.duckdb_engine import connect
    from features.files import check_writable
    from features.readers import read_campaigns, read_events
    from serving import scoring
    from serving.campaigns import campaign_figures, machine_shares
    from serving.summary import summary

    started = time.perf_counter()
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    scoring.output_format(output)
    _keep_inputs([output, rejected], [*events, *(context or ())], [campaigns, key_file])
    check_writable(output)
    judge = _model(model)
    con = connect(memory=memory, threads=threads or None)
    with _progress("reading") as progress:
        read_campaigns(con, campaigns, _options(mapping, tz, max_errors))
        read = read_events(
            con,
            events,
            _options(mapping, tz, max_errors),
            context=context or (),
            recipient_key=_key(key_file),
            rejected=rejected,
            progress=progress,
        )
        given = _capabilities(capabilities)
        scored = scoring.score(
            con, judge, read.capabilities if given is None else given, threads=threads, progress=progress
        )
        progress(f"writing {output}")
        scoring.write_scored(con, output, scored)
    seconds = time.perf_counter() - started
    console = _console()
    console.print(summary(read, scored, campaign_figures(con), machine_shares(con), seconds, console.width))
    console.print(f"Scored events are in {output}.", soft_wrap=True)
    if read.rejected:
        console.print(f"What was set aside is in {rejected}, as it stood in your file.", soft_wrap=True)


@app.command()
def train(
    events: Events,
    labels: Annotated[Path, typer.Option("--labels", help="Table with event_id and automated (true or false).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model directory to write.")],
    campaigns: Campaigns = None,
    mapping: Mapping = None,
    tz: Zone = None,
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
    threads: Threads = 0,
    key_file: KeyFile = DEFAULT_KEY,
) -> None:
    """Retrain on labelled campaigns: a model directory, its figures, and a run in MLflow.

    Example: clicksift train events.parquet --labels labels.parquet --campaigns campaigns.parquet --output model
    """
    from datetime import UTC, datetime

    from features.duckdb_engine import connect
    from features.readers import read_campaigns, read_events, read_labels
    from serving.model import bundled
    from serving.model_directory import check_replaceable
    from training.fit import FitParameters
    from training.retrain import train as retrain
    from training.summary import figure_tables

    cores = threads or os.cpu_count() or 1
    check_replaceable(output)
    con = connect(threads=cores)
    with _progress("reading") as progress:
        read_campaigns(con, campaigns, _options(mapping, tz, max_errors))
        read = read_events(
            con, events, _options(mapping, tz, max_errors), recipient_key=_key(key_file), progress=progress
        )
        read_labels(con, labels)
        given = _capabilities(capabilities)
        if tracking_uri != "none":
            from training.tracking import log_training, open_store

            open_store(tracking_uri)
        trained = retrain(
            con,
            read.capabilities if given is None else given,
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
    console = _console()
    for table in figure_tables(trained):
        console.print(table)
    for note in trained.notes:
        console.print(f"Note: {note}.")
    console.print(f"Model {trained.model.version} is in {output}{f', registered as {tracked}' if tracked else ''}.")


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder for events.parquet, campaigns.parquet and labels.parquet.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another sender.")] = 7,
    messages: Annotated[int, typer.Option("--messages", min=1, help="Messages sent, over all campaigns.")] = 40_000,
) -> None:
    """Write the events of a simulated sender, with labels apart: to try the commands on.

    Example: clicksift simulate demo --seed 7 --messages 40000
    """
    from training.simulation import simulate as simulated

    simulated(seed, messages).write(folder)
    typer.echo(f"Events, campaigns and labels of a simulated sender are in {folder}.")


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


def _options(mapping: list[str] | None, tz: str | None, max_errors: int | None) -> ReadOptions:
    from features.readers import ReadOptions

    pairs = [entry.partition("=") for entry in mapping or ()]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise InputError(
                f"--map {ours}{equals}{theirs}: expected our column = yours, as in --map ip=client_address"
            )
    return ReadOptions(mapping={ours: theirs for ours, _, theirs in pairs}, tz=tz, max_errors=max_errors)


def _capabilities(text: str | None) -> frozenset[Capability] | None:
    """What the option lists, which may be nothing at all; None where it is not given."""
    from features.feature import CAPABILITIES

    if text is None:
        return None
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
def _progress(first: str) -> Iterator[Callable[[str], None]]:
    """A spinner with the current step on stderr; nothing where that is no terminal but a nightly job's log."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda step: None
        return
    with console.status(first) as status:
        yield status.update


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
