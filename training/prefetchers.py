"""Machines that act on nobody's click: Apple's and Gmail's prefetch of images, crawlers and link checkers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from training.agents import APPLE_PREFETCH, CRAWLERS, GMAIL_PREFETCH, LIBRARIES, MAIL_CLIENTS
from training.audience import GMAIL, WORKSPACE
from training.equipment import APPLE_PRIVACY, Equipment, relay_addresses
from training.scene import Scene
from training.visits import (
    CLICK,
    OPEN,
    OTHER_AUTOMATION,
    PRIVACY_PROXY,
    SECOND,
    Visits,
    running_total,
    runs,
    visits,
)


def apple(scene: Scene, equipment: Equipment, rng: Generator) -> Visits:
    """Prefetch as Apple's mail privacy does: from the relay, seconds to a day after delivery."""
    world = scene.world
    message = np.flatnonzero(equipment.reader[scene.mailing.recipient] == APPLE_PRIVACY)
    message = message[rng.random(len(message)) < rng.uniform(0.6, 1.0)]
    n = len(message)
    # Mail is fetched when the device is on power and Wi-Fi (AWeber 2021); the median is minutes to hours.
    soon = np.exp(rng.uniform(np.log(1.5), np.log(90), n))
    later = np.clip(rng.lognormal(np.log(rng.uniform(600, 14_400)), 1.4, n), 5, 172_800)
    delay = np.where(rng.random(n) < world.mpp_minute_share, soon, later)
    bare, named = scene.agents.codes(APPLE_PREFETCH), scene.agents.codes(MAIL_CLIENTS["mac mail"])
    agent = np.where(rng.random(n) < world.mpp_bare_agent, bare[0], named[0])
    address = relay_addresses(scene, rng, n)
    own = scene.addresses.draw("as:714", 60, blocks=10)
    address = np.where(rng.random(n) < 0.03, rng.choice(own, n), address)
    return visits(
        message,
        scene.mailing.arrival[message] + (delay * SECOND).astype(np.int64),
        event=OPEN,
        actor=PRIVACY_PROXY,
        source=scene.kinds.code("apple mail privacy"),
        address=address,
        agent=agent,
    )


def gmail(scene: Scene, rng: Generator) -> Visits:
    """Prefetch as Gmail does while a session is open: seconds after delivery or when the next begins."""
    host = scene.audience.host[scene.domain(np.arange(len(scene.mailing.recipient)))]
    here = np.isin(host, (GMAIL, WORKSPACE)) & (rng.random(len(host)) < scene.world.gmail_prefetch_share)
    message = np.flatnonzero(here)
    n = len(message)
    delay = np.where(rng.random(n) < 0.7, rng.uniform(2, 45, n), rng.lognormal(np.log(3600), 1.5, n))
    pool = scene.addresses.draw("listed:image_proxy/google", 200, blocks=30)
    return visits(
        message,
        scene.mailing.arrival[message] + (delay * SECOND).astype(np.int64),
        event=OPEN,
        actor=PRIVACY_PROXY,
        source=scene.kinds.code("gmail prefetch"),
        address=rng.choice(pool, n),
        agent=int(scene.agents.codes(GMAIL_PREFETCH)[0]),
    )


def crawlers(scene: Scene, rng: Generator) -> Visits:
    """Crawl a few messages, as link checkers, archives and scripts do: many links, a library's agent."""
    message = np.flatnonzero(rng.random(len(scene.mailing.recipient)) < scene.world.crawler_share)
    n = len(message)
    # Alike in most worlds; in some they pass for a browser.
    texts = (*CRAWLERS, *LIBRARIES)
    palette = scene.agents.codes(tuple(str(t) for t in rng.choice(np.array(texts, object), 4, replace=False)))
    disguised = scene.agents.pick(rng, {"windows chrome": 1, "linux chrome": 1}, rng.integers(0, 20, 2))
    palette = np.r_[palette, disguised] if rng.random() < 0.4 else palette
    pool = np.concatenate(
        [
            scene.addresses.draw(network, 12, blocks=4)
            for network in rng.choice(
                np.array(("category:hosting", "as:16509", "as:15169", "as:24940", "category:unlisted"), object),
                3,
            )
        ]
    )
    start = scene.mailing.arrival[message] + (np.exp(rng.uniform(np.log(20), np.log(6 * 86_400), n)) * SECOND).astype(
        np.int64
    )
    owner, position = runs(scene.mailing.slots[scene.mailing.campaign[message]])
    slot = scene.mailing.first_slot[scene.mailing.campaign[message]][owner] + position
    keep = rng.random(len(owner)) < rng.choice((0.15, 0.5, 1.0), n)[owner]
    pace = np.exp(rng.uniform(np.log(0.01), np.log(20), n))
    gap = pace[owner] * rng.lognormal(0, 0.5, len(owner))
    return visits(
        message[owner],
        start[owner] + (running_total(gap, owner) * SECOND).astype(np.int64),
        event=CLICK,
        actor=OTHER_AUTOMATION,
        source=scene.kinds.code("crawler"),
        slot=slot,
        address=rng.choice(pool, n)[owner],
        agent=rng.choice(palette, n)[owner],
    ).take(keep)
