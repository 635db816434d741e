"""Who judges: a challenger takes the champion's place where it costs nobody anything, and may be put back."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from features.catalog import FEATURE_NAMES
from features.errors import InputError, ModelError
from features.feature import Capability
from serving.model import BotClickModel, bundled
from training.challenge import FEWEST_EVENTS, FEWEST_ORGANISATIONS, Comparison, Words, compare_models
from training.comparison import thresholds_of
from training.dataset import Dataset, as_wide
from training.registry import Registered, Registry
from training.retrain import Trained
from training.tracking import COMPARISON

Floats = npt.NDArray[np.float64]
BUNDLED = "bundled"


class Refused(InputError):  # noqa: N818  (what happened, as the command says it; no error of the input)
    """A challenger that may not become champion; `comparison` is what speaks against it."""

    def __init__(self, message: str, comparison: Comparison) -> None:
        super().__init__(message)
        self.comparison = comparison


@dataclass(frozen=True)
class Champion:
    """The model that a new one is compared with: `name` is models:/clicksift/N or "bundled".

    `version` is None for the bundled model. `notes` say where another stands in for the registered champion.
    """

    name: str
    model: BotClickModel
    registry: Registry | None
    version: Registered | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Promotion:
    """What was done: `name` is champion now and `before` was ("bundled" where there was none).

    `is_new` is False where it was champion already and nothing was done; `against` are the reasons that were overruled.
    """

    name: str
    before: str
    is_new: bool
    comparison: Comparison | None
    against: tuple[str, ...] = ()


def champion_of(registry: Registry | None) -> Champion:
    """The champion of a store, else the bundled model.

    That also stands in for a champion that this version of clicksift cannot use, with a note.
    """
    version = registry.champion() if registry else None
    if registry is None or version is None:
        return Champion(BUNDLED, bundled(), registry, None)
    try:
        return Champion(version.name, registry.load(version), registry, version)
    except ModelError as error:
        reason = f"the champion {version.name} cannot judge with this clicksift ({error})"
        return Champion(version.name, bundled(), registry, None, (f"{reason}; the bundled model stands in for it",))


def present_champion(uri: str) -> Champion:
    """The champion of the store at that address; the bundled model where nothing is registered, or no store is kept."""
    try:
        return champion_of(Registry(uri) if uri != "none" else None)
    except InputError:  # a first training has nothing to be compared with
        return champion_of(None)


def challenge(
    trained: Trained, champion: Champion, slices: Mapping[str, Words], capabilities: Set[Capability], *, seed: int = 7
) -> Comparison:
    """A model that was just trained beside the champion, on the rows it was trained on: each out of fold.

    `slices` are those of `training.challenge.slices_of` for all labelled rows, those that training dropped too.
    """
    probability, notes = _fair(champion, trained.data)
    if champion.version and trained.model.manifest["training"].get("begun_with") == champion.model.version:
        notes += ("this model begins with the champion's trees: events that those were trained on flatter both",)
    return compare_models(
        trained.data,
        (trained.fit.probability, thresholds_of(trained.model, capabilities)),
        (probability, thresholds_of(champion.model, capabilities)),
        {name: words[trained.kept] for name, words in slices.items()},
        names=("this model", champion.name),
        versions=(trained.model.version, champion.model.version),
        notes=(*champion.notes, *notes),
        seed=seed,
    )


def anew(
    challenger: Champion, champion: Champion, data: Dataset, slices: dict[str, Words], capabilities: Set[Capability]
) -> Comparison:
    """Two models that exist on labelled events of your choice.

    Raises InputError where people or machines are too few, or at too few organisations, to speak against anybody.
    """
    for label, whose in enumerate(("people's", "machines'")):
        organisations = data.organisation[data.y == label]
        if len(organisations) < FEWEST_EVENTS or len(np.unique(organisations)) < FEWEST_ORGANISATIONS:
            raise InputError(
                f"labels: {len(organisations):,} of {whose} events at {len(np.unique(organisations))} recipient"
                f" organisations, and at least {FEWEST_EVENTS} at {FEWEST_ORGANISATIONS} are needed to compare models;"
                " label more of them"
            )
    ours, about_ours = _fair(challenger, data)
    theirs, about_theirs = _fair(champion, data)
    return compare_models(
        data,
        (ours, thresholds_of(challenger.model, capabilities)),
        (theirs, thresholds_of(champion.model, capabilities)),
        slices,
        names=(challenger.name, champion.name),
        versions=(challenger.model.version, champion.model.version),
        notes=(*champion.notes, *about_ours, *about_theirs),
    )


def _fair(judge: Champion, data: Dataset) -> tuple[Floats, tuple[str, ...]]:
    """Probabilities of rows by trees that had not seen them, where that can be had, and a note where not.

    What the judge's model has learnt of reputations is not asked: the rows have none, or those of another training.
    """
    inputs = as_wide(data.X[:, : len(FEATURE_NAMES)], len(judge.model.feature_names))
    known = judge.model.manifest["training"]
    if data.fingerprint() not in (known.get("data_fingerprint"), known.get("given_fingerprint")):
        return judge.model.probability(inputs), ()
    kept = judge.registry.out_of_fold(judge.version) if judge.registry and judge.version else None
    if kept is not None and len(kept) == len(data):
        return kept, (f"{judge.name} was trained on these same events: it is judged by what its folds said of them",)
    return judge.model.probability(inputs), (f"{judge.name} was trained on these same events, which flatters it",)


def promote(
    name: str,
    registry: Registry,
    *,
    why: str | None = None,
    compare: Callable[[Champion, Champion], Comparison] | None = None,
) -> Promotion:
    """Make a registered version champion where the comparison with the present champion speaks for it.

    That is what `compare` gives for challenger and champion, else the one that its training recorded; `why` overrules
    it. Tags say who promoted it, when, whom it replaced and what was overruled. Raises Refused with the reasons, and
    InputError where there is no comparison with the present champion.
    """
    version, present = registry.find(name), registry.champion()
    before = present.name if present else BUNDLED
    if present and present.number == version.number:
        return Promotion(version.name, before, is_new=False, comparison=None)
    if compare:
        challenger = Champion(version.name, registry.load(version), registry, version)
        made = compare(challenger, champion_of(registry))
        registry.write_json(version, _anew_with(before), made.to_json())
        comparison: Comparison | None = made
    else:
        comparison = recorded(registry, version, before)
    if comparison is None and why is None:
        raise InputError(
            f"{version.name}: no comparison with the champion {before} is on record; give labelled events of both kinds"
            " with --events and --labels to compare them now"
        )
    against = comparison.reasons_against() if comparison else (f"no comparison with {before}",)
    if against and why is None and comparison:
        raise Refused(
            f"{version.name} is not promoted: it {'; it '.join(against)}. --force --why TEXT overrules this",
            comparison,
        )
    tags = {"promoted_at": _now(), "promoted_by": _user(), "previous_champion": before}
    if against and why is not None:
        tags |= {"promoted_against": "; ".join(against)[:4_000], "promoted_why": why}
    registry.set_champions([*registry.champions(), version], tags, version)
    return Promotion(version.name, before, is_new=True, comparison=comparison, against=against)


def recorded(registry: Registry, version: Registered, champion: str) -> Comparison | None:
    """The comparison of a version with that champion, as its training or an earlier promotion recorded it."""
    for artifact in (_anew_with(champion), COMPARISON):
        content = registry.read_json(version, artifact)
        if content is not None:
            try:
                found = Comparison.from_json(content)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(
                    f"{version.name}: {artifact} of its run is no comparison ({error}); give labelled events with"
                    " --events and --labels to compare it now"
                ) from error
            if found.champion == champion:
                return found
    return None


def rollback(registry: Registry) -> Promotion:
    """Make the champion before the present one champion again; once more goes one further back, to the bundled model.

    Raises InputError where no registered model is champion.
    """
    champions = registry.champions()
    if not champions:
        raise InputError("no registered model is champion; promote a version by its number")
    *before, present = champions
    back = before[-1].name if before else BUNDLED
    tags = {"rolled_back_at": _now(), "rolled_back_by": _user(), "rolled_back_to": back}
    registry.set_champions(before, tags, present)
    return Promotion(back, present.name, is_new=True, comparison=None)


def _anew_with(champion: str) -> str:
    return f"comparison-with-{champion.rpartition('/')[2]}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return "not known"
