"""Amazon SES event publishing as Firehose leaves it: records one after another with nothing between them.

Milliseconds; no id of an event; each record repeats the whole mail; an unsubscribe has neither address nor agent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.export import Simulation
from training.platform_exports.identifiers import SENDER, SENDER_DOMAIN, subject
from training.platform_exports.iso_times import iso_time
from training.platform_exports.platform import ExportFile, Platform
from training.platform_exports.timeline import Entry, timeline
from training.ranges import Choice

_WORDS = {"sent": "Send", "delivered": "Delivery", "open": "Open", "click": "Click", "unsubscribe": "Subscription"}
_ACCOUNT = "123456789012"
_SUBMITTER = "192.0.2.10"  # who handed the mail to SES
_CONFIGURATION = "marketing"


def write(made: Simulation, folder: Path) -> list[ExportFile]:
    """Write one object of the bucket; like those it has no extension."""
    file = ExportFile(folder / "ses-firehose-1")
    with file.path.open("w", encoding="utf-8", newline="\n") as stream:
        for entry in timeline(made):
            file.shows.append(entry.position)
            stream.write(json.dumps(_record(entry), separators=(",", ":")))
    return [file]


def _record(entry: Entry) -> dict[str, Any]:
    word = _WORDS[entry.kind]
    return {"eventType": word, "mail": _mail(entry), word.lower(): _DETAILS[entry.kind](entry)}


def _mail(entry: Entry) -> dict[str, Any]:
    address, title = entry.address, subject(entry.campaign)
    mail = entry.message
    message = f"0100{mail[:12]}-{mail[12:]}-4c1e-8d2a-{mail[:12]}-000000"
    headers = {"From": SENDER, "To": address, "Subject": title, "MIME-Version": "1.0"}
    return {
        "timestamp": _time(entry.sent_us),
        "source": SENDER,
        "sourceArn": f"arn:aws:ses:eu-west-1:{_ACCOUNT}:identity/{SENDER_DOMAIN}",
        "sendingAccountId": _ACCOUNT,
        "messageId": message,
        "destination": [address],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": {"from": [SENDER], "to": [address], "messageId": message, "subject": title},
        "tags": {
            "ses:configuration-set": [_CONFIGURATION],
            "ses:source-ip": [_SUBMITTER],
            "ses:from-domain": [SENDER_DOMAIN],
            "ses:caller-identity": ["mailer"],
            "campaign": [entry.campaign],
        },
    }


def _send(entry: Entry) -> dict[str, Any]:
    return {}


def _delivery(entry: Entry) -> dict[str, Any]:
    return {
        "timestamp": _time(entry.us),
        "processingTimeMillis": entry.us // 1000 - entry.sent_us // 1000,
        "recipients": [entry.address],
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "203.0.113.25",
        "reportingMTA": f"a1.{SENDER_DOMAIN}",
    }


def _open(entry: Entry) -> dict[str, Any]:
    given = (("ipAddress", entry.ip), ("userAgent", entry.agent))
    return {"timestamp": _time(entry.us), **{key: value for key, value in given if value is not None}}


def _click(entry: Entry) -> dict[str, Any]:
    return {**_open(entry), "link": entry.url, "linkTags": None}


def _subscription(entry: Entry) -> dict[str, Any]:
    topic = "newsletters"
    return {
        "contactList": "customers",
        "timestamp": _time(entry.us),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {
            "unsubscribeAll": True,
            "topicSubscriptionStatus": [{"topicName": topic, "subscriptionStatus": "OptOut"}],
        },
        "oldTopicPreferences": {
            "unsubscribeAll": False,
            "topicSubscriptionStatus": [{"topicName": topic, "subscriptionStatus": "OptIn"}],
        },
    }


def _time(us: int) -> str:
    return iso_time(us, 3) + "Z"


_DETAILS = {"sent": _send, "delivered": _delivery, "open": _open, "click": _click, "unsubscribe": _subscription}
PLATFORM = Platform(
    world={
        "precision": Choice(("ms",)),
        "delivered_precision": Choice(("same",)),
        "delivered_events": Choice((True,)),
        "missing_address": Choice((0.0,)),
    },
    write=write,
)
