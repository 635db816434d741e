"""Where the lines, bars and squares of the report stand; the templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log10
from typing import Any

from serving.report.findings import BINS, BINS_PER_DECADE, Delays

# In units of the drawing; letters of 12 units can be read on a phone.
WIDTH, HEIGHT = 460.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 6.0, 12.0, 40.0
CELL, CELL_GAP = 16.4, 1.2
_TICKS = (("1 s", 1), ("10 s", 10), ("1 min", 60), ("10 min", 600), ("1 h", 3600), ("8 h", 28_800), ("3 d", 259_200))
INTERVAL_WIDTH = 120.0


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """Two stepped lines over the time since delivery, each of its own total; `rows` say the same in figures."""

    machines: str
    people: str
    machines_area: str
    people_area: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Day:
    """The bar of a day: people's unsubscribes below, machines' on them; `change` as of `unsubscribes.rates`."""

    x: float
    people_top: float
    people_height: float
    machines_top: float
    machines_height: float
    change: str | None


@dataclass(frozen=True)
class Days:
    """Bars of days, and the axes under and beside them."""

    days: tuple[Day, ...]
    bar_width: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Cell:
    """An hour of the week: where it stands, its events, and how dark it is (0 to 1)."""

    x: float
    y: float
    events: float
    depth: float


@dataclass(frozen=True)
class Interval:
    """Raw and people's rate of a campaign with its interval, as places on a line."""

    low: float
    people: float
    high: float
    raw: float


def timeline(delays: Delays) -> Timeline:
    """The lines of one kind of event; a line without events lies on the axis."""
    shares = [_shares(delays.machines), _shares(delays.people)]
    highest = max(max(each) for each in shares)
    step = next((s for s in (0.02, 0.05, 0.1, 0.2) if highest / s <= 5), 0.25)
    top = max(step * -(-highest // step), step)
    machines, people = (_steps(each, top) for each in shares)
    floor = f"{_x(BINS):.1f},{_y(0, top):.1f} {_x(0):.1f},{_y(0, top):.1f}"
    count = round(top / step)
    return Timeline(
        machines,
        people,
        machines_area=f"{machines} {floor}",
        people_area=f"{people} {floor}",
        x_ticks=tuple(Tick(_x(_bin(seconds)), label) for label, seconds in _TICKS),
        y_ticks=tuple(Tick(_y(n * step, top), f"{n * step:.0%}") for n in range(count + 1)),
        rows=tuple(_spans(delays)),
    )


def heat(grid: Sequence[Sequence[float]]) -> tuple[tuple[Cell, ...], ...]:
    """Squares of a week, a row a day; the busiest hour is as dark as can be."""
    busiest = max((max(row) for row in grid), default=0.0) or 1.0
    return tuple(
        tuple(
            Cell(36 + hour * (CELL + CELL_GAP), 4 + day * (CELL + CELL_GAP), events, (events / busiest) ** 0.5)
            for hour, events in enumerate(row)
        )
        for day, row in enumerate(grid)
    )


def days(rows: Sequence[Mapping[str, Any]]) -> Days:
    """Bars of the rows of `unsubscribes.rates`, one a day from the first to the last, days without any too."""
    first = min(row["day"] for row in rows).toordinal()
    span = max(row["day"] for row in rows).toordinal() - first + 1
    most = max(row["unsubscribes"] for row in rows)
    step = _round_step(most)
    top = step * -(-most // step)
    room = (WIDTH - LEFT - RIGHT) / span
    bars = []
    for row in rows:
        middle, high = _y(row["human_unsubscribes"], top), _y(row["unsubscribes"], top)
        x = LEFT + (row["day"].toordinal() - first) * room + 0.1 * room
        bars.append(Day(x, middle, _y(0, top) - middle, high, middle - high, row["change"]))
    every = max(1, -(-span // 5))
    labels = [
        Tick(LEFT + (day + 0.5) * room, date.fromordinal(first + day).strftime("%d %b"))
        for day in range(0, span, every)
    ]
    marks = [Tick(_y(n, top), f"{n:,}") for n in range(0, top + 1, step)]
    return Days(tuple(bars), 0.8 * room, tuple(labels), tuple(marks))


def intervals(rows: Sequence[Mapping[str, Any]]) -> list[Interval]:
    """The click rates of campaigns on one scale from 0 to the highest raw rate of all."""
    highest = max((row["click_rate"] or 0.0 for row in rows), default=0.0) or 1.0
    names = ("human_click_rate_low", "human_click_rate", "human_click_rate_high", "click_rate")
    return [Interval(*(4 + (INTERVAL_WIDTH - 8) * (row[name] or 0.0) / highest for name in names)) for row in rows]


def _shares(events: Sequence[float]) -> list[float]:
    total = sum(events) or 1.0
    return [each / total for each in events]


def _steps(shares: Sequence[float], top: float) -> str:
    """Points of a line that keeps its height for the width of a bin."""
    points = []
    for place, height in enumerate(shares):
        points += [(_x(place), _y(height, top)), (_x(place + 1), _y(height, top))]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _x(place: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * place / BINS


def _y(height: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - height / top)


def _round_step(most: int) -> int:
    """1, 2 or 5 times a power of ten, of which `most` has four at most."""
    power: int = 10 ** max(0, int(log10(max(most, 1))) - 1)
    return next(factor * power for factor in (1, 2, 5, 10, 20, 50) if most <= 4 * factor * power)


def _bin(seconds: float) -> float:
    return BINS_PER_DECADE * log10(seconds)


def _spans(delays: Delays) -> list[tuple[str, float, float]]:
    """Events between the marks of the axis; the bins that a mark lies in belong to what is before it."""
    spans = []
    before, begins = "", 0
    for label, seconds in (*_TICKS[1:], ("later", 10 ** (BINS / BINS_PER_DECADE))):
        ends = BINS if label == "later" else round(_bin(seconds))
        words = f"up to {label}" if not before else f"after {before}" if label == "later" else f"{before} to {label}"
        spans.append((words, sum(delays.machines[begins:ends]), sum(delays.people[begins:ends])))
        before, begins = label, ends
    return spans
