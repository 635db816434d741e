"""The page that travels with a model: what it learnt from, how well it does, and what it cannot see."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from serving.campaign_table import printable
from serving.model import Thresholds
from training.evaluate import LOSSES, Figures
from training.holdout import HeldOut
from training.slices import SliceFigures, worst_first

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
    *,
    unseen_later: Mapping[str, Figures] = MappingProxyType({}),
    by_row: Mapping[str, Figures] = MappingProxyType({}),
    properties: Sequence[SliceFigures] = (),
    held_out_vendors: Sequence[HeldOut] = (),
) -> str:
    """The card as Markdown; `training["held_out"]` names what the folds held out whole, and intervals are over.

    `later`, `unseen_later`, `by_row`, `properties` and `held_out_vendors` have sections where they are not empty. Of
    simulated worlds all `properties` are shown, kinds of world as they are; of a user's events those that are worse
    than the whole.
    """
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
        figure_lines(figures),
        "Recall where the threshold is set to lose at most so many of these people's events:",
        _recall_lines(figures),
        *_with_heading("The last fifth of the events in time, by trees that saw only what came before:", later),
        *_with_heading(
            f"The last fifth in time at {held_out}s not trained on, by trees that saw only others and what came"
            " before:",
            unseen_later,
        ),
        *_with_heading(
            "Split by row (do not believe): events of one message are on both sides, as in figures that never say how"
            " they were split:",
            by_row,
        ),
        *_held_out_section(held_out_vendors),
        "## Thresholds",
        "\n".join(
            f"- {name}: automated from {t.automated:.3f}, human below {t.human:.3f}; {t.basis}"
            for name, t in thresholds.items()
        ),
        *_property_section(properties, held_out),
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


def figure_lines(figures: Mapping[str, Figures]) -> str:
    """Figures as a Markdown table, a row a kind of event."""
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


def _with_heading(heading: str, figures: Mapping[str, Figures]) -> list[str]:
    return [heading, figure_lines(figures)] if figures else []


def _cell(words: str) -> str:
    """Words of a file as one cell of a Markdown table, and as nothing else."""
    return printable(html.escape(words, quote=False)).replace("|", "\\|")


def _recall_lines(figures: Mapping[str, Figures]) -> str:
    lines = [f"| events | {' | '.join(f'{loss:.1%} lost' for loss in LOSSES)} |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {' | '.join(str(found.recall_at_loss[loss]) for loss in LOSSES)} |"
        for name, found in figures.items()
    ]
    return "\n".join(lines)


def _held_out_section(rows: Sequence[HeldOut]) -> list[str]:
    if not rows:
        return []
    return [
        "## Machines it has not met",
        "Each vendor left out of the training in turn, and the trees judged where they saw no organisation either. Loss"
        " is of people's events there, by the trees that have not met the vendor.",
        held_out_lines(rows),
    ]


def held_out_lines(rows: Sequence[HeldOut], groups: str = "organisations") -> str:
    """Each vendor that was held out as a row of a Markdown table."""
    lines = [
        f"| left out | events | {groups} | found, met before | found, never met | loss |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(row.vendor)} | {row.automated:,} | {row.organisations} | {row.seen} | {row.unseen} | {row.loss} |"
        for row in rows
    ]
    return "\n".join(lines)


def _property_section(properties: Sequence[SliceFigures], held_out: str) -> list[str]:
    is_simulated = held_out == SIMULATED_WORLD
    shown = list(properties) if is_simulated else worst_first(properties)
    if not shown:
        return []
    lines = ["| slice | human | automated | loss | recall | unsure | worse than all |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {row.dimension}: {_cell(row.name)} | {row.human:,} | {row.automated:,} | {row.loss} | {row.recall} |"
        f" {row.unsure} | {', '.join(row.worse)} |"
        for row in shown
    ]
    heading = "## By kind of world" if is_simulated else "## Where it does worse"
    return [heading, "\n".join(lines)]


def _slice_table(slices: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| source | events | truly automated | called automated | called human |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(row['slice']) or 'not said'} | {row['events']:,} | {row['truly_automated']:.1%} |"
        f" {row['called_automated']:.1%} | {row['called_human']:.1%} |"
        for row in slices[:SLICES_SHOWN]
    ]
    return "\n".join(lines)
