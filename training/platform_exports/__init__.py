"""Simulated events as the main platforms export them: each with its own words, ids, precision and gaps.

`timeline` brings a simulation into the order in which a platform meets it, a module a platform writes it, and
`truth` keeps the labels apart. What a platform does not give is lost, as it is for its users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pyarrow.parquet as pq

from features.errors import InputError
from training.export import Simulation
from training.platform_exports import gophish, mailgun, nginx, postmark, sendgrid, ses, truth
from training.platform_exports.platform import Platform
from training.simulation import simulate
from training.world import Profile

FORMATS: Mapping[str, Platform] = MappingProxyType(
    {
        "gophish": gophish.PLATFORM,
        "mailgun": mailgun.PLATFORM,
        "nginx": nginx.PLATFORM,
        "postmark": postmark.PLATFORM,
        "sendgrid": sendgrid.PLATFORM,
        "ses": ses.PLATFORM,
    }
)


def platform(name: str) -> Platform:
    """Give the platform of this name. Raises InputError where there is none."""
    if name not in FORMATS:
        raise InputError(f"--format {name}: there is no such format to write; known: {', '.join(FORMATS)}")
    return FORMATS[name]


def simulate_for(name: str, seed: int, messages: int) -> Simulation:
    """Simulate a sender who uses this platform; equal arguments give equal tables."""
    return simulate(seed, messages, profile=Profile(world=platform(name).world))


def write_export(made: Simulation, name: str, folder: Path) -> Sequence[Path]:
    """Write the platform's files into the folder, made if needed, with campaigns.parquet and labels.parquet beside.

    Gives the paths of the platform's files.
    """
    used = platform(name)
    folder.mkdir(parents=True, exist_ok=True)
    files = used.write(made, folder)
    pq.write_table(used.campaigns(made.campaigns), folder / "campaigns.parquet", compression="zstd")
    pq.write_table(truth.labels(made, files, used.event_id), folder / "labels.parquet", compression="zstd")
    return [file.path for file in files]
