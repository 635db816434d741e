"""Whether a scored file looks like what the model learnt from, by a small profile in the manifest.

Compared are the kinds of event apart, so that a file without opens is not unlike one with them. Distances are
population stability indices (PSI): 0 for the same distribution, above 0.25 for another. What a single campaign or
simulated world of the training differs from all of them is ordinary, and is not pointed out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from features.arrow_columns import to_array
from features.catalog import CATEGORICAL, FEATURE_NAMES, FEATURES
from features.errors import ModelError
from features.feature import Capability
from features.files import write_bytes
from features.schema import ENGAGEMENT
from serving.model import AUTOMATED, HUMAN, UNSURE, BotClickModel, Thresholds

Floats = NDArray[np.float64]
VERDICTS = (HUMAN, UNSURE, AUTOMATED)
# Enough for shares to half a percent; more would cost time and tell nothing.
MOST_EVENTS = 50_000
# Events of a message go together: of fewer events shares say little.
FEWEST_EVENTS = 500
FEWEST_IN_GROUP = 200
FEWEST_GROUPS = 5
# The features that carry this share of the gain of the trees, and not more of them than this.
CARRIED, MOST_FEATURES = 0.95, 60
BINS = 8
MOVED_PSI = 0.25
# Without groups to show what is ordinary.
MOVED_WEIGHT = 0.2
MOVED_SHARE = 0.15
LITTLE_SHARE = 0.05
NEW_SHARE = 0.05
_LEAST_SHARE = 1e-3
_ORDINARY = 0.95
# What says whose network or which program it is, by names of the packaged data: no address or agent is kept.
# Unsubscribes are few; their verdicts are compared, their features would only make the manifest larger.
COMPARED = ("opened", "clicked")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "networks": ("network_operator", "network_kind", "as_category"),
    "agents": ("browser", "agent_kind", "os"),
}
_NOUNS = {"opened": "opens", "clicked": "clicks", "unsubscribed": "unsubscribes"}
_FEATURE = {feature.name: feature for feature in FEATURES}


@dataclass(frozen=True)
class Sample:
    """n judged events: `X` (n, n_features) in catalogue order, `kind` 0 open, 1 click, 2 unsubscribe, `group` a key.

    The group is the campaign, or the simulated world.
    """

    X: NDArray[np.float32]
    kind: NDArray[np.int8]
    group: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shape:
    """How the values of a feature are distributed: the share in each bin, or of each code; the last is that of NULL.

    `cuts` are the upper edges of all bins but the last, or the codes met, after which all others count as one.
    """

    cuts: Floats
    shares: Floats
    is_code: bool

    @classmethod
    def of(cls, values: NDArray[np.float32], *, is_code: bool) -> Shape:
        """That of these values, in bins with about as many of them each."""
        known = values[~np.isnan(values)].astype(np.float64)
        edges = known if is_code or not len(known) else np.quantile(known, np.arange(1, BINS) / BINS)
        # A manifest is read by people too: six digits of an edge are enough, for counting as well.
        cuts = np.array(sorted({float(f"{edge:.6g}") for edge in np.unique(edges)}), dtype=np.float64)
        return cls(cuts, _binned(values, cuts, is_code=is_code), is_code)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Shape:
        """What `to_json` gave."""
        is_code = "codes" in entry
        cuts, shares = (np.array(entry[name].split(), float) for name in ("codes" if is_code else "edges", "shares"))
        return cls(cuts, shares, is_code)

    def to_json(self) -> dict[str, str]:
        """Two texts: a manifest gives each number of a list a line, and would be four times as large."""
        cuts = " ".join(f"{cut:.6g}" for cut in self.cuts)
        return {"codes" if self.is_code else "edges": cuts, "shares": " ".join(f"{share:.4g}" for share in self.shares)}

    def psi(self, values: NDArray[np.float32]) -> float:
        """How far other values are from it: the population stability index."""
        return _psi(self.shares, _binned(values, self.cuts, is_code=self.is_code))

    def psi_of_part(self, values: NDArray[np.float32], n: int) -> float:
        """How far these values, a part of the `n` that it is of, are from the others."""
        own = _binned(values, self.cuts, is_code=self.is_code)
        return _psi((n * self.shares - len(values) * own) / max(1, n - len(values)), own)


def _psi(expected: Floats, found: Floats) -> float:
    p, q = np.maximum(expected, _LEAST_SHARE), np.maximum(found, _LEAST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


def _binned(values: NDArray[np.float32], cuts: Floats, *, is_code: bool) -> Floats:
    null = np.isnan(values)
    known = values[~null].astype(np.float64)
    place = np.searchsorted(cuts, known)
    if is_code:
        place = np.where(np.append(cuts, np.nan)[place] == known, place, len(cuts))
    counts = np.append(np.bincount(place, minlength=len(cuts) + 1), null.sum())
    return np.asarray(counts / max(1, len(values)), dtype=np.float64)


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature of a kind of event is from training; `ordinary` is what one group in ten exceeded there."""

    kind: str
    feature: str
    psi: float
    ordinary: float
    weight: float

    @property
    def has_moved(self) -> bool:
        """Whether that is more than what is ordinary, and more than a small change."""
        return self.psi > max(MOVED_PSI, self.ordinary)


@dataclass(frozen=True)
class KindDrift:
    """One kind of event: shares of the file beside those of training with what was ordinary there.

    `moved` is the share of the trees' gain that features carry which have moved; `new` the share of events whose
    network's or agent's name training never met.
    """

    events: int
    verdicts: Mapping[str, float]
    training_verdicts: Mapping[str, float]
    ordinary_automated: tuple[float, float]
    moved: float
    ordinary_moved: float
    new: Mapping[str, float]
    ordinary_new: Mapping[str, float]


@dataclass(frozen=True)
class Drift:
    """A scored file beside the training: by kind of event, and each feature, the farthest from training first."""

    model_version: str
    kinds: Mapping[str, KindDrift]
    features: tuple[FeatureDrift, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, words and lists, with the lines for people."""
        return {**asdict(self), "lines": self.lines()}

    def lines(self) -> list[str]:
        """What a person should know, three lines at most: nothing where the file is like the training."""
        found = (self._features(), self._verdicts(), self._new())
        return [next(iter(lines)) for lines in map(list, found) if lines]

    def _features(self) -> Iterator[str]:
        for kind, found in sorted(self.kinds.items(), key=lambda item: item[1].ordinary_moved - item[1].moved):
            if found.moved > max(MOVED_WEIGHT, found.ordinary_moved):
                moved = [one for one in self.features if one.kind == kind and one.has_moved]
                most = sorted(moved, key=lambda one: -one.weight)[:2]
                named = " and ".join(f"{_words(one.feature)} (PSI {one.psi:.1f})" for one in most)
                yield (
                    f"unlike the training: {_NOUNS[kind]} differ in features that {found.moved:.0%} of the model"
                    f" rests on, most of all {named}; label some and retrain"
                )

    def _verdicts(self) -> Iterator[str]:
        for kind, found in self.kinds.items():
            low, high = found.ordinary_automated
            share = found.verdicts[AUTOMATED]
            if not low <= share <= high:
                yield (
                    f"unlike the training: {share:.0%} of {_NOUNS[kind]} are called automated, there it was"
                    f" {found.training_verdicts[AUTOMATED]:.0%} ({low:.0%} to {high:.0%} is ordinary)"
                )

    def _new(self) -> Iterator[str]:
        for kind, found in self.kinds.items():
            for what, share in found.new.items():
                if share > max(NEW_SHARE, found.ordinary_new[what]):
                    yield f"unlike the training: {share:.0%} of {_NOUNS[kind]} come from kinds of {what} not met there"


def sampled(con: duckdb.DuckDBPyConnection, names: Sequence[str], most: int = MOST_EVENTS) -> Sample:
    """About `most` of each kind of the events whose `features` were computed on the connection, always the same ones.

    A kind that is rare is not thinned out with the others, or the few left of it would tell chance. `names` are the
    features, in the order of the columns of X.
    """
    columns = ", ".join(f"CAST(x.{name} AS FLOAT) AS {name}" for name in names)
    table = con.sql(
        f"""
        WITH steps AS (
            SELECT f.kind, greatest(1, CAST(round(count(*) / {most}) AS BIGINT)) AS step
            FROM features AS x
            JOIN facts AS f ON x.event_row = f.event_row
            GROUP BY f.kind
        )
        SELECT {columns}, CAST(f.kind AS TINYINT) AS kind_of_event, CAST(coalesce(f.camp, 0) AS BIGINT) AS group_key
        FROM features AS x
        JOIN facts AS f ON x.event_row = f.event_row
        JOIN steps AS s ON f.kind = s.kind
        WHERE hash(x.event_row) % s.step = 0
        ORDER BY x.event_row
        """
    ).to_arrow_table()
    X = np.column_stack([to_array(table[name]) for name in names])
    return Sample(X, to_array(table["kind_of_event"]), to_array(table["group_key"]))


def verdict_codes(
    probability: Floats, kind: NDArray[np.int8], thresholds: Mapping[str, Thresholds]
) -> NDArray[np.int64]:
    """The position in `VERDICTS` of each event's verdict; `thresholds` are those of each kind of event."""
    human, automated = (np.array([getattr(thresholds[n], name) for n in ENGAGEMENT]) for name in (HUMAN, AUTOMATED))
    return (probability >= human[kind]).astype(np.int64) + (probability >= automated[kind])


def profile(sample: Sample, verdict: NDArray[np.int64], weight: Floats) -> dict[str, Any]:
    """What a manifest keeps of the training's events, below 60 kB: shares only, no address, agent, id or time.

    `verdict` are positions in `VERDICTS`, `weight` each feature's share of the gain of the trees. Kinds of event with
    fewer than `FEWEST_EVENTS` are left out.
    """
    kept = _weighty(weight)
    kinds = {}
    for number, name in enumerate(ENGAGEMENT):
        rows = sample.kind == number
        if rows.sum() >= FEWEST_EVENTS:
            asked = kept if name in COMPARED else []
            kinds[name] = _kind_profile(sample.X[rows], verdict[rows], sample.group[rows], asked, weight)
    return {"kinds": kinds, "weight": {FEATURES[f].name: round(float(weight[f]), 5) for f in kept}}


def _weighty(weight: Floats) -> list[int]:
    """The features that carry `CARRIED` of the gain, in catalogue order; what an event is, is compared anyway."""
    order = np.argsort(-weight, kind="stable")
    carried = np.cumsum(weight[order]) / max(weight.sum(), 1e-12)
    chosen = order[: min(int(np.searchsorted(carried, CARRIED)) + 1, MOST_FEATURES)]
    names = {name for names in _NAMES.values() for name in names}
    return [f for f, feature in enumerate(FEATURES) if f in chosen or feature.name in names]


def _kind_profile(
    X: NDArray[np.float32], verdict: NDArray[np.int64], group: NDArray[np.int64], kept: list[int], weight: Floats
) -> dict[str, Any]:
    names, position, sizes = np.unique(group, return_inverse=True, return_counts=True)
    groups = [position == g for g in range(len(names)) if sizes[g] >= FEWEST_IN_GROUP]
    groups = groups if len(groups) >= FEWEST_GROUPS else []
    features: dict[str, Any] = {}
    moved = np.zeros(len(groups))
    for f in kept:
        name = FEATURES[f].name
        shape = Shape.of(X[:, f], is_code=name in CATEGORICAL)
        apart = np.array([shape.psi_of_part(X[rows, f], len(X)) for rows in groups])
        ordinary = _rounded(float(np.quantile(apart, 0.9))) if groups else 0.0
        moved += weight[f] * (apart > max(MOVED_PSI, ordinary))
        features[name] = {**shape.to_json(), "ordinary": ordinary}
    total = sum(weight[f] for f in kept) or 1.0
    automated = [float((verdict[rows] == VERDICTS.index(AUTOMATED)).mean()) for rows in groups]
    return {
        "events": len(X),
        "verdicts": {name: _rounded(float((verdict == v).mean())) for v, name in enumerate(VERDICTS)},
        "ordinary": {
            "groups": len(groups),
            "automated": [_rounded(q) for q in np.quantile(automated, [1 - _ORDINARY, _ORDINARY])] if groups else None,
            "moved": _rounded(np.quantile(moved / total, _ORDINARY, method="higher")) if groups else 0.0,
            "new": {what: _own_share(X, columns, groups) for what, columns in _NAMES.items() if features},
        },
        "features": features,
    }


def _own_share(X: NDArray[np.float32], columns: Sequence[str], groups: Sequence[NDArray[np.bool_]]) -> float:
    """The share of a group's events with a name that no other group has: what one group in twenty exceeds."""
    if not groups:
        return 0.0
    own = np.zeros((len(groups), len(X)), dtype=bool)
    for name in columns:
        values = X[:, _position(name)]
        met = [set(np.unique(values[rows & ~np.isnan(values)]).tolist()) for rows in groups]
        times: dict[float, int] = {}
        for codes in met:
            for code in codes:
                times[code] = times.get(code, 0) + 1
        alone = np.isin(values, [code for code, n in times.items() if n == 1])
        own |= alone
    shares = [float(own[g][rows].mean()) for g, rows in enumerate(groups)]
    return _rounded(np.quantile(shares, _ORDINARY, method="higher"))


def _position(name: str) -> int:
    return FEATURES.index(_FEATURE[name])


def drift(con: duckdb.DuckDBPyConnection, model: BotClickModel, capabilities: Set[Capability]) -> Drift | None:
    """How far the file just scored (tables `features`, `facts`, `verdicts`) is from the model's training.

    Features that need what the file does not say are left out, and kinds of event with fewer than `FEWEST_EVENTS` in
    either. None where the manifest has no profile; ModelError where it has one that cannot be read.
    """
    known = model.manifest["training"].get("profile")
    if not known:
        return None
    try:
        return _drift(con, model, known, capabilities)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelError(f"manifest: the profile of its training cannot be read ({error!r}); train it again") from error


def _drift(
    con: duckdb.DuckDBPyConnection, model: BotClickModel, known: Mapping[str, Any], capabilities: Set[Capability]
) -> Drift:
    counts: dict[int, dict[str, int]] = {}
    for number, verdict, count in con.execute("""
        SELECT f.kind, v.verdict, count(*) FROM verdicts AS v JOIN facts AS f ON v.event_row = f.event_row GROUP BY ALL
        """).fetchall():
        counts.setdefault(number, {})[verdict] = count
    sample = sampled(con, FEATURE_NAMES)
    kinds: dict[str, KindDrift] = {}
    features: list[FeatureDrift] = []
    for number, name in enumerate(ENGAGEMENT):
        of_kind = counts.get(number, {})
        if name in known["kinds"] and sum(of_kind.values()) >= FEWEST_EVENTS:
            X, training = sample.X[sample.kind == number], known["kinds"][name]
            apart = list(_feature_drifts(name, X, training, known["weight"], capabilities))
            kinds[name] = _kind_drift(X, training, of_kind, apart, capabilities)
            features += apart
    features.sort(key=lambda one: (-one.psi, one.kind, one.feature))
    return Drift(model.version, kinds, tuple(features))


def _feature_drifts(
    kind: str,
    X: NDArray[np.float32],
    training: Mapping[str, Any],
    weight: Mapping[str, float],
    capabilities: Set[Capability],
) -> Iterator[FeatureDrift]:
    for name, entry in training["features"].items():
        if _FEATURE[name].needs <= capabilities:
            psi = Shape.from_json(entry).psi(X[:, _position(name)])
            yield FeatureDrift(kind, name, _rounded(psi), entry["ordinary"], weight[name])


def _kind_drift(
    X: NDArray[np.float32],
    training: Mapping[str, Any],
    counts: Mapping[str, int],
    apart: Sequence[FeatureDrift],
    capabilities: Set[Capability],
) -> KindDrift:
    events, ordinary = sum(counts.values()), training["ordinary"]
    weight = sum(one.weight for one in apart) or 1.0
    usual = training["verdicts"][AUTOMATED]
    lowest, highest = ordinary["automated"] or (usual, usual)
    low, high = min(lowest - LITTLE_SHARE, usual - MOVED_SHARE), max(highest + LITTLE_SHARE, usual + MOVED_SHARE)
    return KindDrift(
        events=events,
        verdicts={name: counts.get(name, 0) / events for name in VERDICTS},
        training_verdicts=training["verdicts"],
        ordinary_automated=(max(0.0, low), min(1.0, high)),
        moved=sum(one.weight for one in apart if one.has_moved) / weight,
        ordinary_moved=ordinary["moved"],
        new={what: _new_share(X, _NAMES[what], training, capabilities) for what in ordinary["new"]},
        ordinary_new=ordinary["new"],
    )


def _new_share(
    X: NDArray[np.float32], columns: Sequence[str], training: Mapping[str, Any], capabilities: Set[Capability]
) -> float:
    """The share of events with a name that training never met, in any of the columns."""
    new = np.zeros(len(X), dtype=bool)
    for name in columns:
        values = X[:, _position(name)]
        codes = Shape.from_json(training["features"][name]).cuts
        if _FEATURE[name].needs <= capabilities and len(codes):
            new |= ~np.isnan(values) & ~np.isin(values, codes)
    return float(new.mean()) if len(new) else 0.0


def write_drift(path: Path, found: Drift | None) -> None:
    """Write the drift as JSON, whole or not at all; `{}` where the model has no profile to compare with."""
    content = found.to_json() if found else {}
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _words(name: str) -> str:
    """What a feature is, in the first words of its declaration."""
    text = re.split(r"[;,.(]", _FEATURE[name].description)[0].strip()
    return name.replace("_", " ") if text[:1].isdigit() else text[:1].lower() + text[1:]


def _rounded(value: float) -> float:
    return round(float(value), 5)
