"""Postal: the bodies of its webhooks.

Fields: Postal documentation, "Webhook Events & Payloads"; MessageLinkClicked and MessageLoaded from the source of
its tracking middleware.
"""

from features.readers.platform import Platform, Signature

_MESSAGE = "coalesce({{payload/message/{0}}}, {{payload/original_message/{0}}})"

POSTAL = Platform(
    name="postal",
    title="Postal",
    signatures=(Signature(("event", "timestamp", "payload", "uuid"), {"event": "^(Message|Domain)[A-Z]"}),),
    columns={
        "event_id": "{uuid}",
        "event_type": "{event}",
        # The outer time is that of the request, which may be repeated for hours.
        "timestamp": "coalesce({payload/timestamp}, {timestamp})",
        "sent_at": _MESSAGE.format("timestamp"),
        "campaign_id": _MESSAGE.format("tag"),
        "message_id": _MESSAGE.format("token"),
        "recipient_id": _MESSAGE.format("to"),
        "url": "{payload/url}",
        "ip": "{payload/ip_address}",
        "user_agent": "{payload/user_agent}",
    },
    # MessageSent holds the receiving server's answer.
    words={
        "MessageSent": "delivered",
        "MessageDelayed": "deferred",
        "MessageDeliveryFailed": "bounced",
        "MessageBounced": "bounced",
        "MessageHeld": "rejected",
        "MessageLoaded": "opened",
        "MessageLinkClicked": "clicked",
    },
    controls={"no event of a message": "starts_with({event}, 'Domain')"},
    ignored=frozenset({"payload"}),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="us",
    export=(
        "Add a webhook for MessageSent, MessageLoaded and MessageLinkClicked on the mail server, and store every "
        "body as it is, one a line or one a file."
    ),
    lacks=(
        "HTTP methods; unsubscribes; positions of links. Opens and clicks are read by the names in Postal's source: "
        "its published samples have none."
    ),
    tried=True,
)
