"""What the report shows, asked of the tables `events` and `verdicts`: a query a section.

Counts of events go by their probabilities: of an event with 0.9 a machine has 0.9 and a person 0.1. Nothing here names
a recipient: links and networks that fewer than `FEWEST_MESSAGES` messages had to do with are counted and not named,
because a link made for one recipient names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from features.facts import LOOK_AHEAD
from features.feature import Capability
from features.schema import event_row
from serving.baselines import RULES, drop_tables, make_tables
from serving.baselines.rule import Rule
from serving.campaigns import campaign_figures
from serving.expected_people import Expectation
from serving.figure_query import BREAKDOWNS

FEWEST_MESSAGES = 3
NETWORKS_SHOWN = 15
LINKS_SHOWN = 40
UNSURE_SHOWN = 10
# Times after delivery: from a second to a month, six bins each time it becomes ten times longer.
BINS_PER_DECADE = 6
BINS = 39
# Rules of systems by their first settings, the ones they come with, and two that anybody could think of.
_SYSTEMS = {rule.source: rule for rule in reversed(RULES) if rule.source != "control" and rule.name != "platform-flag"}
_CONTROLS = ("within-10-s", "data-centre")


@dataclass(frozen=True)
class Delays:
    """How long after delivery one kind of event came: expected events by bin, and the middle delay in seconds.

    `machine_median` and `people_median` are of the events called automated and human, NULL where there are none.
    """

    machines: tuple[float, ...]
    people: tuple[float, ...]
    machine_median: float | None
    people_median: float | None

    @property
    def is_empty(self) -> bool:
        """Whether no event has a delay."""
        return not sum(self.machines) + sum(self.people)


@dataclass(frozen=True)
class Network:
    """Events from one operator's network: expected machines' and people's."""

    name: str
    category: str | None
    machines: float
    people: float


@dataclass(frozen=True)
class Networks:
    """The networks with most events, and what the others have together: their number and their events."""

    shown: tuple[Network, ...]
    others: int
    other_machines: float
    other_people: float


@dataclass(frozen=True)
class Link:
    """A link of a campaign: messages that clicked it, people expected among them, and the upper end of that."""

    campaign: str
    link: str
    url: str | None
    clicks: int
    people: float
    people_high: float

    @property
    def only_machines(self) -> bool:
        """Whether no person is expected to have clicked it."""
        return self.people < 0.5


@dataclass(frozen=True)
class Links:
    """Links that only machines click, then the others, most clicked first; and how many of each there are in all."""

    only_machines: tuple[Link, ...]
    others: tuple[Link, ...]
    only_machines_count: int
    others_count: int
    unnamed: int


@dataclass(frozen=True)
class UnsureCase:
    """Events that nobody can know of, alike in their signs: how many, and one of them."""

    event_type: str
    events: int
    reasons: str | None
    campaign: str | None
    delay: float | None
    probability: float
    row: str


@dataclass(frozen=True)
class RuleAgreement:
    """What a rule in use elsewhere says of the clicks, beside our verdicts.

    `machine` and `not_machine` are the clicks that it calls a machine's and not; of each, how many we call automated
    and how many human. It abstains on the others.
    """

    rule: Rule
    machine: int
    machine_automated: int
    machine_human: int
    not_machine: int
    not_machine_automated: int
    not_machine_human: int


@dataclass(frozen=True)
class Extent:
    """The events of the file: counts by type, first and last time, the columns' shares of judged events that say it.

    `provisional` are judged events in the last hour, after which the file says nothing.
    """

    by_type: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    judged: int
    provisional: int
    given: Mapping[str, float]


@dataclass(frozen=True)
class Findings:
    """All sections' figures."""

    delays: Mapping[str, Delays]
    hours: Mapping[str, tuple[tuple[float, ...], ...]]
    networks: Networks | None
    links: Links
    unsure: tuple[UnsureCase, ...]
    unsure_events: int
    rules: tuple[RuleAgreement, ...]
    extent: Extent


def find(con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation], capabilities: Set[Capability]) -> Findings:
    """Everything that the report shows beside the figures of campaigns, machines and platform flags.

    Needs the tables `events`, `verdicts` and `campaigns`; leaves no others behind. `networks` is None where
    `capabilities` have no addresses.
    """
    with _judged(con, capabilities):
        return Findings(
            delays={kind: _delays(con, kind) for kind in ("clicked", "opened")},
            hours=_hours(con),
            networks=_networks(con) if "address" in capabilities else None,
            links=_links(con, people),
            unsure=_unsure(con),
            unsure_events=_count(con, "SELECT count(*) FROM report_judged WHERE verdict = 'unsure'"),
            rules=_agreements(con),
            extent=_extent(con),
        )


@contextmanager
def _judged(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> Iterator[None]:
    """The table `report_judged`, a row a judged event, beside the tables that rules read, for the time of the block."""
    make_tables(con, capabilities)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE report_judged AS
        SELECT
            v.event_row, v.verdict, v.probability AS machine, 1 - v.probability AS person, v.reasons, e.event_type,
            e.campaign_id, e.raw_ref, e.timestamp, e.url, e.link_id, e.ip, e.user_agent, e.http_method,
            hash(e.message_id, e.recipient_id) AS message, r.delay_us / 1e6 AS delay, r.address_id
        FROM verdicts AS v
        JOIN events AS e ON v.event_row = {event_row("e")}
        LEFT JOIN rule_events AS r ON v.event_row = r.event_row
        """
    )
    try:
        yield
    finally:
        con.execute("DROP TABLE report_judged")
        drop_tables(con)


def _delays(con: duckdb.DuckDBPyConnection, kind: str) -> Delays:
    rows = con.execute(
        f"""
        SELECT
            least(CAST(floor({BINS_PER_DECADE} * log10(greatest(delay, 1))) AS INTEGER), {BINS - 1}) AS bin,
            sum(machine), sum(person)
        FROM report_judged
        WHERE event_type = $1 AND delay IS NOT NULL
        GROUP BY 1
        """,
        [kind],
    ).fetchall()
    machines, people = [0.0] * BINS, [0.0] * BINS
    for place, machine, person in rows:
        machines[place], people[place] = machine, person
    [medians] = con.execute(
        """
        SELECT median(greatest(delay, 0)) FILTER (verdict = 'automated'),
            median(greatest(delay, 0)) FILTER (verdict = 'human')
        FROM report_judged
        WHERE event_type = $1 AND delay IS NOT NULL
        """,
        [kind],
    ).fetchall()
    return Delays(tuple(machines), tuple(people), *medians)


def _hours(con: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[tuple[float, ...], ...]]:
    """Expected events of machines and of people by weekday, Monday first, and hour, UTC."""
    rows = con.execute(
        """
        SELECT isodow(timestamp) - 1, hour(timestamp), sum(machine), sum(person)
        FROM report_judged
        GROUP BY ALL
        """
    ).fetchall()
    of = {(day, hour): (machine, person) for day, hour, machine, person in rows}

    def grid(which: int) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(of.get((day, hour), (0.0, 0.0))[which] for hour in range(24)) for day in range(7))

    return {"machines": grid(0), "people": grid(1)}


def _networks(con: duckdb.DuckDBPyConnection) -> Networks:
    rows = con.execute(
        """
        SELECT a.as_name, any_value(a.category), count(DISTINCT j.message), sum(j.machine), sum(j.person)
        FROM report_judged AS j
        JOIN rule_addresses AS a ON j.address_id = a.address_id
        GROUP BY 1
        ORDER BY count(*) DESC, 1
        """
    ).fetchall()
    named = [row for row in rows if row[0] is not None and row[2] >= FEWEST_MESSAGES][:NETWORKS_SHOWN]
    shown = {row[0] for row in named}
    others = [row for row in rows if row[0] not in shown]
    return Networks(
        tuple(Network(name, category, machines, people) for name, category, _, machines, people in named),
        len(others),
        sum(row[3] for row in others),
        sum(row[4] for row in others),
    )


def _links(con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation]) -> Links:
    keys = BREAKDOWNS["link"].keys
    urls = {
        (campaign, link): url
        for campaign, link, url in con.execute(
            f"""
            SELECT {keys["campaign_id"]}, {keys["link"]}, min(split_part(split_part(e.url, '?', 1), '#', 1))
            FROM report_judged AS e
            WHERE e.event_type = 'clicked'
            GROUP BY ALL
            """
        ).fetchall()
    }
    rows: list[dict[str, Any]] = campaign_figures(con, people, "link").to_pylist()
    links = [
        Link(
            row["campaign_id"],
            row["link"],
            urls.get((row["campaign_id"], row["link"])),
            row["clicks"],
            row["human_clicks"],
            row["human_clicks_high"],
        )
        for row in rows
        if row["clicks"] >= FEWEST_MESSAGES
    ]
    ordered = sorted(links, key=lambda link: (-link.clicks, link.campaign, link.link))
    machines = [link for link in ordered if link.only_machines]
    others = [link for link in ordered if not link.only_machines]
    return Links(
        tuple(machines[:LINKS_SHOWN]), tuple(others[:LINKS_SHOWN]), len(machines), len(others), len(rows) - len(links)
    )


def _unsure(con: duckdb.DuckDBPyConnection) -> tuple[UnsureCase, ...]:
    """Alike are events of a type whose reasons are the same but for numbers and names in brackets."""
    rows = con.execute(
        f"""
        SELECT event_type, count(*) AS events, arg_min(s, s.event_row)
        FROM (
            SELECT event_row, event_type, reasons, campaign_id, delay, machine, raw_ref,
                regexp_replace(regexp_replace(reasons, '\\([^)]*\\)', '', 'g'), '[0-9]+([.,][0-9]+)*', '', 'g') AS signs
            FROM report_judged
            WHERE verdict = 'unsure'
        ) AS s
        GROUP BY event_type, signs
        ORDER BY events DESC, min(event_row)
        LIMIT {UNSURE_SHOWN}
        """
    ).fetchall()
    return tuple(
        UnsureCase(kind, events, one["reasons"], one["campaign_id"], one["delay"], one["machine"], one["raw_ref"])
        for kind, events, one in rows
    )


def _agreements(con: duckdb.DuckDBPyConnection) -> tuple[RuleAgreement, ...]:
    """Of the rules that say something, those that agree most first."""
    shown = [rule for rule in RULES if rule is _SYSTEMS.get(rule.source) or rule.name in _CONTROLS]
    rows = [_agreement(con, rule) for rule in shown if "clicked" in rule.judges]
    said = [row for row in rows if row.machine + row.not_machine]
    return tuple(sorted(said, key=lambda row: row.not_machine_automated + row.machine_human))


def _agreement(con: duckdb.DuckDBPyConnection, rule: Rule) -> RuleAgreement:
    if rule.steps:
        rule.steps(con)
    verdicts = ("", " AND j.verdict = 'automated'", " AND j.verdict = 'human'")
    counts = [f"count(*) FILTER ({said}{ours})" for said in ("s.flagged", "NOT s.flagged") for ours in verdicts]
    [row] = con.execute(
        f"""
        SELECT {", ".join(counts)}
        FROM report_judged AS j
        JOIN (
            SELECT event_row, CASE WHEN reason IS NOT NULL THEN TRUE WHEN knows THEN FALSE END AS flagged
            FROM ({rule.sql})
        ) AS s ON j.event_row = s.event_row
        WHERE j.event_type = 'clicked'
        """
    ).fetchall()
    return RuleAgreement(rule, *row)


def _extent(con: duckdb.DuckDBPyConnection) -> Extent:
    by_type = dict(
        con.execute(
            "SELECT event_type, count(*) FROM events WHERE NOT is_context GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    )
    [(first, last)] = con.execute("SELECT min(timestamp), max(timestamp) FROM events WHERE NOT is_context").fetchall()
    columns = {
        "client address": "ip",
        "user agent": "user_agent",
        "time since delivery": "delay",
        "link address of a click": "CASE WHEN event_type <> 'clicked' THEN 'none' ELSE coalesce(url, link_id) END",
        "HTTP method": "http_method",
        "campaign": "campaign_id",
    }
    shares = ", ".join(f"count({value}) / nullif(count(*), 0)" for value in columns.values())
    [(judged, provisional, *given)] = con.execute(
        f"""
        SELECT count(*), count(*) FILTER (epoch_us(timestamp) > (SELECT max(epoch_us(timestamp)) FROM events)
            - {LOOK_AHEAD}), {shares}
        FROM report_judged
        """
    ).fetchall()
    return Extent(by_type, first, last, judged, provisional, dict(zip(columns, (x or 0.0 for x in given), strict=True)))


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    [(count,)] = con.execute(query).fetchall()
    return int(count)
