"""What an organisation is in these labels: a recipient domain, or less where no domain tells."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from features.schema import event_row
from training.dataset import CONSUMER_HOSTS


@dataclass(frozen=True)
class GroupCounts:
    """Labelled events by what stands for their organisation in folds and intervals."""

    domain: int
    consumer_recipient: int
    recipient: int
    message: int

    @property
    def sentence(self) -> str:
        """What an organisation is, and for how many events."""
        parts = [
            f"{events:,} {words}"
            for events, words in (
                (self.domain, "by recipient domain"),
                (self.consumer_recipient, "by recipient, at consumer mailbox hosts"),
                (self.recipient, "by recipient, since no domain is given"),
                (self.message, "by message, since neither recipient nor domain is given"),
            )
            if events
        ]
        return f"Events are grouped into organisations: {'; '.join(parts)}."

    @property
    def notes(self) -> tuple[str, ...]:
        """A warning where organisations cannot be told; nothing where all have domains."""
        lacking = self.recipient + self.message
        if not lacking:
            return ()
        total = lacking + self.domain + self.consumer_recipient
        each = " or ".join(
            word for word, events in (("recipient", self.recipient), ("message", self.message)) if events
        )
        return (
            f"{lacking:,} of {total:,} labelled events have no recipient domain: each {each} stands for an organisation"
            " there, so colleagues may be on both sides of a split and intervals are too narrow",
        )


def group_counts(con: duckdb.DuckDBPyConnection) -> GroupCounts:
    """How the labelled events of the last `dataset.labelled` on the connection are grouped into organisations."""
    con.register("consumer_hosts", pa.table({"host": list(CONSUMER_HOSTS)}))
    [counts] = con.sql(f"""
        SELECT
            count(*) FILTER (e.recipient_domain IS NOT NULL AND h.host IS NULL),
            count(*) FILTER (h.host IS NOT NULL AND f.rcpt IS NOT NULL),
            count(*) FILTER (e.recipient_domain IS NULL AND f.rcpt IS NOT NULL),
            count(*) FILTER (f.rcpt IS NULL AND (e.recipient_domain IS NULL OR h.host IS NOT NULL))
        FROM event_labels AS l
        JOIN facts AS f ON l.event_row = f.event_row
        JOIN events AS e ON l.event_row = {event_row("e")}
        LEFT JOIN consumer_hosts AS h ON e.recipient_domain = h.host
        """).fetchall()
    con.unregister("consumer_hosts")
    return GroupCounts(*counts)
