"""A run that is killed at any moment leaves the earlier result or its own, whole; the next run clears up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from serving.model import BotClickModel
from tests.serving.scored_files import small_sender

pytestmark = pytest.mark.slow

KILLS, WRITING_KILLS = 20, 4
COMMAND = str(Path(sys.executable).with_name("clicksift"))


@pytest.fixture(scope="module")
def senders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of two senders, whose results can be told from each other."""
    folders = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("new")
    for seed, folder in enumerate(folders, 1):
        small_sender(seed, messages=300).write(folder)
    return folders


Process = subprocess.Popen[bytes]
Moment = Callable[[Process], object]


def start(folder: Path, arguments: list[str]) -> Process:
    """A run in a session of its own, so that the workers of a killed one can be found."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen([COMMAND, *arguments], cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True)


def finished(folder: Path, arguments: list[str]) -> float:
    """Seconds that a run takes which nobody disturbs."""
    started = time.monotonic()
    assert start(folder, arguments).wait(timeout=600) == 0
    return time.monotonic() - started


def killed(folder: Path, arguments: list[str], moment: Moment) -> bool:
    """Start a run and kill it when `moment` returns; False where it was done before."""
    process = start(folder, arguments)
    moment(process)
    process.kill()
    hit = process.wait(timeout=60) == -signal.SIGKILL
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return hit


def moments(folder: Path, duration: float) -> Iterator[Moment]:
    """Random moments spread over the run, then some at which it is writing its result."""
    for wait in (np.arange(KILLS) + np.random.default_rng(3).random(KILLS)) / KILLS * duration:
        yield partial(_after, wait)
    for _ in range(WRITING_KILLS):
        yield partial(_while_it_writes, folder)


def _after(seconds: float, _: Process) -> None:
    time.sleep(seconds)


def _while_it_writes(folder: Path, process: Process) -> None:
    before = set(folder.glob(".*.tmp"))
    while set(folder.glob(".*.tmp")) <= before and process.poll() is None:
        time.sleep(0.0005)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".") and path.suffix in (".tmp", ".old")]


def score(sender: Path) -> list[str]:
    return ["score", f"{sender}/events.parquet", "--campaigns", f"{sender}/campaigns.parquet", "-o", "scored.parquet"]


def train(sender: Path) -> list[str]:
    tables = [f"--{name}={sender}/{name}.parquet" for name in ("labels", "campaigns")]
    return [
        "train",
        f"{sender}/events.parquet",
        *tables,
        "--output",
        "model",
        "--tracking-uri",
        "none",
        "--threads",
        "1",
    ]


def test_a_killed_score_leaves_a_whole_file(senders: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = senders
    finished(tmp_path, score(old))
    earlier = (tmp_path / "scored.parquet").read_bytes()
    duration = finished(tmp_path, score(new))
    later = (tmp_path / "scored.parquet").read_bytes()
    hit = writing = 0
    for moment in moments(tmp_path, duration):
        (tmp_path / "scored.parquet").write_bytes(earlier)
        hit += killed(tmp_path, score(new), moment)
        writing += bool(leftovers(tmp_path))
        found = (tmp_path / "scored.parquet").read_bytes()
        assert found in (earlier, later)
        table = pq.read_table(tmp_path / "scored.parquet")
        assert pc.max(table["probability"]).as_py() <= 1
    assert hit >= KILLS // 2
    assert writing
    finished(tmp_path, score(new))
    assert (tmp_path / "scored.parquet").read_bytes() == later
    assert leftovers(tmp_path) == []


def test_a_killed_training_leaves_a_whole_model(senders: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = senders
    finished(tmp_path, train(old))
    earlier = BotClickModel.load(tmp_path / "model")
    duration = finished(tmp_path, train(new))
    later = BotClickModel.load(tmp_path / "model")
    assert earlier.version != later.version
    hit = writing = 0
    for moment in moments(tmp_path, duration):
        earlier.save(tmp_path / "model")
        hit += killed(tmp_path, train(new), moment)
        writing += bool(leftovers(tmp_path))
        # Loading checks the hash of every file.
        found = BotClickModel.load(tmp_path / "model")
        assert found.manifest["training"] in (earlier.manifest["training"], later.manifest["training"])
    assert hit >= KILLS // 2
    assert writing
    finished(tmp_path, train(new))
    assert BotClickModel.load(tmp_path / "model").manifest["training"] == later.manifest["training"]
    assert leftovers(tmp_path) == []
