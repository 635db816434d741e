"""Visits: requests of a pixel or a link, as columns of codes, before they become rows of an export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

SECOND = 1_000_000  # times are microseconds since 1970, UTC

OPEN, CLICK, UNSUBSCRIBE = 0, 1, 2
EVENT_TYPES = ("open", "click", "unsubscribe")
GET, HEAD, POST = 0, 1, 2
METHODS = ("GET", "HEAD", "POST")
HUMAN, SECURITY_SCANNER, PRIVACY_PROXY, LINK_PREVIEW, OTHER_AUTOMATION = range(5)
ACTORS = ("human", "security_scanner", "privacy_proxy", "link_preview", "other_automation")
NOTHING = -1  # no link, no agent


@dataclass(frozen=True)
class Visits:
    """One entry a request. `slot` counts links over all campaigns; -1 is no link (an open) or no agent.

    `time` is in microseconds; `address` and `agent` are codes of the scene's books, `source` of its kinds.
    """

    message: Int
    time: Int
    event: Int
    slot: Int
    address: Int
    agent: Int
    method: Int
    actor: Int
    source: Int

    def __len__(self) -> int:
        return len(self.message)

    def take(self, which: Int | Bool) -> Visits:
        """Give the visits at these positions, or where the mask holds."""
        return Visits(*(getattr(self, f.name)[which] for f in fields(self)))

    def replace(self, **columns: Int | int) -> Visits:
        """Give the same visits with some columns replaced; a number fills the column."""
        return replace(
            self, **{name: np.broadcast_to(np.asarray(v, np.int64), len(self)) for name, v in columns.items()}
        )


def visits(message: Int, time: Int, *, event: int, actor: int, source: int, **columns: Int | int) -> Visits:
    """Make visits from their messages and times; what is not given is: no link, no agent, GET, address 0."""
    given = {"slot": NOTHING, "address": 0, "agent": NOTHING, "method": GET, **columns}
    return Visits(
        message=np.asarray(message, np.int64),
        time=np.asarray(time, np.int64),
        **{
            name: np.broadcast_to(np.asarray(value, np.int64), len(message))
            for name, value in {**given, "event": event, "actor": actor, "source": source}.items()
        },
    )


def together(parts: Sequence[Visits]) -> Visits:
    """Join all visits of the parts, in their order."""
    return Visits(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Visits)))


def runs(counts: Int) -> tuple[Int, Int]:
    """Lay groups of these sizes end to end: the group of each member, and its position in the group."""
    owner = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - starts[owner]


def running_total(values: NDArray[np.float64], owner: Int) -> NDArray[np.float64]:
    """Add up, starting again with each group; `owner` is sorted."""
    if not len(values):
        return values
    total = np.cumsum(values)
    first = np.r_[True, owner[1:] != owner[:-1]]
    before = np.where(first, total - values, 0.0)
    return total - np.maximum.accumulate(np.where(first, before, 0.0)) if len(values) else total


def rank_within(owner: Int, by: NDArray[np.generic]) -> Int:
    """Give the rank of each member among those of the same owner when ordered by `by`, from 0."""
    order = np.lexsort((by, owner))
    sorted_owner = owner[order]
    first = np.r_[True, sorted_owner[1:] != sorted_owner[:-1]] if len(owner) else np.zeros(0, bool)
    position = np.arange(len(owner))
    rank = position - np.maximum.accumulate(np.where(first, position, 0))
    result = np.empty(len(owner), np.int64)
    result[order] = rank
    return result
