"""What people reach the web with: addresses of homes, phones and offices, and the browsers on devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.addresses import AddressBook
from training.agents import DESKTOPS, MAIL_CLIENTS, OFFICE_DESKTOPS, PHONES, WEBVIEWS
from training.audience import GMAIL, ICLOUD, OUTLOOK, OWN, WORKSPACE, YAHOO, Audience
from training.scene import OFFICE, PROXIED, VIRTUAL_DESKTOP, Scene
from training.visits import Bool, Int
from training.world import World

DESKTOP, PHONE = 0, 1
# How a person's opens reach the tracker.
DIRECT, GMAIL_IMAGES, YAHOO_IMAGES, APPLE_PRIVACY = range(4)
SAME_AS_BROWSER = -2

_PROXY_NETWORKS = (
    "listed:security_proxy/zscaler", "listed:security_proxy/netskope", "listed:security_proxy/forcepoint",
    "listed:security_proxy/menlo", "listed:security_proxy/iboss", "as:22616", "as:55256", "as:36692",
    "as:53813", "as:13150", "as:16509", "as:396982", "as:8075",
)  # fmt: skip
_DESKTOP_NETWORKS = (
    "as:8075", "as:8075", "as:16509", "as:14618", "listed:virtual_desktop", "as:396982", "category:hosting",
    "as:24940", "as:16276", "as:31898",
)  # fmt: skip
_OFFICE_CATEGORIES = ("unlisted", "unlisted", "unlisted", "education", "mobile_or_isp")
_VPN_NETWORKS = (
    "category:vpn",
    "as:9009",
    "as:212238",
    "category:hosting",
    "listed:vpn",
    "as:14061",
    "as:20473",
)


@dataclass(frozen=True)
class Equipment:
    """Of each recipient: home address, carrier, browsers and their age, mail reader."""

    home: Int
    carrier: Int
    carrier_pool: NDArray[np.int64]  # address codes, ndarray of shape (n_carriers, pool)
    desktop: Int  # positions in BROWSERS
    desktop_lag: Int
    phone: Int
    phone_lag: Int
    apple: Bool
    reader: Int  # DIRECT, GMAIL_IMAGES, YAHOO_IMAGES or APPLE_PRIVACY
    desktop_reader: Int  # agent codes of the mail program, or SAME_AS_BROWSER
    phone_reader: Int
    images_blocked: Bool
    vpn: Int  # address code, -1 without
    relay: Bool
    phone_love: NDArray[np.float64]
    fast: Bool


@dataclass(frozen=True)
class Egress:
    """The addresses of every domain's staff, domain after domain."""

    first: Int
    count: Int
    kind: Int
    codes: Int


def lay_offices(world: World, rng: Generator, audience: Audience, addresses: AddressBook, systems: list[str]) -> Egress:
    """Lay each organisation's way to the web: its own line, a security proxy, desktops in a data centre."""
    n = len(audience.domain)
    u = rng.random(n)
    kind = np.where(
        u < world.proxied_offices,
        PROXIED,
        np.where(u < world.proxied_offices + world.desktop_offices, VIRTUAL_DESKTOP, OFFICE),
    )
    count = np.where(audience.business, rng.integers(1, world.office_addresses + 1, n), 1)
    count = np.where(kind == OFFICE, count, count * rng.integers(1, 4, n))
    first = np.cumsum(count) - count
    codes = np.zeros(int(count.sum()), np.int64)
    owner = np.repeat(np.arange(n), count)
    for group, known in (
        (OFFICE, [*systems, *(f"category:{c}" for c in _OFFICE_CATEGORIES)]),
        (PROXIED, _PROXY_NETWORKS),
        (VIRTUAL_DESKTOP, _DESKTOP_NETWORKS),
    ):
        names = [str(name) for name in rng.permutation(np.array(known, object))[: max(2, len(known) * 2 // 3)]]
        of_domain = rng.integers(0, len(names), n)
        for i, name in enumerate(names):
            members = np.flatnonzero((kind[owner] == group) & (of_domain[owner] == i))
            if rng.random() < (world.shared_lines if group == OFFICE else world.shared_egress) and len(members):
                pool = addresses.draw(name, max(2, len(members) // 20), blocks=2)
                codes[members] = rng.choice(pool, len(members))
            elif len(members):
                codes[members] = addresses.draw(name, len(members), ipv6=world.ipv6 / 4, blocks=owner[members])
    return Egress(first, count, kind, codes)


def equip(scene: Scene, rng: Generator) -> Equipment:
    """Equip every recipient of a scene."""
    world, audience = scene.world, scene.audience
    n, domain = audience.recipients, audience.recipient_domain
    staff = audience.business[domain]
    desktop = np.where(
        staff,
        scene.agents.kinds(rng, _jitter(rng, OFFICE_DESKTOPS), n),
        scene.agents.kinds(rng, _jitter(rng, DESKTOPS), n),
    )
    phone = scene.agents.kinds(rng, _jitter(rng, PHONES), n)
    lag, phone_lag = versions_behind(world, rng, n), versions_behind(world, rng, n)
    if world.agent_menu:
        chosen = rng.integers(0, n, world.agent_menu)[rng.integers(0, world.agent_menu, n)]
        desktop, lag, phone, phone_lag = desktop[chosen], lag[chosen], phone[chosen], phone_lag[chosen]
    managed = staff & (rng.random(len(audience.domain)) < world.managed_browsers)[domain]
    lead = np.minimum(domain, n - 1)  # any recipient's build serves as the one that a managed organisation rolls out
    desktop, lag = np.where(managed, desktop[lead], desktop), np.where(managed, lag[lead], lag)
    apple = np.isin(phone, _positions(scene, ("iphone safari", "iphone chrome", "ipad safari")))
    reader, desktop_reader, phone_reader = _readers(scene, rng, audience.host[domain], apple)
    carriers = len(scene.carriers)
    pool = np.stack([scene.addresses.draw(c, world.carrier_pool, ipv6=world.ipv6, blocks=16) for c in scene.carriers])
    vpn = scene.addresses.draw(str(rng.choice(_VPN_NETWORKS)), max(3, n // 200), blocks=max(1, n // 2000))
    return Equipment(
        home=_homes(scene, rng, n),
        carrier=rng.choice(carriers, n, p=rng.dirichlet(np.ones(carriers))),
        carrier_pool=pool,
        desktop=desktop,
        desktop_lag=lag,
        phone=phone,
        phone_lag=phone_lag,
        apple=apple,
        reader=reader,
        desktop_reader=desktop_reader,
        phone_reader=phone_reader,
        images_blocked=(rng.random(n) < world.image_blocking) & (reader == DIRECT),
        vpn=np.where(rng.random(n) < world.vpn_people, rng.choice(vpn, n), -1),
        relay=apple & (rng.random(n) < world.relay_people),
        phone_love=rng.beta(2 * world.phones + 0.2, 2 * (1 - world.phones) + 0.2, n),
        fast=rng.random(n) < world.fast_people,
    )


def versions_behind(world: World, rng: Generator, n: int) -> Int:
    """Draw how many versions browsers are behind: most at most one or two, stragglers up to years."""
    lag = rng.geometric(world.update_speed, n) - 1
    return np.where(rng.random(n) < world.stragglers, rng.integers(2, 40, n), np.minimum(lag, 8))


def _jitter(rng: Generator, weights: Mapping[str, float]) -> dict[str, float]:
    return {name: w * float(rng.lognormal(0, 0.6)) for name, w in weights.items()}


def _positions(scene: Scene, names: tuple[str, ...]) -> list[int]:
    return [list(scene.agents.browsers).index(name) for name in names]


def _homes(scene: Scene, rng: Generator, n: int) -> Int:
    main = [*scene.main_systems, "category:consumer_isp", "category:unlisted"]
    which = rng.choice(len(main), n, p=rng.dirichlet(np.r_[np.full(len(main) - 2, 2.0), 0.6, 0.4]))
    home = np.zeros(n, np.int64)
    for i, network in enumerate(main):
        here = np.flatnonzero(which == i)
        home[here] = scene.addresses.draw(network, len(here), ipv6=scene.world.ipv6)
    return home


def _readers(scene: Scene, rng: Generator, host: Int, apple: Bool) -> tuple[Int, Int, Int]:
    """Draw how each recipient reads: by which proxy, and with which programs on desktop and phone."""
    n = len(host)
    other_program = rng.random(n) < scene.world.own_programs
    reader = np.full(n, DIRECT)
    reader[np.isin(host, (GMAIL, WORKSPACE)) & ~other_program] = GMAIL_IMAGES
    reader[(host == YAHOO) & ~other_program] = YAHOO_IMAGES
    apple_share = scene.world.mpp_share * np.where(host == ICLOUD, 2.5, np.where(reader == DIRECT, 1.3, 0.5))
    reader[rng.random(n) < apple_share * np.where(apple, 1.4, 0.4)] = APPLE_PRIVACY
    iphone = scene.agents.browsers["iphone webview"][np.minimum(rng.geometric(0.5, n) - 1, 20)]
    programs = {name: scene.agents.codes(texts) for name, texts in MAIL_CLIENTS.items()}

    def program(*names: str) -> Int:
        codes = np.concatenate([programs[name] for name in names])
        return rng.choice(codes, n, p=rng.dirichlet(np.ones(len(codes))))

    in_browser = rng.random(n) < np.where(np.isin(host, (GMAIL, YAHOO, OUTLOOK, OWN)), 0.6, 0.35)
    desktop = np.where(
        in_browser,
        SAME_AS_BROWSER,
        np.where(apple, program("mac mail", "outlook"), program("outlook", "thunderbird")),
    )
    phone = np.where(apple, iphone, program("android mail"))
    return reader, desktop, np.where(rng.random(n) < 0.25, SAME_AS_BROWSER, phone)


@dataclass(frozen=True)
class Line:
    """From where and with which browser a person reads, as codes, one entry a session."""

    address: Int
    agent: Int
    kind: Int  # what the label's source says


def connect(scene: Scene, equipment: Equipment, rng: Generator, message: Int, device: Int) -> Line:
    """Connect each session: through office, home, carrier, relay or VPN, with the device's browser."""
    recipient = scene.mailing.recipient[message]
    domain = scene.audience.recipient_domain[recipient]
    n, world = len(message), scene.world
    phone = device == PHONE
    staff = scene.audience.business[domain]
    at_work = staff & (rng.random(n) < np.where(phone, 0.35, 0.75))
    roaming = phone & ~at_work & (rng.random(n) < 0.55)
    carrier = equipment.carrier[recipient]
    address = equipment.home[recipient]
    address = np.where(roaming, equipment.carrier_pool[carrier, rng.integers(0, world.carrier_pool, n)], address)
    # Staff mostly leave by the same gateway address, sometimes by another of the office.
    pick = np.where(rng.random(n) < 0.7, recipient, rng.integers(0, 64, n))
    address = np.where(at_work, scene.office(domain, pick), address)
    hidden = (equipment.vpn[recipient] >= 0) & (rng.random(n) < 0.7)
    address = np.where(hidden, equipment.vpn[recipient], address)
    relayed = equipment.relay[recipient] & phone & ~at_work & ~hidden
    address = np.where(relayed, relay_addresses(scene, rng, n), address)
    agent = browser(scene, equipment, rng, message, device)
    names = ("phone", "desktop", "office", "security proxy", "virtual desktop", "vpn", "private relay")
    codes = np.array(
        [scene.kinds.code(f"person on {name}" if i < 2 else f"person behind {name}") for i, name in enumerate(names)]
    )
    kind = np.where(at_work, 2 + scene.egress_kind[domain], np.where(phone, 0, 1))
    kind = np.where(hidden, 5, np.where(relayed, 6, kind))
    return Line(address, agent, codes[kind])


def browser(scene: Scene, equipment: Equipment, rng: Generator, message: Int, device: Int) -> Int:
    """Give the browser that a click opens: the person's own, or on phones the mail program's view."""
    recipient = scene.mailing.recipient[message]
    ahead = scene.newer[scene.mailing.campaign[message]]
    own = np.where(
        device == PHONE,
        scene.agents.at(equipment.phone[recipient], equipment.phone_lag[recipient] + ahead),
        scene.agents.at(equipment.desktop[recipient], equipment.desktop_lag[recipient] + ahead),
    )
    iphone, android = (
        scene.agents.pick(
            rng,
            {k: w for k, w in WEBVIEWS.items() if k.startswith(kind)},
            equipment.phone_lag[recipient] + ahead,
        )
        for kind in ("iphone", "android")
    )
    inside = (device == PHONE) & (rng.random(len(message)) < scene.world.webviews)
    return np.where(inside, np.where(equipment.apple[recipient], iphone, android), own)


def relay_addresses(scene: Scene, rng: Generator, n: int) -> Int:
    """Draw egress addresses of Apple's relay: mostly listed prefixes, some of the networks behind it."""
    pools = [
        scene.addresses.draw("listed:privacy_relay", max(2, n // 3), ipv6=scene.world.ipv6),
        scene.addresses.draw(
            str(rng.choice(("as:36183", "as:13335", "as:54113"))), max(2, n // 20), ipv6=scene.world.ipv6
        ),
    ]
    return np.where(rng.random(n) < 0.92, rng.choice(pools[0], n), rng.choice(pools[1], n))
