"""Mailjet's Event API: the bodies of its POSTs, grouped (arrays) or not (objects).

Fields: Mailjet Developers, "Event API: real-time notifications" (webhooks).
"""

from features.readers.platform import Platform, Signature

MAILJET = Platform(
    name="mailjet",
    title="Mailjet",
    signatures=(Signature(("event", "time", "MessageID", "mj_contact_id")),),
    columns={
        # Only clicks have a link, whatever the event calls itself.
        "event_type": "CASE WHEN {event} = 'open' AND {url} IS NOT NULL THEN 'click' ELSE {event} END",
        "event_type_raw": "{event}",
        "timestamp": "{time}",
        "campaign_id": "coalesce(nullif({mj_campaign_id}, '0'), {customcampaign})",
        "message_id": "{MessageID}",
        "recipient_id": "coalesce({email}, nullif({mj_contact_id}, '0'))",
        "url": "{url}",
        "ip": "{ip}",
        # The one-click unsubscribe of a mail client comes without one.
        "user_agent": "nullif({agent}, 'List-Unsubscribe')",
        "unsubscribe_method": """CASE WHEN {event} = 'unsub'
            THEN CASE WHEN {agent} = 'List-Unsubscribe' THEN 'one_click' ELSE 'link' END END""",
    },
    # It says so when the receiving server has accepted the mail.
    words={"sent": "delivered", "blocked": "rejected"},
    ignored=frozenset({"Message_GUID", "mj_message_id", "smtp_reply", "geo", "mj_list_id", "Payload", "comment"}),
    gives=frozenset({"address", "agent", "deliveries", "links", "domains"}),
    precision="s",
    export=(
        "Set up the event types sent, open, click and unsub in the account's Event API, grouped or not, and store "
        "every body as it is, one a line or one a file."
    ),
    lacks=(
        "Ids of events, so that only wholly identical records are known to be copies; HTTP methods; the time of "
        "sending."
    ),
    tried=True,
)
