"""What it costs when a platform leaves columns out: recall and loss of the bundled model on simulated senders.

    python -m tests.benchmarks.missing_columns

The senders are worlds that the bundled model was not trained on, and that give everything there is. Each is scored as
it is and as the platforms would give it; the figures are at the thresholds shipped for what is given, over the events
of all worlds together. Writes `docs/platforms/accuracy.csv`, which the platforms' pages quote
(`make docs` after it).
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from features.duckdb_engine import connect
from features.feature import CAPABILITIES, Capability
from features.readers.platform_page import COLUMNS, TIMES, Accuracy, missing_from, spelt
from features.readers.platforms import PLATFORMS
from serving.model import bundled
from training.bundled import load
from training.dataset import labelled
from training.ranges import Choice
from training.simulation import simulate
from training.world import Profile

TARGET = Path(__file__).parents[2] / "docs" / "platforms" / "accuracy.csv"
# Far from those of training/bundled.py.
FIRST_SEED = 900_001
WORLDS = 16
# Worlds whose platform gives everything, so that what is taken away is all that is missing.
GIVING = Profile(
    world={
        "precision": Choice(("us",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
        "opens": Choice((True,)),
        "methods": Choice((True,)),
    }
)
MESSAGES = 4_000
KINDS = {"opens": 0, "clicks": 1}
AUTOMATED = ("opened", "clicked")


def cases() -> list[frozenset[str]]:
    """Nothing missing, each column by itself, and what the platforms lack."""
    singles: Iterable[frozenset[str]] = (frozenset({name}) for name in (*CAPABILITIES, TIMES))
    lacking = sorted({missing_from(platform) for platform in PLATFORMS}, key=lambda one: (len(one), spelt(one)))
    return list(dict.fromkeys((frozenset(), *singles, *lacking)))


def measured(worlds: int, messages: int) -> Iterator[Accuracy]:
    """A row for each case, over all worlds together."""
    model = bundled()
    hits = {case: np.zeros((len(KINDS), 2, 2), dtype=np.int64) for case in cases()}
    for seed in range(FIRST_SEED, FIRST_SEED + worlds):
        with tempfile.TemporaryDirectory(prefix="clicksift-world-") as folder:
            simulate(seed, messages, profile=GIVING).write(Path(folder))
            con = connect(threads=1)
            read = load(con, Path(folder))
        for case, counted in hits.items():
            kept: frozenset[Capability] = frozenset(name for name in read.capabilities if name not in case)
            data = labelled(con, kept, coarse_times=TIMES in case)
            probability = model.probability(data.X, 1)
            for kind, event_type in zip(KINDS.values(), AUTOMATED, strict=True):
                limit = model.thresholds_for(event_type, kept).automated
                rows = data.kind == kind
                for y in (0, 1):
                    called = probability[rows & (data.y == y)] >= limit
                    counted[kind, y] += len(called), called.sum()
        con.close()
        print(f"world {seed}", file=sys.stderr, flush=True)
    for case, counted in hits.items():
        shares = counted[:, :, 1] / np.maximum(1, counted[:, :, 0])
        yield Accuracy(
            missing=case,
            opens_recall=round(float(shares[0, 1]), 4),
            opens_loss=round(float(shares[0, 0]), 4),
            clicks_recall=round(float(shares[1, 1]), 4),
            clicks_loss=round(float(shares[1, 0]), 4),
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it where the pages read it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--output", type=Path, default=TARGET)
    chosen = parser.parse_args(arguments)
    rows = list(measured(chosen.worlds, chosen.messages))
    print(f"{'missing':<48}{'opens':>18}{'clicks':>18}\n{'':<48}{'recall    loss':>18}{'recall    loss':>18}")
    for row in rows:
        opens = f"{row.opens_recall:.2%}  {row.opens_loss:.2%}"
        clicks = f"{row.clicks_recall:.2%}  {row.clicks_loss:.2%}"
        print(f"{spelt(row.missing):<48}{opens:>18}{clicks:>18}")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    with chosen.output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row.cells() for row in rows)


if __name__ == "__main__":
    main()
