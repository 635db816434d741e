"""How many scanners in no list `clicksift discover` finds on simulated senders, and how many of its groups are wrong.

    python -m tests.benchmarks.discover

A scanner's network is a /24 or /48 that no list has, with at least 20 messages, a scanner in 95 % of them and people in
5 % at most. It is found where a group holds its prefix, or an address of it. A group is wrong where people are in more
than 5 % of its messages; a recipient domain, which has people by nature, where machines are in less than half of those
that were clicked. The worlds are not those that the model learnt on, nor those that the limits were chosen on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import duckdb

from features.duckdb_engine import connect
from features.schema import event_row
from serving.model import bundled
from training.bundled import load
from training.discover import LISTED_CATEGORIES, Group, discover
from training.simulation import simulate

FIRST_SEED = 940_001
WORLDS = 24
MESSAGES = 3_000
FEWEST_MESSAGES = 20
# Scanners that the simulator makes like people, from people's networks.
STEALTHY = ("simulated: residential", "simulated: proxied")


@dataclass(frozen=True)
class Measured:
    """Of one world: its scanners' networks and those found, stealthy ones apart; groups and wrong ones by kind."""

    seed: int
    networks: int
    found: int
    stealthy: int
    stealthy_found: int
    groups: Counter[str]
    wrong: Counter[str]


def measured(seeds: Sequence[int], messages: int) -> Iterator[Measured]:
    """A row a world."""
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="clicksift-world-") as folder:
            simulate(seed, messages).write(Path(folder))
            con = connect(threads=1)
            read = load(con, Path(folder))
        found = discover(con, bundled(), read.capabilities, threads=1).groups
        _join_truth(con)
        covered = [ip_network(cidr) for group in found for cidr in group.cidrs]
        counts: Counter[tuple[bool, bool]] = Counter()
        for addresses, source in _networks(con):
            hit = any(ip_address(address) in cidr for cidr in covered for address in addresses)
            counts[source in STEALTHY, hit] += 1
        wrong = Counter(group.kind for group in found if _is_wrong(con, group))
        yield Measured(
            seed,
            networks=counts[False, True] + counts[False, False],
            found=counts[False, True],
            stealthy=counts[True, True] + counts[True, False],
            stealthy_found=counts[True, True],
            groups=Counter(group.kind for group in found),
            wrong=wrong,
        )
        con.close()


def _join_truth(con: duckdb.DuckDBPyConnection) -> None:
    """The table `truth`: opens and clicks from where nobody lists, with their labels."""
    con.execute(
        f"""
        CREATE TEMP TABLE truth AS
        SELECT f.msg, f.kind, e.ip, a.net, e.user_agent, e.recipient_domain, l.automated, l.actor, l.source
        FROM facts AS f
        JOIN events AS e ON f.event_row = {event_row("e")}
        JOIN labels AS l ON l.event_id = e.event_id
        LEFT JOIN seen_ip AS a ON e.ip = a.ip
        WHERE f.kind < 2 AND a.kind IS NULL AND coalesce(a.category NOT IN {LISTED_CATEGORIES}, TRUE)
        """
    )


def _networks(con: duckdb.DuckDBPyConnection) -> list[tuple[list[str], str]]:
    """The addresses of each scanner's network, and the label that most of its events have."""
    return con.execute(
        f"""
        SELECT list(DISTINCT ip), mode(source)
        FROM truth
        WHERE net IS NOT NULL
        GROUP BY net
        HAVING count(DISTINCT msg) >= {FEWEST_MESSAGES}
            AND count(DISTINCT msg) FILTER (actor = 'security_scanner') >= 0.95 * count(DISTINCT msg)
            AND count(DISTINCT msg) FILTER (NOT automated) <= 0.05 * count(DISTINCT msg)
        """
    ).fetchall()


def _is_wrong(con: duckdb.DuckDBPyConnection, group: Group) -> bool:
    if group.cidrs:
        known = [ip for (ip,) in con.execute("SELECT DISTINCT ip FROM truth WHERE ip IS NOT NULL").fetchall()]
        prefixes = [ip_network(cidr) for cidr in group.cidrs]
        members = [ip for ip in known if any(ip_address(ip) in prefix for prefix in prefixes)]
        where, values = "ip IN (SELECT unnest($1))", members
    else:
        where = f"{'user_agent' if group.kind == 'agent' else 'recipient_domain'} IN (SELECT unnest($1))"
        values = [group.name]
    [(messages, people, clicked, machines)] = con.execute(
        f"""
        SELECT
            count(DISTINCT msg),
            count(DISTINCT msg) FILTER (NOT automated),
            count(DISTINCT msg) FILTER (kind = 1),
            count(DISTINCT msg) FILTER (kind = 1 AND automated)
        FROM truth WHERE {where}
        """,
        [values],
    ).fetchall()
    if group.kind == "domain":
        return bool(machines < 0.5 * clicked)
    return bool(people > 0.05 * messages)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a world that has anything, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    chosen = parser.parse_args(arguments)
    rows = []
    print(f"{'world':>7} {'networks':>9} {'found':>6} {'stealthy':>9} {'found':>6} {'groups':>7} {'wrong':>6}")
    for row in measured(range(FIRST_SEED, FIRST_SEED + chosen.worlds), chosen.messages):
        rows.append(row)
        print(
            f"{row.seed:>7} {row.networks:>9} {row.found:>6} {row.stealthy:>9} {row.stealthy_found:>6}"
            f" {row.groups.total():>7} {row.wrong.total():>6}",
            flush=True,
        )
    for title, counts in (("groups", [row.groups for row in rows]), ("wrong", [row.wrong for row in rows])):
        total = sum(counts, Counter())
        print(f"{title}: {', '.join(f'{count} {kind}' for kind, count in sorted(total.items())) or 'none'}")
    found, networks = sum(row.found for row in rows), sum(row.networks for row in rows)
    stealthy_found, stealthy = sum(row.stealthy_found for row in rows), sum(row.stealthy for row in rows)
    print(f"found {found} of {networks} networks of scanners, and {stealthy_found} of {stealthy} stealthy ones")


if __name__ == "__main__":
    main()
