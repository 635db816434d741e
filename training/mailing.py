"""What is sent when: campaigns with their links, and one message per campaign and chosen recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.visits import SECOND, Bool, Int
from training.world import World

HOUR = 3600 * SECOND
DAY = 24 * HOUR
# Marketing mail leaves in the working day of the audience, with a tail into the evening.
_SEND_HOURS = (6, 20)
_HOSTS = ("click", "go", "links", "news", "www", "email")
_PAGES = ("offers", "blog", "shop", "product", "article", "view", "event", "about", "help", "terms")
_WAYS_OUT = ("unsubscribe", "preferences", "opt-out", "u")


@dataclass(frozen=True)
class Mailing:
    """Campaigns, their links in mail order ("slots", counted over all campaigns), and messages.

    Times are in microseconds. `weight` is a link's share of what people click: zero for the unsubscribe link.
    """

    sent: Int  # of each campaign
    first_slot: Int
    slots: Int
    unsubscribe: Int  # the slot of each campaign's unsubscribe link
    honeypot: Int  # the slot of each campaign's hidden link, -1 for none
    slot_campaign: Int
    weight: NDArray[np.float64]
    url: list[str]
    campaign: Int  # of each message
    recipient: Int
    arrival: Int
    delivered: Int  # the platform's record of it, a moment later than the arrival

    @property
    def content(self) -> Bool:
        """Which slots are ordinary links."""
        mask = np.ones(len(self.weight), bool)
        mask[self.unsubscribe] = False
        mask[self.honeypot[self.honeypot >= 0]] = False
        return mask


def write_campaigns(world: World, rng: Generator, start: datetime, recipients: int, messages: int) -> Mailing:
    """Write the campaigns of a world and all their messages, exactly as many as asked for."""
    sent = _send_times(world, rng, start)
    lengths = np.clip(np.round(world.links * rng.lognormal(0, world.links_sigma, world.campaigns)), 1, 39).astype(int)
    hidden = rng.random(world.campaigns) < world.honeypot_share
    slots = lengths + 1 + hidden
    first = np.cumsum(slots) - slots
    unsubscribe = first + slots - 1
    early = rng.random(world.campaigns) < 0.1  # some put the unsubscribe link on top
    unsubscribe[early] = first[early]
    honeypot = np.full(world.campaigns, -1)
    for c in np.flatnonzero(hidden):
        honeypot[c] = rng.choice(np.setdiff1d(np.arange(first[c], first[c] + slots[c]), unsubscribe[c]))
    weight = np.concatenate([rng.permutation(np.arange(1, s + 1.0) ** -world.popularity) for s in slots])
    weight[unsubscribe] = 0
    weight[honeypot[hidden]] = 0
    campaign, recipient = _messages(world, rng, recipients, messages)
    arrival = _arrivals(world, rng, sent, campaign)
    lag = world.delivered_lag_s * rng.lognormal(0, 0.7, messages)
    return Mailing(
        sent=sent,
        first_slot=first,
        slots=slots,
        unsubscribe=unsubscribe,
        honeypot=honeypot,
        slot_campaign=np.repeat(np.arange(world.campaigns), slots),
        weight=weight,
        url=_urls(rng, slots, unsubscribe),
        campaign=campaign,
        recipient=recipient,
        arrival=arrival,
        delivered=arrival + (lag * SECOND).astype(np.int64),
    )


def _send_times(world: World, rng: Generator, start: datetime) -> Int:
    day = np.sort(rng.integers(0, max(1, round(world.span_days)), world.campaigns))
    hour = rng.uniform(*_SEND_HOURS, world.campaigns) - world.time_zone_h
    round_hours = rng.random() < 0.5  # scheduled sends start at full or half hours
    if round_hours:
        hour = np.round(hour * 2) / 2
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp()) * SECOND + day * DAY + (hour * HOUR).astype(np.int64)


def _messages(world: World, rng: Generator, recipients: int, messages: int) -> tuple[Int, Int]:
    share = np.full(world.campaigns, messages // world.campaigns)
    share[: messages % world.campaigns] += 1
    chosen = [rng.permutation(recipients)[:n] for n in share]
    return np.repeat(np.arange(world.campaigns), share), np.concatenate(chosen)


def _arrivals(world: World, rng: Generator, sent: Int, campaign: Int) -> Int:
    n = len(campaign)
    queue = rng.random(n) * world.queue_s
    transit = rng.lognormal(np.log(2.0), 0.8, n)
    deferred = np.where(rng.random(n) < world.deferred_share, rng.lognormal(np.log(900), 1.2, n), 0.0)
    return sent[campaign] + ((queue + transit + deferred) * SECOND).astype(np.int64)


def _urls(rng: Generator, slots: Int, unsubscribe: Int) -> list[str]:
    """Write the links: opaque tracking links in half of the worlds, readable pages in the others."""
    start, end = (str(rng.choice(words)) for words in (_HOSTS, ("com", "net", "io", "de")))
    host = f"{start}.{_token(rng, 7)}.{end}"
    if rng.random() < 0.5:
        return [f"https://{host}/c/{_token(rng, 10)}" for _ in range(int(slots.sum()))]
    urls = [f"https://{host}/{rng.choice(_PAGES)}/{_token(rng, 5)}" for _ in range(int(slots.sum()))]
    for slot in unsubscribe:
        urls[slot] = f"https://{host}/{rng.choice(_WAYS_OUT)}/{_token(rng, 6)}"
    return urls


def _token(rng: Generator, n: int) -> str:
    return "".join(rng.choice(list("abcdefghijkmnpqrstuvwxyz23456789"), n))
