"""Mailgun: pages of the Events API and of the Logs API, bodies of webhooks, and the flat bodies of older webhooks.

Fields: Mailgun, "Events" (event types, event structure), "List logs", "Webhook Payloads", and "Legacy Webhooks" of its
help centre.
"""

from features.readers.platform import Envelope, Platform, Signature

_NO_MESSAGE = (
    *("stored", "trapped", "email_validation"),
    *("list_member_uploaded", "list_member_upload_error", "list_uploaded"),
)
# The Events API counts seconds, the Logs API writes times out.
_DAY = """coalesce(TRY(strftime(to_timestamp(TRY_CAST({timestamp} AS DOUBLE)), '%Y-%m-%d')),
    left(coalesce({@timestamp}, {timestamp}), 10))"""

MAILGUN = Platform(
    name="mailgun",
    title="Mailgun",
    signatures=(
        Signature(("event", "timestamp", "recipient", "message/headers/message-id")),
        Signature(("event", "timestamp", "log-level")),
        Signature(("event", "@timestamp", "recipient-domain")),
        Signature(("event", "timestamp", "recipient", "token", "signature")),
    ),
    envelopes=(
        Envelope(("items", "paging"), "items", empty="a page without events"),
        Envelope(("items", "pagination"), "items", empty="a page without events"),
        Envelope(("signature", "event-data"), "event-data", {"token": "{signature/token}"}),
    ),
    columns={
        # An id is unique within its day only; webhooks without one have the token of their request.
        "event_id": f"coalesce({{id}} || ':' || {_DAY}, {{id}}, {{token}})",
        "event_type": """CASE WHEN {event} = 'failed' AND {severity} = 'permanent' THEN 'bounced'
            WHEN {event} = 'failed' AND {severity} = 'temporary' THEN 'deferred' ELSE {event} END""",
        "event_type_raw": "{event}",
        "timestamp": "coalesce({timestamp}, {@timestamp})",
        "campaign_id": """coalesce({user-variables/campaign_id}, {user-variables/campaign}, {campaigns/0/id},
            {campaigns/0/name}, {campaign-id}, {tags/0}, {tag})""",
        "message_id": "coalesce({message/headers/message-id}, {Message-Id})",
        "recipient_id": "{recipient}",
        "recipient_domain": "{recipient-domain}",
        "url": "{url}",
        "ip": "{ip}",
        "user_agent": "coalesce({client-info/user-agent}, {user-agent})",
        "platform_machine": "CASE WHEN {client-info/bot} IS NOT NULL THEN 'true' END",
        "platform_machine_reason": "'client-info.bot=' || {client-info/bot}",
    },
    controls={
        "no event of a sent message": f"{{event}} IN ({', '.join(map(repr, _NO_MESSAGE))})",
    },
    extra_of=("user-variables",),
    ignored=frozenset(
        {
            *("account", "api-key-id", "attachment-count", "batch", "body-plain", "delivery-status", "domain"),
            *("envelope", "flags", "geolocation", "log-level", "message-headers", "method", "primary-dkim"),
            *("reason", "recipient-provider", "reject", "routes", "signature", "storage", "template"),
            *("city", "client-name", "client-os", "client-type", "country", "device-type", "region"),
        }
    ),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="us",
    flags=("client-info.bot",),
    export=(
        "Fetch the pages of the Events API from first to last and save every answer as it is, one a line or one a file;"
        " events are kept for days only, so do it daily. Or store the bodies of the webhooks for accepted, delivered,"
        " opened, clicked, unsubscribed and complained messages."
    ),
    lacks="HTTP methods; positions of links; the address of some opens that a mailbox provider's own machines made.",
    tried=True,
)
