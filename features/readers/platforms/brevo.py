"""Brevo (Sendinblue): the bodies of its transactional webhooks.

Fields: Brevo Developers, "Transactional webhooks".
"""

from features.readers.platform import Platform, Signature

BREVO = Platform(
    name="brevo",
    title="Brevo",
    signatures=(Signature(("event", "message-id", "ts_epoch")), Signature(("event", "message-id", "s_epoch"))),
    columns={
        # The first open comes twice, as an open and as a unique one.
        "event_id": """CASE WHEN {event} IN ('opened', 'unique_opened') THEN 'opened:' || {:time}
            WHEN {event} IN ('proxy_open', 'unique_proxy_open') THEN 'proxy_open:' || {:time} END""",
        "event_type": "{event}",
        # The only time that is UTC whatever the account's zone.
        "timestamp": "{:time}",
        "campaign_id": """coalesce({tags/0}, {tag/0}, CASE WHEN NOT starts_with({tag}, '[') THEN {tag} END,
            {template_id})""",
        "message_id": "{message-id}",
        "recipient_id": "{email}",
        "url": "{link}",
        "user_agent": "{user_agent}",
        "platform_machine": "CASE WHEN contains({event}, 'proxy') THEN 'true' END",
        "platform_machine_reason": "CASE WHEN contains({event}, 'proxy') THEN 'event=' || {event} END",
    },
    fields={"time": "coalesce({ts_epoch}, {s_epoch})"},
    words={
        "request": "queued",
        "unique_opened": "opened",
        "proxy_open": "opened",
        "unique_proxy_open": "opened",
        "loadedbyproxy": "opened",
        "invalid_email": "rejected",
        "blocked": "rejected",
    },
    ignored=frozenset({"id", "date", "ts", "ts_event", "sending_ip", "subject", "X-Mailin-custom", "mirror_link"}),
    gives=frozenset({"deliveries", "links", "domains"}),
    precision="ms",
    flags=("the events proxy_open and unique_proxy_open",),
    export=(
        "Add a transactional webhook for sent, delivered, opened, clicked and unsubscribed, and store every body "
        "as it is, one a line or one a file."
    ),
    lacks=(
        "The client's address (sending_ip is the sender's) and agent; ids of events; HTTP methods. Webhooks of "
        "marketing campaigns have other fields and no time that is UTC for certain: give them as a table with "
        "--map."
    ),
    tried=True,
)
