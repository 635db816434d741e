"""How fast `clicksift score` is and how much memory it takes, beside plain pandas on the same file.

    python -m tests.benchmarks.score [--events N] [--runs R]

Both sides run as processes of their own, in turn, each the same number of times; all of a process counts, its
imports too. The pandas script (`plain_pandas`) computes fewer features, checks nothing of what it reads, and predicts
with a forest of the same size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq

from features.catalog import FEATURE_NAMES
from serving.model import bundled
from tests.benchmarks import plain_pandas
from training.simulation import Simulation, simulate

CLICKSIFT = Path(sys.executable).with_name("clicksift")
PROBE_MESSAGES = 2_000
SEED = 11


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    peak_mb: float


def export(events: int, folder: Path) -> Simulation:
    """Write an export of exactly so many events into `folder`."""
    messages = PROBE_MESSAGES
    made = simulate(SEED, messages)
    while len(made.events) < events:
        messages = int(messages * max(1.05, 1.02 * events / len(made.events)))
        made = simulate(SEED, messages)
    made = Simulation(made.events.slice(0, events), made.campaigns, made.labels, made.world)
    made.write(folder)
    return made


def grow_booster(folder: Path, path: Path) -> int:
    """Write a booster on the pandas features, of as many trees as the bundled model has; the number of features.

    What it was taught (links hit in a burst) does not matter: it is there to be predicted with.
    """
    table = plain_pandas.read(folder / "events.parquet", folder / "campaigns.parquet")
    X = plain_pandas.features(table)
    y = np.asarray(X["clicks_10s"] >= 2, dtype=np.int8) ^ (np.random.default_rng(SEED).random(len(X)) < 0.2)
    parameters = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1}
    data = lgb.Dataset(X.to_numpy(), y)
    lgb.train(parameters, data, bundled().booster.n_trees).save_model(str(path))
    return X.shape[1]


def run(command: Sequence[str | Path]) -> Run:
    """Run a process to its end; seconds on the wall, and the most memory it held."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[0]} failed: {said.read().decode(errors='replace')}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Run(seconds, usage.ru_maxrss / unit)


def compare(folder: Path, events: int, runs: int) -> str:
    """Run both in turn and say what they took."""
    tables = [folder / "events.parquet", folder / "campaigns.parquet"]
    small = folder / "small"
    simulate(SEED + 1, PROBE_MESSAGES).write(small)
    columns = grow_booster(small, folder / "booster.txt")
    commands: dict[str, list[str | Path]] = {
        "clicksift score": [CLICKSIFT, "score", tables[0], "--campaigns", tables[1], "-o", folder / "ours.parquet"],
        "plain pandas": [
            *(sys.executable, "-m", "tests.benchmarks.plain_pandas"),
            *(*tables, folder / "booster.txt", folder / "plain.parquet"),
        ],
    }
    taken: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs):
        for name in list(commands)[:: -1 if turn % 2 else 1]:
            taken[name].append(run(commands[name]))
    assert pq.read_metadata(folder / "ours.parquet").num_rows == events
    assert pq.read_metadata(folder / "plain.parquet").num_rows == events
    return report(events, {"clicksift score": len(FEATURE_NAMES), "plain pandas": columns}, taken)


def report(events: int, features: dict[str, int], taken: dict[str, list[Run]]) -> str:
    """The figures as a table, with the ratio of the medians."""
    n = len(next(iter(taken.values())))
    runs = f"{n} run{'s' if n > 1 else ''}"
    lines = [
        f"{events:,} events, {os.cpu_count()} cores, {runs} each in turn; seconds are least and median",
        f"{'':16}{'features':>9}{'seconds':>16}{'events/s':>11}{'peak MB':>9}",
    ]
    for name, made in taken.items():
        seconds = [each.seconds for each in made]
        middle = median(seconds)
        spread = f"{min(seconds):.1f} / {middle:.1f}"
        peak = max(each.peak_mb for each in made)
        lines.append(f"{name:16}{features[name]:>9}{spread:>16}{events / middle:>11,.0f}{peak:>9,.0f}")
    ours, plain = taken.values()
    time_ratio = median(each.seconds for each in ours) / median(each.seconds for each in plain)
    memory_ratio = max(each.peak_mb for each in ours) / max(each.peak_mb for each in plain)
    a_feature = time_ratio * features["plain pandas"] / features["clicksift score"]
    lines.append(
        f"clicksift takes {time_ratio:.2f} times the seconds of plain pandas ({a_feature:.2f} times a feature)"
        f" and {memory_ratio:.2f} times the memory."
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.score", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="clicksift-bench-") as folder:
        export(chosen.events, Path(folder))
        print(compare(Path(folder), chosen.events, chosen.runs))


if __name__ == "__main__":
    main()
