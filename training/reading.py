"""When, where and on what people read a mail: the sessions that opens and clicks follow from."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator

from training.equipment import DESKTOP, PHONE, Equipment, connect
from training.mailing import HOUR
from training.scene import Scene
from training.visits import SECOND, Bool, Int, runs

_MORNING_H, _NIGHT_H = 6.5, 23.0


@dataclass(frozen=True)
class Sessions:
    """One entry a time that somebody reads a message: when, on which device, from where.

    `kind` is what the source of its labels says.
    """

    message: Int
    time: Int
    device: Int
    address: Int
    agent: Int
    kind: Int
    stranger: Bool  # a person it was forwarded to, not the recipient

    def take(self, which: Int | Bool) -> Sessions:
        """Give the sessions at these positions, or where the mask holds."""
        return Sessions(*(getattr(self, f.name)[which] for f in fields(self)))


def read(scene: Scene, equipment: Equipment, rng: Generator, share: float) -> Sessions:
    """Let people read a share of all messages, some again on another device, some sent on to others."""
    interest = rng.gamma(1.2, 1 / 1.2, scene.audience.recipients)
    chance = np.minimum(0.95, share * interest / np.minimum(0.95 / share, interest).mean())
    message = np.flatnonzero(rng.random(len(scene.mailing.recipient)) < chance[scene.mailing.recipient])
    recipient = scene.mailing.recipient[message]
    time = _awake(scene, rng, scene.mailing.arrival[message] + _delays(scene, rng, len(message)), recipient)
    device = np.where(rng.random(len(message)) < equipment.phone_love[recipient], PHONE, DESKTOP)
    line = connect(scene, equipment, rng, message, device)
    first = Sessions(message, time, device, line.address, line.agent, line.kind, np.zeros(len(message), bool))
    return _join(first, _again(scene, equipment, rng, first), _forwarded(scene, equipment, rng, first))


def _delays(scene: Scene, rng: Generator, n: int) -> Int:
    world = scene.world
    usual = rng.lognormal(np.log(world.read_median_h * 3600), world.read_sigma, n)
    instant = np.exp(rng.uniform(np.log(2), np.log(60), n))
    delay = np.where(rng.random(n) < world.instant_share, instant, np.clip(usual, 2, 21 * 86_400))
    return (delay * SECOND).astype(np.int64)


def _awake(scene: Scene, rng: Generator, time: Int, recipient: Int) -> Int:
    """Make readings that would fall into the reader's night wait for the morning, all but some."""
    world = scene.world
    zone = world.time_zone_h + world.time_zone_spread_h * (recipient * 2_654_435_761 % 1_000 / 500 - 1)
    clock = (time / HOUR + zone) % 24
    asleep = ((clock < _MORNING_H) | (clock > _NIGHT_H)) & (rng.random(len(time)) < world.night_share)
    until_morning = (_MORNING_H - clock) % 24 + rng.exponential(0.8, len(time))
    return time + np.where(asleep, until_morning * HOUR, 0).astype(np.int64)


def _again(scene: Scene, equipment: Equipment, rng: Generator, first: Sessions) -> Sessions:
    """Read some mails once more later, mostly on the other device."""
    later = first.take(rng.random(len(first.message)) < scene.world.second_device)
    n = len(later.message)
    device = np.where(rng.random(n) < 0.7, 1 - later.device, later.device)
    line = connect(scene, equipment, rng, later.message, device)
    gap = rng.lognormal(np.log(3 * 3600), 1.6, n)
    return Sessions(
        later.message,
        later.time + (gap * SECOND).astype(np.int64),
        device,
        line.address,
        line.agent,
        line.kind,
        later.stranger,
    )


def _forwarded(scene: Scene, equipment: Equipment, rng: Generator, first: Sessions) -> Sessions:
    """Let others read what was sent on to them: another network and agent, the same message."""
    source = first.take(rng.random(len(first.message)) < scene.world.forwards)
    owner, _ = runs(rng.geometric(0.6, len(source.message)))
    n = len(owner)
    stranger = rng.integers(0, len(scene.mailing.recipient), n)
    device = rng.integers(0, 2, n)
    line = connect(scene, equipment, rng, stranger, device)
    gap = rng.lognormal(np.log(1800), 1.6, n)
    kind = np.full(n, scene.kinds.code("person it was forwarded to"))
    time = source.time[owner] + (gap * SECOND).astype(np.int64)
    return Sessions(source.message[owner], time, device, line.address, line.agent, kind, np.ones(n, bool))


def _join(*parts: Sessions) -> Sessions:
    return Sessions(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Sessions)))
