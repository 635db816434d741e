"""The page of simulated worlds: kinds by their labels, stealthy ones apart, everything said to be simulated."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from training import world as worlds
from training.fit import FitParameters
from training.holdout_worlds import STEALTHY, simulated_kinds, simulated_page, world
from training.vendors import VENDORS

TINY = FitParameters(trees=8, leaves=7, least_in_leaf=20, learning_rate=0.2)


def test_kinds_are_those_of_the_simulator_with_checks_at_the_click_and_previews_together():
    source = [
        "simulated: safe links",
        "simulated: safe links at the time of the click",
        "simulated: teams preview",
        "simulated: slack preview",
        "simulated: agent on the reader's machine",
    ]
    assert simulated_kinds(np.array(source, dtype=object)).tolist() == [
        "safe links",
        "safe links",
        "link preview",
        "link preview",
        "agent on the reader's machine",
    ]


def test_the_stealthy_kinds_are_kinds_of_the_simulator():
    assert {kind for kind in STEALTHY if kind != "agent on the reader's machine"} <= set(VENDORS)
    assert "endpoint_share" in worlds.World.__dataclass_fields__


def test_a_world_is_one_organisation():
    data = world(9_000, 200)
    assert set(data.organisation) == {9_000}
    assert 0 < data.y.sum() < len(data)


@pytest.fixture(scope="module")
def text():
    """The page of two small worlds."""
    return simulated_page(range(9_001, 9_003), 600, date(2026, 3, 2), parameters=TINY, jobs=1)


def test_the_page_says_how_it_was_made_and_of_what(text):
    assert "`make holdout` made this page on 2026-03-02: 2 simulated worlds of 600 messages," in text
    assert "8 trees" in text
    assert "These are figures of a simulator" in text


def test_stealthy_kinds_stand_apart_and_every_row_has_all_cells(text):
    open_part, stealthy_part = text.split("## Machines that hide where people are")
    assert "| apple mail privacy |" in open_part
    assert not any(f"| {kind} |" in open_part for kind in STEALTHY)
    held = [line for line in text.split("## Why never by row")[0].splitlines() if line.startswith("|")]
    assert {line.count("|") for line in held} == {7}
    assert "| left out |" in stealthy_part


def test_the_split_by_row_stands_beside_that_by_world(text):
    honest, flattering = text.split("## Why never by row")[1].split("Do not believe these:")
    for part in (honest, flattering):
        assert "| all |" in part
