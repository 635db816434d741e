"""The card: what a reader of a model directory is told."""

from __future__ import annotations

from datetime import date

import numpy as np

from serving.model import DEFAULT, Thresholds
from tests.training.labelled_rows import CLICK, OPEN, rows
from training.evaluate import by_slice, evaluate
from training.model_card import ORGANISATION, SIMULATED_WORLD, SLICES_SHOWN, model_card

AT = Thresholds(automated=0.81234, human=0.4, allowance=0.01, basis="out of fold, 1 of 5 human events")
BY_KIND = {"opened": AT, "clicked": AT, "unsubscribed": AT, DEFAULT: AT}


def card(data, probability, *, thresholds=BY_KIND, notes=(), later=None, held_out=ORGANISATION):
    training = {
        "source": "labelled events",
        "events": 12_345,
        "held_out": held_out,
        "groups": 1_234,
        "automated": 6_789,
    }
    return model_card(
        date(2026, 3, 2),
        training,
        evaluate(data, probability, thresholds),
        later or {},
        by_slice(data, probability, thresholds, data.slice),
        thresholds,
        notes,
    )


def tables(text):
    """The cells of the card's table rows, without their headings."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line] for line in lines if line[0].strip() not in ("events", "source")]


def example():
    data = rows([0, 0, 1, 1], kind=[OPEN, CLICK, OPEN, CLICK], slice=["office", "office", "scanner", ""])
    return data, np.array([0.1, 0.9, 0.95, 0.99])


def test_it_says_what_the_model_was_made_from_and_when():
    text = card(*example())
    assert text.startswith("# Model card\n")
    assert (
        "Made 2026-03-02 from labelled events: 12,345 opens, clicks and unsubscribes of 1,234 organisations,"
        " 6,789 of them automated." in text
    )
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_figures_have_a_row_a_kind_with_counts_shares_and_intervals():
    figures = {row[0]: row for row in tables(card(*example()))[:3]}
    assert list(figures) == ["all", "opened", "clicked"]
    events, human, automated, auc, loss, recall, unsure, _ = figures["all"]
    assert (events, human, automated, auc) == ("all", "2", "2", "1.00000")
    assert loss.startswith("50.00% (") and recall.startswith("100.00% (") and unsure.startswith("0.00% (")


def test_figures_of_a_simulator_are_named_so():
    text = card(*example(), held_out=SIMULATED_WORLD)
    assert "1,234 simulated worlds" in text
    assert "These are figures of a simulator" in text
    assert "simulat" not in card(*example())


def test_the_last_fifth_in_time_has_a_table_of_its_own_where_there_is_one():
    data, probability = example()
    text = card(data, probability, later=evaluate(data, probability, BY_KIND))
    assert "The last fifth of the events in time" in text
    assert text.count("| all | 2 | 2 |") == 2
    assert "The last fifth" not in card(data, probability)


def test_thresholds_are_named_with_the_reason():
    text = card(*example())
    for name in BY_KIND:
        assert f"- {name}: automated from 0.812, human below 0.400; out of fold, 1 of 5 human events" in text


def test_every_table_row_has_as_many_cells_as_its_heading():
    lines = [line for line in card(*example()).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines[:5]} == {9}
    assert {line.count("|") for line in lines[5:]} == {6}


def test_a_label_without_a_source_is_named_so():
    assert [row[0] for row in tables(card(*example()))[3:]] == ["office", "not said", "scanner"]


def test_many_sources_are_cut_to_the_largest():
    data = rows([0, 1] * 100, slice=[f"source {n}" for n in range(100) for _ in range(2)])
    shown = tables(card(data, np.linspace(0, 1, 200)))[2:]
    assert len(shown) == SLICES_SHOWN


def test_what_the_model_cannot_see_is_always_said_and_notes_only_where_there_are_any():
    plain, noted = card(*example()), card(*example(), notes=["opened: too few people"])
    assert "## What it cannot see" in plain and "## Notes" not in plain
    assert noted.endswith("## Notes\n\n- opened: too few people\n")
