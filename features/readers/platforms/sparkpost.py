"""SparkPost (Bird): bodies of its webhooks, and answers of the Events API.

Fields: SparkPost API reference, "Webhooks" (sample events) and "Events" (event types).
"""

from features.readers.platform import Envelope, Platform, Signature

SPARKPOST = Platform(
    name="sparkpost",
    title="SparkPost",
    signatures=(
        Signature(("type", "timestamp", "event_id", "raw_rcpt_to")),
        Signature(("type", "timestamp", "event_id", "rcpt_to", "transmission_id")),
    ),
    envelopes=(
        Envelope(("msys",), "msys/*", empty="a ping"),
        Envelope(("results", "total_count"), "results", empty="a page without events"),
    ),
    columns={
        # A mail has a pixel at its top and one at its end: fetched by one client in one second, it is one viewing.
        "event_id": """CASE WHEN {type} LIKE '%open'
            THEN md5(concat_ws('|', {ip_address}, {user_agent}, {timestamp}))
            ELSE {event_id} END""",
        "event_type": "{type}",
        "timestamp": "{timestamp}",
        "sent_at": "{injection_time}",
        "campaign_id": "{campaign_id}",
        "message_id": "{message_id}",
        "recipient_id": "coalesce({rcpt_to}, {raw_rcpt_to})",
        "url": "{target_link_url}",
        "link_id": "{target_link_name}",
        "ip": "{ip_address}",
        "user_agent": "{user_agent}",
        "unsubscribe_method": "CASE {type} WHEN 'list_unsubscribe' THEN {type} WHEN 'link_unsubscribe' THEN 'link' END",
    },
    words={
        "initial_open": "opened",
        "amp_open": "opened",
        "amp_initial_open": "opened",
        "amp_click": "clicked",
        "out_of_band": "bounced",
        "generation_failure": "failed",
        "generation_rejection": "rejected",
    },
    controls={
        "an event of another channel (SMS)": "{type} = 'sms_status'",
        "incoming mail": "{type} LIKE 'relay%'",
    },
    ignored=frozenset({"geo_ip", "user_agent_parsed", "rcpt_meta", "rcpt_tags", "raw_reason", "reason", "subject"}),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="s",
    export=(
        "Add a webhook for injection, delivery, initial_open, open, click and the unsubscribes, and store every "
        "body as it is, one a line or one a file. Of the last ten days the Events API gives the same as pages of "
        "JSON."
    ),
    lacks=(
        "HTTP methods. A mail has two pixels, so that one viewing gives two opens: those of one client in one "
        "second count as one, those a second apart as two."
    ),
    tried=True,
)
