"""What the registered model takes and gives: canonical events in, our judgement out, as MLflow states it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from features.schema import CAMPAIGN_COLUMNS, DOMAIN_COLUMNS, EVENT_COLUMNS
from serving.scoring import VERDICT_COLUMNS
from training.frames import OF_CAMPAIGN, OF_DOMAIN

NEEDED = ("event_type", "timestamp")
# MLflow's own type of a time knows no zone; ours may be times with one, or text as JSON has them.
_TIME = AnyType()  # type: ignore[no-untyped-call]  # MLflow does not say its types
_TYPES: Mapping[str, DataType | AnyType] = {
    "VARCHAR": DataType.string,
    "TIMESTAMPTZ": _TIME,
    "BOOLEAN": DataType.boolean,
}
_GIVEN = {"probability": DataType.double, "provisional": DataType.boolean}


def signature() -> ModelSignature:
    """The columns of an event, those of `NEEDED` in every frame and message_id or recipient_id too, and what is given.

    Numbers are doubles, since pandas has no NULL among whole ones.
    """
    beside = [column for column in (*CAMPAIGN_COLUMNS, *DOMAIN_COLUMNS) if column.name in (*OF_CAMPAIGN, *OF_DOMAIN)]
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(_TYPES.get(column.type, DataType.double), column.name, required=column.name in NEEDED)
                for column in (*EVENT_COLUMNS, *beside)
            ]
        ),
        outputs=Schema([ColSpec(_GIVEN.get(name, DataType.string), name, required=False) for name in VERDICT_COLUMNS]),
    )


def example() -> pd.DataFrame:
    """Two made-up messages, one opened and clicked by a security scanner, one by a person: nobody's events."""
    scanner = ("m-1", "r-1", "gateway.example")
    person = ("m-2", "r-2", "reader.example")
    browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    columns = ["event_type", "timestamp", "message_id", "recipient_id", "recipient_domain", "url", "ip", "user_agent"]
    rows = [
        ("delivered", "2026-03-02T09:00:00+00:00", *scanner, None, None, None),
        ("clicked", "2026-03-02T09:00:04+00:00", *scanner, "https://sender.example/a", "198.51.100.7", None),
        ("clicked", "2026-03-02T09:00:05+00:00", *scanner, "https://sender.example/b", "198.51.100.8", None),
        ("delivered", "2026-03-02T09:00:01+00:00", *person, None, None, None),
        ("opened", "2026-03-02T10:12:40+00:00", *person, None, "203.0.113.9", browser),
        ("clicked", "2026-03-02T10:13:05+00:00", *person, "https://sender.example/a", "203.0.113.9", browser),
    ]
    return pd.DataFrame(rows, columns=columns).assign(campaign_id="spring-01")
