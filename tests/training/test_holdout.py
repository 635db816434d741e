"""Vendors held out: what the trees see, what they are judged on, and the order of the table."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from rich.console import Console

from features.catalog import FEATURE_NAMES
from serving.model import Thresholds
from tests.training.labelled_rows import rows
from training import holdout
from training.evaluate import Figure
from training.fit import FitParameters, grow
from training.holdout import HeldOut, held_out_table, hold_out_table, out_of_fold

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
THRESHOLDS = dict.fromkeys(("opened", "clicked", "unsubscribed"), AT)
SMALL = FitParameters(trees=30, leaves=7, least_in_leaf=5, learning_rate=0.2, feature_share=1.0)
ORGANISATIONS = 40


def example():
    """Three scanners and people, ten rows each at every organisation.

    "swift" and "quick" come within a second of the delivery, "hidden" as late as people but with a HEAD request that
    nobody else sends.
    """
    who = np.array(["swift", "quick", "hidden", "person"], dtype=object)
    vendor = np.tile(np.repeat(who, 10), ORGANISATIONS)
    data = rows(
        (vendor != "person").astype(int),
        organisation=np.repeat(np.arange(ORGANISATIONS), 40),
        since_delivery_s=np.where(np.isin(vendor, ["swift", "quick"]), 0.5, 90.0),
        method=np.where(vendor == "hidden", 1.0, 0.0),
    )
    return data, np.where(vendor == "person", "swift", vendor)  # a person's row may carry a vendor's name


def found(**options):
    data, vendor = example()
    return {row.vendor: row for row in hold_out_table(data, vendor, SMALL, THRESHOLDS, 1, **options)}


def test_what_vendors_share_is_found_of_one_never_met_and_what_is_its_own_is_not():
    rows_found = found()
    for name in ("swift", "quick"):
        assert (rows_found[name].seen.value, rows_found[name].unseen.value) == (1.0, 1.0)
    assert (rows_found["hidden"].seen.value, rows_found["hidden"].unseen.value) == (1.0, 0.0)


def test_the_least_found_stand_first_with_their_counts():
    table = hold_out_table(*example(), SMALL, THRESHOLDS, 1)
    assert table[0].vendor == "hidden"
    assert [(row.automated, row.organisations) for row in table] == [(400, 40)] * 3
    assert all(row.loss.value == 0 for row in table)


def test_no_tree_sees_the_vendor_or_the_organisations_it_is_judged_on(monkeypatch):
    data, vendor = example()
    learnt = []

    def watched(parts, parameters, threads):
        learnt.extend(parts)
        return grow(parts, parameters, threads)

    monkeypatch.setattr(holdout, "grow", watched)
    out_of_fold(data, SMALL, (vendor == "hidden") & (data.y == 1), 1)
    one, other = (set(part.organisation) for part in learnt)
    assert one | other == set(range(ORGANISATIONS))
    assert not one & other
    assert sum(len(part) for part in learnt) == len(data) - 400
    method = np.concatenate([part.X[:, FEATURE_NAMES.index("method")] for part in learnt])
    assert method.max() == 0  # of those who send HEAD requests none is left


def test_vendors_with_few_events_have_no_row_and_few_organisations_no_interval():
    data, vendor = example()
    hidden = np.flatnonzero(vendor == "hidden")
    vendor[hidden[:29]] = "rare"
    local = np.isin(np.arange(len(data)), hidden) & (data.organisation >= 36) & (vendor == "hidden")
    vendor[local] = "local"
    by_name = {row.vendor: row for row in hold_out_table(data, vendor, SMALL, THRESHOLDS, 1)}
    assert sorted(by_name) == ["hidden", "local", "quick", "swift"]
    assert (by_name["local"].automated, by_name["local"].organisations) == (40, 4)
    assert math.isnan(by_name["local"].unseen.low)
    assert by_name["hidden"].unseen.low <= by_name["hidden"].unseen.value <= by_name["hidden"].unseen.high


def test_a_vendor_without_which_nothing_is_left_to_learn_cannot_be_held_out():
    data, vendor = example()
    assert hold_out_table(data, np.full(len(data), "one", dtype=object), SMALL, THRESHOLDS, 1) == []
    chosen = np.isin(vendor, ["swift"]) | (data.y == 0)
    assert hold_out_table(data.take(chosen), vendor[chosen], SMALL, THRESHOLDS, 1) == []


def test_one_organisation_cannot_be_held_out():
    data, vendor = example()
    alone = data.organisation == 0
    assert hold_out_table(data.take(alone), vendor[alone], SMALL, THRESHOLDS, 1) == []


def test_threads_do_not_change_the_table_and_each_vendor_is_said():
    steps = []
    data, vendor = example()
    two = hold_out_table(data, vendor, SMALL, THRESHOLDS, 2, steps.append)
    assert two == hold_out_table(data, vendor, SMALL, THRESHOLDS, 1)
    assert steps == ["held out: hidden", "held out: quick", "held out: swift"]


HELD = HeldOut(
    "cisco",
    1_345,
    3,
    seen=Figure(0.99, 0.98, 1),
    unseen=Figure(0.9, math.nan, math.nan),
    loss_seen=Figure(0, 0, 0),
    loss=Figure(0.0012, 0, 0.0031),
)


def test_a_row_is_plain_json():
    row = json.loads(json.dumps(HELD.row()))
    assert (row["vendor"], row["automated"], row["seen_low"], row["unseen"]) == ("cisco", 1_345, 0.98, 0.9)
    assert row["unseen_low"] is None
    assert row["loss_high"] == pytest.approx(0.0031)


def test_the_table_fits_a_terminal():
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(held_out_table([HELD]))
    lines = [" ".join(line.split()) for line in capture.get().splitlines() if line.strip(" ─")]
    assert lines[-1] == "cisco 1,345 3 99.00% [98, 100] 90.00% 0.12% [0, 0.31]"
    assert lines[1] == "vendor automated org. found, met before found, never met people lost"


def test_where_the_rest_tells_nobody_apart_there_are_no_probabilities_and_no_error():
    random = np.random.default_rng(0)
    found = []
    for _ in range(6):
        noise = rows(np.tile([0, 1], 400), organisation=np.arange(800) // 20, since_delivery_s=random.random(800))
        found.append(out_of_fold(noise, SMALL, np.zeros(800, dtype=bool), 1))
    assert any(probability is None for probability in found)
