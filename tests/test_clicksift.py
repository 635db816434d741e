"""The command line: what it prints where, what it writes, and how it refuses."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import clicksift
from features.errors import InputError
from serving.model import BotClickModel, bundled
from tests.serving.scored_files import small_sender
from training.simulation import simulate

COMMAND = Path(sys.executable).with_name("clicksift")
COMMANDS = [
    command.name or command.callback.__name__ for command in clicksift.app.registered_commands if command.callback
]


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with events, campaigns and labels of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(2, messages=300).write(folder)
    return folder


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder: the project key and the MLflow store land there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command in a process of its own."""
    command = [str(COMMAND), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )


# score


def test_domains_that_are_addresses_are_refused_before_events_are_read(sender: Path, tmp_path: Path) -> None:
    (tmp_path / "domains.csv").write_text("domain,mx\njane@acme.example,mx.acme.example\n")
    done = run("score", sender / "events.parquet", "--domains", tmp_path / "domains.csv", "--output", "scored.parquet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "record 1 has 'jane@acme.example'; recipient_domain is what stands after the @" in done.stderr
    assert not (tmp_path / "scored.parquet").exists()


def test_score_writes_the_file_and_shows_figures_on_stdout_alone(sender: Path, tmp_path: Path) -> None:
    campaigns = sender / "campaigns.parquet"
    done = run("score", sender / "events.parquet", "--campaigns", campaigns, "--output", "out/scored.parquet")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Of ")
    assert "machines made" in lines[0]
    assert lines[-1] == "Scored events are in out/scored.parquet."
    assert max(map(len, lines)) <= 100
    table = pq.read_table(tmp_path / "out" / "scored.parquet")
    assert len(table) == pq.read_metadata(sender / "events.parquet").num_rows
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scored.parquet"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_are_as_wide_as_columns_says(sender: Path, columns: int) -> None:
    done = run("score", sender / "events.parquet", "-o", "scored.csv", COLUMNS=str(columns))
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= columns
    # Names may lose their middle, numbers nothing.
    assert not any("…" in cell for line in done.stdout.splitlines() for cell in line.split(" ")[1:])


def test_progress_is_shown_on_a_terminal_and_goes_to_stderr(sender: Path) -> None:
    ours, theirs = pty.openpty()
    command = [str(COMMAND), "score", str(sender / "events.parquet"), "--output", "scored.parquet"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment) as process:
        os.close(theirs)
        shown = _everything(ours)
        stdout = process.communicate(timeout=60)[0]
    os.close(ours)
    assert process.returncode == 0
    assert "writing scored.parquet" in shown
    assert stdout.startswith("Of ")
    assert "\x1b" not in stdout


def _everything(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 65_536):
            parts.append(part)
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        pass
    return b"".join(parts).decode(errors="replace")


def test_context_and_mapping_and_capabilities_are_taken(sender: Path, tmp_path: Path) -> None:
    table = pq.read_table(sender / "events.parquet")
    names = [{"ip": "address of the client"}.get(name, name) for name in table.column_names]
    for name, part in {"before": table[:500], "today": table[500:]}.items():
        pq.write_table(part.rename_columns(names), tmp_path / f"{name}.parquet")
    done = run(
        *("score", "today.parquet", "--context", "before.parquet", "--output", "scored.parquet"),
        *("--map", "ip=address of the client", "--capabilities", "address,links"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no user agents" in done.stdout
    assert "no client addresses" not in done.stdout
    scored = pq.read_table(tmp_path / "scored.parquet")
    assert len(scored) == len(table) - 500
    assert scored["ip"].null_count < len(scored)
    assert scored.schema.metadata[b"clicksift_capabilities"] == b"address,links"


def test_no_capability_at_all_can_be_asked_for(sender: Path, tmp_path: Path) -> None:
    assert run("score", sender / "events.parquet", "-o", "scored.parquet", "--capabilities", "").returncode == 0
    assert pq.read_schema(tmp_path / "scored.parquet").metadata[b"clicksift_capabilities"] == b""


def test_records_that_are_set_aside_are_kept_beside_the_scores(tmp_path: Path) -> None:
    rows = [{"event_type": "click", "timestamp": t, "message_id": "m"} for t in ("2026-03-01T10:00:00Z", "yesterday")]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("score", "events.jsonl", "--output", "scored.jsonl")
    assert done.returncode == 0
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "2 in 1 file, read as generic (1)" in shown
    assert any(line.startswith("1 set aside: timestamp is not a time (times are read as 2026-03") for line in shown)
    [kept] = (tmp_path / "scored.jsonl.rejected.jsonl").read_text().splitlines()
    assert "yesterday" in kept


LOADED = """
import atexit
import sys

def tell():
    heavy = {"training", "mlflow", "sklearn", "lightgbm", "pandas", "joblib", "scipy", "matplotlib"}
    print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}), file=sys.stderr)

atexit.register(tell)
import clicksift
clicksift.main()
"""


def test_scoring_loads_nothing_of_training_nor_pandas(sender: Path) -> None:
    """With all extras installed and nothing blocked; the trees are called through LightGBM's library alone."""
    command = [sys.executable, "-c", LOADED, "score", str(sender / "events.parquet")]
    command += ["--campaigns", str(sender / "campaigns.parquet"), "--output", "scored.parquet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"


# simulate and train


def test_simulate_writes_three_tables_that_score_and_train_take(tmp_path: Path) -> None:
    done = run("simulate", "demo", "--seed", "3", "--messages", "300")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Events, campaigns and labels of a simulated sender are in demo.\n"
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == [
        "campaigns.parquet",
        "events.parquet",
        "labels.parquet",
    ]
    scored = run("score", "demo/events.parquet", "--campaigns", "demo/campaigns.parquet", "--output", "s.parquet")
    assert scored.returncode == 0


def test_train_writes_a_model_that_score_takes(sender: Path, tmp_path: Path) -> None:
    done = run(
        *("train", sender / "events.parquet", "--labels", sender / "labels.parquet"),
        *("--campaigns", sender / "campaigns.parquet", "--output", "model", "--tracking-uri", "none"),
        *("--threads", "1"),  # two would wait for each other where tests share the cores
    )
    assert (done.returncode, done.stderr) == (0, "")
    model = BotClickModel.load(tmp_path / "model")
    assert f"Model {model.version} is in model." in done.stdout
    assert not (tmp_path / "mlflow.db").exists()
    scored = run("score", sender / "events.parquet", "--model", "model", "--output", "scored.parquet")
    assert scored.returncode == 0
    assert pq.read_schema(tmp_path / "scored.parquet").metadata[b"clicksift_model"].decode() == model.version


# What is refused


def damaged_model(folder: Path) -> None:
    bundled().save(folder / "broken")
    with (folder / "broken" / "booster.txt").open("a") as file:
        file.write("\n")


def events_without_a_type(folder: Path) -> None:
    (folder / "events.csv").write_text("message_id,timestamp\nm1,2026-03-01T10:00:00Z\n")


def labels_of_others(folder: Path) -> None:
    (folder / "labels.csv").write_text("event_id,automated\nnobody,true\nnothing,false\n")


def nothing(folder: Path) -> None:
    """Prepare nothing."""


SCORE = ("score", "EVENTS", "--output", "scored.parquet")
TRAIN = ("train", "EVENTS", "--output", "model", "--tracking-uri", "none")
REFUSED: dict[str, tuple[Callable[[Path], None], Sequence[str], str]] = {
    "missing file": (nothing, ("score", "absent.parquet", "--output", "scored.parquet"), "absent.parquet"),
    "missing campaigns": (nothing, (*SCORE, "--campaigns", "absent.csv"), "absent.csv"),
    "missing context": (nothing, (*SCORE, "--context", "absent.csv"), "absent.csv"),
    "missing column": (events_without_a_type, ("score", "events.csv", "--output", "s.parquet"), "event_type"),
    "bad map": (nothing, (*SCORE, "--map", "ip"), "--map ip: expected our column = yours"),
    "map to an unknown column": (nothing, (*SCORE, "--map", "ip=nowhere"), "nowhere"),
    "map of an unknown column": (nothing, (*SCORE, "--map", "colour=ip"), "colour"),
    "bad capabilities": (nothing, (*SCORE, "--capabilities", "address,smell"), "--capabilities smell: expected some"),
    "bad zone": (nothing, (*SCORE, "--tz", "Mars/Olympus"), "Mars/Olympus"),
    "damaged model": (damaged_model, (*SCORE, "--model", "broken"), "booster.txt: changed since the model was made"),
    "no model": (nothing, (*SCORE, "--model", "absent"), "absent: manifest.json: cannot be read"),
    "unknown suffix": (nothing, ("score", "EVENTS", "--output", "scored.xlsx"), "cannot tell the output format"),
    "missing labels": (nothing, (*TRAIN, "--labels", "absent.csv"), "absent.csv"),
    "labels of other events": (labels_of_others, (*TRAIN, "--labels", "labels.csv"), "labels: none of 2 "),
    "bad memory": (nothing, (*SCORE, "--memory", "much"), "memory 'much': is not a size"),
}


@pytest.mark.parametrize(("prepare", "arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(
    sender: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prepare: Callable[[Path], None],
    arguments: Sequence[str],
    words: str,
) -> None:
    prepare(tmp_path)
    before = set(tmp_path.rglob("*"))
    given = [str(sender / "events.parquet") if argument == "EVENTS" else argument for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["clicksift", *given])
    with pytest.raises(SystemExit) as ended:
        clicksift.main()
    stdout, stderr = capfd.readouterr()
    assert (ended.value.code, stdout) == (2, "")
    assert stderr.startswith("clicksift: ")
    assert stderr.count("\n") == 1
    assert words in stderr
    left = {path for path in set(tmp_path.rglob("*")) - before if ".clicksift" not in path.parts}
    assert not left


def test_a_refusal_is_the_same_from_outside() -> None:
    done = run("score", "absent.parquet", "--output", "scored.parquet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("clicksift: absent.parquet")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "x.parquet"], "Missing option '--output'"),
        (["score", "x.parquet", "-o", "y.parquet", "--colour"], "No such option"),
        (["score", "x.parquet", "-o", "y.parquet", "--threads", "-1"], "'--threads'"),
        (["train", "x.parquet", "--labels", "l.csv", "-o", "m", "--max-loss", "5"], "'--max-loss'"),
        (["simulate", "demo", "--messages", "0"], "'--messages'"),
    ],
)
def test_wrong_use_is_exit_code_2(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(clicksift.app, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(clicksift.app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: clicksift {command} " in " ".join(result.stdout.split())


def test_without_a_command_the_commands_are_listed() -> None:
    result = CliRunner().invoke(clicksift.app, [])
    assert all(command in result.output for command in COMMANDS)


def test_help_is_quick_because_it_imports_no_package() -> None:
    program = (
        "import sys, clicksift; print(sorted({'duckdb', 'numpy', 'pyarrow', 'serving', 'training'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_an_output_never_overwrites_an_input_nor_lies_among_the_events(tmp_path):
    simulate(3, 300).write(tmp_path / "in")
    events, campaigns = tmp_path / "in" / "events.parquet", tmp_path / "in" / "campaigns.parquet"
    before = events.read_bytes(), campaigns.read_bytes()
    for output, paths in (
        (events, [events]),
        (campaigns, [events]),
        (tmp_path / "in" / "scored.parquet", [tmp_path / "in"]),
    ):
        with pytest.raises(InputError, match=r"name another output|outside of it"):
            clicksift.score_command(paths, output=output, campaigns=campaigns, key_file=tmp_path / "key")
    assert (events.read_bytes(), campaigns.read_bytes()) == before
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == [
        "campaigns.parquet",
        "events.parquet",
        "labels.parquet",
    ]
