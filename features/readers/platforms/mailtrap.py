"""Mailtrap: the bodies of its webhooks, as JSON or JSON lines.

Fields: Mailtrap documentation, "Webhooks" (Email Sending, payload examples).
"""

from features.readers.platform import Envelope, Platform, Signature

MAILTRAP = Platform(
    name="mailtrap",
    title="Mailtrap",
    signatures=(Signature(("event", "timestamp", "event_id", "message_id", "sending_stream")),),
    envelopes=(Envelope(("events",), "events", only=True, empty="a request without events"),),
    columns={
        # Not unique by itself: events of several kinds may share one.
        "event_id": "{event_id}",
        "event_type": "{event}",
        "timestamp": "{timestamp}",
        "campaign_id": "coalesce({custom_variables/campaign_id}, {custom_variables/campaign}, {category})",
        "message_id": "{message_id}",
        "recipient_id": "{email}",
        "url": "{url}",
        "ip": "{ip}",
        "user_agent": "{user_agent}",
        "unsubscribe_method": "CASE WHEN {event} = 'unsubscribe' THEN 'link' END",
    },
    words={"suspension": "rejected"},
    ignored=frozenset({"custom_variables", "response", "response_code", "bounce_category", "reason"}),
    extra_of=("custom_variables",),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="s",
    export=(
        "Add a webhook for Email Sending with delivery, open, click and unsubscribe, in either payload format, and "
        "store every body as it is, one a line or one a file."
    ),
    lacks="The time of sending; HTTP methods; positions of links.",
    tried=True,
)
