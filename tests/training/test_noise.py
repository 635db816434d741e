"""Wrong labels: noticed by messages that contradict themselves, listed, and treated as asked."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from features.errors import InputError
from tests.training.conftest import opened
from tests.training.labelled_rows import rows
from training.dataset import labelled
from training.noise import LabelNoise, check_treatment, label_noise, treat, write_suspects


def scanned(messages: int = 400, links: int = 6):
    """Messages that a machine clicks through, and as many that a person clicks once; all told apart with certainty."""
    machine, person = np.arange(messages).repeat(links), messages + np.arange(messages)
    y = np.r_[np.ones(len(machine)), np.zeros(len(person))].astype(np.int8)
    return rows(y, message=np.r_[machine, person]), np.where(y == 1, 0.98, 0.02)


def flipped(data, share, seed=1):
    wrong = np.random.default_rng(seed).random(len(data)) < share
    return replace(data, y=np.where(wrong, 1 - data.y, data.y).astype(np.int8)), wrong


@pytest.mark.parametrize("share", [0.03, 0.08, 0.2])
def test_the_share_of_wrong_labels_is_told_from_messages_that_contradict_themselves(share):
    data, probability = scanned()
    noisy, wrong = flipped(data, share)
    found = label_noise(noisy, probability)
    assert found.is_found
    assert found.share == pytest.approx(share, rel=0.25)
    assert found.suspects.tolist() == wrong.tolist()


def test_right_labels_have_no_noise():
    found = label_noise(*scanned())
    assert not found.is_found
    assert found.share == 0
    assert not found.suspects.any()


def test_machines_that_look_like_people_are_suspects_and_no_noise():
    data, probability = scanned()
    stealthy = np.flatnonzero(data.y == 0)[:200]
    y = data.y.copy()
    y[stealthy] = 1
    found = label_noise(replace(data, y=y), probability)
    assert np.flatnonzero(found.suspects).tolist() == stealthy.tolist()
    assert not found.is_found
    assert treat(found, "auto").kept.all()


def test_too_few_messages_tell_nothing():
    data, probability = scanned(messages=10)
    found = label_noise(flipped(data, 0.2)[0], probability)
    assert np.isnan(found.share)
    assert not found.is_found


SUSPECTS = np.array([False, True, False, True])
FEW, MANY = (LabelNoise(share, SUSPECTS, np.full(4, 0.5)) for share in (0.005, 0.08))


@pytest.mark.parametrize(
    ("noise", "treatment", "kept", "weight"),
    [
        (MANY, "auto", [True, False, True, False], [1, 1, 1, 1]),
        (FEW, "auto", [True] * 4, [1, 1, 1, 1]),
        (FEW, "drop", [True, False, True, False], [1, 1, 1, 1]),
        (MANY, "weigh", [True] * 4, [1, 0.2, 1, 0.2]),
        (MANY, "keep", [True] * 4, [1, 1, 1, 1]),
    ],
)
def test_suspects_are_treated_as_asked(noise, treatment, kept, weight):
    treated = treat(noise, treatment)
    assert treated.kept.tolist() == kept
    assert treated.weight.tolist() == weight
    assert treated.notes[0].startswith("2 of 4 labels are less likely than not")
    assert treated.changes == (not all(kept) or weight != [1] * 4)


def test_without_suspects_nothing_is_said():
    treated = treat(LabelNoise(0.0, np.zeros(3, bool), np.full(3, 0.5)), "drop")
    assert treated.notes == ()
    assert not treated.changes


def test_a_treatment_that_does_not_exist_is_refused():
    assert check_treatment("weigh") == "weigh"
    with pytest.raises(InputError, match="--label-noise discard: expected one of auto, keep, weigh, drop"):
        check_treatment("discard")


def test_suspects_are_listed_with_their_event_the_least_likely_first(sender, tmp_path):
    with opened(sender) as (con, capabilities):
        data = labelled(con, capabilities)
        probability = np.where(data.y == 1, 0.9, 0.1)
        # The first automated event looks like a person's, and the first human one even more like a machine's.
        machine, person = int(np.flatnonzero(data.y == 1)[0]), int(np.flatnonzero(data.y == 0)[0])
        probability[[machine, person]] = 0.2, 0.95
        write_suspects(con, label_noise(data, probability), tmp_path / "suspects.csv")
        ids = con.execute("SELECT event_id FROM labels").fetchall()
    with (tmp_path / "suspects.csv").open() as file:
        listed = list(csv.DictReader(file))
    assert [(row["automated"], row["probability"]) for row in listed] == [("false", "0.95"), ("true", "0.2")]
    assert {row["event_id"] for row in listed} <= {str(i) for (i,) in ids}
