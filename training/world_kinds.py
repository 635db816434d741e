"""What kind of world each simulated one is, in a few words a property: for figures by kind of world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from training.ranges import draw
from training.world import ANYTHING, Profile, World

_PROPERTIES: Mapping[str, Callable[[World], str]] = MappingProxyType(
    {
        "audience": lambda world: _third(world.business_share, "consumers", "mixed", "businesses"),
        "machines' share of clicks": lambda world: _third(world.automated_clicks, "low", "middle", "high"),
        "times": lambda world: "whole seconds" if world.precision == "s" else "finer than a second",
        "deliveries": lambda world: "given" if world.delivered_events else "not given",
        "methods": lambda world: "given" if world.methods else "not given",
        "opens": lambda world: "tracked" if world.opens else "not tracked",
        "agents on readers' machines": lambda world: "some" if world.endpoint_share > 0 else "none",
        "gateways": lambda world: "some behind another" if world.layered_share > 0 else "one each",
        "virtual desktops": lambda world: "some" if world.desktop_offices > 0 else "none",
    }
)


def world_of(seed: int, profile: Profile = ANYTHING) -> World:
    """The world that `simulation.simulate` makes of the seed, but for its number of campaigns; simulates nothing."""
    parameters, *_ = np.random.default_rng(seed).spawn(4)
    return draw(World, parameters, profile.world)


def world_kinds(seeds: npt.NDArray[np.int64], profile: Profile = ANYTHING) -> pa.Table:
    """A text column a property of the world of each seed, in order: as `slices.slice_figures` takes them.

    Where each world is an organisation whose number is its seed, `seeds` are the rows' organisations.
    """
    distinct, inverse = np.unique(seeds, return_inverse=True)
    worlds = [world_of(int(seed), profile) for seed in distinct]
    positions = pa.array(inverse)
    return pa.table(
        {
            name: pa.array([word(world) for world in worlds], pa.string()).take(positions)
            for name, word in _PROPERTIES.items()
        }
    )


def _third(share: float, low: str, middle: str, high: str) -> str:
    return low if share < 1 / 3 else high if share > 2 / 3 else middle
