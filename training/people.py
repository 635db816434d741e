"""What people do with a mail they read: opens, clicks, unsubscribes, and the sender's own tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from training.agents import GMAIL_PROXY, ONE_CLICK, YAHOO_PROXY
from training.audience import GMAIL, ICLOUD, M365, OUTLOOK, WORKSPACE, YAHOO
from training.equipment import (
    APPLE_PRIVACY,
    DESKTOP,
    DIRECT,
    GMAIL_IMAGES,
    PHONE,
    SAME_AS_BROWSER,
    YAHOO_IMAGES,
    Equipment,
    connect,
)
from training.reading import Sessions
from training.scene import Scene
from training.visits import (
    CLICK,
    GET,
    HUMAN,
    NOTHING,
    OPEN,
    POST,
    SECOND,
    UNSUBSCRIBE,
    Int,
    Visits,
    running_total,
    runs,
    together,
    visits,
)

# Network and agents of the proxies that load images for a person who reads; Outlook's shows the person's browser.
_IMAGE_PROXIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Gmail": ("listed:image_proxy/google", GMAIL_PROXY),
    "Yahoo": ("listed:image_proxy/yahoo", YAHOO_PROXY),
    "Outlook": ("as:8075", ()),
}


def opens(scene: Scene, equipment: Equipment, rng: Generator, sessions: Sessions) -> Visits:
    """Open as the tracker sees it: from the reader's machine or from an image proxy."""
    recipient = scene.mailing.recipient[sessions.message]
    seen = (equipment.reader[recipient] != APPLE_PRIVACY) & ~equipment.images_blocked[recipient]
    seen |= sessions.stranger & (rng.random(len(seen)) < 0.6)
    s = sessions.take(seen)
    n, recipient = len(s.message), recipient[seen]
    program = np.where(s.device == PHONE, equipment.phone_reader[recipient], equipment.desktop_reader[recipient])
    agent = np.where((program == SAME_AS_BROWSER) | s.stranger, s.agent, program)
    address, kind = s.address, s.kind
    reader = np.where(s.stranger, rng.choice((DIRECT, GMAIL_IMAGES), n, p=(0.6, 0.4)), equipment.reader[recipient])
    outlook = (reader == DIRECT) & (program == SAME_AS_BROWSER)
    outlook &= scene.audience.host[scene.domain(s.message)] == OUTLOOK
    outlook &= rng.random(n) < scene.world.outlook_proxy
    where = {"Gmail": reader == GMAIL_IMAGES, "Yahoo": reader == YAHOO_IMAGES, "Outlook": outlook}
    for name, (network, texts) in _IMAGE_PROXIES.items():
        pool = scene.addresses.draw(network, 300, blocks=40)
        address = np.where(where[name], rng.choice(pool, n), address)
        kind = np.where(where[name], scene.kinds.code(f"person through {name}'s image proxy"), kind)
        if texts:
            codes = scene.agents.codes(texts)
            proxied = codes[np.minimum(rng.geometric(0.9, n), len(codes)) - 1]
            agent = np.where(where[name], proxied, agent)
    wait = np.where(rng.random(n) < scene.world.late_images, rng.lognormal(np.log(40), 1.2, n), 0.0)
    time = s.time + (wait * SECOND).astype(np.int64)
    first = visits(s.message, time, event=OPEN, actor=HUMAN, source=0, address=address, agent=agent).replace(
        source=kind
    )
    return together([first, _reopened(rng, first, scene.world.reopens)])


def _reopened(rng: Generator, first: Visits, share: float) -> Visits:
    again = first.take(rng.random(len(first)) < share)
    gap = rng.lognormal(np.log(600), 2.2, len(again))
    return again.replace(time=again.time + (np.clip(gap, 1, 10 * 86_400) * SECOND).astype(np.int64))


def clicks(scene: Scene, equipment: Equipment, rng: Generator, sessions: Sessions) -> Visits:
    """Click one link, or more one after the other, with double clicks and later visits."""
    world = scene.world
    recipient = scene.mailing.recipient[sessions.message]
    s = sessions.take(rng.random(len(recipient)) < np.where(sessions.stranger, 0.8, 1.0) * world.click_share)
    recipient = scene.mailing.recipient[s.message]
    n = len(s.message)
    tabs = rng.random(n) < world.tab_openers
    counts = np.where(tabs, rng.integers(3, 14, n), np.minimum(7, rng.geometric(1 - world.more_links, n)))
    owner, position = runs(counts)
    slot = _popular(scene, rng, s.message[owner])
    slot = np.where(tabs[owner], _in_mail_order(scene, slot, owner), slot)
    reading = rng.lognormal(np.log(world.open_to_click_s), 0.9, n)
    reading = np.where(equipment.fast[recipient], rng.lognormal(np.log(1.6), 0.5, n), np.clip(reading, 1.2, 1800))
    quick = rng.lognormal(np.log(world.tab_gap_s), 0.6, len(owner))
    usual = np.maximum(0.8, rng.lognormal(np.log(world.next_link_s), 0.9, len(owner)))
    gap = np.where(position == 0, reading[owner], np.where(tabs[owner], quick, usual))
    time = s.time[owner] + (running_total(gap, owner) * SECOND).astype(np.int64)
    kind = np.where(
        tabs,
        scene.kinds.code("tab opener"),
        np.where(equipment.fast[recipient], scene.kinds.code("fast clicker"), s.kind),
    )
    moved = (s.device[owner] == PHONE) & (rng.random(len(owner)) < world.address_churn)
    pool = equipment.carrier_pool[equipment.carrier[recipient[owner]], rng.integers(0, world.carrier_pool, len(owner))]
    made = visits(s.message[owner], time, event=CLICK, actor=HUMAN, source=0, slot=slot).replace(
        address=np.where(moved, pool, s.address[owner]), agent=s.agent[owner], source=kind[owner]
    )
    made = made.take(_first_of_each_link(owner, slot))
    return together([made, _double(scene, rng, made), _revisits(scene, equipment, rng, made)])


def _popular(scene: Scene, rng: Generator, message: Int) -> Int:
    """Draw a link by popularity for each entry; the hidden one only where text mode shows it."""
    mailing = scene.mailing
    campaign = mailing.campaign[message]
    total = np.r_[0.0, np.cumsum(mailing.weight)]
    low, high = total[mailing.first_slot[campaign]], total[(mailing.first_slot + mailing.slots)[campaign]]
    slot = np.searchsorted(total, low + (high - low) * rng.random(len(message)), side="right") - 1
    last = (mailing.first_slot + mailing.slots - 1)[campaign]
    slot = np.clip(slot, mailing.first_slot[campaign], last)
    hidden = (rng.random(len(message)) < scene.world.honeypot_people) & (mailing.honeypot[campaign] >= 0)
    return np.where(hidden, mailing.honeypot[campaign], slot)


def _in_mail_order(scene: Scene, slot: Int, owner: Int) -> Int:
    order = np.lexsort((slot, owner))
    return slot[order]


def _first_of_each_link(owner: Int, slot: Int) -> Int:
    key = owner * (int(slot.max(initial=0)) + 1) + slot
    return np.sort(np.unique(key, return_index=True)[1])


def _double(scene: Scene, rng: Generator, made: Visits) -> Visits:
    twice = made.take(rng.random(len(made)) < scene.world.double_clicks)
    gap = np.clip(rng.lognormal(np.log(0.6), 0.6, len(twice)), 0.15, 4)
    return twice.replace(time=twice.time + (gap * SECOND).astype(np.int64), source=scene.kinds.code("double click"))


def _revisits(scene: Scene, equipment: Equipment, rng: Generator, made: Visits) -> Visits:
    later = made.take(rng.random(len(made)) < scene.world.revisits)
    n = len(later)
    moved = rng.random(n) < 0.4
    line = connect(scene, equipment, rng, later.message, rng.integers(0, 2, n))
    gap = rng.lognormal(np.log(8 * 3600), 2.0, n)
    return later.replace(
        time=later.time + (np.clip(gap, 20, 10 * 86_400) * SECOND).astype(np.int64),
        address=np.where(moved, line.address, later.address),
        agent=np.where(moved, line.agent, later.agent),
        source=scene.kinds.code("later visit"),
    )


_WITH_BUTTON = (GMAIL, YAHOO, OUTLOOK, ICLOUD, M365, WORKSPACE)


def unsubscribes(scene: Scene, rng: Generator, sessions: Sessions) -> Visits:
    """Unsubscribe by the link (a click and the unsubscribe itself) or by the mailbox's own button."""
    own = ~sessions.stranger
    s = sessions.take(own & (rng.random(len(own)) < scene.world.unsubscribes))
    host = scene.audience.host[scene.domain(s.message)]
    button = np.isin(host, _WITH_BUTTON) & (rng.random(len(host)) < scene.world.one_click_share)
    return together([_by_link(scene, rng, s.take(~button)), _by_button(scene, rng, s.take(button), host[button])])


def _by_link(scene: Scene, rng: Generator, s: Sessions) -> Visits:
    n = len(s.message)
    slot = scene.mailing.unsubscribe[scene.mailing.campaign[s.message]]
    time = s.time + (np.clip(rng.lognormal(np.log(12), 0.8, n), 1.5, 600) * SECOND).astype(np.int64)
    click = visits(s.message, time, event=CLICK, actor=HUMAN, source=0, slot=slot, address=s.address, agent=s.agent)
    click = click.replace(source=s.kind)
    asked = scene.world.unsubscribe_on_get == 0
    page = rng.lognormal(np.log(6), 0.7, n) if asked else rng.uniform(0.002, 0.2, n)
    left = click.replace(event=UNSUBSCRIBE, time=time + (page * SECOND).astype(np.int64), method=POST if asked else GET)
    return together([click, left.take(rng.random(n) < 0.85)])


def _by_button(scene: Scene, rng: Generator, s: Sessions, host: Int) -> Visits:
    """Unsubscribe by one click (RFC 8058): the mailbox provider's servers post it for the person."""
    n = len(s.message)
    address = np.zeros(n, np.int64)
    # Microsoft's come from its cloud or from the servers that its mail filters share.
    microsoft = str(rng.choice(("as:8075", "listed:mail_security/microsoft")))
    for providers, network in (
        ((GMAIL, WORKSPACE), "as:15169"),
        ((YAHOO,), "as:36647"),
        ((OUTLOOK, M365), microsoft),
        ((ICLOUD,), "as:714"),
    ):
        theirs = np.isin(host, providers)
        address = np.where(theirs, rng.choice(scene.addresses.draw(network, 40, blocks=6), n), address)
    # What the providers send is not published and differs; a world has a few of these, or none.
    named = rng.choice(np.append(scene.agents.codes(ONE_CLICK), NOTHING), 3)
    agent = rng.choice(named, n)
    time = s.time + (rng.lognormal(np.log(15), 1.0, n) * SECOND).astype(np.int64)
    slot = scene.mailing.unsubscribe[scene.mailing.campaign[s.message]]
    source = scene.kinds.code("one-click unsubscribe")
    return visits(
        s.message,
        time,
        event=UNSUBSCRIBE,
        actor=HUMAN,
        source=source,
        slot=slot,
        address=address,
        agent=agent,
        method=POST,
    )


def testers(scene: Scene, equipment: Equipment, rng: Generator) -> Visits:
    """Try every link soon after each mailing arrives, as the sender's own people do, from one office."""
    share = scene.world.qa_testers
    crowd = np.flatnonzero(scene.audience.business[scene.audience.recipient_domain])
    if not share or not len(crowd):
        return visits(np.zeros(0, np.int64), np.zeros(0, np.int64), event=CLICK, actor=HUMAN, source=0)
    home = scene.audience.recipient_domain[rng.choice(crowd)]
    people = np.flatnonzero(scene.audience.recipient_domain == home)[: max(1, round(share * scene.audience.recipients))]
    message = np.flatnonzero(np.isin(scene.mailing.recipient, people))
    message = message[rng.random(len(message)) < 0.8]
    line = connect(scene, equipment, rng, message, np.full(len(message), DESKTOP))
    address = scene.office(np.full(len(message), home), np.zeros(len(message), np.int64))
    start = scene.mailing.arrival[message] + (
        np.exp(rng.uniform(np.log(8), np.log(7200), len(message))) * SECOND
    ).astype(np.int64)
    owner, position = runs(scene.mailing.slots[scene.mailing.campaign[message]])
    slot = scene.mailing.first_slot[scene.mailing.campaign[message]][owner] + position
    # Testers see the mail as readers do; they leave the unsubscribe link alone half of the time.
    keep = scene.mailing.content[slot] | (
        (slot == scene.mailing.unsubscribe[scene.mailing.slot_campaign[slot]]) & (rng.random(len(message)) < 0.5)[owner]
    )
    pace = np.exp(rng.uniform(np.log(0.2), np.log(25), len(message)))
    gap = pace[owner] * rng.lognormal(0, 0.5, len(owner))
    time = start[owner] + ((2 + running_total(gap, owner)) * SECOND).astype(np.int64)
    kind = scene.kinds.code("qa tester")
    looked = visits(message, start, event=OPEN, actor=HUMAN, source=kind, address=address, agent=line.agent)
    tried = visits(
        message[owner],
        time,
        event=CLICK,
        actor=HUMAN,
        source=kind,
        slot=slot,
        address=address[owner],
        agent=line.agent[owner],
    )
    return together([looked, tried.take(keep)])
