"""MailerSend: the bodies of its webhooks.

Fields: MailerSend Developers, "Webhooks" (payload examples).
"""

from features.readers.platform import Platform, Signature

MAILERSEND = Platform(
    name="mailersend",
    title="MailerSend",
    signatures=(Signature(("type", "data/created_at", "data/email"), {"type": r"^activity\."}),),
    columns={
        # An open or click has an id of its own, which the event of the first one ("opened_unique") has too.
        "event_id": "coalesce({data/morph/id}, {data/id})",
        "event_type": "replace({type}, 'activity.', '')",
        "event_type_raw": "{type}",
        "timestamp": "coalesce({data/morph/created_at}, {data/created_at})",
        "sent_at": "{data/email/created_at}",
        "campaign_id": "coalesce({data/email/tags/0}, {data/template_id})",
        "message_id": "coalesce({data/email/id}, {data/email/message/id})",
        "recipient_id": "coalesce({data/email/recipient/email}, {data/email/recipient/id})",
        "url": "{data/morph/url}",
        "ip": "{data/morph/ip}",
        "unsubscribe_method": "CASE WHEN {type} = 'activity.unsubscribed' THEN 'link' END",
    },
    words={
        "opened_unique": "opened",
        "clicked_unique": "clicked",
        "soft_bounced": "bounced",
        "hard_bounced": "bounced",
    },
    ignored=frozenset({"data", "url", "webhook_id", "domain_id", "created_at"}),
    extra_of=("data/morph",),
    gives=frozenset({"address", "deliveries", "links", "domains"}),
    precision="us",
    export=(
        "Add a webhook for activity.sent, .delivered, .opened, .clicked and .unsubscribed, and store every body as "
        "it is, one a line or one a file."
    ),
    lacks="The client's agent; the address of unsubscribes; HTTP methods; positions of links.",
    tried=True,
)
