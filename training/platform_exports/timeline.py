"""A simulation as a platform meets it: one entry after another in time, the sending of each message among them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.export import Simulation
from training.platform_exports.platform import NONE
from training.visits import SECOND, Int

SENT = "sent"
_STAGE = {SENT: 0, "delivered": 1}  # what comes first where times are equal
_BATCH = 50_000


class Entry(NamedTuple):
    """One thing that happened; `position` is its row in the simulated events, NONE where a message is sent.

    Ids are hexadecimal digits; times are microseconds since 1970, UTC; `source` is what the label says of it.
    """

    position: int
    kind: str  # sent, delivered, open, click, unsubscribe
    us: int
    event_id: str
    campaign: str
    message: str
    recipient: str
    domain: str
    url: str | None
    link: str | None
    ip: str | None
    agent: str | None
    method: str | None
    source: str | None
    sent_us: int

    @property
    def address(self) -> str:
        """The recipient's address."""
        return f"{self.recipient}@{self.domain}"


def timeline(made: Simulation) -> Iterator[Entry]:
    """Give all events and one `sent` a message, ordered by time."""
    events = _entries(made)
    kinds = events["kind"].to_pylist()
    stage = np.array([_STAGE.get(kind, 2) for kind in kinds], np.int8)
    order = np.lexsort((stage, events["us"].to_numpy()))
    for start in range(0, len(order), _BATCH):
        part = events.take(pa.array(order[start : start + _BATCH]))
        yield from map(Entry._make, zip(*(column.to_pylist() for column in part.columns), strict=True))


def share(digits: str) -> float:
    """Give a number in [0, 1) that the digits of an id decide: chance that is the same in every run."""
    return int(digits[:8], 16) / 2**32


def campaign_starts(made: Simulation) -> dict[str, int]:
    """Give when each campaign began, in microseconds: as its table says, else its earliest event."""
    events = pa.table({"id": made.events["campaign_id"], "us": made.events["timestamp"].cast(pa.int64())})
    first = events.group_by("id").aggregate([("us", "min")])
    starts: dict[str, int] = dict(zip(first["id"].to_pylist(), first["us_min"].to_pylist(), strict=True))
    told = made.campaigns["sent_at"].cast(pa.int64()).to_pylist()
    given = zip(made.campaigns["campaign_id"].to_pylist(), told, strict=True)
    return starts | {campaign: us for campaign, us in given if us is not None}


def _entries(made: Simulation) -> pa.Table:
    events, labels = made.events, made.labels
    messages, of_row, sent = _sendings(made)
    first = np.unique(of_row, return_index=True)[1]
    us = events["timestamp"].cast(pa.int64())
    told = pc.index_in(events["event_id"], labels["event_id"])
    columns = {
        "position": pa.array(np.arange(len(events))),
        "kind": events["event_type"],
        "us": us,
        **{name: events[name] for name in ("event_id", "campaign_id", "message_id", "recipient_id")},
        **{name: events[name] for name in ("recipient_domain", "url", "link_id", "ip", "user_agent", "http_method")},
        "source": labels["source"].take(told),
        "sent_us": pa.array(sent[of_row]),
    }
    happened = pa.table(columns)
    sending = happened.take(pa.array(first))
    known = {
        "position": pa.array(np.full(len(first), NONE)),
        "kind": pa.array([SENT] * len(first)),
        "us": pa.array(sent),
        "event_id": pa.array([hashlib.blake2b(m.encode(), digest_size=16).hexdigest() for m in messages]),
    }
    kept = ("campaign_id", "message_id", "recipient_id", "recipient_domain", "sent_us")
    table = {
        name: known.get(name, sending[name] if name in kept else pa.nulls(len(first), happened.schema.field(name).type))
        for name in happened.column_names
    }
    return pa.concat_tables([happened, pa.table(table, happened.schema)]).combine_chunks()


def _sendings(made: Simulation) -> tuple[list[str], Int, Int]:
    """Find the messages, which of them each event is of, and when each was handed to the platform.

    A moment before its delivery; where none is known, soon after its campaign began; always before its first event.
    """
    events = made.events
    ids = pc.unique(events["message_id"])
    of_row = pc.index_in(events["message_id"], ids).to_numpy().astype(np.int64)
    us = events["timestamp"].cast(pa.int64()).to_numpy()
    messages: list[str] = ids.to_pylist()
    starts = campaign_starts(made)
    campaign = events["campaign_id"].take(pa.array(np.unique(of_row, return_index=True)[1])).to_pylist()
    start = np.array([starts[c] for c in campaign], np.int64)
    moment = np.array([int((0.3 + 3.7 * share(message)) * SECOND) for message in messages], np.int64)
    earliest = np.full(len(messages), np.iinfo(np.int64).max)
    np.minimum.at(earliest, of_row, us)
    delivered = np.full(len(messages), NONE, np.int64)
    deliveries = pc.equal(events["event_type"], "delivered").to_numpy()
    delivered[of_row[deliveries]] = us[deliveries]
    sent = np.where(delivered >= 0, np.maximum(start, delivered - moment), start + moment)
    return messages, of_row, np.where(earliest < sent, earliest - moment, sent)
