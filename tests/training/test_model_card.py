"""The card: what a reader of a model directory is told."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np

from serving.model import DEFAULT, Thresholds
from tests.training.labelled_rows import CLICK, OPEN, rows
from training.evaluate import Figure, by_slice, evaluate
from training.holdout import HeldOut
from training.model_card import ORGANISATION, SIMULATED_WORLD, SLICES_SHOWN, model_card
from training.slices import SliceFigures

AT = Thresholds(automated=0.81234, human=0.4, allowance=0.01, basis="out of fold, 1 of 5 human events")
BY_KIND = {"opened": AT, "clicked": AT, "unsubscribed": AT, DEFAULT: AT}


def card(data, probability, *, thresholds=BY_KIND, notes=(), later=None, held_out=ORGANISATION, **sections):
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
        **sections,
    )


def tables(text):
    """The tables of a card, each as the cells of its rows, headings first."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    rows = [[line.strip("|").split("|") for line in block if "---" not in line] for block in blocks]
    return [[[cell.strip() for cell in row] for row in table] for table in rows]


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
    figures = {row[0]: row for row in tables(card(*example()))[0][1:]}
    assert list(figures) == ["all", "opened", "clicked"]
    events, human, automated, auc, loss, recall, unsure, _ = figures["all"]
    assert (events, human, automated, auc) == ("all", "2", "2", "1.00000")
    assert loss.startswith("50.00% (") and recall.startswith("100.00% (") and unsure.startswith("0.00% (")


def test_the_words_of_a_label_stay_in_their_cell():
    data, probability = example()
    words = "a|b\n## Figures <b>\x1b[2J"
    text = card(replace(data, slice=np.array([words] * 4, dtype=object)), probability)
    assert "| a\\|b\N{REPLACEMENT CHARACTER}## Figures &lt;b&gt;\N{REPLACEMENT CHARACTER}[2J | 4 |" in text
    assert "\x1b" not in text


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
    found = tables(full_card())
    assert [len(table[0]) for table in found] == [8, 4, 8, 8, 8, 6, 7, 5]
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}


def test_recall_is_said_at_each_loss():
    [heading, *rows] = tables(card(*example()))[1]
    assert heading == ["events", "0.1% lost", "0.5% lost", "1.0% lost"]
    # In each kind the machine's event stands above the person's.
    assert [(row[0], row[1].split()[0]) for row in rows] == [
        ("all", "100.00%"),
        ("opened", "100.00%"),
        ("clicked", "100.00%"),
    ]


SLICE = SliceFigures(
    "vendor",
    "cisco",
    12,
    1_345,
    loss=Figure(math.nan, math.nan, math.nan),
    recall=Figure(0.5, 0.4, 0.6),
    unsure=Figure(0.01, math.nan, math.nan),
    worse=("recall",),
)
HELD = HeldOut(
    "cisco", 1_345, 17, Figure(0.99, 0.98, 1), Figure(0.9, 0.8, 0.95), Figure(0, 0, 0), Figure(0.001, 0, 0.002)
)


def full_card(**options):
    data, probability = example()
    figures = evaluate(data, probability, BY_KIND)
    return card(
        *(data, probability),
        later=figures,
        unseen_later=figures,
        by_row=figures,
        properties=[SLICE],
        held_out_vendors=[HELD],
        **options,
    )


def test_sections_that_have_something_to_say_are_there_and_no_others():
    plain, full = card(*example()), full_card()
    for words in (
        "The last fifth in time at organisations not trained on",
        "Split by row (do not believe)",
        "## Machines it has not met",
        "## Where it does worse",
    ):
        assert words in full
        assert words not in plain


def test_a_vendor_held_out_stands_with_what_is_found_of_it_met_and_not_met():
    row = tables(full_card())[5][1]
    assert row == [
        "cisco",
        "1,345",
        "17",
        "99.00% (98.00% to 100.00%)",
        "90.00% (80.00% to 95.00%)",
        "0.10% (0.00% to 0.20%)",
    ]


def test_slices_that_are_worse_are_shown_with_what_is_not_known_named_so():
    row = tables(full_card())[6][1]
    assert row == ["vendor: cisco", "12", "1,345", "not known", "50.00% (40.00% to 60.00%)", "1.00%", "recall"]


def test_slices_no_worse_are_shown_of_kinds_of_world_alone():
    alike = replace(SLICE, worse=())
    assert "vendor: cisco" not in card(*example(), properties=[alike])
    worlds = card(*example(), properties=[alike], held_out=SIMULATED_WORLD)
    assert "## By kind of world" in worlds
    assert "vendor: cisco" in worlds


def test_a_label_without_a_source_is_named_so():
    assert [row[0] for row in tables(card(*example()))[2][1:]] == ["office", "not said", "scanner"]


def test_many_sources_are_cut_to_the_largest():
    data = rows([0, 1] * 100, slice=[f"source {n}" for n in range(100) for _ in range(2)])
    shown = tables(card(data, np.linspace(0, 1, 200)))[-1][1:]
    assert len(shown) == SLICES_SHOWN


def test_what_the_model_cannot_see_is_always_said_and_notes_only_where_there_are_any():
    plain, noted = card(*example()), card(*example(), notes=["opened: too few people"])
    assert "## What it cannot see" in plain and "## Notes" not in plain
    assert noted.endswith("## Notes\n\n- opened: too few people\n")
