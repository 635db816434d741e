"""What the address, network, agent, recipient domain and recipient did elsewhere in the trailing hours.

Everything is counted in messages an hour (a message counts once in each UTC hour in which the group touched it), summed
over the 24 or 168 hours before the event's hour and that hour, and given as a share inside the group: never as a share
of the sender's total, which would depend on its size. Shares are drawn towards 0 by two imagined messages,
so that one message alone never makes a share of 1. The signs looked for reach at most an hour back from each event and
not ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.facts import HOUR, SECOND
from features.feature import Capability, Feature, Stage

IMAGINED_MESSAGES = 2
DAY_HOURS, WEEK_HOURS = 24, 168


@dataclass(frozen=True)
class _Group:
    """Events that share a value of `key`: name in words, the table's name, and what must be given."""

    name: str
    key: str
    words: str
    needs: frozenset[Capability]


GROUPS: tuple[_Group, ...] = (
    _Group("address", "address_id", "this address", frozenset({"address"})),
    _Group("network", "net", "this /24 or /48 network", frozenset({"address"})),
    _Group("agent", "agent_id", "this user agent", frozenset({"agent"})),
    _Group("domain", "dom", "this recipient domain", frozenset({"domains"})),
    _Group("recipient", "rcpt", "this recipient", frozenset()),
)

SIGNS = Stage(
    "signs",
    f"""
    SELECT
        f.msg,
        f.utc_hour,
        f.address_id,
        f.net,
        f.agent_id,
        f.dom,
        f.rcpt,
        CASE WHEN f.kind > 0 THEN 1 ELSE 0 END AS clicked,
        CASE WHEN f.kind > 0 AND f.us - coalesce(f.delivered_us, f.sent_us) <= {60 * SECOND} THEN 1 ELSE 0 END AS quick,
        CASE WHEN f.kind > 0 AND f.us - coalesce(f.delivered_us, f.sent_us) <= {300 * SECOND} THEN 1 ELSE 0 END AS soon,
        CASE WHEN f.kind > 0 AND (c.links_before_10s >= 3
            OR (c.links_before_10s = 2 AND f.n_links = 2)) THEN 1 ELSE 0 END AS burst,
        CASE WHEN f.kind > 0 AND f.us - m.last_open_us <= {HOUR} THEN 1 ELSE 0 END AS opened,
        CASE WHEN f.kind = 1 AND f.unsubscribe = 1 THEN 1 ELSE 0 END AS unsubscribe,
        CASE WHEN f.kind > 0 AND f.network_rank = 2 THEN 1 ELSE 0 END AS machine_network,
        CASE WHEN l.hits_5s > 1 THEN 1 ELSE 0 END AS echo
    FROM facts AS f
    JOIN message_clicks AS c ON f.event_row = c.event_row
    JOIN message_times AS m ON f.event_row = m.event_row
    LEFT JOIN link_times AS l ON f.event_row = l.event_row
    """,
)

_SIGNS = ("clicked", "quick", "soon", "burst", "opened", "unsubscribe", "machine_network", "echo")
_DISTINCT = ("domains", "agents", "networks")


def _hours(group: _Group) -> Stage:
    flags = ", ".join(f"max({c}) AS {c}" for c in _SIGNS)
    sums = ", ".join(f"sum({c}) AS {c}" for c in _SIGNS)
    return Stage(
        f"{group.name}_hours",
        f"""
        SELECT
            {group.key},
            utc_hour,
            count(*) AS messages,
            {sums}
        FROM (
            SELECT {group.key}, utc_hour, msg, {flags}
            FROM signs
            WHERE {group.key} IS NOT NULL
            GROUP BY {group.key}, utc_hour, msg
        ) AS by_message
        GROUP BY {group.key}, utc_hour
        """,
    )


def _variety(group: _Group) -> Stage:
    return Stage(
        f"{group.name}_variety",
        f"""
        SELECT
            {group.key},
            utc_hour,
            count(DISTINCT dom) AS domains,
            count(DISTINCT agent_id) AS agents,
            count(DISTINCT net) AS networks
        FROM signs
        WHERE {group.key} IS NOT NULL
        GROUP BY {group.key}, utc_hour
        """,
    )


def _trailing(group: _Group) -> Stage:
    columns = [f"sum(h.{c}) OVER week AS {c}" for c in ("messages", *_SIGNS)]
    columns += [f"sum(v.{c}) OVER week AS {c}" for c in _DISTINCT]
    columns += [f"sum(h.{c}) OVER day AS {c}_day" for c in ("messages", "clicked", "quick", "burst")]
    listed = ",\n            ".join(columns)
    frame = f"PARTITION BY h.{group.key} ORDER BY h.utc_hour RANGE BETWEEN"
    return Stage(
        f"{group.name}_trailing",
        f"""
        SELECT
            h.{group.key},
            h.utc_hour,
            {listed}
        FROM {group.name}_hours AS h
        JOIN {group.name}_variety AS v ON h.{group.key} = v.{group.key} AND h.utc_hour = v.utc_hour
        WINDOW
            week AS ({frame} {WEEK_HOURS} PRECEDING AND CURRENT ROW),
            day AS ({frame} {DAY_HOURS} PRECEDING AND CURRENT ROW)
        """,
    )


# Links a campaign's clicks have shown in the trailing hours: +1 at a sighting's hour, -1 when it has gone out of the
# window unless it was seen again before.
_CAMPAIGN_LINKS: tuple[Stage, ...] = (
    Stage(
        "link_hours",
        """
        SELECT camp, campaign_link, utc_hour, count(DISTINCT msg) AS messages
        FROM facts
        WHERE kind = 1 AND camp IS NOT NULL AND campaign_link IS NOT NULL
        GROUP BY camp, campaign_link, utc_hour
        """,
    ),
    Stage(
        "link_sightings",
        f"""
        SELECT
            camp,
            campaign_link,
            utc_hour,
            messages,
            lead(utc_hour) OVER link AS again,
            sum(messages) OVER week AS link_messages
        FROM link_hours
        WINDOW
            link AS (PARTITION BY camp, campaign_link ORDER BY utc_hour NULLS LAST),
            week AS (
                PARTITION BY camp, campaign_link ORDER BY utc_hour
                RANGE BETWEEN {WEEK_HOURS} PRECEDING AND CURRENT ROW
            )
        """,
    ),
    Stage(
        "campaign_changes",
        f"""
        SELECT camp, utc_hour, sum(change) AS change, sum(messages) AS messages
        FROM (
            SELECT camp, utc_hour, 1 AS change, messages FROM link_sightings
            UNION ALL
            SELECT
                camp,
                least(coalesce(again, utc_hour + {WEEK_HOURS + 1}), utc_hour + {WEEK_HOURS + 1}) AS utc_hour,
                -1 AS change,
                0 AS messages
            FROM link_sightings
            UNION ALL
            SELECT DISTINCT camp, utc_hour, 0 AS change, 0 AS messages FROM facts WHERE camp IS NOT NULL
        ) AS changes
        GROUP BY camp, utc_hour
        """,
    ),
    Stage(
        "campaign_links",
        f"""
        SELECT
            camp,
            utc_hour,
            nullif(sum(change) OVER (PARTITION BY camp ORDER BY utc_hour NULLS LAST), 0) AS n_links,
            sum(messages) OVER (
                PARTITION BY camp ORDER BY utc_hour RANGE BETWEEN {WEEK_HOURS} PRECEDING AND CURRENT ROW
            ) AS messages
        FROM campaign_changes
        """,
    ),
)

STAGES: tuple[Stage, ...] = (
    SIGNS,
    *(stage(group) for group in GROUPS for stage in (_hours, _variety, _trailing)),
    *_CAMPAIGN_LINKS,
)


@dataclass(frozen=True)
class _Share:
    """A share of a group's messages that show a sign, or its variety: how many different ones of something a message.

    `part` over `whole`, both columns of the group's trailing sums; `groups` names those that have the feature.
    """

    name: str
    part: str
    whole: str
    words: str
    groups: str = "address network agent domain recipient"
    needs: frozenset[Capability] = frozenset()
    hours: int = WEEK_HOURS

    def feature(self, group: _Group) -> Feature:
        """The declaration for one group."""
        table = f"{group.name}_t"
        sql = f"{table}.{self.part} / CAST({table}.{self.whole} + {IMAGINED_MESSAGES} AS DOUBLE)"
        clicked = "clicked " if self.whole.startswith("clicked") else ""
        return Feature(
            f"{group.name}_{self.name}",
            "population",
            sql,
            "share",
            f"Of the {clicked}messages of {group.words}, {self.words}.",
            f"the {self.hours} hours before the event's hour, and that hour",
            group.needs | self.needs,
        )


_LINKS: frozenset[Capability] = frozenset({"links"})
_SHARES: tuple[_Share, ...] = (
    _Share("click_share", "clicked", "messages", "the share that was clicked"),
    _Share(
        "quick_share",
        "quick",
        "clicked",
        "the share clicked within a minute of arrival",
        "address network agent domain",
    ),
    _Share("soon_share", "soon", "clicked", "the share clicked within five minutes of arrival"),
    _Share("burst_share", "burst", "clicked", "the share with three links within ten seconds", needs=_LINKS),
    _Share("opened_share", "opened", "clicked", "the share that had been opened in the hour before"),
    _Share(
        "echo_share",
        "echo",
        "clicked",
        "the share with a link hit twice within five seconds, as by a check at the time of the click",
        needs=_LINKS,
    ),
    _Share(
        "unsubscribe_share",
        "unsubscribe",
        "clicked",
        "the share whose unsubscribe link was hit",
        "agent domain",
        _LINKS,
    ),
    _Share(
        "machine_network_share",
        "machine_network",
        "clicked",
        "the share clicked from a scanner's network or a data centre",
        "domain recipient",
        frozenset({"address"}),
    ),
    _Share(
        "quick_share_day",
        "quick_day",
        "clicked_day",
        "the share clicked within a minute of arrival",
        "network",
        hours=DAY_HOURS,
    ),
    _Share(
        "burst_share_day",
        "burst_day",
        "clicked_day",
        "the share with three links within ten seconds",
        "network",
        _LINKS,
        DAY_HOURS,
    ),
    _Share(
        "domains",
        "domains",
        "messages",
        "recipient domains a message",
        "address network agent",
        frozenset({"domains"}),
    ),
    _Share("agents", "agents", "messages", "user agents a message", "address network", frozenset({"agent"})),
    _Share("networks", "networks", "messages", "networks a message", "agent domain recipient", frozenset({"address"})),
)

FEATURES: tuple[Feature, ...] = (
    *(share.feature(group) for group in GROUPS for share in _SHARES if group.name in share.groups.split()),
    Feature(
        "link_popularity",
        "population",
        "CASE WHEN k.messages >= 2 * k.n_links THEN p.link_messages / CAST(k.messages AS DOUBLE) * k.n_links END",
        "ratio",
        "Clicks of this link against the mean of its campaign's links; NULL for opens, and below two clicks a link.",
        f"the {WEEK_HOURS} hours before the event's hour, and that hour",
        frozenset({"links"}),
    ),
)
