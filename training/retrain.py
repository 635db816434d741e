"""From labelled events on a connection to a model with its figures: what `clicksift train` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from features import reference
from features.catalog import FEATURE_NAMES, fingerprint
from features.engine import Progress
from features.errors import InputError
from features.feature import CAPABILITIES, Capability
from serving.model import DEFAULT, BotClickModel, Thresholds
from training.dataset import Dataset, label_notes, labelled
from training.evaluate import KINDS, Figures, by_slice, campaign_errors, evaluate
from training.fit import Fit, FitParameters, described, fit, forward
from training.model_card import ORGANISATION, model_card
from training.threshold import FEWEST_ORGANISATIONS, choose, stricter, upper_loss_limit

# The same events seen without some capabilities or with whole-second times: how often, and how much each row counts.
VARIANTS = 2
VARIANT_WEIGHT = 0.35
MASKED_SHARE = 0.35
FEWEST_OF_A_KIND = 50


@dataclass(frozen=True)
class Trained:
    """A model with what was seen while making it: out-of-fold figures by kind of event, slices, notes for people.

    `later` are the figures of the last fifth of the events in time, by trees that saw only what came before; empty
    where that fifth lacks people or machines.
    """

    model: BotClickModel
    data: Dataset = field(repr=False)
    fit: Fit = field(repr=False)
    figures: Mapping[str, Figures]
    later: Mapping[str, Figures]
    slices: list[dict[str, Any]]
    notes: tuple[str, ...]
    parameters: FitParameters


def train(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability],
    *,
    base: BotClickModel,
    parameters: FitParameters = FitParameters(),
    allowance: float = 0.005,
    created: date,
    threads: int = 2,
    progress: Progress | None = None,
) -> Trained:
    """A model fitted on the labelled events of the connection (tables `events`, `campaigns`, `labels`).

    `allowance` is the share of people's events that may be called automated; where the labels cannot show that a
    threshold keeps to it, the threshold of `base` is kept and a note says so. The thresholds of `base` for files that
    lack addresses or agents are kept where they ask for more. Raises InputError where the labels have one class only
    or too few organisations to hold some out.
    """
    data = labelled(con, capabilities, progress=progress)
    _check(data, int(con.execute("SELECT count(*) FROM labels").fetchall()[0][0]))
    about_labels = label_notes(con)
    also = [_variant(con, capabilities, parameters.seed + n, progress) for n in range(1, VARIANTS + 1)]
    if progress:
        progress("growing trees on folds by organisation")
    fitted = fit(data, parameters, also=also, threads=threads)
    thresholds, notes = thresholds_by_kind(data, fitted, base.thresholds, allowance)
    thresholds |= stricter(base.thresholds, thresholds)
    notes = (*about_labels, *notes)
    if progress:
        progress("growing trees on what came before the last fifth of the events")
    ahead = forward(data, fitted.calibration, parameters, threads=threads)
    later = evaluate(*ahead, thresholds, seed=parameters.seed) if ahead else {}
    return assemble(data, fitted, thresholds, notes, parameters, created=created, source="labelled events", later=later)


def assemble(
    data: Dataset,
    fitted: Fit,
    thresholds: Mapping[str, Thresholds],
    notes: tuple[str, ...],
    parameters: FitParameters,
    *,
    created: date,
    source: str,
    held_out: str = ORGANISATION,
    later: Mapping[str, Figures] = MappingProxyType({}),
    extra: Mapping[str, Any] | None = None,
) -> Trained:
    """Put a fit and its thresholds together: out-of-fold figures, model card, manifest."""
    figures = evaluate(data, fitted.probability, thresholds, seed=parameters.seed)
    slices = by_slice(data, fitted.probability, thresholds, data.slice)
    errors = campaign_errors(data, fitted.probability)
    metrics = {name: figure.flat() for name, figure in figures.items()}
    metrics |= {f"later.{name}": figure.flat() for name, figure in later.items()}
    if len(errors):
        metrics["campaigns"] = {
            "campaigns": len(errors),
            "median_error": float(np.median(np.abs(errors))),
            "worst_error": float(np.abs(errors).max()),
        }
    training = {
        "source": source,
        "events": len(data),
        "automated": int(data.y.sum()),
        "held_out": held_out,
        "groups": len(np.unique(data.organisation)),
        "data_fingerprint": data.fingerprint(),
        "parameters": dict(described(parameters)),
        **(extra or {}),
    }
    card = model_card(created, training, figures, later, slices, thresholds, notes)
    model = BotClickModel.create(
        fitted.booster_text,
        fitted.calibration,
        thresholds,
        card,
        created=created,
        feature_names=FEATURE_NAMES,
        feature_fingerprint=fingerprint(),
        reference=reference.versions(),
        training=training,
        metrics=metrics,
    )
    return Trained(model, data, fitted, figures, later, slices, notes, parameters)


def thresholds_by_kind(
    data: Dataset,
    fitted: Fit,
    kept: Mapping[str, Thresholds],
    allowance: float,
    limit: Callable[[npt.NDArray[np.bool_], npt.NDArray[np.int64]], float] = upper_loss_limit,
) -> tuple[dict[str, Thresholds], tuple[str, ...]]:
    """Thresholds for each kind of event, from its own out-of-fold people, or those of `kept` with a note saying why."""
    thresholds: dict[str, Thresholds] = {}
    notes: list[str] = []
    for kind, name in enumerate(KINDS):
        rows = data.kind == kind
        chosen = choose(
            fitted.probability[rows], data.y[rows], data.organisation[rows], allowance=allowance, limit=limit
        )
        if chosen is None:
            thresholds[name] = kept.get(name, kept[DEFAULT])
            people = int((data.y[rows] == 0).sum())
            notes.append(
                f"{name}: {people:,} labelled human events cannot show a loss of at most {allowance:.2%};"
                " the threshold of the model before is kept"
            )
        else:
            thresholds[name] = chosen[0]
    return {**thresholds, DEFAULT: thresholds["clicked"]}, tuple(notes)


def draw_capabilities(capabilities: Set[Capability], seed: int) -> tuple[frozenset[Capability], bool]:
    """Some of the capabilities, at least one fewer, and whether times are cut to seconds: drawn from the seed."""
    generator = np.random.default_rng(seed)
    ordered = [c for c in CAPABILITIES if c in capabilities]
    kept = [c for c in ordered if generator.random() >= MASKED_SHARE]
    if ordered and len(kept) == len(ordered):
        kept.remove(ordered[int(generator.integers(len(ordered)))])
    return frozenset(kept), bool(generator.random() < 0.5)


def _variant(
    con: duckdb.DuckDBPyConnection, capabilities: Set[Capability], seed: int, progress: Progress | None
) -> Dataset:
    kept, coarse = draw_capabilities(capabilities, seed)
    return labelled(con, kept, coarse_times=coarse, progress=progress).weighted(VARIANT_WEIGHT)


def _check(data: Dataset, labels: int) -> None:
    if not len(data):
        raise InputError(
            f"labels: none of {labels:,} is about an open, click or unsubscribe of the events;"
            " check that both files have the same event_id or raw_ref"
        )
    automated = int(data.y.sum())
    if min(automated, len(data) - automated) < FEWEST_OF_A_KIND:
        raise InputError(
            f"labels: {automated:,} of {len(data):,} labelled events are automated, and at least {FEWEST_OF_A_KIND} of"
            " each kind are needed; add labels of the other kind"
        )
    organisations = len(np.unique(data.organisation))
    if organisations < FEWEST_ORGANISATIONS:
        raise InputError(
            f"labels: {organisations} recipient organisations, and {FEWEST_ORGANISATIONS} are needed to hold some out;"
            " label events of more recipients"
        )
