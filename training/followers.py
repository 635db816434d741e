"""Machines that follow people: checks at the time of a click, agents on the reader's machine, previews."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from training.agents import LIBRARIES
from training.equipment import Equipment, connect
from training.reading import Sessions
from training.scanners import Fleet, scan
from training.scene import Scene
from training.visits import (
    CLICK,
    GET,
    HEAD,
    HUMAN,
    LINK_PREVIEW,
    SECOND,
    SECURITY_SCANNER,
    Visits,
    runs,
    together,
    visits,
)

# Who looks at a link that somebody shares: agent, network ("" is the sharer's own device), weight.
_PREVIEWS: tuple[tuple[str, str, str, float], ...] = (
    ("slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "as:14618", 3),
    ("teams", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "as:8075", 3),
    ("teams", "SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", "as:8075", 1),
    ("whatsapp", "WhatsApp/2.23.20.0 A", "", 2),
    ("whatsapp", "WhatsApp/2.2336.7 W", "", 1),
    (
        "facebook",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "listed:link_preview/meta",
        2,
    ),
    (
        "imessage",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko)"
        " Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "",
        3,
    ),
    (
        "linkedin",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "listed:link_preview/linkedin",
        1,
    ),
    ("telegram", "TelegramBot (like TwitterBot)", "listed:link_preview/telegram", 1),
    ("discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "as:396982", 0.7),
    ("twitter", "Twitterbot/1.0", "listed:link_preview/twitter", 0.5),
    ("google messages", "GoogleMessages/20", "as:15169", 0.5),
)


def checks(scene: Scene, crews: Sequence[Fleet], rng: Generator, clicked: Visits) -> list[Visits]:
    """Fetch the very link a person clicks, moments before or after, from the gateway that rewrote it."""
    gateways = scene.audience.gateways[scene.domain(clicked.message)]
    parts = []
    for i, crew in enumerate(crews):
        scanner = crew.scanner
        if not len(crew.addresses):
            continue
        checked = clicked.take((gateways == i).any(axis=1) & (rng.random(len(clicked)) < scanner.check_share))
        n = len(checked)
        gap = np.clip(scanner.check_gap_s * rng.lognormal(0, 0.7, n), 0.05, 30)
        gap *= np.where(rng.random(n) < scanner.check_before, -1, 1)
        parts.append(
            checked.replace(
                time=checked.time + (gap * SECOND).astype(np.int64),
                address=rng.choice(crew.addresses, n),
                agent=rng.choice(crew.agents, n),
                method=HEAD if scanner.method.startswith("head") else GET,
                actor=SECURITY_SCANNER,
                source=scene.kinds.code(f"{scanner.kind} at the time of the click"),
            )
        )
    return parts


def endpoints(scene: Scene, rng: Generator, sessions: Sessions, clicked: Visits) -> Visits:
    """Fetch from staff's own machines, around the person's click or reading: security software there."""
    source = scene.kinds.code("agent on the reader's machine")
    mine = clicked.take(scene.audience.endpoint[scene.domain(clicked.message)])
    n = len(mine)
    gap = np.exp(rng.uniform(np.log(0.05), np.log(8), n)) * np.where(rng.random(n) < rng.random(), -1, 1)
    habit = str(rng.choice(("same", "other", "library"), p=(0.5, 0.3, 0.2)))
    other = scene.agents.pick(rng, {"windows chrome": 3, "windows edge": 1}, rng.integers(0, 30, 1))[0]
    if habit == "library":
        other = scene.agents.codes((str(rng.choice(LIBRARIES)),))[0]
    around = mine.replace(
        time=mine.time + (gap * SECOND).astype(np.int64),
        agent=mine.agent if habit == "same" else int(other),
        method=HEAD if rng.random() < 0.3 else GET,
        actor=SECURITY_SCANNER,
        source=source,
    )
    return together([around, _on_reading(scene, rng, sessions, None if habit == "same" else int(other), source)])


def _on_reading(scene: Scene, rng: Generator, sessions: Sessions, agent: int | None, source: int) -> Visits:
    """Fetch the links of a mail when it is shown; in half of the worlds no software does."""
    share = rng.choice((0.0, 0.3, 1.0), p=(0.5, 0.25, 0.25))
    s = sessions.take(
        scene.audience.endpoint[scene.domain(sessions.message)]
        & ~sessions.stranger
        & (rng.random(len(sessions.message)) < share)
    )
    campaign = scene.mailing.campaign[s.message]
    owner, position = runs(scene.mailing.slots[campaign])
    slot = scene.mailing.first_slot[campaign][owner] + position
    keep = np.flatnonzero(scene.mailing.content[slot] & (rng.random(len(owner)) < rng.uniform(0.4, 1.0)))
    owner, slot = owner[keep], slot[keep]
    pace = float(np.exp(rng.uniform(np.log(0.02), np.log(3))))
    gap = 0.5 + (position[keep] + rng.random(len(owner))) * pace
    return visits(
        s.message[owner],
        s.time[owner] + (gap * SECOND).astype(np.int64),
        event=CLICK,
        actor=SECURITY_SCANNER,
        source=source,
        slot=slot,
        address=s.address[owner],
        agent=s.agent[owner] if agent is None else agent,
    )


def previews(scene: Scene, equipment: Equipment, rng: Generator, clicked: Visits) -> Visits:
    """Preview links that people share, and let others follow the shared link."""
    shared = clicked.take(rng.random(len(clicked)) < scene.world.preview_share)
    n = len(shared)
    weight = np.array([w for *_, w in _PREVIEWS]) * rng.lognormal(0, 0.8, len(_PREVIEWS))
    kind = rng.choice(len(_PREVIEWS), n, p=weight / weight.sum())
    address = shared.address
    agent, source = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i, (name, text, network, _) in enumerate(_PREVIEWS):
        here = kind == i
        agent[here] = scene.agents.code(text)
        source[here] = scene.kinds.code(f"{name} preview")
        if network:
            address = np.where(here, rng.choice(scene.addresses.draw(network, 30, blocks=8), n), address)
    gap = rng.lognormal(np.log(40), 1.2, n)
    when = shared.time + (gap * SECOND).astype(np.int64)
    looked = shared.replace(time=when, address=address, agent=agent, source=source, actor=LINK_PREVIEW)
    friends = shared.take(rng.random(n) < 0.4)
    m = len(friends)
    line = connect(scene, equipment, rng, rng.integers(0, len(scene.mailing.recipient), m), rng.integers(0, 2, m))
    later = friends.time + ((60 + rng.lognormal(np.log(900), 1.5, m)) * SECOND).astype(np.int64)
    followed = friends.replace(
        time=later,
        address=line.address,
        agent=line.agent,
        actor=HUMAN,
        source=scene.kinds.code("person it was forwarded to"),
    )
    return together([looked, followed])


def forwards(scene: Scene, crews: Sequence[Fleet], rng: Generator, sessions: Sessions) -> list[Visits]:
    """Scan mails that were forwarded: a second cluster on the same message (django-anymail 200)."""
    sent_on = sessions.take(sessions.stranger & (rng.random(len(sessions.message)) < 0.3))
    which = rng.integers(0, max(1, len(crews)), len(sent_on.message))
    parts = []
    for i, crew in enumerate(crews):
        if not len(crew.addresses):
            continue
        s = sent_on.take(which == i)
        before = rng.lognormal(np.log(240), 1.2, len(s.message))
        parts.append(scan(scene, crew, rng, s.message, s.time - (before * SECOND).astype(np.int64)))
    return parts
