"""SendGrid's Event Webhook: the bodies of its POSTs as they were stored, or a warehouse table with the same names.

Fields: SendGrid, "Event Webhook Reference" (docs.sendgrid.com/for-developers/tracking-events/event).
"""

from features.readers.platform import Platform, Signature

SENDGRID = Platform(
    name="sendgrid",
    title="SendGrid Event Webhook",
    signatures=(Signature(("sg_event_id", "event", "timestamp")),),
    columns={
        "event_id": "{sg_event_id}",
        "event_type": "{event}",
        "timestamp": "{timestamp}",
        "campaign_id": """coalesce({singlesend_id}, {mc_auto_id}, {marketing_campaign_id}, {campaign_id}, {category/0},
            CASE WHEN NOT starts_with({category}, '[') THEN {category} END)""",
        # The rest names the machine that handled it; ids of older accounts have dots of their own.
        "message_id": """coalesce(CASE
            WHEN contains({sg_message_id}, '.filter') THEN split_part({sg_message_id}, '.filter', 1)
            WHEN contains({sg_message_id}, '.recvd') THEN split_part({sg_message_id}, '.recvd', 1)
            ELSE split_part({sg_message_id}, '.', 1) END, {smtp-id})""",
        "recipient_id": "{email}",
        "url": "{url}",
        "link_id": "{url_offset/index}",
        "ip": "{ip}",
        "user_agent": "{useragent}",
        "unsubscribe_method": "CASE WHEN {event} IN ('unsubscribe', 'group_unsubscribe') THEN 'link' END",
        "platform_machine": "{sg_machine_open}",
    },
    words={"blocked": "bounced"},
    controls={"a change of the account": "{event} = 'account_status_change'"},
    ignored=frozenset(
        {"smtp-id", "response", "tls", "cert_err", "attempt", "url_offset", "send_at", "sg_content_type"}
    ),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="s",
    flags=("sg_machine_open",),
    export=(
        "Nothing can be downloaded: set up the Event Webhook with processed, delivered, open, click and the"
        " unsubscribes switched on, and store every request's body as it is, one a line or one a file."
    ),
    lacks="HTTP methods; the address and agent of unsubscribes from the subscription page.",
    tried=True,
)
