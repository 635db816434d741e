"""What networks, agents, domains and recipients did on other messages, in words.

The shares of `features.population` are drawn towards 0 by imagined messages, so that each is the least that the true
share can be: a sentence says "at least". Up to a third, one message may be all there is, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.population import FEATURES, GROUPS, WEEK_HOURS
from serving.reason import Case, Reason, chosen

SEVERAL = 0.34
_WINDOW = f"{WEEK_HOURS // 24} days"

# From the most telling on.
_SIGNS: Mapping[str, str] = {
    "burst_share": "three links within 10 s",
    "burst_share_day": "three links within 10 s",
    "quick_share": "a click within a minute of arrival",
    "quick_share_day": "a click within a minute of arrival",
    "echo_share": "a link hit twice within 5 s",
    "machine_network_share": "a click from a scanner''s network or a data centre",
    "unsubscribe_share": "the unsubscribe link hit",
    "soon_share": "a click within five minutes of arrival",
}
_VARIETY: Mapping[str, str] = {"domains": "recipient domains", "networks": "networks", "agents": "agents"}
_NEVER: Mapping[str, str] = {
    "burst_share": "three links within 10 s",
    "quick_share": "a click within a minute of arrival",
    "soon_share": "a click within five minutes of arrival",
}
_NAMES = frozenset(feature.name for feature in FEATURES)


def _habits(name: str, **by: str) -> Reason:
    """The reason of the groups named by the keywords, whose values say how a sentence refers to each."""
    groups = {group.name: by[group.name] for group in GROUPS if group.name in by}
    features = tuple(f.name for f in FEATURES if any(f.name.startswith(f"{group}_") for group in groups))
    return Reason(name, features, chosen(*_of_machines(groups)), chosen(*_of_persons(groups)))


def _of_machines(groups: Mapping[str, str]) -> Iterator[Case]:
    for sign, words in _SIGNS.items():
        yield from _several(
            sign, groups, f"'{words} in at least ' || reason_percent({{share}}) || ' of the messages clicked {{who}}'"
        )
    yield from _several(
        "click_share", groups, "'clicks in at least ' || reason_percent({share}) || ' of the messages seen {who}'"
    )
    for sign, words in _VARIETY.items():
        yield from _several(
            sign, groups, f"'at least ' || reason_tenths({{share}}) || ' {words} for each message seen {{who}}'"
        )


def _of_persons(groups: Mapping[str, str]) -> Iterator[Case]:
    yield from _several(
        "opened_share",
        groups,
        "'an open before in at least ' || reason_percent({share}) || ' of the messages clicked {who}'",
    )
    for group, who in groups.items():
        # Only 0 is as it was when a share is drawn towards 0.
        for sign, words in _NEVER.items():
            if f"{group}_{sign}" in _NAMES:
                yield f"x.{group}_click_share > 0 AND x.{group}_{sign} = 0", f"'never {words} {who} in {_WINDOW}'"
        yield f"x.{group}_click_share = 0", f"'no clicks {who} in {_WINDOW}'"


def _several(sign: str, groups: Mapping[str, str], words: str) -> Iterator[Case]:
    """One case for each group that has the sign, where more than one message shows it and no other group's more."""
    columns = {f"x.{group}_{sign}": who for group, who in groups.items() if f"{group}_{sign}" in _NAMES}
    for column, who in columns.items():
        more = [f"{column} >= coalesce({other}, 0)" for other in columns if other != column]
        yield " AND ".join([f"{column} >= {SEVERAL}", *more]), words.format(share=column, who=who)


HABITS: tuple[Reason, ...] = (
    _habits("habits of the network", address="from this address", network="from this network"),
    _habits("habits of the agent", agent="with this agent"),
    _habits("habits of the domain", domain="at this domain"),
    _habits("habits of the recipient", recipient="by this recipient"),
)
