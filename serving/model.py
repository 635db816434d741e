"""The model as one object: trees, calibration and thresholds, with a manifest that says where they come from.

On disk it is a directory of three files that can be read without running anyone's code, and of a fourth, a table,
where the model has learnt reputations. Their hashes are checked before LightGBM sees the trees.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import ModelError
from features.feature import CAPABILITIES, Capability
from features.schema import ENGAGEMENT
from serving import model_directory
from serving.booster import Booster
from serving.reputation import REPUTATION_NAMES, parquet, read_parquet

AUTOMATED, HUMAN, UNSURE = "automated", "human", "unsure"
DEFAULT = "default"
# Without these a probability is worth less, and an event type may have thresholds of its own.
WEIGHTY: tuple[Capability, ...] = ("address", "agent")


@dataclass(frozen=True)
class Calibration:
    """Raw margin -> probability of being automated: beta calibration (Kull, Silva Filho and Flach, 2017).

    With p = sigmoid(margin), the log odds are a·ln(p) - b·ln(1 - p) + c; a = b = 1, c = 0 changes nothing.
    `a` and `b` are not negative and not both 0, so a higher margin never gets a lower probability.
    """

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        finite = all(map(_is_finite, (self.a, self.b, self.c)))
        if not finite or min(self.a, self.b) < 0 or max(self.a, self.b) == 0:
            raise ModelError(
                f"calibration: a {self.a}, b {self.b}, c {self.c}; finite numbers are needed, "
                "a and b not below 0 and not both 0; train on more labelled events"
            )

    def apply(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each margin, same shape; exact in both tails, NaN stays NaN."""
        # ln(p) = -ln(1 + e^-m) and ln(1 - p) = -ln(1 + e^m): p itself would round to 0 or 1. Infinity is cut
        # because 0 times it is no number.
        margin = np.clip(np.asarray(margin, dtype=np.float64), -1e300, 1e300)
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            odds = self.b * np.logaddexp(0, margin) - self.a * np.logaddexp(0, -margin) + self.c
            return np.asarray(np.exp(-np.logaddexp(0, -odds)), dtype=np.float64)


@dataclass(frozen=True)
class Thresholds:
    """Where a probability becomes a verdict.

    At `automated` or above: automated. Below `human`: human. Between them nobody can know: unsure.
    `allowance` is the share of people's events that `automated` may cost; `basis` says in words how both
    were found.
    """

    automated: float
    human: float
    allowance: float
    basis: str

    def __post_init__(self) -> None:
        numbers = all(map(_is_finite, (self.automated, self.human, self.allowance)))
        if not numbers or not 0 < self.human < self.automated <= 1 or not 0 < self.allowance < 1:
            raise ModelError(
                f"thresholds: human {self.human}, automated {self.automated}, allowance {self.allowance}; "
                "0 < human < automated <= 1 and an allowance between 0 and 1 are needed; "
                "train on more labelled events"
            )
        if not isinstance(self.basis, str) or not self.basis.strip():
            raise ModelError("thresholds: no basis; say in words how they were found")


@dataclass(frozen=True)
class BotClickModel:
    """What a score is made with; `create` makes a new one, `load` and `bundled` read one.

    `thresholds` has an entry "default" and may have others for "opened", "clicked" and "unsubscribed", and for each of
    these without some of `WEIGHTY` ("opened without address and agent").
    `manifest` is what manifest.json holds, `reputation_parquet` the file of that name, None where there is none. Raises
    ModelError where the parts do not fit together.
    """

    booster_text: str
    calibration: Calibration
    thresholds: Mapping[str, Thresholds]
    manifest: Mapping[str, Any]
    card: str
    reputation_parquet: bytes | None = None

    def __post_init__(self) -> None:
        if DEFAULT not in self.thresholds or not set(self.thresholds) <= {DEFAULT, *_THRESHOLD_NAMES}:
            raise ModelError(
                f"thresholds: for {', '.join(self.thresholds) or 'nothing'}; {DEFAULT} is needed, "
                f"{', '.join(ENGAGEMENT)} are possible, each also without {', without '.join(WEIGHTY)} or both"
            )
        judged = _judging(self.calibration, self.thresholds)
        if {name: self.manifest.get(name) for name in judged} != judged:
            raise ModelError("manifest: has another calibration or thresholds; make models with `create`")
        expected = model_directory.hashes(self.manifest, self.booster_text, self.card, self.reputation_parquet)
        stated = self.manifest.get("sha256")
        if stated != expected:
            changed = [
                name for name in {**expected, **(stated or {})} if (stated or {}).get(name) != expected.get(name)
            ]
            raise ModelError(
                f"{', '.join(changed or expected)}: changed since the model was made, the sha256 differs; "
                "copy the model again or train it again"
            )

    @classmethod
    def create(
        cls,
        booster_text: str,
        calibration: Calibration,
        thresholds: Mapping[str, Thresholds],
        card: str,
        *,
        created: date,
        feature_names: Sequence[str],
        feature_fingerprint: str,
        reference: Mapping[str, str],
        training: Mapping[str, Any],
        metrics: Mapping[str, Any],
        reputation: pa.Table | None = None,
    ) -> BotClickModel:
        """Return a new model with its manifest.

        `reference` are the versions of the reference data, `training` says what it learnt from (data
        fingerprint, events, worlds, parameters), `metrics` how well: anything JSON has, None for not known.
        `reputation` is the table of `serving.reputation.SCHEMA`; with it `feature_names` end in `REPUTATION_NAMES`.
        """
        content = {
            "format_version": model_directory.FORMAT_VERSION,
            "created": created.isoformat(),
            "feature_names": list(feature_names),
            "feature_fingerprint": feature_fingerprint,
            "reference": dict(reference),
            "training": dict(training),
            "metrics": dict(metrics),
            **_judging(calibration, thresholds),
        }
        try:
            manifest = model_directory.parsed(model_directory.dumped(content))
        except (TypeError, ValueError) as error:
            raise ModelError(f"manifest: {error}; give numbers and words, None for not known") from error
        content_of_table = None if reputation is None else parquet(reputation)
        manifest["sha256"] = model_directory.hashes(manifest, booster_text, card, content_of_table)
        return cls(booster_text, calibration, dict(thresholds), manifest, card, content_of_table)._with_trees()

    @classmethod
    def load(
        cls,
        path: str | Path,
        expected_fingerprint: str | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> BotClickModel:
        """Return the model of a directory; None takes fingerprint and names of this version's catalogue.

        Raises ModelError, which says what to do, where the directory is not exactly a model, a file was
        changed, or the model was made for other features.
        """
        try:
            manifest, booster_text, card, reputation = model_directory.read_directory(Path(path))
            _check_features(manifest, expected_fingerprint, feature_names)
            calibration = Calibration(**manifest["calibration"])
            thresholds = {name: Thresholds(**entry) for name, entry in manifest["thresholds"].items()}
            return cls(booster_text, calibration, thresholds, manifest, card, reputation)._with_trees()
        except TypeError as error:
            raise ModelError(f"{path}: {model_directory.MANIFEST}: {error}; train the model again") from error
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write the model as directory `path`, whole or not at all.

        An earlier model there is replaced; whatever else is there raises InputError.
        """
        model_directory.write_directory(
            Path(path), self.manifest, self.booster_text, self.card, self.reputation_parquet
        )

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with anything in the model."""
        return hashlib.sha256(model_directory.dumped(self.manifest).encode()).hexdigest()[:12]

    @cached_property
    def booster(self) -> Booster:
        """The trees, loaded at the first use."""
        return Booster(self.booster_text)

    @cached_property
    def reputation(self) -> pa.Table | None:
        """The table of reputations, None for a model that has learnt none; parsed at the first use."""
        return None if self.reputation_parquet is None else read_parquet(self.reputation_parquet)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The inputs, in the order of the columns of X."""
        return tuple(self.manifest["feature_names"])

    def probability(self, X: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Return the calibrated probability of being automated, shape (n,), of X of shape (n, n_features)."""
        return self.calibration.apply(self.booster.predict_raw(X, threads))

    def verdicts(
        self,
        probability: NDArray[np.float64],
        event_types: Sequence[str | None] | NDArray[Any],
        capabilities: Set[Capability] = frozenset(CAPABILITIES),
    ) -> NDArray[np.object_]:
        """Return automated, human or unsure for each event; None for other event types and for NaN."""
        types = np.asarray(event_types, dtype=np.object_)
        if probability.shape != types.shape:
            raise ValueError(f"{probability.shape} probabilities, but {types.shape} event types")
        result = np.full(types.shape, None, dtype=np.object_)
        for event_type in ENGAGEMENT:
            bounds, mine = self.thresholds_for(event_type, capabilities), types == event_type
            result[mine & (probability >= bounds.human)] = UNSURE
            result[mine & (probability < bounds.human)] = HUMAN
            result[mine & (probability >= bounds.automated)] = AUTOMATED
        return result

    def thresholds_for(self, event_type: str, capabilities: Set[Capability] = frozenset(CAPABILITIES)) -> Thresholds:
        """Return the thresholds that judge an event type where these capabilities are given."""
        for name in (threshold_name(event_type, capabilities), event_type):
            if name in self.thresholds:
                return self.thresholds[name]
        return self.thresholds[DEFAULT]

    def _with_trees(self) -> BotClickModel:
        if self.booster.feature_names != self.feature_names:
            raise ModelError("booster: has other features than the manifest; train the model again")
        names = self.feature_names[-len(REPUTATION_NAMES) :]
        if (self.reputation is not None) != (names == REPUTATION_NAMES):
            raise ModelError("reputation: the table and the columns that ask it go together; train the model again")
        return self


def threshold_name(event_type: str, capabilities: Set[Capability]) -> str:
    """Return the name of the thresholds for an event type where only these capabilities are given.

    >>> threshold_name("opened", {"links"})
    'opened without address and agent'
    """
    lacking = [capability for capability in WEIGHTY if capability not in capabilities]
    return f"{event_type} without {' and '.join(lacking)}" if lacking else event_type


_THRESHOLD_NAMES = tuple(
    dict.fromkeys(
        threshold_name(event_type, given)
        for event_type in ENGAGEMENT
        for given in (frozenset(WEIGHTY), *(frozenset(WEIGHTY) - {name} for name in WEIGHTY), frozenset[Capability]())
    )
)


def bundled() -> BotClickModel:
    """Return the model that comes with clicksift."""
    with resources.as_file(resources.files("serving") / "data" / "model") as folder:
        return BotClickModel.load(folder)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _judging(calibration: Calibration, thresholds: Mapping[str, Thresholds]) -> dict[str, Any]:
    """Return the part of the manifest that turns margins into verdicts."""
    entries = {name: asdict(entry) for name, entry in thresholds.items()}
    return {"calibration": asdict(calibration), "thresholds": entries}


def _check_features(manifest: Mapping[str, Any], fingerprint: str | None, feature_names: Sequence[str] | None) -> None:
    if fingerprint is None or feature_names is None:
        from features import catalog  # noqa: PLC0415 - a caller that brings both needs no catalogue

        fingerprint = catalog.fingerprint() if fingerprint is None else fingerprint
        feature_names = catalog.FEATURE_NAMES if feature_names is None else feature_names
    theirs, ours = manifest["feature_names"], list(feature_names)
    if model_directory.REPUTATION in manifest["sha256"]:
        ours += REPUTATION_NAMES
    if theirs == ours and manifest["feature_fingerprint"] == fingerprint:
        return
    lacks = [name for name in ours if name not in theirs]
    besides = [str(name) for name in theirs if name not in ours]
    differences = [f"it lacks {_some(lacks)}"] * bool(lacks) + [f"it wants {_some(besides)}"] * bool(besides)
    if not differences:
        differences = ["the order differs" if theirs != ours else "the same names, computed otherwise"]
    raise ModelError(
        f"made for other features than this version of clicksift computes ({'; '.join(differences)}); "
        "retrain with `clicksift train`, or install the version that made it"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
