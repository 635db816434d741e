"""The page that travels with a model: what it learnt from, how well it does, and what it cannot see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from serving.model import Thresholds
from training.evaluate import Figures

SLICES_SHOWN = 40
ORGANISATION, SIMULATED_WORLD = "organisation", "simulated world"
SIMULATED = (
    "**These are figures of a simulator**: its worlds differ from each other as widely as published observations allow,"
    " and were held out whole, but no real sender is among them. Label a campaign of your own to learn how the model"
    " does there,"
    " and retrain on it."
)


def model_card(
    created: date,
    training: Mapping[str, Any],
    figures: Mapping[str, Figures],
    later: Mapping[str, Figures],
    slices: Sequence[Mapping[str, Any]],
    thresholds: Mapping[str, Thresholds],
    notes: Sequence[str],
) -> str:
    """The card as Markdown; `training["held_out"]` names what the folds held out whole, and intervals are over."""
    held_out = training["held_out"]
    parts = [
        "# Model card",
        f"Made {created.isoformat()} from {training['source']}: {training['events']:,} opens, clicks and unsubscribes"
        f" of {training['groups']:,} {held_out}s, {training['automated']:,} of them automated.",
        "## What it is for",
        "Telling machine-made opens, clicks and unsubscribes from people's in email event files. It gives a probability"
        " of being automated and a verdict: human, automated, or unsure. It is not for judging a person, and a verdict"
        " is no proof about a single event.",
        "## How well",
        f"Out of fold: each figure is of events whose {held_out} the trees had not seen. Loss is the share of human"
        " events called automated, recall the share of automated events called so; 95 % intervals by bootstrap over"
        f" {held_out}s.",
        *([SIMULATED] if held_out == SIMULATED_WORLD else []),
        _figure_table(figures),
        *(
            ["The last fifth of the events in time, by trees that saw only what came before:", _figure_table(later)]
            if later
            else []
        ),
        "## Thresholds",
        "\n".join(
            f"- {name}: automated from {t.automated:.3f}, human below {t.human:.3f}; {t.basis}"
            for name, t in thresholds.items()
        ),
        "## By source of the label",
        _slice_table(slices),
        "## What it cannot see",
        "A scanner that behaves like a person, from an address where people are, with their browser, is not found:"
        " nothing in an event file tells it. Opens behind Apple's prefetch say nothing about the person either way."
        " Scanner kinds absent from training are found by what they share with others, or not at all.",
    ]
    if notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def _figure_table(figures: Mapping[str, Figures]) -> str:
    lines = [
        "| events | human | automated | AUC | loss | recall | unsure | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {f.human:,} | {f.automated:,} | {f.auc:.5f} | {f.loss} | {f.recall} | {f.unsure_all} |"
        f" {f.calibration_error:.4f} |"
        for name, f in figures.items()
    ]
    return "\n".join(lines)


def _slice_table(slices: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| source | events | truly automated | called automated | called human |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['slice'] or 'not said'} | {row['events']:,} | {row['truly_automated']:.1%} |"
        f" {row['called_automated']:.1%} | {row['called_human']:.1%} |"
        for row in slices[:SLICES_SHOWN]
    ]
    return "\n".join(lines)
