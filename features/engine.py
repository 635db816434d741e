"""What an engine owes: the feature table of the events it holds."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Protocol

from features.feature import Capability

Progress = Callable[[str], None]


class Engine(Protocol):
    """Holds `events` and `campaigns` (see `features.schema`) and computes `features` from them."""

    def compute(
        self, capabilities: Set[Capability], *, coarse_times: bool = False, progress: Progress | None = None
    ) -> None:
        """Make the table `features`: `event_row` and one FLOAT column a feature, for every judged event."""
