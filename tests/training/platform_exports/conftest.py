"""One small simulated sender a platform and what its platform exports, made once and read by many tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.training.platform_exports.exported import Export
from training.platform_exports import simulate_for, write_export

MESSAGES = 500
SEEDS = (1, 2, 6)


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Export]:
    """The export of a platform's sender of this seed."""

    @cache
    def made(name: str, seed: int) -> Export:
        simulation = simulate_for(name, seed, MESSAGES)
        folder: Path = tmp_path_factory.mktemp(name)
        return Export(simulation, folder, tuple(write_export(simulation, name, folder)))

    return made
