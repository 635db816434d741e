"""A challenger beside the champion: what counts as worse, and what as noise."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.training.labelled_rows import rows
from tests.training.registered_models import FINDS_LESS, GOOD, LOSES, THRESHOLDS, compared
from training.challenge import SOURCE, VENDOR, Comparison, compare_models, comparison_tables


def part(comparison, by, value):
    [found] = [part for part in comparison.parts if (part.by, part.value) == (by, value)]
    return found


def test_the_same_verdicts_are_no_change_with_no_interval():
    comparison = compared(GOOD, GOOD)
    clicked = part(comparison, "kind", "clicked")
    assert (clicked.human, clicked.automated) == (500, 500)
    for change in (clicked.loss, clicked.recall):
        assert (change.difference.value, change.difference.low, change.difference.high) == (0, 0, 0)
    assert comparison.reasons_against() == ()


@pytest.mark.parametrize(
    ("ours", "champion", "reasons"),
    [
        pytest.param(
            LOSES,
            GOOD,
            (
                "loses more of people's clicks: 10.00% against 0.00% (10.00 [10.00, 10.00] points more; beyond the"
                " noise and above 0.1)",
            ),
            id="loses more",
        ),
        pytest.param(GOOD, LOSES, (), id="loses less"),
        pytest.param(
            FINDS_LESS,
            GOOD,
            (
                "finds less of machines' events: 90.00% against 100.00% (10.00 [10.00, 10.00] points less; beyond the"
                " noise and above 1)",
                "finds less of machines' clicks: 90.00% against 100.00% (10.00 [10.00, 10.00] points less; beyond the"
                " noise and above 1)",
            ),
            id="finds less",
        ),
        pytest.param(GOOD, FINDS_LESS, (), id="finds more"),
    ],
)
def test_worse_for_people_or_less_found_speaks_against_it(ours, champion, reasons):
    assert compared(ours, champion).reasons_against() == reasons


def one_vendor(organisations, missed, *, vendor="cisco", slicing=VENDOR):
    """1,000 machines' clicks of 100 organisations, 40 of them of a vendor at so many; `missed` of those are not found.

    A comparison with a champion that finds all.
    """
    organisation = np.repeat(np.arange(100), 10)
    words = np.full(1_000, "others", dtype=object)
    chosen = np.flatnonzero(organisation < organisations)[:: max(1, organisations * 10 // 40)][:40]
    words[chosen] = vendor
    y = np.ones(1_000, dtype=np.int8)
    ours = np.ones(1_000)
    ours[chosen[:missed]] = 0.0
    data = rows(y, organisation=organisation)
    return compare_models(data, (ours, THRESHOLDS), (np.ones(1_000), THRESHOLDS), {slicing: words})


@pytest.mark.parametrize("slicing", [VENDOR, SOURCE])
def test_a_vendor_that_is_found_less_speaks_against_it_though_all_events_hardly_change(slicing):
    [reason] = one_vendor(40, missed=9, slicing=slicing).reasons_against()
    assert reason.startswith(f"finds less of {slicing} cisco: 77.50% against 100.00% (22.50 [")


def test_a_name_that_a_terminal_would_obey_is_shown_and_said_without_it():
    comparison = one_vendor(40, missed=9, vendor="\x1b[2Jcisco", slicing=SOURCE)
    console = Console(width=80, file=io.StringIO())
    for table in comparison_tables(comparison):
        console.print(table)
    assert "\x1b" not in console.file.getvalue() + "".join(comparison.reasons_against())
    assert "[2Jcisco" in console.file.getvalue()


def test_what_one_organisation_of_a_vendor_shows_is_noise():
    """All 10 misses lie at one of the 4 organisations; a draw without it shows none."""
    comparison = one_vendor(4, missed=10)
    assert part(comparison, VENDOR, "cisco").recall.organisations == 4
    assert comparison.reasons_against() == ()


def test_other_slices_are_shown_and_speak_against_nobody():
    comparison = one_vendor(40, missed=9, slicing="hour")
    assert part(comparison, "hour", "cisco").recall.difference.value == pytest.approx(-0.225)
    assert comparison.reasons_against() == ()


def test_a_loss_at_one_organisation_of_many_is_noise():
    people = np.zeros(3_000, dtype=np.int8)
    ours = np.zeros(3_000)
    ours[:30] = 1.0
    data = rows(people, organisation=np.arange(3_000) // 30)
    comparison = compare_models(data, (ours, THRESHOLDS), (np.zeros(3_000), THRESHOLDS), {})
    loss = part(comparison, "kind", "clicked").loss
    assert loss.difference.value == pytest.approx(0.01)
    assert loss.difference.low == 0
    assert comparison.reasons_against() == ()


def test_a_certain_but_tiny_loss_is_within_the_margin():
    """One person of 2,000 at each of 20 organisations: beyond any doubt, and 0.05 points."""
    organisation = np.arange(40_000) // 2_000
    ours = (np.arange(40_000) % 2_000 == 0).astype(float)
    data = rows(np.zeros(40_000), organisation=organisation)
    comparison = compare_models(data, (ours, THRESHOLDS), (np.zeros(40_000), THRESHOLDS), {})
    assert part(comparison, "kind", "clicked").loss.difference.low == pytest.approx(0.0005)
    assert comparison.reasons_against() == ()


def test_what_both_models_lose_alike_widens_no_interval():
    """Organisations differ widely in loss, and the challenger loses one more person at each: no draw changes that."""
    people = np.zeros(1_000, dtype=np.int8)
    organisation, place = np.arange(1_000) // 20, np.arange(1_000) % 20
    champion = (place < organisation % 10).astype(float)
    ours = (place <= organisation % 10).astype(float)
    data = rows(people, organisation=organisation)
    loss = part(compare_models(data, (ours, THRESHOLDS), (champion, THRESHOLDS), {}), "kind", "clicked").loss
    assert (loss.difference.low, loss.difference.high) == pytest.approx((0.05, 0.05))


def test_too_small_a_part_is_left_out_and_what_all_share_or_nobody_says_is_no_part():
    words = np.array(["few"] * 19 + ["enough"] * 20 + [None] * 961, dtype=object)
    data = rows(np.arange(1_000) % 2)
    judged = np.arange(1_000) % 2 * 1.0, THRESHOLDS
    everywhere = np.full(1_000, "the same", dtype=object)
    comparison = compare_models(data, judged, judged, {"mailbox host": words, "platform": everywhere})
    assert [(part.by, part.value) for part in comparison.parts if part.by != "kind"] == [("mailbox host", "enough")]


@pytest.mark.parametrize("machines_only", [True, False])
def test_a_comparison_survives_json(machines_only):
    comparison = one_vendor(40, missed=9) if machines_only else compared(LOSES, GOOD)
    assert Comparison.from_json(json.loads(json.dumps(comparison.to_json(), allow_nan=False))) == comparison


def test_the_tables_show_both_and_fit_a_terminal():
    comparison = one_vendor(40, missed=9)
    console = Console(width=80, file=io.StringIO())
    for table in comparison_tables(comparison):
        console.print(table)
    shown = console.file.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    assert "vendor: cisco" in shown
    assert "77.50%" in shown
    assert "-22.5 [" in shown
    assert "others" not in shown
