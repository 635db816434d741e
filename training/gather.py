"""What a training takes from the events and labels on a connection, in one go: later steps need it no more."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalog import FEATURE_NAMES
from features.engine import Progress
from features.errors import InputError
from features.feature import CAPABILITIES, Capability
from serving.monitor import Sample, sampled
from training.challenge import Words, slices_of
from training.dataset import Dataset, Unlabelled, label_notes, labelled, unlabelled
from training.groups import group_counts
from training.reputation import reputation_columns, reputation_table
from training.slices import slice_columns
from training.threshold import FEWEST_ORGANISATIONS

# The same events seen without some capabilities or with whole-second times: how often, and how much each row counts.
VARIANTS = 2
VARIANT_WEIGHT = 0.35
MASKED_SHARE = 0.35
FEWEST_OF_A_KIND = 50


@dataclass(frozen=True)
class Gathered:
    """Labelled events and what is around them.

    `views` are the same rows: first as the file gives them, then with gaps. `sample` is of all events, labelled or not.
    `properties` and `words` slice the labelled rows. `reputation` is the table that the model will keep, None where it
    is to learn none; with it the views have the columns of reputations.
    """

    views: tuple[Dataset, ...]
    unlabelled: Unlabelled
    sample: Sample
    properties: pa.Table
    words: Mapping[str, Words]
    reputation: pa.Table | None
    notes: tuple[str, ...]


def gather(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability],
    *,
    reputation: bool = False,
    seed: int = 7,
    progress: Progress | None = None,
) -> Gathered:
    """The labelled events of the connection (tables `events`, `campaigns`, `labels`) and what a training asks of them.

    Raises InputError where the labels have one class only or too few organisations to hold some out.
    """
    data = labelled(con, capabilities, progress=progress)
    _check(data, int(con.execute("SELECT count(*) FROM labels").fetchall()[0][0]))
    properties = slice_columns(con)
    gathered = Gathered(
        views=(data,),
        unlabelled=unlabelled(con),
        sample=sampled(con, FEATURE_NAMES),
        properties=properties,
        words=slices_of(properties, data),
        reputation=reputation_table(con) if reputation else None,
        notes=(*label_notes(con), *group_counts(con).notes),
    )
    views = [_with_reputations(con, data, seed) if reputation else data]
    for number in range(1, VARIANTS + 1):
        kept, coarse = draw_capabilities(capabilities, seed + number)
        view = labelled(con, kept, coarse_times=coarse, progress=progress).weighted(VARIANT_WEIGHT)
        views.append(_with_reputations(con, view, seed) if reputation else view)
    return replace(gathered, views=tuple(views))


def draw_capabilities(capabilities: Set[Capability], seed: int) -> tuple[frozenset[Capability], bool]:
    """Some of the capabilities, at least one fewer, and whether times are cut to seconds: drawn from the seed."""
    generator = np.random.default_rng(seed)
    ordered = [c for c in CAPABILITIES if c in capabilities]
    kept = [c for c in ordered if generator.random() >= MASKED_SHARE]
    if ordered and len(kept) == len(ordered):
        kept.remove(ordered[int(generator.integers(len(ordered)))])
    return frozenset(kept), bool(generator.random() < 0.5)


def _with_reputations(con: duckdb.DuckDBPyConnection, data: Dataset, seed: int) -> Dataset:
    columns: npt.NDArray[np.float32] = reputation_columns(con, data, seed=seed)
    return replace(data, X=np.column_stack([data.X, columns]))


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
