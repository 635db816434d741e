"""Small scored files, written out: what is not said of an event is as in `EVENT`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.review import Review, open_review

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
EVENT: Mapping[str, Any] = {
    **{"event_id_origin": "vendor", "event_type": "clicked", "is_synthetic": "false", "campaign_id": "spring"},
    **{"recipient_domain": "acme.example", "url": "https://t.example/a", "link_id": "", "ip": "84.56.1.9"},
    **{"user_agent": CHROME, "http_method": "GET", "sent_at": "", "delivered_at": "", "reasons": ""},
    **{"probability": "0.5", "verdict": "unsure", "actor": "", "vendor": "", "model_version": "f"},
}
NOT_JUDGED = {"probability": "", "verdict": ""}


def event(name: str, at: str, **more: Any) -> dict[str, Any]:
    """An event with this id at a time of 2 March 2026, of the message of its own name unless another is given."""
    return {"event_id": name, "message_id": f"m-{name}", "timestamp": f"2026-03-02 {at}+00", **EVENT, **more}


def scored_file(path: Path, events: Iterable[Mapping[str, Any]]) -> Path:
    """The events as a scored CSV file, each with a recipient of its message's name and the record that it is."""
    rows = [
        {"recipient_id": f"r-{row['message_id']}", "raw_ref": f"log.csv:{number}", **row}
        for number, row in enumerate(events, start=1)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def several(number: int) -> list[dict[str, Any]]:
    """So many clicks c0, c1, … that have nothing in common, the model the less unsure of them the later."""
    return [
        event(
            f"c{n}", f"10:00:{n:02}", ip=f"84.{56 + n}.1.9", recipient_domain=f"d{n}.example", probability=0.5 - n / 100
        )
        for n in range(number)
    ]


def sitting(
    folder: Path, events: Iterable[Mapping[str, Any]], labels: str = "reviewed.jsonl", **options: Any
) -> Review:
    """A review of the events, by anna."""
    scored = scored_file(folder / "scored.csv", events)
    return open_review(scored, folder / labels, who="anna", threads=1, **options)
