"""Resend: the bodies of its webhooks.

Fields: Resend documentation, "Webhooks: Event Types".
"""

from features.readers.platform import Platform, Signature

RESEND = Platform(
    name="resend",
    title="Resend",
    signatures=(Signature(("type", "created_at", "data/email_id"), {"type": r"^email\."}),),
    columns={
        "event_type": "replace({type}, 'email.', '')",
        "event_type_raw": "{type}",
        "timestamp": "coalesce({data/click/timestamp}, {data/open/timestamp}, {created_at})",
        "sent_at": "{data/created_at}",
        "campaign_id": """coalesce({data/broadcast_id}, {data/tags/campaign_id}, {data/tags/campaign},
            {data/tags/category})""",
        "message_id": "{data/email_id}",
        # With several recipients nobody knows whose client it was.
        "recipient_id": "CASE WHEN {data/to/1} IS NULL THEN {data/to/0} END",
        "url": "{data/click/link}",
        "ip": "coalesce({data/click/ipAddress}, {data/open/ipAddress})",
        "user_agent": "coalesce({data/click/userAgent}, {data/open/userAgent})",
    },
    words={"delivery_delayed": "deferred", "scheduled": "queued", "suppressed": "rejected"},
    controls={
        "incoming mail": "{type} = 'email.received'",
        "no event of an email": "NOT starts_with({type}, 'email.')",
    },
    ignored=frozenset({"data"}),
    extra_of=("data/tags",),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="ms",
    export=(
        "Add a webhook for email.sent, email.delivered, email.opened and email.clicked, and store every body as it "
        "is, one a line or one a file."
    ),
    lacks=(
        "The address and agent of opens: only clicks have them; ids of events (they are in an HTTP header); "
        "unsubscribes; HTTP methods; the recipient where a message went to several."
    ),
    tried=True,
)
