"""A new model beside the champion on the same labelled events: what changes for people and machines, with intervals.

Both are judged at their own thresholds. Intervals are of the difference, by a bootstrap over organisations in which
both models meet the same draws, so what makes a draw easy or hard for both does not widen them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.table import Table
from rich.text import Text

from serving.campaign_table import printable
from serving.model import Thresholds
from serving.terminal_table import titled_table
from training.dataset import Dataset
from training.evaluate import KINDS, Draws, Figure, cuts

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]
Judged = tuple[Floats, Mapping[str, Thresholds]]

# A change must be beyond the noise and matter too: with many organisations a difference of no use to anybody is beyond
# the noise.
LOSS_MARGIN = 0.001
RECALL_MARGIN = 0.01
# So wide are the intervals of a kind of event, and those of its parts: of fifty parts one would be out by chance.
KIND_INTERVAL, PART_INTERVAL = 0.95, 0.99
# Fewer machines' events, or events of fewer organisations, show nothing whatever their interval says.
FEWEST_EVENTS = 20
FEWEST_ORGANISATIONS = 5
VENDOR, SOURCE = "vendor", "label source"
# Of these parts a challenger may not find less. Of the others what is found changes with who is in them.
_GUARDED = (VENDOR, SOURCE)
HOW_TO_READ = (
    "Changes are in points of a hundred, against the champion; brackets are intervals over organisations (95 %; of"
    " parts 99 %). What speaks against the challenger is bold."
)
_WORDS = {"opened": "opens", "clicked": "clicks", "unsubscribed": "unsubscribes", "all": "events"}


@dataclass(frozen=True)
class Change:
    """A share under both models and how much higher it is under the challenger, with the interval of that.

    `organisations` is over how many organisations the share is taken.
    """

    challenger: float
    champion: float
    difference: Figure
    organisations: int

    @property
    def is_told(self) -> bool:
        """Whether the organisations are enough for the interval to mean something."""
        return self.organisations >= FEWEST_ORGANISATIONS


@dataclass(frozen=True)
class Part:
    """Some of the events: a kind of event (`by` is "kind") or the rows of a slicing with one value.

    `loss` is the share of people's events called automated, `recall` that of machines' events; None where there are
    none.
    """

    by: str
    value: str
    human: int
    automated: int
    loss: Change | None
    recall: Change | None


@dataclass(frozen=True)
class Comparison:
    """Both models on the same events.

    `champion` and `challenger` are names, with the versions of the models in `versions` in that order. `notes` say in
    words what flatters one of them.
    """

    champion: str
    challenger: str
    versions: tuple[str, str]
    data_fingerprint: str
    events: int
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, words and lists, as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Comparison:
        """What `to_json` gave. Raises KeyError, TypeError, ValueError or AttributeError for something else."""
        parts = map(_part_of, content["parts"])
        lists = {name: tuple(content[name]) for name in ("versions", "notes")}
        return cls(**{**content, **lists, "parts": tuple(parts)})

    def reasons_against(self) -> tuple[str, ...]:
        """Why the challenger should not take the champion's place, in words with figures; empty where it may.

        It loses more of people's opens, clicks or unsubscribes, or finds less of a kind of event, a vendor or a label
        source: the interval of the difference leaves out 0, and the difference is above `LOSS_MARGIN` or
        `RECALL_MARGIN`.
        """
        return tuple(reason for part in self.parts for reason in _reasons(part))


def _part_of(content: Mapping[str, Any]) -> Part:
    by, value = str(content["by"]), str(content["value"])
    if by == "kind" and value not in _WORDS:
        raise ValueError(f"{value} is no kind of event")
    counts = int(content["human"]), int(content["automated"])
    return Part(by, value, *counts, _change(content["loss"]), _change(content["recall"]))


def _change(content: Mapping[str, Any] | None) -> Change | None:
    if content is None:
        return None
    difference = Figure(**{name: float(value) for name, value in content["difference"].items()})
    shares = float(content["challenger"]), float(content["champion"])
    return Change(*shares, difference, int(content["organisations"]))


def compare_models(
    data: Dataset,
    ours: Judged,
    champion: Judged,
    slices: Mapping[str, Words],
    *,
    names: tuple[str, str] = ("challenger", "champion"),
    versions: tuple[str, str] = ("", ""),
    notes: tuple[str, ...] = (),
    seed: int = 7,
    repeats: int = 400,
) -> Comparison:
    """The challenger `ours` beside the champion, by kind of event and by each of the `slices`.

    Each model is its probabilities of the rows of `data` and its thresholds for each kind of event; `slices` give each
    row a word, None for none. `names` and `versions` are the challenger's and the champion's. A part with fewer than
    `FEWEST_EVENTS` events is left out. Intervals are 95 % ones by kind, 99 % ones of the slices, of which there are
    many.
    """
    draws = Draws(data.organisation, seed=seed, repeats=repeats)
    calls = [probability >= cuts(data.kind, thresholds)[0] for probability, thresholds in (ours, champion)]
    parts = tuple(
        _part(data, calls[0], calls[1], draws, rows, by, value)
        for by, value, rows in _parts(data, slices)
        if rows.sum() >= FEWEST_EVENTS
    )
    return Comparison(
        champion=names[1],
        challenger=names[0],
        versions=(versions[1], versions[0]),
        data_fingerprint=data.fingerprint(),
        events=len(data),
        parts=parts,
        notes=notes,
    )


def _parts(data: Dataset, slices: Mapping[str, Words]) -> Iterator[tuple[str, str, Flags]]:
    yield "kind", "all", np.ones(len(data), dtype=bool)
    for number, name in enumerate(KINDS):
        yield "kind", name, data.kind == number
    for by, words in slices.items():
        counts = Counter(word for word in words.tolist() if word is not None)
        if len(counts) > 1:  # a single one is all events again
            for value in sorted(counts):
                if counts[value] >= FEWEST_EVENTS:
                    yield by, str(value), words == value


def _part(data: Dataset, ours: Flags, champion: Flags, draws: Draws, rows: Flags, by: str, value: str) -> Part:
    people, machines = rows & (data.y == 0), rows & (data.y == 1)
    width = KIND_INTERVAL if by == "kind" else PART_INTERVAL
    return Part(
        by=by,
        value=value,
        human=int(people.sum()),
        automated=int(machines.sum()),
        loss=_compared(ours, champion, people, draws, width),
        recall=_compared(ours, champion, machines, draws, width),
    )


def _compared(ours: Flags, champion: Flags, whole: Flags, draws: Draws, width: float) -> Change | None:
    if not whole.any():
        return None
    total = np.bincount(draws.group, weights=whole, minlength=draws.groups)
    gained = np.where(whole, ours.astype(np.int8) - champion.astype(np.int8), 0)
    told = np.flatnonzero(total)
    counts = draws.counts[:, told]
    more = np.bincount(draws.group, weights=gained, minlength=draws.groups)[told]
    with np.errstate(invalid="ignore"):
        repeats = np.divide(counts @ more, counts @ total[told])
    # Some organisation of the whole was drawn in nearly every repeat, if in any.
    low, high = np.nanquantile(repeats, [(1 - width) / 2, (1 + width) / 2])
    difference = Figure(float(gained.sum() / whole.sum()), float(low), float(high))
    return Change(float(ours[whole].mean()), float(champion[whole].mean()), difference, len(told))


def _reasons(part: Part) -> Iterator[str]:
    if part.by != "kind" and part.by not in _GUARDED:
        return
    loss, recall = part.loss, part.recall
    if part.by == "kind" and part.value != "all" and loss and loss.is_told:
        more = loss.difference
        if more.low > 0 and more.value > LOSS_MARGIN:
            yield (
                f"loses more of people's {_WORDS[part.value]}: {loss.challenger:.2%} against {loss.champion:.2%}"
                f" ({_points(more)} more; beyond the noise and above {100 * LOSS_MARGIN:g})"
            )
    if recall and part.automated >= FEWEST_EVENTS and recall.is_told:
        less = Figure(-recall.difference.value, -recall.difference.high, -recall.difference.low)
        if less.low > 0 and less.value > RECALL_MARGIN:
            whose = f"machines' {_WORDS[part.value]}" if part.by == "kind" else f"{part.by} {printable(part.value)}"
            yield (
                f"finds less of {whose}: {recall.challenger:.2%} against {recall.champion:.2%}"
                f" ({_points(less)} less; beyond the noise and above {100 * RECALL_MARGIN:g})"
            )


def _points(figure: Figure) -> str:
    return f"{100 * figure.value:.2f} [{100 * figure.low:.2f}, {100 * figure.high:.2f}] points"


def slices_of(columns: pa.Table, data: Dataset) -> dict[str, Words]:
    """What to compare models by: the dimensions of `training.slices`, and the label's source where labels have one.

    One word a row of `data`, of which `columns` are what `training.slices.slice_columns` gave.
    """
    names = [name for name in columns.column_names if name != "event type"]
    words = {name: np.array(columns[name].to_pylist(), dtype=object) for name in names}
    return words | ({SOURCE: data.slice} if any(data.slice) else {})


def comparison_tables(comparison: Comparison, most: int = 12) -> list[Table]:
    """A table by kind of event, and one of the `most` other parts that change most, for a terminal."""
    kinds = [part for part in comparison.parts if part.by == "kind"]
    others = sorted((part for part in comparison.parts if part.by != "kind"), key=_size)
    title = Text(printable(f"{comparison.challenger} beside the champion {comparison.champion}"))
    tables = [_table(title, kinds)]
    if moved := [part for part in others if _size(part) < 0][:most]:
        tables.append(_table("Where they differ most", moved))
    return tables


def _size(part: Part) -> float:
    """How many events of a part the models differ in, the most first."""
    sizes = ((part.loss, part.human), (part.recall, part.automated))
    return -sum(abs(change.difference.value) * events for change, events in sizes if change)


def _table(title: str | Text, parts: list[Part]) -> Table:
    table = titled_table(title, has_edge=True)
    table.add_column("events", min_width=12)
    for heading in ("people lost", "change", "machines found", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    for part in parts:
        bad = any(_reasons(part))
        name = part.value if part.by == "kind" else f"{part.by}: {part.value}"
        table.add_row(Text(printable(name)), *_cells(part.loss), *_cells(part.recall), style="bold" if bad else None)
    return table


def _cells(change: Change | None) -> tuple[str, str]:
    if change is None:
        return "not shown", ""
    moved = change.difference
    interval = f" [{_short(moved.low)}, {_short(moved.high)}]" if moved.low != moved.high else ""
    return f"{change.challenger:.2%}", f"{_short(moved.value)}{interval}"


def _short(share: float) -> str:
    """In points, with as many decimals as matter."""
    points = 100 * share
    return f"{points:+.2f}" if abs(points) < 1 else f"{points:+.1f}"
