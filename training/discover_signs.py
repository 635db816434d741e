"""Signs of a scanner that need no model, each as a sentence with its figures, beside what people of the file do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, ClassVar

import duckdb

HOUR_US = 3_600_000_000
# Of a group and a message, from sightings.
SIGN_COLUMNS = """
    bool_or(burst) AS burst,
    arg_min(unopened, us) FILTER (kind = 1) AS unopened,
    min(since_arrival_s) FILTER (kind = 1) AS delay_s,
    max(CASE WHEN kind = 1 THEN honeypot END) AS hidden,
    max(CASE WHEN method IS NOT NULL THEN CAST(method = 1 AS INTEGER) END) AS head,
    min(us) FILTER (kind = 1) // 3600000000 % 24 AS hour,
    min(agent_id) AS low_agent,
    max(agent_id) AS high_agent,
    count(DISTINCT agent_id) AS message_agents
"""
# A delay this narrow: the later quarter begins at most this many times after the end of the earlier one.
NARROW = 3.0
SOON_S = 120.0
QUIET_HOURS = 8
FEWEST_PEOPLE = 50  # clicked messages; the hours and habits of fewer say little
FEW_AGENTS, SEVERAL_DOMAINS = 3, 5
MANY_DOMAINS, MANY_CLICKED = 8, 20
# Below this a network's one agent is no chance.
LEAST_CHANCE = 1e-6
# People who wait for a mail click within a minute of it, which is narrow too.
PUNCTUAL_FROM_S, PUNCTUAL = 20.0, 4.0


@dataclass(frozen=True)
class Signs:
    """What the people of the file do: shares of their clicked messages (None where too few), and their quiet hours."""

    burst: float | None
    unopened: float | None
    quiet_hours: frozenset[int]
    quiet: float | None
    delay_ratio: float | None
    agent_networks: Mapping[int, float]

    # Of a group, from its messages.
    SUMS: ClassVar[str] = """
        count(*) FILTER (burst) AS bursts,
        count(unopened) AS openable,
        count(*) FILTER (unopened) AS unopened,
        quantile_cont(delay_s, 0.25) AS early_s,
        quantile_cont(delay_s, 0.75) AS late_s,
        count(hidden) AS hideable,
        count(*) FILTER (hidden = 1) AS hidden,
        count(head) AS with_method,
        count(*) FILTER (head = 1) AS head,
        any_value(low_agent) AS agent,
        greatest(count(DISTINCT low_agent), count(DISTINCT high_agent), max(message_agents)) AS agents,
        list(hour) FILTER (hour IS NOT NULL) AS hours
    """

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, persons: float = 0.5) -> Signs:
        """Read them off the messages of `sightings` that were clicked with a probability below `persons`."""
        rows = con.execute(
            f"""
            SELECT burst, unopened, hour, delay_s FROM (
                SELECT avg(probability) FILTER (kind = 1) AS click, {SIGN_COLUMNS} FROM sightings GROUP BY net, msg
            ) WHERE click < {persons}
            """
        ).fetchall()
        agents: dict[int, float] = dict(
            con.execute(
                """
                SELECT agent_id, count(DISTINCT net) / (SELECT count(DISTINCT net) FROM sightings) FROM sightings
                WHERE agent_id IS NOT NULL AND net IS NOT NULL GROUP BY agent_id
                """
            ).fetchall()
        )
        if len(rows) < FEWEST_PEOPLE:
            return cls(None, None, frozenset(), None, None, agents)
        counts = [0] * 24
        for _, _, hour, _ in rows:
            counts[hour] += 1
        quiet = sorted(range(24), key=lambda hour: (counts[hour], hour))[:QUIET_HOURS]
        return cls(
            burst=sum(row[0] for row in rows) / len(rows),
            unopened=sum(row[1] for row in rows) / len(rows),
            quiet_hours=frozenset(quiet),
            quiet=sum(counts[hour] for hour in quiet) / len(rows),
            delay_ratio=_ratio([row[3] for row in rows if row[3] is not None]),
            agent_networks=agents,
        )

    def is_uniform(self, row: Mapping[str, Any]) -> bool:
        """Whether one agent meets people of so many domains as people's own choice of agents never would."""
        if row["agents"] != 1 or row["domains"] < MANY_DOMAINS:
            return False
        chance = self.agent_networks.get(row["agent"], 1.0) ** (row["domains"] - 1)
        return bool(chance < LEAST_CHANCE)

    def is_punctual(self, row: Mapping[str, Any]) -> bool:
        """Whether first clicks of many messages and domains come after a delay that people's do not keep."""
        if self.delay_ratio is None or row["domains"] < MANY_DOMAINS or row["clicked"] < MANY_CLICKED:
            return False
        early_s, late_s = row["early_s"], row["late_s"]
        if early_s is None or early_s < PUNCTUAL_FROM_S:
            return False
        return bool(late_s <= PUNCTUAL * early_s and late_s * 3 <= self.delay_ratio * early_s)

    def words(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The signs that a group shows, the most telling first; nothing where it shows none."""
        return (*self.plain(row), *self._habits(row))

    def plain(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of the signs that people hardly ever show."""
        clicked = max(1, row["clicked"])
        said = []
        if row["hidden"] >= 2 and row["hidden"] >= 0.1 * row["hideable"]:
            said.append(f"hidden link hit in {row['hidden']:,} of {row['hideable']:,} messages that have one")
        if row["bursts"] >= max(0.25, 2 * (self.burst or 0)) * clicked:
            said.append(f"three links within 10 s in {_percent(row['bursts'] / clicked)}{_people(self.burst)}")
        if (delay := _soon(row["early_s"], row["late_s"], PUNCTUAL if self.is_punctual(row) else NARROW)) is not None:
            said.append(f"first clicks {delay} arrival")
        checks = row["clicked"] - row["counted"]
        if checks >= max(8, 0.5 * clicked) and row["data_centre"]:
            said.append(f"same link clicked from elsewhere within 30 s in {checks:,} of {clicked:,} messages")
        if row["head"] >= 0.2 * max(1, row["with_method"]):
            said.append(f"HEAD requests in {_percent(row['head'] / row['with_method'])}")
        return tuple(said)

    def _habits(self, row: Mapping[str, Any]) -> list[str]:
        """Signs that some people show too."""
        said = []
        opened = max(1, row["openable"])
        if row["unopened"] >= max(0.5, (self.unopened or 0) + 0.2) * opened:
            said.append(f"no open before the click in {_percent(row['unopened'] / opened)}{_people(self.unopened)}")
        if 0 < row["agents"] <= FEW_AGENTS and row["domains"] >= SEVERAL_DOMAINS:
            agents = "one user agent" if row["agents"] == 1 else f"{row['agents']} user agents"
            said.append(f"{agents} over {row['domains']:,} recipient domains")
        hours = row["hours"] or []
        at_quiet = sum(hour in self.quiet_hours for hour in hours)
        if self.quiet is not None and at_quiet >= max(0.4, 2 * self.quiet) * max(1, len(hours)):
            said.append(
                f"{_percent(at_quiet / len(hours))} in the {QUIET_HOURS} hours of the day in which people make"
                f" {_percent(self.quiet)}"
            )
        return said


def _people(share: float | None) -> str:
    return "" if share is None else f" (people: {_percent(share)})"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == 0 or share >= 0.005 else "under 1%"


def _soon(early_s: float | None, late_s: float | None, narrow: float) -> str | None:
    """When the middle half of the first clicks came, where that is soon or always the same, else None."""
    if early_s is None or late_s is None:
        return None
    if late_s <= 0:
        return "mostly before"
    if late_s <= SOON_S:
        return f"mostly within {_span(max(1.0, late_s))} of"
    if late_s <= narrow * max(early_s, 10.0):
        return f"mostly {_span(early_s)} to {_span(late_s)} after"
    return None


def _ratio(delays_s: list[float]) -> float | None:
    """How many times the early quarter of the delays the late quarter begins; None where no arrival is known."""
    if len(delays_s) < FEWEST_PEOPLE:
        return None
    early, _, late = quantiles(delays_s, n=4)
    return late / max(early, 1.0)


def _span(seconds: float) -> str:
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_170 else f"{seconds / 3_600:.0f} h"
