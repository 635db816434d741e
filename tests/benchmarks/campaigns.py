"""How far the campaign figures are from the truth, and how long `clicksift campaigns` takes.

    python -m tests.benchmarks.campaigns [--worlds W] [--messages M] [--events N]

The worlds are simulated from seeds that the bundled model was not trained on, of each profile as many; campaigns with
fewer people who opened or clicked than `FEWEST_PEOPLE` are left out of the errors, not of the intervals.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.duckdb_engine import connect
from features.schema import event_row
from serving.campaigns import campaign_figures
from serving.model import BotClickModel, bundled
from serving.scoring import score
from tests.benchmarks.score import CLICKSIFT, export, run
from training.bundled import load
from training.dataset import labelled
from training.simulation import simulate
from training.world import PROFILES

SEED = 40_000
FEWEST_PEOPLE = 20
COUNTED = {"opened": "opens", "clicked": "clicks"}


@dataclass(frozen=True)
class Campaign:
    """One figure of one campaign: the truth, what is expected, and the interval."""

    people: int
    expected: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Relative: 0.02 is 2 % too many."""
        return self.expected / self.people - 1

    @property
    def is_inside(self) -> bool:
        """Whether the truth lies in the interval; ends that are off by rounding count as reached."""
        return self.low - 1e-6 <= self.people <= self.high + 1e-6


def world(seed: int, messages: int, profile: str, model: BotClickModel) -> Iterator[tuple[str, Campaign]]:
    """The campaigns of a world by kind of event."""
    with tempfile.TemporaryDirectory(prefix="clicksift-campaigns-") as folder:
        simulate(seed, messages, profile=PROFILES[profile]).write(Path(folder))
        con = connect(threads=1)
        capabilities = load(con, Path(folder)).capabilities
        labelled(con, capabilities)  # leaves the labels of events
        made = score(con, model, capabilities, threads=1, reasons=False)
        figures = {row["campaign_id"]: row for row in campaign_figures(con, made.people).to_pylist()}
        truth = con.execute(
            f"""
            SELECT coalesce(campaign_id, ''), event_type, count(*) FILTER (human)
            FROM (
                SELECT e.campaign_id, e.event_type, e.message_id, e.recipient_id, bool_or(NOT l.automated) AS human
                FROM event_labels AS l
                JOIN events AS e ON l.event_row = {event_row("e")}
                GROUP BY ALL
            )
            WHERE event_type IN ('opened', 'clicked')
            GROUP BY ALL
            ORDER BY ALL
            """
        ).fetchall()
        con.close()
    for campaign, kind, people in truth:
        row, name = figures[campaign], f"human_{COUNTED[kind]}"
        yield kind, Campaign(people, row[name], row[f"{name}_low"], row[f"{name}_high"])


def line(name: str, kind: str, campaigns: Sequence[Campaign]) -> str:
    """The figures of some campaigns."""
    large = [campaign for campaign in campaigns if campaign.people >= FEWEST_PEOPLE]
    error = np.array([campaign.error for campaign in large])
    width = np.array([(campaign.high - campaign.low) / campaign.people for campaign in large])
    inside = np.mean([campaign.is_inside for campaign in campaigns])
    inside_large = np.mean([campaign.is_inside for campaign in large])
    return (
        f"{name:9} {kind:8}{len(large):>6}{np.median(error):>+9.2%}{np.median(np.abs(error)):>8.2%}"
        f"{np.quantile(np.abs(error), 0.9):>8.1%}{np.abs(error).max():>8.1%}{np.mean(np.abs(error) <= 0.06):>8.0%}"
        f"{np.median(width):>8.1%}{inside_large:>9.1%}{inside:>8.1%} of {len(campaigns)}"
    )


def accuracy(worlds: int, messages: int) -> Iterable[str]:
    """A table of errors by profile and kind of event."""
    yield (
        f"{worlds} worlds of each profile, {messages:,} messages each; campaigns of {FEWEST_PEOPLE} people or more\n"
        f"{'profile':9} {'event':8}{'number':>6}{'bias':>9}{'median':>8}{'90 %':>8}{'worst':>8}{'in 6 %':>8}"
        f"{'width':>8}{'inside':>9}   inside of all"
    )
    model = bundled()
    every: dict[str, list[Campaign]] = {kind: [] for kind in COUNTED}
    for profile in PROFILES:
        found: dict[str, list[Campaign]] = {kind: [] for kind in COUNTED}
        for seed in range(SEED, SEED + worlds):
            for kind, campaign in world(seed, messages, profile, model):
                found[kind].append(campaign)
        for kind, campaigns in found.items():
            every[kind] += campaigns
            yield line(profile, kind, campaigns)
    for kind, campaigns in every.items():
        yield line("all", kind, campaigns)


def speed(events: int) -> str:
    """What the command takes for a scored file of so many events."""
    with tempfile.TemporaryDirectory(prefix="clicksift-campaigns-") as folder:
        place = Path(folder)
        export(events, place)
        scored = place / "scored.parquet"
        tables = [place / "events.parquet", "--campaigns", place / "campaigns.parquet"]
        run([CLICKSIFT, "score", *tables, "-o", scored, "--no-reasons"])
        taken = run([CLICKSIFT, "campaigns", scored])
    return f"{events:,} events: {taken.seconds:.1f} s, {taken.peak_mb:,.0f} MB"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, score, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.campaigns", description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    chosen = parser.parse_args(arguments)
    for text in accuracy(chosen.worlds, chosen.messages):
        print(text, flush=True)
    print(speed(chosen.events))


if __name__ == "__main__":
    main()
