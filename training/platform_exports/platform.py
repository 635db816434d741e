"""What a platform is here: what its worlds are like, how it writes events, and what it calls them."""

from __future__ import annotations

import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from training.export import Simulation
from training.ranges import Spread

NONE = -1  # of no simulated event: mail sent, control records, noise


@dataclass(frozen=True)
class ExportFile:
    """A written file, and for each of its records in order the position of the simulated event it shows, or NONE."""

    path: Path
    shows: array.array[int] = field(default_factory=lambda: array.array("q"))


@dataclass(frozen=True)
class Platform:
    """One platform's way of giving events.

    `world` narrows what is simulated to what the platform can say; `write` writes the files into a folder;
    `event_id` gives the platform's id of a simulated event's id, None where its records have none; `campaigns`
    gives the table of campaigns under the ids and links that its files have.
    """

    world: Mapping[str, Spread]
    write: Callable[[Simulation, Path], Sequence[ExportFile]]
    event_id: Callable[[str], str] | None = None
    campaigns: Callable[[pa.Table], pa.Table] = lambda table: table
