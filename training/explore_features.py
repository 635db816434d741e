"""What features look like for people and for machines, what a model makes of them, whether they stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features import ip_lookup, ua_parse
from features.catalog import CATEGORICAL, FEATURES
from features.feature import Feature
from features.schema import ENGAGEMENT
from serving.monitor import Shape
from training.explore import FOUND, LOST, LabelledEvents

UNKNOWN, OTHERS = "not known", "others"
MOST_CODES = 8
# LightGBM's values of single features take 6 ms an event.
ASKED_EVENTS = 200
FEWEST_IN_PERIOD, MOST_PERIODS = 100, 12
_BY_FEATURE: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}
# Codes are positions in these lists.
CODE_NAMES: Mapping[str, tuple[str, ...]] = {
    "network_kind": ip_lookup.KINDS,
    "network_operator": ip_lookup.OPERATORS,
    "network_evidence": ip_lookup.EVIDENCE,
    "as_category": ip_lookup.CATEGORIES,
    "network_rank": ("people's", "neither", "machines'"),
    "agent_kind": ua_parse.KINDS,
    "browser": ua_parse.FAMILIES,
    "os": ua_parse.OS_FAMILIES,
    "device": ua_parse.DEVICES,
    "event_kind": ENGAGEMENT,
    "method": ("GET", "HEAD", "POST"),
}
# Upper ends of bins with what they are called; the last has none.
_BINS: Mapping[str, tuple[tuple[float, ...], tuple[str, ...]]] = {
    "s": (
        (-1e-9, 1, 10, 60, 600, 3_600, 86_400),
        ("before", "to 1 s", "to 10 s", "to 1 min", "to 10 min", "to 1 h", "to 1 day", "longer"),
    ),
    "share": ((0, 0.1, 0.3, 0.6, 0.9), ("none", "to 10 %", "to 30 %", "to 60 %", "to 90 %", "to all")),
    "count": ((0, 1, 2, 5, 10), ("0", "1", "2", "3 to 5", "6 to 10", "more")),
    "versions": ((0, 2, 9, 29), ("newest", "1 to 2 behind", "3 to 9", "10 to 29", "more")),
    "ratio": ((-0.5, 0.5, 1, 2, 5), ("below -0.5", "to 0.5", "to 1", "to 2", "to 5", "more")),
    "flag": ((0,), ("no", "yes")),
}


def distribution(opened: LabelledEvents, name: str) -> pd.DataFrame:
    """How people's and machines' events spread over the values of a feature: a row a value, in order.

    Columns `people` and `machines` each sum to 1, and to 0 where there are none. "not known" is the last row. Of codes
    the commonest have their names, the rest is "others".
    """
    column, y = opened.data.X[:, _position(name)], opened.data.y
    known = ~np.isnan(column)
    if name in CATEGORICAL:
        place, names = _coded(column, known, CODE_NAMES[name])
    else:
        ends, names = _BINS[_BY_FEATURE[name].unit]
        place = np.searchsorted(ends, column)
    place = np.where(known, place, len(names))
    shares = {
        whose: np.bincount(place[y == label], minlength=len(names) + 1) / max(1, int((y == label).sum()))
        for label, whose in enumerate(("people", "machines"))
    }
    return pd.DataFrame(shares, index=[*names, UNKNOWN])


def _coded(
    column: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """The position of each event among the commonest codes, and their names."""
    codes = np.where(known, column, 0).astype(np.int64)
    counts = np.bincount(codes[known], minlength=len(names))
    common = np.argsort(-counts, kind="stable")[:MOST_CODES]
    common = common[counts[common] > 0]
    place = np.full(len(names), len(common))
    place[common] = np.arange(len(common))
    has_others = bool(counts.sum() > counts[common].sum())
    return place[codes], (*(names[code].replace("_", " ") for code in common), *[OTHERS] * has_others)


def importance(opened: LabelledEvents, asked: int = ASKED_EVENTS) -> pd.DataFrame:
    """What the trees rest on, a row a feature, the weightiest first; `group` is the feature's.

    `gain` is its share of the gain when the trees were grown; `here` its share of what all features add to the log
    odds of `asked` of these events, in absolute numbers. A feature that gained much and adds little here says nothing
    of these events, or is not in their file.
    """
    names = opened.model.feature_names
    gain = lgb.Booster(model_str=opened.model.booster_text).feature_importance("gain")
    rows = np.random.default_rng(7).choice(len(opened), min(asked, len(opened)), replace=False)
    here = np.abs(opened.model.booster.contributions(opened.inputs[np.sort(rows)])[:, :-1]).mean(axis=0)
    groups = [_BY_FEATURE[name].group if name in _BY_FEATURE else "reputation" for name in names]
    frame = pd.DataFrame(
        {"group": groups, "gain": gain / max(gain.sum(), 1e-12), "here": here / max(here.sum(), 1e-12)},
        index=pd.Index(names, name="feature"),
    )
    return frame.sort_values(["here", "gain"], ascending=False, kind="stable")


def stability(opened: LabelledEvents, names: Sequence[str]) -> pd.DataFrame:
    """How far each campaign is from all the others in each feature: population stability indices, a row a feature.

    Columns are campaigns in the order of their first events, the `MOST_PERIODS` latest of those with at least
    `FEWEST_IN_PERIOD` labelled events. 0 is no difference, above 0.25 another distribution.
    """
    campaign = _campaigns(opened)
    sizes, first = campaign.value_counts(), opened.events["timestamp"].groupby(campaign).min().sort_values()
    periods = [name for name in first.index if sizes[name] >= FEWEST_IN_PERIOD][-MOST_PERIODS:]
    columns = {}
    for period in periods:
        rows = (campaign == period).to_numpy()
        columns[period] = [_apart(opened.data.X[:, _position(name)], rows, name in CATEGORICAL) for name in names]
    return pd.DataFrame(columns, index=pd.Index(names, name="feature"))


def _apart(column: npt.NDArray[np.float32], rows: npt.NDArray[np.bool_], is_code: bool) -> float:
    if rows.all():
        return 0.0
    return Shape.of(column[~rows], is_code=is_code).psi(column[rows])


def mistakes_by_campaign(opened: LabelledEvents, campaigns: Sequence[str]) -> pd.DataFrame:
    """Of each of these campaigns the share of people's events lost and of machines' not found: a row a campaign.

    A share is NaN where there are no such events.
    """
    outcome, campaign = opened.events["outcome"], _campaigns(opened)
    is_person = opened.data.y == 0
    frame = pd.DataFrame(
        {
            "people lost": (outcome == LOST).where(is_person),
            "machines not found": (outcome != FOUND).where(~is_person),
        }
    )
    return frame.astype(float).groupby(campaign).mean().reindex(list(campaigns)).rename_axis("campaign")


def _campaigns(opened: LabelledEvents) -> pd.Series[str]:
    """The campaign of each event, a word of its own where none is known."""
    return opened.events["campaign_id"].fillna(UNKNOWN)


def _position(name: str) -> int:
    return FEATURES.index(_BY_FEATURE[name])
