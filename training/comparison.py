"""A model beside the rules that others use, on the same labelled events: what `clicksift evaluate` shows.

"Loss" is the share of people's events called a machine's, "recall" the share of machines' events called so, both of
all labelled events of a kind: an abstention is neither, and is shown apart, like the model's unsure.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from rich.table import Table

from features.arrow_columns import to_array
from features.engine import Progress
from features.errors import InputError
from features.feature import CAPABILITIES, Capability
from features.files import replacing_file
from serving.baselines import RULES, Rule, drop_tables, make_tables, verdicts
from serving.expected_people import Expectation
from serving.model import BotClickModel, Thresholds
from serving.terminal_table import titled_table
from training.campaign_spread import counted
from training.dataset import Dataset
from training.evaluate import KINDS, LOSSES, Draws, Figure, Figures, judged, percent
from training.slices import SliceFigures

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# A campaign of fewer people who click has an error that says little of the rule.
FEWEST_CLICKERS = 20
CLICK = KINDS.index("clicked")
HOW_TO_READ: tuple[str, ...] = (
    "Lost and found are shares of all labelled events of the kind; an abstention is neither. The best stand first, by"
    " found less lost.",
    "Campaigns off by: the median error of a campaign's people who clicked, where at least 20 did; an abstention counts"
    " as a person there.",
    "Brackets are 95 % intervals over recipient organisations, in percent.",
)
_NOTHING = Figure(np.nan, np.nan, np.nan)
_WORDS = {"opened": "Opens", "clicked": "Clicks", "unsubscribed": "Unsubscribes"}


@dataclass(frozen=True)
class Judge:
    """Who judges, and what it said of n labelled events.

    `machine` and `abstains` are its verdicts; `human` is how much of a person each event counts as in the figures of a
    campaign.
    """

    name: str
    title: str
    source: str
    settings: str
    machine: Flags
    abstains: Flags
    human: Floats

    def take(self, rows: Flags) -> Judge:
        """The same judge of some of the events."""
        return replace(self, machine=self.machine[rows], abstains=self.abstains[rows], human=self.human[rows])


@dataclass(frozen=True)
class Judgement:
    """What a judge does to one kind of event: counts of the labels, shares with intervals.

    The errors are those of each campaign's unique human clicks, over campaigns with at least 20 people who clicked:
    NaN for other kinds and where there is no such campaign. `is_silent` where it abstains on every event.
    """

    name: str
    title: str
    source: str
    settings: str
    kind: str
    human: int
    automated: int
    loss: Figure
    recall: Figure
    abstained: Figure
    campaigns: int
    median_error: Figure
    worst_error: Figure

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing of any of the events."""
        return self.abstained.value == 1


def model_judge(
    name: str,
    data: Dataset,
    probability: Floats,
    thresholds: Mapping[str, Thresholds],
    people: Mapping[str, Expectation],
) -> Judge:
    """The model as a judge of these rows; `people` is how events count in the figures of their campaign."""
    machine, unsure = judged(data.kind, probability, thresholds)
    return Judge(name, "the model", "clicksift", "its thresholds", machine, unsure, counted(data, probability, people))


def thresholds_of(
    model: BotClickModel, capabilities: Set[Capability] = frozenset(CAPABILITIES)
) -> dict[str, Thresholds]:
    """The thresholds by which the model judges each kind of event in files that say so much."""
    return {name: model.thresholds_for(name, capabilities) for name in KINDS}


def rule_judges(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability],
    rules: Sequence[Rule] = RULES,
    *,
    progress: Progress | None = None,
) -> Iterator[Judge]:
    """Each rule as a judge of the labelled events of the connection, in the order of `training.dataset.labelled`.

    Needs what that leaves there. An abstention counts as a person in a campaign's figures.
    """
    labelled = to_array(con.sql("SELECT event_row FROM event_labels ORDER BY event_row").to_arrow_table()["event_row"])
    make_tables(con, capabilities)
    for rule in rules:
        if progress:
            progress(f"the rule {rule.name}")
        found = verdicts(con, rule)
        rows = np.searchsorted(to_array(found["event_row"]), labelled)
        machine, abstains = (
            to_array(flags)[rows] for flags in (pc.fill_null(found["machine"], False), pc.is_null(found["machine"]))
        )
        human = 1.0 - machine
        yield Judge(rule.name, rule.title, rule.source, rule.settings, machine, abstains, human)
    drop_tables(con)


def compare(data: Dataset, judges: Iterable[Judge], *, seed: int = 7, repeats: int = 200) -> list[Judgement]:
    """Every judge on every kind of event that is labelled, intervals over organisations.

    Sorted by kind, then by recall less loss, the best first, the silent last. Raises InputError without labels.
    """
    if not len(data):
        raise InputError(
            "labels: none is about an open, click or unsubscribe of the events; check that both files have the same"
            " event_id or raw_ref"
        )
    kinds = [_Kind(data, kind, seed, repeats) for kind in range(len(KINDS)) if (data.kind == kind).any()]
    made = [(kind.number, kind.judged(judge)) for judge in judges for kind in kinds]
    return [judgement for _, judgement in sorted(made, key=lambda pair: (pair[0], *_rank(pair[1])))]


def _rank(judgement: Judgement) -> tuple[bool, float]:
    """Order from the best: how far apart people and machines are told, unknown shares counting nothing."""
    apart = np.nan_to_num(judgement.recall.value) - np.nan_to_num(judgement.loss.value)
    return judgement.is_silent, -float(apart)


class _Kind:
    """The labelled events of one kind with their bootstrap draws, which all judges share."""

    def __init__(self, data: Dataset, number: int, seed: int, repeats: int) -> None:
        self.number = number
        self._rows = data.kind == number
        self._data = data.take(self._rows)
        self._people = self._data.y == 0
        self._draws = Draws(self._data.organisation, seed=seed, repeats=repeats)
        self._clickers = _Clickers(self._data, self._draws) if number == CLICK else None

    def judged(self, judge: Judge) -> Judgement:
        machine, abstains = judge.machine[self._rows], judge.abstains[self._rows]
        people, draws = self._people, self._draws
        campaigns, median, worst = 0, _NOTHING, _NOTHING
        if self._clickers:
            campaigns, median, worst = self._clickers.errors(judge.human[self._rows])
        return Judgement(
            judge.name,
            judge.title,
            judge.source,
            judge.settings,
            KINDS[self.number],
            human=int(people.sum()),
            automated=int((~people).sum()),
            loss=draws.share(machine & people, people),
            recall=draws.share(machine & ~people, ~people),
            abstained=draws.share(abstains, np.ones(len(people), dtype=bool)),
            campaigns=campaigns,
            median_error=median,
            worst_error=worst,
        )


class _Clickers:
    """Who clicked in which campaign, a pair once, where at least `FEWEST_CLICKERS` people did."""

    def __init__(self, clicks: Dataset, draws: Draws) -> None:
        pairs = np.column_stack([clicks.campaign, clicks.recipient])
        unique, first, pair = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        people = self._by_pair(clicks.y == 0, pair, len(unique))
        _, campaign = np.unique(unique[:, 0], return_inverse=True)
        kept = np.bincount(campaign, weights=people)[campaign] >= FEWEST_CLICKERS
        self._pair, self._kept, self._draws = pair, kept, draws
        names, self._campaign = np.unique(campaign[kept], return_inverse=True)
        self._campaigns = len(names)
        self._group = draws.group[first][kept]
        self._people = self._sums(people[kept])

    @staticmethod
    def _by_pair(human: npt.NDArray[np.generic], pair: npt.NDArray[np.intp], pairs: int) -> Floats:
        """The most that one of a pair's clicks counts as a person's."""
        most = np.zeros(pairs)
        np.maximum.at(most, pair, human.astype(float))
        return most

    def _sums(self, values: Floats) -> Floats:
        """The sum over pairs by campaign, as they are in the first row and then as drawn in each repeat."""
        drawn = (values * counts[self._group] for counts in self._draws.counts)
        rows = itertools.chain([values], drawn)
        return np.array([np.bincount(self._campaign, weights=row, minlength=self._campaigns) for row in rows])

    def errors(self, human: Floats) -> tuple[int, Figure, Figure]:
        """How many campaigns, and the median and the largest error of their people who clicked."""
        if not self._campaigns:
            return 0, _NOTHING, _NOTHING
        estimate = self._sums(self._by_pair(human, self._pair, len(self._kept))[self._kept])
        drawn = (self._people > 0).all(axis=1)
        error = np.abs(estimate[drawn] / self._people[drawn] - 1)
        median, worst = np.median(error, axis=1), error.max(axis=1)
        return self._campaigns, Draws.figure(median[0], median[1:]), Draws.figure(worst[0], worst[1:])


def label_counts(con: duckdb.DuckDBPyConnection, data: Dataset) -> str:
    """How many of the scored opens, clicks and unsubscribes are labelled, and as whose: one sentence."""
    scored = dict(
        con.execute("""
            SELECT f.kind, count(*) FROM features AS x JOIN facts AS f ON x.event_row = f.event_row GROUP BY 1
            """).fetchall()
    )
    parts = [
        f"{int((data.kind == kind).sum()):,} of {scored[kind]:,} {_WORDS[name].lower()}"
        for kind, name in enumerate(KINDS)
        if kind in scored
    ]
    machines = int(data.y.sum())
    return f"Labelled are {', '.join(parts)}: {len(data) - machines:,} as people's, {machines:,} as machines'."


def comparison_tables(judgements: Sequence[Judgement], *, model: str, best: int | None = None) -> list[Table]:
    """A table for each kind of event: the model in bold, and all rules or the `best` of them."""
    tables = []
    for kind in KINDS:
        found = [judgement for judgement in judgements if judgement.kind == kind]
        rules = [judgement.name for judgement in found if judgement.name != model][:best]
        shown = [judgement for judgement in found if judgement.name in {model, *rules}]
        if shown:
            tables.append(_table(kind, shown, model))
    return tables


def _table(kind: str, judgements: Sequence[Judgement], model: str) -> Table:
    one = judgements[0]
    title = f"{_WORDS[kind]}: {one.human:,} by people, {one.automated:,} by machines"
    table = titled_table(title, has_edge=True)
    has_campaigns = kind == KINDS[CLICK]
    table.add_column("judge", no_wrap=True)
    for heading in ("people lost", "machines found", "abstains", *["campaigns off by", "worst"] * has_campaigns):
        table.add_column(heading, justify="right", no_wrap=True)
    for judgement in judgements:
        cells = [judgement.loss.short, judgement.recall.short, f"{judgement.abstained.value:.1%}"]
        if has_campaigns:
            cells += [judgement.median_error.short, percent(100 * judgement.worst_error.value, "%")]
        if not judgement.is_silent:
            table.add_row(judgement.name, *cells, style="bold" if judgement.name == model else None)
    silent = [judgement.name for judgement in judgements if judgement.is_silent]
    if silent:
        table.caption, table.caption_justify = f"Abstain on all of these: {', '.join(silent)}\n", "left"
    return table


def write_figures(
    path: Path,
    judgements: Sequence[Judgement],
    model: str,
    figures: Mapping[str, Figures],
    slices: Sequence[SliceFigures] = (),
) -> None:
    """One row a judge and kind of event as CSV, then one a slice of all events; shares are between 0 and 1.

    auc, calibration_error and recall_at_loss_… are the model's, and so are the slices, whose unsure are abstentions.
    `worse` names their shares that are worse than those of all events beyond chance.
    """
    rows: list[dict[str, object]] = []
    for judgement in judgements:
        row: dict[str, object] = {}
        for name, value in asdict(judgement).items():
            if isinstance(value, dict):
                row |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
            else:
                row[name] = value
        own = figures.get(judgement.kind) if judgement.name == model else None
        row |= {"auc": own.auc if own else None, "calibration_error": own.calibration_error if own else None}
        for loss in LOSSES:
            recall = own.recall_at_loss[loss] if own else _NOTHING
            name = f"recall_at_loss_{loss:g}"
            row |= {name: recall.value, f"{name}_low": recall.low, f"{name}_high": recall.high}
        rows.append(row | dict.fromkeys(("dimension", "slice", "worse")))
    rows += [_slice_row(found, model) for found in slices]
    with replacing_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _slice_row(found: SliceFigures, model: str) -> dict[str, object]:
    """A slice in the columns of a judgement."""
    row: dict[str, object] = {"name": model, "kind": "all"}
    return row | {name.replace("unsure", "abstained"): value for name, value in found.row().items()}


def _cell(value: object) -> object:
    """Six digits of a share, nothing where it is not known."""
    if isinstance(value, float):
        return f"{value:.6g}" if np.isfinite(value) else None
    return value
