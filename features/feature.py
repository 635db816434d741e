"""What a feature is: one record that says everything about it. Bottom of the floor; imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Group = Literal["timing", "network", "user agent", "click pattern", "population"]
Unit = Literal["s", "share", "count", "flag", "code", "versions", "ratio"]
Capability = Literal["address", "agent", "deliveries", "links", "method", "domains"]

# What a platform may leave out altogether; a column with no value in all of a source's events counts as left out.
CAPABILITIES: tuple[Capability, ...] = ("address", "agent", "deliveries", "links", "method", "domains")


@dataclass(frozen=True)
class Feature:
    """One input of the model.

    `sql` is an expression over the columns of the stage named `stage`; it gives NULL where the answer is not known.
    `window` says in words how far the value looks in time. `needs` are the capabilities without which the
    value means nothing: the feature is then NULL for every event.
    """

    name: str
    group: Group
    sql: str
    unit: Unit
    description: str
    window: str
    needs: frozenset[Capability] = field(default=frozenset())


@dataclass(frozen=True)
class Stage:
    """One named step of the computation: a SELECT over earlier stages, kept as a table of its name."""

    name: str
    sql: str
