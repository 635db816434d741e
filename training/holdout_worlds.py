"""Each vendor held out, for simulated worlds: the standing table of what the model finds of machines it has not met.

`make holdout` runs this and writes `docs/evaluation.md`. The simulator names the stealthy kinds, which no list of
networks does.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import joblib
import numpy as np

from features.duckdb_engine import connect
from features.files import write_bytes
from serving.model import bundled
from training.bundled import load
from training.comparison import thresholds_of
from training.dataset import Dataset, concatenate, labelled
from training.evaluate import Figures, evaluate
from training.fit import FitParameters
from training.holdout import HeldOut, Names, hold_out_table, out_of_fold
from training.model_card import SIMULATED, figure_lines, held_out_lines
from training.row_split import random_split
from training.simulation import simulate

WORLDS = 24
MESSAGES = 4_000
FIRST_WORLD = 9_000
PARAMETERS = FitParameters(trees=200)
# Kinds of the simulator that hide where people are; the others come from networks or with agents of their own.
STEALTHY = ("residential", "proxied", "on premises", "cogent", "agent on the reader's machine")
_PAGE = Path(__file__).parent.parent / "docs" / "evaluation.md"
_SIMULATED, _AT_THE_CLICK, _PREVIEW = "simulated: ", " at the time of the click", " preview"


def world(seed: int, messages: int = MESSAGES) -> Dataset:
    """One simulated world as labelled rows, an organisation as a whole."""
    with tempfile.TemporaryDirectory(prefix="clicksift-world-") as folder:
        simulate(seed, messages).write(Path(folder))
        con = connect(threads=1)
        read = load(con, Path(folder))
    data = labelled(con, read.capabilities)
    con.close()
    return replace(data, organisation=np.full(len(data), seed))


def simulated_kinds(source: Names) -> Names:
    """The kind of scanner of each label's source: checks at the click are its vendor's, previews are one kind."""
    distinct, inverse = np.unique(source.astype(str), return_inverse=True)
    kinds = [name.removeprefix(_SIMULATED).removesuffix(_AT_THE_CLICK) for name in distinct]
    return np.array(["link preview" if kind.endswith(_PREVIEW) else kind for kind in kinds], dtype=object)[inverse]


def page(
    about: str,
    held_out: Sequence[HeldOut],
    grouped: Mapping[str, Figures],
    by_row: Mapping[str, Figures],
) -> str:
    """The page as Markdown: `about` the data, each kind held out, and the split by row beside that by world."""
    stealthy = [row for row in held_out if row.vendor in STEALTHY]
    others = [row for row in held_out if row.vendor not in STEALTHY]
    parts = [
        "# Machines that the model has not met",
        about,
        SIMULATED,
        "Each kind of machine is left out of the training in turn, everywhere; the trees grow on one half of the worlds"
        " and are judged on the other. Met before: the same, with the kind in the training. Loss is the share of"
        " people's events called automated, in worlds not trained on, by the trees that have not met the kind. The"
        " thresholds are the bundled model's; 95 % intervals are over worlds.",
        "## Vendors and other machines that do not hide",
        held_out_lines(others, "worlds"),
        "## Machines that hide where people are",
        "They come from people's networks or the recipient's own, with people's browsers.",
        held_out_lines(stealthy, "worlds"),
        "## Why never by row",
        "The same events and trees, with worlds held out whole:",
        figure_lines(grouped),
        "Split by row instead, so that events of one message are on both sides. Do not believe these:",
        figure_lines(by_row),
    ]
    return "\n\n".join(parts) + "\n"


def simulated_page(
    seeds: Sequence[int],
    messages: int,
    made: date,
    *,
    parameters: FitParameters = PARAMETERS,
    jobs: int = 2,
    say: Callable[[str], None] = lambda line: None,
) -> str:
    """The page of these worlds."""
    worlds = joblib.Parallel(n_jobs=jobs)(joblib.delayed(world)(seed, messages) for seed in seeds)
    data = concatenate(worlds)
    say(f"{len(seeds)} worlds, {len(data):,} events")
    thresholds = thresholds_of(bundled())
    held_out = hold_out_table(data, simulated_kinds(data.slice), parameters, thresholds, jobs, say)
    whole = out_of_fold(data, parameters, np.zeros(len(data), dtype=bool), jobs)
    grouped = {} if whole is None else evaluate(data, whole, thresholds, seed=parameters.seed)
    say("split by row")
    by_row = random_split(data, parameters, thresholds, jobs)
    about = (
        f"`make holdout` made this page on {made.isoformat()}: {len(seeds)} simulated worlds of {messages:,} messages,"
        f" {len(data):,} labelled events, {parameters.trees} trees."
    )
    return page(about, held_out, grouped, by_row)


def main() -> None:
    """Write `docs/evaluation.md`."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  (progress of a maintainer's command)

    seeds = range(FIRST_WORLD, FIRST_WORLD + WORLDS)
    write_bytes(_PAGE, simulated_page(seeds, MESSAGES, datetime.now(UTC).date(), say=say).encode())


if __name__ == "__main__":
    main()
