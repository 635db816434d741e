"""Scanners in no list: networks, addresses, user agents and recipient domains that behave like one. Needs no labels.

Every event is judged by the model without its address and agent, so that what is found is found by behaviour alone.
A group's share of machine-like messages is then drawn towards the file's own and taken at its lower limit, and the
group must reach recipients of several domains, show no people, and bear out the model by at least one sign that
needs none (`discover_signs`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

import duckdb
import pyarrow as pa

from features.arrow_columns import strings
from features.engine import Progress
from features.errors import InputError
from features.feature import Capability
from features.operator_lists import SUSPECTED
from features.schema import event_row
from features.tags import PEOPLE_CATEGORIES, address_table, agent_table
from serving.model import BotClickModel
from serving.scoring import score
from training.dataset import CONSUMER_HOSTS
from training.discover_signs import MANY_DOMAINS, SIGN_COLUMNS, Signs

MASKED: frozenset[Capability] = frozenset({"address", "agent"})
# An AS of these is listed as a machine's already, or relays people.
LISTED_CATEGORIES = ("mail_security", "security_vendor", "link_preview", "internet_scanner", "apple", "cdn_relay")
# Agents that say themselves what they are, and whose opens are somebody's prefetch.
KNOWN_AGENTS = (
    *("security_scanner", "image_proxy", "link_preview", "crawler"),
    *("ai_crawler", "fetcher", "internet_scanner"),
)
PREFETCH_AGENTS = ("apple_mpp", "gmail_prefetch")
# A check at the time of the click stands this close to the person's click of the same link: it shows neither.
BESIDE_S = 30

FEWEST_MESSAGES = 8
FEWEST_RECIPIENTS = 5
IMAGINED_MESSAGES = 2
ONE_SIDED_95 = 1.645
# Less is enough of one network in a data centre or of many domains, where more speaks beside the model.
LEAST_SHARE, LEAST_SHARE_WITH_SIGNS = 0.7, 0.55
HIGH_SHARE = 0.85
# Below these a clicked message and one that was only opened are a person's; from the third on a machine clicked.
PERSONS_CLICK, PERSONS_OPEN, MACHINES = 0.5, 0.2, 0.9
MOST_PEOPLE = 0.1
# A network that is listed with its AS, whatever little is seen of it.
LEAST_OF_MEMBER = 0.7
# Clicks beside somebody else's, in messages of this many domains and nowhere a person: checks at the time of the click.
CHECKED_SHARE, CHECKED_MESSAGES, CHECKED_DOMAINS = 0.7, 20, 5
# A domain has people too: this much of its clicked messages must have met a machine.
LEAST_OF_DOMAIN = 0.5
FEWEST_NETWORKS = 3
# Clicks like a person's that only together are none.
LEAST_IMITATED, IMITATED_MESSAGES = 0.3, 15
EXAMPLES = 3

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """One event of a group: its id, its file and record, and its recipient, whose address is hashed."""

    event_id: str
    raw_ref: str
    recipient_id: str | None


@dataclass(frozen=True)
class Group:
    """A suspect: what it is, how it behaves, how far it reaches.

    `kind` is AS, network, address, agent or domain; `cidrs` are its prefixes, none for agents and domains. `share`
    (0 to 1) is that of machine-like messages among those with a click that counts, or of checks at the time of a click
    where those are all it does; `least` is its lower limit (one-sided 95 %). `certainty` is high or fair. `signs` are
    sentences, the most telling first.
    """

    kind: str
    name: str
    cidrs: tuple[str, ...]
    messages: int
    clicked: int
    recipients: int
    domains: int
    days: int
    first_seen: datetime
    last_seen: datetime
    share: float
    least: float
    certainty: str
    signs: tuple[str, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Discovery:
    """The groups, the most messages first; `unlisted` are the messages that were looked at, `share` the file's own."""

    groups: tuple[Group, ...]
    unlisted: int
    share: float


def discover(
    con: duckdb.DuckDBPyConnection,
    model: BotClickModel,
    capabilities: Set[Capability],
    *,
    threads: int = 0,
    progress: Progress | None = None,
) -> Discovery:
    """Find the groups in the events of the connection (tables `events` and `campaigns`).

    Networks come before agents, agents before domains, and what one explains no later one is made of. Of an AS, a
    network and its addresses the widest that is pure is given. Raises InputError where the events have neither
    addresses nor agents nor recipient domains.
    """
    if not capabilities & {"address", "agent", "domains"}:
        raise InputError("no event has an address, a user agent or a recipient domain; nothing can be grouped")
    score(con, model, frozenset(capabilities) - MASKED, threads=threads, reasons=False, progress=progress)
    if progress:
        progress("groups")
    _make_sightings(con, capabilities)
    search = _Search(con)
    found = [*_networks(search), *_agents(search), *_domains(search)]
    found.sort(key=lambda group: (-group.messages, group.name))
    [(unlisted,)] = con.execute("SELECT count(DISTINCT msg) FROM sightings").fetchall()
    return Discovery(tuple(found), unlisted, search.share)


def _make_sightings(con: duckdb.DuckDBPyConnection, capabilities: Set[Capability]) -> None:
    """The table `sightings`: opens and clicks from where nobody lists, each with its probability by behaviour."""
    given = {
        "ip": "e.ip" if "address" in capabilities else "NULL::VARCHAR",
        "user_agent": "e.user_agent" if "agent" in capabilities else "NULL::VARCHAR",
    }
    for name, make in (("ip", address_table), ("user_agent", agent_table)):
        texts = con.sql(f"SELECT DISTINCT {given[name]} AS value FROM events AS e WHERE value IS NOT NULL ORDER BY 1")
        con.register("tagged", make(texts.to_arrow_table().column(0).to_pylist()))
        con.execute(f"CREATE OR REPLACE TEMP TABLE seen_{name} AS SELECT * FROM tagged")
        con.unregister("tagged")
    listed = f"a.kind <> '{SUSPECTED}' OR a.category IN {LISTED_CATEGORIES}"
    known = f"g.kind IN {KNOWN_AGENTS} OR (f.kind = 0 AND g.kind IN {PREFETCH_AGENTS})"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE sightings AS
        SELECT
            f.event_row, f.us, f.kind, f.msg, f.rcpt, f.dom, f.link, f.honeypot, f.method, v.probability,
            x.since_arrival_s,
            coalesce(f.kind = 1 AND (x.links_10s >= 3 OR (x.links_10s = 2 AND x.n_links = 2)), FALSE) AS burst,
            f.kind = 1 AND x.since_last_open_s IS NULL AS unopened,
            a.address_id, a.net, a.asn, a.rank = 2 AS data_centre, g.agent_id,
            coalesce(
                f.kind = 1 AND f.link IS NOT NULL AND min(a.net) OVER beside <> max(a.net) OVER beside, FALSE
            ) AS beside,
            coalesce({listed}, FALSE) AS listed,
            coalesce({known}, FALSE) AS known
        FROM verdicts AS v
        JOIN facts AS f ON v.event_row = f.event_row
        JOIN features AS x ON v.event_row = x.event_row
        JOIN events AS e ON v.event_row = {event_row("e")}
        LEFT JOIN seen_ip AS a ON {given["ip"]} = a.ip
        LEFT JOIN seen_user_agent AS g ON {given["user_agent"]} = g.user_agent
        WHERE f.kind < 2
        WINDOW beside AS (
            PARTITION BY f.msg, f.link ORDER BY f.us
            RANGE BETWEEN {BESIDE_S * 1_000_000} PRECEDING AND {BESIDE_S * 1_000_000} FOLLOWING
        )
        """
    )
    con.execute("DELETE FROM sightings WHERE listed OR known")


class _Search:
    """Figures of groups over `sightings`, less those that a group found before explains."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        # Clicks of one message from one place are one look at it.
        [(share,)] = con.execute(
            """
            SELECT coalesce(avg(probability), 0) FROM (
                SELECT avg(probability) AS probability FROM sightings WHERE kind = 1 AND NOT beside GROUP BY net, msg
            )
            """
        ).fetchall()
        self.share = float(share)
        self.signs = Signs.of(con)

    def groups(self, key: str) -> list[dict[str, Any]]:
        """A row a value of `key` with clicked messages enough, with figures and limit."""
        rows: list[dict[str, Any]] = (
            self.con.sql(
                f"""
                WITH by_message AS (
                    SELECT
                        {key} AS key, msg,
                        any_value(rcpt) AS rcpt, any_value(dom) AS dom, min(us) AS us,
                        bool_and(coalesce(data_centre, FALSE)) AS data_centre,
                        min(net) AS low_net, max(net) AS high_net,
                        avg(probability) FILTER (kind = 1 AND NOT beside) AS click,
                        max(probability) FILTER (kind = 1 AND NOT beside) AS likest,
                        avg(probability) FILTER (kind = 0) AS opening,
                        bool_or(kind = 1) AS clicked,
                        {SIGN_COLUMNS}
                    FROM sightings
                    WHERE {key} IS NOT NULL
                    GROUP BY ALL
                )
                SELECT
                    key,
                    bool_and(data_centre) AS data_centre,
                    count(*) AS messages,
                    count(*) FILTER (clicked) AS clicked,
                    count(click) AS counted,
                    coalesce(sum(click), 0) AS machine,
                    count(*) FILTER (likest >= {MACHINES}) AS machines,
                    count(*) FILTER (click < {PERSONS_CLICK} OR (click IS NULL AND opening < {PERSONS_OPEN})) AS people,
                    count(DISTINCT rcpt) AS recipients,
                    count(DISTINCT dom) AS domains,
                    CASE WHEN min(low_net) = max(high_net) THEN 1 ELSE 2 END AS networks,
                    count(DISTINCT us // 86400000000) AS days,
                    make_timestamptz(min(us)) AS first_seen,
                    make_timestamptz(max(us)) AS last_seen,
                    {Signs.SUMS}
                FROM by_message
                GROUP BY key
                HAVING count(click) >= {FEWEST_MESSAGES} OR count(*) FILTER (clicked) >= {CHECKED_MESSAGES}
                ORDER BY key
                """
            )
            .to_arrow_table()
            .to_pylist()
        )
        for row in rows:
            checks = self._is_checking(row)
            row["share"], row["least"] = self.limit(*(checks or (row["machine"], row["counted"])))
        return rows

    @staticmethod
    def _is_checking(row: Row) -> tuple[int, int] | None:
        """How many of how many clicked messages were checks at the time of a click, where that is the group's work."""
        checks, clicked = row["clicked"] - row["counted"], row["clicked"]
        wide = clicked >= CHECKED_MESSAGES and row["domains"] >= CHECKED_DOMAINS
        pure = row["networks"] == 1 and row["data_centre"] and not row["people"] and checks >= CHECKED_SHARE * clicked
        return (checks, clicked) if wide and pure else None

    def limit(self, machine: float, counted: int) -> tuple[float, float]:
        """The share of machine-like messages, and its lower limit."""
        return machine / max(1, counted), lower_limit(machine, counted, self.share)

    def is_suspect(self, row: Row) -> bool:
        """Whether the group behaves like a scanner, reaches like one, and shows no people.

        One domain may be an office, whose people now and then look like machines; more of them behind one address are
        told from a scanner's by their clicks.
        """
        reaches = row["recipients"] >= FEWEST_RECIPIENTS and row["domains"] > 1
        if reaches and self._imitates(row):
            return True
        if not reaches or row["people"] > MOST_PEOPLE * row["messages"]:
            return False
        signs, plain = self.signs.words(row), self.signs.plain(row)
        if row["least"] >= LEAST_SHARE:
            return bool(signs)
        narrow = row["networks"] == 1 and (row["data_centre"] or row["domains"] >= MANY_DOMAINS)
        return bool(narrow and row["least"] >= LEAST_SHARE_WITH_SIGNS and plain and len(signs) >= 2)

    def _imitates(self, row: Row) -> bool:
        """Whether each click may be a person's, but not all of them together: one agent, or one delay."""
        likely = row["networks"] == 1 and row["share"] >= LEAST_IMITATED and row["messages"] >= IMITATED_MESSAGES
        return bool(likely and (self.signs.is_uniform(row) or self.signs.is_punctual(row)))

    def explain(self, key: str, values: Iterable[int]) -> None:
        """Take the sightings of these groups out of what later groups are made of."""
        chosen = sorted(values)
        if chosen:
            self.con.execute(f"DELETE FROM sightings WHERE {key} IN ({', '.join(map(str, chosen))})")

    def found(self, kind: str, key: str, name: str, cidrs: tuple[str, ...], row: Row) -> Group | None:
        """The suspect with its signs and examples; None where no sign bears out the model."""
        signs = self.signs.words(row)
        if not signs:
            return None
        certain = row["least"] >= HIGH_SHARE and len(signs) >= 2
        return Group(
            kind,
            name,
            cidrs,
            messages=row["messages"],
            clicked=row["clicked"],
            recipients=row["recipients"],
            domains=row["domains"],
            days=row["days"],
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            share=row["share"],
            least=row["least"],
            certainty="high" if certain else "fair",
            signs=signs,
            examples=self._examples(key, row["key"]),
        )

    def _examples(self, key: str, value: int) -> tuple[Example, ...]:
        rows = self.con.execute(
            f"""
            SELECT e.event_id, e.raw_ref, e.recipient_id
            FROM (
                SELECT arg_max(event_row, (probability, -event_row)) AS event_row, max(probability) AS most
                FROM sightings
                WHERE {key} = {value} AND kind = 1
                GROUP BY msg
                ORDER BY most DESC, event_row
                LIMIT {EXAMPLES}
            ) AS s
            JOIN events AS e ON s.event_row = {event_row("e")}
            ORDER BY s.most DESC, s.event_row
            """
        ).fetchall()
        return tuple(Example(*row) for row in rows)


def lower_limit(machine: float, counted: int, share: float) -> float:
    """The lower limit (Wilson, one-sided 95 %) of a share of `machine` in `counted`, drawn towards `share`.

    >>> lower_limit(20, 20, 0.5) > lower_limit(5, 5, 0.5) > lower_limit(0, 5, 0.5)
    True
    """
    n = counted + IMAGINED_MESSAGES
    p = (machine + IMAGINED_MESSAGES * share) / n
    square = ONE_SIDED_95**2
    spread = ONE_SIDED_95 * math.sqrt(max(0.0, p * (1 - p)) / n + square / (4 * n * n))
    return max(0.0, (p + square / (2 * n) - spread) / (1 + square / n))


def _networks(search: _Search) -> list[Group]:
    networks = search.groups("net")
    explained: set[int] = set()
    addresses: dict[int, str] = dict(search.con.execute("SELECT net, min(ip) FROM seen_ip GROUP BY net").fetchall())
    groups: list[Group] = []
    for row in search.groups("asn"):
        if len(members := _pure_members(search, row)) >= 2 and search.is_suspect(row):
            name = _system_name(search.con, row["key"])
            cidrs = tuple(_cidr(addresses[net]) for net in members)
            if group := search.found("AS", "asn", name, cidrs, row):
                groups.append(group)
                search.explain("net", members)
                explained.update(members)
    for row in networks:
        if row["key"] in explained or not search.is_suspect(row):
            continue
        cidr = _cidr(addresses[row["key"]])
        if group := search.found("network", "net", cidr, (cidr,), row):
            groups.append(group)
            search.explain("net", [row["key"]])
    for row in search.groups("address_id"):
        if search.is_suspect(row):
            [(ip,)] = search.con.execute("SELECT ip FROM seen_ip WHERE address_id = ?", [row["key"]]).fetchall()
            if group := search.found("address", "address_id", ip, (str(ip_network(ip)),), row):
                groups.append(group)
                search.explain("address_id", [row["key"]])
    return groups


def _pure_members(search: _Search, system: Row) -> list[int]:
    """The machine-like networks of an AS; none where one of its networks is a person's, or people connect from it."""
    [(category,)] = search.con.execute(
        "SELECT any_value(category) FROM seen_ip WHERE asn = ?", [system["key"]]
    ).fetchall()
    if category in PEOPLE_CATEGORIES or category is None:
        return []
    rows = search.con.execute(
        """
        SELECT net, avg(click) AS share FROM (
            SELECT net, msg, avg(probability) FILTER (kind = 1 AND NOT beside) AS click
            FROM sightings WHERE asn = ? GROUP BY net, msg
        ) GROUP BY net HAVING share IS NOT NULL ORDER BY net
        """,
        [system["key"]],
    ).fetchall()
    pure = all(share >= PERSONS_CLICK for _, share in rows)
    return [net for net, share in rows if share >= LEAST_OF_MEMBER] if pure else []


def _agents(search: _Search) -> list[Group]:
    groups: list[Group] = []
    for row in search.groups("agent_id"):
        if not (search.is_suspect(row) and search.signs.plain(row)):
            continue
        [(agent,)] = search.con.execute(
            "SELECT user_agent FROM seen_user_agent WHERE agent_id = ?", [row["key"]]
        ).fetchall()
        if group := search.found("agent", "agent_id", agent, (), row):
            groups.append(group)
            search.explain("agent_id", [row["key"]])
    return groups


def _domains(search: _Search) -> list[Group]:
    """Organisations that something looks at from networks that are too many, or see too little, to be told."""
    con = search.con
    con.register("consumer_hosts", pa.table({"host": strings(CONSUMER_HOSTS)}))
    names: dict[int, str] = dict(
        con.execute(
            f"""
            SELECT DISTINCT s.dom, e.recipient_domain
            FROM sightings AS s
            JOIN events AS e ON s.event_row = {event_row("e")}
            WHERE s.dom IS NOT NULL AND e.recipient_domain NOT IN (SELECT host FROM consumer_hosts)
            """
        ).fetchall()
    )
    networks: dict[int, int] = dict(
        con.execute(
            f"""
            SELECT dom, count(DISTINCT net) FROM sightings
            WHERE kind = 1 AND probability >= {MACHINES} AND dom IS NOT NULL GROUP BY dom
            """
        ).fetchall()
    )
    con.unregister("consumer_hosts")
    groups = []
    for row in search.groups("dom"):
        row["share"], row["least"] = search.limit(row["machines"], row["counted"])
        wide = networks.get(row["key"], 0) >= FEWEST_NETWORKS and row["recipients"] >= FEWEST_RECIPIENTS
        if row["key"] in names and wide and row["least"] >= LEAST_OF_DOMAIN and search.signs.plain(row):
            group = search.found("domain", "dom", names[row["key"]], (), row)
            groups += [group] if group else []
    return groups


def _system_name(con: duckdb.DuckDBPyConnection, asn: int) -> str:
    [(name,)] = con.execute("SELECT any_value(as_name) FROM seen_ip WHERE asn = ?", [asn]).fetchall()
    return f"AS{asn} {name}" if name else f"AS{asn}"


def _cidr(ip: str) -> str:
    """The /24 or /48 of an address.

    >>> _cidr("192.0.2.77")
    '192.0.2.0/24'
    """
    address = ip_address(ip)
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
