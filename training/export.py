"""From visits to an export: what the platform keeps, under its ids, links and precision, and the labels."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.random import Generator

from training.mailing import DAY, Mailing
from training.scene import Scene
from training.visits import (
    ACTORS,
    CLICK,
    EVENT_TYPES,
    GET,
    HUMAN,
    METHODS,
    NOTHING,
    OPEN,
    SECOND,
    UNSUBSCRIBE,
    Int,
    Visits,
    together,
    visits,
)
from training.world import World

_TIME = pa.timestamp("us", tz="UTC")
DELIVERED = -1  # before the events of visits: no request of the reader
SUBJECTS = ("newsletter", "spring-offer", "webinar", "product-news", "survey", "event-invitation", "digest", "renewal")
_GRAIN = {"s": SECOND, "ms": 1000, "us": 1}


@dataclass(frozen=True)
class Simulation:
    """An export and its truth.

    `events`: event_id, event_type (delivered, open, click, unsubscribe), timestamp, campaign_id, message_id,
    recipient_id, recipient_domain, url, link_id, ip, user_agent, http_method; NULL where the platform does not say.
    `campaigns`: campaign_id, sent_at, n_links, honeypot_url, unsubscribe_url.
    `labels`: event_id, automated, actor, source ("simulated: " and the kind) of every event but deliveries.
    """

    events: pa.Table
    campaigns: pa.Table
    labels: pa.Table
    world: World

    def write(self, folder: Path) -> None:
        """Write events.parquet, campaigns.parquet and labels.parquet into the folder, made if needed."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("events", "campaigns", "labels"):
            pq.write_table(getattr(self, name), folder / f"{name}.parquet", compression="zstd")


def export(scene: Scene, made: Visits, rng: Generator) -> Simulation:
    """Give the tables of a scene's visits; unsubscribes that machines set off are added here."""
    made = _recorded(scene, together([made, _unsubscribed_by_machines(scene, rng, made)]))
    return _tables(scene, made, rng)


def _unsubscribed_by_machines(scene: Scene, rng: Generator, made: Visits) -> Visits:
    """Find unsubscribes that a machine's fetch of the unsubscribe link sets off, where a GET is enough."""
    slot = scene.mailing.unsubscribe[scene.mailing.campaign[made.message]]
    fetched = made.take((made.event == CLICK) & (made.slot == slot) & (made.actor != HUMAN) & (made.method == GET))
    fetched = fetched.take(rng.random(len(fetched)) < scene.world.unsubscribe_on_get)
    lag = rng.uniform(0.002, 0.2, len(fetched))
    return fetched.replace(event=UNSUBSCRIBE, time=fetched.time + (lag * SECOND).astype(np.int64))


def _recorded(scene: Scene, made: Visits) -> Visits:
    """Keep what the platform keeps: the export's period, tracked links only, one unsubscribe a message."""
    order = np.argsort(made.time, kind="stable")
    made = made.take(order)
    keep = np.ones(len(made), bool) if scene.world.opens else made.event != OPEN
    end = int(scene.mailing.sent.max()) + int(scene.world.export_days * DAY)
    keep &= made.time < end
    if not scene.world.unsubscribe_tracked:
        keep &= ~(
            (made.event == CLICK) & (made.slot == scene.mailing.unsubscribe[scene.mailing.campaign[made.message]])
        )
    left = np.flatnonzero(made.event == UNSUBSCRIBE)
    first = left[np.unique(made.message[left], return_index=True)[1]]
    keep[np.setdiff1d(left, first)] = False
    return made.take(keep)


def _tables(scene: Scene, made: Visits, rng: Generator) -> Simulation:
    world, mailing = scene.world, scene.mailing
    share = world.delivered_share * world.delivered_events
    delivered = np.flatnonzero(rng.random(len(mailing.recipient)) < share)
    rows = together([_deliveries(scene, delivered), _coarse(made, _GRAIN[world.precision])])
    order = np.lexsort((rng.random(len(rows)), rows.time)) if world.ordered_rows else rng.permutation(len(rows))
    rows, engaged = rows.take(order), pa.array(order >= len(delivered))
    ids, campaign_ids = _hex(rng, len(rows), 16), _names(rng, world.campaigns)
    labels = {
        "event_id": ids,
        "automated": pa.array(rows.actor != HUMAN),
        "actor": _words(ACTORS, rows.actor),
        "source": _words([f"simulated: {kind}" for kind in scene.kinds.names], rows.source),
    }
    return Simulation(
        events=_events(scene, rng, rows, ids, campaign_ids),
        campaigns=_campaigns(world, mailing, campaign_ids),
        labels=pa.table(labels).filter(engaged),
        world=world,
    )


def _deliveries(scene: Scene, message: Int) -> Visits:
    grain = _GRAIN[scene.world.precision]
    if scene.world.delivered_precision != "same":
        grain = _GRAIN[scene.world.delivered_precision]
    sent = visits(message, scene.mailing.delivered[message], event=DELIVERED, actor=HUMAN, source=0)
    return _coarse(sent.replace(address=NOTHING, method=NOTHING), grain)


def _coarse(made: Visits, grain: int) -> Visits:
    return made.replace(time=made.time // grain * grain)


def _events(scene: Scene, rng: Generator, rows: Visits, ids: pa.Array, campaign_ids: pa.Array) -> pa.Table:
    world, n = scene.world, len(rows)
    recipient = scene.mailing.recipient[rows.message]
    address = np.where(rng.random(n) < world.missing_address, NOTHING, rows.address)
    agent = np.where(rng.random(n) < world.missing_agent, NOTHING, rows.agent)
    columns = {
        "event_id": ids,
        "event_type": _words(("delivered", *EVENT_TYPES), rows.event - DELIVERED),
        "timestamp": pa.array(rows.time).cast(_TIME),
        "campaign_id": campaign_ids.take(pa.array(scene.mailing.campaign[rows.message])),
        "message_id": _hex(rng, len(scene.mailing.recipient), 10).take(pa.array(rows.message)),
        "recipient_id": _hex(rng, scene.audience.recipients, 8).take(pa.array(recipient)),
        "recipient_domain": _words(scene.audience.domain, scene.audience.recipient_domain[recipient]),
        "url": _urls(scene, rng, rows.event, rows.slot, rows.message),
        "link_id": _positions(scene, rows),
        "ip": scene.addresses.text(address),
        "user_agent": scene.agents.text(agent),
        "http_method": _words(METHODS, rows.method if world.methods else np.full(n, NOTHING)),
    }
    return pa.table(columns)


def _words(words: Sequence[str], codes: Int) -> pa.Array:
    """Spell codes out; NULL for negative ones."""
    return pa.array(words, pa.string()).take(pa.array(codes, mask=codes < 0))


def _campaigns(world: World, mailing: Mailing, ids: pa.Array) -> pa.Table:
    hidden = mailing.honeypot >= 0
    links = mailing.slots - hidden - (not world.unsubscribe_tracked)
    links = np.where(world.campaign_links, links, NOTHING)
    way_out = np.where(world.unsubscribe_tracked, mailing.unsubscribe, NOTHING)
    sent = pa.array(mailing.sent, mask=np.full(len(links), not world.campaign_times))
    columns = {
        "campaign_id": ids,
        "sent_at": sent.cast(_TIME),
        "n_links": pa.array(links, pa.int32(), mask=links < 0),
        "honeypot_url": _words(mailing.url, mailing.honeypot),
        "unsubscribe_url": _words(mailing.url, way_out),
    }
    return pa.table(columns)


def _urls(scene: Scene, rng: Generator, event: Int, slot: Int, message: Int) -> pa.Array:
    """Give links as clicked: the same for everybody, or with a token of the message."""
    world, mailing = scene.world, scene.mailing
    shown = (event == CLICK) | ((event == UNSUBSCRIBE) & world.unsubscribe_event_url)
    plain = _words(mailing.url, np.where(shown, slot, NOTHING))
    if world.url_style == "shared":
        return plain
    tokens = _hex(rng, len(mailing.recipient), 8).take(pa.array(message))
    own = pc.binary_join_element_wise(plain, tokens, "?r=")
    if world.url_style == "query token":
        return own
    return pc.if_else(pa.array(slot == mailing.unsubscribe[mailing.campaign[message]]), own, plain)


def _positions(scene: Scene, rows: Visits) -> pa.Array:
    """Number the links of a mail from 1 in its order; NULL for what is no click, or where the platform does not."""
    mailing = scene.mailing
    position = rows.slot - mailing.first_slot[mailing.campaign[rows.message]] + 1
    known = (rows.event == CLICK) & (rows.slot >= 0) & scene.world.link_positions
    return pa.array(position.astype("U"), pa.string(), mask=~known)


def _names(rng: Generator, n: int) -> pa.Array:
    """Name campaigns as marketers do: a subject and the number of the mailing."""
    subjects = rng.permutation(SUBJECTS)
    return pa.array([f"{subjects[i % len(subjects)]}-{i // len(subjects) + 1:02d}" for i in range(n)], pa.string())


def _hex(rng: Generator, n: int, width: int) -> pa.Array:
    """Draw n random ids of `width` bytes in hexadecimal."""
    text = binascii.hexlify(rng.bytes(n * width))
    offsets = np.arange(n + 1, dtype=np.int32) * (2 * width)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text))
