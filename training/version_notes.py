"""What a registered version says of itself: what it learnt from, its figures, and what changed against the champion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from training.challenge import Change, Comparison
from training.retrain import Trained

SHOWN = "clicked"  # what campaign figures are made of


def description(
    trained: Trained, run: str, comparison: Comparison | None = None, champion: Mapping[str, str] | None = None
) -> str:
    """A few paragraphs and a table in Markdown. `champion` are the tags of the version that is champion."""
    return "\n\n".join(_paragraphs(trained, run, comparison, champion or {}))


def version_tags(trained: Trained, comparison: Comparison | None = None) -> dict[str, str]:
    """The same to search and sort by: versions, fingerprints, and the shares of clicks in and out of place."""
    manifest = trained.model.manifest
    figure = trained.figures.get(SHOWN, trained.figures["all"])
    tags = {
        "model_version": trained.model.version,
        "data_fingerprint": manifest["training"]["data_fingerprint"],
        "feature_fingerprint": manifest["feature_fingerprint"],
        "begun_with": manifest["training"].get("begun_with") or "nothing",
        "people_lost": f"{figure.loss.value:.6f}",
        "machines_found": f"{figure.recall.value:.6f}",
    }
    if comparison:
        against = "; ".join(comparison.reasons_against())
        tags |= {"compared_with": comparison.champion, "against_it": against or "nothing"}
    return tags


def _paragraphs(
    trained: Trained, run: str, comparison: Comparison | None, champion: Mapping[str, str]
) -> Iterator[str]:
    manifest = trained.model.manifest
    training, figure = manifest["training"], trained.figures.get(SHOWN, trained.figures["all"])
    base = training.get("begun_with")
    begun = f"its trees stand behind those of model {base}" if base else "it began with no trees"
    yield (
        f"Learnt from {training['events']:,} events ({training['source']}) of {training['groups']:,} groups of"
        f" recipients; {begun}. Out of fold, clicks: loss {figure.loss}, recall {figure.recall}."
    )
    theirs, ours = champion.get("data_fingerprint"), training["data_fingerprint"]
    if theirs:
        yield f"Data {ours}: {'the same as' if theirs == ours else f'other than the {theirs} of'} the champion."
    if comparison:
        before = f"{comparison.champion} (model {comparison.versions[0]})"
        yield f"Against {before} on the same {comparison.events:,} events:"
        yield "\n".join(_rows(comparison))
        reasons = comparison.reasons_against()
        yield (
            f"Against this version: it {'; it '.join(reasons)}." if reasons else "Nothing speaks against this version."
        )
        yield from (f"Note: {note}." for note in comparison.notes)
    yield f"Model {trained.model.version}, run {run}."


def _rows(comparison: Comparison) -> Iterator[str]:
    yield "| events | people's | machines' | people lost | change, points | machines found | change, points |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for part in comparison.parts:
        if part.by == "kind":
            cells = (part.value, f"{part.human:,}", f"{part.automated:,}", *_cells(part.loss), *_cells(part.recall))
            yield f"| {' | '.join(cells)} |"


def _cells(change: Change | None) -> tuple[str, str]:
    if change is None:
        return "", ""
    moved = change.difference
    return f"{change.challenger:.2%}", f"{100 * moved.value:+.2f} [{100 * moved.low:+.2f}, {100 * moved.high:+.2f}]"
