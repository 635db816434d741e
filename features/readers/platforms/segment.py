"""Segment: tracked events of its specification for email, as any tool sends them there.

Fields: Twilio Segment documentation, "Spec: Email Events" and "Spec: Common Fields".
"""

from features.readers.platform import Platform, Signature

_USER = "coalesce({userId}, {user_id}, {anonymousId}, {anonymous_id})"

SEGMENT = Platform(
    name="segment",
    title="Segment (Email Events)",
    signatures=(Signature(("event", "properties/email_id", "context"), {"event": "^(Email |Unsubscribed)"}),),
    columns={
        "event_id": "coalesce({messageId}, {message_id})",
        "event_type": "{event}",
        # sentAt is when the record was sent to Segment.
        "timestamp": "coalesce({timestamp}, {originalTimestamp}, {receivedAt})",
        "campaign_id": "coalesce({properties/campaign_id}, {properties/campaign_name})",
        # To some tools email_id is one mail to one person, to others the mail that everybody gets.
        "message_id": f"{{properties/email_id}} || coalesce(':' || {_USER}, '')",
        "recipient_id": f"coalesce({{context/traits/email}}, {_USER})",
        "url": "{properties/link_url}",
        "link_id": "{properties/link_id}",
        "ip": "{context/ip}",
        "user_agent": "coalesce({context/userAgent}, {context/user_agent})",
    },
    words={
        "Email Link Clicked": "clicked",
        "Email Marked as Spam": "complained",
        "Email Bounced": "bounced",
        "Unsubscribed": "unsubscribed",
    },
    controls={
        "an event that is no email": "{event} IS NULL OR NOT regexp_matches({event}, '^(Email |Unsubscribed)')",
    },
    ignored=frozenset({"type", "action", "channel", "context", "integrations", "version", "sentAt", "properties"}),
    extra_of=("properties",),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="ms",
    export=(
        "Take the raw events from a storage destination (JSON lines, gzip), or a warehouse's tables: those have "
        "the same names with an underscore and are read as any table."
    ),
    lacks="The time of sending; HTTP methods. What is in an event depends on the tool that sent it there.",
)
