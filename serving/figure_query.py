"""The query behind the figures of campaigns: an event a row, a message a row, sums, intervals.

It reads the tables `events` and `verdicts`, and what a breakdown joins to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.schema import ENGAGEMENT, event_row
from serving.actor import PRIVACY
from serving.expected_people import Expectation

# In the columns' names, by kind of event.
COUNTED: Mapping[str, str] = {"opened": "opens", "clicked": "clicks", "unsubscribed": "unsubscribes"}
# What Apple hides is estimated from the others' opens only where these are a sample worth the name.
FEWEST_OTHERS, FEWEST_OTHER_OPENS = 50, 10
_TWO_SIDED = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Breakdown:
    """What a row of figures is of: its key columns as SQL over `events AS e`, and what more is joined to the events.

    `clicks_only`: opens and unsubscribes are of no such thing. Deliveries are then the campaign's.
    """

    keys: Mapping[str, str]
    join: str = ""
    clicks_only: bool = False


_CAMPAIGN = {"campaign_id": "coalesce(e.campaign_id, '')"}
# As features see links: by what the platform calls them, else without what stands behind the question mark.
_LINK = "coalesce(e.link_id, split_part(e.url, '?', 1), '')"
WHOLE = Breakdown({"part": "'all'"})
BREAKDOWNS: Mapping[str, Breakdown] = {
    "campaign": Breakdown(_CAMPAIGN),
    "link": Breakdown({**_CAMPAIGN, "link": _LINK}, clicks_only=True),
    "domain": Breakdown({"recipient_domain": "coalesce(e.recipient_domain, '')"}),
    "host": Breakdown(
        {"mailbox_host": "coalesce(h.host, '')"},
        join="LEFT JOIN figure_hosts AS h ON e.recipient_domain = h.recipient_domain",
    ),
    "vendor": Breakdown(
        {"vendor": "coalesce(t.vendor, '')"},
        join="LEFT JOIN figure_vendors AS t ON hash(e.message_id, e.recipient_id) = t.msg",
    ),
}


def figure_query(of: Breakdown, people: Mapping[str, Expectation]) -> str:
    """SQL of the figures of a breakdown, a row each; what they mean is said of `serving.campaigns.campaign_figures`."""
    keys = ", ".join(of.keys)
    on = " AND ".join(f"d.{key} = s.{key}" for key in of.keys if not of.clicks_only or key in _CAMPAIGN)
    steps = {
        "seen": _seen(of),
        "messages": _messages(keys, people),
        "sums": f"SELECT {keys}, {_sums()} FROM messages GROUP BY {keys}",
        "deliveries": _deliveries(of, keys),
        "figures": f"SELECT d.delivered, d.messages, s.* FROM sums AS s JOIN deliveries AS d ON {on}",
        "ends": f"SELECT *, coalesce(delivered, messages) AS base, {_ends(people)} FROM figures",
    }
    named = ",\n".join(f"{name} AS ({sql})" for name, sql in steps.items())
    return f"WITH {named} SELECT {keys}, {_columns(of)} FROM ends ORDER BY {keys}"


def _seen(of: Breakdown) -> str:
    keys = ", ".join(f"{sql} AS {name}" for name, sql in of.keys.items())
    only = "AND e.event_type = 'clicked' AND v.verdict IS NOT NULL" if of.clicks_only else ""
    return f"""
        SELECT {keys}, hash(e.message_id, e.recipient_id) AS msg, e.event_type, 1 - v.probability AS hope, v.verdict,
            v.verdict = 'automated' AND v.actor = '{PRIVACY}' AND v.vendor = 'apple' AS prefetch
        FROM events AS e
        LEFT JOIN verdicts AS v ON v.event_row = {event_row("e")}
        {of.join}
        WHERE NOT e.is_context {only}
    """


def _messages(keys: str, people: Mapping[str, Expectation]) -> str:
    """A message counts as opened, clicked or unsubscribed by a person by the best chance that one of its events has."""
    best, counted = [], []
    for kind in ENGAGEMENT:
        name, mine = COUNTED[kind], f"event_type = '{kind}' AND verdict IS NOT NULL"
        best += [
            f"max(hope) FILTER ({mine}) AS {name}_hope",
            f"coalesce(bool_or(verdict = 'unsure') FILTER ({mine}), FALSE)"
            f" AND NOT coalesce(bool_or(verdict = 'human') FILTER ({mine}), FALSE) AS {name}_unsure",
        ]
        counted.append(f"{people[kind].expected(f'{name}_hope')} AS {name}_human")
    return f"""
        SELECT *, {", ".join(counted)}
        FROM (
            SELECT {keys}, msg, bool_or(event_type = 'delivered') AS delivered,
                coalesce(bool_or(prefetch AND event_type = 'opened'), FALSE) AS prefetched, {", ".join(best)}
            FROM seen
            GROUP BY {keys}, msg
        )
    """


def _sums() -> str:
    sums = ["count(*) FILTER (prefetched) AS apple_prefetched", "count(*) FILTER (NOT prefetched) AS others"]
    for name in COUNTED.values():
        sums += _kind_sums(name, f"{name}_hope IS NOT NULL", name)
    for name in ("opens", "clicks"):
        sums += _kind_sums(f"other_{name}", f"{name}_hope IS NOT NULL AND NOT prefetched", name)
    return ", ".join(sums)


def _kind_sums(into: str, which: str, name: str) -> list[str]:
    """`into`: messages; with `_human` expected people, `_under` and `_over` what is doubtful of both sides."""
    hope = f"{name}_hope"
    return [
        f"count(*) FILTER ({which}) AS {into}",
        f"coalesce(sum({name}_human) FILTER ({which}), 0) AS {into}_human",
        f"coalesce(sum(1 - {hope}) FILTER ({which} AND {hope} >= 0.5), 0) AS {into}_under",
        f"coalesce(sum({hope}) FILTER ({which} AND {hope} < 0.5), 0) AS {into}_over",
        f"count(*) FILTER ({which} AND {name}_unsure) AS {into}_unsure",
    ]


def _deliveries(of: Breakdown, keys: str) -> str:
    delivered = "nullif(count(*) FILTER (delivered), 0) AS delivered, count(*) AS messages"
    if not of.clicks_only:
        return f"SELECT {keys}, {delivered} FROM messages GROUP BY {keys}"
    campaign = ", ".join(f"{sql} AS {name}" for name, sql in _CAMPAIGN.items())
    return f"""
        SELECT {", ".join(_CAMPAIGN)}, {delivered}
        FROM (
            SELECT {campaign}, hash(e.message_id, e.recipient_id) AS msg,
                bool_or(e.event_type = 'delivered') AS delivered
            FROM events AS e
            WHERE NOT e.is_context
            GROUP BY ALL
        )
        GROUP BY ALL
    """


def _ends(people: Mapping[str, Expectation]) -> str:
    """The ends of every interval, and how often others than Apple's readers open."""
    ends = []
    for kind in ENGAGEMENT:
        for name in (COUNTED[kind], f"other_{COUNTED[kind]}") if kind != "unsubscribed" else (COUNTED[kind],):
            ends += [
                f"{people[kind].low(f'{name}_human', f'{name}_under')} AS {name}_low",
                f"{people[kind].high(f'{name}_human', f'{name}_over', name)} AS {name}_high",
            ]
    known = f"delivered IS NOT NULL AND others >= {FEWEST_OTHERS} AND other_opens_human >= {FEWEST_OTHER_OPENS}"
    ends.append(f"CASE WHEN apple_prefetched > 0 AND {known} THEN other_opens_human / others END AS others_rate")
    return ", ".join(ends)


def _columns(of: Breakdown) -> str:
    columns = ["delivered", "messages"]
    for name in COUNTED.values():
        values = {
            name: name,
            f"human_{name}": f"{name}_human",
            f"human_{name}_low": f"{name}_low",
            f"human_{name}_high": f"{name}_high",
            f"machine_{name}": f"{name} - {name}_human",
            f"unsure_{name}": f"{name}_unsure",
        }
        if name == "opens":
            values |= _apple()
        columns += _as(values, unless=of.clicks_only and name != "clicks")
    columns += _as(_rate("open", "opens"), unless=of.clicks_only) + _as(_rate("click", "clicks"))
    columns += _as(
        {
            "click_to_open_rate": "clicks / nullif(opens, 0)",
            "human_click_to_open_rate": "other_clicks_human / nullif(other_opens_human, 0)",
            "human_click_to_open_rate_low": "other_clicks_low / nullif(other_opens_high, 0)",
            "human_click_to_open_rate_high": "other_clicks_high / nullif(other_opens_low, 0)",
        },
        unless=of.clicks_only,
    )
    return ", ".join(columns)


def _apple() -> dict[str, str]:
    """What people opened of the messages that Apple opened first: at least what was seen of them, at most all.

    The error is that of the others' share as a sample, of as many readers drawn alike, and the model's own.
    """
    seen = "(opens_human - other_opens_human)"
    noise = (
        f"{_TWO_SIDED} * sqrt(others_rate * greatest(1 - others_rate, 0) * apple_prefetched"
        " * (1 + apple_prefetched / others))"
    )
    ends = {
        "": "apple_prefetched * others_rate",
        "_low": f"apple_prefetched * other_opens_low / others - {noise}",
        "_high": f"apple_prefetched * other_opens_high / others + {noise}",
    }
    possible = {end: f"least(greatest({value}, {seen}), apple_prefetched)" for end, value in ends.items()}
    known = {f"apple_opens{end}": f"CASE WHEN others_rate IS NOT NULL THEN {sql} END" for end, sql in possible.items()}
    return {"apple_prefetched": "apple_prefetched", **known}


def _rate(word: str, name: str) -> dict[str, str]:
    return {
        f"{word}_rate": f"{name} / base",
        f"human_{word}_rate": f"{name}_human / base",
        f"human_{word}_rate_low": f"{name}_low / base",
        f"human_{word}_rate_high": f"{name}_high / base",
    }


def _as(values: Mapping[str, str], unless: bool = False) -> list[str]:
    """The columns; NULL for what there is not in this breakdown."""
    return [f"{'CAST(NULL AS DOUBLE)' if unless else sql} AS {name}" for name, sql in values.items()]
