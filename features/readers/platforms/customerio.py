"""Customer.io: the bodies of its reporting webhooks.

Fields: Customer.io documentation, "Reporting Webhooks" and the reference "Reporting Webhooks API".
"""

from features.readers.platform import Platform, Signature

CUSTOMERIO = Platform(
    name="customerio",
    title="Customer.io",
    signatures=(Signature(("metric", "event_id", "object_type", "timestamp")),),
    columns={
        "event_id": "{event_id}",
        "event_type": "{metric}",
        "timestamp": "{timestamp}",
        # Campaigns, broadcasts and newsletters are numbered each for themselves.
        "campaign_id": """coalesce('campaign-' || {data/campaign_id}, 'broadcast-' || {data/broadcast_id},
            'newsletter-' || {data/newsletter_id}, 'transactional-' || {data/transactional_message_id})""",
        "message_id": "{data/delivery_id}",
        "recipient_id": "coalesce({data/recipient}, {data/identifiers/email}, {data/customer_id})",
        "url": "{data/href}",
        "link_id": "{data/link_id}",
        "platform_machine": "coalesce({data/machine}, {data/prefetched})",
        "platform_machine_reason": """nullif(concat_ws(', ', 'machine=' || {data/machine},
            'prefetched=' || {data/prefetched}, 'proxied=' || {data/proxied}), '')""",
        "is_synthetic": "{data/synthetic}",
    },
    words={"drafted": "queued", "attempted": "deferred", "spammed": "complained", "undeliverable": "rejected"},
    controls={
        "a change of a person's data": "{object_type} = 'customer'",
        "an event of another channel": "{object_type} NOT IN ('email', 'customer')",
    },
    ignored=frozenset({"data"}),
    gives=frozenset({"deliveries", "links", "domains"}),
    precision="s",
    source_filtering=(
        "a webhook may be set to tell only the first open and click of a message; people's later ones are then missing"
    ),
    flags=("machine", "prefetched", "proxied", "synthetic"),
    export=(
        "Add a reporting webhook for the email events sent, delivered, opened, clicked and unsubscribed, every "
        "time they happen and not only the first, and store every body as it is, one a line or one a file."
    ),
    lacks=(
        "The client's address and agent; HTTP methods. An open marked synthetic is inferred from a click: nobody "
        "requested anything."
    ),
    tried=True,
)
