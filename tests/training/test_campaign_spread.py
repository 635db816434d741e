"""How far figures are off, and that intervals made of it hold on simulated worlds that were not measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from features.duckdb_engine import connect
from serving.expected_people import USUAL, Expectation, expectations
from serving.model import bundled
from tests.training.labelled_rows import rows
from training.bundled import load
from training.campaign_spread import by_kind, campaign_spread, covered, expected
from training.dataset import Dataset, labelled
from training.ranges import Choice, Range
from training.simulation import simulate
from training.world import Profile

CLICK = 1


def clicks(worlds: int, doubt: float, machines: int, *, readers: int = 60) -> tuple[Dataset, npt.NDArray[np.float64]]:
    """Worlds of five campaigns: clear readers with a doubt each, of whom in one world in ten some are machines."""
    y, world, campaign = [], [], []
    for w in range(worlds):
        for c in range(5):
            y += [int(w % 10 == 0 and n < machines) for n in range(readers)]
            world += [w] * readers
            campaign += [c] * readers
    data = rows(y, kind=[CLICK] * len(y), organisation=world, campaign=campaign, message=list(range(len(y))))
    return data, np.full(len(y), doubt)


def test_doubts_that_are_all_or_nothing_are_sharpened() -> None:
    """Nine worlds in ten have readers alone: 2 % off each of them would be off everywhere."""
    data, probability = clicks(40, doubt=0.02, machines=12)
    found = campaign_spread(data, probability, world=data.organisation)["people.clicked"]
    assert found["sharpness"] == 2
    assert expected(np.array([0.98]), 2)[0] > 0.999
    # Beyond the tail of 1.5 % are the worlds with 12 machines among 60: 12 is 12 / (1.2 + √1.2 + 0.1) units.
    assert found["below"] == pytest.approx(12 / (1.2 + 1.2**0.5 + 0.1), rel=0.01)
    assert found["above"] == pytest.approx(60 * 0.02**2 / 0.1, rel=0.05)


def test_a_world_counts_once_however_many_campaigns_it_has() -> None:
    small, probability = clicks(60, doubt=0.02, machines=0)
    large, more = clicks(1, doubt=0.02, machines=30, readers=60)
    data = rows(
        [*small.y, *large.y],
        kind=[CLICK] * (len(small) + len(large)),
        organisation=[*small.organisation, *([99] * len(large))],
        campaign=[*small.campaign, *range(len(large))],
        message=list(range(len(small) + len(large))),
    )
    both = campaign_spread(data, np.concatenate([probability, more]), world=data.organisation)
    alone = campaign_spread(small, probability, world=small.organisation)
    assert both["people.clicked"]["above"] == pytest.approx(alone["people.clicked"]["above"], abs=0.02)


def test_few_campaigns_show_no_tail() -> None:
    data, probability = clicks(2, doubt=0.02, machines=3)
    assert campaign_spread(data, probability) == {}
    assert set(campaign_spread(data, probability, fewest=5)) == {"people.clicked"}


def test_a_message_is_a_persons_where_one_of_its_events_is() -> None:
    data = rows([1, 0, 1], kind=[CLICK] * 3, organisation=[0] * 3, campaign=[7] * 3, message=[1, 1, 2])
    [(name, campaigns)] = by_kind(data, np.array([0.9, 0.2, 0.7]), data.organisation)
    assert name == "clicked"
    assert campaigns.people.tolist() == [True, False]
    assert campaigns.hope.tolist() == pytest.approx([0.8, 0.3])


def test_an_interval_covers_what_lies_between_its_ends() -> None:
    data, probability = clicks(10, doubt=0.02, machines=12)
    [(_, campaigns)] = by_kind(data, probability, data.organisation)
    assert covered(campaigns, Expectation(3.0, below=0.0, above=0.1)).mean() == pytest.approx(0.9)
    assert covered(campaigns, Expectation(3.0, below=6.0, above=0.1)).all()


def test_what_is_measured_is_what_a_manifest_holds() -> None:
    data, probability = clicks(40, doubt=0.02, machines=12)
    measured = campaign_spread(data, probability, world=data.organisation)
    assert expectations(measured) == {**USUAL, "clicked": Expectation(**measured["people.clicked"])}


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Dataset, npt.NDArray[np.float64]]]:
    """Worlds that neither the bundled model's trees nor its intervals were made of, with its probabilities."""
    model, found = bundled(), []
    profile = Profile({"campaigns": Range(6, 8, whole=True), "opens": Choice((True,))})
    for seed in range(30_000, 30_006):
        folder = tmp_path_factory.mktemp("world")
        simulate(seed, 1_500, profile=profile).write(folder)
        con = connect(threads=1)
        data = labelled(con, load(con, Path(folder)).capabilities)
        con.close()
        found.append((data, model.probability(data.X, threads=1)))
    return found


@pytest.mark.parametrize("kind", ["opened", "clicked"])
@pytest.mark.parametrize("people", [expectations(bundled().manifest["metrics"]), USUAL], ids=["bundled", "usual"])
def test_the_intervals_of_the_bundled_model_and_the_usual_ones_hold_on_unseen_worlds(
    unseen: list[tuple[Dataset, npt.NDArray[np.float64]]], people: Mapping[str, Expectation], kind: str
) -> None:
    of = [
        campaigns
        for data, probability in unseen
        for name, campaigns in by_kind(data, probability, np.zeros(len(data), np.int64))
        if name == kind
    ]
    inside = np.concatenate([covered(campaigns, people[kind]) for campaigns in of])
    assert len(inside) >= 36
    assert inside.mean() >= 0.92


def test_people_who_clicked_are_counted_within_two_percent_on_unseen_worlds(
    unseen: list[tuple[Dataset, npt.NDArray[np.float64]]],
) -> None:
    off = []
    for data, probability in unseen:
        for name, campaigns in by_kind(data, probability, np.zeros(len(data), np.int64)):
            if name == "clicked":
                people = campaigns.sums(campaigns.people)
                counted = campaigns.sums(expected(campaigns.hope, USUAL[name].sharpness))
                off += list(np.abs(counted / np.maximum(people, 1) - 1)[people >= 20])
    assert np.median(off) <= 0.02
