"""The bundled model: many simulated worlds, each with its own vendors, delays, audience and gaps.

`make model` runs this and writes `serving/data/model`. Folds are by world, so that every figure in its card is of
worlds that the trees had not seen; they are worlds of the same simulator all the same.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import joblib
import numpy as np
import numpy.typing as npt

from features.duckdb_engine import connect
from features.feature import Capability
from features.readers import ReadSummary, read_campaigns, read_events, read_labels
from features.schema import ENGAGEMENT
from serving.booster import Booster
from serving.model import DEFAULT, Calibration, Thresholds, threshold_name
from training.dataset import Dataset, concatenate, labelled
from training.fit import FitParameters, fit
from training.gather import VARIANT_WEIGHT, draw_capabilities
from training.model_card import SIMULATED_WORLD
from training.retrain import Trained, assemble, thresholds_by_kind
from training.simulation import simulate
from training.threshold import choose, most_groups_limit, stricter
from training.world_kinds import world_kinds

WORLDS = 120
MESSAGES = 10_000
MOST_EVENTS = 10_000
ALLOWANCE = 0.005
CREATED = date(2026, 11, 29)
PARAMETERS = FitParameters(trees=350, folds=3)
# Worlds that no tree has seen show what a file without addresses or agents needs.
GAP_WORLDS = 60
GAP_MESSAGES = 4_000
# Of a file that lacks what tells most, more people may be lost than of an ordinary one: else little would be found.
GAP_ALLOWANCE = 0.01
GAPS: tuple[frozenset[Capability], ...] = (
    frozenset({"address"}),
    frozenset({"agent"}),
    frozenset({"address", "agent"}),
)
# People that a model takes for machines first, by the simulator's names; the trees heed them more than their number.
MISTAKABLE = (
    "qa tester",
    "tab opener",
    "fast clicker",
    "double click",
    "person it was forwarded to",
    "person behind virtual desktop",
    "person behind private relay",
    "person behind vpn",
    "person behind security proxy",
)
EMPHASIS = 4.0
# Only where simulated people are too few for a limit; far on the safe side.
CAUTIOUS = Thresholds(automated=0.97, human=0.5, allowance=ALLOWANCE, basis="set by hand: too few people to show it")


def world(seed: int, messages: int = MESSAGES) -> tuple[Dataset, Dataset]:
    """One simulated world as labelled rows: as its platform gives it, and with further gaps drawn from the seed.

    The world is one organisation, so that folds hold whole worlds out, and weighs as much as any other. Its campaigns
    have keys of their own: those of all worlds have the same names.
    """
    with tempfile.TemporaryDirectory(prefix="clicksift-world-") as folder:
        simulate(seed, messages).write(Path(folder))
        con = connect(threads=1)
        read = load(con, Path(folder))
    kept, coarse = draw_capabilities(read.capabilities, seed)
    views = _part(labelled(con, read.capabilities), seed), _part(labelled(con, kept, coarse_times=coarse), seed)
    plain, gapped = (
        replace(
            view,
            organisation=np.full(len(view), seed),
            campaign=_campaigns(view, seed),
            weight=view.weight / max(1, len(view)),
        )
        for view in views
    )
    return plain, gapped.weighted(VARIANT_WEIGHT)


def _campaigns(view: Dataset, seed: int) -> npt.NDArray[np.int64]:
    """A key for each row's campaign that no campaign of another world has."""
    _, number = np.unique(view.campaign, return_inverse=True)
    return (seed << 32) + number.astype(np.int64)


def _part(view: Dataset, seed: int) -> Dataset:
    """At most `MOST_EVENTS` of the events, drawn from the seed: more of one world teach little more."""
    if len(view) <= MOST_EVENTS:
        return view
    return view.take(np.sort(np.random.default_rng(seed).choice(len(view), MOST_EVENTS, replace=False)))


def load(con: duckdb.DuckDBPyConnection, folder: Path) -> ReadSummary:
    """Read a simulated folder as a user's files are read: the tables `events`, `campaigns` and `labels`."""
    read_campaigns(con, folder / "campaigns.parquet")
    summary = read_events(con, [folder / "events.parquet"])
    read_labels(con, folder / "labels.parquet")
    return summary


def train_bundled(
    seeds: Sequence[int],
    *,
    gap_seeds: Sequence[int] = (),
    messages: int = MESSAGES,
    parameters: FitParameters = PARAMETERS,
    jobs: int = 2,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:
    """The bundled model from these worlds."""
    worlds = []
    for pair in joblib.Parallel(n_jobs=jobs, return_as="generator")(joblib.delayed(world)(s, messages) for s in seeds):
        worlds.append(pair)
        say(f"{len(worlds)} of {len(seeds)} worlds")
    data = concatenate([plain for plain, _ in worlds])
    also = concatenate([gapped for _, gapped in worlds])
    scale = len(data) / data.weight.sum()
    data, also = data.weighted(scale), also.weighted(scale)
    say(f"growing trees on {len(data) + len(also):,} events")
    fitted = fit(data, parameters, also=[also], emphasis=emphasis(data), threads=jobs)
    thresholds, notes = thresholds_by_kind(data, fitted, {DEFAULT: CAUTIOUS}, ALLOWANCE, most_groups_limit)
    gaps = gap_thresholds(Booster(fitted.booster_text), fitted.calibration, gap_seeds, jobs=jobs, say=say)
    thresholds |= stricter(gaps, thresholds)
    return assemble(
        data,
        fitted,
        thresholds,
        notes,
        parameters,
        created=CREATED,
        source=f"{len(seeds)} simulated worlds",
        held_out=SIMULATED_WORLD,
        properties=world_kinds(data.organisation),
        extra={"worlds": list(seeds), "worlds_of_gaps": list(gap_seeds), "messages_a_world": messages},
    )


def world_with_gaps(seed: int, messages: int = GAP_MESSAGES) -> dict[str, Dataset]:
    """One world without addresses, agents and both, by the name of what is lacking.

    Methods are left out of every second world and times cut in every second pair of them, as platforms do that give
    neither.
    """
    with tempfile.TemporaryDirectory(prefix="clicksift-world-") as folder:
        simulate(seed, messages).write(Path(folder))
        con = connect(threads=1)
        read = load(con, Path(folder))
    given = read.capabilities - ({"method"} if seed % 2 else set())
    views = {}
    for gap in GAPS:
        view = _part(labelled(con, given - gap, coarse_times=seed % 4 >= 2), seed)
        views[without(given - gap)] = replace(view, organisation=np.full(len(view), seed))
    return views


def without(capabilities: Set[Capability]) -> str:
    """What is lacking, as the names of thresholds say it: "without address and agent"."""
    return threshold_name("", capabilities).strip()


def gap_thresholds(
    booster: Booster,
    calibration: Calibration,
    seeds: Sequence[int],
    *,
    messages: int = GAP_MESSAGES,
    jobs: int = 2,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Thresholds]:
    """The thresholds for files that lack addresses or agents, from worlds that the trees have not seen.

    A kind of event for which too few people's events show a loss within the allowance has none, and is judged by its
    ordinary threshold.
    """
    views: dict[str, list[Dataset]] = {}
    made_in_turn = joblib.Parallel(n_jobs=jobs, return_as="generator")
    for made in made_in_turn(joblib.delayed(world_with_gaps)(seed, messages) for seed in seeds):
        for name, view in made.items():
            views.setdefault(name, []).append(view)
    thresholds = {}
    for name, parts in sorted(views.items()):
        data = concatenate(parts)
        say(f"thresholds {name}: {len(data):,} events")
        probability = calibration.apply(booster.predict_raw(data.X))
        for kind, event_type in enumerate(ENGAGEMENT):
            rows = data.kind == kind
            chosen = choose(
                probability[rows],
                data.y[rows],
                data.organisation[rows],
                allowance=GAP_ALLOWANCE,
                limit=most_groups_limit,
            )
            if chosen is not None:
                thresholds[f"{event_type} {name}"] = replace(
                    chosen[0], basis=chosen[0].basis.replace("out of fold", "on worlds never trained on")
                )
    return thresholds


def emphasis(data: Dataset) -> npt.NDArray[np.float64]:
    """How much more than their number people count who are easily taken for machines, and unsubscribes."""
    mistakable = np.isin(data.slice, [f"simulated: {name}" for name in MISTAKABLE]) & (data.y == 0)
    return np.where(mistakable | (data.kind == 2), EMPHASIS, 1.0)


def main() -> None:
    """Train it and put it in place."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  (progress of a maintainer's command)

    trained = train_bundled(range(1_000, 1_000 + WORLDS), gap_seeds=range(5_000, 5_000 + GAP_WORLDS), say=say)
    target = Path(__file__).parent.parent / "serving" / "data" / "model"
    trained.model.save(target)
    say(trained.model.card)


if __name__ == "__main__":
    main()
