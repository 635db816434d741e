"""Mail-security gateways at work: which links they fetch, when, from where and as what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.addresses import AddressBook
from training.agents import DESKTOPS, LIBRARIES, ODD, PHONES, AgentBook
from training.scene import Scene
from training.vendors import SPACING_S, Scanner
from training.visits import (
    CLICK,
    GET,
    HEAD,
    NOTHING,
    OPEN,
    SECOND,
    SECURITY_SCANNER,
    Bool,
    Int,
    Visits,
    rank_within,
    running_total,
    runs,
    together,
    visits,
)

_AGED = {"windows chrome": 8.0, "mac chrome": 1.0, "linux chrome": 1.5, "windows edge": 1.0}


@dataclass(frozen=True)
class Fleet:
    """A scanner at work in one scene: its addresses and agents as codes.

    It has no addresses where it sits in the organisations' own networks.
    """

    scanner: Scanner
    addresses: Int
    agents: Int


def fleet(scanner: Scanner, rng: Generator, addresses: AddressBook, agents: AgentBook) -> Fleet:
    """Equip a scanner: as many addresses as it has, on its networks, and the agents it shows."""
    counts = np.maximum(1, np.round(np.array(scanner.shares) * scanner.pool)).astype(int)
    pools = [
        addresses.draw(network, int(n), ipv6=scanner.ipv6, blocks=max(1, min(int(scanner.blocks), int(n))))
        for network, n in zip(scanner.networks, counts, strict=True)
        if network != "own"
    ]
    own = np.zeros(0, np.int64)
    return Fleet(scanner, np.concatenate(pools) if pools else own, _palette(scanner, rng, agents))


def _palette(scanner: Scanner, rng: Generator, agents: AgentBook) -> Int:
    """Draw the agents that a scanner shows."""
    if scanner.agents in ("library", "odd"):
        return agents.codes((str(rng.choice(LIBRARIES if scanner.agents == "library" else ODD)),))
    several = int(rng.integers(2, 7))
    fresh = rng.geometric(0.7, 1) - 1
    browsers = {
        "current": (DESKTOPS, np.minimum(fresh, 2)),
        "lagging": (_AGED, np.array([scanner.lag])),
        "several": (DESKTOPS, rng.integers(0, scanner.lag + 1, several)),
        "any": ({**DESKTOPS, **PHONES}, np.minimum(rng.geometric(0.25, 60) - 1, scanner.lag)),
        "phones": (PHONES, np.minimum(rng.geometric(0.5, 20) - 1, 5)),
    }
    if scanner.agents not in browsers:
        return np.array([NOTHING])
    weights, lag = browsers[scanner.agents]
    return agents.pick(rng, weights, lag)


def scan(scene: Scene, crew: Fleet, rng: Generator, message: Int, start: Int, *, again: bool = False) -> Visits:
    """Visit these messages with one scanner, its burst of links beginning at `start` (microseconds).

    `again` is a later look (an investigation): it takes fewer links and opens nothing.
    """
    scanner, passes = crew.scanner, range(crew.scanner.passes)
    later = [scanner.pass_gap_s * SECOND * rng.lognormal(0, 0.8, len(start)) * i for i in passes]
    start = np.concatenate([start + gap.astype(np.int64) for gap in later])
    message = np.tile(message, scanner.passes)
    owner, slot = _links(scene, scanner, rng, message, again)
    order = np.lexsort((_ranks(scanner, rng, slot), owner))
    owner, slot = owner[order], slot[order]
    address, agent = _masks(scene, crew, rng, message[owner], owner)
    fetched = visits(
        message[owner],
        start[owner] + _spacing(scanner, rng, owner, len(message)),
        event=CLICK,
        actor=SECURITY_SCANNER,
        source=scene.kinds.code(scanner.kind),
        slot=slot,
        address=address,
        agent=agent,
    )
    parts = [_methods(scanner, rng, fetched), _repeated(scanner, rng, fetched)]
    if not again and scanner.opens != "never":
        parts.append(_pixel(scene, crew, rng, message, start))
    return together(parts)


def _links(scene: Scene, scanner: Scanner, rng: Generator, message: Int, again: bool) -> tuple[Int, Int]:
    """Choose the links of each scan, as (position in `message`, slot)."""
    mailing = scene.mailing
    campaign = mailing.campaign[message]
    if scanner.opens == "alone" and not again:  # loads the pixel of every mail and clicks in few
        message_clicks = rng.random(len(message)) < 0.15
    else:
        message_clicks = np.ones(len(message), bool)
    owner, position = runs(np.where(message_clicks, mailing.slots[campaign], 0))
    slot = mailing.first_slot[campaign[owner]] + position
    content = mailing.content[slot]
    unsubscribe = slot == mailing.unsubscribe[campaign[owner]]
    hidden = ~content & ~unsubscribe
    keep = content | (unsubscribe & (not scanner.skips_unsubscribe)) | (hidden & (not scanner.skips_honeypot))
    owner, slot = owner[keep], slot[keep]
    if scanner.links == "first":
        keep = rank_within(owner, slot) < scanner.first_links
    elif scanner.links == "one":
        keep = rank_within(owner, rng.random(len(owner))) < 1
    elif scanner.links == "some":
        keep = rng.random(len(owner)) < scanner.some_share
    else:
        keep = np.ones(len(owner), bool)
    if again:
        keep &= rng.random(len(owner)) < 0.6
    owner, slot = owner[keep], slot[keep]
    stops = np.where(rng.random(len(message)) < scanner.partial_share, rng.random(len(message)), 1.0)
    keep = rng.random(len(owner)) < stops[owner]
    return owner[keep], slot[keep]


def _ranks(scanner: Scanner, rng: Generator, slot: Int) -> NDArray[np.float64]:
    if scanner.order == "shuffled":
        return rng.random(len(slot))
    return slot.astype(float) * (-1 if scanner.order == "reversed" else 1)


def _spacing(scanner: Scanner, rng: Generator, owner: Int, scans: int) -> Int:
    """Microseconds from the beginning of each scan to each of its links."""
    low, high = SPACING_S[scanner.spacing]
    pace = np.exp(rng.uniform(np.log(low), np.log(high), scans))[owner]
    if scanner.spacing == "parallel":  # workers answer in any order
        return (rng.random(len(owner)) * pace * 6 * SECOND).astype(np.int64)
    return (running_total(pace * rng.lognormal(0, 0.5, len(owner)), owner) * SECOND).astype(np.int64)


def _masks(scene: Scene, crew: Fleet, rng: Generator, message: Int, scan_number: Int) -> tuple[Int, Int]:
    """Draw address and agent of each request, per scan or per link as the scanner does.

    Requests of one scan share its number.
    """
    scanner, n = crew.scanner, len(message)
    scans = int(scan_number.max(initial=-1)) + 1
    domain = scene.domain(message)
    of_scan = rng.integers(0, 1 << 30, scans)[scan_number]
    if not len(crew.addresses):
        address = scene.office(domain, of_scan)
    elif scanner.address_per == "link":
        address = rng.choice(crew.addresses, n)
    else:
        by = domain * 7_919 if scanner.address_per == "organisation" else of_scan
        address = crew.addresses[by % len(crew.addresses)]
    of_scan = rng.integers(0, 1 << 30, scans)[scan_number]
    agent = crew.agents[(rng.integers(0, 1 << 30, n) if scanner.agent_per == "link" else of_scan) % len(crew.agents)]
    return address, np.where(rng.random(n) < scanner.blank_share, NOTHING, agent)


def _methods(scanner: Scanner, rng: Generator, fetched: Visits) -> Visits:
    if scanner.method == "head":
        return fetched.replace(method=HEAD)
    if scanner.method == "get":
        return fetched
    if scanner.method == "mixed":
        return fetched.replace(method=np.where(rng.random(len(fetched)) < 0.5, HEAD, GET))
    before = np.exp(rng.uniform(np.log(0.002), np.log(0.8), len(fetched)))
    return together([fetched.replace(method=HEAD, time=fetched.time - (before * SECOND).astype(np.int64)), fetched])


def _repeated(scanner: Scanner, rng: Generator, fetched: Visits) -> Visits:
    again = fetched.take(rng.random(len(fetched)) < scanner.repeats)
    gap = rng.lognormal(np.log(2.0), 1.5, len(again))
    return again.replace(time=again.time + (gap * SECOND).astype(np.int64))


def _pixel(scene: Scene, crew: Fleet, rng: Generator, message: Int, start: Int) -> Visits:
    scanner = crew.scanner
    opened = np.flatnonzero(rng.random(len(message)) < scanner.open_share)
    address, agent = _masks(scene, crew, rng, message[opened], opened)
    gap = (scanner.open_gap_s * rng.lognormal(0, 0.6, len(opened)) * SECOND).astype(np.int64)
    if not scanner.same_agent_opens:
        agent = np.broadcast_to(_palette(scanner, rng, scene.agents)[0], len(opened))
    return visits(
        message[opened],
        start[opened] + (gap if scanner.opens == "after" else -gap),
        event=OPEN,
        actor=SECURITY_SCANNER,
        source=scene.kinds.code(scanner.kind),
        address=address,
        agent=agent,
    )


def incoming(scene: Scene, crews: Sequence[Fleet], rng: Generator) -> list[Visits]:
    """Scan all mail on delivery, and some of it again in investigations, scanner by scanner."""
    domain = scene.domain(np.arange(len(scene.mailing.recipient)))
    gateways, coverage = scene.audience.gateways[domain], scene.audience.coverage[domain]
    haste = rng.lognormal(0, 0.5, len(scene.audience.domain))  # organisations set their gateways up differently
    parts = []
    for i, crew in enumerate(crews):
        scanner = crew.scanner
        covered = (gateways == i).any(axis=1) & (rng.random(len(domain)) < scanner.coverage * coverage)
        message = np.flatnonzero(covered)
        message = message[~_cached(scene, scanner, rng, message)]
        start = scene.mailing.arrival[message] + _delays(scanner, rng, haste[domain[message]])
        if scanner.batch_s:
            start = _in_rounds(scanner, rng, start, domain[message])
        parts.append(scan(scene, crew, rng, message, start))
        looked_at = rng.random(len(message)) < scanner.rescan_share
        later = scanner.rescan_h * 3600 * rng.lognormal(0, 0.7, int(looked_at.sum()))
        when = start[looked_at] + (later * SECOND).astype(np.int64)
        parts.append(scan(scene, crew, rng, message[looked_at], when, again=True))
    return parts


def _in_rounds(scanner: Scanner, rng: Generator, start: Int, domain: Int) -> Int:
    """Move starts to the next round of the organisation's gateway, a moment apart from each other."""
    length = int(scanner.batch_s * SECOND)
    offset = domain * 40_503 % 1_000 * length // 1_000
    return (start - offset) // length * length + length + offset + rng.integers(0, SECOND, len(start))


def _cached(scene: Scene, scanner: Scanner, rng: Generator, message: Int) -> Bool:
    """Tell the messages spared since the same links were looked at for a colleague.

    Where links differ per recipient there are none.
    """
    if scene.world.url_style == "query token" or not scanner.cached_share:
        return np.zeros(len(message), bool)
    group = scene.domain(message) * scene.world.campaigns + scene.mailing.campaign[message]
    rank = rank_within(group, scene.mailing.arrival[message])
    return (rank >= scanner.cached_after) & (rng.random(len(message)) < scanner.cached_share)


def _delays(scanner: Scanner, rng: Generator, haste: NDArray[np.float64]) -> Int:
    n = len(haste)
    delay = rng.lognormal(np.log(scanner.delay_s), scanner.delay_sigma, n) * haste
    u = rng.random(n)
    delay = np.where(u < scanner.early_share, -rng.exponential(scanner.early_s, n), delay)
    late = (u >= scanner.early_share) & (rng.random(n) < scanner.late_share)
    delay = np.where(late, scanner.late_h * 3600 * rng.lognormal(0, 0.7, n), delay)
    return (delay * SECOND).astype(np.int64)
