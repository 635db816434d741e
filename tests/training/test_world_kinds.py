"""Kinds of world: of the very world that the simulation makes, a word a property."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.simulation import simulate
from training.world import HARD, ORDINARY
from training.world_kinds import world_kinds, world_of


@pytest.mark.parametrize("profile", [None, HARD])
def test_the_world_of_a_seed_is_the_one_that_is_simulated(profile):
    made = simulate(11, 60, profile=profile).world
    found = world_of(11) if profile is None else world_of(11, profile)
    assert replace(found, campaigns=made.campaigns) == made


def test_each_row_has_the_words_of_its_world():
    seeds = np.array([4, 9, 4, 9, 9])
    kinds = world_kinds(seeds).to_pydict()
    for seed, audience, deliveries in zip(seeds, kinds["audience"], kinds["deliveries"], strict=True):
        world = world_of(int(seed))
        low, high = {"consumers": (0, 1 / 3), "mixed": (1 / 3, 2 / 3), "businesses": (2 / 3, 1)}[audience]
        assert low <= world.business_share <= high
        assert deliveries == ("given" if world.delivered_events else "not given")


def test_worlds_differ_in_every_property_and_a_profile_narrows_them():
    found = world_kinds(np.arange(60))
    assert all(len(set(column.to_pylist())) >= 2 for column in found.columns)
    assert set(world_kinds(np.arange(60), ORDINARY)["deliveries"].to_pylist()) == {"given"}
