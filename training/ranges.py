"""Ranges that parameters are drawn from: a record says for each of its fields how widely it varies.

A frozen dataclass whose fields are made by `varies` can be drawn with `draw`; a profile narrows some of the
ranges and leaves the code path alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.random import Generator

Record = TypeVar("Record")


class Spread(Protocol):
    """Anything a parameter can be drawn from."""

    def draw(self, rng: Generator) -> Any:
        """One value."""


@dataclass(frozen=True)
class Range:
    """Uniform between two ends, on a log scale where the ends differ by orders of magnitude."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def draw(self, rng: Generator) -> float | int:
        """Draw one value; an int, both ends included, when `whole`."""
        u = float(rng.random())
        if self.whole and not self.log:
            return int(rng.integers(int(self.low), int(self.high) + 1))
        if not self.log:
            return self.low + (self.high - self.low) * u
        value = float(np.exp(np.log(self.low) + (np.log(self.high) - np.log(self.low)) * u))
        return round(value) if self.whole else value


@dataclass(frozen=True)
class Choice:
    """One of a few values; equally likely where no weights are given."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] = ()

    def draw(self, rng: Generator) -> Any:
        """One of the values."""
        weights = np.array(self.weights or (1.0,) * len(self.values))
        return self.values[int(rng.choice(len(self.values), p=weights / weights.sum()))]


@dataclass(frozen=True)
class Sometimes:
    """From `spread` in a share of worlds, else `otherwise`: for habits that many senders never meet."""

    share: float
    spread: Spread
    otherwise: Any = 0.0

    def draw(self, rng: Generator) -> Any:
        """`otherwise`, itself drawn when it is a spread, or a value of `spread`."""
        drawn = self.spread.draw(rng)
        other = self.otherwise.draw(rng) if isinstance(self.otherwise, Range | Choice) else self.otherwise
        return drawn if rng.random() < self.share else other


def varies(spread: Spread) -> Any:
    """Declare a dataclass field without default that `draw` fills from `spread`."""
    return dataclasses.field(metadata={"spread": spread})


def draw(record: type[Record], rng: Generator, narrower: Mapping[str, Spread] | None = None, **given: object) -> Record:
    """Draw a record's varying fields; `narrower` replaces the range of a field, `given` its value.

    Every field has a random stream of its own, so a narrower range leaves the other fields alone.
    Raises KeyError where `narrower` names no varying field: a profile with a typing error would do nothing.
    """
    narrower = narrower or {}
    spreads = {f.name: f.metadata["spread"] for f in dataclasses.fields(cast(Any, record)) if f.metadata}
    unknown = set(narrower) - set(spreads)
    if unknown:
        raise KeyError(f"{record.__name__} has no varying field {sorted(unknown)}")
    streams = rng.spawn(len(spreads))
    values = {
        name: narrower.get(name, spread).draw(stream)
        for (name, spread), stream in zip(spreads.items(), streams, strict=True)
    }
    return record(**{**values, **given})
