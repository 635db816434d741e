"""Labelled campaigns of an imagined sender: events as a platform exports them, and who made each of them.

Every seed is another world (`training.world`): its own audience, gateways, readers, browsers and gaps in the
export. Nothing separates the labels but behaviour: ids and tokens are random, and people and machines share
networks, agents, methods and precision.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training import followers, people, prefetchers, reading
from training.addresses import AddressBook
from training.agents import AgentBook, chrome_date, major
from training.audience import gather
from training.equipment import equip, lay_offices
from training.export import Simulation, export
from training.mailing import write_campaigns
from training.ranges import draw
from training.scanners import fleet, incoming
from training.scene import Kinds, Scene
from training.vendors import Scanner, hire
from training.visits import CLICK, HUMAN, SECOND, Visits, together
from training.world import ANYTHING, Profile, World

__all__ = ["Simulation", "simulate"]


def simulate(seed: int, messages: int = 40_000, *, profile: Profile | None = None) -> Simulation:
    """Simulate one world; equal arguments give equal tables, `profile` narrows what the world may be like.

    A world has no more campaigns than messages. Raises ValueError below one message.
    """
    if messages < 1:
        raise ValueError(f"a simulation needs at least one message, not {messages}")
    profile = profile or ANYTHING
    parameters, people_rng, machine_rng, export_rng = np.random.default_rng(seed).spawn(4)
    world = draw(World, parameters, profile.world)
    world = dataclasses.replace(world, campaigns=min(world.campaigns, messages))
    scanners, weights = hire(parameters, world.gateway_kinds, profile)
    scene = _set_up(world, parameters, messages, scanners, weights)
    crews = [fleet(s, machine_rng, scene.addresses, scene.agents) for s in scanners]
    equipment = equip(scene, people_rng)

    scans = incoming(scene, crews, machine_rng)
    sessions = reading.read(scene, equipment, people_rng, _readers(world, messages, together(scans)))
    clicked = people.clicks(scene, equipment, people_rng, sessions)
    human = [
        clicked,
        people.opens(scene, equipment, people_rng, sessions),
        people.unsubscribes(scene, people_rng, sessions),
        people.testers(scene, equipment, people_rng),
    ]
    apart = [
        followers.previews(scene, equipment, machine_rng, clicked),
        prefetchers.apple(scene, equipment, machine_rng),
        prefetchers.gmail(scene, machine_rng),
        prefetchers.crawlers(scene, machine_rng),
    ]
    watching = [
        *followers.checks(scene, crews, machine_rng, clicked),
        followers.endpoints(scene, machine_rng, sessions, clicked),
    ]
    scans += followers.forwards(scene, crews, machine_rng, sessions)
    others = together([*human, *apart])
    gateways = _balanced(scene, others, together(scans), together(watching), machine_rng)
    return export(scene, together([others, *gateways]), export_rng)


def _set_up(
    world: World,
    rng: Generator,
    messages: int,
    scanners: list[Scanner],
    weights: NDArray[np.float64],
) -> Scene:
    start = chrome_date(world.chrome) + timedelta(days=float(rng.uniform(0, 30)))
    recipients = int(np.ceil(-(-messages // world.campaigns) / world.reach))
    microsoft = np.array([s.kind == "safe links" for s in scanners])
    audience = gather(world, rng, recipients, weights, microsoft)
    mailing = write_campaigns(world, rng, start, recipients, messages)
    addresses = AddressBook(rng)
    systems = addresses.systems("consumer_isp", world.systems)
    egress = lay_offices(world, rng, audience, addresses, systems)
    agents = AgentBook(_date(int(mailing.sent.max())))
    return Scene(
        world=world,
        audience=audience,
        mailing=mailing,
        addresses=addresses,
        agents=agents,
        kinds=Kinds(),
        main_systems=systems,
        carriers=addresses.systems("mobile_or_isp", 3),
        egress_first=egress.first,
        egress_count=egress.count,
        egress_kind=egress.kind,
        egress=egress.codes,
        newer=np.array([agents.newest_chrome - major("chrome", _date(int(t))) for t in mailing.sent]),
    )


def _date(us: int) -> datetime:
    return datetime.fromtimestamp(us / SECOND, UTC)


def _readers(world: World, messages: int, scans: Visits) -> float:
    """Choose the share of messages that people read: enough to match the scans, within usual open rates."""
    clicks_a_reading = world.click_share / (1 - world.more_links)
    wanted = int((scans.event == CLICK).sum()) * (1 - world.automated_clicks) / world.automated_clicks
    return float(np.clip(wanted / (messages * clicks_a_reading), 0.06, 0.6))


def _balanced(scene: Scene, others: Visits, scans: Visits, watching: Visits, rng: Generator) -> tuple[Visits, Visits]:
    """Spare organisations and messages until machines make about the world's share of clicks.

    Scans come ten to a click of people's; where they are too many, some organisations lose their gateway and
    the gateways of the others look at fewer messages. What watches clicks goes with the organisation.
    """
    share = scene.world.automated_clicks
    clicks = others.event == CLICK
    people_made = int((clicks & (others.actor == HUMAN)).sum())
    room = people_made * share / (1 - share) - int((clicks & (others.actor != HUMAN)).sum())
    kept = min(1.0, max(room, 1.0) / max(1, int((scans.event == CLICK).sum())))
    spared_messages = rng.random(len(scene.mailing.recipient)) >= kept ** (1 - scene.world.unprotected)
    scans = scans.take(~spared_messages[scans.message])
    domain = scene.domain(scans.message)
    count = np.bincount(domain[scans.event == CLICK], minlength=len(scene.audience.domain)).astype(float)
    order = rng.permutation(len(count))
    fits = count[order] <= max(room, 1.0)  # one mailbox provider can be larger than all the room there is
    gateway = np.zeros(len(count), bool)
    gateway[order] = fits & (np.cumsum(np.where(fits, count[order], 0.0)) <= max(room, 1.0))
    return scans.take(gateway[domain]), watching.take(gateway[scene.domain(watching.message)])
