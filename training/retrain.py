"""From labelled events on a connection to a model with its figures: what `clicksift train` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import reference
from features.catalog import fingerprint
from features.engine import Progress
from features.feature import Capability
from serving.expected_people import expectations
from serving.model import DEFAULT, BotClickModel, Calibration, Thresholds
from serving.monitor import Sample
from training.ahead import forward_unseen
from training.campaign_spread import campaign_spread, counted
from training.challenge import VENDOR, Words
from training.dataset import Dataset, input_names
from training.evaluate import KINDS, Figures, by_slice, campaign_errors, evaluate
from training.fit import FRESH, WARM, Fit, FitParameters, described, fit, forward
from training.gather import FEWEST_OF_A_KIND, gather
from training.holdout import HeldOut, hold_out_table
from training.labels import defining_features
from training.model_card import ORGANISATION, SIMULATED_WORLD, model_card
from training.noise import LabelNoise, Treatment, label_noise, treat
from training.profile import training_profile
from training.reputation import judged_apart, shown_to_trees
from training.row_split import random_split
from training.selection import Selection, anchors, selection
from training.slices import SliceFigures, slice_figures
from training.threshold import choose, stricter, upper_loss_limit
from training.tune import Tuning, tune

TREES_OF_A_HOLD_OUT = 200


@dataclass(frozen=True)
class Trained:
    """A model with what was seen while making it: out-of-fold figures by kind of event, slices, notes for people.

    `noise` is what the labels say of themselves, a row a labelled event; `kept` is the mask of those that `data` has;
    `words` slice all labelled rows. `tuning` are the trials that led to the parameters, None where there were none.

    `later` are the figures of the last fifth of the events in time, by trees that saw only what came before; of
    `unseen_later` they saw no event of the organisations either. Both are empty where that fifth lacks people or
    machines. `by_row` are those of a split by row, which flatters. `held_out` are vendors that trees had never met,
    where that was asked for. `properties` are the out-of-fold figures by vendor, device, mailbox host
    and so on.
    """

    model: BotClickModel
    data: Dataset = field(repr=False)
    fit: Fit = field(repr=False)
    figures: Mapping[str, Figures]
    later: Mapping[str, Figures]
    unseen_later: Mapping[str, Figures]
    by_row: Mapping[str, Figures]
    held_out: Sequence[HeldOut]
    slices: list[dict[str, Any]]
    notes: tuple[str, ...]
    parameters: FitParameters
    properties: Sequence[SliceFigures]
    noise: LabelNoise = field(repr=False)
    kept: npt.NDArray[np.bool_] = field(repr=False)
    words: Mapping[str, Words] = field(default_factory=dict, repr=False)
    tuning: Tuning | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Choices:
    """How a model is trained.

    New trees are put behind those of the model before, or stand alone where `fresh`; `parameters` are `WARM` or `FRESH`
    unless given. `noise` says what becomes of labels that are probably wrong; `prior` is the share of automated events
    where the model will be used, as in the events unless given. `allowance` is the share of people's events that may be
    called automated. With `reputation` the model keeps what the labels say of networks, agents and recipient domains:
    for the same sender's next campaigns. `hold_out` asks what would be found of each vendor by trees that had never met
    it. `trials` choices of parameters are tried first, and kept in the SQLite file `storage`.
    """

    fresh: bool = False
    parameters: FitParameters | None = None
    noise: Treatment = "auto"
    prior: float | None = None
    allowance: float = 0.005
    reputation: bool = False
    hold_out: bool = False
    trials: int = 0
    storage: Path | None = None


def train(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability],
    *,
    base: BotClickModel,
    choices: Choices = Choices(),
    created: date,
    threads: int = 2,
    progress: Progress | None = None,
) -> Trained:
    """A model fitted on the labelled events of the connection (tables `events`, `campaigns`, `labels`).

    Features that define the sources of labels, or by which the labelled events were chosen, are left out of new trees.
    Where the labels cannot show that a threshold keeps to the allowance, the threshold of `base` is kept and a note
    says so, and those of `base` for files that lack addresses or agents where they ask for more. Raises InputError
    where the labels have one class only or too few organisations to hold some out.
    """
    parameters = choices.parameters or (FRESH if choices.fresh else WARM)
    say: Progress = progress or (lambda step: None)
    has_reputation = choices.reputation or (not choices.fresh and base.reputation is not None)
    gathered = gather(con, capabilities, reputation=has_reputation, seed=parameters.seed, progress=progress)
    chosen = selection(gathered.views[0], gathered.unlabelled, base, threads)
    left_out = chosen.names | defining_features(set(gathered.views[0].slice))

    def prepared(view: Dataset) -> Dataset:
        return (view if choices.fresh else view.begun_with(base.booster, threads)).without(left_out)

    # The trees before are asked of the same rows as the new ones: what a domain's labels say must not reach it by them.
    judged = prepared(judged_apart(gathered.views[0]))
    shown = [judged, *(prepared(shown_to_trees(view, parameters.seed)) for view in gathered.views[1:])]
    if has_reputation:
        shown[0] = prepared(shown_to_trees(gathered.views[0], parameters.seed))
    prior = chosen.prior if choices.prior is None else choices.prior
    held = () if choices.fresh else anchors(gathered.views[0], gathered.unlabelled, base, FEWEST_OF_A_KIND, threads)
    for part in held:  # what is labelled of a kind with one class alone would only make it all that class
        shown = [view.weighted(np.where(np.isin(view.kind, part.kind), 0.0, 1.0)) for view in shown]
    start = "" if choices.fresh else base.booster_text
    recipe = _Recipe(prior, start, threads, tuple(part.without(left_out) for part in held))
    tuning = None
    if choices.trials:
        tuning = recipe.tune(judged, shown, parameters, choices.trials, choices.storage, progress)
        parameters = tuning.parameters
    say("growing trees on folds by organisation")
    fitted = recipe.fit(judged, shown, parameters)
    found = label_noise(judged, fitted.probability)
    treated = treat(found, choices.noise)
    if treated.changes:
        say("growing trees again, with labels that are probably wrong treated")
        judged, *shown = (part.weighted(treated.weight).take(treated.kept) for part in (judged, *shown))
        parameters = cautious(parameters) if found.is_found else parameters
        fitted = recipe.fit(judged, shown, parameters)
    notes: tuple[str, ...] = ()
    if chosen.features:
        # Chosen events show neither how probabilities are spread nor what a threshold costs; all events did.
        fitted, thresholds = fitted.calibrated(base.calibration), dict(base.thresholds)
    else:
        thresholds, notes = thresholds_by_kind(judged, fitted, base.thresholds, choices.allowance)
        thresholds |= stricter(base.thresholds, thresholds)
    say("growing trees for other splits")
    splits = _splits(judged, fitted.calibration, thresholds, parameters, threads)
    held_out: list[HeldOut] = []
    if choices.hold_out:
        held_out = _held_out(judged, gathered.words[VENDOR][treated.kept], thresholds, parameters, threads, progress)
    trained = assemble(
        replace(gathered.views[0].weighted(treated.weight).take(treated.kept), start=judged.start),
        fitted,
        thresholds,
        (*gathered.notes, *_notes(choices, chosen, left_out, base, tuning), *treated.notes, *notes),
        parameters,
        created=created,
        source="labelled events",
        splits=splits,
        held_out_vendors=held_out,
        properties=gathered.properties.filter(pa.array(treated.kept)),
        sample=gathered.sample,
        reputation=gathered.reputation,
        extra={
            "begun_with": None if choices.fresh else base.version,
            "left_out": sorted(left_out),
            "given_fingerprint": gathered.views[0].fingerprint(),
        },
    )
    return replace(trained, noise=found, kept=treated.kept, words=gathered.words, tuning=tuning)


@dataclass(frozen=True)
class Splits:
    """Figures of other splits than by organisation; see `Trained`."""

    later: Mapping[str, Figures] = field(default_factory=dict)
    unseen_later: Mapping[str, Figures] = field(default_factory=dict)
    by_row: Mapping[str, Figures] = field(default_factory=dict)


def _splits(
    data: Dataset,
    calibration: Calibration,
    thresholds: Mapping[str, Thresholds],
    parameters: FitParameters,
    threads: int,
) -> Splits:
    ahead = forward(data, calibration, parameters, threads=threads)
    unseen = forward_unseen(data, calibration, parameters, threads=threads)
    return Splits(
        later=evaluate(*ahead, thresholds, seed=parameters.seed) if ahead else {},
        unseen_later=evaluate(*unseen, thresholds, seed=parameters.seed) if unseen else {},
        by_row=random_split(data, parameters, thresholds, threads),
    )


def _held_out(
    data: Dataset,
    vendor: Words,
    thresholds: Mapping[str, Thresholds],
    parameters: FitParameters,
    threads: int,
    progress: Progress | None,
) -> list[HeldOut]:
    """By trees that begin with nothing: those of a model before may have met every vendor."""
    nothing = replace(data, start=np.zeros(len(data)))
    fresh = replace(FRESH, trees=TREES_OF_A_HOLD_OUT, seed=parameters.seed)
    return hold_out_table(nothing, vendor, fresh, thresholds, threads, progress)


@dataclass(frozen=True)
class _Recipe:
    """What all fits of one training share: the prior, the text of the trees to begin with, what they are held by."""

    prior: float
    start: str
    threads: int
    anchors: tuple[Dataset, ...]

    def fit(self, judged: Dataset, shown: Sequence[Dataset], parameters: FitParameters) -> Fit:
        """Fit on rows that trees see as the first of `shown`, with the others beside."""
        first, *also = shown
        also = [*also, *self.anchors]
        return fit(judged, parameters, also=also, shown=first, prior=self.prior, start=self.start, threads=self.threads)

    def tune(
        self,
        judged: Dataset,
        shown: Sequence[Dataset],
        base: FitParameters,
        trials: int,
        storage: Path | None,
        progress: Progress | None,
    ) -> Tuning:
        """The best of some choices of parameters on the same folds."""
        first, *also = shown
        return tune(
            judged,
            [*also, *self.anchors],
            shown=first,
            trials=trials,
            base=base,
            storage=storage,
            threads=self.threads,
            progress=progress,
        )


def cautious(parameters: FitParameters) -> FitParameters:
    """The same with larger leaves and more shrinkage: for labels of which some are wrong."""
    return replace(parameters, least_in_leaf=2 * parameters.least_in_leaf, l2=4 * parameters.l2)


def _notes(
    choices: Choices, chosen: Selection, left_out: frozenset[str], base: BotClickModel, tuning: Tuning | None
) -> tuple[str, ...]:
    """What a person should know of the events that were labelled, of what was not learnt, and what flatters."""
    notes = []
    if tuning:
        notes.append(
            f"the parameters are the best of {len(tuning.trials)} trials on these same folds, which flatters the"
            " out-of-fold figures a little"
        )
    if left_out:
        notes.append(
            f"{len(left_out)} features are left out of new trees, as the labelled events were chosen by them:"
            f" {_some([name for name, _ in chosen.features] + sorted(left_out - chosen.names))}"
        )
    if chosen.features:
        notes.append(
            f"labelled events differ from those without a label; calibration and thresholds of model {base.version} are"
            " kept, which"
            + (
                " knows nothing of the new trees: leave --fresh out"
                if choices.fresh
                else " the new trees were put behind"
            )
            + ("; --prior is left aside" if choices.prior is not None else "")
        )
    if base.reputation is not None and not choices.fresh:
        notes.append(
            f"reputations are those of these labels; those that model {base.version} kept are not in the new one"
        )
    return tuple(notes)


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


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
    splits: Splits = Splits(),
    held_out_vendors: Sequence[HeldOut] = (),
    properties: pa.Table | None = None,
    sample: Sample | None = None,
    reputation: pa.Table | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Trained:
    """Put a fit and its thresholds together: out-of-fold figures, model card, manifest.

    `sample` is of all events that the profile is made of, those of `data` unless given; `reputation` is the table that
    goes with the columns of reputations. `properties` has a text column a way to slice the rows of `data`: what
    `slices.slice_columns` gives, or of which kind their simulated world is.
    """
    figures = evaluate(data, fitted.probability, thresholds, seed=parameters.seed)
    slices = by_slice(data, fitted.probability, thresholds, data.slice)
    found = slice_figures(
        data, fitted.probability, thresholds, pa.table({}) if properties is None else properties, seed=parameters.seed
    )
    world = data.organisation if held_out == SIMULATED_WORLD else None
    spread = campaign_spread(data, fitted.probability, world=world)
    errors = campaign_errors(data, counted(data, fitted.probability, expectations(spread)))
    metrics: dict[str, Any] = {name: figure.flat() for name, figure in figures.items()} | spread
    metrics |= {f"later.{name}": figure.flat() for name, figure in splits.later.items()}
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
        "profile": training_profile(sample or Sample(data.X, data.kind, data.organisation), fitted, thresholds),
        **(extra or {}),
    }
    card = model_card(
        created,
        training,
        figures,
        splits.later,
        slices,
        thresholds,
        notes,
        unseen_later=splits.unseen_later,
        by_row=splits.by_row,
        properties=found,
        held_out_vendors=held_out_vendors,
    )
    model = BotClickModel.create(
        fitted.booster_text,
        fitted.calibration,
        thresholds,
        card,
        created=created,
        feature_names=input_names(data.X.shape[1]),
        feature_fingerprint=fingerprint(),
        reference=reference.versions(),
        training=training,
        metrics=metrics,
        reputation=reputation,
    )
    return Trained(
        model,
        data,
        fitted,
        figures,
        splits.later,
        splits.unseen_later,
        splits.by_row,
        held_out_vendors,
        slices,
        notes,
        parameters,
        found,
        label_noise(data, fitted.probability),
        np.ones(len(data), dtype=np.bool_),
    )


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
